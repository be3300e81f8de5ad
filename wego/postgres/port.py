"""Where operating systems differ: locks, detaching, the leash on a child, who is still alive.

Only Linux x86_64 was run. macOS takes the POSIX branches with a pipe watchdog in place of
PR_SET_PDEATHSIG; Windows takes LockFileEx and a detached process. Both are written from the
documentation and untested.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

if sys.platform == "win32":
    import ctypes.wintypes
    import msvcrt
else:
    import fcntl
    import select

LINUX = sys.platform.startswith("linux")
WINDOWS = sys.platform == "win32"

_PR_SET_PDEATHSIG = 1


def is_root() -> bool:
    """Whether this process is the superuser, whom PostgreSQL refuses."""
    return False if sys.platform == "win32" else os.geteuid() == 0


# ---- locks: they belong to the open file, so the kernel drops them with the process ----

if sys.platform == "win32":

    class _Overlapped(ctypes.Structure):
        _fields_ = [
            ("internal", ctypes.c_void_p),
            ("internal_high", ctypes.c_void_p),
            ("offset", ctypes.wintypes.DWORD),
            ("offset_high", ctypes.wintypes.DWORD),
            ("event", ctypes.wintypes.HANDLE),
        ]

    def try_lock(fd: int, *, shared: bool) -> bool:
        """LockFileEx at once or not at all; msvcrt.locking knows no shared locks."""
        flags = 1 if shared else 3  # LOCKFILE_FAIL_IMMEDIATELY, LOCKFILE_EXCLUSIVE_LOCK
        handle = ctypes.wintypes.HANDLE(msvcrt.get_osfhandle(fd))
        return bool(ctypes.windll.kernel32.LockFileEx(handle, flags, 0, 1, 0, ctypes.byref(_Overlapped())))

    def unlock(fd: int) -> None:
        handle = ctypes.wintypes.HANDLE(msvcrt.get_osfhandle(fd))
        ctypes.windll.kernel32.UnlockFileEx(handle, 0, 1, 0, ctypes.byref(_Overlapped()))

else:

    def try_lock(fd: int, *, shared: bool) -> bool:
        """flock at once or not at all."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(fd: int) -> None:
        """Let go of the lock but keep the file open."""
        fcntl.flock(fd, fcntl.LOCK_UN)


# ---- the keeper's own process ----


def detach() -> None:
    """Leave the terminal and the parent: the first process ends, its child goes on alone."""
    if sys.platform == "win32":
        return  # the client has started us with DETACHED_PROCESS
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")  # never hold a folder that someone wants to unmount


def detached_flags() -> int:
    """Creation flags for the keeper; only Windows has any."""
    if sys.platform == "win32":
        return subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


class Bell:
    """Wakes the keeper at a signal (a dead child, a request to end) or after a while."""

    def __init__(self) -> None:
        self.asked_to_end = False
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), self._end)
        if sys.platform != "win32":
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, lambda *_: None)
            self._reader, writer = os.pipe()
            os.set_blocking(writer, False)
            signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def _end(self, *_: object) -> None:
        self.asked_to_end = True

    def wait(self, seconds: float) -> None:
        if sys.platform == "win32":
            time.sleep(seconds)
        elif select.select([self._reader], [], [], seconds)[0]:
            os.read(self._reader, 4096)


# ---- the leash: a child that must not outlive its parent ----


def leash(how: signal.Signals) -> Callable[[], None] | None:
    """What the child runs before exec so that the kernel signals it when its parent dies."""
    if not LINUX:
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before fork: a child may not take the loader's lock
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # the parent died before the leash was on
            os._exit(1)

    return tie


def watch_from_outside(pid: int) -> subprocess.Popen[bytes] | None:
    """macOS: a watchdog reads a pipe whose other end only the keeper holds; at its end it signals `pid`."""
    if LINUX or WINDOWS:
        return None
    return start_watchdog(pid)


def start_watchdog(pid: int) -> subprocess.Popen[bytes]:
    """Start the pipe watchdog for `pid` (also run by a test on Linux)."""
    code = f"import os, signal, sys; sys.stdin.read(); os.kill({pid}, signal.SIGINT)"
    return subprocess.Popen([sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, start_new_session=True)


# ---- who is still alive ----


def is_alive(pid: int) -> bool:
    """Whether the process runs. A zombie does not: pid 1 of a container may never reap it."""
    if pid <= 0:
        return False
    if LINUX:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
        except (OSError, IndexError):
            return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def residents(folder: Path, suspect: int) -> list[int]:
    """PostgreSQL processes that live in `folder` (they all work inside their data directory).

    Without /proc only `suspect`, the pid in postmaster.pid, can be asked.
    """
    if not LINUX:
        return [suspect] if is_alive(suspect) else []
    home = os.path.realpath(folder)
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _works_in(pid, home)]


def _works_in(pid: int, folder: str) -> bool:
    try:
        if os.readlink(f"/proc/{pid}/cwd") != folder or not is_alive(pid):
            return False
        program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))  # not the shell of someone looking around
        return program.startswith("postgres")
    except OSError:  # gone, a zombie, or another account's
        return False
