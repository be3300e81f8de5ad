"""How often Python looks for cyclic garbage, and when what is free goes back to the system.

A look takes about a microsecond for each object that is looked at (measured: 92 ms for 158,000), and nothing else runs
meanwhile. So a server looks at little at once and often, never at what it was made of, and at everything only now and
then, when its loop is told to (`Tidy`).
"""

from __future__ import annotations

import ctypes
import gc
import time

YOUNG, MIDDLE = 2_000, 5  # new objects until a look at them; looks until one at those that survived: some 10 ms
NEVER = 1_000_000_000
TIDY_SECONDS = 30.0


def collect_rarely() -> None:
    """Look after 50,000 new objects instead of 700. Imports make hundreds of thousands that stay: to go through them
    again and again was a fifth of the time that they take (1.65 s of CPU, 1.33 s without). What a request leaves behind
    is mostly freed by counting references."""
    gc.set_threshold(50_000, 20, 20)


def begin_to_serve() -> None:
    """What is there now stays for ever and is looked at no more; from here on no look takes long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


class Tidy:
    """Looks at everything and gives free memory back to the system, when something happened and time has passed."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others need it less

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._last < TIDY_SECONDS or not gc.get_count()[2]:
            return
        self._last = now
        gc.collect()
        if self._trim is not None:
            self._trim(0)
