"""Tables that only grow are cleared by jobs; what is still needed stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from wego import jobs as purges
from wego.core.db import Database

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def sql(database: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def job(database: Database, status: str, age: timedelta, worker: int | None = None) -> int:
    """A job that came into its state so long ago."""
    [(key,)] = sql(
        database, "insert into procrastinate_jobs (queue_name, task_name, status, worker_id) "
        "values ('q', 't', %s, %s) returning id",
        status, worker,
    )  # fmt: skip
    sql(database, "update procrastinate_events set at = %s where job_id = %s", NOW - age, key)
    sql(database, "insert into procrastinate_events (job_id, type, at) values (%s, 'started', %s)", key, NOW - age)
    return key


def jobs(database: Database) -> set[int]:
    return {key for (key,) in sql(database, "select id from procrastinate_jobs")}


async def test_jobs_that_are_over_go_and_their_events_with_them(database: Database):
    day = timedelta(days=1)
    job(database, "succeeded", 2 * day)
    job(database, "cancelled", 2 * day)
    job(database, "failed", 31 * day)
    kept = {
        job(database, "succeeded", day / 2), job(database, "failed", 2 * day), job(database, "todo", 400 * day),
        job(database, "doing", 400 * day),
    }  # fmt: skip
    await purges.purge_jobs(database, NOW.isoformat())
    assert jobs(database) == kept
    assert {key for (key,) in sql(database, "select distinct job_id from procrastinate_events")} == kept


async def test_ticks_of_the_clock_go_and_the_newest_stay(database: Database):
    for hours in (1, 10, 47, 49, 500):
        at = int((NOW - timedelta(hours=hours)).timestamp())
        sql(database, "insert into procrastinate_periodic_defers (task_name, defer_timestamp) values ('t', %s)", at)
    await purges.purge_jobs(database, NOW.isoformat())
    assert sql(database, "select count(*) from procrastinate_periodic_defers") == [(3,)]


async def test_many_are_purged_in_small_transactions(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(purges, "BATCH", 7)
    sql(
        database, "insert into idempotent_answer (key, ordinal, body, client, kept, at) "
        "select int4send(n), 0, 'x', 'y', false, %s - make_interval(days => n) from generate_series(0, 49) n", NOW,
    )  # fmt: skip
    await purges.purge_answers(database, NOW.isoformat())
    assert sql(database, "select count(*) from idempotent_answer") == [(8,)]


async def test_one_run_ends_and_the_next_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(purges, "BATCH", 2)
    monkeypatch.setattr(purges, "MOST_BATCHES", 3)
    sql(
        database, "insert into idempotent_answer (key, ordinal, body, client, kept, at) "
        "select int4send(n), 0, 'x', 'y', false, '2020-01-01' from generate_series(1, 10) n",
    )  # fmt: skip
    for left in (4, 0):
        await purges.purge_answers(database, NOW.isoformat())
        assert sql(database, "select count(*) from idempotent_answer") == [(left,)]


async def test_invitations_that_nobody_accepted_go(database: Database):
    rows = [("open", 40), ("cancelled", 40), ("accepted", 40), ("open", 20)]
    for number, (status, days) in enumerate(rows):
        sql(
            database, "insert into invitation "
            "(id, email, name, role, locale, secret_hash, status, invited_by, expires_at) "
            "values (gen_random_uuid(), %s, 'n', 'editor', 'en', %s, %s, 'x', %s)",
            f"{number}@test.example", bytes([number]), status, NOW - timedelta(days=days),
        )  # fmt: skip
    await purges.purge_invitations(database, NOW.isoformat())
    left = {email for (email,) in sql(database, "select email from invitation")}
    assert left == {"2@test.example", "3@test.example"}


async def test_a_job_whose_worker_was_killed_is_done_again(database: Database):
    [(dead,)] = sql(
        database,
        "insert into procrastinate_workers (last_heartbeat) values (%s) returning id",
        NOW - timedelta(hours=1),
    )
    [(alive,)] = sql(database, "insert into procrastinate_workers (last_heartbeat) values (%s) returning id", NOW)
    lost, orphan, held = (job(database, "doing", timedelta(hours=1), worker) for worker in (dead, None, alive))
    await purges.retry_stalled(database, NOW.isoformat())
    found = dict(sql(database, "select id, status::text from procrastinate_jobs"))
    assert found == {lost: "todo", orphan: "todo", held: "doing"}


def test_each_purge_is_run_by_the_clock():
    from wego.core.jobs import SCHEDULES

    assert {"idempotency.purge", "jobs.purge", "jobs.retry_stalled", "members.purge_invitations"} <= SCHEDULES.keys()
