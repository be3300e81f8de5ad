"""The contestants as processes: started, awaited, measured, stopped. Only what was started here is ended."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks.load import Target, ask
from wego.core.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parent
TYPENAME = Target(0, "/graphql")
CONNECTIONS = str(Settings().connections)  # of each process to the database
SERVE = "from wego.core.settings import from_environment; from wego.serve import serve; serve(from_environment())"


class Failed(Exception):
    """A server did not come up; the message ends with what it said."""


@dataclass
class Server:
    """One contestant's process and its children."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    start_seconds: float = 0.0
    path: str = "/graphql"
    probe: bytes = b'{"query":"{ __typename }"}'

    def await_answer(self, timeout: float = 60) -> None:
        began = time.monotonic()
        target = Target(self.port, self.path)
        while True:
            try:
                if ask(target, self.probe)[0] == 200:
                    break
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - began > timeout:
                self.stop()
                raise Failed(f"{self.name} did not start: {self.said()}")
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - began

    def said(self) -> str:
        self.log.flush()
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-1500:]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)

    def worker_memory(self) -> float | None:
        """Megabytes (PSS) of the worker that has most; None where the system does not tell."""
        found = [pss for pss in map(_pss, [self.process.pid, *_children(self.process.pid)]) if pss]
        return max(found, default=None)


def start(name: str, command: Sequence[str], env: Mapping[str, str], port: int, folder: Path, **more: object) -> Server:
    log = (folder / f"{name}.log").open("w+b")
    process = subprocess.Popen(
        list(command), env={**os.environ, **env}, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    server = Server(name, port, process, log, **more)  # type: ignore[arg-type]
    server.await_answer()
    return server


def hub(name: str, port: int, workers: int, home: Path, folder: Path, *, cache_mb: int) -> Server:
    """The real stack, as `wego serve` starts it."""
    env = {
        "WEGO_HOME": str(home), "WEGO_PORT": str(port), "WEGO_WORKERS": str(workers), "WEGO_CACHE_MB": str(cache_mb),
        "WEGO_REQUESTS_PER_MINUTE": "0", "WEGO_JOBS": "0", "WEGO_SERVER_TIMING": "0",
        "WEGO_POOL_SIZE": CONNECTIONS,
    }  # fmt: skip
    return start(name, [sys.executable, "-c", SERVE], env, port, folder)


def floor(name: str, port: int, workers: int, url: str, statics: Path, folder: Path) -> Server:
    """The hand-written endpoint and the static bytes, under the same server with the same settings."""
    env = {
        "FLOOR_URL": url,
        "FLOOR_PORT": str(port),
        "FLOOR_WORKERS": str(workers),
        "FLOOR_STATIC": str(statics),
        "FLOOR_POOL": CONNECTIONS,
    }
    return start(name, [sys.executable, "-m", "benchmarks.floor"], env, port, folder, path="/typename")


def peer(name: str, port: int, workers: int, url: str, folder: Path) -> Server:
    """PostGraphile 5; two workers are a node cluster."""
    env = {
        "PEER_URL": url, "PEER_PORT": str(port), "PEER_WORKERS": str(workers), "PEER_POOL": CONNECTIONS,
        "NODE_ENV": "production", "GRAPHILE_ENV": "production",
    }  # fmt: skip
    return start(name, [str(node()), str(HERE / "postgraphile.mjs")], env, port, folder)


def node() -> Path | None:
    """A Node that is new enough: the system's, or the one that came with the peer's packages."""
    for found in (shutil.which("node"), *map(str, HERE.glob("node_modules/node-*/bin/node"))):
        if found:
            said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
            version = re.match(r"v(\d+)", said)
            if version and int(version[1]) >= 22:
                return Path(found)
    return None


def install_peer() -> str | None:
    """Install the peer from its lock; None when it is there, else why not."""
    if not (HERE / "node_modules" / "postgraphile").is_dir():
        npm = shutil.which("npm")
        if npm is None:
            return "npm is not installed"
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        said = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
        if said.returncode:
            return f"npm ci failed: {said.stderr.strip()[-300:]}"
    return None if node() else "no Node of version 22 or newer"


def peer_missing() -> str | None:
    """Why the peer cannot run without installing anything; None when it can."""
    if not (HERE / "node_modules" / "postgraphile").is_dir():
        return "its packages are not installed (`npm ci` in benchmarks/, or `make bench`)"
    return None if node() else "no Node of version 22 or newer"


@dataclass
class Fleet:
    """All servers of one phase; stops them at the end, whatever happened."""

    servers: dict[str, Server] = field(default_factory=dict)

    def add(self, server: Server) -> Server:
        self.servers[server.name] = server
        return server

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers.values():
            server.stop()


def _children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [child, *_children(child)]
    return found


def _pss(pid: int) -> float | None:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    line = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(line[1]) / 1024 if line else None
