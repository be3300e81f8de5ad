"""The job worker: the handlers of all packages on one queue, alone (`wego worker`) or beside the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlmodel import col

import federation.jobs  # noqa: F401  # importing a jobs module is what registers its handlers
import members.jobs  # noqa: F401  # likewise
from wego.core import jobs
from wego.core.audit.checkpoints import sign_if_grown
from wego.core.db import Database
from wego.core.models import IdempotentAnswer
from wego.core.settings import Settings

log = logging.getLogger("wego.worker")


KEPT = timedelta(days=7)  # how long the answer to an Idempotency-Key can be had again


def register(settings: Settings) -> None:
    """The hub's own jobs, beside those of the packages."""

    @jobs.job("audit.checkpoint", cron="* * * * *")
    async def checkpoint(database: Database) -> None:
        await sign_if_grown(database, settings)

    @jobs.job("idempotency.purge", cron="17 3 * * *")
    async def purge(database: Database) -> None:
        async with database.session() as db:
            await db.execute(delete(IdempotentAnswer).where(col(IdempotentAnswer.at) < datetime.now(UTC) - KEPT))


async def work(database: Database, settings: Settings, *, concurrency: int = 4) -> None:
    """Work off the queue until cancelled; running jobs get a moment to end."""
    register(settings)
    url = database.url
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    app = jobs.queue(database, url)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=concurrency, install_signal_handlers=False, shutdown_graceful_timeout=2, listen_notify=True
        )


@asynccontextmanager
async def working(database: Database, settings: Settings) -> AsyncIterator[None]:
    """Work off the queue beside something else."""

    async def forever() -> None:
        while True:
            try:
                await work(database, settings)
            except Exception as error:  # the worker must outlive a database that restarts
                log.warning("worker: %s", type(error).__name__)
            await asyncio.sleep(1)

    task = asyncio.create_task(forever())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
