"""Texts with their translations: written, revised, translated, compared; the only writer of `content_…`
tables.

Binding text: design/web.md 4.7. Revisions are immutable; a translation has one segment per block with the
hash of the block it was made from; staleness is computed. These verbs are called by services that have asked
for permission and that record the event; they lock the document, so that two writers take turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col

from i18n.content import blocks as parts
from i18n.content import markdown
from i18n.content.blocks import Block, Draft, Section, SectionPart, TranslationDraft
from i18n.content.comparison import COUNT_CHANGES
from i18n.content.models import (
    BlockKind,
    ContentBlock,
    ContentDocument,
    ContentRevision,
    ContentSegment,
    ContentTranslation,
    TranslationStatus,
)
from i18n.content.readings import Disagreement, refresh, verify
from i18n.content.releases import LIVE, WAITING, Audience, close, forget, publish, row_of
from i18n.content.releases import release as _release
from i18n.content.targets import targets
from i18n.language.locales import canonical
from i18n.language.origins import Origin
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotFound
from wego.core.ids import new_id
from wego.core.offload import offload

__all__ = [
    "Audience", "Disagreement", "Draft", "Section", "SectionPart", "Titled",
    "Translated", "TranslationDraft", "Written", "close", "create", "erase", "is_closed", "locale_tag", "publish",
    "refresh", "release", "revise", "titles", "translate", "verify", "written",
]  # fmt: skip

MOST_LOCALES = 100  # translations of one document


@dataclass(frozen=True)
class Written:
    """What a revision left behind. `changed` = blocks that are new, changed or gone; `carried` = blocks whose
    translations were declared to be still right (a minor edit)."""

    document_id: UUID
    revision_id: UUID
    number: int
    title_hash: bytes
    summary_hash: bytes
    changed: int = 0
    carried: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Translated:
    """What a translator's act left behind: how many blocks it touched."""

    translation_id: UUID
    locale: str
    touched: int


class Titled(NamedTuple):
    """A title that the original has or had, and since when members and everybody read that version."""

    title: str
    members_from: datetime | None
    public_from: datetime | None


def locale_tag(tag: str, path: markdown.Path = ("input", "locale")) -> str:
    """The canonical form of a language tag (BCP 47); refuses what is none."""
    known = canonical(tag)
    if known is None:
        raise Invalid("This is not a language tag (BCP 47), such as ko or pt-BR.", path=path)
    return known


async def create(
    db: Session, key: UUID, locale: str, draft: Draft, author: str, *, facts: Mapping[str, Any] | None = None
) -> Written:
    """Write a new document with its first revision; `locale` is the language of the original."""
    await offload(parts.check, draft)
    db.add(ContentDocument(id=key, original_locale=locale_tag(locale, ("input", "originalLocale"))))
    await db.flush()
    made = await offload(parts.compose, draft)
    written = await _write(db, key, None, 1, made, author=author, minor=False, facts=facts or {})
    await refresh(db, key)
    return written


async def revise(
    db: Session,
    document_id: UUID,
    draft: Draft,
    *,
    author: str,
    minor: bool,
    facts: Mapping[str, Any],
    note: str = "",
) -> Written:
    """Write the next revision. Blocks keep their ids where they continue an earlier one; a minor revision
    declares that translations of the changed blocks are still right (those that were right before it)."""
    await offload(parts.check, draft)
    document = await _locked(db, document_id)
    before, number = await _current(db, document)
    after = await offload(parts.aligned, before, await offload(parts.compose, draft))
    written = await _write(
        db, document_id, document.current_revision_id, number + 1, after, author=author, minor=minor, facts=facts,
        note=note,
    )  # fmt: skip
    old = {block.id: block.hash for block in before}
    edited = [block for block in after if old.get(block.id, block.hash) != block.hash]
    if minor:
        await _carry(db, document_id, {block.id: (old[block.id], block.hash) for block in edited})
    await refresh(db, document_id)
    return replace(written, carried=tuple(block.id for block in edited) if minor else ())


async def _found(db: Session, document_id: UUID) -> ContentDocument:
    document = await db.get(ContentDocument, document_id, populate_existing=True)
    if document is None:
        raise NotFound("This text does not exist.")
    return document


