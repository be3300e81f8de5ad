"""One run of the benchmarks: `python -m benchmarks.run`, or the short `--smoke`.

Ends with 1 when any answer was wrong, and with 2 when it could not run. Speed is reported, never judged.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import data, load, report, servers
from benchmarks.contests import (
    CACHED,
    FLOOR,
    HUB,
    PEER,
    STATIC,
    TOKEN,
    Contest,
    Entry,
    contests,
    difference,
    static_bodies,
)
from benchmarks.plan import FULL, SMOKE, Plan, Results
from benchmarks.proofs import Program
from wego import postgres

HERE = Path(__file__).parent
PROOFS_AT_MOST = 4_000  # for one run: each is signed before, and is good for a minute


def main() -> int:
    options = _options()
    plan = SMOKE if options.smoke else FULL
    given = {"rounds": options.rounds, "seconds": options.seconds, "practices": options.practices}
    plan = Plan(**{**plan.__dict__, **{name: value for name, value in given.items() if value is not None}})
    began, results = time.monotonic(), Results()
    missing = servers.peer_missing() if options.smoke else servers.install_peer()
    if missing or options.no_peer:
        results.absent.append(f"PostGraphile: {missing or 'left out by --no-peer'}")
    if not load.has_wrk():
        results.absent.append("wrk: `apt-get install wrk`; our own slower load generator stands in for it")
    for line in results.absent:
        print(f"not there: {line}")
    with _home(options.home) as home:
        facts = _measure(plan, home, results, peer=not (missing or options.no_peer), only=options.only)
    text = report.write(plan, facts, results, time.monotonic() - began)
    print(text)
    if not options.smoke:
        (HERE / "RESULTS.md").write_text(text)
    for line in results.wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    return 1 if results.wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="under a minute: does everything run and answer rightly?")
    parser.add_argument("--home", type=Path, help="keep the data here for the next run")
    parser.add_argument("--practices", type=int, help="how many case studies (50000)")
    parser.add_argument("--rounds", type=int, help="rounds, whose median counts (5)")
    parser.add_argument("--seconds", type=float, help="length of one run of load (2)")
    parser.add_argument("--only", help="contests to run, such as Q1,Q3")
    parser.add_argument("--no-peer", action="store_true", help="leave PostGraphile out")
    return parser.parse_args()


@contextmanager
def _home(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
        return
    home = Path(tempfile.mkdtemp(prefix="wego-bench-"))
    try:
        yield home
    finally:
        postgres.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def _measure(plan: Plan, home: Path, results: Results, *, peer: bool, only: str | None) -> data.Facts:
    port = _free_port()
    with postgres.attach(home) as server:
        print("loading data …", flush=True)
        facts = data.load(server.url, home, plan.practices, f"http://127.0.0.1:{port}", plan.slugs)
        chosen = [each for each in contests(facts.samples) if not only or each.name in only.split(",")]
        for workers in plan.workers:
            with servers.Fleet() as fleet, tempfile.TemporaryDirectory(prefix="wego-bench-logs-") as logs:
                entries = _start(fleet, server, home, Path(logs), workers, port, chosen, results, peer=peer)
                if not _agree(chosen, entries, results):
                    continue
                _phase(plan, workers, chosen, entries, results, home, port)
                for name, process in fleet.servers.items():
                    results.memory[workers, name] = process.worker_memory() or 0.0
    return facts


def _start(
    fleet: servers.Fleet, database: postgres.Attachment, home: Path, logs: Path, workers: int, port: int,
    chosen: list[Contest], results: Results, *, peer: bool,
) -> list[Entry]:  # fmt: skip
    """Start all contestants of a phase, and say whom to ask what."""
    print(f"starting servers with {workers} worker{'s' if workers > 1 else ''} each …", flush=True)
    hub = fleet.add(servers.hub(HUB, port, workers, home, logs, cache_mb=0))
    cached = fleet.add(servers.hub(CACHED, _free_port(), workers, home, logs, cache_mb=32))
    static_bodies(chosen, hub.port, logs)
    floor = fleet.add(servers.floor(FLOOR, _free_port(), workers, database.url, logs, logs))
    entries = [Entry(HUB, hub.port), Entry(CACHED, cached.port), Entry(FLOOR, floor.port), Entry(STATIC, floor.port)]
    if peer:
        process = fleet.add(servers.peer(PEER, _free_port(), workers, data.address(database), logs))
        entries.append(Entry(PEER, process.port))
    for name, process in fleet.servers.items():
        results.starts[workers, name] = process.start_seconds
    return entries


def _agree(chosen: list[Contest], entries: list[Entry], results: Results) -> bool:
    """Compare the answers of all to all questions, as JSON in one shape; note their sizes."""
    before = len(results.wrong)
    for contest in chosen:
        right: list[object] = []
        for entry in entries:
            target = contest.target(entry)
            if target is None:
                continue
            sizes = []
            for number, body in enumerate(target.bodies):
                status, content, size = load.ask(target, body)
                sizes.append(size)
                said = contest.plain(entry, content) if status == 200 else f"{status} {content[:300]!r}"
                if entry.name == HUB:
                    right.append(said)
                    problem = contest.problem(said)
                else:
                    problem = difference(said, right[number])
                if problem:
                    results.wrong.append(f"{contest.name} {entry.name}: {problem}")
                    break
            results.sizes[contest.name, entry.name] = sum(sizes) / len(sizes)
        results.right[contest.name] = right
    return len(results.wrong) == before


def _phase(
    plan: Plan, workers: int, chosen: list[Contest], entries: list[Entry], results: Results, home: Path, port: int
) -> None:
    """All rounds: in each, every contest at every concurrency, the contestants one after the other."""
    program = Program.of(home, f"http://127.0.0.1:{port}")
    for number in range(plan.rounds):
        for contest in chosen:
            for concurrency in plan.concurrency:
                for entry in entries[number % len(entries) :] + entries[: number % len(entries)]:
                    if not contest.wanted(entry, concurrency == plan.main, workers, plan.short):
                        continue
                    _shoot(plan, workers, concurrency, contest, entry, results)
                token = contest.with_token and not (plan.short and contest.name != "Q1")
                if concurrency == plan.main and workers == 1 and token:
                    _shoot_with_token(plan, concurrency, contest, program, results, entries[0])


def _shoot(plan: Plan, workers: int, concurrency: int, contest: Contest, entry: Entry, results: Results) -> None:
    target = contest.target(entry)
    assert target is not None
    known = results.right[contest.name]
    shot = load.shoot(
        target, concurrency, plan.seconds, results.sizes[contest.name, entry.name],
        lambda number, content: contest.plain(entry, content) == known[number],
    )  # fmt: skip
    _keep(results, workers, concurrency, contest.name, entry.name, shot)


def _shoot_with_token(
    plan: Plan, concurrency: int, contest: Contest, program: Program, results: Results, entry: Entry
) -> None:
    plain = contest.target(entry)
    assert plain is not None
    rate = results.rate(1, concurrency, contest.name, HUB) or 1_000.0
    proofs = program.proofs(min(PROOFS_AT_MOST, max(50, int(rate * plan.seconds))))
    target = program.target(plain)
    status, content, size = load.ask(target, target.bodies[0], [("dpop", proofs.pop())])
    if status != 200 or contest.problem(contest.plain(entry, content)):
        results.wrong.append(f"{contest.name} {TOKEN}: {status} {content[:300]!r}")
        return
    extra = size - load.ask(plain, plain.bodies[0])[2]
    expected = results.sizes[contest.name, HUB] + extra
    shot = load.shoot(target, concurrency, plan.seconds, expected, lambda *_: True, proofs=proofs)
    _keep(results, 1, concurrency, contest.name, TOKEN, shot)


def _keep(results: Results, workers: int, concurrency: int, contest: str, entrant: str, shot: load.Shot) -> None:
    results.shots.setdefault((workers, concurrency, contest, entrant), []).append(shot)
    where = f"{contest} {entrant}, {workers} × c={concurrency}"
    results.wrong += [f"{where}: {line}" for line in shot.wrong[:3]]
    print(f"  {where}: {shot.rate:,.0f}/s, p50 {shot.p50:.2f} ms, p99 {shot.p99:.2f} ms", flush=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
