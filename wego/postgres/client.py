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
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from . import cluster
from .errors import PostgresError, explain
from .home import BUSY, Home, Note, Order, open_home, read_failure, read_note, read_password, tail, write_private
from .locks import Lock, is_held, opened
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
        self.password = _password(home)

    @property
    def url(self) -> str:
        """The database `wego`, for asyncpg, psycopg and psql."""
        return self.url_of(cluster.DATABASE)

    @property
    def admin_url(self) -> str:
        """The maintenance database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The URL of any database of this server."""
        return _url(self._note, self.password, database)

    @property
    def host(self) -> str:
        """The folder of the socket."""
        return self._note.socket_dir

    @property
    def provider(self) -> Provider:
        """Whose programs run the server."""
        return Provider(Source(self._note.provider), self._note.version, Path(self._note.bin))

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

    def __exit__(self, *_: object) -> None:
        self.close()


def attach(
    home: Path,
    *,
    binaries: Path | None = None,
    grace: float = 5.0,
    timeout: float = 60.0,
    tuning: Mapping[str, str] = _NOTHING,
) -> Attachment:
    """Hold the server of `home`, starting it if it does not run.

    `grace`, `binaries` and `tuning` count for whoever starts the server; a running one is shared as it is.
    """
    cluster.check_tuning(tuning)
    place = open_home(home)
    order = Order(secrets.token_hex(8), grace, str(binaries) if binaries else None, dict(tuning))
    lock = Lock(place.clients)
    try:
        if not lock.take_within(timeout, shared=True):
            raise PostgresError("the last server of this home is still stopping", f"Read {place.log}.")
        return Attachment(place, lock, order, timeout)
    except BaseException:
        lock.close()
        raise


def _password(home: Home) -> str:
    word = read_password(home)
    if word is None:
        raise PostgresError(f"{home.password} is gone", "Stop the server; its next start draws a new password.")
    return word


def _url(note: Note, password: str, database: str) -> str:
    """The port is always said: it names the socket file, and a PGPORT in the environment must not win."""
    where = f"host={note.socket_dir}&port={cluster.PORT}"
    return f"postgresql://{cluster.ROLE}:{password}@/{quote(database)}?{where}"


# ---- starting ----


def _await_server(home: Home, order: Order, timeout: float) -> Note:
    """The note of a running server. One client at a time may start a keeper; the others wait for it."""
    deadline = time.monotonic() + timeout
    mine, launched = False, 0
    with opened(home.starting) as turn:
        while time.monotonic() < deadline:
            if note := _running(home):
                return note
            mine = mine or turn.take()
            if mine and not _has_keeper(home):
                _hear(home, order, launched)
                home.server.unlink(missing_ok=True)
                launched += _launch(home, order)
            time.sleep(_POLL)
    raise _too_slow(home)


def _has_keeper(home: Home) -> bool:
    return is_held(home.keeper, shared=True)


def _running(home: Home) -> Note | None:
    """The keeper first, then its note: a note from before this keeper was removed before it was launched."""
    return read_note(home) if _has_keeper(home) else None


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
    """Run the keeper, whose first process returns as soon as the lock is taken. False when another one was faster."""
    if not sys.executable:
        raise PostgresError("this Python does not know its own path (sys.executable)", "Start it as `python`.")
    argv = [sys.executable, "-m", f"{__package__}.keeper", str(home.root), json.dumps(asdict(order))]
    with home.keeper_log.open("ab") as log:
        code = subprocess.call(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_keeper_environment(), start_new_session=True
        )
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
    url: str | None = None
    clients: bool = False
    uptime: float | None = None


def status(home: Path) -> Status:
    """Whether a server runs and for whom. Starts nothing and makes nothing."""
    place = Home(home)
    note = _running(place)
    if note is None:
        return Status(running=False, data_dir=place.data, clients=is_held(place.clients))
    return Status(
        running=True, data_dir=place.data, pid=note.pid, keeper_pid=note.keeper_pid, version=note.version,
        url=_url(note, read_password(place) or "", cluster.DATABASE),
        clients=is_held(place.clients), uptime=max(0.0, time.time() - note.started_at),
    )  # fmt: skip


def stop(home: Path, *, timeout: float = 30.0) -> bool:
    """Ask the keeper to stop now, clients or not. False when nothing ran."""
    place = Home(home)
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
