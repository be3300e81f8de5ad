"""Backup and restore of the database `wego` with PostgreSQL's own pg_dump and pg_restore."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from wego.core import files

from . import cluster
from .client import attach
from .errors import PostgresError
from .programs import Programs

_DRAFT = "wego_restoring"
_BEFORE = "wego_before_restore"
_BARE = ("--no-owner", "--no-privileges")  # the roles of another cluster are not those of this one

_COUNT = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


def backup(home: Path, target: Path, *, binaries: Path | None = None) -> Path:
    """Dump the database to `target` (0600, there in full or not at all), starting the server if need be."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    with attach(home, binaries=binaries) as server:
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            Programs.of(server).dump(cluster.DATABASE, draft)
            _settle(draft, target)
        except OSError as error:
            raise PostgresError(f"cannot write {target}: {error.strerror}", "Choose a folder you may write.") from error
        finally:
            draft.unlink(missing_ok=True)
    return target


def _settle(draft: Path, target: Path) -> None:
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    files.sync_folder(target.absolute().parent)


def restore(home: Path, source: Path, *, replace: bool = False, binaries: Path | None = None) -> None:
    """Load a dump into the empty database, or with `replace` put it in the place of what is there.

    Either way nothing has changed when it fails: an empty database is filled in one transaction, a full
    one is swapped by two renames in one transaction after the dump was loaded beside it.
    """
    if not source.is_file():
        raise PostgresError(f"there is no backup {source}", "Give the file that `backup` wrote.")
    with attach(home, binaries=binaries) as server:
        programs = Programs.of(server)
        if programs.ask(_COUNT) == "0":
            programs.load(cluster.DATABASE, source, *_BARE)
        elif replace:
            _swap_in(programs, source)
        else:
            raise PostgresError("the database is not empty", "Say replace (`--replace`) to drop what is there.")
        programs.ask("ANALYZE")


def _swap_in(programs: Programs, source: Path) -> None:
    for name in (_DRAFT, _BEFORE):
        programs.ask(f"DROP DATABASE IF EXISTS {name}", "postgres")
    programs.ask(f"CREATE DATABASE {_DRAFT} TEMPLATE template0", "postgres")
    try:
        programs.load(_DRAFT, source, *_BARE)
        # Nobody may come in between the end of the connections and the renames.
        programs.ask(f"ALTER DATABASE {cluster.DATABASE} ALLOW_CONNECTIONS false", "postgres")
        renames = (_rename(cluster.DATABASE, _BEFORE), _rename(_DRAFT, cluster.DATABASE))
        programs.ask("; ".join((_farewell(), *renames)), "postgres")
    except PostgresError:
        programs.ask(f"ALTER DATABASE {cluster.DATABASE} ALLOW_CONNECTIONS true", "postgres")
        programs.ask(f"DROP DATABASE IF EXISTS {_DRAFT} WITH (FORCE)", "postgres")
        raise
    programs.ask(f"DROP DATABASE {_BEFORE} WITH (FORCE)", "postgres")


def _farewell() -> str:
    """End the connections to the old database. The rename itself waits up to 5 s for them to go."""
    return f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{cluster.DATABASE}'"


def _rename(old: str, new: str) -> str:
    return f"ALTER DATABASE {old} RENAME TO {new}"
