"""Judging the signatures of checkpoints, by keys that somebody keeps elsewhere.

A key that was replaced is good up to the checkpoint that announced its successor; the successor is good when that
checkpoint, signed by the old key, covers the entry that names it. Without a key from elsewhere all of this is only as
good as this machine, and the report says so. Whoever stole the private key can sign anything: then only copies of the
file from before help (`--checkpoints`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlmodel import col

from wego.core.audit import keyring, notes
from wego.core.audit.checkpoints import Line, file_of, lines
from wego.core.audit.notes import BadNote, Note, VerifierKey
from wego.core.audit.proof import Announced, Fault, Verdict, verify
from wego.core.db import Session
from wego.core.models import AuditCheckpoint
from wego.core.settings import Settings

ONLY_HERE = (
    "No key from elsewhere was given, so this proof is only as good as this machine: keep the key of `wego audit key` "
    "on another one, and give it by --key or WEGO_AUDIT_KEY."
)


@dataclass(frozen=True)
class Report:
    """Everything that was found: faults, and what an operator should know all the same."""

    verdict: Verdict
    faults: tuple[Fault, ...]
    notices: tuple[str, ...]
    signed: int  # the size of the newest checkpoint that a trusted key signed


@dataclass
class _Case:
    """What is gathered on the way to a report."""

    faults: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def fault(self, what: str) -> None:
        self.faults.append(Fault(None, what))


async def prove(db: Session, settings: Settings, keys: Sequence[str] = (), copies: Sequence[Path] = ()) -> Report:
    """Recompute the log, and check every checkpoint in the database, in the file, and in copies of it."""
    case = _Case()
    given, wrong = keyring.given_keys(keys)
    own, damaged = keyring.public_keys(settings.home)
    for each in (*wrong, *damaged):
        case.fault(each)
    told = [*_from_file(case, settings.home)]
    for copy in copies:
        told += _checked(case, copy)
    rows = await _from_database(case, db)
    everything = [*told, *rows]
    verdict = await verify(db, [(line.note.size, line.note.root) for line in everything if line.note])
    if not given:
        case.notices.append(ONLY_HERE)
    trust = _trusted(given or own[:1], verdict, [line.note for line in everything if line.note])
    signed = _judge(case, everything, trust)
    if not file_of(settings.home).is_file() and rows:
        case.fault(f"{file_of(settings.home)} is missing: {len(rows)} checkpoints of the database are not in it")
    if given and not signed and verdict.size:
        case.fault("no checkpoint is signed by a key that was given")
    if verdict.size > signed:
        waiting = verdict.size - signed
        case.notices.append(f"{waiting} of {verdict.size} entries are not covered by a good checkpoint yet.")
    return Report(verdict, (*verdict.faults, *case.faults), tuple(case.notices), signed)


def _from_file(case: _Case, home: Path) -> list[Line]:
    path = file_of(home)
    return _checked(case, path) if path.is_file() else []


def _checked(case: _Case, path: Path) -> list[Line]:
    """The lines of a file; those that cannot be read are told, and sizes that fall."""
    found, size = [], 0
    for line in lines(path):
        if line.torn:
            case.notices.append(f"{line.where}: {line.wrong}; the next checkpoint replaces it.")
        elif line.wrong:
            case.fault(f"{line.where}: {line.wrong}")
        if line.note is not None:
            if line.note.size < size:
                case.fault(f"{line.where}: it signed {line.note.size} entries after {size}")
            size = line.note.size
            found.append(line)
    return found


async def _from_database(case: _Case, db: Session) -> list[Line]:
    found = []
    query = select(AuditCheckpoint).order_by(col(AuditCheckpoint.size))
    for row in (await db.execute(query)).scalars():
        where = f"the checkpoint of {row.size} entries in the database"
        try:
            note = notes.read(row.note)
        except BadNote as problem:
            case.fault(f"{where}: {problem}")
            continue
        if (note.size, note.root) != (row.size, row.root):
            case.fault(f"{where}: size and root beside the note are not those of the note")
        found.append(Line(where, note))
    return found


@dataclass
class _Trust:
    """Keys that are believed, and the size up to which."""

    until: dict[VerifierKey, int | None]

    def holds(self, note: Note, key: VerifierKey) -> bool:
        """Whether the key signed the note; the same key under the name of an earlier address counts."""
        return note.is_signed_by(key) or note.is_signed_by(VerifierKey(note.origin, key.public))

    def good(self, note: Note) -> bool:
        return any((end is None or note.size <= end) and self.holds(note, key) for key, end in self.until.items())


def _trusted(start: Iterable[VerifierKey], verdict: Verdict, signed: Sequence[Note]) -> _Trust:
    """The keys to begin with, and their successors as the log and its checkpoints announce them."""
    trust = _Trust(dict.fromkeys(start))
    for announced in verdict.announced:
        _succeed(trust, announced, verdict, signed)
    return trust


def _succeed(trust: _Trust, announced: Announced, verdict: Verdict, signed: Sequence[Note]) -> None:
    for key, end in list(trust.until.items()):
        if f"id:{key.id.hex()}" != announced.old or end is not None:
            continue
        covering = [
            note.size for note in signed
            if note.size > announced.index and verdict.roots.get(note.size) == note.root and trust.holds(note, key)
        ]  # fmt: skip
        if covering and len(announced.public) == 32:
            trust.until[key] = min(covering)
            trust.until.setdefault(VerifierKey(key.name, announced.public), None)


def _judge(case: _Case, told: Iterable[Line], trust: _Trust) -> int:
    """Tell every checkpoint whose signature is not good; the size of the largest good one."""
    best = 0
    for line in told:
        note = line.note
        if note is None:
            continue
        if trust.good(note):
            best = max(best, note.size)
        elif any(trust.holds(note, key) for key in trust.until):
            case.fault(f"{line.where}: it is signed by a key that had been replaced")
        elif {key_id for _, key_id, _ in note.signatures} & {key.id for key in trust.until}:
            case.fault(f"{line.where}: its signature is not good")
        else:
            signers = ", ".join(f"{name}+{key_id.hex()}" for name, key_id, _ in note.signatures)
            case.fault(f"{line.where}: it is signed by {signers}, which is not a key that is known to be the log's")
    return best
