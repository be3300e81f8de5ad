"""The connections that read: no lane takes the places of another, no statement outlives its time, no backend grows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic

import asyncpg
import pytest

from wego.core.db import Database
from wego.core.errors import CostExceeded, Unavailable
from wego.core.statements import PREPARED_MOST, Lane, StatementPool, lanes_for

SLEEP = "select pg_sleep($1::float8)::text"


def pool_of(database: Database, **changes: float) -> StatementPool:
    lanes = {lane: replace(terms, **changes) for lane, terms in lanes_for(2, 2).items()}  # type: ignore[arg-type]
    return StatementPool(database.url, lanes)


async def test_a_statement_that_takes_too_long_is_too_dear_and_no_outage(database: Database):
    pool = pool_of(database, seconds=0.2)
    backend = await pool.fetchval("select pg_backend_pid()", lane=Lane.PUBLIC)
    for _ in range(3):
        began = monotonic()
        with pytest.raises(CostExceeded):
            await pool.fetchrow(SLEEP, 5.0, lane=Lane.PUBLIC)
        assert monotonic() - began < 2
    assert await pool.fetchval("select pg_backend_pid()", lane=Lane.PUBLIC) == backend, "no connection was dropped"
    await pool.close()


async def test_a_statement_that_somebody_else_ends_is_no_refusal(database: Database):
    pool = pool_of(database)
    backend = await pool.fetchval("select pg_backend_pid()", lane=Lane.PUBLIC)
    running = asyncio.create_task(pool.fetchrow(SLEEP, 1.5, lane=Lane.PUBLIC))
    await asyncio.sleep(0.2)
    await pool.fetchval("select pg_cancel_backend($1::int)", backend)
    with pytest.raises(asyncpg.QueryCanceledError):
        await running
    await pool.close()


async def test_a_lane_that_is_full_holds_up_no_other(database: Database):
    pool = pool_of(database, seconds=3.0, patience=3.0)
    busy = [asyncio.create_task(pool.fetchrow(SLEEP, 1.0, lane=Lane.PUBLIC_HEAVY)) for _ in range(3)]
    busy += [asyncio.create_task(pool.fetchrow(SLEEP, 1.0, lane=Lane.PUBLIC)) for _ in range(4)]
    await asyncio.sleep(0.3)
    assert pool.places()[Lane.PUBLIC] == (2, 2, 2)
    for lane in (Lane.SERVICE, Lane.MEMBER, Lane.HEAVY):
        began = monotonic()
        await pool.fetchval("select 1", lane=lane)
        assert monotonic() - began < 0.5, lane
    await asyncio.gather(*busy)
    assert pool.places()[Lane.PUBLIC] == (2, 0, 0)
    await pool.close()


async def test_who_waits_too_long_or_behind_too_many_is_told_when_to_come_again(database: Database):
    pool = pool_of(database, seconds=3.0, patience=0.2, waiting=2)
    busy = [asyncio.create_task(pool.fetchrow(SLEEP, 1.0, lane=Lane.PUBLIC)) for _ in range(2)]
    await asyncio.sleep(0.2)
    asked = await asyncio.gather(
        *(pool.fetchval("select 1", lane=Lane.PUBLIC) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(each, Unavailable) and each.retry_after for each in asked)
    await asyncio.gather(*busy)
    assert await pool.fetchval("select 1", lane=Lane.PUBLIC) == 1
    await pool.close()


async def test_one_who_gives_up_while_he_waits_leaves_the_place_to_others(database: Database):
    pool = pool_of(database, seconds=3.0)
    busy = [asyncio.create_task(pool.fetchrow(SLEEP, 0.6, lane=Lane.HEAVY)) for _ in range(2)]
    await asyncio.sleep(0.2)
    busy[1].cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    assert await pool.fetchval("select 1", lane=Lane.HEAVY) == 1
    assert pool.places()[Lane.HEAVY][1:] == (0, 0)
    await pool.close()


async def test_statements_that_are_asked_once_are_not_prepared_and_those_kept_are_bounded(database: Database):
    pool = pool_of(database)
    count = "select count(*), coalesce(sum(length(statement)), 0) from pg_prepared_statements"

    async def prepared() -> int:
        async with pool.acquire(Lane.PUBLIC) as connection:
            return int(await connection.fetchval(count))

    for number in range(300):
        await pool.fetchval(f"select {number} as once", lane=Lane.PUBLIC)
    assert await prepared() == 0
    for number in range(PREPARED_MOST + 100):
        for _ in range(3):
            assert await pool.fetchval(f"select {number} as often", lane=Lane.PUBLIC) == number
    assert 0 < await prepared() <= PREPARED_MOST + 1
    await pool.close()


async def test_a_large_statement_is_not_kept_in_the_backend(database: Database):
    pool = pool_of(database)
    large = "select " + ", ".join(f"{number} as a{number}" for number in range(1_600)) + " -- " + "x" * 40_000
    for _ in range(5):
        await pool.fetchrow(large, lane=Lane.PUBLIC)
    async with pool.acquire(Lane.PUBLIC) as connection:
        assert await connection.fetchval("select count(*) from pg_prepared_statements where name <> ''") == 0
    await pool.close()


async def test_a_connection_that_died_is_replaced(database: Database):
    pool = pool_of(database)
    backend = await pool.fetchval("select pg_backend_pid()", lane=Lane.MEMBER)
    await pool.fetchval("select pg_terminate_backend($1::int)", backend)
    await asyncio.sleep(0.1)
    assert await pool.fetchval("select pg_backend_pid()", lane=Lane.MEMBER) != backend
    await pool.close()
    with pytest.raises(asyncpg.InterfaceError):
        await pool.fetchval("select 1")


async def test_known_statements_go_ahead_of_new_ones_but_not_always(database: Database):
    pool = pool_of(database, seconds=3.0, waiting=100)
    places, order = pool.places()[Lane.PUBLIC][0], []
    for _ in range(2):
        await pool.fetchval("select 'known'", lane=Lane.PUBLIC)
    busy = [asyncio.create_task(pool.fetchrow(SLEEP, 0.5, lane=Lane.PUBLIC)) for _ in range(places)]
    await asyncio.sleep(0.2)

    async def ask(sql: str) -> None:
        await pool.fetchval(sql, lane=Lane.PUBLIC)
        order.append("known" if "known" in sql else "new")

    waiting = [asyncio.create_task(ask(f"select {number}")) for number in range(12)]
    await asyncio.sleep(0.05)
    waiting += [asyncio.create_task(ask("select 'known'")) for _ in range(12)]
    await asyncio.gather(*busy, *waiting)
    assert order[:12].count("known") >= 7
    assert "new" in order[:12], "they have a turn of four"
    assert pool.places()[Lane.PUBLIC][1:] == (0, 0)
    await pool.close()


async def test_whoever_gives_up_in_the_queue_takes_no_place_with_him(database: Database):
    pool = pool_of(database, seconds=3.0, waiting=100)
    for round_ in range(30):
        tasks = [
            asyncio.create_task(pool.fetchval("select pg_sleep(0.003)::text", lane=Lane.PUBLIC)) for _ in range(12)
        ]
        await asyncio.sleep(0.001 * (round_ % 7))
        for each in tasks[round_ % 3 :: 2]:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert pool.places()[Lane.PUBLIC][1:] == (0, 0)
    assert await asyncio.wait_for(pool.fetchval("select 1", lane=Lane.PUBLIC), 2) == 1
    await pool.close()
