"""Which account runs PostgreSQL, and how its processes reach the cluster.

PostgreSQL refuses root, so root hands the server to `postgres`, else `nobody`; anyone else runs it
himself. The keeper stays root and the data stays in the home.

When that account may not pass through a parent of the home (/root is 0700, so is every mkdtemp), nothing
is moved and no mode is changed: root opens the cluster folder and PostgreSQL inherits the open folder.
Its processes name everything through it, as /proc/self/fd/<n>/data and /proc/self/fd/<n>/socket: the
kernel follows such a name without walking the parents. So a volume mounted on the home holds all data,
and removing the home removes everything. This needs Linux with /proc; elsewhere there is a clear refusal.
Only binaries are different: PostgreSQL looks for its own path, so a copy of them needs a real, reachable
one (`binaries.py`).
"""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from . import port
from .errors import PostgresError, explain

_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Someone with a line in the password database who is not root."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether we are root and act for this account."""
        return port.is_root()

    def may(self, path: Path, wanted: int) -> bool:
        """Whether the mode bits (not ACLs) of `path` allow `wanted`, out of 4 read, 2 write, 1 enter."""
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return stat.S_IMODE(status.st_mode) >> shift & wanted == wanted

    def may_reach(self, path: Path) -> bool:
        """Whether every parent of `path` may be entered."""
        return all(self.may(parent, 1) for parent in path.resolve().parents)


def choose_account(data: Path) -> Account:
    """The owner of an existing data directory, else ourselves, or for root `postgres` or `nobody`."""
    if data.exists():
        return _owner(data)
    return _first_unprivileged() if port.is_root() else _by_uid(os.geteuid())


def _by_uid(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise PostgresError(
            f"the uid {uid} has no entry in the password database, and PostgreSQL insists on one",
            "Add a line for it to /etc/passwd, or use an external server (WEGO_DATABASE_URL).",
        ) from None
    return Account(entry.pw_name, uid, entry.pw_gid)


def _owner(data: Path) -> Account:
    uid = data.stat().st_uid
    if uid == 0:
        raise PostgresError(f"{data} belongs to root, whom PostgreSQL refuses", "Give it to an ordinary account.")
    if not port.is_root() and uid != os.geteuid():
        raise PostgresError(f"{data} belongs to {_by_uid(uid).name}", "Use that account, or another home.")
    return _by_uid(uid)


def _first_unprivileged() -> Account:
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise PostgresError(
        "root may not run PostgreSQL, and there is neither an account `postgres` nor `nobody`",
        "Add one (useradd --system postgres), or start as an ordinary account.",
    )


class Tenant:
    """The account at work in the cluster folder: it runs programs and knows how they see their files."""

    def __init__(self, account: Account, folder: Path, *, leashed: bool = False) -> None:
        self.account = account
        self.folder = folder
        self._leashed = leashed  # only the single-threaded keeper may run code between fork and exec
        self._fd: int | None = None
        _make_folder(folder, account)
        if account.is_other and not account.may_reach(folder):
            self._fd = _open_for_others(folder)

    def seen(self, path: Path) -> str:
        """The name of `path` (in the folder) for the account's processes."""
        if self._fd is None:
            return str(path)
        return f"/proc/self/fd/{self._fd}/{path.relative_to(self.folder)}"

    def give(self, path: Path) -> Path:
        """Make the account the owner."""
        if self.account.is_other:
            os.chown(path, self.account.uid, self.account.gid)
        return path

    def give_empty(self, path: Path) -> Path:
        """A new 0700 folder of the account."""
        path.mkdir(mode=0o700)
        return self.give(path)

    def write(self, name: str, text: str) -> Path:
        """A 0600 file of the account in the folder."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(text)
        return self.give(path)

    def start(self, argv: list[str], how: signal.Signals, **rest: Any) -> subprocess.Popen[str]:
        """Start a program as the account; should the keeper die, the program gets the signal `how`."""
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "cwd": "/", "env": plain_environment()}
        if self.account.is_other:
            options |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        if self._leashed and (tie := port.leash(how)):
            options["preexec_fn"] = tie
        if self._fd is not None:
            options["pass_fds"] = (self._fd,)
        try:
            child: subprocess.Popen[str] = subprocess.Popen(argv, text=True, **(options | rest))
        except (OSError, subprocess.SubprocessError) as error:
            hint = "Check that this account may read and run it."
            raise PostgresError(f"{self.account.name} cannot run {argv[0]}: {error}", hint) from error
        return child

    def run(self, what: str, argv: list[str], *, text: str | None = None) -> str:
        """Run a program as the account to its end; what it said, or a refusal that begins with `what`."""
        how: int | IO[str] = subprocess.DEVNULL if text is None else subprocess.PIPE
        child = self.start(argv, signal.SIGTERM, stdin=how, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with child:
            output, _ = child.communicate(text)
        if child.returncode:
            raise explain(what, output, "See the log of the home.")
        return str(output)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def plain_environment() -> dict[str, str]:
    """What PostgreSQL's programs are told: nothing of PGHOST, PGDATA, LC_* or TZ that happens to be set."""
    kept = ("LD_LIBRARY_PATH", "TMPDIR")
    loaders = {name: value for name, value in os.environ.items() if name in kept}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"} | loaders


def _make_folder(folder: Path, account: Account) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if account.is_other:
            os.chown(folder, account.uid, account.gid)
    except OSError as error:
        raise PostgresError(f"cannot make {folder}: {error.strerror}", "Choose a home you may write.") from error


def _open_for_others(folder: Path) -> int:
    if not port.LINUX or not Path("/proc/self/fd").is_dir():
        raise PostgresError(
            f"PostgreSQL does not run as root, and its account may not reach {folder}",
            "Choose a home outside of private folders, such as /var/lib/wego.",
        )
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
