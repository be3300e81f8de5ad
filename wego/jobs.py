"""What clears away the tables that only grow, in small transactions, at night and by the clock.

`deploy/README.md` says of every table how fast it grows and who purges it; a test fails when one is missing there.
Used proofs and ended tokens have a job of their own (`federation.purge`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from wego.core.db import Database
from wego.core.jobs import job

BATCH = 2_000
MOST_BATCHES = 500  # of one table in one run; the next run goes on
ANSWERS = timedelta(days=7)  # how long the answer to an Idempotency-Key can be had again
DONE = timedelta(days=1)  # how long a job that was done can be looked at
FAILED = timedelta(days=30)  # likewise one that was given up
INVITED = timedelta(days=30)  # after an invitation has ended; it holds a name and an address
STALLED = timedelta(minutes=5)  # without a sign of the worker that took the job

_ANSWERS = """
delete from idempotent_answer where (key, ordinal) in (
    select key, ordinal from idempotent_answer where at < :before limit :batch for update skip locked)
"""
_JOBS = """
delete from procrastinate_jobs where id in (
    select j.id from procrastinate_jobs j
    where j.status::text = any(:states)
      and not exists (select 1 from procrastinate_events e where e.job_id = j.id and e.at >= :before)
    order by j.id limit :batch for update skip locked)
"""
# A clock's tick is remembered so that no other worker defers the same job again: two days are plenty.
_TICKS = """
delete from procrastinate_periodic_defers where id in (
    select id from procrastinate_periodic_defers
    where defer_timestamp < extract(epoch from cast(:before as timestamptz)) limit :batch for update skip locked)
"""
_INVITATIONS = """
delete from invitation where id in (
    select id from invitation where expires_at < :before and status <> 'accepted'
    limit :batch for update skip locked)
"""
# A job whose worker was killed would stay "doing" for ever.
_STALLED = """
select procrastinate_retry_job_v2(j.id, now(), null, null, null)
from procrastinate_jobs j left join procrastinate_workers w on w.id = j.worker_id
where j.status = 'doing' and (w.id is null or w.last_heartbeat < :before)
limit :batch
"""


async def in_batches(database: Database, sql: str, **values: Any) -> int:
    """Run a statement until it finds less than a batch; how many rows it found."""
    found = 0
    for _ in range(MOST_BATCHES):
        async with database.session() as db:
            done: Any = await db.execute(text(sql), {**values, "batch": BATCH})
            count = done.rowcount
        found += count
        if count < BATCH:
            break
    return found


@job("idempotency.purge", cron="17 * * * *")
async def purge_answers(database: Database, now: str | None = None) -> None:
    """Forget the answers to old repeats."""
    await in_batches(database, _ANSWERS, before=_at(now) - ANSWERS)


@job("jobs.purge", cron="27 * * * *")
async def purge_jobs(database: Database, now: str | None = None) -> None:
    """Forget jobs that are over, with their events, and the clock's old ticks."""
    at = _at(now)
    await in_batches(database, _JOBS, states=["succeeded", "cancelled", "aborted"], before=at - DONE)
    await in_batches(database, _JOBS, states=["failed"], before=at - FAILED)
    await in_batches(database, _TICKS, before=at - 2 * DONE)


@job("jobs.retry_stalled", cron="*/5 * * * *")
async def retry_stalled(database: Database, now: str | None = None) -> None:
    """Give jobs back to the queue whose worker was killed."""
    async with database.session() as db:
        await db.execute(text(_STALLED), {"before": _at(now) - STALLED, "batch": BATCH})


@job("members.purge_invitations", cron="37 4 * * *")
async def purge_invitations(database: Database, now: str | None = None) -> None:
    """Forget invitations that were not accepted: they hold the name and address of somebody who is not here."""
    await in_batches(database, _INVITATIONS, before=_at(now) - INVITED)


def _at(now: str | None) -> datetime:
    return datetime.fromisoformat(now) if now else datetime.now(UTC)
