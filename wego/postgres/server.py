"""One postmaster as our direct child: what is left of the last one, start, readiness, stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import cluster, port
from .account import Tenant
from .errors import PostgresError, explain
from .home import Home, tail
from .providers import Provider

_LOG_LIMIT = 10 * 1024 * 1024
_POLL = 0.005


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    socket_dir: Path | None
    tcp_port: int | None


class Server:
    """A running `postgres` and the few things that its keeper does with it."""

    def __init__(self, home: Home, child: subprocess.Popen[str], address: Address) -> None:
        self.home = home
        self.child = child
        self.address = address
        self._watchdog = port.watch_from_outside(child.pid)

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
        for how, seconds in ((signal.SIGINT, patience), (_quit_signal(), 10.0)):
            if not self._ends_after(how, seconds):
                continue
            break
        else:
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


def _quit_signal() -> signal.Signals:
    return signal.SIGTERM if port.WINDOWS else signal.SIGQUIT


def start(home: Home, tenant: Tenant, provider: Provider, tuning: Mapping[str, str], tcp_port: int | None) -> Server:
    """Start `postgres` on what is there; it need not be ready yet."""
    clear_remains(home)
    rotate(home.log)
    address = _address(home, tenant, tcp_port)
    _forget_socket_lock(address)
    settings = {**cluster.SETTINGS, **tuning, **_listening(home, tenant, address)}
    argv = [provider.program("postgres"), "-D", tenant.seen(home.data), *cluster.flags(settings)]
    with home.log.open("ab") as log:
        child = tenant.start(argv, signal.SIGINT, stdout=log, stderr=log)
    return Server(home, child, address)


def _address(home: Home, tenant: Tenant, tcp_port: int | None) -> Address:
    if port.WINDOWS:
        return Address(None, tcp_port or cluster.free_port())
    chosen = cluster.free_port() if tcp_port == 0 else tcp_port
    return Address(cluster.socket_folder(home, tenant), chosen)


def _listening(home: Home, tenant: Tenant, address: Address) -> dict[str, str]:
    """The socket's file name carries the port, so the server's port is the TCP one when there is one."""
    settings = {"port": str(address.tcp_port or cluster.PORT), "unix_socket_permissions": "0700"}
    settings["listen_addresses"] = "127.0.0.1" if address.tcp_port else ""
    folder = address.socket_dir
    inside = folder is not None and folder.is_relative_to(home.cluster)
    settings["unix_socket_directories"] = tenant.seen(folder) if folder and inside else str(folder or "")
    return settings


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
    for how, seconds in ((signal.SIGINT, 30.0), (_quit_signal(), 10.0), (signal.SIGTERM, 0.1)):
        left = port.residents(data, suspect)
        _tell(left, suspect, how)
        if not left or _all_gone(data, suspect, seconds if suspect in left else min(seconds, 2.0)):
            break
    else:
        _finish_off(data, suspect)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _tell(left: list[int], suspect: int, how: signal.Signals) -> None:
    """The postmaster brings its children down; without it they are told one by one."""
    for pid in [suspect] if suspect in left else left:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            continue


def _all_gone(data: Path, suspect: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while port.residents(data, suspect):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _finish_off(data: Path, suspect: int) -> None:
    left = port.residents(data, suspect)
    for pid in left:
        os.kill(pid, signal.SIGTERM if port.WINDOWS else signal.SIGKILL)
    if not _all_gone(data, suspect, 10.0):
        raise PostgresError(f"processes {left} of an earlier server do not end", "End them, then start again.")


def _forget_socket_lock(address: Address) -> None:
    """The socket's own lock file names the dead server too; the folder is ours alone."""
    if address.socket_dir:
        for path in address.socket_dir.glob(".s.PGSQL.*"):
            path.unlink(missing_ok=True)


def rotate(log: Path, limit: int = _LOG_LIMIT) -> None:
    """Keep one older log. The server writes on through its open descriptor (in append mode), so the
    file is copied and emptied; a line written in between may be lost."""
    try:
        if log.exists() and log.stat().st_size > limit:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)
    except OSError:
        return  # a full disk must not stop the server
