"""A demonstration as a person starts it: its own folder, its own port, and what of it is alive."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WEGO = Path(sys.executable).parent / "wego"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], seconds: float = 60.0, what: str = "it") -> float:
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, f"{what} never came true"
        time.sleep(0.05)
    return time.monotonic() - started


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@dataclass
class Demo:
    """One home, and the process that serves it."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("WEGO_", "PORT"))}
        return clean | {"WEGO_HOME": str(self.home), "PORT": str(self.port)}

    def start(self, *words: str) -> float:
        """Start it, and wait until it is ready; how long that took."""
        log = self.home.parent / f"{self.home.name}.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen([WEGO, *(words or ("demo",))], env=self.environment, stdout=out, stderr=out)
        return wait_until(self._ready, 120, f"the hub (see {log})")

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home.parent / f"{self.home.name}.log").read_text()[-2000:]
        return self.status("/health/ready") == 200

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def ask(self, query: str, language: str = "en") -> dict[str, Any]:
        """Ask without a token."""
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": query}).encode(),
            {"content-type": "application/json", "accept-language": language},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))

    def run(self, *words: str, code: int = 0) -> str:
        """A command of `wego`, which must end with this code; what it prints."""
        done = subprocess.run(
            [WEGO, *words], env=self.environment, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == code, (
            f"wego {' '.join(words)}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
        return done.stdout if code == 0 else done.stdout + done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words))

    def officer(self, mutation: str) -> dict[str, Any]:
        """A mutation by an officer, which must be acknowledged."""
        told = self.json("query", "--person", "secretariat@wego.demo", f"mutation {{ {mutation} }}")
        return dict(told["data"])

    def processes(self) -> dict[int, str]:
        """Living processes that belong to this home: by their folder, command line or environment. Only of our own."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError, IndexError):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    told = (
                        words + os.readlink(entry / "cwd") + (entry / "environ").read_bytes().decode(errors="replace")
                    )
                    if str(self.home) in told and is_alive(int(entry.name)):
                        found[int(entry.name)] = words
        return found

    def kill(self, pid: int) -> None:
        """kill -9 of one process that is known to belong to this home."""
        assert pid in self.processes(), "never kill what is not ours"
        os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        """Ctrl-C, and everything that is left after it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(AssertionError):
            self.run("db", "stop")
