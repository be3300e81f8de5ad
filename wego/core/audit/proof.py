"""Recomputing the log: every leaf, the tree, the words beside it, and what was signed of it.

Everything is read as text, in batches, and nothing that stands in a row can end the check. Writers go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select, text
from sqlmodel import col

from wego.core.audit.entries import Event, canonical, word_hash
from wego.core.audit.tree import Tree, leaf_hash
from wego.core.db import Session
from wego.core.models import AuditCheckpoint, AuditState

ENTRIES = text("""
    SELECT e.index, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS at, e.event, e.actor,
        e.subject_type, e.subject_id::text AS subject_id, e.facts::text AS facts, e.leaf_hash, e.version,
        e.word_hashes::text AS hashes, e.acting::text AS acting, e.decided::text AS decided,
        e.place_id::text AS place_id,
        (SELECT coalesce(json_agg(json_build_array(w.field, encode(w.salt, 'hex'), w.text)), '[]')::text
            FROM audit_word w WHERE w.entry = e.index) AS words
    FROM audit_entry e ORDER BY e.index
""")
_KNOWN = frozenset(event.value for event in Event)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the log: where, and what."""

    index: int | None
    what: str


@dataclass(frozen=True)
class Announced:
    """An entry that tells of a new key for checkpoints: its index, the old key's id and the new key."""

    index: int
    old: str
    public: bytes


@dataclass(frozen=True)
class Verdict:
    """What was found; `roots` are those of the tree at the sizes that were asked for."""

    size: int
    root: bytes
    faults: tuple[Fault, ...]
    roots: dict[int, bytes] = field(default_factory=dict)
    announced: tuple[Announced, ...] = ()
    erased: int = 0


@dataclass
class _Reading:
    """What is gathered while the entries go by."""

    expected: dict[int, set[bytes]]  # roots that were signed, by size
    sizes: frozenset[int]  # at which the root is kept
    tree: Tree = field(default_factory=Tree)
    wanted: int = 0
    faults: list[Fault] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    announced: list[Announced] = field(default_factory=list)
    missing: set[tuple[int, str]] = field(default_factory=set)
    erased: set[tuple[int, str]] = field(default_factory=set)

    def take(self, row: Any) -> None:
        if row.index != self.wanted:
            self.faults.append(Fault(self.wanted, f"entries {self.wanted} to {row.index - 1} are missing"))
        self.wanted = row.index + 1
        leaf = leaf_hash(canonical(row))
        if leaf != row.leaf_hash or row.event not in _KNOWN:
            self.faults.append(Fault(row.index, "the entry is not the one that was hashed"))
        self._words(row)
        self._hear(row)
        self.tree.append(leaf)
        size = self.tree.size
        if size in self.sizes:
            self.roots[size] = self.tree.root
            if self.expected.get(size, {self.tree.root}) != {self.tree.root}:
                self.faults.append(Fault(row.index, "the tree up to here is not the one that a checkpoint signed"))

    def _words(self, row: Any) -> None:
        """Each word has the hash that stands in the entry, or was erased and an entry says so."""
        try:
            hashes = dict(orjson.loads(row.hashes))
            words = {name: word_hash(bytes.fromhex(salt), said) for name, salt, said in orjson.loads(row.words)}
        except (ValueError, TypeError):
            self.faults.append(Fault(row.index, "the words of the entry cannot be read"))
            return
        for name, told in words.items():
            if hashes.get(name) != told:
                self.faults.append(Fault(row.index, f"the word {name} is not the one that was hashed"))
        self.missing |= {(row.index, str(name)) for name in hashes if name not in words}

    def _hear(self, row: Any) -> None:
        """What entries say about the log itself: words that were erased, keys that were replaced."""
        if row.event not in (Event.WORDS_ERASED.value, Event.KEY_ROTATED.value):
            return
        try:
            facts = orjson.loads(row.facts)
            if row.event == Event.WORDS_ERASED.value:
                self.erased |= {(int(facts["entry"]), str(name)) for name in facts["fields"]}
            elif row.subject_type == "AuditKey":
                public = bytes.fromhex(str(facts["public"]).removeprefix("ed25519:"))
                self.announced.append(Announced(row.index, str(facts["old"]), public))
        except (ValueError, TypeError, KeyError):
            self.faults.append(Fault(row.index, "the entry does not say what its event needs"))


async def verify(db: Session, known: Iterable[tuple[int, bytes]] = ()) -> Verdict:
    """Recompute every leaf and the tree. `known` are (size, root) pairs kept outside the database, such as the
    signed checkpoints in a file; those in the database are always checked."""
    query = select(col(AuditState.size), col(AuditState.root))
    state = (await db.execute(query)).one_or_none()
    kept = (await db.execute(select(col(AuditCheckpoint.size), col(AuditCheckpoint.root)))).all()
    expected: dict[int, set[bytes]] = {}
    for size, root in [*((row[0], row[1]) for row in kept), *known]:
        expected.setdefault(size, set()).add(root)
    reading = _Reading(expected, frozenset({*expected, -1 if state is None else state.size}))
    result = await db.stream(ENTRIES, execution_options={"yield_per": 1000})
    async for row in result:
        reading.take(row)
    tree, faults = reading.tree, reading.faults
    faults += [Fault(None, f"a checkpoint signed {size} entries") for size in expected if size > tree.size]
    now = (await db.execute(query)).one_or_none()  # writers went on: what was read is what it was then, or later
    if not _is_state(state, now, reading):
        faults.append(Fault(None, "the size or root of the tree is not that of the entries"))
    faults += [
        Fault(index, f"the word {name} is gone, and no entry says that it was erased")
        for index, name in sorted(reading.missing - reading.erased)
    ]
    return Verdict(tree.size, tree.root, tuple(faults), reading.roots, tuple(reading.announced), len(reading.missing))


def _is_state(before: Any, after: Any, reading: _Reading) -> bool:
    if before is None or after is None:
        return False
    root = reading.tree.root if before.size == reading.tree.size else reading.roots.get(before.size)
    return bool(root == before.root and after.size >= reading.tree.size >= before.size)
