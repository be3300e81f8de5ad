"""Many who write at once: nobody waits for the log while a payload is read, and officers do not stand in line.

Binding text: issue of the attacks, section 2 (the log's lock is taken last; grave acts go before others).
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import psycopg
import pytest
from reads_make import READINGS, SEED, make_engine
from register_make import make_registered_city

from members.register.models import Membership, MembershipStatus
from wego.core import audit, places, writes
from wego.core.access import Actor, ActorKind, Post, Role, organisation, system
from wego.core.audit import Event, Subject, verify
from wego.core.db import Database
from wego.core.errors import Unavailable
from wego.core.ids import global_id, new_id
from wego.core.places import Places
from wego.core.writes import Writer
from wego.problems import words
from wego.schema import schema

from ..conftest import owner_url

REGISTER = "mutation($i: RegisterCityInput!) { registerCity(input: $i) { city { slug } problems { code message } } }"
SUSPEND = "mutation($i: SuspendMemberInput!) { suspendMember(input: $i) { problems { code message } } }"
OFFICER = Actor(ActorKind.PERSON, str(new_id()), posts=(Post(Role.OFFICER),))


def city(slug: str) -> dict[str, Any]:
    return {
        "slug": slug, "names": [{"locale": "en", "name": slug.title()}], "endonymLocale": "en", "country": "KR",
        "region": "EAST_ASIA", "latitude": 37.5, "longitude": 127.0, "population": 1000, "timeZone": "Asia/Seoul",
        "languages": ["ko"],
    }  # fmt: skip


class Hand:
    """Somebody who writes through the hub's own writer."""

    def __init__(self, database: Database) -> None:
        self.engine = make_engine(schema())
        self.writer = Writer(self.engine, database, words)

    async def __call__(self, query: str, actor: Actor = SEED, **given: Any) -> Any:
        operation = self.engine.find(query, None, {"i": given})
        run = self.engine.run_of(operation, actor, READINGS["nobody's wish"])
        (answer,) = orjson.loads(await self.writer.mutate(operation, run, "en")).values()
        return answer


@pytest.fixture
async def hand(database: Database) -> Hand:
    return Hand(database)


async def member(database: Database) -> str:
    now = datetime.now(UTC)
    async with database.session() as db:
        made = await make_registered_city(db, "gone", created_at=now, updated_at=now)
        db.add(Membership(organisation_id=made.id, status=MembershipStatus.FULL, since=now, not_before=now))
    return global_id("City", made.id)


def lock_the_log(database: Database) -> psycopg.Connection:
    connection = psycopg.connect(owner_url(database.url))
    connection.execute("select * from audit_state for update")
    return connection


