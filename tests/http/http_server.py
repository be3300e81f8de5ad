"""A hub behind a real server on a free port of this machine."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from http_make import Seeded

from federation.jose.keys import open_keys
from federation.oauth.tokens import issue_for_person
from wego.app import create_app
from wego.core.access import system
from wego.core.db import Database


@asynccontextmanager
async def served(seeded: Seeded, url: str, **knobs: Any) -> AsyncIterator[str]:
    """The address at which the application answers, as long as the block."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(seeded.settings(public_url=address, **knobs), url, jobs=False)
        config = uvicorn.Config(app, log_level="error", access_log=False, server_header=False, lifespan="on")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            while not server.started:
                assert not task.done(), "the server did not start"
                await asyncio.sleep(0.02)
            yield address
        finally:
            server.should_exit = True
            await task


@contextmanager
def threaded(seeded: Seeded, url: str, **knobs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same in a thread with a loop of its own, for clients that block; and a token with its key for an officer."""
    ready: queue.Queue[Any] = queue.Queue()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        try:
            async with served(seeded, url, **knobs) as address:
                ready.put((address, await _officer(seeded, url, address)))
                await over.wait()
        except BaseException as error:
            ready.put(error)
            raise

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    told = ready.get(timeout=30)
    if isinstance(told, BaseException):
        raise told
    try:
        yield told
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()


async def _officer(seeded: Seeded, url: str, address: str) -> dict[str, Any]:
    settings = seeded.settings(public_url=address)
    database = await Database(url).open()
    try:
        keys = await open_keys(settings, database, watch=False)
        async with database.session() as db:
            return await issue_for_person(db, system("test"), settings, keys.signing(), "secretariat@wego.demo")
    finally:
        await database.close()
