"""The keeper: a detached process that owns one PostgreSQL server for as long as someone needs it.

    python -m wego.postgres.keeper HOME ORDER        (the order as JSON)

It holds `keeper.lock` for its whole life, so there is one. Clients hold `clients` shared; when the keeper
could take it exclusively for the grace time, nobody is left, and it stops the server and ends. It
restarts a postmaster that was killed. If it is killed itself, the kernel (on macOS a watchdog) tells
PostgreSQL to shut down, and the next client starts a new keeper, which waits for that.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

from . import cluster
from .account import Tenant, choose_account
from .binaries import readable
from .errors import PostgresError
from .home import BUSY, Home, Note, Order, open_home, write_failure, write_note
from .locks import Lock
from .providers import choose
from .server import Server, clear_remains, rotate, start

_TICK = 0.1
_ROTATION = 30.0
_FALLS = 5  # so many within a minute, and the keeper gives up


class Bell:
    """Wakes the keeper at a signal (a dead child, a request to end) or after a while."""

    def __init__(self) -> None:
        self.asked_to_end = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._end)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def _end(self, *_: object) -> None:
        self.asked_to_end = True

    def wait(self, seconds: float) -> None:
        if select.select([self._reader], [], [], seconds)[0]:
            os.read(self._reader, 4096)


class Keeper:
    """One server, watched."""

    def __init__(self, home: Home, order: Order, own: Lock) -> None:
        self.home = home
        self.order = order
        self.own = own
        self.clients = Lock(home.clients)
        self.bell = Bell()
        cluster.put_back(home)
        self.provider = choose(Path(order.binaries) if order.binaries else None, home.major)
        self.account = choose_account(home.data)
        self.tenant = Tenant(self.account, home.cluster, leashed=True)
        self.idle_since: float | None = None
        self.falls: list[float] = []

    def serve(self) -> None:
        """Start the server, watch it, stop it."""
        self.provider = readable(self.provider, self.account, self.home.root)
        cluster.check_tuning(self.order.tuning)
        if self.home.major is None:
            cluster.create(self.home, self.tenant, self.provider, self.order.tuning)
        clear_remains(self.home)
        cluster.mend_password(self.home, self.tenant, self.provider, self.order.tuning)
        server = self._start()
        try:
            while not self._should_end():
                self.bell.wait(_TICK)
                server = self._again_if_fallen(server)
        finally:
            self._end(server)

    def _start(self) -> Server:
        server = start(self.home, self.tenant, self.provider, self.order.tuning)
        try:
            server.wait_ready()
        except BaseException:
            server.forget_watchdog()
            raise
        write_note(self.home, self._note(server))
        _say(f"PostgreSQL {self.provider.version} is ready, pid {server.pid}")
        return server

    def _note(self, server: Server) -> Note:
        return Note(
            token=self.order.attempt, keeper_pid=os.getpid(), pid=server.pid, version=self.provider.version,
            provider=self.provider.name, bin=str(self.provider.bin), socket_dir=str(server.socket_dir),
            started_at=time.time(),
        )  # fmt: skip

    def _again_if_fallen(self, server: Server) -> Server:
        if not server.has_ended or self.bell.asked_to_end:
            return server
        self.home.server.unlink(missing_ok=True)
        server.forget_watchdog()
        now = time.monotonic()
        self.falls = [at for at in self.falls if now - at < 60] + [now]
        _say(f"the server ended (code {server.child.returncode}), starting it again")
        if len(self.falls) > _FALLS:
            raise PostgresError("the server keeps ending", f"Read {self.home.log}.")
        return self._start()

    def _should_end(self) -> bool:
        self._rotate()
        asked = self.bell.asked_to_end or _asks_for(self.home.stop, self.order.attempt)
        return asked or not self.own.is_current() or self._nobody_left()

    def _nobody_left(self) -> bool:
        """Whether the clients' lock has been free for the grace time; if so, it is kept."""
        if not self.clients.take():
            self.idle_since = None
            return False
        now = time.monotonic()
        self.idle_since = self.idle_since or now
        if now - self.idle_since >= self.order.grace:
            return True
        self.clients.let_go()
        return False

    def _rotate(self) -> None:
        if time.monotonic() % _ROTATION < _TICK:
            rotate(self.home.log)
            rotate(self.home.keeper_log)

    def _end(self, server: Server) -> None:
        """Clients must not find the note of a server that is on its way out."""
        self.home.server.unlink(missing_ok=True)
        if not server.has_ended:
            server.stop()
        self.home.stop.unlink(missing_ok=True)
        if not server.socket_dir.is_relative_to(self.home.root):
            with contextlib.suppress(OSError):
                server.socket_dir.rmdir()
        _say("PostgreSQL has stopped")


def _detach() -> None:
    """Leave the terminal and the parent: the first process ends, its child goes on alone."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")  # never hold a folder that someone wants to unmount


def _say(words: str) -> None:
    """Our standard output is <home>/log/keeper.log."""
    sys.stdout.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {words}\n")
    sys.stdout.flush()


def _asks_for(request: Path, token: str) -> bool:
    try:
        return bool(json.loads(request.read_text())["token"] == token)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def keep(path: Path, order: Order) -> int:
    """Take the lock, leave the parent, serve; whatever goes wrong is told to the client that asked."""
    home = open_home(path)
    own = Lock(home.keeper)
    # Others look at the lock by taking it for a moment, so one refusal does not mean that it is held.
    if not own.take_within(0.5):
        return BUSY
    _detach()
    home.server.unlink(missing_ok=True)
    home.stop.unlink(missing_ok=True)
    try:
        Keeper(home, order, own).serve()
    except PostgresError as error:
        write_failure(home, order.attempt, error)
        _say(str(error))
        return 1
    except Exception as error:  # the client must hear of it: it cannot see our stderr
        write_failure(home, order.attempt, PostgresError(f"the keeper failed: {error!r}", f"Read {home.keeper_log}."))
        raise
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(keep(Path(sys.argv[1]), Order(**json.loads(sys.argv[2]))))
