"""Signed checkpoints of the log: what an administrator of the database cannot rewrite without being found out.

Binding text: C2SP tlog-checkpoint. A checkpoint is a row of `audit_checkpoint` and a line of
`<home>/audit/checkpoints.jsonl`; what is in the row and not in the file is written there again. Signing never names
entries that are not on disk: after a power cut the log would be shorter than what was signed of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select, text
from sqlmodel import col

from wego.core.access import Actor
from wego.core.audit import keyring, notes
from wego.core.audit.entries import Event, Subject
from wego.core.audit.keyring import KeyProblem, Signer, signer
from wego.core.audit.log import record
from wego.core.audit.notes import BadNote, Note, VerifierKey
from wego.core.db import Database, Session
from wego.core.files import append_line, write_private
from wego.core.ids import new_id
from wego.core.models import AuditCheckpoint, AuditState
from wego.core.settings import Settings

LATE = timedelta(minutes=5)  # a checkpoint is due every minute
LEAST_SPACE = 16 * 2**20
_TURN = text("SELECT pg_advisory_xact_lock(7219045530003)")  # who signs or replaces the key does it alone
_SIGNED = text("SELECT wego_audit_signed(:size, :root, :note)")


def file_of(home: Path) -> Path:
    return home / "audit" / "checkpoints.jsonl"


async def sign_if_grown(database: Database, settings: Settings) -> None:
    """Sign the log when it has entries that no checkpoint covers; write what the file lacks."""
    async with database.session() as db:
        signed = (await db.execute(select(func.max(col(AuditCheckpoint.size))))).scalar_one_or_none() or 0
        grown = (await db.execute(select(col(AuditState.size)))).scalar_one() > signed
    if grown:
        await sign(database, settings)
    elif signed > last_in_file(settings.home):
        async with database.session() as db:
            await db.execute(_TURN)
            await _catch_up(db, settings.home)


async def sign(database: Database, settings: Settings) -> str:
    """Sign the log as it is now; the note."""
    async with database.session() as db:
        await db.execute(_TURN)
        return await _sign(database, db, settings.home, signer(settings))


async def _sign(database: Database, db: Session, home: Path, by: Signer, *also: Ed25519PrivateKey) -> str:
    await _catch_up(db, home)
    size, root = (await db.execute(select(col(AuditState.size), col(AuditState.root)))).one()
    await database.flush.flushed()
    note = notes.write(by.origin, size, root, [by.key, *also])
    append_line(file_of(home), _line(note, size, root))
    await db.execute(_SIGNED, {"size": size, "root": root, "note": note})
    return note


def _line(note: str, size: int, root: bytes) -> bytes:
    return orjson.dumps({"size": size, "root": root.hex(), "note": note})


async def _catch_up(db: Session, home: Path) -> None:
    """Write into the file what only the database has, as after a full disk or a lost file."""
    last = last_in_file(home)
    kept = select(AuditCheckpoint).where(col(AuditCheckpoint.size) > last).order_by(col(AuditCheckpoint.size))
    for row in (await db.execute(kept)).scalars():
        append_line(file_of(home), _line(row.note, row.size, row.root))


async def replace_key(database: Database, settings: Settings, actor: Actor) -> VerifierKey:
    """The emergency: sign with a new key from now on. An entry of the log announces it, and the checkpoint that covers
    the entry carries the signatures of both; where the old key is lost or damaged, the new one's alone."""
    try:
        old: Signer | None = signer(settings)
    except KeyProblem:
        old = None
    known, _ = keyring.public_keys(settings.home)
    origin = old.origin if old else known[-1].name if known else settings.issuer.split("://", 1)[1] + "/audit"
    new = Signer(origin, Ed25519PrivateKey.generate())
    facts: dict[str, Any] = {
        "old": f"id:{old.public.id.hex()}" if old else "",
        "public": f"ed25519:{new.public.public.hex()}",
    }
    async with database.session() as db:
        await record(db, actor, Event.KEY_ROTATED, Subject.AUDIT_KEY, new_id(), cause="emergency", **facts)
    async with database.session() as db:
        await db.execute(_TURN)
        by, also = (old, (new.key,)) if old else (new, ())
        await _sign(database, db, settings.home, by, *also)
        append_line(keyring.public_file(settings.home), str(new.public).encode())
        write_private(keyring.key_file(settings.home), keyring.raw(new.key))
    return new.public


# ── what is in files ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Line:
    """One line of a file of checkpoints: its note, or what is wrong with it."""

    where: str
    note: Note | None
    wrong: str = ""
    torn: bool = False


def lines(path: Path) -> Iterator[Line]:
    """The checkpoints of a file, line by line; damage is told, and what comes after it is read all the same."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                yield _read_line(f"{path}, line {number}", raw)
    except OSError as problem:
        yield Line(str(path), None, f"it cannot be read: {problem.strerror}")


def _read_line(where: str, raw: bytes) -> Line:
    try:
        told = orjson.loads(raw)
        note = notes.read(told["note"])
        if (told.get("size"), told.get("root")) != (note.size, note.root.hex()):
            return Line(where, note, "size and root beside the note are not those of the note")
        return Line(where, note)
    except BadNote as problem:
        return Line(where, None, str(problem))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        torn = not raw.endswith(b"\n")
        return Line(where, None, "the line is torn, as a power cut leaves it" if torn else "it is no checkpoint", torn)


def kept(home: Path) -> Iterator[tuple[int, bytes]]:
    """The sizes and roots of the checkpoints in the file."""
    path = file_of(home)
    if path.is_file():
        for line in lines(path):
            if line.note is not None:
                yield line.note.size, line.note.root


def last_in_file(home: Path) -> int:
    """The size of the newest checkpoint of the file, looked up from its end; 0 where there is none."""
    try:
        with file_of(home).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 65_536))
            found = [line.note.size for line in (_read_line("", raw) for raw in file) if line.note]
    except OSError:
        return 0
    return max(found, default=0)


# ── whether it goes on ────────────────────────────────────────────────────────────────────────────────────────────


async def checkpoint_health(database: Database, settings: Settings, now: datetime | None = None) -> str | None:
    """What keeps the log from being signed, or None: for `wego doctor`, readiness and metrics."""
    row = await database.reads.fetchrow(
        "select size, unsigned_since, (select max(size) from audit_checkpoint) as signed from audit_state"
    )
    if row is None:
        return "the log has lost the row that holds its state"
    found = files_problem(settings.home, row["signed"] or 0)
    if found:
        return found
    since = row["unsigned_since"]
    if since is not None and (now or datetime.now(UTC)) - since > LATE:
        at = since.isoformat(timespec="seconds")
        return f"entries of the log wait for a checkpoint since {at}: does a worker run?"
    return None


def files_problem(home: Path, signed: int) -> str | None:
    """What is wrong with key and file of the checkpoints, of which the last covers `signed` entries; else None."""
    try:
        if keyring.read_key(home) is None and (signed or keyring.public_file(home).exists()):
            return f"{keyring.key_file(home)} is missing: restore it, or run `wego keys replace --audit`"
    except KeyProblem as problem:
        return str(problem)
    path = file_of(home)
    if signed and not path.is_file():
        return f"{path} is missing"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} cannot be written"
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if shutil.disk_usage(nearest).free < LEAST_SPACE:
        return f"the disk of {nearest} is full"
    return None
