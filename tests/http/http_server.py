"""A hub behind a real server on a free port of this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from http_make import Seeded

from wego.app import create_app


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
