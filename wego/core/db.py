"""The database: how tables are declared, and the two pools of one process.

Writes go through SQLAlchemy sessions, which never commit by themselves (the edges do: `writes.py`, the
worker, the command line). Reads go through a pool of bare asyncpg connections, because a compiled read is one
prepared statement whose JSON bytes are the answer. Both run SQL that PostgreSQL 15 understands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
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
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.types import String
from sqlmodel import Field, SQLModel

from wego.core.statements import StatementPool, lanes_for

Session = AsyncSession

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

WRITE_SETTINGS = {
    "jit": "off", "timezone": "UTC", "statement_timeout": "20000", "application_name": "wego writes",
    "idle_in_transaction_session_timeout": "60000",
}  # fmt: skip

# What PostgreSQL, or the way to it, says when it cannot serve now. A mistake in a statement is none of these.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
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
    if isinstance(error, DBAPIError):
        cause = getattr(error.orig, "__cause__", None) or error.orig
        return isinstance(cause, AWAY) and not isinstance(cause, ValueError)
    return isinstance(error, (*AWAY, SQLAlchemyTimeout)) and not isinstance(error, ValueError)


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


def moment(*, now: bool = False, nullable: bool = False) -> Any:
    """A column for a point in time, always with its zone; `now` lets the database fill it."""
    default = {"server_default": func.now()} if now else {}
    kind: Any = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=nullable, sa_column_kwargs=default)


def vocabulary(kind: type[StrEnum], *, default: StrEnum | None = None, nullable: bool = False) -> Any:
    """A column for a closed set: text with a CHECK, so that a new word needs no ALTER TYPE."""
    column = Enum(
        kind,
        native_enum=False,
        length=40,
        create_constraint=True,
        name=kind.__name__.lower(),
        values_callable=lambda words: [word.value for word in words],
    )
    given = {} if default is None and not nullable else {"default": default}
    return Field(sa_type=column, nullable=nullable, **given)  # type: ignore[call-overload]  # an instance works


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
            pool_pre_ping=True,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        event.listen(self.engine.sync_engine, "before_cursor_execute", _before)
        event.listen(self.engine.sync_engine, "after_cursor_execute", _after)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.reads = StatementPool(url, lanes_for(read_size))

    async def _connect(self) -> Any:
        return await asyncpg.connect(self.url, server_settings=WRITE_SETTINGS)

    async def open(self) -> Database:
        """Connect; raises what asyncpg raises when the server cannot be reached."""
        await self.reads.fetchval("select 1")
        return self

    async def close(self) -> None:
        await self.engine.dispose()
        await self.reads.close()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session that commits at the end of the block, or rolls back when anything was raised."""
        async with self.sessions() as db:
            try:
                yield db
                await db.commit()
            except BaseException:
                await db.rollback()
                raise


async def raw(db: Session) -> Any:
    """The asyncpg connection under a session, inside its transaction."""
    connection = await db.connection()
    return (await connection.get_raw_connection()).driver_connection
