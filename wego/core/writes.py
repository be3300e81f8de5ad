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
Idempotency-Key what was done is noted in the transaction of the write. A repeat changes nothing: the same things are
read again, for who asks now, who must still hold the posts and scopes with which they were done.
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
import orjson
import strawberry
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument, convert_argument

from wego.core import reads
from wego.core.access import Actor
from wego.core.db import Database, Session, must_last, raw
from wego.core.errors import Conflict, CostExceeded, Invalid, NotAllowed, Refusal, Unavailable
from wego.core.models import IdempotentAnswer
from wego.core.places import Places, busy
from wego.core.reads.engine import Engine
from wego.core.reads.plans import Operation, Selected
from wego.core.reads.query import Run
from wego.core.statements import Lane

WRITE, AHEAD = "write", "ahead"
PAYLOAD_SECONDS = 2.0  # a payload is read while what was written is locked: others wait for it
# What PostgreSQL says of a NUL in a name that was only looked up; a text that is kept is checked by its service.
UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
LARGEST_NOTE = 16_384  # bytes of what is noted of one field for a repeat
MOST_NOTES = 1_000  # of one client; older ones are dropped


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
        "{t}.value->>'code'",
        "This is a code that stays the same: NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, CONFLICT, INVALID and others.",
    )
    message: str = reads.column("{t}.value->>'message'", "This says what is wrong, in the language of the request.")
    path: list[str] = reads.column(
        "(select coalesce(array_agg(e), '{{}}') from json_array_elements_text({t}.value->'path') e)",
        "This is the place in the input, outermost first; it is empty when the whole is meant.",
    )


@strawberry.type
class Payload:
    problems: list[Problem] = reads.many(
        None,
        "These are the reasons why nothing was done; the list is empty when it was done.",
        order="{t}.ord",
        source="json_array_elements({p}.problems) with ordinality as {t}(value, ord)",
    )


def thing(name: str, doc: str, *, key: str = "id") -> Any:
    """The thing that the verb named so, read back as the actor sees it."""
    return reads.one(f"{{t}}.{key} = ({{p}}.keys->>'{name}')::uuid", doc)


def edge(name: str, doc: str, of: reads.List) -> Any:
    """The thing that the verb named so as an edge of this list, with the cursor of its default order: what a client
    needs to add the thing to a list that it holds (Relay's @appendEdge)."""
    return of.edge(f"{{t}}.id = ({{p}}.keys->>'{name}')::uuid", doc)


def value(name: str, doc: str, cast: str = "text") -> Any:
    """A plain value that the verb named so."""
    return reads.column(f"({{t}}.keys->>'{name}')::{cast}", doc)


INPUT = "This says on what it is done, and how."


def verb(call: Verb, doc: str, *, ahead: bool = False) -> Any:
    """Declare a mutation field. The type of its one argument is that of the function's `input`. `ahead`: it takes
    rights away, so the secretariat does not stand in line with it."""
    kind = inspect.signature(call, eval_str=True).parameters["input"].annotation
    declared = strawberry.field(description=doc, metadata={WRITE: call, AHEAD: ahead})
    declared.arguments = [StrawberryArgument("input", None, StrawberryAnnotation(kind), description=INPUT)]
    return declared


@dataclass(frozen=True)
class Repeat:
    """An Idempotency-Key of one client, the body it came with, and the rights of who sent it."""

    client: bytes
    key: bytes
    body: bytes
    rights: Mapping[str, Any]

    @classmethod
    def of(cls, actor: Actor, key: str, body: bytes, place: int = 0) -> Repeat | None:
        """None for who is not signed in: an address is nobody's name, so nothing is ever given to it again. `place` is
        that of the operation in a batch: each has a key of its own."""
        if not 1 <= len(key) <= 255 or not key.isprintable():
            raise Invalid("An Idempotency-Key has between 1 and {limit} printable characters.", limit=255)
        if not actor.signed_in:
            return None
        client = hashlib.sha256(orjson.dumps([actor.kind.value, actor.subject])).digest()
        posts = sorted([post.role.value, str(post.place.id or "")] for post in actor.posts if post.active)
        rights = {"posts": posts, "scopes": None if actor.scopes is None else sorted(actor.scopes)}
        digest = hashlib.sha256(client + place.to_bytes(4, "big") + key.encode()).digest()
        return cls(client, digest, hashlib.sha256(body).digest(), rights)

    def holds(self, then: Mapping[str, Any]) -> bool:
        """Whether who asks now has every post and scope with which it was done."""
        mine, scopes = self.rights["posts"], self.rights["scopes"]
        wide = scopes is None or (then["scopes"] is not None and set(then["scopes"]) <= set(scopes))
        return wide and all(post in mine for post in then["posts"])


