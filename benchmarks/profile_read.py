"""Where the time of a read goes, in one process: `python -m benchmarks.profile_read [--home FOLDER] [--explain]`.

For each question of the benchmarks: looking up the document and coercing variables, finding the plan and binding
values, the statement (client and server; the server's CPU time from the kernel where it tells), joining the bytes, and
the whole application from ASGI scope to the last message, which contains all of them.
Microseconds, medians; CPU time says more than time passed where others use the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks import data
from benchmarks.contests import HUB, Contest, Entry, contests
from i18n.language.locales import accepted, negotiate, wished
from wego import postgres
from wego.api.hub import Hub
from wego.app import create_app
from wego.core.access import NOBODY
from wego.core.reads.engine import as_json
from wego.core.settings import Settings
from wego.core.statements import READ_SETTINGS

ROUNDS, TIMES = 7, 200
HEADERS = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]


async def profile(app: Any, contest: Contest, *, functions: bool) -> None:
    hub: Hub = app.state.hub
    target = contest.target(Entry(HUB, 0))
    assert target is not None
    bodies = target.bodies
    given = [orjson.loads(body) for body in bodies]
    single = _Single(hub)
    await single.open()
    operation = hub.engine.find(given[0]["query"], None, given[0].get("variables") or {})
    run = hub.engine.run_of(operation, NOBODY, wished(None, "", ""))
    plan = await hub.engine.ready(operation, run)
    values = [bind(run) for bind in plan.binders]

    def find(number: int) -> None:
        each = given[number % len(given)]
        hub.engine.find(each["query"], None, each.get("variables") or {})

    def bound(_: int) -> None:
        fresh = hub.engine.run_of(operation, NOBODY, wished(None, "", ""))
        for bind in plan.binders:
            bind(fresh)

    def joined(_: int) -> None:
        if row is not None:
            parts = [(root.key, row[root.column]) for root in plan.roots if root.column is not None]
            b",".join([b'"%s":%s' % (key, as_json(value)) for key, value in parts])

    async def fetched(_: int) -> None:
        if plan.selected:
            await single.connection.fetchrow(plan.sql, *values)

    async def pooled(_: int) -> None:
        if plan.selected:
            await hub.database.reads.fetchrow(plan.sql, *values)

    async def answered(number: int) -> None:
        await _call(app, bodies[number % len(bodies)])

    row = await single.connection.fetchrow(plan.sql, *values) if plan.selected else None
    server = await single.server_time(plan.sql, values) if plan.selected else None
    size = sum(len(as_json(row[root.column])) for root in plan.roots if root.column is not None) if row else 0
    about = f"{size:,} bytes, {len(plan.sql):,} characters of SQL, {len(values)} values"
    print(f"\n{contest.name}: {contest.what} ({about})")
    print(f"  {'':32} {'this process, CPU':>18} {'passed':>12}")
    _tell("reading the body (JSON)", await _time(lambda number: orjson.loads(bodies[number % len(bodies)])))
    _tell("languages of the request", await _time(lambda _: (negotiate(accepted(""), ""), wished(None, "", ""))))
    _tell("document and variables", await _time(find))
    _tell("plan and values", await _time(bound))
    _tell("statement, on one connection", await _time(fetched))
    if server is not None:
        print(f"  {'  the server, CPU':32} {server:15.1f} µs")
    _tell("statement, through the pool", await _time(pooled))
    _tell("joining bytes", await _time(joined))
    _tell("whole application", await _time(answered))
    if functions:
        await _functions(answered)
    await single.close()


def _tell(what: str, micros: tuple[float, float]) -> None:
    print(f"  {what:32} {micros[0]:15.1f} µs {micros[1]:9.1f} µs")


class _Single:
    """One connection as the pool has them."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.connection: Any = None
        self._held: Any = None

    async def open(self) -> None:
        self._held = self.hub.database.reads.acquire()
        self.connection = await self._held.__aenter__()

    async def close(self) -> None:
        await self._held.__aexit__(None, None, None)

    async def server_time(self, sql: str, values: list[Any]) -> float | None:
        """Microseconds of CPU that the server spends on one execution, as the kernel counts them (Linux only)."""
        pid = await self.connection.fetchval("select pg_backend_pid()")
        counter = Path(f"/proc/{pid}/schedstat")
        try:
            counter.read_text()
        except OSError:
            return None
        found = []
        for _ in range(ROUNDS):
            before = int(counter.read_text().split()[0])
            for _ in range(TIMES):
                await self.connection.fetchrow(sql, *values)
            found.append((int(counter.read_text().split()[0]) - before) / 1000 / TIMES)
        return median(found)


