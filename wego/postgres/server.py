"""One postmaster as our direct child: what is left of the last one, start, readiness, stop."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from . import cluster, port
from .account import Tenant
from .errors import PostgresError, explain
from .home import Home, tail
from .providers import Provider

_LOG_LIMIT = 10 * 1024 * 1024
_POLL = 0.005


class Server:
    """A running `postgres` and the few things that its keeper does with it."""

    def __init__(self, home: Home, child: subprocess.Popen[str], socket_dir: Path) -> None:
        self.home = home
        self.child = child
        self.socket_dir = socket_dir
        self._watchdog = port.watchdog(child.pid)

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def has_ended(self) -> bool:
        return self.child.poll() is not None

    def wait_ready(self) -> None:
        """Wait as long as it lives: recovery after a crash takes the time it takes."""
        while not _is_ready(self.home.data, self.pid):
            if self.has_ended:
                raise explain("the server ended at its start", tail(self.home.log), f"Read {self.home.log}.")
            time.sleep(_POLL)

    def stop(self, patience: float = 60.0) -> None:
        """Fast shutdown (connections end, a checkpoint is written), then less and less gently."""
        if not (self._ends_after(signal.SIGINT, patience) or self._ends_after(signal.SIGQUIT, 10.0)):
            self.child.kill()
            self.child.wait()
        self.forget_watchdog()

    def _ends_after(self, how: signal.Signals, seconds: float) -> bool:
        self.child.send_signal(how)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def forget_watchdog(self) -> None:
        """End the watchdog before its pid can mean someone else."""
        if self._watchdog:
            self._watchdog.kill()
            self._watchdog.wait()
            self._watchdog = None


def start(home: Home, tenant: Tenant, provider: Provider, tuning: Mapping[str, str]) -> Server:
    """Start `postgres` on what is there; it need not be ready yet."""
    clear_remains(home)
    rotate(home.log)
    folder = cluster.socket_folder(home, tenant)
    for lock in folder.glob(".s.PGSQL.*"):  # it names the dead server too; the folder is ours alone
        lock.unlink(missing_ok=True)
    settings = {**cluster.SETTINGS, **tuning, **_listening(home, tenant, folder)}
    argv = [provider.program("postgres"), "-D", tenant.seen(home.data), *cluster.flags(settings)]
    with home.log.open("ab") as log:
        child = tenant.start(argv, signal.SIGINT, stdout=log, stderr=log)
    return Server(home, child, folder)


def _listening(home: Home, tenant: Tenant, folder: Path) -> dict[str, str]:
    inside = folder.is_relative_to(home.cluster)
    return {
        "port": str(cluster.PORT), "listen_addresses": "", "unix_socket_permissions": "0700",
        "unix_socket_directories": tenant.seen(folder) if inside else str(folder),
    }  # fmt: skip


def _is_ready(data: Path, pid: int) -> bool:
    """postmaster.pid is the server's own word: its pid in line 1, its state in line 8."""
    lines = _pidfile(data)
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _pidfile(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []


# ---- what an earlier server left ----


def clear_remains(home: Home) -> None:
    """Wait for an orphaned server or its children to end, then drop its pid file.

    PostgreSQL would refuse while postmaster.pid names any living process, even a zombie or a stranger
    with a recycled pid. We hold the keeper's lock and look at who really works in the data directory,
    so once nobody does, the file is stale. Shared memory of the dead is found and recycled by the new
    server itself, which derives its key from the data directory.
    """
    data = home.data
    lines = _pidfile(data)
    suspect = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
    for how, seconds in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        left = port.residents(data, suspect)
        # The postmaster brings its children down; without it they are told one by one, and soon more firmly.
        for pid in [suspect] if suspect in left else left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        if _all_gone(data, suspect, seconds if suspect in left else min(seconds, 2.0)):
            break
    else:
        raise PostgresError(f"processes {left} of an earlier server do not end", "End them, then start again.")
    (data / "postmaster.pid").unlink(missing_ok=True)


def _all_gone(data: Path, suspect: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while port.residents(data, suspect):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def rotate(log: Path, limit: int = _LOG_LIMIT) -> None:
    """Keep one older log. The server writes on through its open descriptor (in append mode), so the
    file is copied and emptied; a line written in between may be lost."""
    try:
        if log.exists() and log.stat().st_size > limit:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)
    except OSError:
        return  # a full disk must not stop the server
