"""The home folder of one embedded cluster: what lies where, the password, what clients and keeper tell each other.

<home>/clients        clients hold LOCK_SH; the keeper ends when it can take LOCK_EX
<home>/keeper.lock    held by the one keeper
<home>/starting       held by the one client that starts a keeper
<home>/server.json    written when the server is ready, removed before it stops
<home>/failure.json   why the last start failed
<home>/stop           a request to stop, addressed to one keeper by its token
<home>/password       of the role `wego`, 0600
<home>/log/           postgres.log, keeper.log (each with one .1)
<home>/pg-<version>/  copy of binaries that PostgreSQL's account could not read (root only)
<home>/cluster/       owned by the account that runs PostgreSQL: data/, socket/
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from wego.core import files

from . import port
from .errors import PostgresError

BUSY = 75  # the keeper's exit code when another one is there


@dataclass(frozen=True)
class Order:
    """What the client that starts a keeper wants; it is the keeper's argument, as JSON."""

    attempt: str
    grace: float
    binaries: str | None
    tuning: dict[str, str]


@dataclass(frozen=True)
class Note:
    """What a running keeper tells its clients (server.json)."""

    token: str
    keeper_pid: int
    pid: int
    version: str
    provider: str
    bin: str
    socket_dir: str
    started_at: float


class Home:
    """The paths below one home."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))
        self.clients = self.root / "clients"
        self.keeper = self.root / "keeper.lock"
        self.starting = self.root / "starting"
        self.server = self.root / "server.json"
        self.failure = self.root / "failure.json"
        self.stop = self.root / "stop"
        self.password = self.root / "password"
        self.log = self.root / "log" / "postgres.log"
        self.keeper_log = self.root / "log" / "keeper.log"
        self.cluster = self.root / "cluster"
        self.data = self.cluster / "data"

    @property
    def major(self) -> int | None:
        """The major version of the data directory, None before the first start."""
        try:
            return int((self.data / "PG_VERSION").read_text().strip())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise PostgresError(f"{self.data} is not a readable PostgreSQL data directory: {error}") from error


def is_made(path: Path) -> bool:
    """Whether there is a cluster in this home, also one whose upgrade was cut off."""
    home = Home(path)
    return home.major is not None or any(home.cluster.glob("data-*.old"))


def open_home(path: Path) -> Home:
    """Make the folder if need be. Root lets others pass through it: the account of PostgreSQL must."""
    home = Home(path)
    try:
        home.root.mkdir(mode=0o711 if port.is_root() else 0o700, parents=True, exist_ok=True)
        home.log.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise PostgresError(f"cannot use {home.root}: {error.strerror}", "Choose a home you may write.") from error
    return home


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file in one step: readers see the old text or the new, never half."""
    if not path.parent.is_dir():  # a home that was removed stays removed
        raise FileNotFoundError(path.parent)
    files.write_private(path, text.encode())


def read_password(home: Home) -> str | None:
    """The password of the role `wego`, None when it is not there."""
    try:
        return home.password.read_text().strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PostgresError(
            f"cannot read {home.password}: {error.strerror}", "The home belongs to the account that made it."
        ) from error


def make_password(home: Home, word: str | None = None) -> str:
    """Draw a new password, or take the given one, and keep it."""
    word = word or secrets.token_urlsafe(24)
    write_private(home.password, word + "\n")
    return word


def read_note(home: Home) -> Note | None:
    """The keeper's note, None when there is none (or it is from a release that told less)."""
    try:
        told = json.loads(home.server.read_text())
        return Note(**{field.name: told[field.name] for field in fields(Note)})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    except OSError as error:
        raise PostgresError(f"cannot read {home.server}: {error.strerror}", "The home is another account's.") from error


def write_note(home: Home, note: Note) -> None:
    """Tell the clients that the server is ready."""
    write_private(home.server, json.dumps(asdict(note)))


def write_failure(home: Home, attempt: str, error: PostgresError) -> None:
    """Tell the client that asked why there is no server."""
    write_private(home.failure, json.dumps({"attempt": attempt, "message": error.message, "hint": error.hint}))


def read_failure(home: Home, attempt: str) -> PostgresError | None:
    """Why the start that we asked for failed, None when it has not (yet)."""
    try:
        told = json.loads(home.failure.read_text())
    except (OSError, ValueError):
        return None
    return PostgresError(told["message"], told["hint"]) if told["attempt"] == attempt else None


def tail(path: Path, size: int = 3000) -> str:
    """The end of a log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
