"""What happens later or at night: a queue in the same database (procrastinate), filled in the same transaction.

`enqueue` calls the queue's own SQL function on the session of the write, so a job exists exactly when its write
does. Handlers live in each package's `jobs.py`; they are plain coroutines `(database, **arguments)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from sqlalchemy import text

from wego.core.audit import Event
from wego.core.db import Database, Session

Handler = Callable[..., Awaitable[None]]

HANDLERS: dict[str, Handler] = {}
LISTENERS: dict[Event, list[str]] = {}
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


def on(event: Event, name: str) -> Callable[[Handler], Handler]:
    """Run the handler after each event of this kind, with `subject_id`. For packages above the one that tells it."""

    def register(handler: Handler) -> Handler:
        LISTENERS.setdefault(event, []).append(name)
        return job(name)(handler)

    return register


async def enqueue(db: Session, task: str, **arguments: Any) -> None:
    """Put a job into the queue within the running transaction; a rolled back transaction leaves no job."""
    await db.execute(_DEFER, {"task": task, "args": orjson.dumps(arguments).decode()})


async def tell(db: Session, event: Event, **arguments: Any) -> None:
    """Wake those who listen to an event, after the commit."""
    for name in LISTENERS.get(event, ()):
        await enqueue(db, name, **arguments)


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