class Writer:
    """Runs mutation operations of one schema on one database."""

    def __init__(
        self, engine: Engine, database: Database, words: Callable[[Refusal, str], list[dict[str, Any]]]
    ) -> None:
        self.engine, self.database, self.words = engine, database, words
        self.places = Places()

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
        except Refusal as refusal:
            refused = refusal
        except IntegrityError:
            refused = Conflict("This collides with something that exists already.")
        except DBAPIError as error:
            refused = _refusal_of(error)
        if isinstance(refused, Unavailable) and ordinal == 0:
            raise refused  # nothing was done, so the whole request can be told to come again
        problems = self.words(refused, locale)
        async with self.database.reads.acquire(Lane.MEMBER) as connection:
            return await self.engine.payload(connection, root, run, {}, problems)

    async def _unit(self, root: Selected, run: Run, locale: str, repeat: Repeat | None, ordinal: int) -> bytes:
        definition = self.engine.schema.mutation_type.fields[root.name]  # type: ignore[union-attr]  # it ran
        backing = definition.extensions["strawberry-definition"]
        ahead = backing.metadata[AHEAD] and bool(run.actor.shape.everywhere)
        async with self.places.taken(ahead=ahead), self.database.unit() as db:
            keys = await self._recall(db, repeat, ordinal)
            if keys is None:
                given = self._input(backing, run.arguments(definition, root.nodes[0])["input"])
                result = await backing.metadata[WRITE](Write(db, run.actor, locale), given)
                await db.flush()
                keys = result.keys
                await self._note(db, repeat, ordinal, result)
            else:
                must_last(db)  # what was done before may not be on disk yet
            answer = await self._payload(db, root, run, keys)
        await self.database.durable(db)
        return answer

    async def _payload(self, db: Session, root: Selected, run: Run, keys: Mapping[str, Any]) -> bytes:
        """What the payload shows, in the transaction of the write: before the log is locked, and not for long."""
        try:
            async with asyncio.timeout(PAYLOAD_SECONDS):
                return await self.engine.payload(await raw(db), root, run, keys, [])
        except TimeoutError:
            raise CostExceeded("The payload takes too long to read, and nothing was changed: ask for less.") from None

    def _input(self, backing: Any, given: Any) -> Any:
        argument = backing.arguments[0]
        declared = self.engine.declared
        return convert_argument(
            given, argument.type, scalar_registry=declared.schema_converter.scalar_registry, config=declared.config
        )

    @staticmethod
    async def _recall(db: Session, repeat: Repeat | None, ordinal: int) -> Mapping[str, Any] | None:
        """Claim the key within this transaction, or find what the payload showed when it was done before."""
        if repeat is None:
            return None
        claim = insert(IdempotentAnswer).values(
            key=repeat.key, ordinal=ordinal, body=repeat.body, client=repeat.client, rights=dict(repeat.rights),
            keys={}, kept=False, at=datetime.now(UTC),
        )  # fmt: skip
        claimed = await db.execute(claim.on_conflict_do_nothing().returning(col(IdempotentAnswer.ordinal)))
        if claimed.first() is not None:
            await db.execute(_SURPLUS, {"client": repeat.client, "most": MOST_NOTES})
            return None
        done = (await db.execute(select(IdempotentAnswer).where(*_row(repeat, ordinal)))).scalar_one()
        if not repeat.holds(done.rights):
            raise NotAllowed("This was done with rights that you do not have now: its answer is not given again.")
        if done.body != repeat.body:
            raise Conflict("This Idempotency-Key was used with another request.")
        if not done.kept:
            raise Conflict("This was done already; its answer held a secret and was not kept.")
        return done.keys

    @staticmethod
    async def _note(db: Session, repeat: Repeat | None, ordinal: int, result: Done) -> None:
        """Note what the payload shows. What is too large to be kept is done once and told once, like a secret."""
        if repeat is None or result.secret:
            return
        keys = {name: str(value) for name, value in result.keys.items() if value is not None}
        if len(orjson.dumps(keys)) <= LARGEST_NOTE:
            await db.execute(update(IdempotentAnswer).where(*_row(repeat, ordinal)).values(keys=keys, kept=True))


_SURPLUS = text(
    "DELETE FROM idempotent_answer WHERE (key, ordinal) IN (SELECT key, ordinal FROM idempotent_answer "
    "WHERE client = :client ORDER BY at DESC, key, ordinal OFFSET :most)"
)


def _refusal_of(error: DBAPIError) -> Refusal:
    """What PostgreSQL said of a unit of work, as a refusal; raised again where it is our mistake or an outage."""
    cause = getattr(error.orig, "__cause__", None)
    if isinstance(cause, UNSTORABLE):
        return Invalid("This text holds characters that are not allowed here.", path=("input",))
    if isinstance(cause, asyncpg.TransactionRollbackError):
        return Conflict("Somebody else changed this at the same moment; try again.")
    if isinstance(cause, asyncpg.LockNotAvailableError):
        return busy()
    if isinstance(cause, asyncpg.ProgramLimitExceededError):
        return CostExceeded("The answer is too large; ask for less at once.")
    if isinstance(cause, asyncpg.QueryCanceledError):
        return CostExceeded("This took too long; ask for less at once.")
    raise error


def _row(repeat: Repeat, ordinal: int) -> tuple[Any, Any]:
    return col(IdempotentAnswer.key) == repeat.key, col(IdempotentAnswer.ordinal) == ordinal