async def _time(do: Callable[[int], Any]) -> tuple[float, float]:
    """Medians over the rounds of the mean microseconds of one call: of CPU in this process, and that passed."""
    found = []
    for _ in range(ROUNDS + 1):
        began, spent = time.perf_counter(), time.thread_time()
        for number in range(TIMES):
            outcome = do(number)
            if isinstance(outcome, Awaitable):
                await outcome
        found.append(((time.thread_time() - spent) / TIMES * 1e6, (time.perf_counter() - began) / TIMES * 1e6))
    return median(each[0] for each in found[1:]), median(each[1] for each in found[1:])


async def _call(application: Any, body: bytes) -> None:
    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "root_path": "", "query_string": b"",
        "client": ("127.0.0.1", 1), "headers": [*HEADERS, (b"content-length", str(len(body)).encode())],
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"answered {message['status']}")

    await application(scope, receive, send)


async def _functions(answered: Callable[[int], Awaitable[None]]) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for number in range(1_000):
        await answered(number)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


async def explain(hub: Hub, contest: Contest) -> None:
    target = contest.target(Entry(HUB, 0))
    assert target is not None
    given = orjson.loads(target.bodies[0])
    operation = hub.engine.find(given["query"], None, given.get("variables") or {})
    run = hub.engine.run_of(operation, NOBODY, wished(None, "", ""))
    plan = await hub.engine.ready(operation, run)
    if not plan.selected:
        return
    print(f"\n── {contest.name}: {contest.what}\n\n{plan.sql}\n")
    values = [bind(run) for bind in plan.binders]
    async with hub.database.reads.acquire() as connection:
        for _ in range(3):
            rows = await connection.fetch(f"explain (analyze, buffers) {plan.sql}", *values)
    print("\n".join(row[0] for row in rows))


async def _run(options: argparse.Namespace, url: str, home: Path, samples: list[tuple[str, str]]) -> None:
    settings = Settings(home=home, cache_mb=0, requests_per_minute=0, jobs=False)
    app = create_app(settings, url, jobs=False)
    async with app.router.lifespan_context(app):
        hub: Hub = app.state.hub
        print("settings of the reads:", ", ".join(f"{name} = {value}" for name, value in READ_SETTINGS.items()))
        for contest in contests(samples):
            if options.only and contest.name not in options.only.split(","):
                continue
            if options.explain:
                await explain(hub, contest)
            else:
                await profile(app, contest, functions=options.functions)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_read", description=__doc__)
    parser.add_argument("--home", type=Path, help="data of an earlier run with --home (default: made for this run)")
    parser.add_argument("--practices", type=int, default=50_000)
    parser.add_argument("--explain", action="store_true", help="the compiled statements and how PostgreSQL runs them")
    parser.add_argument("--functions", action="store_true", help="the Python functions that take most, by cProfile")
    parser.add_argument("--only", help="contests, such as Q1,Q3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wego-profile-") as made:
        home = options.home.absolute() if options.home else Path(made)
        with postgres.attach(home) as server:
            facts = data.load(server.url, home, options.practices, "http://127.0.0.1:8000", 50)
            asyncio.run(_run(options, server.url, home, facts.samples))
        if not options.home:
            postgres.stop(home)


if __name__ == "__main__":
    main()
