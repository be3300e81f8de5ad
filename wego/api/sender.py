"""Whether the one who asked is still there: what he does not wait for is not worth the places of others.

A read whose sender hangs up is ended wherever it waits, and PostgreSQL is told to end a statement that takes long. A
mutation goes on: whether it was done must not depend on the line.
"""

from __future__ import annotations

import asyncio
from typing import Any

from wego.core.statements import is_asking

MOMENT = 0.05  # seconds; to end a statement takes a connection of its own, so one that is nearly done is let be


class Sender:
    """The sender of one request, at the other end of a line (see `wego.serving.protocol`); without one, nobody looks.
    The block is cancelled when he hangs up."""

    __slots__ = ("_line", "_task")

    def __init__(self, line: Any) -> None:
        self._line = line
        self._task: asyncio.Task[Any] | None = None

    @property
    def gone(self) -> bool:
        return self._line is not None and self._line.gone

    def __enter__(self) -> Sender:
        if self._line is not None:
            if self._line.gone:
                raise asyncio.CancelledError
            self._task, self._line.hung_up = asyncio.current_task(), self._end
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """From here on, what was asked is done whether he waits or not."""
        if self._line is not None:
            self._task = self._line.hung_up = None

    def _end(self) -> None:
        task = self._task
        if task is None or task.done():
            return
        if is_asking(task):
            asyncio.get_running_loop().call_later(MOMENT, self._end_long, task)
        else:
            task.cancel()

    def _end_long(self, task: asyncio.Task[Any]) -> None:
        if task is self._task:
            task.cancel()
