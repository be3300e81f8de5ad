"""Signed checkpoints of the log: what a database administrator cannot rewrite without being found out.

Binding text: C2SP tlog-checkpoint and signed-note (origin, size, root; Ed25519). A checkpoint is a row of
`audit_checkpoint` and a line in `<home>/audit/checkpoints.jsonl`; the key is a file of mode 0600.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from wego.core.db import Session
from wego.core.models import AuditCheckpoint, AuditState
from wego.core.settings import Settings

ALGORITHM = b"\x01"  # Ed25519, as signed-note numbers it


def _key(home: Path) -> Ed25519PrivateKey:
    path = home / "keys" / "audit.key"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def note(key: Ed25519PrivateKey, origin: str, size: int, root: bytes) -> str:
    """A checkpoint as a signed note."""
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = hashlib.sha256(origin.encode() + b"\n" + ALGORITHM + public).digest()[:4]
    signature = base64.b64encode(key_id + key.sign(body.encode())).decode()
    return f"{body}\n— {origin} {signature}\n"


async def sign_if_grown(db: Session, settings: Settings) -> None:
    """Sign the log when it has entries that no checkpoint covers."""
    signed = (await db.execute(select(func.max(col(AuditCheckpoint.size))))).scalar_one_or_none() or 0
    state = (await db.execute(select(AuditState))).scalar_one()
    if state.size > signed:
        await sign(db, settings)


async def sign(db: Session, settings: Settings) -> str:
    """Sign the log as it is now; the note."""
    state = (await db.execute(select(AuditState))).scalar_one()
    origin = settings.issuer.split("://", 1)[1] + "/audit"
    signed = note(_key(settings.home), origin, state.size, state.root)
    row = insert(AuditCheckpoint).values(size=state.size, root=state.root, note=signed)
    await db.execute(row.on_conflict_do_nothing())
    path = settings.home / "audit" / "checkpoints.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(orjson.dumps({"size": state.size, "root": state.root.hex(), "note": signed}) + b"\n")
    return signed


def kept(home: Path) -> Iterator[tuple[int, bytes]]:
    """The sizes and roots of the checkpoints in the file."""
    path = home / "audit" / "checkpoints.jsonl"
    if path.is_file():
        for line in path.read_bytes().splitlines():
            told = orjson.loads(line)
            yield told["size"], bytes.fromhex(told["root"])
