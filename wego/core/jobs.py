"""What happens later or at night: a queue in the same database (procrastinate), filled in the same transaction.

`enqueue` calls the queue's own SQL function on the session of the write, so a job exists exactly when its write
does. Handlers live in each package's `jobs.py`; they are plain coroutines `(database, **arguments)`. Who wants to hear
of what happened asks for no job: he listens to the log (`on`), and his handler is `(database, entry)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from sqlalchemy import text

from wego.core.audit.listeners import on
from wego.core.db import Database, Session

__all__ = ["HANDLERS", "SCHEDULES", "enqueue", "job", "on", "queue"]

Handler = Callable[..., Awaitable[None]]

HANDLERS: dict[str, Handler] = {}
SCHEDULES: dict[str, str] = {}

_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', :task, 0, NULL, NULL, CAST(:args AS jsonb), NULL)"
    "::procrastinate_job_to_defer_v1])"
)


def job(name: str, *, cron: str | None = None) -> Callable[[Handler], Handler]:
    """Name a handler; `cron` (five fields, UTC) also runs it by the clock."""

    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        if cron:
            SCHEDULES[name] = cron
        return handler

    return register


async def enqueue(db: Session, task: str, **arguments: Any) -> None:
    """Put a job into the queue within the running transaction; a rolled back transaction leaves no job."""
    await db.execute(_DEFER, {"task": task, "args": orjson.dumps(arguments).decode()})


def queue(database: Database, url: str) -> Any:
    """The worker's application: every handler as a task that gets the database as its first argument."""
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    for name, handler in HANDLERS.items():
        _add_task(app, database, name, handler)
    return app


def _add_task(app: Any, database: Database, name: str, handler: Handler) -> None:
    async def run(timestamp: int | None = None, **arguments: Any) -> None:
        await handler(database, **arguments)

    task = app.task(name=name, retry=5)(run)
    if name in SCHEDULES:
        app.periodic(cron=SCHEDULES[name])(task)
