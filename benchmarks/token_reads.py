"""What a token and a fresh proof cost a read: its rate beside the anonymous one of the same moment.

    python -m benchmarks.token_reads [--seconds 2] [--rounds 5] [--practices 50000] [--home FOLDER]

One worker, no cache of answers, sixteen connections. The two alternate, and the ratio of each pair counts, so that a
machine that slows down for a while slows both; printed are the medians. A batch is ten operations in one request with
one proof, beside ten operations in one request without a token. Answers are looked at before the load.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks import data, load, servers
from benchmarks.contests import HUB, Contest, Entry, contests
from benchmarks.proofs import Program
from benchmarks.run import PROOFS_AT_MOST, _free_port, _home
from wego import postgres

CONCURRENCY = 16
BATCH = 10
TARGETS = {"Q1": 0.65, "Q2": 0.62, "Q3": 0.72, "Q1 batch": 0.85, "Q2 batch": 0.85, "Q3 batch": 0.85}


@dataclass(frozen=True)
class Pair:
    """One question, asked in two ways."""

    name: str
    plain: load.Target
    contest: Contest
    operations: int = 1

    def problem(self, entry: Entry, status: int, content: bytes) -> str | None:
        """What is wrong with an answer: status, or the first of its operations that is not right."""
        if status != 200:
            return f"{status} {content[:300]!r}"
        answers = [content] if self.operations == 1 else [json.dumps(each).encode() for each in json.loads(content)]
        if len(answers) != self.operations:
            return f"{len(answers)} answers to {self.operations} operations"
        return next(filter(None, (self.contest.problem(self.contest.plain(entry, each)) for each in answers)), None)


def pairs(chosen: list[Contest], entry: Entry) -> Iterator[Pair]:
    for contest in chosen:
        target = contest.target(entry)
        if target is None or contest.name not in ("Q1", "Q2", "Q3"):
            continue
        yield Pair(contest.name, target, contest)
        ten = tuple(b"[" + b",".join([body] * BATCH) + b"]" for body in target.bodies[:20])
        yield Pair(f"{contest.name} batch", replace(target, bodies=ten), contest, BATCH)


def shoot_plain(pair: Pair, seconds: float) -> float:
    size = sum(load.ask(pair.plain, body)[2] for body in pair.plain.bodies) / len(pair.plain.bodies)
    return load.shoot(pair.plain, CONCURRENCY, seconds, size, lambda *_: True).rate


def shoot_signed(pair: Pair, entry: Entry, program: Program, seconds: float, rate: float) -> float:
    proofs = program.proofs(min(PROOFS_AT_MOST, max(100, int(rate * seconds))))
    target = program.target(pair.plain)
    status, content, size = load.ask(target, target.bodies[0], [("dpop", proofs.pop())])
    problem = pair.problem(entry, status, content)
    if problem:
        raise SystemExit(f"{pair.name} with a token: {problem}")
    size -= load.ask(pair.plain, pair.plain.bodies[0])[2]
    mean = sum(load.ask(pair.plain, body)[2] for body in pair.plain.bodies) / len(pair.plain.bodies)
    shot = load.shoot(target, CONCURRENCY, seconds, mean + size, lambda *_: True, proofs=proofs)
    if shot.wrong:
        raise SystemExit(f"{pair.name}: {shot.wrong[0]}")
    return shot.rate


def measure(options: argparse.Namespace, home: Path) -> None:
    port = _free_port()
    issuer = f"http://127.0.0.1:{port}"
    with postgres.attach(home) as server, tempfile.TemporaryDirectory(prefix="wego-bench-logs-") as logs:
        facts = data.load(server.url, home, options.practices, issuer, 200)
        with servers.Fleet() as fleet:
            hub = fleet.add(servers.hub(HUB, port, 1, home, Path(logs), cache_mb=0))
            program = Program.of(home, issuer)
            print("\n## Reads with a token and a fresh proof, beside anonymous ones\n")
            print("| operations per second | anonymous | with a token | ratio | to reach |\n|---|---|---|---|---|")
            entry = Entry(HUB, hub.port)
            for pair in pairs(contests(facts.samples), entry):
                shots = []
                for _ in range(options.rounds):
                    plain = shoot_plain(pair, options.seconds)
                    shots.append((plain, shoot_signed(pair, entry, program, options.seconds, plain)))
                plain, signed = (median(column) * pair.operations for column in zip(*shots, strict=True))
                ratio = median(with_token / without for without, with_token in shots)
                print(
                    f"| {pair.name} | {plain:,.0f} | {signed:,.0f} | {ratio:.2f} | {TARGETS[pair.name]:.2f} |",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.token_reads", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--practices", type=int, default=50_000)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    with _home(options.home) as home:
        measure(options, home)


if __name__ == "__main__":
    main()
