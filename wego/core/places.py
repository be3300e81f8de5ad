"""How many mutations are in the database at once, and who does not have to stand in line.

Twenty programs that write must not keep an officer from suspending one of them: acts that take rights away have
places of their own, which nobody else can fill. Who waits is counted, and told when the wait is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wego.core.errors import Unavailable

ORDINARY, AHEAD = 4, 4  # more only take turns at one processor: measured 2, 3, 4 and 8 with sixteen writers
MOST_WAITING = 200
PATIENCE = 5.0  # seconds


def busy() -> Unavailable:
    return Unavailable("Too many others write at this moment, and nothing was changed: try again in a few seconds.")


class Places:
    """The places of one process."""

    def __init__(self, ordinary: int = ORDINARY, ahead: int = AHEAD) -> None:
        self._ordinary, self._ahead = asyncio.Semaphore(ordinary), asyncio.Semaphore(ahead)
        self._waiting = 0

    @asynccontextmanager
    async def taken(self, *, ahead: bool = False) -> AsyncIterator[None]:
        """A place for the block. Raises Unavailable when there was none in time, or too many wait already."""
        places = self._ahead if ahead else self._ordinary
        if not ahead and self._waiting >= MOST_WAITING:
            raise busy()
        self._waiting += not ahead
        try:
            async with asyncio.timeout(PATIENCE):
                await places.acquire()
        except TimeoutError:
            raise busy() from None
        finally:
            self._waiting -= not ahead
        try:
            yield
        finally:
            places.release()
