"""Work of the processor that would hold up the event loop: it runs in one thread beside it, a few at a time wait.

The thread shares the interpreter with the loop, so it does not make anything faster; it keeps requests that need
little from waiting for one that needs much. What may take more than some milliseconds belongs here: checking a large
document, answering introspection, rendering the Markdown of a whole practice.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from wego.core.errors import Unavailable

R = TypeVar("R")

MOST_WAITING = 64  # pieces of work of one process; more are refused, because they would only wait
SWITCH_SECONDS = 0.001  # after which the thread lets the loop have its turn (Python's default is five times that)
RETRY_SECONDS = 2

_thread: ThreadPoolExecutor | None = None
_waiting = 0


async def offload(function: Callable[..., R], *given: Any) -> R:
    """The result of the function, computed beside the event loop; Unavailable when too much waits already."""
    global _thread, _waiting  # noqa: PLW0603  # one thread for each process, made when it is first needed
    if _waiting >= MOST_WAITING:
        raise Unavailable("The hub is busy; try again in {seconds} seconds.", seconds=RETRY_SECONDS)
    if _thread is None:
        sys.setswitchinterval(SWITCH_SECONDS)
        _thread = ThreadPoolExecutor(1, thread_name_prefix="wego-work")
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_thread, function, *given)
    finally:
        _waiting -= 1


def waiting() -> int:
    """How many pieces of work run or wait now."""
    return _waiting
