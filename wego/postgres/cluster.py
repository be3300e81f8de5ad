"""The cluster on disk: made in one step, its settings, its password, its socket folder."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from wego.core import files

from . import port
from .account import Tenant
from .errors import PostgresError
from .home import Home, make_password, read_password
from .providers import Provider

ROLE = "wego"
DATABASE = "wego"
PORT = 5432  # names the socket file: the server never listens on TCP

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "cluster_name": "wego",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}

# What the supervisor itself depends on; `tuning` may not touch it.
_OURS = frozenset({
    "data_directory", "config_file", "hba_file", "ident_file", "external_pid_file",
    "port", "listen_addresses", "unix_socket_directories", "unix_socket_permissions",
    "logging_collector", "log_destination", "event_source",
})  # fmt: skip

_SHORT = "/tmp"  # noqa: S108 -- only 0700 folders whose owner is checked are used in it
_SOCKET_ROOM = 100  # sun_path is 104 (macOS) to 108 bytes
_PLAIN = re.compile(r"[A-Za-z0-9_./+@-]+")  # needs no quoting in a setting, a URL or a list of hosts


def check_tuning(tuning: Mapping[str, str]) -> None:
    """Refuse settings that would pull the server from under the supervisor."""
    for name in tuning:
        if not re.fullmatch(r"[a-z_][a-z0-9_.]*", name):
            raise PostgresError(f"{name!r} is not the name of a setting")
        if name in _OURS:
            raise PostgresError(f"{name} is set by the supervisor", "Leave it out of `tuning`.")


def flags(settings: Mapping[str, str]) -> list[str]:
    """Settings as arguments of `postgres`."""
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def create(home: Home, tenant: Tenant, provider: Provider, tuning: Mapping[str, str]) -> None:
    """initdb and the database `wego` in a draft folder, then one rename: half a cluster never counts."""
    draft = home.cluster / "data.new"
    remove(draft)
    password = read_password(home) or make_password(home)
    lasting = tuning.get("fsync", "on") == "on"
    initdb(tenant, provider, draft, password, lasting=lasting)
    single(tenant, provider, draft, f"CREATE DATABASE {DATABASE} OWNER {ROLE}", tuning)
    draft.rename(home.data)
    if lasting:
        files.sync_folder(home.cluster)


def initdb(tenant: Tenant, provider: Provider, folder: Path, password: str, *, lasting: bool = True) -> None:
    """Run initdb: UTF-8, the same C.UTF-8 everywhere, checksums, scram for every connection."""
    word = tenant.write("password.new", password)
    switches = [*_locale(provider.major), "--encoding=UTF8", "--data-checksums", f"--username={ROLE}"]
    switches += ["--auth=scram-sha-256", *([] if lasting else ["--no-sync"])]
    argv = [provider.program("initdb"), "-D", tenant.seen(folder), f"--pwfile={tenant.seen(word)}", *switches]
    try:
        tenant.give_empty(folder)
        tenant.run("initdb failed", argv)
    finally:
        word.unlink(missing_ok=True)


def single(tenant: Tenant, provider: Provider, folder: Path, sql: str, tuning: Mapping[str, str]) -> None:
    """Run one statement in single-user mode, without a server and without a password."""
    argv = [provider.program("postgres"), "--single", "-D", tenant.seen(folder), "-c", "exit_on_error=on"]
    tenant.run("the first statements failed", [*argv, *flags(tuning), "postgres"], text=sql + "\n")


def mend_password(home: Home, tenant: Tenant, provider: Provider, tuning: Mapping[str, str]) -> None:
    """A lost password file is no lost cluster: draw a new password for the role."""
    if read_password(home) is None:
        word = secrets.token_urlsafe(24)
        single(tenant, provider, home.data, f"ALTER ROLE {ROLE} PASSWORD '{word}'", tuning)
        make_password(home, word)


def put_back(home: Home) -> None:
    """Undo an upgrade that was cut off between its two renames: the old data is aside, `data` is missing."""
    if not home.data.exists():
        for aside in sorted(home.cluster.glob("data-*.old"))[:1]:
            aside.rename(home.data)


def _locale(major: int) -> list[str]:
    libc = "C.UTF-8" if port.LINUX else "C"  # macOS has no C.UTF-8 of its own
    if major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={libc}"]
    return [f"--locale={libc}"]


def remove(folder: Path) -> None:
    """Remove a folder that may not be there."""
    if folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise PostgresError(f"cannot remove {folder}: {error}", "Remove it by hand.") from error


# ---- where clients knock ----


def socket_folder(home: Home, tenant: Tenant) -> Path:
    """<home>/cluster/socket, or a short folder of its own in /tmp when that name is too long or too odd."""
    folder = home.cluster / "socket"
    if not (len(str(folder)) < _SOCKET_ROOM - len("/.s.PGSQL.5432.lock") and _PLAIN.fullmatch(str(folder))):
        folder = _short_folder(home, tenant)
    elif not folder.is_dir():
        folder.mkdir(mode=0o700)
        tenant.give(folder)
    return folder


def _short_folder(home: Home, tenant: Tenant) -> Path:
    """The same name at each start, so that URLs stay valid; another one if a stranger took it."""
    mark = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]
    folder = Path(f"{_SHORT}/wego-{tenant.account.uid}-{mark}")
    try:
        folder.mkdir(mode=0o700)
        tenant.give(folder)
    except FileExistsError:
        status = folder.lstat()
        mine = stat.S_ISDIR(status.st_mode) and status.st_uid == tenant.account.uid
        if not mine or stat.S_IMODE(status.st_mode) != 0o700:
            folder = tenant.give(Path(tempfile.mkdtemp(prefix="wego-", dir=_SHORT)))
    return folder
