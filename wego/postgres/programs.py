"""PostgreSQL's client programs, run by us against a running server. The password never shows in `ps`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import cluster
from .account import plain_environment
from .client import Attachment
from .errors import PostgresError, explain
from .providers import Provider


@dataclass(frozen=True)
class Programs:
    """psql, pg_dump and the rest, with the way to one server."""

    provider: Provider
    host: str
    password: str

    @classmethod
    def of(cls, server: Attachment) -> Programs:
        """The programs of the server's own provider."""
        return cls(server.provider, server.host, server.password)

    def run(self, name: str, *arguments: str, database: str = cluster.DATABASE) -> str:
        """Run one program to its end; its output, or a refusal that says what it said."""
        env = plain_environment() | {
            "PGHOST": self.host, "PGPORT": str(cluster.PORT), "PGUSER": cluster.ROLE,
            "PGPASSWORD": self.password, "PGDATABASE": database, "PGAPPNAME": f"wego {name}",
        }  # fmt: skip
        argv = [self.provider.program(name), *arguments]
        try:
            done = subprocess.run(argv, env=env, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        except OSError as error:
            raise PostgresError(
                f"cannot run {argv[0]}: {error.strerror}",
                "These binaries lack it; point WEGO_PG_BIN at a full set.",
            ) from error
        if done.returncode:
            raise explain(f"{name} failed", done.stderr, "Read what it said.")
        return done.stdout

    def ask(self, sql: str, database: str = cluster.DATABASE) -> str:
        """The result of one statement (or several in one transaction), as plain text."""
        return self.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, database=database).strip()

    def dump(self, database: str, target: Path) -> None:
        """pg_dump in the custom format (compressed, selective restore)."""
        self.run("pg_dump", "--format=custom", f"--file={target}", database=database)

    def load(self, database: str, source: Path, *switches: str) -> None:
        """pg_restore; all of it or, in one transaction, nothing."""
        switches = ("--exit-on-error", "--single-transaction", f"--dbname={database}", *switches)
        self.run("pg_restore", *switches, str(source), database=database)
