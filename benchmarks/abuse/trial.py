"""One attack with its witnesses, and what was seen of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.abuse.attacks import Attack
from benchmarks.abuse.target import Hub
from benchmarks.abuse.wire import Line
from benchmarks.abuse.witnesses import Officer, Times, witnesses

# An attack is given this long before its witnesses look, so that they see its full force.
HEAD_START = 0.3
EXPECTED = frozenset({"200", "204", "304", "400", "401", "403", "404", "405", "406", "408", "413", "414", "415", "422",
                      "429", "431", "501", "503", "closed", "let go", "hung up", "TimeoutError"})  # fmt: skip


@dataclass
class Trial:
    """The figures of one attack."""

    name: str
    seconds: float
    seen: Counter[str]
    times: dict[str, Times]
    limits: dict[str, float]
    grown: float  # megabytes of the worker that grew most, at the end of the attack
    backend: float  # likewise of PostgreSQL's backends
    busy: float  # share of a processor that the server processes used
    broken: list[str] = field(default_factory=list)

    def missed(self) -> list[str]:
        """The targets that were not held."""
        late = [name for name, times in self.times.items() if times.wrong or times.at(0.99) > self.limits[name]]
        return [*late, *self.broken]

    @property
    def held(self) -> bool:
        return not self.missed()


def _expected(kind: str) -> bool:
    return kind in EXPECTED or kind.startswith("no token")  # the hub was too slow for it, which is seen elsewhere


async def run_one(hub: Hub, attack: Attack, seconds: float, officer: Officer) -> Trial:
    """Attack for some seconds; the witnesses ask meanwhile."""
    await officer.renew()
    workers, backends, cpu = hub.workers(), hub.backends(), hub.cpu_seconds()
    command = [
        sys.executable, "-m", "benchmarks.abuse.attackers", attack.name, "--port", str(hub.port),
        "--home", str(hub.home), "--seconds", str(seconds + HEAD_START),
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    await asyncio.sleep(HEAD_START + 0.5)  # the half second in which Python starts
    watching = witnesses(hub.port, hub.home, officer)
    await asyncio.gather(*(each.watch(seconds) for each in watching))
    told, said = await process.communicate()
    seen: Counter[str] = Counter(json.loads(told)) if process.returncode == 0 else Counter()
    trial = Trial(
        attack.name, seconds, seen,
        {each.name: each.times for each in watching}, {each.name: each.limit for each in watching},
        _grown(workers, hub.workers()), _grown(backends, hub.backends()),
        (hub.cpu_seconds() - cpu) / seconds,
    )  # fmt: skip
    trial.broken += [f"{count} times {kind}" for kind, count in seen.items() if not _expected(kind)]
    if process.returncode != 0:
        trial.broken.append(f"the attackers failed: {said.decode(errors='replace')[-200:]}")
    if not hub.alive:
        trial.broken.append("the hub ended")
    return trial


def _grown(before: dict[int, float], after: dict[int, float]) -> float:
    """What the one that grew most has more; a process that is new began with nothing."""
    base = min(before.values(), default=0.0)
    return max((size - before.get(pid, base) for pid, size in after.items()), default=0.0)


async def warm_up(hub: Hub, officer: Officer) -> None:
    """What every hub has done after some minutes of plain use: start from there."""
    await officer.choose(Line(hub.port, "127.77.0.9"))
    for _ in range(2):
        watching = witnesses(hub.port, hub.home, officer)
        await asyncio.gather(*(each.watch(2.0) for each in watching))
    wrong = [f"{each.name}: {each.times.wrong[0]}" for each in watching if each.times.wrong]
    if wrong:
        sys.exit(f"The hub does not even answer in peace: {'; '.join(wrong)}")
