"""Whether the hub can do its work: named checks for `/health/ready`, and the same figures for `/metrics`.

A stranger is told which check fails and nothing else. However often it is asked, there is one look at a time, in one
statement, and five a second at most while all is well; an answer comes within two seconds, whatever is away, slow or
full. What each check means:

| check | fails when |
|---|---|
| database | it does not answer within a second and a half, or takes no writes (read-only, a standby) |
| disk | less than WEGO_MIN_FREE_MB is free in WEGO_HOME, or a small file cannot be written there |
| keys | there is no key to sign tokens with |
| log | entries wait for their signed checkpoint for over five minutes, or its key or file is missing or damaged |
| queue | a job has been due for more than ten minutes, so no worker works (told, but no reason to get no requests) |
| listeners | somebody who listens to the log has failed at an entry for more than ten minutes (likewise) |
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric

from wego.api.hub import Hub
from wego.core.audit.checkpoints import LATE, files_problem
from wego.core.db import is_away
from wego.core.errors import Unavailable

FRESH = 0.2  # seconds for which a good answer is good; a bad one is looked at again
ANSWERED = 1.5  # seconds
OVERDUE = 600.0
GRAVE = ("database", "disk", "keys", "log")

# A transaction number is only given to somebody who may write: so this is a write, as far as nobody sees it.
_ASK = """
select current_setting('transaction_read_only') = 'on' as read_only,
       pg_current_xact_id()::text as written,
       s.size as log_size,
       coalesce(c.size, 0) as signed,
       s.size - coalesce(c.size, 0) as unsigned,
       coalesce(extract(epoch from now() - s.unsigned_since), 0)::float8 as unsigned_seconds,
       q.due, q.oldest, q.failed, l.failing, l.failing_seconds
from audit_state s
left join lateral (select max(size) as size from audit_checkpoint) c on true
cross join lateral (
    select count(*) filter (where j.status = 'todo') as due,
           count(*) filter (where j.status = 'failed') as failed,
           coalesce(max(extract(epoch from now() - coalesce(j.scheduled_at, d.at)))
                    filter (where j.status = 'todo'), 0)::float8 as oldest
    from procrastinate_jobs j
    left join lateral (select min(e.at) as at from procrastinate_events e
                       where e.job_id = j.id and e.type in ('deferred', 'deferred_for_retry')) d on true
    where j.status in ('todo', 'failed') and coalesce(j.scheduled_at, now()) <= now()
) q
cross join lateral (
    select count(failing_since) as failing,
           coalesce(extract(epoch from now() - min(failing_since)), 0)::float8 as failing_seconds
    from audit_listener
) l
"""


@dataclass(frozen=True)
class Disk:
    """Free bytes, -1 where nothing can be written; and what is wrong with the files of the checkpoints."""

    free: float
    problem: str | None


@dataclass(frozen=True)
class State:
    """What was found at one moment."""

    checks: dict[str, bool]
    figures: dict[str, float]

    @property
    def ready(self) -> bool:
        return all(self.checks[name] for name in GRAVE)

    @property
    def status(self) -> str:
        if not self.ready:
            return "failing"
        return "ok" if all(self.checks.values()) else "degraded"

    def told(self) -> dict[str, Any]:
        """For strangers."""
        checks = [{"name": name, "status": "ok" if good else "failing"} for name, good in self.checks.items()]
        return {"status": self.status, "checks": checks}


class Readiness:
    """Looks at a hub, never twice at once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.opened = time.monotonic()
        self._state: State | None = None
        self._until = 0.0
        self._looking: asyncio.Task[State] | None = None
        self._disk: asyncio.Task[Disk] | None = None
        self._signed = 0  # entries that are signed, by the last look

    async def state(self) -> State:
        """How things are, or were a moment ago."""
        if self._state is not None and time.monotonic() < self._until:
            return self._state
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="readiness")
        return await asyncio.shield(self._looking)

    async def _look(self) -> State:
        row, disk = await asyncio.gather(self._ask(), self._look_at_disk())
        hub, floor = self._hub, self._hub.settings.min_free_mb * 2**20
        # What waited while nothing ran is late by no more than the time since the start.
        up = time.monotonic() - self.opened
        checks = {
            "database": row is not None and not row["read_only"],
            "disk": disk.free >= floor,
            "keys": _can_sign(hub),
            # What is not known is not failing: the database does.
            "log": not disk.problem and (row is None or min(row["unsigned_seconds"], up) < LATE.total_seconds()),
            "queue": row is None or min(row["oldest"], up) < OVERDUE,
            "listeners": row is None or min(row["failing_seconds"], up) < OVERDUE,
        }
        figures = {"disk_free_bytes": max(disk.free, 0.0), "database_away": float(row is None)}
        if row is not None:
            self._signed = row["signed"]
            figures |= {
                "log_entries": row["log_size"], "log_unsigned_entries": row["unsigned"],
                "log_unsigned_seconds": row["unsigned_seconds"], "jobs_due": row["due"],
                "jobs_oldest_seconds": row["oldest"], "jobs_failed": row["failed"],
                "listeners_failing": row["failing"], "listeners_failing_seconds": row["failing_seconds"],
            }  # fmt: skip
        state = self._state = State(checks, figures)
        self._until = time.monotonic() + (FRESH if state.ready else 0.0)
        return state

    async def _ask(self) -> Any:
        try:
            async with asyncio.timeout(ANSWERED):
                return await self._hub.database.reads.fetchrow(_ASK)
        except Exception as error:
            if is_away(error) or isinstance(error, Unavailable):
                return None
            raise

    async def _look_at_disk(self) -> Disk:
        """A disk that hangs keeps one thread, not one a question."""
        if self._disk is None or self._disk.done():
            look = asyncio.to_thread(_disk, self._hub.settings.home, self._signed)
            self._disk = asyncio.create_task(look, name="look at the disk")
        await asyncio.wait({self._disk}, timeout=ANSWERED)
        if not self._disk.done() or self._disk.exception() is not None:
            return Disk(-1.0, None)
        return self._disk.result()


