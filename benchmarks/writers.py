"""Writers: registerCity by 1, 4 and 16 at once through the whole stack, against the floor of the same disk.

    python -m benchmarks.writers [SECONDS] [--smoke]

Prints changes a second and the 99th percentile, the ratio to one writer, and the ratio to a floor measured between the
same rounds: connections that insert one row and commit, as many at once. Ends with 1 when a change was refused, or the
log does not prove what was written.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import asyncpg
import orjson
import uvloop

from i18n.language.locales import reading_list
from wego import postgres
from wego.api.hub import make_engine
from wego.core import audit
from wego.core.access import system
from wego.core.db import WRITE_SETTINGS, Database
from wego.core.reads.engine import Engine
from wego.core.settings import Settings
from wego.core.writes import Writer
from wego.problems import words
from wego.setup import addresses, prepare

AT_ONCE = (1, 4, 16)
ACTOR = system("benchmark")
MUTATION = "mutation($input: RegisterCityInput!) { registerCity(input: $input) { city { id slug } problems { code } } }"
NUMBERS = count()


@dataclass(frozen=True)
class Shot:
    """One run: how many a second, and the 99th percentile in milliseconds."""

    rate: float
    p99: float


class Hub:
    """The writer of the hub, as the endpoint uses it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.engine: Engine = make_engine(Settings())
        self.writer = Writer(self.engine, database, words)

    async def write(self) -> None:
        number = next(NUMBERS)
        given: dict[str, Any] = {
            "slug": f"city-{number}", "names": [{"locale": "en", "name": f"City {number}"}], "endonymLocale": "en",
            "country": "KR", "region": "EAST_ASIA", "latitude": 37.5, "longitude": 127.0, "population": 1000,
            "timeZone": "Asia/Seoul", "languages": ["ko"],
        }  # fmt: skip
        operation = self.engine.find(MUTATION, None, {"input": given})
        run = self.engine.run_of(operation, ACTOR, reading_list(("en",)))
        answer = orjson.loads(await self.writer.mutate(operation, run, "en"))["registerCity"]
        if answer["problems"] or not answer["city"]:
            raise SystemExit(f"a change was refused: {answer}")


async def shoot(write: Any, at_once: int, seconds: float) -> Shot:
    """Let so many write, one change after the other each, until the time is over."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    async def one() -> None:
        while time.perf_counter() < until:
            began = time.perf_counter()
            await write()
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    spent = time.perf_counter() - began
    return Shot(len(times) / spent, quantiles(times, n=100)[98] * 1e3 if len(times) > 1 else times[0] * 1e3)


class Floor:
    """What the disk and PostgreSQL give: one small insert and its commit, on a connection of one's own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.idle: list[Any] = []

    async def write(self) -> None:
        if not self.idle:
            self.idle.append(await asyncpg.connect(self.url, server_settings=WRITE_SETTINGS))
        connection = self.idle.pop()
        await connection.execute("insert into floor (text) values ($1)", "x" * 300)
        self.idle.append(connection)

    async def close(self) -> None:
        for connection in self.idle:
            await connection.close()


async def measure(hub_url: str, owner_url: str, seconds: float, rounds: int) -> int:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("create table if not exists floor (id bigserial primary key, text text)")
    await owner.close()
    database, floor = await Database(hub_url).open(), Floor(owner_url)
    hub = Hub(database)
    shots: dict[tuple[str, int], list[Shot]] = {}
    for _ in range(10):
        await hub.write()
    for _ in range(rounds):
        for at_once in AT_ONCE:
            for name, write in (("hub", hub.write), ("floor", floor.write)):
                shots.setdefault((name, at_once), []).append(await shoot(write, at_once, seconds))
    print(table(shots))
    async with database.session() as db:
        found = await audit.verify(db)
    await floor.close()
    await database.close()
    for fault in found.faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 1 if found.faults else 0


def table(shots: dict[tuple[str, int], list[Shot]]) -> str:
    """The table that goes into RESULTS.md."""

    def rate(name: str, at_once: int) -> float:
        return median(shot.rate for shot in shots[name, at_once])

    lines = [
        "", "## Writers", "",
        "registerCity with its payload, in one process; the floor inserts one row and commits. Medians.", "",
        "| at once | changes/s | p99 ms | × one writer | floor/s | × floor |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for at_once in AT_ONCE:
        here, p99 = rate("hub", at_once), median(shot.p99 for shot in shots["hub", at_once])
        lines.append(
            f"| {at_once} | {here:,.0f} | {p99:.0f} | {here / rate('hub', 1):.2f} | {rate('floor', at_once):,.0f} "
            f"| {here / rate('floor', at_once):.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writers", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="half a second of each: does it run and is it proved?")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="wego-writers-"))
    try:
        with postgres.attach(home) as held:
            at = addresses(Settings(home=home), held)
            prepare(at.owner, at.hub)
            seconds, rounds = (0.5, 1) if options.smoke else (options.seconds, options.rounds)
            return uvloop.run(measure(at.hub, at.owner, seconds, rounds))
    finally:
        postgres.stop(home)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
