"""Several server processes on one socket: started, watched, ended together.

uvicorn's own supervisor waits without end for workers that do not end, leaves them behind when it is killed, and lets
nobody choose the server. This one ends within ten seconds, and its workers end when it is gone.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from uvicorn.config import STARTUP_FAILURE

from wego.serving.server import PATIENCE, HubConfig, HubServer, end

log = logging.getLogger("wego.serve")

SOON = 10.0  # seconds; who ends sooner after its start than this is started again more slowly
MOST_SLOW = 30.0
_spawn = multiprocessing.get_context("spawn")


def run_worker(config: HubConfig, sockets: list[socket.socket], listens: Any) -> None:
    """One worker's whole life, in its own process."""
    config.configure_logging()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        HubServer(config, listens.set).run(sockets)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


class Worker:
    """A worker as its supervisor sees it."""

    def __init__(self, config: HubConfig, sockets: list[socket.socket], slow: float = 0.0) -> None:
        self.listens = _spawn.Event()
        self.slow = slow  # seconds that were waited before it was started
        self.began = time.monotonic()
        self.process = _spawn.Process(target=run_worker, args=(config, sockets, self.listens))
        self.process.start()

    @property
    def pid(self) -> int:
        return self.process.pid or 0


class Workers:
    """The supervisor."""

    def __init__(
        self, config: HubConfig, sockets: list[socket.socket], count: int, *,
        started: Callable[[], None],
    ) -> None:  # fmt: skip
        self._config, self._sockets = config, sockets
        self._started = started
        self._signals: list[int] = []
        self._due: list[tuple[float, float]] = []  # when to start another, and after how long a wait
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)
        self._workers = [Worker(config, sockets) for _ in range(count)]

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)
        if len(self._signals) > 1:
            self._kill()
            end(128 + number)

    def run(self) -> int:
        """Watch until told to end; the exit code."""
        told = False
        while not self._signals:
            wait([worker.process.sentinel for worker in self._workers], timeout=0.2)
            if not told and any(worker.listens.is_set() for worker in self._workers):
                told = True
                self._started()
            if not self._replace_dead():
                self._stop()
                return STARTUP_FAILURE
        self._stop()
        return 128 + self._signals[0]

    def _replace_dead(self) -> bool:
        """Start others in the place of those that ended. False: one cannot even start, so others could not either."""
        now = time.monotonic()
        for worker in [each for each in self._workers if not each.process.is_alive()]:
            self._workers.remove(worker)
            if worker.process.exitcode == STARTUP_FAILURE and not worker.listens.is_set():
                return False
            slow = min(MOST_SLOW, worker.slow * 2 or 0.5) if now - worker.began < SOON else 0.0
            log.error("worker %d ended (%s); another follows", worker.pid, worker.process.exitcode)
            self._due.append((now + slow, slow))
        for at, slow in [each for each in self._due if each[0] <= now]:
            self._due.remove((at, slow))
            self._workers.append(Worker(self._config, self._sockets, slow))
        return True

    def _stop(self) -> None:
        for worker in self._workers:
            if worker.process.is_alive():
                worker.process.terminate()
        until = time.monotonic() + PATIENCE + 0.3  # each ends by itself before that
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
        self._kill()

    def _kill(self) -> None:
        for worker in self._workers:
            if worker.process.is_alive():
                worker.process.kill()
