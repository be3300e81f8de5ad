"""The queue: a job exists exactly when the write that asked for it does; a real worker runs it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from wego.core import audit, jobs
from wego.core.access import system
from wego.core.audit import Event, Subject, listeners
from wego.core.audit.listeners import Entry
from wego.core.db import Database
from wego.core.ids import new_id
from wego.core.settings import Settings
from wego.worker import work

ROOT = Path(__file__).parents[2]
PACKAGES = ("members", "practices", "federation", "i18n", "wego/worker.py", "wego/jobs.py")


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Handlers of this test, which tell what they got; taken away again."""
    told: list[tuple[str, dict[str, Any]]] = []
    handlers, listening = dict(jobs.HANDLERS), dict(listeners.LISTENERS)
    schedules = dict(jobs.SCHEDULES)
    jobs.SCHEDULES.clear()

    @jobs.job("test.hear")
    async def hear(database: Database, **given: Any) -> None:
        told.append(("hear", given))

    @jobs.on(Event.KEY_ROTATED, name="test.listen")
    async def listen(database: Database, entry: Entry) -> None:
        told.append(("listen", {"subject_id": entry.subject_id}))

    @jobs.job("test.fail")
    async def fail(database: Database, **given: Any) -> None:
        told.append(("fail", given))
        raise RuntimeError("a test")

    yield told
    jobs.HANDLERS.clear()
    jobs.HANDLERS.update(handlers)
    listeners.LISTENERS.clear()
    listeners.LISTENERS.update(listening)
    jobs.SCHEDULES.clear()
    jobs.SCHEDULES.update(schedules)


@asynccontextmanager
async def working(database: Database) -> AsyncIterator[None]:
    task = asyncio.create_task(work(database, Settings(home=Path("/nonexistent"))))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(true: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def queued(database: Database, status: str = "todo") -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "select count(*) from procrastinate_jobs where task_name like 'test.%%' and status::text = %s", (status,)
        ).fetchone()
    assert row
    return int(row[0])


async def test_a_write_that_is_rolled_back_leaves_no_job(database: Database, heard: list[Any]):
    async def fail() -> None:
        async with database.session() as db:
            await jobs.enqueue(db, "test.hear", word="never")
            raise RuntimeError("after the job")

    with pytest.raises(RuntimeError):
        await fail()
    assert queued(database) == 0


async def test_a_job_is_not_seen_before_its_write_is(database: Database, heard: list[Any]):
    async with database.session() as db:
        await jobs.enqueue(db, "test.hear", word="now")
        await db.flush()
        assert queued(database) == 0
    assert queued(database) == 1


async def test_a_worker_runs_what_was_written(database: Database, heard: list[Any]):
    async with database.session() as db:
        await jobs.enqueue(db, "test.hear", word="before", text="서울 \u200f {x} ' \"")
    async with working(database):
        await until(lambda: len(heard) == 1)
        async with database.session() as db:
            await jobs.enqueue(db, "test.hear", word="while it waits")
        await until(lambda: len(heard) == 2)
        await until(lambda: queued(database, "succeeded") == 2)
    assert heard[0] == ("hear", {"word": "before", "text": "서울 \u200f {x} ' \""})
    assert queued(database) == 0


async def test_the_worker_delivers_the_log_to_who_listens(database: Database, heard: list[Any]):
    key = new_id()
    async with database.session() as db:
        await audit.record(db, system("test"), Event.KEY_ROTATED, Subject.TOKEN_KEY, key)
        await audit.record(db, system("test"), Event.CITY_REGISTERED, Subject.TOKEN_KEY, new_id())
    async with working(database):
        await until(lambda: len(heard) == 1)
    assert heard == [("listen", {"subject_id": key})]


async def test_a_job_that_fails_is_tried_again_and_does_not_stop_the_others(database: Database, heard: list[Any]):
    async with database.session() as db:
        await jobs.enqueue(db, "test.fail", number=1)
        await jobs.enqueue(db, "test.hear", number=2)
    async with working(database):
        await until(
            lambda: len([each for each in heard if each[0] == "fail"]) >= 2 and ("hear", {"number": 2}) in heard
        )


def test_the_worker_knows_every_handler_and_every_schedule(database: Database):
    code = (
        "import wego.worker; from pathlib import Path\n"
        "from wego.core import jobs; from wego.core.settings import Settings\n"
        "wego.worker.register(Settings(home=Path('x')))\n"
        "from wego.core.audit.listeners import LISTENERS\n"
        "print(sorted(jobs.HANDLERS), sorted(jobs.SCHEDULES), sorted(LISTENERS))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    written = subprocess.run(
        ["grep", "-rhoE", r"@(jobs\.)?(job|on)\([^)]*", *PACKAGES], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.splitlines()
    assert len(written) >= 4
    for line in written:
        name = line.rsplit('"', 2)[1] if line.count('"') == 2 else line.split('"')[1]
        assert f"'{name}'" in told, f"the worker does not know {name}"
