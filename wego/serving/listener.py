"""A socket that listens, and takes everybody in who stands at the door, not one in each turn of the loop.

libuv (under uvloop) accepts one connection in each turn of the event loop since its version 1.45. When turns are long,
because there is much to do, a few hundred connections of one attacker at the door keep everybody else out for seconds.
Here many are taken in at once; who has too many connections is turned away by the protocol at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable

log = logging.getLogger("wego.serve")

AT_ONCE = 100  # connections taken in before something else has its turn
PAUSE = 0.5  # seconds, when there is no file descriptor or memory for another
SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Listener:
    """Takes connections in until it is closed; stands where uvicorn expects an `asyncio.Server`."""

    def __init__(self, sock: socket.socket, make: Callable[[], asyncio.Protocol], backlog: int) -> None:
        self.sockets = (sock,)
        self._socket, self._make = sock, make
        self._loop = asyncio.get_running_loop()
        self._coming: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        sock.setblocking(False)
        sock.listen(backlog)
        self._go_on()

    def _go_on(self) -> None:
        self._timer = None
        self._loop.add_reader(self._socket.fileno(), self._take)

    def _take(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in SHORT:
                    raise
                log.error("no connection can be taken in: %s", error.strerror)
                self._loop.remove_reader(self._socket.fileno())
                self._timer = self._loop.call_later(PAUSE, self._go_on)
                return
            task = self._loop.create_task(self._let_in(connection))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)

    async def _let_in(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:  # gone again
            connection.close()

    def close(self) -> None:
        """Take nobody in any more; those who are in stay."""
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(OSError, ValueError):
            self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    async def wait_closed(self) -> None:
        if self._coming:
            await asyncio.wait(set(self._coming), timeout=1)
