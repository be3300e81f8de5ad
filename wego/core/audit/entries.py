"""What an entry says, and the bytes that are hashed of it.

Binding texts: RFC 8785 (canonical JSON), federation.md 5.7 (what may stand in the log). There are three forms, and
each stays provable for ever:

1. words, such as reasons, stand among the facts: they were written before words got a table of their own, and their
   leaves hold them;
2. facts are ids, codes, numbers and moments, and of each word there is the hash SHA-256(salt || UTF-8 of the text); the
   salt lies with the word, so that an erased word cannot be guessed;
3. the actor is told in full (kind, id, role, for whom, by which means), what was decided is told by what it was before
   and after, and the place (the organisation that it concerns, such as a city) stands beside the subject.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import rfc8785

from wego.core.access import Actor, ActorKind, Permission, PlaceKind, Post

FORM = 3  # of the entries that are written now
LONGEST_WORD = 8_000
SALT_BYTES = 32
MOST_IN_A_LIST = 5_000
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?)?")
_NAMES = frozenset({"slug", "client"})  # chosen by people, and public in addresses anyway
_LETTER = re.compile(r"[A-Za-z]")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Event(StrEnum):
    """Everything that can happen, as `<noun>.<past participle>`; a value is never renamed, only retired."""

    CITY_REGISTERED = "city.registered"
    CITY_UPDATED = "city.updated"
    ORGANISATION_REGISTERED = "organisation.registered"
    ORGANISATION_UPDATED = "organisation.updated"
    APPLICATION_DRAFTED = "application.drafted"
    APPLICATION_SUBMITTED = "application.submitted"
    APPLICATION_CHECKED = "application.check_started"
    APPLICATION_CHANGES_REQUESTED = "application.changes_requested"
    APPLICATION_ACCEPTED = "application.accepted"
    APPLICATION_DECLINED = "application.declined"
    APPLICATION_WITHDRAWN = "application.withdrawn"
    MEMBER_ADMITTED = "member.admitted"
    MEMBER_SUSPENDED = "member.suspended"
    MEMBER_REINSTATED = "member.reinstated"
    MEMBER_RESIGNING = "member.resignation_received"
    MEMBER_RESIGNED = "member.resigned"
    PERSON_INVITED = "person.invited"
    INVITATION_ACCEPTED = "invitation.accepted"
    ROLE_ASSIGNED = "role.assigned"
    ROLE_REVOKED = "role.revoked"
    PRACTICE_CREATED = "practice.created"
    PRACTICE_REVISED = "practice.revised"
    PRACTICE_TRANSLATED = "practice.translated"
    PRACTICE_SUBMITTED = "practice.submitted"
    PRACTICE_REVIEWER_ASSIGNED = "practice.reviewer_assigned"
    PRACTICE_CHANGES_REQUESTED = "practice.changes_requested"
    PRACTICE_ACCEPTED = "practice.accepted"
    PRACTICE_PUBLISHED = "practice.published"
    PRACTICE_OPENED = "practice.opened"  # by the clock: its embargo ended
    PRACTICE_WITHDRAWN = "practice.withdrawn"
    PRACTICE_ARCHIVED = "practice.archived"
    PRACTICE_RESTORED = "practice.restored"
    PRACTICE_RENAMED = "practice.renamed"
    PRACTICE_DELETED = "practice.deleted"
    CLIENT_REGISTERED = "client.registered"
    CLIENT_REVOKED = "client.revoked"
    CLIENT_DOCUMENTS_REGISTERED = "client.documents_registered"
    TOKEN_ISSUED = "token.issued"  # noqa: S105  # the name of an event, not a secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105  # likewise
    KEY_ROTATED = "key.rotated"
    WORDS_ERASED = "words.erased"
    LISTENER_SKIPPED = "listener.skipped"


class Subject(StrEnum):
    """Everything that an entry can be about; a value is never renamed, only retired."""

    ORGANISATION = "Organisation"
    CITY = "City"
    PERSON = "Person"
    INVITATION = "Invitation"
    PRACTICE = "Practice"
    CLIENT = "OAuthClient"
    TOKEN_KEY = "OAuthKey"  # noqa: S105  # the name of a kind of thing, not a secret
    AUDIT_KEY = "AuditKey"
    LISTENER = "AuditListener"


class WordInFacts(ValueError):
    """Somebody tells the log a text that is neither an id nor a code: it belongs into `words`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the fact {name} of the log is not an id, code, number or moment: give it in `words`")


Decided = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Happening:
    """What is to be told: an event, its subject (type and key), facts, and words that can be erased. `decided` names
    what has been decided, with its value before and after; `place` is the organisation that it concerns. `under` is the
    permission that it took, and tells by which of his posts the actor did it; `body` is the body that decided, where
    the actor only wrote it down."""

    event: Event
    subject_type: Subject
    subject_id: UUID
    facts: dict[str, Any]
    at: datetime | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    decided: Decided = field(default_factory=dict)
    place: UUID | None = None
    under: Permission | None = None
    body: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject_type", Subject(self.subject_type))
        for name, fact in (*self.facts.items(), *self.decided.items()):
            _check_fact(name, fact)
        for name, word in self.words.items():
            if not _KEY.fullmatch(name) or not isinstance(word, str) or len(word) > LONGEST_WORD:
                raise ValueError(f"the word {name} of the log has no good name, or over {LONGEST_WORD} characters")

    @property
    def told_decided(self) -> dict[str, Any]:
        return {name: {"before": before, "after": after} for name, (before, after) in self.decided.items()}


