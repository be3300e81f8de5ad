"""What `wego doctor` finds in the surroundings: Python, the data folder, port and public address, PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

from wego import postgres
from wego.core.settings import Settings

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
    path = settings.pg_bin or None
    told = postgres.diagnose(settings.home, binaries=None if path is None else postgres.from_environment())
    running = postgres.status(settings.home)
    about_log = await _log(settings, postgres.as_hub(running.url)) if running.running and running.url else []
    return [*found, *(Finding(str(each.level), each.message, each.hint) for each in told), *about_log]


def _python() -> Finding:
    return Finding("ok", "Python " + ".".join(str(part) for part in sys.version_info[:3]))


def _home(settings: Settings) -> list[Finding]:
    home = settings.home.absolute()
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        return [Finding("error", f"{nearest} cannot be written", "Set WEGO_HOME to a folder of yours.")]
    free = shutil.disk_usage(nearest).free // 2**20
    level = "ok" if free > 500 else "warning"
    return [
        Finding(
            level,
            f"{free} MiB are free at {home}",
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
    from wego.core.db import AWAY, Database

    database = Database(url, read_size=1, write_size=1)
    try:
        rights = await database.reads.fetchrow(_RIGHTS)
        if rights is None:
            return [Finding("ok", "the database has no tables yet; the first start makes them")]
        problem = await checkpoint_health(database, settings)
    except AWAY as error:
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
