"""Serving: the port first, then the database, then one server process or several with the application on both.

In this order, because what is wrong shall be said in one sentence before anything is started or promised: a port in
use, a database that is away. "The hub runs at" is said when it listens.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from wego import postgres
from wego.client_address import networks
from wego.core.memory import collect_rarely
from wego.core.settings import PORT_FILE, Settings, from_environment
from wego.core.tasks import ended
from wego.serving.guests import MIB, Bounds, Guests

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger("wego.serve")
WATCH_SECONDS = 1.0


class Unservable(Exception):
    """Why the hub cannot start; the hint says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


# ── what a start needs ────────────────────────────────────────────────────────────────────────────────────────────


def bind(settings: Settings) -> list[socket.socket]:
    """The sockets of the address and port, bound and not yet listening; whoever asks meanwhile is told that nobody is
    there."""
    wanted = socket.getaddrinfo(settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(wanted):
            made.append(_bound(socket.socket(family, kind, protocol), address))
    except OSError as error:
        for each in made:
            each.close()
        where = f"{settings.host or '*'}:{settings.port}"
        if error.errno == errno.EADDRINUSE:
            raise Unservable(
                f"Port {settings.port} is in use: something listens at {where} already.",
                "Stop it, or choose another port: PORT=8001 (or WEGO_PORT).",
            ) from None
        raise Unservable(f"Cannot listen at {where}: {error.strerror}.", "Check WEGO_HOST and WEGO_PORT.") from None
    return made


def _bound(made: socket.socket, address: Any) -> socket.socket:
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.set_inheritable(True)
    except OSError:
        made.close()
        raise
    return made


def bounds_of(settings: Settings) -> Bounds:
    """What strangers may hold, by the settings."""
    try:
        trusted = networks(settings.trusted_proxies)
    except ValueError as error:
        raise Unservable(f"WEGO_TRUSTED_PROXIES: {error}.") from None
    return Bounds(
        connections=settings.max_connections, of_one_address=settings.max_connections_per_address, trusted=trusted,
        body_bytes=settings.max_body_kb * 1024, bodies_bytes=max(64 * MIB, 2 * settings.max_body_kb * 1024),
    )  # fmt: skip


def attach(settings: Settings) -> postgres.Attachment | None:
    """The hold on the embedded database; None when the settings name another one."""
    if settings.database_url:
        return None
    return postgres.attach(settings.home, binaries=Path(settings.pg_bin) if settings.pg_bin else None)


@contextmanager
def prepared(settings: Settings) -> Iterator[None]:
    """Hold a database that answers and is of this version. One that is away is waited for, and that is said."""
    from wego.setup import addresses, prepare

    held = attach(settings)
    try:
        at = addresses(settings, held)
        _wait_for(at.owner, settings.start_seconds)
        prepare(at.owner, at.hub)
        yield
    finally:
        if held is not None:
            held.close()


def _wait_for(url: str, seconds: int) -> None:
    until, said = time.monotonic() + seconds, False
    while True:
        try:
            with psycopg.connect(url, connect_timeout=5, options="-c statement_timeout=5s") as connection:
                connection.execute("select 1")
            return
        except psycopg.Error as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            if not said:
                said = True
                words = f"The database does not answer yet; trying again for {seconds} s. ({reason})"
                print(words, file=sys.stderr, flush=True)  # noqa: T201  # an operator waits at a terminal
            if time.monotonic() > until:
                hint = "Start it, or check WEGO_DATABASE_URL; `wego doctor` says more."
                raise Unservable(f"The database did not answer within {seconds} s: {reason}", hint) from None
        time.sleep(0.5)


# ── a server process ──────────────────────────────────────────────────────────────────────────────────────────────


def factory(guests: Guests) -> FastAPI:
    """The application of one server process, on a database that is prepared. The first process to come works off the
    jobs: the others ask the same queue in vain, so only one needs to."""
    collect_rarely()  # before most is imported
    from wego.app import create_app
    from wego.setup import addresses

    settings = from_environment()
    held = attach(settings)
    jobs = settings.jobs and _is_first(settings.home)
    around = () if held is None else (_watching(held),)
    return create_app(settings, addresses(settings, held).hub, jobs=jobs, guests=guests, around=around)


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


@asynccontextmanager
async def _watching(held: postgres.Attachment) -> AsyncIterator[None]:
    """Bring the embedded server back when its keeper was killed, and let go of it at the end."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await asyncio.to_thread(held.ensure)
            except postgres.PostgresError as error:
                log.error("the embedded PostgreSQL does not come back: %s", error.message)

    task = asyncio.create_task(watch(), name="watch of the embedded PostgreSQL")
    try:
        yield
    finally:
        if await ended(task):  # else a thread still holds it; the end of the process lets go of everything
            held.close()


# ── all of it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def serve(settings: Settings, *, sockets: list[socket.socket] | None = None, words: str = "") -> int:
    """Serve until told to stop (SIGINT, SIGTERM); the exit code. `words` are said when it listens."""
    collect_rarely()
    from wego.metrics import fresh_folder

    sockets = sockets or bind(settings)
    bounds = bounds_of(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / PORT_FILE).write_text(str(settings.port))
    export(settings)
    _allow_connections(settings.max_connections)
    fresh_folder(settings.home)

    def say() -> None:
        print(words or f"The hub runs at {settings.issuer}", flush=True)  # noqa: T201  # what an operator waits for

    with prepared(settings):
        return _run(settings, bounds, sockets, say)


def _run(settings: Settings, bounds: Bounds, sockets: list[socket.socket], say: Callable[[], None]) -> int:
    from wego.serving.server import HubConfig, HubServer

    config = HubConfig("wego.serve:factory", bounds)
    if settings.workers > 1:
        from wego.serving.workers import Workers

        return Workers(config, sockets, settings.workers, started=say).run()
    server = HubServer(config, say)
    try:
        server.run(sockets)
    except KeyboardInterrupt:
        return 130
    return 0 if server.started else 1


def _allow_connections(most: int) -> None:
    """Each connection is an open file; the usual limit of 1,024 is too low for a thousand of them and the rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + 512
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def export(settings: Settings) -> None:
    """Hand the settings to server processes, which read the environment."""
    resolved = replace(settings, home=settings.home.absolute())
    for knob in fields(Settings):
        value = getattr(resolved, knob.name)
        os.environ[f"WEGO_{knob.name.upper()}"] = str(int(value)) if isinstance(value, bool) else str(value)
