"""Ending what runs beside the requests, in bounded time, whatever it does when it is told to end.

A task can answer a cancellation with another exception (a connection that breaks while it is closed) and then go on:
waiting for it once would be waiting for ever. So it is told again and again, and left alone when its time is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

log = logging.getLogger("wego.tasks")

AGAIN = 0.2  # seconds between one cancellation and the next


async def ended(task: asyncio.Task[Any], seconds: float = 1.0) -> bool:
    """Cancel a task until it ends or the time is over; whether it ended. Never raises what the task raised."""
    until = asyncio.get_running_loop().time() + seconds
    while not task.done():
        left = until - asyncio.get_running_loop().time()
        if left <= 0:
            log.warning("%s did not end within %.1f seconds; it is left behind", task.get_name(), seconds)
            return False
        task.cancel()
        await asyncio.wait({task}, timeout=min(AGAIN, left))
    if not task.cancelled() and task.exception() is not None:
        log.warning("%s ended with %s", task.get_name(), type(task.exception()).__name__)
    return True


async def within(seconds: float, work: Awaitable[Any], name: str = "closing") -> bool:
    """Await work for so long; whether it was done. What it raises is told in the log, and stops nobody's end."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=seconds)
    if task.done():
        if not task.cancelled() and task.exception() is not None:
            log.warning("%s: %s", name, type(task.exception()).__name__)
        return True
    log.warning("%s was not done within %.1f seconds", name, seconds)
    task.cancel()
    return False
