"""The log is the outbox: whoever listens hears of every entry, in order, at least once, whatever is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from wego.core import audit
from wego.core.access import system
from wego.core.audit import Event, Subject, cursors, dispatch, listeners
from wego.core.audit.dispatch import Dispatcher
from wego.core.audit.listeners import Entry, Listener
from wego.core.db import Database
from wego.core.ids import new_id

from ..conftest import owner_url

ACTOR = system("test")
KEYS = frozenset({Event.KEY_ROTATED})


class Ear:
    """A listener of a test, which keeps what it heard."""

    def __init__(self, name: str, *events: Event, fails: int = 0, past: bool = False, seconds: float = 60) -> None:
        self.heard: list[int] = []
        self.failed: list[int] = []
        self.fails, self.hangs = fails, False
        self.listener = Listener(name, frozenset(events or KEYS), self.hear, seconds, past)

    async def hear(self, database: Database, entry: Entry) -> None:
        if self.hangs:
            await asyncio.sleep(3600)
        if self.fails:
            self.fails -= 1
            self.failed.append(entry.index)
            raise RuntimeError("a test")
        self.heard.append(entry.index)


async def tell(database: Database, number: int = 1, event: Event = Event.KEY_ROTATED) -> None:
    for _ in range(number):
        async with database.session() as db:
            await audit.record(db, ACTOR, event, Subject.TOKEN_KEY, new_id())


@asynccontextmanager
async def dispatching(database: Database, *ears: Ear) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(Dispatcher(database, [ear.listener for ear in ears]).run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(true: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def sql(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def position(database: Database, name: str) -> int:
    rows = sql(database.url, "select position from audit_listener where name = %s", name)
    return int(rows[0][0]) if rows else -1


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(dispatch, "TAKE_SECONDS", 0.05)
    monkeypatch.setattr(dispatch, "SAVE_SECONDS", 0.1)


async def test_who_listens_hears_of_each_entry_once_and_in_order(database: Database):
    ear, other = Ear("test.ear"), Ear("test.other", Event.CITY_UPDATED)
    async with dispatching(database, ear, other):
        await tell(database, 30)
        await tell(database, 1, Event.CITY_UPDATED)
        await until(lambda: len(ear.heard) == 30 and other.heard)
    assert ear.heard == list(range(30))
    assert other.heard == [30]


async def test_what_was_written_while_no_worker_ran_is_heard_later(database: Database):
    """A suspension at the command line, where no worker is imported, wakes whoever listens all the same."""
    ear = Ear("test.ear")
    await tell(database, 2)
    async with dispatching(database, ear):
        await until(lambda: ear.heard == [0, 1])
    await tell(database, 2)
    async with dispatching(database, ear):
        await until(lambda: ear.heard == [0, 1, 2, 3])


async def test_a_listener_that_is_new_begins_where_the_workers_were_or_with_the_first_entry(database: Database):
    async with dispatching(database, Ear("test.old", Event.CITY_UPDATED)):
        await tell(database, 5)
        await until(lambda: position(database, "") == 5)
    await tell(database, 1)
    new, whole = Ear("test.new"), Ear("test.whole", past=True)
    async with dispatching(database, new, whole):
        await until(lambda: new.heard == [5] and whole.heard == [0, 1, 2, 3, 4, 5])


async def test_who_always_fails_holds_up_nobody_and_is_tried_again(database: Database):
    ear, broken = Ear("test.ear"), Ear("test.broken", fails=1_000_000)
    async with dispatching(database, broken, ear):
        await tell(database, 20)
        await until(lambda: len(ear.heard) == 20 and len(broken.failed) >= 4)
    assert set(broken.failed) == {0}
    rows = sql(database.url, "select position, attempts >= 4, error, failing_since is not null, retry_at is not null "
               "from audit_listener where name = 'test.broken'")  # fmt: skip
    assert rows == [(0, True, "RuntimeError", True, True)]


async def test_who_hangs_is_ended_and_holds_up_nobody(database: Database):
    ear, slow = Ear("test.ear"), Ear("test.slow", seconds=0.05)
    slow.hangs = True
    async with dispatching(database, slow, ear):
        await tell(database, 3)
        await until(lambda: len(ear.heard) == 3)
        await until(lambda: sql(database.url, "select attempts > 1 from audit_listener where name = 'test.slow'")[0][0])
        slow.hangs = False
        await until(lambda: slow.heard == [0, 1, 2])


async def test_who_failed_goes_on_where_it_failed_and_nothing_is_left_of_it(database: Database):
    ear = Ear("test.ear", fails=3)
    async with dispatching(database, ear):
        await tell(database, 3)
        await until(lambda: ear.heard == [0, 1, 2])
    assert ear.failed == [0, 0, 0]
    rows = sql(database.url, "select attempts, error, failing_since, retry_at from audit_listener where position = 3")
    assert (0, "", None, None) in rows


async def test_an_operator_can_move_on_past_an_entry(database: Database):
    ear = Ear("test.ear", fails=1_000_000)
    async with dispatching(database, ear):
        await tell(database, 2)
        await until(lambda: len(ear.failed) >= 2)
        async with database.session() as db:
            assert await cursors.skip(db, ACTOR, "test.ear") == 0
        await until(lambda: 1 in ear.failed)
        ear.fails = 0
        await until(lambda: ear.heard == [1])
    told = sql(database.url, "select facts from audit_entry where event = 'listener.skipped'")
    assert told == [({"listener": "test.ear", "entry": 0},)]
    async with database.session() as db:
        assert await cursors.skip(db, ACTOR, "test.ear") is None, "it does not fail any more"


async def test_of_two_workers_one_delivers_and_the_other_takes_over(database: Database):
    first, second = Ear("test.ear"), Ear("test.ear")
    async with dispatching(database, first):
        await tell(database, 5)
        await until(lambda: len(first.heard) == 5)
        async with dispatching(database, second) as _:
            await tell(database, 5)
            await until(lambda: len(first.heard) == 10)
            assert second.heard == []
            sql(owner_url(database.url), "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'wego dispatch' and pid = (select pid from pg_locks where locktype = "
                "'advisory' and classid = 721904 limit 1) and datname = current_database()")  # fmt: skip
            await tell(database, 20)
            await until(lambda: len({*first.heard, *second.heard}) == 30)
    heard = first.heard + second.heard
    assert sorted(heard) == list(range(30)), "no entry twice, where nobody was cut off while he delivered"


async def test_a_database_that_comes_back_is_followed_again(database: Database):
    ear = Ear("test.ear")
    async with dispatching(database, ear):
        await tell(database, 3)
        await until(lambda: len(ear.heard) == 3)
        sql(owner_url(database.url), "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and application_name = 'wego dispatch'")  # fmt: skip
        await tell(database, 3)
        await until(lambda: len(set(ear.heard)) == 6)


async def test_nothing_is_delivered_that_is_not_on_disk_yet(database: Database, monkeypatch: pytest.MonkeyPatch):
    ear, asked = Ear("test.ear"), asyncio.Event()
    may = asyncio.Event()

    async def slow_disk() -> None:
        asked.set()
        await may.wait()

    async with dispatching(database, ear):
        await until(lambda: position(database, "test.ear") == 0)
        monkeypatch.setattr(database.flush, "flushed", slow_disk)
        async with database.unit() as db:
            await audit.record(db, ACTOR, Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id())
        await asked.wait()
        await asyncio.sleep(0.05)
        assert ear.heard == []
        may.set()
        await until(lambda: ear.heard == [0])


async def test_the_order_of_the_log_is_the_order_in_which_it_becomes_visible(database: Database):
    """Forty writers at once: who reads up to the size has every entry below it, at every moment."""
    seen: list[tuple[int, int]] = []
    over = False

    async def watch() -> None:
        while not over:
            row = await database.reads.fetchrow("select size, (select count(*) from audit_entry) from audit_state")
            seen.append((row[0], row[1]))

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(tell(database, 5) for _ in range(40)))
    over = True
    await watching
    assert len(seen) > 5
    assert [size for size, count in seen if size != count] == []


# ── processes that are killed ─────────────────────────────────────────────────────────────────────────────────────

WORKER = """
    import asyncio, sys
    from sqlalchemy import text
    from wego.core.audit import Event
    from wego.core.audit.dispatch import Dispatcher
    from wego.core.audit.listeners import on, LISTENERS
    from wego.core.db import Database

    url, moment = sys.argv[1:]

    def hang(here):
        if here == moment:
            print("here", flush=True)
            return asyncio.sleep(3600)
        return asyncio.sleep(0)

    @on(Event.KEY_ROTATED, name="test.effect")
    async def effect(database, entry):
        await hang("before")
        async with database.session() as db:
            await db.execute(text("insert into effect (entry) values (:entry) on conflict do nothing"),
                {"entry": entry.index})
            await db.execute(text("insert into call (entry) values (:entry)"), {"entry": entry.index})
            await db.flush()
            await hang("within")
        await hang("after")
        print(entry.index, flush=True)

    async def main():
        database = await Database(url).open()
        await Dispatcher(database, LISTENERS.values()).run()

    asyncio.run(main())
