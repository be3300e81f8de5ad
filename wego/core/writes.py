"""Mutations: one unit of work each, and their payload read by the read engine in the same transaction.

    async def admit(write: Write, input: AdmitMemberInput) -> Done:
        city = await membership.admit(write.db, write.actor, …)
        return done(city=city.id)

    @strawberry.type
    class CityPayload(Payload):
        city: City | None = thing("city", "The city as it is now.")

    @strawberry.type
    class MemberMutations:
        admit_member: CityPayload = verb(admit, "Record the decision that makes an associate a full member.")

The log is appended after the payload was read, just before the commit, and what was promised is on disk before it is
told. A Refusal rolls the unit back and becomes `problems`; its neighbours in the same operation stay. With an
Idempotency-Key the answer is stored in the transaction of the write, so a repeat gets it and changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import strawberry
from graphql import FieldNode
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument, convert_argument

from wego.core import reads
from wego.core.access import Actor
from wego.core.db import Database, Session, must_last, raw
from wego.core.errors import Conflict, CostExceeded, Invalid, Refusal
from wego.core.models import IdempotentAnswer
from wego.core.places import Places, busy
from wego.core.reads.engine import Engine, Operation
from wego.core.reads.query import Run

WRITE, AHEAD = "write", "ahead"
PAYLOAD_SECONDS = 2.0  # a payload is read while what was written is locked: others wait for it
# What PostgreSQL says of a NUL in a name that was only looked up; a text that is kept is checked by its service.
UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
SECRET = b"null"  # stands for an answer that was not kept


@dataclass(frozen=True)
class Write:
    """What a verb gets: the running transaction, who asks, and his locale."""

    db: Session
    actor: Actor
    locale: str = "en"


@dataclass(frozen=True)
class Done:
    """What the payload shows: keys of things by the names that `thing` uses, or plain values for `value`."""

    keys: Mapping[str, Any] = field(default_factory=dict)
    secret: bool = False  # shows something that must be kept nowhere: a repeat is refused instead of answered


Verb = Callable[[Write, Any], Awaitable[Done]]


def done(**keys: Any) -> Done:
    return Done(keys)


@strawberry.type(description="One reason why something was not done.")
class Problem:
    code: str = reads.column(
        "{t}.value->>'code'", "A stable code: NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, CONFLICT, INVALID …"
    )
    message: str = reads.column("{t}.value->>'message'", "What is wrong, in the language of the request.")
    path: list[str] = reads.column(
        "(select coalesce(array_agg(e), '{{}}') from json_array_elements_text({t}.value->'path') e)",
        "Where in the input, outermost first; empty when it concerns the whole.",
    )


@strawberry.type
class Payload:
    problems: list[Problem] = reads.many(
        None,
        "Why nothing was done; empty when it was done.",
        order="{t}.ord",
        source="json_array_elements({p}.problems) with ordinality as {t}(value, ord)",
    )


def thing(name: str, doc: str, *, key: str = "id") -> Any:
    """The thing that the verb named so, read back as the actor sees it."""
    return reads.one(f"{{t}}.{key} = ({{p}}.keys->>'{name}')::uuid", doc)


def value(name: str, doc: str, cast: str = "text") -> Any:
    """A plain value that the verb named so."""
    return reads.column(f"({{t}}.keys->>'{name}')::{cast}", doc)


def verb(call: Verb, doc: str, *, ahead: bool = False) -> Any:
    """Declare a mutation field. The type of its one argument is that of the function's `input`. `ahead`: it takes
    rights away, so the secretariat does not stand in line with it."""
    kind = inspect.signature(call, eval_str=True).parameters["input"].annotation
    declared = strawberry.field(description=doc, metadata={WRITE: call, AHEAD: ahead})
    declared.arguments = [StrawberryArgument("input", None, StrawberryAnnotation(kind))]
    return declared


@dataclass(frozen=True)
class Repeat:
    """An Idempotency-Key of one client, and the body it came with."""

    key: bytes
    body: bytes

    @classmethod
    def of(cls, client: str, key: str, body: bytes) -> Repeat:
        if not 1 <= len(key) <= 255 or not key.isprintable():
            raise Invalid("An Idempotency-Key has between 1 and {limit} printable characters.", limit=255)
        digest = hashlib.sha256(client.encode() + b"\x00" + key.encode()).digest()
        return cls(digest, hashlib.sha256(body).digest())


class Writer:
    """Runs mutation operations of one schema on one database."""

    def __init__(
        self, engine: Engine, database: Database, words: Callable[[Refusal, str], list[dict[str, Any]]]
    ) -> None:
        self.engine, self.database, self.words = engine, database, words
        self._schema: Any = None
        self.places = Places()

    async def mutate(self, operation: Operation, run: Run, locale: str, repeat: Repeat | None = None) -> bytes:
        """Run the root fields one after another; the JSON of `data`."""
        parts = []
        for ordinal, (key, nodes) in enumerate(self.engine.selections(operation, run).items()):
            if nodes[0].name.value == "__typename":
                answer = b'"Mutation"'
            else:
                answer = await self._one(operation, nodes, run, locale, repeat, ordinal)
            parts.append(b'"%s":%s' % (key.encode(), answer))
        return b"{" + b",".join(parts) + b"}"

    async def _one(
        self, operation: Operation, nodes: list[FieldNode], run: Run, locale: str, repeat: Repeat | None, ordinal: int
    ) -> bytes:
        try:
            return await self._unit(operation, nodes, run, locale, repeat, ordinal)
        except Refusal as refusal:
            refused = refusal
        except IntegrityError:
            refused = Conflict("This collides with something that exists already.")
        except DBAPIError as error:
            cause = getattr(error.orig, "__cause__", None)
            if isinstance(cause, UNSTORABLE):
                refused = Invalid("This text holds characters that are not allowed here.", path=("input",))
            elif isinstance(cause, asyncpg.LockNotAvailableError):
                refused = busy()
            elif isinstance(cause, asyncpg.TransactionRollbackError):
                refused = Conflict("Somebody else changed this at the same moment; try again.")
            else:
                raise
        problems = self.words(refused, locale)
        async with self.database.reads.acquire() as connection:
            return await self.engine.payload(connection, operation, nodes, run, {}, problems)

    async def _unit(
        self, operation: Operation, nodes: list[FieldNode], run: Run, locale: str, repeat: Repeat | None, ordinal: int
    ) -> bytes:
        definition = self.engine.schema.mutation_type.fields[nodes[0].name.value]  # type: ignore[union-attr]  # it ran
        backing = definition.extensions["strawberry-definition"]
        ahead = backing.metadata[AHEAD] and bool(run.actor.shape.everywhere)
        async with self.places.taken(ahead=ahead), self.database.unit() as db:
            answer = await self._recall(db, repeat, ordinal)
            if answer is None:
                given = self._input(backing, run.arguments(definition, nodes[0])["input"])
                result = await backing.metadata[WRITE](Write(db, run.actor, locale), given)
                await db.flush()
                answer = await self._payload(db, operation, nodes, run, result)
                await self._remember(db, repeat, ordinal, SECRET if result.secret else answer)
            else:
                must_last(db)  # what was answered before may not be on disk yet
        await self.database.durable(db)
        return answer

    async def _payload(
        self, db: Session, operation: Operation, nodes: list[FieldNode], run: Run, result: Done
    ) -> bytes:
        """What the payload shows, in the transaction of the write: before the log is locked, and not for long."""
        try:
            async with asyncio.timeout(PAYLOAD_SECONDS):
                return await self.engine.payload(await raw(db), operation, nodes, run, result.keys, [])
        except TimeoutError:
            raise CostExceeded("The payload takes too long to read, and nothing was changed: ask for less.") from None

    def _input(self, backing: Any, given: Any) -> Any:
        argument = backing.arguments[0]
        return convert_argument(given, argument.type, scalar_registry=self.scalars, config=self.config)

    def bind_schema(self, schema: Any) -> Writer:
        """Take from the Strawberry schema what turns a coerced input into its class."""
        self.scalars = schema.schema_converter.scalar_registry
        self.config = schema.config
        return self

    @staticmethod
    async def _recall(db: Session, repeat: Repeat | None, ordinal: int) -> bytes | None:
        """Claim the key within this transaction, or find what was answered before."""
        if repeat is None:
            return None
        claim = insert(IdempotentAnswer).values(
            key=repeat.key, ordinal=ordinal, body=repeat.body, answer="", at=datetime.now(UTC)
        )
        claimed = await db.execute(claim.on_conflict_do_nothing().returning(col(IdempotentAnswer.ordinal)))
        if claimed.first() is not None:
            return None
        kept = (await db.execute(select(IdempotentAnswer).where(*_row(repeat, ordinal)))).scalar_one()
        if kept.body != repeat.body:
            raise Conflict("This Idempotency-Key was used with another request.")
        if kept.answer.encode() == SECRET:
            raise Conflict("This was done already; its answer held a secret and was not kept.")
        return kept.answer.encode()

    @staticmethod
    async def _remember(db: Session, repeat: Repeat | None, ordinal: int, answer: bytes) -> None:
        if repeat is not None:
            row = update(IdempotentAnswer).where(*_row(repeat, ordinal))
            await db.execute(row.values(answer=answer.decode()))


def _row(repeat: Repeat, ordinal: int) -> tuple[Any, Any]:
    return col(IdempotentAnswer.key) == repeat.key, col(IdempotentAnswer.ordinal) == ordinal
