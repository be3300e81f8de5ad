"""Public answers in memory: only for as long as nothing changed, one flight per question, never more than allowed."""

from __future__ import annotations

import asyncio

import psycopg

from wego.api import responses
from wego.api.responses import PublicCache, Response, tagged
from wego.core import audit
from wego.core.access import system
from wego.core.audit import Event, Subject
from wego.core.db import Database
from wego.core.ids import new_id


def made(body: bytes) -> Response:
    return tagged(Response(200, body, is_public=True))


def listening(most: int = 2**20) -> PublicCache:
    answers = PublicCache(most)
    answers.listening = True
    return answers


def test_nothing_is_kept_by_one_who_does_not_hear_of_changes():
    answers = PublicCache(2**20)
    answers.put("key", made(b"body"), answers.version)
    assert answers.get("key") is None


def test_what_was_made_before_a_change_is_not_kept():
    answers = listening()
    version = answers.version
    answers.clear()  # a write was heard of while the answer was made
    answers.put("key", made(b"old"), version)
    assert answers.get("key") is None


def test_a_change_forgets_everything():
    answers = listening()
    for key in range(10):
        answers.put(key, made(b"body"), answers.version)
    answers.clear()
    assert [answers.get(key) for key in range(10)] == [None] * 10


def test_an_answer_ages_out_and_is_removed():
    answers = listening()
    clock = 0.0
    answers._kept._clock = lambda: clock
    answers.put(b"key", made(b"body"), answers.version)
    assert answers.get(b"key") is not None
    clock = responses.SECONDS + 1
    assert answers.get(b"key") is None
    assert answers._kept.bytes == len(answers._kept) == 0


def test_memory_is_bounded_and_the_oldest_goes_first():
    most = 60_000
    answers = listening(most)
    for key in range(200):
        answers.put(b"%d" % key, made(b"x" * 1_000), answers.version)
        assert answers._kept.bytes <= most
    assert answers.get(b"199") is not None
    assert answers.get(b"0") is None
    answers.put(b"huge", made(b"x" * most), answers.version)
    assert answers.get(b"huge") is None


def test_the_tag_is_that_of_the_bytes():
    answers = listening()
    one, same, other = (answers.put("key", made(body), answers.version) for body in (b"a", b"a", b"b"))
    assert one.tag == same.tag != other.tag
    assert one.tag.startswith(b'"')


async def test_those_who_ask_the_same_at_once_are_answered_by_one_making():
    answers, times = listening(), 0

    async def make() -> Response:
        nonlocal times
        times += 1
        await asyncio.sleep(0.02)
        return answers.put("key", made(b"body"), answers.version)

    found = await asyncio.gather(*(answers.single_flight("key", make) for _ in range(20)))
    assert times == 1
    assert {kept.body for kept in found if kept} == {b"body"}


async def test_a_making_that_fails_fails_for_its_asker_alone():
    answers = listening()

    async def fail() -> Response:
        await asyncio.sleep(0.01)
        raise RuntimeError("a test")

    found = await asyncio.gather(*(answers.single_flight("key", fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [RuntimeError, type(None), type(None)]


async def test_what_is_not_for_everybody_is_had_by_its_asker_alone():
    answers = listening()

    async def make() -> Response:
        await asyncio.sleep(0.01)
        return Response(200, b"mine")

    first, *others = await asyncio.gather(*(answers.single_flight(b"key", make) for _ in range(3)))
    assert first is not None
    assert (first.body, others) == (b"mine", [None, None])
    assert answers.get(b"key") is None


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others():
    answers = listening()

    async def make() -> Response:
        await asyncio.sleep(0.05)
        return answers.put("key", made(b"body"), answers.version)

    first = asyncio.create_task(answers.single_flight("key", make))
    await asyncio.sleep(0)
    second = asyncio.create_task(answers.single_flight("key", make))
    await asyncio.sleep(0)
    second.cancel()
    kept = await first
    assert kept is not None
    assert kept.body == b"body"


async def test_a_write_anywhere_is_heard_of_and_a_broken_connection_is_mended(database: Database):
    answers = PublicCache(2**20)
    task = asyncio.create_task(answers.listen(database.url))
    try:
        await until(answers, True)
        answers.put("key", made(b"body"), answers.version)
        async with database.session() as db:
            await audit.record(db, system("test"), Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id())
            await asyncio.sleep(0.05)
            assert answers.get("key") is not None  # not before the commit
        async with asyncio.timeout(5):
            while answers.get("key") is not None:
                await asyncio.sleep(0.01)
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'wego listens'"
                " and datname = current_database()"
            )
        await until(answers, False)
        assert answers.get("key") is None
        await until(answers, True)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(answers: PublicCache, hears: bool) -> None:
    async with asyncio.timeout(10):
        while answers.listening is not hears:
            await asyncio.sleep(0.005)