async def _locked(db: Session, document_id: UUID) -> ContentDocument:
    query = select(ContentDocument).where(col(ContentDocument.id) == document_id).with_for_update()
    document = (await db.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if document is None:
        raise NotFound("This text does not exist.")
    return document


async def _current(db: Session, document: ContentDocument) -> tuple[list[Block], int]:
    assert document.current_revision_id is not None  # set by `_write` in the transaction that creates the document
    number = (
        await db.execute(
            select(col(ContentRevision.number)).where(col(ContentRevision.id) == document.current_revision_id)
        )
    ).scalar_one()
    return await _blocks(db, document.current_revision_id), number


async def _blocks(db: Session, revision_id: UUID) -> list[Block]:
    query = (
        select(
            col(ContentBlock.block_id), col(ContentBlock.section), col(ContentBlock.kind),
            col(ContentBlock.text), col(ContentBlock.hash),
        )
        .where(col(ContentBlock.revision_id) == revision_id)
        .order_by(col(ContentBlock.position))
    )  # fmt: skip
    return [Block(*row) for row in await db.execute(query)]


_PRESENT = text(
    "UPDATE content_document SET current_revision_id = :after WHERE id = :document "
    f"RETURNING {COUNT_CHANGES} AS changed"
)


async def _write(
    db: Session, document_id: UUID, before: UUID | None, number: int, made: Sequence[Block], *, author: str,
    minor: bool, facts: Mapping[str, Any], note: str = "",
) -> Written:  # fmt: skip
    revision_id = new_id()
    await db.execute(
        insert(ContentRevision).values(
            id=revision_id,
            document_id=document_id,
            number=number,
            minor=minor,
            author=author,
            note=note,
            facts=dict(facts),
        )
    )
    rows = [
        {
            "revision_id": revision_id, "position": position, "block_id": block.id, "section": block.section,
            "kind": block.kind, "text": block.text, "hash": block.hash,
        }
        for position, block in enumerate(made)
    ]  # fmt: skip
    await db.execute(insert(ContentBlock), rows)
    present = {"document": document_id, "before": before, "after": revision_id}
    changed = (await db.execute(_PRESENT, present)).scalar_one()
    title, summary = (parts.combined([block.hash]) for block in made[:2])
    return Written(document_id, revision_id, number, title, summary, changed)


_CARRY = text(
    "UPDATE content_segment s SET source_hash = :new FROM content_translation t "
    "WHERE t.id = s.translation_id AND t.document_id = :document AND s.block_id = :block "
    "AND s.source_hash = :old"
)


async def _carry(db: Session, document_id: UUID, edited: Mapping[UUID, tuple[bytes, bytes]]) -> None:
    rows = [{"document": document_id, "block": key, "old": old, "new": new} for key, (old, new) in edited.items()]
    if rows:
        await db.execute(_CARRY, rows)


async def translate(
    db: Session, document_id: UUID, locale: str, draft: TranslationDraft, *, author: str, origin: Origin,
    tool: str = "", live: bool = True, program: bool = False, now: datetime | None = None,
) -> Translated:  # fmt: skip
    """Write what the draft holds of a translation, and leave the rest: into what is read at once, or (not `live`)
    beside it, where it waits to be released. What a person wrote, no machine and no program overwrites."""
    tag = locale_tag(locale)
    document = await _locked(db, document_id)
    if tag == document.original_locale:
        raise Conflict("The original is written in {locale}: revise it instead.", locale=tag)
    source, _ = await _current(db, document)
    wanted = await offload(targets, source, draft)
    at = now or datetime.now(UTC)
    if origin is Origin.MACHINE or program:
        await _spare_people(db, document_id, tag, wanted, author if program else None)
    translation_id = await _translation(db, document, tag, LIVE if live else WAITING, at)
    hashes = {block.id: block.hash for block in source}
    rows = [
        {
            "translation_id": translation_id, "block_id": key, "source_hash": hashes[key], "text": written,
            "origin": origin, "tool": tool, "author": author, "updated_at": at,
        }
        for key, written in wanted.items()
    ]  # fmt: skip
    insertion = upsert(ContentSegment)
    fresh = {
        name: insertion.excluded[name] for name in ("source_hash", "text", "origin", "tool", "author", "updated_at")
    }
    await db.execute(insertion.on_conflict_do_update(index_elements=["translation_id", "block_id"], set_=fresh), rows)
    if live:
        await forget(db, document_id, tag, list(wanted))
        await refresh(db, document_id, tag)
    return Translated(translation_id, tag, len(rows))


async def release(db: Session, document_id: UUID, locale: str, now: datetime) -> Translated:
    """Make live what waits of a translation."""
    tag = locale_tag(locale)
    document = await _locked(db, document_id)
    touched = await _release(db, document_id, tag, now)
    key = await row_of(db, document_id, tag, LIVE, document.current_revision_id, now)
    return Translated(key, tag, touched)


async def _translation(
    db: Session, document: ContentDocument, tag: str, state: TranslationStatus, at: datetime
) -> UUID:
    query = select(col(ContentTranslation.locale)).where(col(ContentTranslation.document_id) == document.id)
    known = set((await db.execute(query)).scalars())
    if tag not in known and len(known) >= MOST_LOCALES:
        raise Invalid("A text can have at most {limit} translations.", path=("input", "locale"), limit=MOST_LOCALES)
    return await row_of(db, document.id, tag, state, document.current_revision_id, at)


async def _spare_people(
    db: Session, document_id: UUID, tag: str, wanted: Mapping[UUID, str], program: str | None
) -> None:
    """Refuse where a person wrote one of these blocks, live or waiting. A program may change what it wrote itself,
    whatever it called it."""
    query = (
        select(func.count(col(ContentSegment.block_id).distinct()))
        .join(ContentTranslation, col(ContentTranslation.id) == col(ContentSegment.translation_id))
        .where(
            col(ContentTranslation.document_id) == document_id,
            col(ContentTranslation.locale) == tag,
            col(ContentSegment.block_id).in_(wanted),
            col(ContentSegment.origin) != Origin.MACHINE,
        )
    )
    if program is not None:
        query = query.where(col(ContentSegment.author) != program)
    written = (await db.execute(query)).scalar_one()
    if written:
        raise Conflict(
            "A person wrote {count} of these blocks; a machine translation does not overwrite them.",
            count=written,
        )


async def written(db: Session, document_id: UUID, revision_id: UUID | None = None) -> Draft:
    """A revision (the present one by default) as it was sent."""
    document = await _found(db, document_id)
    if revision_id is None:
        made, _ = await _current(db, document)
    else:
        made = await _blocks(db, revision_id)
    bodies: dict[str, list[str]] = {}
    headings: dict[str, str] = {}
    for block in made[2:]:
        key = block.section or ""
        if block.kind is BlockKind.HEADING:
            headings[key], bodies[key] = block.text, []
        else:
            bodies[key].append(block.text)
    sections = tuple(Section(key, heading, markdown.join(bodies[key])) for key, heading in headings.items())
    return Draft(made[0].text, made[1].text, sections)


_ERASE = (
    "DELETE FROM content_segment s USING content_translation t WHERE t.id = s.translation_id AND t.document_id = :key",
    "DELETE FROM content_translation WHERE document_id = :key",
    "DELETE FROM content_reading WHERE document_id = :key",  # its sections go with it
    "SELECT wego_erase_blocks(:key)",
    "DELETE FROM content_revision WHERE document_id = :key",
    "DELETE FROM content_document WHERE id = :key",
)


async def erase(db: Session, document_id: UUID) -> None:
    """Delete a document with all its texts. The database refuses it of one that was ever published (migration 0020)."""
    await _locked(db, document_id)
    for statement in _ERASE:
        await db.execute(text(statement), {"key": document_id})


async def is_closed(db: Session, document_id: UUID) -> bool:
    """Whether the present version, though published, is never opened to the public."""
    query = select(col(ContentRevision.public_from)).join(
        ContentDocument, col(ContentDocument.current_revision_id) == col(ContentRevision.id)
    )
    return (await db.execute(query.where(col(ContentDocument.id) == document_id))).scalar_one() is None


async def titles(db: Session, document_id: UUID) -> list[Titled]:
    """The titles that the original has had, the present one first, and since when members and everybody read them."""
    query = (
        select(col(ContentBlock.text), col(ContentRevision.members_from), col(ContentRevision.public_from))
        .join(ContentRevision, col(ContentRevision.id) == col(ContentBlock.revision_id))
        .where(col(ContentRevision.document_id) == document_id, col(ContentBlock.kind) == BlockKind.TITLE)
        .order_by(col(ContentRevision.number).desc())
    )
    return [Titled(*row) for row in await db.execute(query)]
