"""Where systems differ: the leash on a child, and who is still alive.

Linux ties a child to its parent in the kernel (PR_SET_PDEATHSIG) and tells in /proc who works where. Other POSIX
systems have neither: there a watchdog reads a pipe that only the keeper holds, and only the pid that is on file can
be asked. The tests run both ways on Linux. Without POSIX (`flock`, `fork`) nothing of this runs, nor does the hub.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

LINUX = sys.platform.startswith("linux")

_PR_SET_PDEATHSIG = 1


def is_root() -> bool:
    """Whether this process is the superuser, whom PostgreSQL refuses."""
    return os.geteuid() == 0


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


def watchdog(pid: int) -> subprocess.Popen[bytes] | None:
    """Where there is no leash: a process that reads a pipe of ours, and at its end signals `pid`."""
    if LINUX:
        return None
    code = f"import os, signal, sys; sys.stdin.read(); os.kill({pid}, signal.SIGINT)"
    return subprocess.Popen([sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, start_new_session=True)


# ---- who is still alive ----


def is_alive(pid: int) -> bool:
    """Whether the process runs. A zombie does not: pid 1 of a container may never reap it."""
    if pid <= 0:
        return False
    try:
        if LINUX:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, IndexError):
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
