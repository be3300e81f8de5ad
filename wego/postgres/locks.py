"""Lock files. A lock belongs to the open file: the kernel drops it however its holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import PostgresError

_POLL = 0.01


class Lock:
    """One opened lock file. Closing lets go, unless a forked child still holds a copy of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            hint = "The home belongs to the account that made it."
            raise PostgresError(f"cannot open {path}: {error.strerror}", hint) from error

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock at once, or say that someone else has it."""
        try:
            fcntl.flock(self._fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take_within(self, seconds: float, *, shared: bool = False) -> bool:
        """Take the lock as soon as it is free, or give up after `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.take(shared=shared):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def let_go(self) -> None:
        """Drop the lock but keep the file open."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def is_current(self) -> bool:
        """Whether the path still names this file: false once somebody removed the home."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self.path))
        except OSError:
            return False

    def close(self) -> None:
        # Not unlocked first: that would also take the lock away from a forked child.
        os.close(self._fd)


def is_held(path: Path, *, shared: bool = False) -> bool:
    """Whether someone's lock keeps us from taking ours. Asking takes it for a moment.

    Ask shared where the holder is exclusive: then two who ask do not take each other for the holder.
    """
    if not path.exists():
        return False
    with opened(path) as lock:
        return not lock.take(shared=shared)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Lock]:
    """A lock file, closed at the end."""
    lock = Lock(path)
    try:
        yield lock
    finally:
        lock.close()
