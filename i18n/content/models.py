"""Texts with their language: source revisions, translations by block, and the rows from which they are read.

The truth is normalised: a document has immutable revisions made of blocks; a translation has one segment per block
with the hash of the source block it was made from. Staleness is the difference of two hashes, asked when reading.
`ContentReading` and `ContentSection` are derived from it in the same transaction (`content.refresh`).
"""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, LargeBinary, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from i18n.language.origins import Origin
from wego.core.db import document, moment, vocabulary
from wego.core.ids import new_id
from wego.core.vocabulary import N_, Vocabulary

_bytes: Any = LargeBinary()


class BlockKind(Vocabulary):
    TITLE = "title", "The block is the title."
    SUMMARY = "summary", "The block is the summary."
    HEADING = "heading", "The block is the heading of a section."
    BODY = "body", "The block is a paragraph or another part of a section's text."


class TranslationStatus(Vocabulary):
    DRAFT = "draft", "The translation belongs to a text that was never published.", N_("draft")
    IN_REVIEW = (
        "in_review",
        "The translation is waiting until somebody who may publish releases it.",
        N_("waiting for release"),
    )
    PUBLISHED = "published", "The translation is the one that is read.", N_("published")
    REJECTED = "rejected", "The translation was not taken.", N_("rejected")


class ContentDocument(SQLModel, table=True):
    """A text in one original language, with any number of translations."""

    __tablename__ = "content_document"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    original_locale: str
    current_revision_id: UUID | None = Field(default=None)


class ContentRevision(SQLModel, table=True):
    """One state of the original; never changed, only followed by the next. `facts` is the record it belonged to.

    A published one keeps who may read it for good, as it was published: `members_from` and `public_from` say since when
    members and everybody may; null = never. What follows it under another visibility does not open it.
    """

    __tablename__ = "content_revision"
    __table_args__ = (UniqueConstraint("document_id", "number"), CheckConstraint("number >= 1", name="number"))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    document_id: UUID = Field(foreign_key="content_document.id")
    number: int
    minor: bool = False
    author: str = ""
    note: str = ""
    facts: dict[str, Any] = document()
    created_at: dt.datetime = moment(now=True)
    published_at: dt.datetime | None = moment(nullable=True)
    members_from: dt.datetime | None = moment(nullable=True)
    public_from: dt.datetime | None = moment(nullable=True)


class ContentBlock(SQLModel, table=True):
    """One Markdown block of a revision. `block_id` stays the same from revision to revision while it is the same
    block (aligned by content, then by order), so that segments of translations keep their place."""

    __tablename__ = "content_block"
    __table_args__ = (
        UniqueConstraint("revision_id", "block_id"),
        CheckConstraint("(kind in ('heading', 'body')) = (section is not null)", name="section"),
    )

    revision_id: UUID = Field(foreign_key="content_revision.id", primary_key=True)
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    block_id: UUID
    section: str | None = None
    kind: BlockKind = vocabulary(BlockKind)
    text: str
    hash: bytes = Field(sa_type=_bytes)


class ContentTranslation(SQLModel, table=True):
    """A translation into one language: the live one (PUBLISHED), and beside it the one that waits until somebody who
    may publish releases it (IN_REVIEW). Only what is live is read by everybody."""

    __tablename__ = "content_translation"
    __table_args__ = (UniqueConstraint("document_id", "locale", "status"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    document_id: UUID = Field(foreign_key="content_document.id")
    locale: str
    status: TranslationStatus = vocabulary(TranslationStatus, default=TranslationStatus.PUBLISHED)
    based_on_revision_id: UUID = Field(foreign_key="content_revision.id")
    updated_at: dt.datetime = moment(now=True)


class ContentSegment(SQLModel, table=True):
    """The translation of one block, with the hash of what it was made from."""

    __tablename__ = "content_segment"

    translation_id: UUID = Field(foreign_key="content_translation.id", primary_key=True)
    block_id: UUID = Field(primary_key=True)
    source_hash: bytes = Field(sa_type=_bytes)
    text: str
    origin: Origin = vocabulary(Origin, default=Origin.HUMAN)
    tool: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the program or model that made it
    author: str = ""
    updated_at: dt.datetime = moment(now=True)


class ContentReading(SQLModel, table=True):
    """The short texts of a document in one language, as lists show them. Derived: see `content.refresh`."""

    __tablename__ = "content_reading"

    document_id: UUID = Field(foreign_key="content_document.id", primary_key=True)
    locale: str = Field(primary_key=True)
    origin: Origin = vocabulary(Origin)
    title: str
    title_hash: bytes = Field(sa_type=_bytes)
    summary: str
    summary_hash: bytes = Field(sa_type=_bytes)


class ContentSection(SQLModel, table=True):
    """One section of a document in one language. Derived. `html` is the body, rendered and sanitised (nh3); the
    hashes are those of the source blocks the text was made from, in the order of the source."""

    __tablename__ = "content_section"
    __table_args__ = (
        ForeignKeyConstraint(
            ["document_id", "locale"], ["content_reading.document_id", "content_reading.locale"], ondelete="CASCADE"
        ),
    )

    document_id: UUID = Field(primary_key=True)
    locale: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    position: int
    origin: Origin = vocabulary(Origin)
    heading: str
    heading_hash: bytes = Field(sa_type=_bytes)
    body: str
    html: str
    body_hash: bytes = Field(sa_type=_bytes)


class TextOwner(SQLModel):
    """What the row of a thing holds of its text, whose document has the key of the thing: the language of the original,
    and the hashes of its present title and summary (a reading with others is stale)."""

    id: UUID = Field(default_factory=new_id, primary_key=True, foreign_key="content_document.id")
    original_locale: str
    title_hash: bytes = Field(sa_type=_bytes)
    summary_hash: bytes = Field(sa_type=_bytes)


class Term(SQLModel, table=True):
    """A word of a small fixed vocabulary, such as a theme of a WeGO Awards edition or a goal of the SDGs."""

    __tablename__ = "term"
    __table_args__ = (UniqueConstraint("scheme", "code"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    scheme: str
    code: str
    position: int = 0
    retired: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class TermLabel(SQLModel, table=True):
    __tablename__ = "term_label"

    scheme: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    locale: str = Field(primary_key=True)
    label: str

    __table_args__ = (ForeignKeyConstraint(["scheme", "code"], ["term.scheme", "term.code"], ondelete="CASCADE"),)
