"""Waiting for the disk, once for all who wait.

A transaction that appends to the log commits without waiting for the disk, so that the next writer gets the log's
lock at once. Before anybody is told that it happened, `flushed` waits until the write-ahead log up to here is on disk:
an empty transaction that commits synchronously. All who ask while one is under way share the next (group commit,
as PostgreSQL does it among its backends). Readers may see a change a few milliseconds before it is on disk; whoever
is told of a change has it on disk, since the log on disk has no gaps.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

# A transaction with something to write but no effect; synchronous replication is waited for as well.
_FLUSH = "begin; set local synchronous_commit to default; select pg_logical_emit_message(true, 'wego', ''); commit"


class GroupFlush:
    """The one connection of a process that waits for the disk."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._connection: Any = None
        self._going: asyncio.Task[None] | None = None
        self._coming: asyncio.Task[None] | None = None

    async def flushed(self) -> None:
        """Return when everything that was committed before the call is on disk."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._next(self._going), name="flush")
            self._coming.add_done_callback(_heard)
        await asyncio.shield(self._coming)

    async def _next(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._going, self._coming = self._coming, None
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        await self._connection.execute(_FLUSH)

    async def close(self) -> None:
        for task in (self._coming, self._going):
            if task is not None:
                with contextlib.suppress(Exception):
                    await task
        if self._connection is not None:
            await self._connection.close(timeout=1)


def _heard(task: asyncio.Task[None]) -> None:
    """Whoever waits hears of a failure; one that nobody waits for any more is no news."""
    if not task.cancelled():
        task.exception()
