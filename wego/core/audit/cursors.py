"""How far each listener has come: a row for each, moved only by the session that holds the listener's lock.

Locks and rows live on one connection. Who loses the connection loses the locks, and can move no row any more, so two
workers never carry one cursor. A cursor is written without waiting for the disk: after a power cut it lies where it
was a moment before, and what lies between is delivered again. It is never ahead of the log, which is written first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import asyncpg
import orjson
from sqlalchemy import text

from wego.core.access import Actor
from wego.core.audit.entries import Event, Subject
from wego.core.audit.listeners import WATERMARK, Entry, Listener
from wego.core.audit.log import record
from wego.core.db import Session

LOCKS = 721904  # the class of the advisory locks; the row's id is the key
BATCH = 100  # entries that are read at once
SPAN = 5_000  # entries that are looked through at once
FIRST_DELAY, LONGEST_DELAY = 0.25, 300.0  # seconds before an entry that failed is tried again: doubled each time

_ENSURE = """
    INSERT INTO audit_listener (name, position)
    SELECT n.name, CASE WHEN n.past THEN 0 ELSE
        coalesce((SELECT position FROM audit_listener WHERE name = ''), (SELECT size FROM audit_state)) END
    FROM unnest($1::text[], $2::boolean[]) AS n(name, past) ON CONFLICT DO NOTHING
"""
_TAKE = f"""
    WITH mine AS MATERIALIZED (SELECT * FROM audit_listener WHERE name = $1)
    SELECT position, CASE WHEN retry_at > now() THEN extract(epoch FROM retry_at - now())::float8 ELSE 0 END
    FROM mine WHERE pg_try_advisory_lock({LOCKS}, id)
"""
_AFTER = """
    SELECT s.size, e.* FROM audit_state s LEFT JOIN LATERAL (
        SELECT index, at, event, actor, acting::text, subject_type, subject_id, place_id, decided::text, facts::text
        FROM audit_entry
        WHERE index >= $1 AND index < least($1 + $3, s.size) AND event = ANY($2::text[])
        ORDER BY index LIMIT $4) e ON true
    ORDER BY e.index
"""
_NEWS = """
    SELECT s.size, (SELECT array_agg(DISTINCT e.event) FROM audit_entry e WHERE e.index >= $1 AND e.index < s.size)
    FROM audit_state s
"""
_MOVE = """
    UPDATE audit_listener SET position = $2, attempts = 0, failing_since = NULL, retry_at = NULL, error = ''
    WHERE name = $1 AND position < $2
"""
_FAIL = """
    UPDATE audit_listener SET position = $2, attempts = attempts + 1, error = $3,
        failing_since = coalesce(failing_since, now()),
        retry_at = now() + make_interval(secs => least($4 * 2 ^ least(attempts, 30), $5))
    WHERE name = $1 AND position <= $2
    RETURNING extract(epoch FROM retry_at - now())::float8
"""
_SKIP = text("""
    UPDATE audit_listener SET position = position + 1, attempts = 0, failing_since = NULL, retry_at = NULL, error = ''
    WHERE name = :name AND attempts > 0 RETURNING position - 1
""")
_EVERY = text("""
    SELECT l.name, l.position, s.size - l.position AS behind, l.attempts, l.failing_since, l.error
    FROM audit_listener l, audit_state s ORDER BY l.name
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listener is that was taken, and for how long it still has to wait, because it failed."""

    position: int
    wait: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries, the position up to which they were looked for, and whether the log goes on."""

    entries: list[Entry]
    end: int
    more: bool


@dataclass(frozen=True, slots=True)
class News:
    """What was appended from one size of the log to another."""

    start: int
    end: int
    events: frozenset[str]


class Cursors:
    """The rows of all listeners, on one connection that does one thing at a time."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection, self._turn = connection, asyncio.Lock()

    async def _row(self, sql: str, *values: Any) -> Any:
        async with self._turn:
            return await self._connection.fetchrow(sql, *values)

    async def ensure(self, listeners: Iterable[Listener]) -> None:
        """Make the rows of listeners that are new. The watermark first: it is where they begin."""
        every = list(listeners)
        async with self._turn:
            await self._connection.execute(_ENSURE, [WATERMARK], [False])
            await self._connection.execute(_ENSURE, [each.name for each in every], [each.past for each in every])

    async def take(self, name: str) -> Place | None:
        """Become the one who delivers to this listener; None while another session is."""
        row = await self._row(_TAKE, name)
        return None if row is None else Place(*row)

    async def position(self, name: str) -> int:
        row = await self._row("SELECT position FROM audit_listener WHERE name = $1", name)
        return int(row[0])

    async def after(self, position: int, events: Sequence[str]) -> Batch:
        """The next entries of these events from a position on."""
        async with self._turn:
            rows = await self._connection.fetch(_AFTER, position, events, SPAN, BATCH)
        entries, size = [_entry(row) for row in rows if row["index"] is not None], rows[0]["size"]
        end = entries[-1].index + 1 if len(entries) == BATCH else max(position, min(position + SPAN, size))
        return Batch(entries, end, end < size)

    async def news(self, start: int) -> News:
        row = await self._row(_NEWS, start)
        return News(start, row[0], frozenset(row[1] or ()))

    async def move(self, name: str, position: int) -> None:
        async with self._turn:
            await self._connection.execute(_MOVE, name, position)

    async def fail(self, name: str, index: int, error: str) -> float | None:
        """Note that an entry failed; after how many seconds it is tried again. None: somebody moved on past it."""
        row = await self._row(_FAIL, name, index, error, FIRST_DELAY, LONGEST_DELAY)
        return None if row is None else float(row[0])


async def skip(db: Session, actor: Actor, name: str) -> int | None:
    """Move a listener that fails past the entry at which it fails, and tell it; the entry's index. None where it does
    not fail. Whoever delivers sees it before the next try."""
    found = (await db.execute(_SKIP, {"name": name})).scalar_one_or_none()
    if found is not None:
        key = uuid5(NAMESPACE_URL, f"listener:{name}")
        await record(db, actor, Event.LISTENER_SKIPPED, Subject.LISTENER, key, listener=name, entry=found)
    return found


async def every(db: Session) -> list[dict[str, Any]]:
    """How far each listener is, for an operator; that of the workers themselves has no name."""
    return [dict(row) for row in (await db.execute(_EVERY)).mappings()]


def _entry(row: Any) -> Entry:
    return Entry(
        row["index"], row["at"], Event(row["event"]), row["actor"], orjson.loads(row["acting"]),
        Subject(row["subject_type"]), row["subject_id"], row["place_id"], orjson.loads(row["decided"]),
        orjson.loads(row["facts"]),
    )  # fmt: skip
