"""The database: how tables are declared, and the two pools of one process.

Writes go through SQLAlchemy sessions, which never commit by themselves (the edges do: `writes.py`, the
worker, the command line). Reads go through a pool of bare asyncpg connections, because a compiled read is one
prepared statement whose JSON bytes are the answer. Both run SQL that PostgreSQL 15 understands.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any

import asyncpg
import orjson
from sqlalchemy import DateTime, Enum, event, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.types import String
from sqlmodel import Field, SQLModel

from wego.core.durable import GroupFlush
from wego.core.statements import StatementPool, connect, lanes_for

Session = AsyncSession

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

WRITE_SETTINGS = {
    "jit": "off",
    "timezone": "UTC",
    "statement_timeout": "20000",
    "lock_timeout": "5000",  # who waits longer for somebody else is told so
    "idle_in_transaction_session_timeout": "60000",
    "application_name": "wego writes",
}

NO_WAY = {None, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
# What PostgreSQL, or the way to it, says when it cannot serve now. A mistake in a statement is none of these, nor is a
# file that cannot be read.
AWAY = (
    ConnectionError,
    TimeoutError,
    asyncpg.InternalClientError,  # the connection broke in the middle of something
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database does not serve now; also as SQLAlchemy wraps it."""
    cause = (getattr(error.orig, "__cause__", None) or error.orig) if isinstance(error, DBAPIError) else error
    if isinstance(cause, asyncpg.InterfaceError):  # of all that a client can do wrong, only this is none of ours
        return "clos" in str(cause)  # "connection is closed", "pool is closing"
    return isinstance(cause, (*AWAY, SQLAlchemyTimeout)) or _is_cut_off(cause)


def _is_cut_off(cause: BaseException | None) -> bool:
    """Whether no way leads to the database: a name that nobody knows, a host that is not reached. Several addresses
    that were tried in vain have no number; what is wrong with a file or a disk has another, or a kind of its own."""
    return isinstance(cause, socket.gaierror) or (type(cause) is OSError and cause.errno in NO_WAY)


@dataclass(slots=True)
class Tally:
    """How many statements a request took, and how long the database was waited for, in seconds."""

    statements: int = 0
    seconds: float = 0.0


tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


_UNCOUNTED = nullcontext()


def counted() -> AbstractContextManager[None]:
    """Count the statement in the block for the current request, if somebody counts."""
    counter = tally.get()
    return _UNCOUNTED if counter is None else _count(counter)


@contextmanager
def _count(counter: Tally) -> Iterator[None]:
    started = perf_counter()
    try:
        yield
    finally:
        counter.statements += 1
        counter.seconds += perf_counter() - started


def _before(_connection: Any, _cursor: Any, _sql: str, _values: Any, context: Any, _many: bool) -> None:
    context.wego_block = counted()
    context.wego_block.__enter__()


def _after(_connection: Any, _cursor: Any, _sql: str, _values: Any, context: Any, _many: bool) -> None:
    context.wego_block.__exit__(None, None, None)


def _check_alive(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection whose server went away is replaced. It knows by itself: asking it (a "pre-ping") is BEGIN, a
    statement and ROLLBACK, a third of what a small mutation asks."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the connection is closed")


def moment(*, now: bool = False, nullable: bool = False) -> Any:
    """A column for a point in time, always with its zone; `now` lets the database fill it."""
    default = {"server_default": func.now()} if now else {}
    kind: Any = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=nullable, sa_column_kwargs=default)


def vocabulary(
    kind: type[StrEnum], *, default: StrEnum | None = None, nullable: bool = False, name: str = "", filled: bool = False
) -> Any:
    """A column for a closed set: text with a CHECK, so that a new word needs no ALTER TYPE. `name` is that of the
    CHECK, where the table has several of the same set; `filled` says that the database fills in the default as well."""
    column = Enum(
        kind,
        native_enum=False,
        length=40,
        create_constraint=True,
        name=name or kind.__name__.lower(),
        values_callable=lambda words: [word.value for word in words],
    )
    given: dict[str, Any] = {} if default is None and not nullable else {"default": default}
    if filled and default is not None:
        given["sa_column_kwargs"] = {"server_default": default.value}
    return Field(sa_type=column, nullable=nullable, **given)


def false_unless_told() -> Any:
    """A column for a yes that has to be said; no otherwise."""
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


def words() -> Any:
    """A column for a list of texts, never null."""
    kind: Any = ARRAY(String())
    return Field(default_factory=list, sa_type=kind, sa_column_kwargs={"server_default": text("'{}'")})


def document(empty: str = "{}") -> Any:
    """A JSONB column, never null; `empty` is its default."""
    factory: Any = list if empty == "[]" else dict
    kind: Any = JSONB()
    return Field(default_factory=factory, sa_type=kind, sa_column_kwargs={"server_default": text(f"'{empty}'::jsonb")})


class Database:
    """The engine for writing and the pool for reading of one process. Open it once, close it at the end."""

    def __init__(self, url: str, *, read_size: int = 10, write_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=write_size,
            max_overflow=write_size,
            hide_parameters=True,  # what people wrote must not come into a log with an error
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        event.listen(self.engine.sync_engine, "before_cursor_execute", _before)
        event.listen(self.engine.sync_engine, "after_cursor_execute", _after)
        event.listen(self.engine.sync_engine, "checkout", _check_alive)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.reads = StatementPool(url, lanes_for(read_size))
        self.flush = GroupFlush(self._connect)

    async def _connect(self) -> Any:
        return await connect(self.url, WRITE_SETTINGS)

    async def open(self) -> Database:
        """Connect; raises what asyncpg raises when the server cannot be reached."""
        await self.reads.fetchval("select 1")
        return self

    async def close(self) -> None:
        await self.flush.close()
        await self.engine.dispose()
        await self.reads.close()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session that commits at the end of the block, or rolls back when anything was raised. What was written is
        on disk when the block is left."""
        async with self.unit() as db:
            yield db
        await self.durable(db)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Session]:
        """The same for an edge that waits for the disk by itself: call `durable` before anybody is told."""
        async with self.sessions() as db:
            try:
                yield db
                await settle(db)
                await db.commit()
            except BaseException:
                await db.rollback()
                raise

    async def durable(self, db: Session) -> None:
        """Wait for the disk, where the session committed without doing so."""
        if db.info.pop(_MUST_LAST, False):
            await self.flush.flushed()


_LAST, _MUST_LAST = "wego.last", "wego.must_last"


def at_the_end(db: Session, act: Callable[[Session], Awaitable[None]]) -> None:
    """Do something when the unit of work is over, just before its commit; each act once, in the order of asking."""
    db.info.setdefault(_LAST, {})[act] = None


async def settle(db: Session) -> None:
    """Do what was put off to the end of the unit of work. The edges call it."""
    for act in db.info.pop(_LAST, {}):
        await act(db)


def must_last(db: Session) -> None:
    """Say that this transaction will commit without waiting for the disk, so that the edge has to."""
    db.info[_MUST_LAST] = True


async def raw(db: Session) -> Any:
    """The asyncpg connection under a session, inside its transaction."""
    connection = await db.connection()
    return (await connection.get_raw_connection()).driver_connection
