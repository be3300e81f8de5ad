"""What `wego doctor` finds in the surroundings: Python, the data folder, port and public address, PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wego import postgres
from wego.core.settings import Settings
from wego.postgres import account, home
from wego.postgres.providers import choose

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Finding:
    level: str  # ok | warning | error
    what: str
    hint: str = ""

    def row(self) -> dict[str, str]:
        return {"level": self.level, "what": self.what, "hint": self.hint}


async def findings(settings: Settings) -> list[Finding]:
    """Everything worth saying, good and bad."""
    found = [_python(), *_home(settings), _port(settings), _address(settings)]
    if settings.database_url:
        return [*found, await _own_server(settings.database_url), *await _log(settings, settings.database_url)]
    running = postgres.status(settings.home)
    about_log = await _log(settings, postgres.as_hub(running.url)) if running.running and running.url else []
    return [*found, *_embedded(settings), *about_log]


def _python() -> Finding:
    return Finding("ok", "Python " + ".".join(str(part) for part in sys.version_info[:3]))


def _home(settings: Settings) -> list[Finding]:
    wanted = settings.home.absolute()
    nearest = next(folder for folder in (wanted, *wanted.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        return [Finding("error", f"{nearest} cannot be written", "Set WEGO_HOME to a folder of yours.")]
    free = shutil.disk_usage(nearest).free // 2**20
    level = "ok" if free > 500 else "warning"
    return [
        Finding(
            level,
            f"{free} MiB are free at {wanted}",
            "" if level == "ok" else "Make room: PostgreSQL stops on a full disk.",
        )
    ]


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((settings.host, settings.port)) == 0:
            return Finding(
                "warning", f"something answers on port {settings.port}", "It may be the hub itself; else set WEGO_PORT."
            )
    return Finding("ok", f"port {settings.port} is free")


def _address(settings: Settings) -> Finding:
    """OAuth is for https only (RFC 6749 section 3.2, RFC 8414 section 2), but on the machine itself."""
    address = urlsplit(settings.issuer)
    if address.scheme == "https":
        return Finding("ok", f"the hub is known as {settings.issuer}")
    if address.hostname in LOOPBACK:
        return Finding("ok", f"{settings.issuer} is for this machine only", "Others need WEGO_PUBLIC_URL=https://…")
    return Finding(
        "error",
        f"{settings.issuer} is not https, so no program gets a token",
        "Set WEGO_PUBLIC_URL to an https address.",
    )


_RIGHTS = """
    select r.rolsuper as super, pg_has_role(current_user, c.relowner, 'usage') as owner
    from pg_roles r, pg_class c where r.rolname = current_user and c.oid = to_regclass('audit_entry')
"""


async def _log(settings: Settings, url: str) -> list[Finding]:
    """Whether the log is signed, and whether the role that serves could rewrite it. Starts nothing."""
    from wego.core.audit.checkpoints import checkpoint_health
    from wego.core.db import Database, is_away

    database = Database(url, read_size=1, write_size=1)
    try:
        rights = await database.reads.fetchrow(_RIGHTS)
        if rights is None:
            return [Finding("ok", "the database has no tables yet; the first start makes them")]
        problem = await checkpoint_health(database, settings)
    except Exception as error:
        if not is_away(error):
            raise
        return [Finding("warning", f"the log cannot be looked at: {type(error).__name__}", "Start the hub once.")]
    finally:
        await database.close()
    found = [Finding("error", problem, "Nothing is signed meanwhile.")] if problem else []
    if rights["super"] or rights["owner"]:
        hint = "Serve with a role of its own: WEGO_MIGRATION_URL for the owner, WEGO_DATABASE_URL for that role."
        return [*found, Finding("warning", "the hub's role owns its tables, so it could rewrite the log", hint)]
    return found or [Finding("ok", "the log is signed, and the hub's role cannot rewrite it")]


async def _own_server(url: str) -> Finding:
    import asyncpg

    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        return Finding(
            "error", f"WEGO_DATABASE_URL cannot be reached: {type(error).__name__}", "Check address and password."
        )
    version = connection.get_server_version()
    await connection.close()
    if version.major < 15:
        return Finding("error", f"PostgreSQL {version.major} is too old", "The hub needs PostgreSQL 15 or newer.")
    return Finding("ok", f"PostgreSQL {version.major} answers")


# ── the embedded PostgreSQL: nothing is started or changed ────────────────────────────────────────────────────────


def _embedded(settings: Settings) -> list[Finding]:
    """The programs, the account, the files and the server."""
    place = home.Home(settings.home)
    looks = (_programs(place, Path(settings.pg_bin) if settings.pg_bin else None), _account(place), _cluster(place))
    return [finding for look in (*looks, _server(place)) for finding in _heard(look)]


def _heard(look: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from look
    except postgres.PostgresError as error:
        yield Finding("error", error.message, error.hint)
    except OSError as error:
        yield Finding("error", str(error), "Use the account that made the home.")


def _programs(place: home.Home, binaries: Path | None) -> Iterator[Finding]:
    used = choose(binaries, place.major)
    yield Finding("ok", f"PostgreSQL {used.version} from {used.name} ({used.bin})")
    newest = max(postgres.providers(binaries), key=lambda one: one.major)
    if newest.major > used.major:
        yield Finding("warning", f"PostgreSQL {newest.version} is there too", "`wego db upgrade` moves to it.")
    if used.name is postgres.Source.EMBEDDED:
        yield Finding("ok", "these binaries have no TLS and no ICU: sockets only")


def _account(place: home.Home) -> Iterator[Finding]:
    runner = account.choose_account(place.data)
    if runner.is_other:
        yield Finding("ok", f"we are root; the server runs as {runner.name}")
        if place.root.exists() and not runner.may_reach(place.cluster):
            yield Finding(
                "warning", f"{runner.name} may not enter {place.root}, so it inherits the open folder",
                "This works; psql and friends must be run as root. A home such as /var/lib/wego avoids it.",
            )  # fmt: skip


def _cluster(place: home.Home) -> Iterator[Finding]:
    if place.major is None:
        yield Finding("ok", f"no data in {place.root} yet; the first start makes it")
        return
    if not place.password.exists():
        yield Finding("warning", "the password file is gone", "The next start of the server draws a new one.")
    elif stat.S_IMODE(place.password.stat().st_mode) & 0o077:
        yield Finding("error", f"others may read {place.password}", f"chmod 600 {place.password}")
    for aside in place.cluster.glob("data-*.old"):
        yield Finding("warning", f"{aside} is left of an upgrade", "Remove it when the new data is good.")


def _server(place: home.Home) -> Iterator[Finding]:
    now = postgres.status(place.root)
    if now.running:
        yield Finding("ok", f"the server runs (pid {now.pid}, {'in use' if now.clients else 'nobody attached'})")
    elif now.clients:
        hint = "The next attach starts it; a running program calls Attachment.ensure()."
        yield Finding("warning", "programs are attached, but no server runs", hint)
    else:
        yield Finding("ok", "the server does not run; it starts when somebody needs it")
