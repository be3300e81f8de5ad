"""Listeners: from the commit of a change until whoever listens to the log has it, in another process.

    python -m benchmarks.listeners [CHANGES] [--smoke]

Prints the median and the 99th percentile in milliseconds for changes one after the other, and for eight at once, with
one listener that always fails beside the one that is measured. Ends with 1 when a change was not heard of.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import text

from wego import postgres
from wego.core import audit
from wego.core.access import system
from wego.core.audit import Event, Subject
from wego.core.audit.dispatch import Dispatcher
from wego.core.audit.listeners import Entry, Listener
from wego.core.db import Database
from wego.core.ids import new_id
from wego.core.settings import Settings
from wego.setup import addresses, prepare

ACTOR = system("benchmark")
EVENTS = frozenset({Event.CITY_UPDATED})


async def listen(url: str) -> None:
    """What runs in the other process: print the index of each entry and the moment at which it came."""

    async def hear(_database: Database, entry: Entry) -> None:
        print(entry.index, time.time(), flush=True)

    async def fail(_database: Database, _entry: Entry) -> None:
        raise RuntimeError("it always fails")

    listeners = [Listener("benchmark.hear", EVENTS, hear), Listener("benchmark.fail", EVENTS, fail)]
    await Dispatcher(await Database(url).open(), listeners).run()


async def tell(database: Database, committed: dict[int, float]) -> None:
    key = new_id()
    async with database.session() as db:
        await audit.record(db, ACTOR, Event.CITY_UPDATED, Subject.CITY, key)
    done = time.time()
    async with database.session() as db:
        found = await db.execute(text("SELECT index FROM audit_entry WHERE subject_id = :key"), {"key": key})
        committed[found.scalar_one()] = done


async def measure(url: str, changes: int) -> int:
    command = [sys.executable, "-m", "benchmarks.listeners", "--listen", url]
    database, worker = await Database(url).open(), subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    heard: dict[int, float] = {}

    def read() -> None:
        assert worker.stdout
        for line in worker.stdout:
            index, at = line.split()
            heard[int(index)] = float(at)

    reading = asyncio.create_task(asyncio.to_thread(read))
    lost = 0
    try:
        await _warm(database, heard)
        for at_once in (1, 8):
            committed: dict[int, float] = {}
            for _ in range(changes // at_once):
                await asyncio.gather(*(tell(database, committed) for _ in range(at_once)))
            async with asyncio.timeout(30):
                while not committed.keys() <= heard.keys():
                    await asyncio.sleep(0.01)
            late = [(heard[index] - at) * 1e3 for index, at in committed.items()]
            print(
                f"{at_once} at once, {len(late)} changes: "
                f"median {median(late):.1f} ms, p99 {quantiles(late, n=100)[98]:.1f} ms after the commit was told"
            )
    except TimeoutError:
        lost = 1
        print("a change was not heard of within 30 s")
    finally:
        worker.kill()
        worker.wait()
        await reading
        await database.close()
    return lost


async def _warm(database: Database, heard: dict[int, float]) -> None:
    async with asyncio.timeout(30):
        while not heard:
            await tell(database, {})
            await asyncio.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listeners", description=__doc__)
    parser.add_argument("changes", nargs="?", type=int, default=400)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--listen", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.listen:
        asyncio.run(listen(given.listen))
        return 0
    home = Path(tempfile.mkdtemp(prefix="wego-listeners-"))
    try:
        with postgres.attach(home, grace=0) as held:
            at = addresses(Settings(home=home), held)
            prepare(at.owner, at.hub)
            return asyncio.run(measure(at.hub, 40 if given.smoke else given.changes))
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