def _can_sign(hub: Hub) -> bool:
    try:
        return hub.keys.signing().private is not None
    except LookupError:
        return False


def _disk(home: Path, signed: int) -> Disk:
    free = _free(home)
    return Disk(free, files_problem(home, signed) if free >= 0 else None)


def _free(home: Path) -> float:
    """What is free, as far as it can be written: a quota or a read-only mount is seen by writing only."""
    probe = home / f".probe-{os.getpid()}"
    try:
        handle = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.write(handle, b"x" * 4096)
            os.fsync(handle)
        finally:
            os.close(handle)
        return float(shutil.disk_usage(home).free)
    except OSError:
        return -1.0
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


WORDS = {
    "disk_free_bytes": "Free bytes in WEGO_HOME.",
    "database_away": "1 while the database does not answer.",
    "log_entries": "Entries of the log.",
    "log_unsigned_entries": "Entries that no checkpoint covers.",
    "log_unsigned_seconds": "How long the oldest of them has waited.",
    "jobs_due": "Jobs that wait for a worker.",
    "jobs_oldest_seconds": "How long the oldest of them has been due.",
    "jobs_failed": "Jobs that were given up.",
    "listeners_failing": "Listeners of the log that are tried again at an entry at which they failed.",
    "listeners_failing_seconds": "How long the first of them has failed.",
}


def families(state: State) -> list[Metric]:
    """The same for `/metrics`."""
    found: list[Metric] = [
        GaugeMetricFamily(f"wego_{name}", WORDS[name], value=value) for name, value in state.figures.items()
    ]
    checks = GaugeMetricFamily("wego_check", "1: the check of /health/ready is good.", labels=["name"])
    for name, good in state.checks.items():
        checks.add_metric([name], float(good))
    return [*found, checks]
