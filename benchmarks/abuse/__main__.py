"""`make abuse`: attack a hub with 50,000 practices, and print what others notice of it and what it keeps.

    python -m benchmarks.abuse                         all attacks, some seconds each
    python -m benchmarks.abuse --minutes 60            in turns, for an hour
    python -m benchmarks.abuse --only contains-aliases --only idle --seconds 20
    python -m benchmarks.abuse --list
    python -m benchmarks.abuse --smoke                 a small demonstration, all attacks at once, some seconds

The data stay in the folder of `--home`, so only the first run loads them. The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from benchmarks.abuse import report, target
from benchmarks.abuse.attacks import EVERYTHING, Attack
from benchmarks.abuse.every import load
from benchmarks.abuse.trial import run_one, warm_up
from benchmarks.abuse.witnesses import Officer

SETTLE = 3.0  # seconds after the last attack before memory is read


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this attack; may be repeated")
    parser.add_argument("--skip", action="append", default=[], metavar="NAME", help="not this attack")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each attack (or of each turn)")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on in turns for so long; 0: each attack once")
    parser.add_argument("--practices", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--port", type=int, default=18_473, help="the programs' keys name it: keep it with the folder")
    parser.add_argument("--home", type=Path, help="folder of the data; default .wego-abuse, .wego-abuse-smoke")
    parser.add_argument("--smoke", action="store_true", help="short form: few practices, everything at once")
    parser.add_argument("--list", action="store_true", help="print the attacks")
    given = parser.parse_args()
    given.home = given.home or Path(".wego-abuse-smoke" if given.smoke else ".wego-abuse")
    if given.smoke:
        given.practices = min(given.practices, 200)
        given.only = given.only or [EVERYTHING]
    return given


def chosen(given: argparse.Namespace) -> list[Attack]:
    known = load()
    unknown = {*given.only, *given.skip} - known.keys()
    if unknown:
        sys.exit(f"There is no attack named {', '.join(sorted(unknown))}; --list names them.")
    names = given.only or list(known)
    return [known[name] for name in names if name not in given.skip]


async def attacked(hub: target.Hub, attacks: list[Attack], given: argparse.Namespace) -> report.Results:
    """All attacks, once or in turns; memory before and after."""
    officer = Officer(hub.home, hub.port)
    await officer.renew()
    await warm_up(hub, officer)
    results = report.Results(hub.workers(), hub.backends(), smoke=given.smoke)
    print(report.head(), flush=True)
    until = time.monotonic() + given.minutes * 60
    turn = 0
    while turn < len(attacks) or time.monotonic() < until:
        attack = attacks[turn % len(attacks)]
        trial = await run_one(hub, attack, given.seconds, officer)
        results.add(trial)
        if turn < len(attacks) or not trial.held:
            print(report.line(trial), flush=True)
        turn += 1
        if not hub.alive:
            results.dead = True
            break
    await asyncio.sleep(SETTLE)
    results.workers_after, results.backends_after = hub.workers(), hub.backends()
    return results


def main() -> int:
    given = options()
    if given.list:
        print("\n".join(f"{each.name:24} {each.attackers:4}  {each.words}" for each in load().values()))
        return 0
    attacks = chosen(given)
    given.home.mkdir(parents=True, exist_ok=True)
    took = target.load(given.home, given.port, given.practices)
    print(f"{given.practices:,} practices in {given.home} after {took:.0f} s; {len(attacks)} attacks\n", flush=True)
    with target.served(given.home, given.port, given.workers) as hub:
        results = asyncio.run(attacked(hub, attacks, given))
    print(report.end(results))
    return 0 if results.held else 1


if __name__ == "__main__":
    sys.exit(main())
