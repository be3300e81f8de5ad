"""Serving: uvicorn with the application of the environment's settings, in one process or several."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from wego.core import postgres
from wego.core.memory import collect_rarely
from wego.core.settings import PORT_FILE, Settings, from_environment

log = logging.getLogger("wego.serve")
WATCH_SECONDS = 1.0


def attach(settings: Settings) -> postgres.Attachment | None:
    """The hold on the embedded database; None when the settings name another one."""
    if settings.database_url:
        return None
    return postgres.attach(settings.home, binaries=Path(settings.pg_bin) if settings.pg_bin else None)


def factory() -> Any:
    """The application of one server process. The first process to come works off the jobs: the others ask the
    same queue in vain, so only one needs to."""
    collect_rarely()  # before most is imported
    from wego.app import create_app
    from wego.setup import addresses, prepare

    settings = from_environment()
    held = attach(settings)
    at = addresses(settings, held)
    prepare(at.owner, at.hub)
    app = create_app(settings, at.hub, jobs=settings.jobs and _is_first(settings.home))
    if held is not None:
        app.router.lifespan_context = _watched(app.router.lifespan_context, held)
    return app


def _is_first(home: Path) -> bool:
    """Whether this process is the first of those that serve this home: it holds a lock for as long as it lives."""
    import fcntl

    handle = os.open(home / "worker.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return False
    return True


def _watched(lifespan: Any, held: postgres.Attachment) -> Any:
    """A lifespan that brings the embedded server back when its keeper was killed, and lets go of it at the end."""

    @asynccontextmanager
    async def around(app: Any) -> AsyncIterator[Any]:
        async def watch() -> None:
            while True:
                await asyncio.sleep(WATCH_SECONDS)
                try:
                    await asyncio.to_thread(held.ensure)
                except postgres.PostgresError as error:
                    log.error("the embedded PostgreSQL does not come back: %s", error.message)

        task = asyncio.create_task(watch())
        try:
            async with lifespan(app) as state:
                yield state
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            held.close()

    return around


def serve(settings: Settings) -> None:
    """Serve until told to stop (SIGINT, SIGTERM)."""
    export(settings)
    options: dict[str, Any] = {
        "host": settings.host, "port": settings.port, "log_level": "warning", "access_log": False,
        "server_header": False, "date_header": True, "timeout_keep_alive": 30, "timeout_graceful_shutdown": 5,
        "factory": True,
    }  # fmt: skip
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / PORT_FILE).write_text(str(settings.port))
    uvicorn.run("wego.serve:factory", workers=settings.workers if settings.workers > 1 else None, **options)


def export(settings: Settings) -> None:
    """Hand the settings to server processes, which read the environment."""
    resolved = replace(settings, home=settings.home.absolute())
    for name in Settings.__dataclass_fields__:
        value = getattr(resolved, name)
        os.environ[f"WEGO_{name.upper()}"] = str(int(value)) if isinstance(value, bool) else str(value)
