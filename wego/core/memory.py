"""How often Python looks for cyclic garbage, and when what is free goes back to the system.

A look takes about a microsecond for each object that is looked at (measured: 92 ms for 158,000), and nothing else runs
meanwhile. So a server looks at few objects at once, and often: at those that are new, and never again at those that
have stayed (`gc.freeze`), until nobody asks for anything.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import time

YOUNG, MIDDLE = 2_000, 5  # new objects until a look at them; looks until one at those that survived: some 10 ms
NEVER = 1_000_000_000
TICK = 0.25  # seconds
QUIET, QUIET_TICKS = 0.02, 8  # seconds of a processor in a tick; ticks
TRIM_SECONDS, WHOLE_SECONDS, LATEST_SECONDS = 20.0, 300.0, 3_600.0


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
    """One process' memory, kept tidy by a call in each tick."""

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others need it less
        self._trimmed = self._looked = time.monotonic()
        self._quiet, self._worked = 0, time.process_time()
        self._frozen = False  # since the last look at everything

    def tick(self, now: float) -> None:
        """Look at what is new, when there is enough of it; at everything, when it is quiet or has not been for long."""
        if gc.get_count()[2]:
            gc.collect()
            gc.freeze()
            self._frozen = True
        worked = time.process_time()
        self._quiet = self._quiet + 1 if worked - self._worked < QUIET else 0
        self._worked = worked
        passed = now - self._looked
        if self._frozen and passed > WHOLE_SECONDS and (self._quiet >= QUIET_TICKS or passed > LATEST_SECONDS):
            self._look_at_everything(now)
        if self._trim is not None and now - self._trimmed > TRIM_SECONDS:
            self._trimmed = now
            self._trim(0)

    def _look_at_everything(self, now: float) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._looked, self._frozen = now, False


async def keep_tidy() -> None:
    """Tidy up in each tick, until cancelled."""
    tidy = Tidy()
    while True:
        await asyncio.sleep(TICK)
        tidy.tick(time.monotonic())
