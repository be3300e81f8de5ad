"""Work of the processor that would hold up the event loop: it runs in a thread beside it, and only so much waits.

A thread shares the interpreter with the loop, so it does not make anything faster; it keeps requests that need
little from waiting for one that needs much. What may take more than some milliseconds belongs here: checking a large
document, answering introspection, rendering the Markdown of a whole practice. Reading and writing have a thread each,
so that whoever sends long texts does not hold up those who ask.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any, TypeVar

from wego.core.errors import busy

R = TypeVar("R")

MOST_WAITING = 64  # pieces of work of one kind; more are refused, because they would only wait
SWITCH_SECONDS = 0.001  # after which a thread lets the loop have its turn (Python's default is five times that)


class Work(StrEnum):
    """Whose work it is: each kind has a thread of its own."""

    READ = "read"
    SCHEMA = "schema"  # introspection, which takes longest
    WRITE = "write"


_threads: dict[Work, ThreadPoolExecutor] = {}
_waiting = dict.fromkeys(Work, 0)


async def offload(function: Callable[..., R], *given: Any, work: Work = Work.WRITE) -> R:
    """The result of the function, computed beside the event loop; Unavailable when too much waits already."""
    if _waiting[work] >= MOST_WAITING:
        raise busy()
    if work not in _threads:
        sys.setswitchinterval(SWITCH_SECONDS)
        _threads[work] = ThreadPoolExecutor(1, thread_name_prefix=f"wego-{work}")
    _waiting[work] += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads[work], function, *given)
    finally:
        _waiting[work] -= 1


def waiting(work: Work) -> int:
    """How many pieces of work run or wait now."""
    return _waiting[work]
