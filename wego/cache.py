"""Public answers kept in memory: exactly the bytes, for as long as nothing changed.

Only what nobody in particular asked is kept. Every write tells all server processes through NOTIFY at its commit
(`audit.record`); a process that cannot listen keeps nothing. An answer also ages out after a few seconds, because
an embargo ends by the clock and tells nobody.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any

import asyncpg

SECONDS = 5.0
log = logging.getLogger("wego.cache")


@dataclass(slots=True)
class Kept:
    """A body, its entity tag, and the head of its answer as ASGI sends it."""

    body: bytes
    etag: bytes
    start: dict[str, Any]
    until: float = 0.0


def etag(body: bytes) -> bytes:
    """A strong entity tag (RFC 9110 section 8.8.3)."""
    return b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'


class PublicAnswers:
    """A bounded map from request to answer, with one flight per key."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Future[Kept | None]] = {}
        self._most, self._size, self._version = most_bytes, 0, 0
        self.listening = False

    def get(self, key: Hashable) -> Kept | None:
        kept = self._kept.get(key)
        if kept is None or kept.until < time.monotonic():
            return None
        return kept

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        return self._size

    def clear(self) -> None:
        self._kept.clear()
        self._size = 0
        self._version += 1

    @property
    def version(self) -> int:
        return self._version

    def put(self, key: Hashable, made: Kept, version: int) -> Kept:
        """Keep an answer, unless something changed while it was made."""
        made.until = time.monotonic() + SECONDS
        size = len(made.body)
        if self.listening and version == self._version and size * 8 < self._most:
            old = self._kept.pop(key, None)
            self._size += size - (len(old.body) if old else 0)
            self._kept[key] = made
            while self._size > self._most:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped.body)
        return made

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Kept | None]]) -> Kept | None:
        """The answer that is kept, or being made, or made now. None: this one is not for keeping."""
        kept = self.get(key)
        if kept is not None:
            return kept
        flight = self._flights.get(key)
        if flight is not None:
            return await asyncio.shield(flight)
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            made = await make()
        except BaseException:
            flight.set_result(None)
            raise
        finally:
            del self._flights[key]
        flight.set_result(made)
        return made

    async def listen(self, url: str) -> None:
        """Hear of writes until cancelled; reconnects when the connection breaks."""
        while True:
            try:
                await self._listen_once(url)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("not hearing of changes: %s", type(error).__name__)
            finally:
                self.listening = False
                self.clear()
            await asyncio.sleep(1)

    async def _listen_once(self, url: str) -> None:
        connection = await asyncpg.connect(url, server_settings={"application_name": "wego listens"})
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        try:
            await connection.add_listener("wego_data", lambda *_: self.clear())
            self.clear()
            self.listening = True
            await gone.wait()
        finally:
            await connection.close(timeout=1)
