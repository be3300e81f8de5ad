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

A Refusal rolls the unit back and becomes `problems`; its neighbours in the same operation stay. With an
Idempotency-Key the answer is stored in the transaction of the write, so a repeat gets it and changes nothing.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import strawberry
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument, convert_argument

from wego.core import reads
from wego.core.access import Actor
from wego.core.db import Database, Session, raw
from wego.core.errors import Conflict, CostExceeded, Invalid, Refusal, Unavailable
from wego.core.models import IdempotentAnswer
from wego.core.reads.engine import Engine, Operation, Selected
from wego.core.reads.query import Run
from wego.core.statements import Lane

WRITE = "write"
# What PostgreSQL says of a NUL in a name that was only looked up; a text that is kept is checked by its service.
UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
RETRY_SECONDS = 2
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


def verb(call: Verb, doc: str) -> Any:
    """Declare a mutation field. The type of its one argument is that of the function's `input`."""
    kind = inspect.signature(call, eval_str=True).parameters["input"].annotation
    declared = strawberry.field(description=doc, metadata={WRITE: call})
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

    async def mutate(
        self, operation: Operation, run: Run, locale: str, repeat: Repeat | None = None, *,
        selected: Mapping[str, Selected] | None = None,
    ) -> bytes:  # fmt: skip
        """Run the root fields one after another; the JSON of `data`. `selected` are the operation's selections, where
        the caller has compiled them already."""
        if selected is None:
            selected = await self.engine.selections(operation, run)
        parts: list[bytes] = []
        for ordinal, (key, root) in enumerate(selected.items()):
            if root.name == "__typename":
                answer = b'"Mutation"'
            else:
                answer = await self._one(root, run, locale, repeat, ordinal)
            parts.append(b'"%s":%s' % (key.encode(), answer))
        return b"{" + b",".join(parts) + b"}"

    async def _one(self, root: Selected, run: Run, locale: str, repeat: Repeat | None, ordinal: int) -> bytes:
        try:
            return await self._unit(root, run, locale, repeat, ordinal)
        except Unavailable as refusal:
            if ordinal == 0:  # nothing was done, so the whole request can be told to come again
                raise
            refused: Refusal = refusal
        except Refusal as refusal:
            refused = refusal
        except IntegrityError:
            refused = Conflict("This collides with something that exists already.")
        except DBAPIError as error:
            refused = _refusal_of(error)
        problems = self.words(refused, locale)
        async with self.database.reads.acquire(Lane.MEMBER) as connection:
            return await self.engine.payload(connection, root, run, {}, problems)

    async def _unit(self, root: Selected, run: Run, locale: str, repeat: Repeat | None, ordinal: int) -> bytes:
        definition = self.engine.schema.mutation_type.fields[root.name]  # type: ignore[union-attr]  # it ran
        backing = definition.extensions["strawberry-definition"]
        async with self.database.session() as db:
            kept = await self._recall(db, repeat, ordinal)
            if kept is not None:
                return kept
            given = self._input(backing, run.arguments(definition, root.nodes[0])["input"])
            result = await backing.metadata[WRITE](Write(db, run.actor, locale), given)
            await db.flush()
            answer = await self.engine.payload(await raw(db), root, run, result.keys, [])
            await self._remember(db, repeat, ordinal, SECRET if result.secret else answer)
        return answer

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


def _refusal_of(error: DBAPIError) -> Refusal:
    """What PostgreSQL said of a unit of work, as a refusal; raised again where it is our mistake or an outage."""
    cause = getattr(error.orig, "__cause__", None)
    if isinstance(cause, UNSTORABLE):
        return Invalid("This text holds characters that are not allowed here.", path=("input",))
    if isinstance(cause, asyncpg.TransactionRollbackError):
        return Conflict("Somebody else changed this at the same moment; try again.")
    if isinstance(cause, asyncpg.LockNotAvailableError):
        return Unavailable("The hub is busy; try again in {seconds} seconds.", seconds=RETRY_SECONDS)
    if isinstance(cause, asyncpg.ProgramLimitExceededError):
        return CostExceeded("The answer is too large; ask for less at once.")
    if isinstance(cause, asyncpg.QueryCanceledError):
        return CostExceeded("This took too long; ask for less at once.")
    raise error


def _row(repeat: Repeat, ordinal: int) -> tuple[Any, Any]:
    return col(IdempotentAnswer.key) == repeat.key, col(IdempotentAnswer.ordinal) == ordinal
