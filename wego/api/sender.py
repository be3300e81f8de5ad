"""Whether the one who asked is still there: what he does not wait for is not worth the places of others.

A read whose sender hangs up is ended, and PostgreSQL is told to end its statement. A mutation goes on: whether it was
done must not depend on the line. Most answers are gone before anybody looks: the watch begins a moment after the read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

MOMENT = 0.05  # seconds


class Sender:
    """The sender of one request, whose body has been read; the block is cancelled when he hangs up."""

    __slots__ = ("_receive", "_task", "_timer", "_watch", "gone")

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive = receive
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None
        self.gone = False

    def __enter__(self) -> Sender:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(MOMENT, self._begin)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """From here on, what was asked is done whether he waits or not."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def _begin(self) -> None:
        self._watch = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._task is not None:
            self._task.cancel()
