"""The attackers' own process, so that what they compute is not mistaken for the hub's slowness:

    python -m benchmarks.abuse.attackers NAME --port N --home FOLDER --seconds S

It prints how many answers of each kind came, as JSON. It steps back for the hub and the witnesses (nice): attackers
sit on machines of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from pathlib import Path

from benchmarks.abuse.attacks import EVERYTHING, Attack
from benchmarks.abuse.every import load
from benchmarks.abuse.wire import Attacker


async def rage(attack: Attack, port: int, home: Path, seconds: float) -> Counter[str]:
    """All attackers of one attack at once."""
    until = time.monotonic() + seconds
    runs = [attack.run] * attack.attackers
    if attack.name == EVERYTHING:
        runs = [each.run for name, each in load().items() if name != EVERYTHING]
    ones = [Attacker(number, port, home, until) for number in range(len(runs))]
    tasks = [asyncio.create_task(run(one)) for run, one in zip(runs, ones, strict=True)]
    done, late = await asyncio.wait(tasks, timeout=seconds + 3)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    seen: Counter[str] = sum((one.seen for one in ones), Counter())
    for task in done:
        error = task.exception()
        if error is not None:
            seen[f"ended by {type(error).__name__}: {str(error)[:80]}"] += 1
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    os.nice(10)
    print(json.dumps(asyncio.run(rage(load()[given.name], given.port, given.home, given.seconds))))


if __name__ == "__main__":
    main()
