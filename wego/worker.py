"""The job worker: the handlers of all packages on one queue, alone (`wego worker`) or beside the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import members.jobs  # noqa: F401  # importing a jobs module is what registers its handlers
from wego.core import jobs
from wego.core.db import Database

log = logging.getLogger("wego.worker")


async def work(database: Database, url: str, *, concurrency: int = 4) -> None:
    """Work off the queue until cancelled; running jobs get a moment to end."""
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    app = jobs.queue(database, url)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=concurrency, install_signal_handlers=False, shutdown_graceful_timeout=2, listen_notify=True
        )


@asynccontextmanager
async def working(database: Database, url: str) -> AsyncIterator[None]:
    """Work off the queue beside something else."""

    async def forever() -> None:
        while True:
            try:
                await work(database, url)
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
