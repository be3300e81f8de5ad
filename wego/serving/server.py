"""One server process: uvicorn's server with our protocol, and an end that comes within ten seconds, whatever hangs.

The first SIGTERM or SIGINT asks for the end: answers under way get a few seconds, then everything is closed, each step
for a bounded time; if that is not done in time, the process ends all the same. The second signal ends it at once.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.importer import import_from_string
from uvicorn.server import ServerState

from wego.core.memory import begin_to_serve
from wego.serving.guests import Bounds, Guests
from wego.serving.listener import Listener
from wego.serving.protocol import HubProtocol, check_all

log = logging.getLogger("wego.serve")

PATIENCE = 9.0  # seconds from the first signal to the end, at most
GRACE = 3  # of them for answers that are under way
SWEEP = 5  # ticks of a tenth of a second


class HubConfig(uvicorn.Config):
    """uvicorn's settings as they are right here, and our bounds. `app` names a factory that takes the guests."""

    def __init__(self, app: str, bounds: Bounds) -> None:
        super().__init__(
            app, factory=True, http=HubProtocol, ws="none", lifespan="on", interface="asgi3", log_level="warning",
            access_log=False, proxy_headers=False, server_header=False, date_header=True,
            timeout_graceful_shutdown=GRACE,
        )  # fmt: skip
        self.bounds = bounds


class HubState(ServerState):
    """What all connections of a process share."""

    def __init__(self, guests: Guests) -> None:
        super().__init__()
        self.guests = guests


class HubServer(uvicorn.Server):
    """Serves on a socket that is bound already; tells when it listens."""

    def __init__(self, config: HubConfig, started: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self.guests = Guests(config.bounds)
        # The application tells their figures, so its factory gets them.
        config.app = partial(import_from_string(config.app), self.guests)
        self.server_state = HubState(self.guests)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        try:
            self.servers = [Listener(each, self._protocol, self.config.backlog) for each in sockets or ()]  # type: ignore[misc]  # stands for asyncio's
        except OSError as error:  # somebody else began to listen meanwhile
            log.error("cannot listen: %s", error.strerror)
            await self.lifespan.shutdown()
            sys.exit(STARTUP_FAILURE)
        begin_to_serve()
        self.started = True
        if not self.should_exit:
            self._tell()

    def _protocol(self) -> HubProtocol:
        return HubProtocol(self.config, self.server_state, self.lifespan.state)

    async def on_tick(self, counter: int) -> bool:
        if counter % SWEEP == 0:
            check_all(self.server_state.connections, self.guests)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            end(128 + sig)
        arm(PATIENCE, 128 + sig)
        super().handle_exit(sig, frame)


def arm(seconds: float, code: int) -> None:
    """End this process after so long, unless it has ended by itself."""

    def late() -> None:
        log.error("something did not end within %.0f seconds; ending without it", seconds)
        end(code)

    timer = threading.Timer(seconds, late)
    timer.daemon = True
    timer.start()


def end(code: int) -> None:
    """End now. What is open is closed by the system; the database recovers what was committed."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
