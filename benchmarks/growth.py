"""How reading grows with the number of practices: `python -m benchmarks.growth`, `--large`, or the short `--smoke`.

Two databases, one small and one large, hold practices of the same kinds (`growth_data`). Every filter and order is
asked alone and in pairs with values from none to all (`growth_cases`), compiled by the real engine and run by its
pool. The table says, for each shape, the slowest value at the large size, the same at the small one, and the growth.
A figure is the least of some runs, as whatever else the machine does can only add to it: on Linux the time that the
backend was on a processor, elsewhere or with `--wall` the time that passed.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg

from benchmarks import growth_cases as cases
from benchmarks import growth_data
from benchmarks.growth_cases import Case
from i18n.language.locales import reading_list, wished
from members.demo import seed
from wego import postgres
from wego.core.access import NOBODY, Actor, ActorKind, Post, Role, organisation
from wego.core.db import Database
from wego.core.reads.engine import Engine
from wego.core.statements import Lane
from wego.schema import schema
from wego.setup import prepare

LIST = (
    "query($f: PracticeFilter, $o: PracticeOrder) { practices(first: 20, filter: $f, orderBy: $o) { nodes { slug } } }"
)
COUNT = "query($f: PracticeFilter) { practices(filter: $f) { totalCount totalCountIsCapped } }"
FACET = "query($f: PracticeFilter) { practices(filter: $f) { totalCount facets { themes { value count } } } }"
KINDS = ("country", "region", "themes", "sdg", "status", "stage", "locale", "technologies", "evidence")
FACETS = "facets { cities { city { slug } count } %s }" % " ".join(  # noqa: UP031  # GraphQL is full of braces
    f"{kind} {{ value count name {{ text }} }}" for kind in KINDS
)
OTHERS = {
    "a page with cursors": "{ practices(first: 20) { edges { cursor node { slug } } pageInfo { hasNextPage } } }",
    "the last 20": "{ practices(last: 20) { nodes { slug } pageInfo { hasPreviousPage } } }",
    "20 with title and city": "{ practices(first: 20) { nodes { slug title { text } city { slug } } } }",
    "100 cities × 5": "{ cities(first: 100) { nodes { slug practices(first: 5) { nodes { slug } } } } }",
    "100 cities × 5 with counts": (
        "{ cities(first: 100) { nodes { slug practices(first: 5) { totalCount nodes { slug } } } } }"
    ),
    "20 with every facet": f"{{ practices(first: 20) {{ totalCount nodes {{ slug }} {FACETS} }} }}",
    "100 cities × 5 by slug": (
        "{ cities(first: 100) { nodes { practices(first: 5, orderBy: {field: SLUG}) { nodes { slug } } } } }"
    ),
    "20 cities × 5 of a rare theme": (
        '{ cities(first: 20) { nodes { practices(first: 5, filter: {themes: ["2020.sustainable-city"]}) '
        "{ totalCount nodes { slug } } } } }"
    ),
}
COUNTED_IN = 40.0  # ms: up to its bound a count grows with what it counts
SECTIONS = {
    "alone": (LIST, 15.0), "pairs": (LIST, 15.0), "counts": (COUNT, COUNTED_IN), "facets": (FACET, COUNTED_IN),
}  # fmt: skip
MOST_GROWTH = 3.0
LANE = Lane.PUBLIC_HEAVY  # has one connection on two processors
NOISE = 1.5  # ms: below it growth says nothing


@dataclass
class Size:
    """One of the two databases."""

    count: int
    database: Database
    known: dict[str, dict[str, Any]]
    actors: dict[str, Actor]
    clock: Callable[[], float]  # seconds


@dataclass
class Figures:
    """What one shape took, in ms, at both sizes."""

    name: str
    small: float
    large: float
    limit: float

    @property
    def growth(self) -> float:
        return self.large / self.small if self.small else 0.0

    @property
    def bad(self) -> bool:
        grown = self.growth > MOST_GROWTH and self.large > NOISE and self.limit != COUNTED_IN
        return self.large > self.limit or grown


@dataclass
class Bench:
    """A run: the engine and both sizes."""

    small: Size
    large: Size
    runs: int
    only: re.Pattern[str]
    engine: Engine = field(default_factory=lambda: Engine(schema(), reading_of=reading_list))

    async def time(self, size: Size, text: str, reader: str, variables: dict[str, Any], runs: int) -> float:
        """The least time of some runs of the statement, after it was prepared, as what is asked again is."""
        operation = self.engine.find(text, None, variables)
        run = self.engine.run_of(operation, size.actors[reader], wished(None, "", ""))
        plan = await self.engine.ready(operation, run)
        values = [bind(run) for bind in plan.binders]
        took = []
        for _ in range(runs + 2):
            began = size.clock()
            await size.database.reads.fetchrow(plan.sql, *values, lane=LANE)
            took.append((size.clock() - began) * 1000)
        return min(took[2:])

    async def case(self, text: str, reader: str, name: str, one: Case, other: Case, limit: float) -> Figures:
        """Both sizes of one case; asked once more, and longer, where it looks bad."""
        found = Figures(name, 0, 0, limit)
        for runs in (self.runs, self.runs * 4):
            found.small = await self.time(self.small, text, reader, _variables(text, one), runs)
            found.large = await self.time(self.large, text, reader, _variables(text, other), runs)
            if not found.bad:
                break
        return found

    async def section(self, section: str, reader: str, pairs: list[tuple[Case, Case]]) -> list[Figures]:
        text, limit = SECTIONS[section]
        found = []
        for one, other in pairs:
            if not self.only.search(one.name):
                continue
            allowed = 30.0 if "titleContains" in one.filter and text is LIST else limit
            found.append(await self.case(text, reader, f"{reader}: {one.name}", one, other, allowed))
        return found


def _variables(text: str, case: Case) -> dict[str, Any]:
    order = {"field": case.order[0], "direction": case.order[1]}
    return {"f": case.filter, "o": order} if "$o" in text else {"f": case.filter}


def both(bench: Bench, chosen: Any, *args: Any) -> list[tuple[Case, Case]]:
    return list(zip(chosen(bench.small.known, *args), chosen(bench.large.known, *args), strict=True))


async def measure(bench: Bench, options: argparse.Namespace) -> list[Figures]:
    """Everything for strangers; for the others what differs: each filter alone, and counts."""
    _complete(bench)
    every: list[Figures] = []
    for reader in bench.small.actors:
        single = both(bench, cases.alone)
        every += told("Alone", reader, await bench.section("alone", reader, single))
        counted = [each for each in single if each[0].order == cases.DEFAULT]
        every += told("Counted", reader, await bench.section("counts", reader, counted))
        every += told("By theme", reader, await bench.section("facets", reader, counted))
        others = [each for each in OTHERS.items() if bench.only.search(each[0])]
        every += told("Others", reader, [await _other(bench, reader, *each) for each in others])
        if reader == "nobody" or options.everybody:
            orders = cases.ORDERS if options.orders else [cases.DEFAULT]
            double = both(bench, cases.pairs, orders)[:: options.every]
            every += told("In pairs", reader, await bench.section("pairs", reader, double))
            every += told("Pairs counted", reader, await bench.section("counts", reader, double[::3]))
            every += told("Pairs by theme", reader, await bench.section("facets", reader, double[1::3]))
    return every


async def _other(bench: Bench, reader: str, name: str, text: str) -> Figures:
    limit = COUNTED_IN if "totalCount" in text else 15.0
    return await bench.case(text, reader, f"{reader}: {name}", Case(name, {}), Case(name, {}), limit)


def _complete(bench: Bench) -> None:
    kind: Any = bench.engine.schema.type_map["PracticeFilter"]
    missing = set(kind.fields) - set(bench.small.known)
    assert not missing, f"no values for the filters {missing}"


def told(title: str, reader: str, found: list[Figures]) -> list[Figures]:
    """Print the slowest, those that grew most, and all that are over; and hand the figures on."""
    if not found:
        return found
    print(f"\n## {title}, {reader}: {len(found)} cases\n\n| ms | small | large | growth | |\n|---|---|---|---|---|")
    slowest = sorted(found, key=lambda each: -each.large)
    grown = sorted((each for each in found if each.large > NOISE), key=lambda each: -each.growth)
    for line in dict.fromkeys(_line(each) for each in (*slowest[:12], *grown[:5], *(e for e in grown if e.bad))):
        print(line)
    sys.stdout.flush()
    return found


def _line(each: Figures) -> str:
    mark = "**over**" if each.bad else ""
    return f"| {each.name} | {each.small:.2f} | {each.large:.2f} | {each.growth:.1f} | {mark} |"


def _actors(connection: psycopg.Connection) -> dict[str, Actor]:
    """A stranger, somebody of a member city, a program of one, and an officer."""
    city: UUID = connection.execute("select city_id from practice group by 1 order by count(*) limit 1").fetchone()[0]  # type: ignore[index]  # there are practices
    place, scopes = organisation(city), frozenset({"graphql:query", "catalog:read"})
    return {
        "nobody": NOBODY,
        "a member": Actor(ActorKind.PERSON, "member", UUID(int=1), posts=(Post(Role.CIO, place),)),
        "a program": Actor(ActorKind.PROGRAM, "program", posts=(Post(Role.PROGRAM, place),), scopes=scopes),
        "an officer": Actor(ActorKind.PERSON, "officer", UUID(int=2), posts=(Post(Role.OFFICER),)),
    }


async def _clock(database: Database, *, wall: bool) -> Callable[[], float]:
    """The processor time of the one backend that the pool has, or the time of day."""
    pid = await database.reads.fetchval("select pg_backend_pid()", lane=LANE)
    told = Path(f"/proc/{pid}/schedstat")
    if wall or not told.exists():
        return time.perf_counter
    return lambda: int(told.read_text().split()[0]) / 1e9


async def _open(server: postgres.Attachment, count: int, *, wall: bool) -> Size:
    name = f"growth_{count}"
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            connection.execute(f"create database {name}".encode())
    url = urlunsplit(urlsplit(server.admin_url)._replace(path=f"/{name}"))
    prepare(url)
    database = Database(url, read_size=1)
    with psycopg.connect(url) as connection:
        filled = connection.execute("select exists (select 1 from practice)").fetchone() == (True,)
    if not filled:
        began = time.monotonic()
        async with database.session() as db:
            await seed.seed(db)
        growth_data.fill(url, count)
        print(f"{count:,} practices made in {time.monotonic() - began:.0f} s", flush=True)
    with psycopg.connect(url) as connection:
        clock = await _clock(database, wall=wall)
        return Size(count, await database.open(), cases.values(connection), _actors(connection), clock)


@contextmanager
def _home(given: Path | None) -> Iterator[Path]:
    home = given or Path(tempfile.mkdtemp(prefix="wego-growth-"))
    home.mkdir(parents=True, exist_ok=True)
    try:
        yield home.absolute()
    finally:
        if given is None:
            postgres.stop(home)
            shutil.rmtree(home, ignore_errors=True)


async def run(options: argparse.Namespace) -> int:
    counts = (300, 1_500) if options.smoke else (5_000, 500_000 if options.large else 50_000)
    began = time.monotonic()
    with _home(options.home) as home, postgres.attach(home) as server:
        sizes = [await _open(server, count, wall=options.wall) for count in counts]
        bench = Bench(sizes[0], sizes[1], 1 if options.smoke else options.runs, re.compile(options.only))
        print(f"\n# Growth from {counts[0]:,} to {counts[1]:,} practices, in ms of database time")
        found = await measure(bench, options)
        for size in sizes:
            await size.database.close()
    if not found:
        print("No case has such a name.", file=sys.stderr)
        return 1
    print(f"\n{summary(found)} {time.monotonic() - began:.0f} s.")
    return 0


def summary(found: Iterable[Figures]) -> str:
    every = list(found)
    over = [each for each in every if each.bad]
    slowest = max(every, key=lambda each: each.large)
    return (
        f"{len(every)} cases, {len(over)} over (more than its limit, or more than {MOST_GROWTH:g} times the small "
        f"one and over {NOISE:g} ms); the slowest: {slowest.name}, {slowest.large:.1f} ms."
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="small sizes, a tenth of the pairs, one run each")
    parser.add_argument("--large", action="store_true", help="5,000 against 500,000 (minutes to fill, 4 GB)")
    parser.add_argument("--home", type=Path, help="keep the data here for the next run")
    parser.add_argument("--wall", action="store_true", help="the time that passed, not that of the processor")
    parser.add_argument("--runs", type=int, default=2, help="runs of each case, of which the least counts (2)")
    parser.add_argument("--orders", action="store_true", help="pairs in every order")
    parser.add_argument("--everybody", action="store_true", help="pairs for every reader")
    parser.add_argument("--every", type=int, default=1, help="only every n-th pair")
    parser.add_argument("--only", default="", help="only the cases whose names this regular expression finds")
    options = parser.parse_args()
    if options.smoke:
        options.every = 40
    return asyncio.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
