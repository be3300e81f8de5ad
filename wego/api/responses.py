"""What goes back, and public answers kept in memory: exactly the bytes, for as long as nothing changed.

Only what nobody in particular asked is kept. Every write tells all server processes through NOTIFY at its commit
(`audit.record`); a process that cannot listen keeps nothing. An answer also ages out after a few seconds, because
an embargo ends by the clock and tells nobody. Keys are digests of requests (`Request.key`).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg
from starlette.types import Message

from wego.core.cache import Cache

Headers = tuple[tuple[bytes, bytes], ...]

SECONDS = 5.0
BYTES_OF_HEAD = 1_500  # what the head of an answer takes in memory
log = logging.getLogger("wego.cache")


@dataclass(slots=True)
class Response:
    """What goes back. `is_public`: everybody who asks the same gets these bytes, until something changes. `start` is
    its head as ASGI sends it, once it was made for keeping."""

    status: int
    body: bytes
    headers: Headers = ()
    is_public: bool = False
    tag: bytes = b""
    start: Message | None = None


def tagged(response: Response) -> Response:
    """A public answer as one that may be kept, but must be asked for again, with its strong entity tag (RFC 9110
    section 8.8.3)."""
    tag = b'"' + hashlib.blake2b(response.body, digest_size=12).hexdigest().encode() + b'"'
    return Response(response.status, response.body, _revalidated(tag), is_public=True, tag=tag)


def not_modified(response: Response) -> Response:
    """The answer to who has these bytes already."""
    return Response(304, b"", _revalidated(response.tag))


def _revalidated(tag: bytes) -> Headers:
    return (b"etag", tag), (b"cache-control", b"no-cache")


class PublicCache:
    """A bounded map from request to answer, with one flight per key."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: Cache[bytes, Response] = Cache(
            most_bytes, size=lambda made: len(made.body) + BYTES_OF_HEAD, seconds=SECONDS
        )
        self._flights: dict[bytes, asyncio.Future[Response | None]] = {}
        self.version = 0
        self.listening = False
        self.get = self._kept.get

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        self._kept.clear()
        self.version += 1

    def put(self, key: bytes, made: Response, version: int) -> Response:
        """Keep an answer, unless something changed while it was made."""
        if self.listening and version == self.version:
            self._kept.put(key, made)
        return made

    async def single_flight(self, key: bytes, make: Callable[[], Awaitable[Response]]) -> Response | None:
        """The answer that is kept, or being made, or made now. None for who only waited, when what was made is not for
        everybody: he has to ask himself."""
        kept = self.get(key)
        if kept is not None:
            return kept
        flight = self._flights.get(key)
        if flight is not None:
            return await asyncio.shield(flight)
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        shared: Response | None = None
        try:
            made = await make()
            shared = made if made.is_public else None
            return made
        finally:
            del self._flights[key]
            flight.set_result(shared)

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
        connection = await asyncpg.connect(url, timeout=5, server_settings={"application_name": "wego listens"})
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        try:
            await connection.add_listener("wego_data", lambda *_: self.clear())
            self.clear()
            self.listening = True
            await gone.wait()
        finally:
            connection.terminate()
