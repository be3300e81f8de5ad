"""What is asked by somebody who hangs up: reads are ended and their places freed, mutations are done."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from http_make import Seeded, Station, fresh_station

from wego.core.statements import Lane

READ = "{ cities(first: 3) { nodes { slug } } }"


@pytest.fixture
async def own(seeded: Seeded) -> Any:
    async with fresh_station(seeded) as station:
        yield station


class Line:
    """The end of a connection as the server knows it."""

    gone = False
    hung_up: Any = None

    def break_(self) -> None:
        self.gone = True
        if self.hung_up is not None:
            self.hung_up()


async def ask_and_hang_up(station: Station, query: str, after: float, *headers: tuple[bytes, bytes]) -> list[Any]:
    """What is sent back to somebody who asks and is gone after so many seconds."""
    body, sent, line = orjson.dumps({"query": query}), [], Line()

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"",
        "root_path": "", "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1), "server": ("x", 80),
        "headers": [(b"content-type", b"application/json"), *headers], "wego.line": line,
    }  # fmt: skip
    asyncio.get_running_loop().call_later(after, line.break_)
    async with asyncio.timeout(4):
        await station.app(scope, receive, send)
    return sent


async def test_a_read_whose_sender_hangs_up_is_ended_and_leaves_its_place(own: Station):
    reads = own.hub.database.reads
    assert (await own.ask(READ)).status_code == 200
    places, _, _ = reads.places()[Lane.PUBLIC]
    busy = [asyncio.create_task(reads.fetchval("select pg_sleep(1.5)::text", lane=Lane.PUBLIC)) for _ in range(places)]
    await asyncio.sleep(0.2)
    waiting = [asyncio.create_task(ask_and_hang_up(own, f"{{ a{n}: {READ[2:]}", 0.2)) for n in range(5)]
    await asyncio.sleep(0.1)
    assert reads.places()[Lane.PUBLIC] == (places, places, 5)
    assert await asyncio.gather(*waiting) == [[]] * 5
    assert reads.places()[Lane.PUBLIC] == (places, places, 0)
    await asyncio.gather(*busy)
    assert (await own.ask(READ)).status_code == 200


async def test_a_statement_that_nobody_waits_for_is_ended_in_the_database(own: Station):
    reads = own.hub.database.reads
    asleep = asyncio.create_task(reads.fetchval("select pg_sleep(1.7)::text", lane=Lane.PUBLIC))
    await asyncio.sleep(0.2)
    asleep.cancel()
    await asyncio.sleep(0.3)
    still = "select count(*) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(1.7)%'"
    assert await reads.fetchval(f"{still} and state = 'active' and pid <> pg_backend_pid()") == 0
    assert await reads.fetchval("select 1", lane=Lane.PUBLIC) == 1, "its connection is as good as before"


async def test_a_mutation_is_done_whether_its_sender_waits_or_not(own: Station):
    caller = await own.person("secretariat@wego.demo")
    change = 'mutation { updateCity(input: {city: "seoul", population: 9400123}) { problems { code } } }'
    headers = [(name.lower().encode(), value.encode()) for name, value in caller.headers().items()]
    lock = asyncio.to_thread(own.sql, "begin; lock table city; select pg_sleep(0.6); commit")
    held = asyncio.create_task(lock)
    await asyncio.sleep(0.2)
    _, told = await ask_and_hang_up(own, change, 0.1, *headers)
    assert orjson.loads(told["body"]) == {"data": {"updateCity": {"problems": []}}}
    await held
    assert own.sql("select population from city natural join organisation where slug = 'seoul'") == [(9400123,)]
