"""The connections that read: bare asyncpg connections in lanes, with prepared statements of bounded memory.

A lane is a class of caller with places of its own, so that one class can never take the places of another: whoever
asks for much waits behind others who ask for much, not in front of those who ask for little, of tokens or of health.
A statement of a lane has the lane's time; PostgreSQL itself ends it then (`statement_timeout`), which is told as
COST_EXCEEDED and leaves the connection as good as it was. Who finds all places taken waits a bounded time in a bounded
queue, and is then told when to come again.

PostgreSQL keeps the plan of a prepared statement in the backend (measured: some 180 bytes for each byte of SQL), so
only what is asked again is prepared, and each connection has a budget for what it keeps.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Any

import asyncpg
import orjson

from wego.core.cache import Cache, digest
from wego.core.errors import CostExceeded, Unavailable, busy

# Plans are made once per statement (page sizes are in the text); answers are short, so no JIT and no workers.
READ_SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "synchronous_commit": "off",  # the only thing a read writes is a used DPoP proof, good for a minute
    "application_name": "wego reads",
    # Whoever reads does not wait for locks: only a migration takes one that a read would have to wait for.
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
}
PREPARED_BYTES = 40 * 2**20  # of plans in one backend, as `_weight` estimates them
PREPARED_MOST = 200  # statements of one connection
PLAN_FACTOR, PLAN_BASE = 200, 16_384  # bytes in the backend for each byte of SQL, and for each statement
SEEN_BYTES, KNOWN_BYTES = 256 * 1024, 2 * 2**20
OLD_SECONDS = 1_800  # after which an idle connection is replaced: what a backend's catalog caches gather goes with it
CONNECT_SECONDS = 5


class Lane(StrEnum):
    """Who asks: each has places of its own."""

    SERVICE = "service"  # tokens, health, the hub itself
    MEMBER = "member"  # signed in
    PUBLIC = "public"  # everybody
    HEAVY = "heavy"  # what is dear, asked by who is signed in
    PUBLIC_HEAVY = "public_heavy"  # what is dear, asked by everybody


@dataclass(frozen=True, slots=True)
class Terms:
    """The places of a lane, the time of one statement, and how many may wait for how long, in seconds."""

    places: int
    seconds: float
    waiting: int = 200
    patience: float = 3.0


def lanes_for(size: int, cores: int | None = None) -> dict[Lane, Terms]:
    """The lanes of a process: `size` places for the public and as many for members. What is dear has one place for
    each two cores, so that it never takes the processor from the rest."""
    heavy = max(1, (cores or os.cpu_count() or 2) // 2)
    return {
        Lane.SERVICE: Terms(2, 5.0, waiting=500),
        Lane.MEMBER: Terms(size, 5.0),
        Lane.PUBLIC: Terms(size, 2.0),
        Lane.HEAVY: Terms(heavy, 5.0, waiting=20, patience=10.0),
        Lane.PUBLIC_HEAVY: Terms(heavy, 2.0, waiting=20, patience=5.0),
    }


REFUSED = (asyncpg.QueryCanceledError, asyncpg.ProgramLimitExceededError)


def refusal_of(error: BaseException, terms: Terms, took: float) -> BaseException:
    """What PostgreSQL ended or would not do, as a refusal: a statement that ran out of its time, or whose answer is too
    large, is too dear. One that somebody else ended is an outage, and stays the error it is."""
    if isinstance(error, asyncpg.ProgramLimitExceededError):
        return CostExceeded("The answer is too large; ask for less at once.")
    if took < terms.seconds * 0.9:
        return error
    return CostExceeded(
        "The answer took longer than {seconds} seconds; ask for less at once.", seconds=round(terms.seconds)
    )


def _weight(sql: str) -> int:
    return PLAN_BASE + PLAN_FACTOR * len(sql)


async def _set_codecs(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        # Bytes as PostgreSQL sends them; jsonb is only ever sent by us, as text behind its version byte.
        skip = 1 if kind == "jsonb" else 0
        await connection.set_type_codec(
            kind,
            schema="pg_catalog",
            format="binary",
            encoder=lambda value, skip=skip: (
                b"\x01" * skip + (value if isinstance(value, bytes) else orjson.dumps(value))
            ),
            decoder=lambda raw, skip=skip: bytes(raw[skip:]),
        )


class Unreachable(ConnectionError):
    """Nobody answers where the database should be."""


async def connect(url: str, settings: dict[str, str], **more: Any) -> Any:
    """A connection with these settings. What the system says of the way there is Unreachable: a file that is missing
    elsewhere is something else."""
    try:
        return await asyncpg.connect(url, server_settings=settings, **more)
    except OSError as error:
        raise Unreachable(str(error) or type(error).__name__) from error


class Reader:
    """One connection, and the statements that are prepared on it."""

    __slots__ = ("_number", "_prepared", "born", "connection")

    def __init__(self, connection: Any) -> None:
        self.connection, self.born = connection, monotonic()
        self._prepared: Cache[str, tuple[Any, int]] = Cache(
            PREPARED_BYTES, size=lambda kept: kept[1], most=PREPARED_MOST
        )
        self._number = 0

    @classmethod
    async def open(cls, url: str, seconds: float) -> Reader:
        """Connect. asyncpg's own cache of statements is off: it counts statements, not their bytes."""
        limit = {"statement_timeout": str(round(seconds * 1000))}
        connection = await connect(url, READ_SETTINGS | limit, statement_cache_size=0, timeout=CONNECT_SECONDS)
        await _set_codecs(connection)
        return cls(connection)

    @property
    def usable(self) -> bool:
        return not self.connection.is_closed() and monotonic() - self.born < OLD_SECONDS

    async def fetchrow(self, sql: str, values: Sequence[Any], asked_before: Callable[[str], bool]) -> Any:
        """The first row. Only a statement that was asked before is worth preparing."""
        known = self._prepared.get(sql)
        if known is not None:
            return await known[0].fetchrow(*values)
        if not asked_before(sql):
            return await self.connection.fetchrow(sql, *values)
        self._number += 1
        prepared = await self.connection.prepare(sql, name=f"w{self._number}")
        self._prepared.put(sql, (prepared, _weight(sql)))
        return await prepared.fetchrow(*values)