def acting(actor: Actor, told: Happening) -> dict[str, Any]:
    """Who acts, as what, for whom and by which means; his id is told beside it."""
    if actor.kind is ActorKind.PERSON and not _is_uuid(actor.subject):
        raise ValueError("a person is told by his key, and by nothing else")
    post = actor.acts_as(told.under, told.place)
    return {
        "kind": actor.kind.value, "role": post.role.value if post else None, "for": _for(post, told.body),
        "means": actor.means.value,
    }  # fmt: skip


def _for(post: Post | None, body: str) -> dict[str, str] | None:
    if body:
        return {"kind": PlaceKind.BODY.value, "id": body}
    if post is None:
        return None
    return {"kind": post.place.kind.value, "id": str(post.place.id or "")}


def _check_fact(name: str, fact: Any) -> None:
    if not _KEY.fullmatch(name):
        raise WordInFacts(name)
    if isinstance(fact, Mapping):
        for key, value in fact.items():
            _check_fact(key, value)
    elif isinstance(fact, list | tuple) and len(fact) <= MOST_IN_A_LIST:
        for value in fact:
            _check_fact(name, value)
    elif not _is_code(fact, named=name in _NAMES):
        raise WordInFacts(name)


def _is_code(fact: Any, *, named: bool) -> bool:
    """Whether a fact is none, a truth, a whole number, a moment, an id or a code. A telephone number is none of
    these: what has no letter must be a date, or short, or the name that the thing has in addresses (`named`)."""
    if fact is None or isinstance(fact, int):
        return fact is None or abs(fact) < 2**53
    if not isinstance(fact, str):
        return False
    if fact == "" or _MOMENT.fullmatch(fact):
        return True
    return bool(_CODE.fullmatch(fact)) and (named or len(fact) < 6 or bool(_LETTER.search(fact)) or _is_uuid(fact))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


@dataclass(frozen=True)
class Salted:
    """A word with its salt."""

    field: str
    text: str
    salt: bytes

    @property
    def hash(self) -> str:
        return word_hash(self.salt, self.text)


def word_hash(salt: bytes, text: str) -> str:
    return hashlib.sha256(salt + text.encode("utf-8", "surrogatepass")).hexdigest()


def salted(words: Mapping[str, str]) -> list[Salted]:
    """The words that say something, each with a salt of its own."""
    return [Salted(name, text, secrets.token_bytes(SALT_BYTES)) for name, text in sorted(words.items()) if text]


@dataclass(frozen=True)
class Leaf:
    """The canonical JSON of an entry on both sides of its index, which only the log knows."""

    head: bytes
    tail: bytes

    def at(self, index: int) -> bytes:
        return self.head + str(index).encode() + self.tail


def leaf_of(actor: str, by: Mapping[str, Any], told: Happening, at: datetime, hashes: Mapping[str, str]) -> Leaf:
    """The leaf of an entry that is written now."""
    head = {
        "actor": {**by, "id": actor}, "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "decided": told.told_decided, "event": told.event.value, "facts": told.facts,
    }  # fmt: skip
    tail = {
        "place": str(told.place) if told.place else None, "version": FORM, "words": hashes,
        "subject": {"id": str(told.subject_id), "type": told.subject_type.value},
    }  # fmt: skip
    return _leaf(head, tail)


def _leaf(before: Mapping[str, Any], after: Mapping[str, Any]) -> Leaf:
    """The order of RFC 8785, by name: actor, at, decided, event, facts, index, place, subject, version, words."""
    return Leaf(rfc8785.dumps(dict(before))[:-1] + b',"index":', b"," + rfc8785.dumps(dict(after))[1:])


def canonical(row: Any) -> bytes:
    """The bytes that were hashed for an entry as it stands in the database, by the columns of `proof.ENTRIES`.
    Whatever they are, never an exception: a row that somebody spoiled is to be told, and must not stop who looks."""
    try:
        return _leaf(*_parts(row)).at(row.index)
    except (ValueError, TypeError, RecursionError) as problem:  # those of rfc8785 and orjson are ValueErrors
        return b"unreadable " + type(problem).__name__.encode()


def _parts(row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands before the index and after it, in the form of the row. What a form does not hold must be empty."""
    head = {"actor": row.actor, "at": row.at, "event": row.event, "facts": orjson.loads(row.facts)}
    tail: dict[str, Any] = {"subject": {"id": row.subject_id, "type": row.subject_type}}
    by, decided = orjson.loads(row.acting), orjson.loads(row.decided)
    if row.version >= 2:
        tail |= {"version": row.version, "words": orjson.loads(row.hashes)}
    if row.version >= 3:
        return {**head, "actor": {**by, "id": row.actor}, "decided": decided}, {**tail, "place": row.place_id}
    if by or decided or row.place_id:
        raise ValueError("an entry of an older form holds what came later")
    return head, tail
