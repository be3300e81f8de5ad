"""The worker: the jobs of all packages on one queue, and who listens to the log; alone (`wego worker`) or beside the
server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procrastinate.exceptions import ConnectorException
from psycopg import OperationalError

from wego import packages
from wego.core import jobs
from wego.core.audit.checkpoints import sign_if_grown
from wego.core.audit.dispatch import Dispatcher
from wego.core.db import Database
from wego.core.settings import Settings
from wego.core.tasks import ended
from wego.core.traces import traced

list(packages.brought("jobs"))  # loading the modules is what registers their jobs and listeners

log = logging.getLogger("wego.worker")

STOP_SECONDS = 2.5  # for a job that is under way; it is begun again later, by a worker that finds it stalled
CLOSE_SECONDS = 3.5


def register(settings: Settings) -> None:
    """The hub's own jobs, beside those of the packages."""

    @jobs.job("audit.checkpoint", cron="* * * * *")
    async def checkpoint(database: Database) -> None:
        await sign_if_grown(database, settings)


async def work(database: Database, settings: Settings, *, concurrency: int = 4) -> None:
    """Work off the queue, and deliver what is appended to the log, until cancelled; running jobs get a moment to
    end."""
    register(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(Dispatcher(database).run(), name="dispatch of the log")
        group.create_task(_work_off(database, concurrency), name="queue")


async def _work_off(database: Database, concurrency: int) -> None:
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    while True:
        try:
            app = jobs.queue(database, database.url)
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=concurrency, install_signal_handlers=False, shutdown_graceful_timeout=STOP_SECONDS,
                    listen_notify=True,
                )  # fmt: skip
        except (OperationalError, ConnectorException, OSError) as error:  # a database that restarts is outlived
            log.warning("worker: %s", type(error).__name__)
        except Exception as error:  # and so is what we did wrong
            log.error("worker: %s", traced(error))
        await asyncio.sleep(1)


@asynccontextmanager
async def working(database: Database, settings: Settings) -> AsyncIterator[None]:
    """Work beside something else."""
    task = asyncio.create_task(work(database, settings), name="the worker")
    try:
        yield
    finally:
        await ended(task, CLOSE_SECONDS)
