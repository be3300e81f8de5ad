"""The tables that every package stands on: the log, its tree, answers kept for repeats, the access epoch."""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from wego.core.db import document, moment

_bytes: Any = LargeBinary()
_big: Any = BigInteger()
_small: Any = SmallInteger()
_SEAL = text("(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))")


class AuditEntry(SQLModel, table=True):
    """One leaf of the log (RFC 6962): the canonical JSON (RFC 8785) of what happened, and its hash."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject_id", "subject_id", "index"),
        Index("ix_audit_entry_catalogue", "index", postgresql_where=text("subject_type IN ('City', 'Practice')")),
        Index("ix_audit_entry_place_id", "place_id", "index", postgresql_where=text("place_id IS NOT NULL")),
    )

    index: int = Field(sa_type=_big, primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: dt.datetime = moment()
    event: str
    actor: str
    subject_type: str
    subject_id: UUID
    facts: dict[str, Any] = document()
    leaf_hash: bytes = Field(sa_type=_bytes)
    version: int = Field(sa_type=_small)  # the form of the entry, as wego/core/audit/entries.py describes it
    word_hashes: dict[str, str] = document()
    acting: dict[str, Any] = document()  # who the actor is beside his id: kind, role, for whom, by which means
    decided: dict[str, Any] = document()  # what was decided: by name, what it was before and is after
    place_id: UUID | None = None  # the organisation that it concerns


class AuditWord(SQLModel, table=True):
    """A text that belongs to an entry, such as a reason. It can be erased: the entry holds its salted hash only."""

    __tablename__ = "audit_word"

    entry: int = Field(sa_type=_big, primary_key=True, sa_column_kwargs={"autoincrement": False})
    field: str = Field(primary_key=True)
    salt: bytes = Field(sa_type=_bytes)
    text: str


class AuditState(SQLModel, table=True):
    """The one row that gives entries their order: size, root and right frontier of the tree."""

    __tablename__ = "audit_state"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int = Field(default=0, sa_type=_big)
    root: bytes = Field(sa_type=_bytes)
    frontier: bytes = Field(default=b"", sa_type=_bytes)
    unsigned_since: dt.datetime | None = moment(nullable=True)  # since when entries wait for a checkpoint
    seal: bytes = Field(sa_type=_bytes, sa_column_kwargs={"server_default": _SEAL})  # a secret: it seals cursors


class AuditCheckpoint(SQLModel, table=True):
    """A signed statement of size and root (C2SP tlog-checkpoint), kept so that the past cannot be rewritten."""

    __tablename__ = "audit_checkpoint"

    size: int = Field(sa_type=_big, primary_key=True, sa_column_kwargs={"autoincrement": False})
    root: bytes = Field(sa_type=_bytes)
    note: str
    at: dt.datetime = moment(now=True)


class AuditListener(SQLModel, table=True):
    """How far somebody who listens to the log has come, and what he failed at; '' is how far any worker has come."""

    __tablename__ = "audit_listener"
    __table_args__ = (UniqueConstraint("id"),)

    name: str = Field(primary_key=True)
    id: int = Field(sa_column=Column(Integer, Identity(always=True), nullable=False))  # names the advisory lock
    position: int = Field(sa_type=_big)  # the index of the entry that comes next
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # at that entry, in vain
    failing_since: dt.datetime | None = moment(nullable=True)
    retry_at: dt.datetime | None = moment(nullable=True)
    error: str = Field(default="", sa_column_kwargs={"server_default": text("''")})  # its kind, never its text


class IdempotentAnswer(SQLModel, table=True):
    """What one mutation field of a request with an Idempotency-Key did, written with what it did.

    The answer itself is not kept: a repeat reads the same things again, with the rights of who asks now."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (Index("ix_idempotent_answer_client", "client", "at"),)

    key: bytes = Field(sa_type=_bytes, primary_key=True)  # SHA-256 of the client below and its key
    ordinal: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: bytes = Field(sa_type=_bytes)  # SHA-256 of the request, so that another body is refused
    client: bytes = Field(sa_type=_bytes)  # SHA-256 of the kind of actor and of who it is
    rights: dict[str, Any] = document()  # the posts and scopes with which it was done
    keys: dict[str, Any] = document()  # what the payload shows, by name; empty when that was not to be kept
    kept: bool = False  # whether `keys` may be read again; a payload with a secret may not
    at: dt.datetime = moment(now=True)


class AccessEpoch(SQLModel, table=True):
    """The one row that is raised by every change of anybody's rights: an older token is looked up anew."""

    __tablename__ = "access_epoch"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(default=1, sa_type=_big, sa_column_kwargs={"server_default": text("1")})
