"""The hub that is attacked: a demonstration with many practices in a folder that stays, served as an operator would."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import _children

WEGO = Path(sys.executable).parent / "wego"
PRIVATE = re.compile(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", re.MULTILINE)
RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


@dataclass
class Hub:
    """A running hub: its process, where it listens, and what it keeps in memory."""

    process: subprocess.Popen[bytes]
    port: int
    home: Path

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def workers(self) -> dict[int, float]:
        """Resident megabytes of each server process, by pid."""
        pids = [self.process.pid, *(pid for pid in _children(self.process.pid) if "wego" in _words(pid))]
        return {pid: size for pid in pids if (size := _resident(pid)) is not None}

    def backends(self) -> dict[int, float]:
        """Private megabytes of each of PostgreSQL's processes that serve a connection of this hub, by pid."""
        found = {}
        for pid in _children(self.postmaster()):
            if re.match(r"postgres: (?:\S+: )?\w+ wego ", _words(pid)):
                size = _private(pid)
                if size is not None:
                    found[pid] = size
        return found

    def postmaster(self) -> int:
        told = (self.home / "cluster").rglob("postmaster.pid")
        return int(next(told).read_text().split("\n")[0])

    def cpu_seconds(self) -> float:
        """What the server processes have used of the processors."""
        total = 0.0
        for pid in self.workers():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _resident(pid: int) -> float | None:
    with contextlib.suppress(OSError):
        found = RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else None
    return None


def _private(pid: int) -> float | None:
    with contextlib.suppress(OSError):
        return sum(map(int, PRIVATE.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))) / 1024
    return None


def environment(home: Path, port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WEGO_") and name != "PORT"}
    kept = {name: value for name, value in os.environ.items() if name.startswith("WEGO_")}
    return {**clean, **kept, "WEGO_HOME": str(home.absolute()), "WEGO_PORT": str(port)}


def load(home: Path, port: int, practices: int) -> float:
    """Fill the folder as far as it is not filled; the programs' key files name the port, so it stays the same."""
    began = time.monotonic()
    command = [WEGO, "demo", "--practices", str(practices), "--no-serve"]
    subprocess.run(command, env=environment(home, port), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


@contextmanager
def served(home: Path, port: int, workers: int) -> Iterator[Hub]:
    """A hub with the settings of an operator who changed none; stopped at the end."""
    with (home / "abuse.log").open("ab") as log:
        command = [WEGO, "serve", "--workers", str(workers)]
        process = subprocess.Popen(
            command, env=environment(home, port), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        _await(process, port, home / "abuse.log")
        yield Hub(process, port, home)
    finally:
        _stop(process)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 120
    while True:
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"The hub did not start: {log.read_text(errors='replace')[-1500:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.sendall(b"GET /health/ready HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
            if probe.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
