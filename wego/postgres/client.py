"""What a client does: attach (and start the server if need be), look, ask it to stop."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from . import cluster, port
from .errors import PostgresError, explain
from .home import Home, Note, open_home, read_failure, read_note, read_password, tail, write_private
from .locks import Lock, is_held, opened
from .orders import BUSY, Order
from .providers import Provider, Source

_POLL = 0.01
_NOTHING: Mapping[str, str] = {}


class Attachment:
    """One client's hold on the server: as long as it is open, the server stays.

    The hold ends with `close()`, with the process however it ends, and not with garbage collection.
    A forked child keeps it too.
    """

    def __init__(self, home: Home, lock: Lock, order: Order, timeout: float) -> None:
        self._home = home
        self._lock: Lock | None = lock
        self._order = order
        self._timeout = timeout
        self._turn = threading.Lock()
        self._note = _await_server(home, order, timeout)
        self._password = _password(home)

    @property
    def url(self) -> str:
        """The database `wego`, for asyncpg, psycopg and psql."""
        return self.url_of(cluster.DATABASE)

    @property
    def admin_url(self) -> str:
        """The maintenance database `postgres`."""
        return self.url_of("postgres")

    @property
    def tcp_url(self) -> str | None:
        """The database `wego` over 127.0.0.1, when `tcp_port` was asked for."""
        port_number = self._note.tcp_port
        return _tcp_url(port_number, self._password, cluster.DATABASE) if port_number else None

    def url_of(self, database: str) -> str:
        """The URL of any database of this server."""
        return _url(self._note, self._password, database)

    @property
    def host(self) -> str:
        """The socket folder (an address on Windows)."""
        return self._note.socket_dir or "127.0.0.1"

    @property
    def port(self) -> int:
        return self._note.tcp_port or cluster.PORT

    @property
    def password(self) -> str:
        return self._password

    @property
    def provider(self) -> Provider:
        """Whose programs run the server."""
        return Provider(Source(self._note.provider), self._note.version, Path(self._note.bin))

    @property
    def is_open(self) -> bool:
        return self._lock is not None

    def ensure(self) -> None:
        """Start the server again if its keeper was killed; cheap when all is well. URLs stay the same."""
        with self._turn:
            if self._lock is None:
                raise PostgresError("this attachment is closed", "Attach again.")
            self._note = _await_server(self._home, self._order, self._timeout)

    def close(self) -> None:
        """Let go. The server ends after the grace time if nobody else holds it."""
        with self._turn:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def __enter__(self) -> Attachment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:  # never the password
        state = "open" if self.is_open else "closed"
        return f"<Attachment {self._home.root} PostgreSQL {self._note.version} {state}>"


def attach(
    home: Path,
    *,
    binaries: Path | None = None,
    grace: float = 5.0,
    timeout: float = 60.0,
    tuning: Mapping[str, str] = _NOTHING,
    tcp_port: int | None = None,
) -> Attachment:
    """Hold the server of `home`, starting it if it does not run.

    `grace`, `binaries`, `tuning` and `tcp_port` (0: any free one) count for whoever starts the server;
    a running one is shared as it is, except that asking for a TCP port that it does not have is refused.
    """
    cluster.check_tuning(tuning)
    place = open_home(home)
    order = Order(secrets.token_hex(8), grace, binaries, tcp_port, dict(tuning))
    lock = Lock(place.clients)
    try:
        if not lock.take_within(timeout, shared=True):
            raise PostgresError("the last server of this home is still stopping", f"Read {place.log}.")
        attachment = Attachment(place, lock, order, timeout)
        _check_port(attachment._note, tcp_port)
    except BaseException:
        lock.close()
        raise
    return attachment


def _check_port(note: Note, wanted: int | None) -> None:
    if wanted is not None and (note.tcp_port is None or wanted not in (0, note.tcp_port)):
        raise PostgresError(
            f"the server already runs {f'on port {note.tcp_port}' if note.tcp_port else 'without TCP'}",
            "Stop it first, then start it with the port you want.",
        )


def _password(home: Home) -> str:
    word = read_password(home)
    if word is None:
        raise PostgresError(f"{home.password} is gone", "Stop the server; its next start draws a new password.")
    return word


def _url(note: Note, password: str, database: str) -> str:
    """The port is always said: it names the socket file, and a PGPORT in the environment must not win."""
    if note.socket_dir is None:
        return _tcp_url(note.tcp_port or cluster.PORT, password, database)
    where = f"host={note.socket_dir}&port={note.tcp_port or cluster.PORT}"
    return f"postgresql://{cluster.ROLE}:{password}@/{quote(database)}?{where}"


def _tcp_url(number: int, password: str, database: str) -> str:
    return f"postgresql://{cluster.ROLE}:{password}@127.0.0.1:{number}/{quote(database)}"


# ---- starting ----


def _await_server(home: Home, order: Order, timeout: float) -> Note:
    """The note of a running server. One client at a time may start a keeper; the others wait for it."""
    deadline = time.monotonic() + timeout
    with opened(home.starting) as turn:
        while time.monotonic() < deadline:
            note = _running(home)
            if note:
                return note
            if turn.take():
                return _start(home, order, deadline)
            time.sleep(_POLL)
    raise _too_slow(home)


def _has_keeper(home: Home) -> bool:
    return is_held(home.keeper, shared=True)


def _running(home: Home) -> Note | None:
    """The keeper first, then its note: a note from before this keeper was removed before it was launched."""
    return read_note(home) if _has_keeper(home) else None


def _start(home: Home, order: Order, deadline: float) -> Note:
    """Start a keeper unless there is one, and wait for its word."""
    launched = 0
    while time.monotonic() < deadline:
        note = _running(home)
        if note:
            return note
        if not _has_keeper(home):
            _hear(home, order, launched)
            home.server.unlink(missing_ok=True)
            launched += _launch(home, order)
        time.sleep(_POLL)
    raise _too_slow(home)


def _hear(home: Home, order: Order, launched: int) -> None:
    """Raise what the keeper that we launched said; one that was killed is launched once more."""
    failure = read_failure(home, order.attempt)
    if failure:
        home.failure.unlink(missing_ok=True)
        raise failure
    if launched > 1:
        raise explain("the keeper ended without a word", tail(home.keeper_log), f"Read {home.keeper_log}.")


def _too_slow(home: Home) -> PostgresError:
    said = tail(home.log, 600).strip()
    return PostgresError(
        f"the server was not ready in time{': ' if said else ''}{said}",
        "It may be recovering or the disk may be slow: try again, or give it a longer timeout.",
    )


def _launch(home: Home, order: Order) -> bool:
    """Run the keeper; on POSIX the first process returns as soon as the lock is taken."""
    if not sys.executable:
        raise PostgresError("this Python does not know its own path (sys.executable)", "Start it as `python`.")
    argv = [sys.executable, "-m", f"{__package__}.keeper", *order.arguments(home.root)]
    with home.keeper_log.open("ab") as log:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_keeper_environment(),
            start_new_session=True, creationflags=port.detached_flags(),
        )  # fmt: skip
    if port.WINDOWS:
        while child.poll() is None and not _has_keeper(home):
            time.sleep(_POLL)
        child.returncode = child.returncode or 0  # it lives on: no warning when the object goes
        return True
    code = child.wait()
    if code not in (0, BUSY):
        raise explain("cannot start the keeper", tail(home.keeper_log), f"Read {home.keeper_log}.")
    return code == 0


def _keeper_environment() -> dict[str, str]:
    """Ours, plus the way to this package when it is not an installed one."""
    root = str(Path(__file__).parents[2])
    known = os.environ.get("PYTHONPATH")
    env = {**os.environ, "PYTHONSAFEPATH": "1"}  # the folder we happen to be in must not shadow a module
    if root not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        env["PYTHONPATH"] = os.pathsep.join([*([known] if known else []), root])
    return env


# ---- looking and stopping ----


@dataclass(frozen=True)
class Status:
    """What can be said of a home without starting anything."""

    running: bool
    data_dir: Path
    pid: int | None = None
    keeper_pid: int | None = None
    version: str | None = None
    provider: str | None = None
    url: str | None = None
    tcp_port: int | None = None
    clients: bool = False
    uptime: float | None = None
    major: int | None = None


def status(home: Path) -> Status:
    """Whether a server runs and for whom. Starts nothing and makes nothing."""
    place = Home(Path(os.path.abspath(home)))
    note = _running(place)
    if note is None:
        return Status(running=False, data_dir=place.data, major=place.major, clients=is_held(place.clients))
    return Status(
        running=True, data_dir=place.data, pid=note.pid, keeper_pid=note.keeper_pid, version=note.version,
        provider=note.provider, tcp_port=note.tcp_port,
        url=_url(note, read_password(place) or "", cluster.DATABASE),
        clients=is_held(place.clients), uptime=max(0.0, time.time() - note.started_at), major=place.major,
    )  # fmt: skip


def stop(home: Path, *, timeout: float = 30.0) -> bool:
    """Ask the keeper to stop now, clients or not. False when nothing ran."""
    place = Home(Path(os.path.abspath(home)))
    deadline = time.monotonic() + timeout
    found = False
    while _has_keeper(place):
        if time.monotonic() > deadline:
            raise PostgresError("the server did not stop in time", f"Read {place.log}.")
        note = read_note(place)
        if note:
            with contextlib.suppress(OSError):
                write_private(place.stop, json.dumps({"token": note.token}))
        time.sleep(0.05)
        found = True
    return found
