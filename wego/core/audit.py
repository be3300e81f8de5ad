"""What happened, who did it and when: an append-only log that proves itself.

Binding text: RFC 6962 section 2 (Merkle tree: leaf = SHA-256(0x00 || entry), node = SHA-256(0x01 || l || r)),
RFC 8785 (canonical JSON), C2SP tlog-checkpoint (signed note).
An entry is written in the transaction of what it tells. The row of `audit_state` is locked meanwhile, so entries
have one order; it holds the roots of the complete subtrees on the right edge (the frontier), so that appending
costs O(log n). Triggers refuse UPDATE and DELETE; `verify` finds what a superuser changed all the same.
No token, no secret and no personal data belongs in `facts`: ids, codes and reasons only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import func, insert, select, update
from sqlmodel import col

from wego.core.access import Actor
from wego.core.db import Session
from wego.core.models import AuditCheckpoint, AuditEntry, AuditState


class Event(StrEnum):
    """Everything that can happen, as `<noun>.<past participle>`; a value is never renamed, only retired."""

    CITY_REGISTERED = "city.registered"
    CITY_UPDATED = "city.updated"
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
    PRACTICE_ARCHIVED = "practice.archived"
    CLIENT_REGISTERED = "client.registered"
    CLIENT_REVOKED = "client.revoked"
    CLIENT_DOCUMENTS_REGISTERED = "client.documents_registered"
    TOKEN_ISSUED = "token.issued"  # noqa: S105  # the name of an event, not a secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105  # likewise
    KEY_ROTATED = "key.rotated"


EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass
class Tree:
    """The right edge of a Merkle tree: roots of its complete subtrees, largest first."""

    size: int = 0
    frontier: list[bytes] | None = None

    def append(self, leaf: bytes) -> None:
        roots = self.frontier = self.frontier or []
        roots.append(leaf)
        bits = self.size
        while bits & 1:
            right, left = roots.pop(), roots.pop()
            roots.append(node_hash(left, right))
            bits >>= 1
        self.size += 1

    @property
    def root(self) -> bytes:
        roots = list(self.frontier or [])
        if not roots:
            return EMPTY_ROOT
        right = roots.pop()
        while roots:
            right = node_hash(roots.pop(), right)
        return right


@dataclass(frozen=True)
class Happening:
    """What is to be told: an event, its subject (type and key), and facts that JSON can hold."""

    event: Event
    subject_type: str
    subject_id: UUID
    facts: dict[str, Any]
    at: datetime | None = None


def _entry(index: int, actor: str, told: Happening, at: datetime) -> dict[str, Any]:
    return {
        "index": index,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": told.event.value,
        "actor": actor,
        "subject": {"type": told.subject_type, "id": str(told.subject_id)},
        "facts": told.facts,
    }


async def record(db: Session, actor: Actor, event: Event, subject_type: str, subject_id: UUID, **facts: Any) -> None:
    """Append one entry in the running transaction."""
    await record_all(db, actor, [Happening(event, subject_type, subject_id, facts)])


async def record_all(db: Session, actor: Actor, happenings: Sequence[Happening]) -> None:
    """Append entries in their order; one lock, one insert. The order of entries is the order of the index; `at` of
    an entry about the past (the seed of the history) may lie before that of its predecessor."""
    await db.flush()
    locked = select(AuditState).with_for_update().execution_options(populate_existing=True)
    state = (await db.execute(locked)).scalar_one()
    tree = Tree(state.size, [state.frontier[i : i + 32] for i in range(0, len(state.frontier), 32)])
    rows = []
    for told in happenings:
        at = told.at or datetime.now(UTC)
        leaf = leaf_hash(rfc8785.dumps(_entry(tree.size, actor.subject, told, at)))
        rows.append(
            {
                "index": tree.size, "at": at, "event": told.event.value, "actor": actor.subject,
                "subject_type": told.subject_type, "subject_id": told.subject_id, "facts": told.facts,
                "leaf_hash": leaf,
            }
        )  # fmt: skip
        tree.append(leaf)
    if rows:
        await db.execute(insert(AuditEntry), rows)
        await db.execute(
            update(AuditState)
            .values(size=tree.size, root=tree.root, frontier=b"".join(tree.frontier or []))
            .execution_options(synchronize_session=False)
        )
        await db.execute(select(func.pg_notify("wego_data", "")))  # at the commit, public answers are forgotten


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the log: where, and what."""

    index: int | None
    what: str


@dataclass(frozen=True)
class Verdict:
    size: int
    root: bytes
    faults: tuple[Fault, ...]


async def verify(db: Session, known: Iterable[tuple[int, bytes]] = ()) -> Verdict:
    """Recompute every leaf and the tree. `known` are (size, root) pairs kept outside the database, such as the
    signed checkpoints in a file; those in the database are always checked. Reads the log in order, in batches."""
    state = (await db.execute(select(AuditState))).scalar_one_or_none()
    kept = (await db.execute(select(col(AuditCheckpoint.size), col(AuditCheckpoint.root)))).all()
    expected: dict[int, set[bytes]] = {}
    for size, root in [*((row[0], row[1]) for row in kept), *known]:
        expected.setdefault(size, set()).add(root)
    tree, faults, wanted = Tree(), [], 0
    result = await db.stream(select(AuditEntry).order_by(col(AuditEntry.index)).execution_options(yield_per=1000))
    async for entry in result.scalars():
        faults += _check_entry(entry, wanted)
        wanted = entry.index + 1
        tree.append(leaf_hash(_canonical(entry)))
        if expected.get(tree.size, {tree.root}) != {tree.root}:
            faults.append(Fault(entry.index, "the tree up to here is not the one that a checkpoint signed"))
    faults += [Fault(None, f"a checkpoint signed {size} entries") for size in expected if size > tree.size]
    if state is None or (state.size, state.root) != (tree.size, tree.root):
        faults.append(Fault(None, "the size or root of the tree is not that of the entries"))
    return Verdict(tree.size, tree.root, tuple(faults))


def _canonical(entry: AuditEntry) -> bytes:
    if entry.event not in set(Event):
        return b"unknown event " + entry.event.encode()
    told = Happening(Event(entry.event), entry.subject_type, entry.subject_id, entry.facts)
    return rfc8785.dumps(_entry(entry.index, entry.actor, told, entry.at))


def _check_entry(entry: AuditEntry, wanted: int) -> list[Fault]:
    faults = []
    if entry.index != wanted:
        faults.append(Fault(wanted, f"entries {wanted} to {entry.index - 1} are missing"))
    if leaf_hash(_canonical(entry)) != entry.leaf_hash:
        faults.append(Fault(entry.index, "the entry is not the one that was hashed"))
    return faults