async def test_whoever_waits_too_long_for_the_log_is_told_so_and_nothing_was_done(
    database: Database, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wego.core.audit.log.PATIENCE_MS", 200)
    holder = lock_the_log(database)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await hand(REGISTER, **city("late"))
    assert time.monotonic() - began < 5
    holder.rollback()
    holder.close()
    assert (await hand(REGISTER, **city("late")))["problems"] == []


async def test_a_lock_on_anything_else_is_waited_for_no_longer_than_a_few_seconds(
    database: Database, hand: Hand
) -> None:
    place = await member(database)
    with psycopg.connect(owner_url(database.url)) as holder:
        holder.execute("select * from membership for update")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await hand(SUSPEND, OFFICER, city=place, reason="why", reference="EC 1")
        assert 4 < time.monotonic() - began < 10


async def test_the_log_and_the_epoch_are_free_while_a_payload_is_read(
    database: Database, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seen = await member(database), []
    payload = Writer._payload

    async def slow(*arguments: Any) -> bytes:
        with psycopg.connect(owner_url(database.url)) as other:
            other.execute("select * from audit_state for update nowait")
            other.execute("select * from access_epoch for update nowait")
            seen.append(True)
        return await payload(*arguments)

    monkeypatch.setattr(Writer, "_payload", slow)
    assert (await hand(REGISTER, **city("one")))["problems"] == []
    assert (await hand(SUSPEND, OFFICER, city=place, reason="why", reference="EC 1"))["problems"] == []
    assert seen == [True, True]


async def test_a_payload_that_is_read_for_too_long_undoes_the_change(
    database: Database, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "PAYLOAD_SECONDS", 0.1)

    async def endless(connection: Any, *_: Any) -> bytes:
        return bytes(await connection.fetchval("select pg_sleep(30)"))

    with monkeypatch.context() as patched:
        patched.setattr(hand.engine, "payload", endless)
        with pytest.raises((asyncpg.PostgresError, TypeError, TimeoutError)):  # the words of the refusal are read too
            async with asyncio.timeout(2):
                await hand(REGISTER, **city("slow"))
    with psycopg.connect(database.url) as connection:
        assert connection.execute("select count(*) from city").fetchone() == (0,)
    assert (await hand(REGISTER, **city("slow")))["problems"] == []


async def test_who_takes_rights_away_waits_for_one_ordinary_writer_at_most(database: Database) -> None:
    """Ten ordinary writers wait for the log when somebody is suspended; all of them are let go at once."""
    holder = lock_the_log(database)

    async def tell(event: Event) -> None:
        async with database.session() as db:
            await audit.record(db, system("test"), event, Subject.CITY, new_id())

    ordinary = [asyncio.create_task(tell(Event.CITY_UPDATED)) for _ in range(10)]
    await asyncio.sleep(0.5)
    grave = [asyncio.create_task(tell(Event.MEMBER_SUSPENDED)) for _ in range(3)]
    await asyncio.sleep(0.5)
    holder.rollback()
    holder.close()
    await asyncio.gather(*ordinary, *grave)
    with psycopg.connect(database.url) as connection:
        events = [row[0] for row in connection.execute("select event from audit_entry order by index")]
    assert len(events) == 13
    assert [at for at, event in enumerate(events) if event == "member.suspended"] == [1, 2, 3]
    async with database.session() as db:
        assert (await verify(db)).faults == ()


async def test_an_officer_finds_a_place_where_all_ordinary_ones_are_taken(
    database: Database, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await member(database)
    monkeypatch.setattr(places, "PATIENCE", 0.3)
    hand.writer.places = Places(ordinary=2, ahead=1)
    async with hand.writer.places.taken(), hand.writer.places.taken():
        began = time.monotonic()
        answer = await hand(SUSPEND, OFFICER, city=place, reason="why", reference="EC 1")
        assert answer["problems"] == []
        assert time.monotonic() - began < 2
        with pytest.raises(Unavailable):
            await hand(REGISTER, **city("one"))
    assert (await hand(REGISTER, **city("one")))["problems"] == []


async def test_nobody_takes_the_place_of_an_officer_by_asking_for_his_act(hand: Hand) -> None:
    stranger = Actor(
        ActorKind.PROGRAM,
        "x",
        posts=(Post(Role.PROGRAM, organisation(new_id())),),
        scopes=frozenset({"graphql:mutate"}),
    )
    hand.writer.places = Places(ordinary=1, ahead=0)
    place = global_id("City", new_id())
    answer = await hand(SUSPEND, stranger, city=place, reason="why", reference="EC 1")
    assert [problem["code"] for problem in answer["problems"]] != ["UNAVAILABLE"]


async def test_the_line_of_those_who_wait_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST_WAITING", 3)
    line = Places(ordinary=1)
    async with line.taken():

        async def wait() -> None:
            async with line.taken():
                pass

        waiting = [asyncio.create_task(wait()) for _ in range(3)]
        await asyncio.sleep(0)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await wait()
        assert time.monotonic() - began < 0.1
    await asyncio.gather(*waiting)
    async with line.taken():
        pass


async def test_all_who_wait_for_the_disk_wait_together(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes = []
    await database.flush.flushed()
    connection = database.flush._connection
    execute = connection.execute

    async def counted(*arguments: Any) -> Any:
        flushes.append(arguments)
        await asyncio.sleep(0.05)
        return await execute(*arguments)

    monkeypatch.setattr(database.flush, "_connection", type("Slow", (), {
        "execute": staticmethod(counted), "is_closed": staticmethod(lambda: False), "close": connection.close,
    }))  # fmt: skip
    await asyncio.gather(*(database.flush.flushed() for _ in range(20)))
    assert len(flushes) <= 2
    flushes.clear()
    await database.flush.flushed()
    assert len(flushes) == 1


async def test_a_change_is_on_disk_before_it_is_told(database: Database) -> None:
    """What was inserted into the write-ahead log before the answer is flushed when the answer comes. The servers of
    the tests do not wait for the disk by default; this database does."""
    with psycopg.connect(owner_url(database.url), autocommit=True) as connection:
        name = database.url.partition("?")[0].rsplit("/", 1)[1]
        connection.execute(f"alter database {name} set synchronous_commit = on")
        durable = await Database(database.url).open()
        hand = Hand(durable)
        for number in range(5):
            before = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
            assert before is not None
            assert (await hand(REGISTER, **city(f"city-{number}")))["problems"] == []
            flushed = connection.execute("select pg_current_wal_flush_lsn() > %s::pg_lsn", (before[0],)).fetchone()
            assert flushed == (True,)
        await durable.close()


async def test_a_flush_that_fails_is_told_and_the_next_one_connects_anew(database: Database) -> None:
    await database.flush.flushed()
    await database.flush._connection.close()
    await database.flush.flushed()
    database.flush._connection.terminate()
    await asyncio.sleep(0.05)
    await database.flush.flushed()
