"""Writing the log: entries are gathered while a unit of work runs, and appended when it is over.

One statement appends them all (`wego_audit_append`, migration 0012): it takes the lock of the log, computes leaves and
tree, and the commit follows at once. Nothing else waits for that lock meanwhile: not the payload of a mutation, and
not the disk (see `wego.core.durable`). Whoever changes rights (`rights_changed`) goes before ordinary writers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from wego.core.access import Actor, Permission
from wego.core.audit.entries import (
    Decided,
    Event,
    Happening,
    Leaf,
    Salted,
    Subject,
    acting,
    leaf_of,
    salted,
)
from wego.core.db import Session, at_the_end, must_last

PATIENCE_MS, PATIENCE_AHEAD_MS = 3_000, 10_000
_NONE: Mapping[str, Any] = MappingProxyType({})
_TOLD, _RIGHTS = "wego.told", "wego.rights"
# Nobody waits behind those who take rights away, even where the epoch of access is not raised.
_AHEAD = frozenset({Event.MEMBER_SUSPENDED, Event.ROLE_REVOKED, Event.CLIENT_REVOKED, Event.TOKEN_REVOKED})

_APPEND = text("""
    SELECT wego_audit_append(
        :ahead, :patience, :rights,
        CAST(:ats AS timestamptz[]), CAST(:events AS text[]), CAST(:actors AS text[]),
        CAST(:subject_types AS text[]), CAST(:subject_ids AS uuid[]),
        CAST(:facts AS text[]), CAST(:hashes AS text[]), CAST(:heads AS bytea[]), CAST(:tails AS bytea[]),
        CAST(:actings AS text[]), CAST(:decideds AS text[]), CAST(:places AS uuid[]),
        CAST(:word_entries AS integer[]), CAST(:word_fields AS text[]), CAST(:word_salts AS bytea[]),
        CAST(:word_texts AS text[]))
""")


@dataclass(frozen=True)
class Told:
    """One gathered entry; only its place is not known yet."""

    actor: str
    acting: dict[str, Any]
    happening: Happening
    at: datetime
    words: list[Salted]

    @property
    def hashes(self) -> dict[str, str]:
        return {word.field: word.hash for word in self.words}

    @property
    def leaf(self) -> Leaf:
        return leaf_of(self.actor, self.acting, self.happening, self.at, self.hashes)


async def record(
    db: Session,
    actor: Actor,
    event: Event,
    subject_type: Subject,
    subject_id: UUID,
    *,
    words: Mapping[str, str] = _NONE,
    decided: Decided = _NONE,
    place: UUID | None = None,
    under: Permission | None = None,
    **facts: Any,
) -> None:
    """Tell one entry; it is appended when the unit of work is over. What each argument says: `Happening`."""
    told = Happening(event, subject_type, subject_id, facts, words=words, decided=decided, place=place, under=under)
    await record_all(db, actor, [told])


async def record_all(db: Session, actor: Actor, happenings: Sequence[Happening]) -> None:
    """Tell entries, to be appended in their order when the unit of work is over. The order of entries is the order of
    the index; `at` of an entry may lie before that of its predecessor."""
    now = datetime.now(UTC)
    gathered = db.info.setdefault(_TOLD, [])
    gathered += [
        Told(actor.subject, acting(actor, told), told, told.at or now, salted(told.words)) for told in happenings
    ]
    at_the_end(db, append)


def rights_changed(db: Session) -> None:
    """Raise the epoch of access when the unit of work is over: everybody looks rights up anew. Its row is locked as
    late as the log is, so that no payload is read meanwhile."""
    db.info[_RIGHTS] = True
    at_the_end(db, append)


async def append(db: Session) -> None:
    """Append what was told in this session, and raise the epoch when rights changed. The edges do it, last."""
    told: list[Told] = db.info.pop(_TOLD, [])
    rights: bool = db.info.pop(_RIGHTS, False)
    if not told and not rights:
        return
    await db.flush()
    ahead = rights or any(each.happening.event in _AHEAD for each in told)
    values = {
        "ahead": ahead,
        "patience": PATIENCE_AHEAD_MS if ahead else PATIENCE_MS,
        "rights": rights,
        **_columns(told),
        **_words(told),
    }
    await db.execute(_APPEND, values)
    must_last(db)


def _columns(told: Sequence[Told]) -> dict[str, list[Any]]:
    leaves = [each.leaf for each in told]
    return {
        "ats": [each.at for each in told],
        "events": [each.happening.event.value for each in told],
        "actors": [each.actor for each in told],
        "subject_types": [each.happening.subject_type.value for each in told],
        "subject_ids": [each.happening.subject_id for each in told],
        "facts": [orjson.dumps(each.happening.facts).decode() for each in told],
        "hashes": [orjson.dumps(each.hashes).decode() for each in told],
        "actings": [orjson.dumps(each.acting).decode() for each in told],
        "decideds": [orjson.dumps(each.happening.told_decided).decode() for each in told],
        "places": [each.happening.place for each in told],
        "heads": [leaf.head for leaf in leaves],
        "tails": [leaf.tail for leaf in leaves],
    }


def _words(told: Sequence[Told]) -> dict[str, list[Any]]:
    words = [(place, word) for place, each in enumerate(told) for word in each.words]
    return {
        "word_entries": [place for place, _ in words],
        "word_fields": [word.field for _, word in words],
        "word_salts": [word.salt for _, word in words],
        "word_texts": [word.text for _, word in words],
    }