class _Places:
    """The places of one lane and who waits for them."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.idle: list[Reader] = []
        self.taken = self.waiting = 0
        self._known: deque[asyncio.Future[None]] = deque()
        self._new: deque[asyncio.Future[None]] = deque()
        self._given = 0
        self._usual = 0.005  # seconds that a statement takes here, as a moving mean

    def wait_seconds(self) -> int:
        """When a place will be free for who comes now, by what statements took lately."""
        return max(1, math.ceil((self.waiting + 1) * self._usual / self.terms.places))

    @property
    def full(self) -> bool:
        return self.taken >= self.terms.places

    async def take(self, known: bool = True) -> None:
        """Take a place. Statements that were asked before go ahead of new ones, which take long to plan, in three
        turns of four."""
        if self.full:
            await self._queue(self._known if known else self._new)
        else:
            self.taken += 1

    async def _queue(self, queue: deque[asyncio.Future[None]]) -> None:
        """Wait until a place is handed over."""
        if self.waiting >= self.terms.waiting:
            raise self._busy()
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self.waiting += 1
        try:
            async with asyncio.timeout(self.terms.patience):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._hand_over()  # it came too late
            else:
                with suppress(ValueError):  # it was passed over already
                    queue.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._busy() from None
            raise
        finally:
            self.waiting -= 1

    def give(self, seconds: float) -> None:
        self._usual += 0.1 * (seconds - self._usual)
        self._hand_over()

    def _hand_over(self) -> None:
        """The place is that of the next who waits, or free."""
        self._given += 1
        first, second = (self._known, self._new) if self._given % 4 else (self._new, self._known)
        for queue in (first, second):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self.taken -= 1

    def _busy(self) -> Unavailable:
        return busy(self.wait_seconds())


_asking: set[asyncio.Task[Any] | None] = set()


def is_asking(task: asyncio.Task[Any]) -> bool:
    """Whether a statement is under way for this task, which no longer waits for its place."""
    return task in _asking


class StatementPool:
    """The connections of one process for reading, by lane, the one used last first. A read leaves no state behind, so
    nothing is reset on return; with that and without a proxy per use it costs a third of asyncpg's own pool."""

    def __init__(self, url: str, lanes: dict[Lane, Terms]) -> None:
        self._url = url
        self._lanes = {lane: _Places(terms) for lane, terms in lanes.items()}
        self._seen: Cache[bytes, bool] = Cache(SEEN_BYTES)
        self._known: Cache[str, bool] = Cache(KNOWN_BYTES)  # by the text: a plan's text is hashed once
        self._closed = False

    def places(self) -> dict[Lane, tuple[int, int, int]]:
        """Of each lane: places, places taken, and how many wait."""
        return {lane: (each.terms.places, each.taken, each.waiting) for lane, each in self._lanes.items()}

    @asynccontextmanager
    async def acquire(self, lane: Lane = Lane.SERVICE) -> AsyncIterator[Any]:
        """A bare connection for the block."""
        async with self._reader(lane) as reader:
            yield reader.connection

    @asynccontextmanager
    async def _reader(self, lane: Lane) -> AsyncIterator[Reader]:
        places = self._lanes[lane]
        await places.take()
        began = monotonic()
        reader = None
        try:
            reader = await self._living(places)
            yield reader
        except REFUSED as error:
            raise refusal_of(error, places.terms, monotonic() - began) from None
        finally:
            places.give(monotonic() - began)
            self._give(places, reader)

    async def fetchrow(self, sql: str, *values: Any, lane: Lane = Lane.SERVICE) -> Any:
        """The first row of one statement."""
        places = self._lanes[lane]
        await places.take(not places.full or self._known.get(sql) is not None)
        began = monotonic()
        reader = None
        task = asyncio.current_task()
        _asking.add(task)
        try:
            reader = places.idle.pop() if places.idle else None
            if reader is None or not reader.usable:
                reader = await self._living(places, reader)
            return await reader.fetchrow(sql, values, self._asked_before)
        except REFUSED as error:
            raise refusal_of(error, places.terms, monotonic() - began) from None
        finally:
            _asking.discard(task)
            places.give(monotonic() - began)
            self._give(places, reader)

    async def fetch(self, sql: str, *values: Any, lane: Lane = Lane.SERVICE) -> Any:
        """All rows of one statement."""
        async with self._reader(lane) as reader:
            return await reader.connection.fetch(sql, *values)

    async def fetchval(self, sql: str, *values: Any, lane: Lane = Lane.SERVICE) -> Any:
        """The first value of one statement."""
        row = await self.fetchrow(sql, *values, lane=lane)
        return None if row is None else row[0]

    def _asked_before(self, sql: str) -> bool:
        key = digest(sql.encode())
        if self._seen.get(key) is None:
            return not self._seen.put(key, True)
        self._known.put(sql, True)
        return True

    async def _living(self, places: _Places, reader: Reader | None = None) -> Reader:
        """A connection that can be used; those that are closed or old are dropped on the way."""
        if self._closed:
            raise asyncpg.InterfaceError("the pool is closed")
        while True:
            if reader is not None:
                if reader.usable:
                    return reader
                reader.connection.terminate()
            if not places.idle:
                return await Reader.open(self._url, places.terms.seconds)
            reader = places.idle.pop()

    def _give(self, places: _Places, reader: Reader | None) -> None:
        if reader is None:
            return
        if self._closed:
            reader.connection.terminate()
        elif not reader.connection.is_closed():
            places.idle.append(reader)

    def forget(self) -> None:
        """Drop what is idle: what is broken for one is broken for all."""
        for places in self._lanes.values():
            while places.idle:
                places.idle.pop().connection.terminate()

    async def close(self) -> None:
        """Close all connections at once; those in use are closed when they come back."""
        self._closed = True
        self.forget()
