"""What `wego doctor` says about a home: each finding with what helps. Starts and changes nothing."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .account import choose_account
from .client import status
from .errors import PostgresError
from .home import Home
from .providers import Source, choose, providers

_LEAST_SPACE = 500 * 1024 * 1024
_OLD_MINORS = {15: 18, 17: 10, 18: 6}  # what was current when this was written


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One sentence, and what to do about it."""

    level: Level
    message: str
    hint: str = ""


def diagnose(home: Path, *, binaries: Path | None = None) -> list[Finding]:
    """Look at the programs, the account, the disk, the files and the server."""
    place = Home(Path(os.path.abspath(home)))
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _programs(place, binaries),
        lambda: _account(place),
        lambda: _space(place),
        lambda: _files(place),
        lambda: _server(place),
    )
    return [finding for look in looks for finding in _heard(look)]


def _heard(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except PostgresError as error:
        yield Finding(Level.ERROR, error.message, error.hint)
    except OSError as error:
        yield Finding(Level.ERROR, str(error), "Use the account that made the home.")


def _programs(place: Home, binaries: Path | None) -> Iterator[Finding]:
    used = choose(binaries, place.major)
    yield Finding(Level.OK, f"PostgreSQL {used.version} from {used.name} ({used.bin})")
    major, _, minor = used.version.partition(".")
    if minor.isdigit() and int(minor) < _OLD_MINORS.get(int(major), 0):
        yield Finding(Level.WARNING, f"PostgreSQL {used.version} lacks security fixes", "Update these binaries.")
    newest = max(providers(binaries), key=lambda one: one.major)
    if newest.major > used.major:
        yield Finding(Level.WARNING, f"PostgreSQL {newest.version} is there too", "`wego db upgrade` moves to it.")
    if used.name is Source.EMBEDDED:
        yield Finding(Level.OK, "these binaries have no TLS and no ICU: sockets and 127.0.0.1 only")


def _account(place: Home) -> Iterator[Finding]:
    account = choose_account(place.data)
    if account.is_other:
        yield Finding(Level.OK, f"we are root; the server runs as {account.name}")
        if place.root.exists() and not account.may_reach(place.cluster):
            yield Finding(
                Level.WARNING, f"{account.name} may not enter {place.root}, so it inherits the open folder",
                "This works; psql and friends must be run as root. A home such as /var/lib/wego avoids it.",
            )  # fmt: skip


def _space(place: Home) -> Iterator[Finding]:
    folder = next(path for path in (place.root, *place.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    level = Level.OK if free >= _LEAST_SPACE else Level.ERROR
    yield Finding(level, f"{free // 2**20} MB free at {folder}", "" if level is Level.OK else "Free some space.")


def _files(place: Home) -> Iterator[Finding]:
    if place.major is None:
        yield Finding(Level.OK, f"no data in {place.root} yet; the first start makes it")
        return
    if not place.password.exists():
        yield Finding(Level.WARNING, "the password file is gone", "The next start of the server draws a new one.")
    elif stat.S_IMODE(place.password.stat().st_mode) & 0o077 and os.name == "posix":
        yield Finding(Level.ERROR, f"others may read {place.password}", f"chmod 600 {place.password}")
    for aside in place.cluster.glob("data-*.old"):
        yield Finding(Level.WARNING, f"{aside} is left of an upgrade", "Remove it when the new data is good.")


def _server(place: Home) -> Iterator[Finding]:
    now = status(place.root)
    if now.running:
        yield Finding(Level.OK, f"the server runs (pid {now.pid}, {'in use' if now.clients else 'nobody attached'})")
    elif now.clients:
        hint = "The next attach starts it; a running program calls Attachment.ensure()."
        yield Finding(Level.WARNING, "programs are attached, but no server runs", hint)
    else:
        yield Finding(Level.OK, "the server does not run; it starts when somebody needs it")