"""


@pytest.fixture
def effects(database: Database) -> str:
    sql(owner_url(database.url), "create table effect (entry bigint primary key); create table call (entry bigint); "
        "grant all on effect, call to wego_hub")  # fmt: skip
    return database.url


def worker(url: str, moment: str = "") -> subprocess.Popen[str]:
    code = textwrap.dedent(WORKER)
    return subprocess.Popen([sys.executable, "-c", code, url, moment], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("moment", "calls"), [("before", 1), ("within", 1), ("after", 2)])
async def test_a_worker_that_is_killed_loses_nothing_and_what_it_did_is_done_again(
    database: Database, effects: str, moment: str, calls: int
):
    await tell(database, 3)  # no worker runs yet: killed between entry and dispatch
    killed = worker(effects, moment)
    assert killed.stdout
    assert await asyncio.to_thread(killed.stdout.readline) == "here\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    other = worker(effects)
    try:
        assert other.stdout
        told = [await asyncio.to_thread(other.stdout.readline) for _ in range(3)]
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert told == ["0\n", "1\n", "2\n"]
    assert sql(effects, "select entry from effect order by 1") == [(0,), (1,), (2,)]
    assert sql(effects, "select count(*) from call where entry = 0") == [(calls,)]


async def test_two_processes_share_the_work_and_one_is_killed_in_the_middle(database: Database, effects: str):
    both = [worker(effects), worker(effects)]
    try:
        for number in range(60):
            await tell(database)
            if number == 20:
                os.kill(both[0].pid, signal.SIGKILL)
            if number == 40:
                both.append(worker(effects))
        await until(lambda: sql(effects, "select count(*) from effect") == [(60,)])
    finally:
        for process in both:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()


def test_a_listener_says_what_it_waits_for_and_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listeners, "LISTENERS", {})

    async def hear(database: Database, entry: Entry) -> None: ...

    async def other(database: Database, entry: Entry) -> None: ...

    listeners.on(Event.KEY_ROTATED, name="test.twice")(hear)
    with pytest.raises(ValueError, match="two listeners"):
        listeners.on(Event.KEY_ROTATED, name="test.twice")(other)
    with pytest.raises(ValueError, match="a name"):
        listeners.on(name="test.none")
