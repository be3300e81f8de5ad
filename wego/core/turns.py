"""Work of some milliseconds on the event loop, of which one piece is done in each turn of the loop.

Twenty who each bring a new document would otherwise have all of them checked in one turn, and somebody whose answer
takes half a millisecond would wait a tenth of a second, several times. What takes longer belongs beside the loop
(`wego.core.offload`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wego.core.errors import busy


class Turns:
    """Who has work to do takes a turn; only so many wait, and the others are told to come again."""

    def __init__(self, most_waiting: int) -> None:
        self._turn, self._waiting, self._most = asyncio.Lock(), 0, most_waiting

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        if self._waiting >= self._most:
            raise busy()
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(0)  # whatever came meanwhile comes first, and finds the turn taken
                yield
        finally:
            self._waiting -= 1

    async def wait(self) -> None:
        """Come after those who came before; at once, when too many wait."""
        if self._waiting < self._most:
            async with self.take():
                pass
