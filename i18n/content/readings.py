"""The rows from which texts are read, derived from revisions and segments in the transaction that changed
them.

A row says from which source hashes it was made; whether it is stale is the difference to the original's row,
asked when reading and never stored (design/web.md 4.7). `derive` is the only place that makes rows;
`refresh` writes them, `verify` recomputes and compares them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlmodel import SQLModel, col

from i18n.content import markdown
from i18n.content.blocks import Block, combined
from i18n.content.models import (
    BlockKind,
    ContentBlock,
    ContentDocument,
    ContentReading,
    ContentSection,
    ContentSegment,
    ContentTranslation,
    TranslationStatus,
)
from i18n.language.origins import Origin
from wego.core.db import Session
from wego.core.errors import NotFound
from wego.core.offload import offload

# The least trusted text of several says what they are together.
TRUST = (Origin.MACHINE, Origin.MACHINE_POST_EDITED, Origin.IMPORTED, Origin.HUMAN, Origin.ORIGINAL)
BATCH = 200

Row = dict[str, Any]


class Segment(NamedTuple):
    """A translated block, as far as reading needs it."""

    text: str
    source_hash: bytes
    origin: Origin


class Rows(NamedTuple):
    """What is read of one document."""

    readings: list[Row]
    sections: list[Row]


@dataclass(frozen=True)
class Truth:
    """One document as it is kept: the present blocks, and the published translations by locale."""

    document_id: UUID
    original_locale: str
    blocks: Sequence[Block]
    translations: Mapping[str, Mapping[UUID, Segment]]


def least_trusted(origins: Sequence[Origin]) -> Origin:
    return min(origins, key=TRUST.index)


def derive(truth: Truth, only: str | None = None, known: Mapping[str, str] | None = None) -> Rows:
    """The rows of a document: of the original, and of every translation that has title and summary; or `only` those
    of one language. `known` is the HTML of texts that were rendered before: what did not change is not rendered
    again, in however many languages it is."""
    source = {block.id: Segment(block.text, block.hash, Origin.ORIGINAL) for block in truth.blocks}
    rows = Rows([], [])
    for locale, segments in {truth.original_locale: source, **truth.translations}.items():
        reading = _reading(truth, locale, segments) if only in {None, locale} else None
        if reading:
            rows.readings.append(reading)
            rows.sections.extend(_sections(truth, locale, segments, known or {}))
    return rows


def _reading(truth: Truth, locale: str, segments: Mapping[UUID, Segment]) -> Row | None:
    title, summary = (segments.get(block.id) for block in truth.blocks[:2])
    if title is None or summary is None:
        return None
    return {
        "document_id": truth.document_id, "locale": locale,
        "origin": least_trusted([title.origin, summary.origin]),
        "title": title.text, "title_hash": combined([title.source_hash]),
        "summary": summary.text, "summary_hash": combined([summary.source_hash]),
    }  # fmt: skip


def _sections(truth: Truth, locale: str, segments: Mapping[UUID, Segment], known: Mapping[str, str]) -> list[Row]:
    grouped: dict[str, list[Block]] = defaultdict(list)
    for block in truth.blocks:
        if block.section is not None:
            grouped[block.section].append(block)
    made = (_section(locale, position, group, segments, known) for position, group in enumerate(grouped.values()))
    return [{"document_id": truth.document_id, **row} for row in made if row]


def _section(
    locale: str, position: int, group: Sequence[Block], segments: Mapping[UUID, Segment], known: Mapping[str, str]
) -> Row | None:
    """One section, of what is translated: a heading and at least one block, otherwise another language is
    read."""
    (head,) = (block for block in group if block.kind is BlockKind.HEADING)
    source = [block.id for block in group if block.kind is BlockKind.BODY]
    heading, pieces = segments.get(head.id), [segments.get(key) for key in source]
    present = [piece for piece in pieces if piece]
    if heading is None or (source and not present):
        return None
    body = markdown.join([piece.text for piece in present])
    return {
        "locale": locale, "key": head.section, "position": position,
        "origin": least_trusted([heading.origin, *(piece.origin for piece in present)]),
        "heading": heading.text, "heading_hash": combined([heading.source_hash]),
        "body": body, "html": known.get(body) or markdown.render(body),
        "body_hash": combined([piece.source_hash if piece else None for piece in pieces]),
    }  # fmt: skip


async def load(db: Session, document_ids: Sequence[UUID], locale: str | None = None) -> list[Truth]:
    """Documents as they are kept, with all translations or one; three statements for any number of them."""
    documents = (
        await db.execute(
            select(col(ContentDocument.id), col(ContentDocument.original_locale)).where(
                col(ContentDocument.id).in_(document_ids)
            )
        )
    ).all()
    present = await _present_blocks(db, document_ids)
    translated = await _translations(db, document_ids, locale)
    return [Truth(key, locale, present[key], translated[key]) for key, locale in documents]


async def _present_blocks(db: Session, document_ids: Sequence[UUID]) -> dict[UUID, list[Block]]:
    found: dict[UUID, list[Block]] = defaultdict(list)
    query = (
        select(
            col(ContentDocument.id), col(ContentBlock.block_id), col(ContentBlock.section),
            col(ContentBlock.kind), col(ContentBlock.text), col(ContentBlock.hash),
        )
        .join(ContentBlock, col(ContentBlock.revision_id) == col(ContentDocument.current_revision_id))
        .where(col(ContentDocument.id).in_(document_ids))
        .order_by(col(ContentBlock.revision_id), col(ContentBlock.position))
    )  # fmt: skip
    for key, *block in await db.execute(query):
        found[key].append(Block(*block))  # type: ignore[arg-type]  # a row is a tuple of its columns
    return found


async def _translations(
    db: Session, document_ids: Sequence[UUID], only: str | None
) -> dict[UUID, dict[str, dict[UUID, Segment]]]:
    found: dict[UUID, dict[str, dict[UUID, Segment]]] = defaultdict(lambda: defaultdict(dict))
    query = (
        select(
            col(ContentTranslation.document_id), col(ContentTranslation.locale), col(ContentSegment.block_id),
            col(ContentSegment.text), col(ContentSegment.source_hash), col(ContentSegment.origin),
        )
        .join(ContentSegment, col(ContentSegment.translation_id) == col(ContentTranslation.id))
        .where(
            col(ContentTranslation.document_id).in_(document_ids),
            col(ContentTranslation.status) == TranslationStatus.PUBLISHED,
        )
        .order_by(col(ContentTranslation.document_id), col(ContentTranslation.locale))
    )  # fmt: skip
    if only is not None:
        query = query.where(col(ContentTranslation.locale) == only)
    for key, locale, block_id, *segment in await db.execute(query):
        found[key][locale][block_id] = Segment(*segment)  # type: ignore[arg-type]  # likewise
    return found


async def refresh(db: Session, document_id: UUID, locale: str | None = None) -> None:
    """Rebuild the rows of a document, or of one of its translations, in the running transaction."""
    truths = await load(db, [document_id], locale)
    if not truths:
        raise NotFound("This text does not exist.")
    rows = await offload(derive, truths[0], locale, await _rendered(db, document_id, locale))
    stale = delete(ContentReading).where(col(ContentReading.document_id) == document_id)
    if locale is not None:
        stale = stale.where(col(ContentReading.locale) == locale)
    await db.execute(stale.execution_options(synchronize_session=False))
    if rows.readings:
        await db.execute(insert(ContentReading), rows.readings)
    if rows.sections:
        await db.execute(insert(ContentSection), rows.sections)


async def _rendered(db: Session, document_id: UUID, locale: str | None) -> dict[str, str]:
    """The HTML of the sections as they were, by their text."""
    query = select(col(ContentSection.body), col(ContentSection.html)).where(
        col(ContentSection.document_id) == document_id
    )
    if locale is not None:
        query = query.where(col(ContentSection.locale) == locale)
    return {row.body: row.html for row in await db.execute(query)}


@dataclass(frozen=True)
class Disagreement:
    """A row that is not what the truth says it should be."""

    document_id: UUID
    locale: str
    section: str | None
    what: str  # missing | surplus | different


async def verify(db: Session, most: int | None = None) -> list[Disagreement]:
    """Recompute the rows of all documents (or the newest `most`) and compare; an empty list is good news."""
    wrong: list[Disagreement] = []
    async for batch in _batches(db, most):
        expected: dict[tuple[UUID, str, str | None], Row] = {}
        for truth in await load(db, batch):
            rows = derive(truth)
            expected |= {_place(row): row for row in (*rows.readings, *rows.sections)}
        actual = {_place(row): row for row in await _stored(db, batch)}
        for place in sorted(expected.keys() | actual.keys(), key=repr):
            if expected.get(place) != actual.get(place):
                wrong.append(_disagreement(place, place in expected, place in actual))
    return wrong


def _disagreement(place: tuple[UUID, str, str | None], wanted: bool, kept: bool) -> Disagreement:
    document_id, locale, section = place
    what = "different" if wanted and kept else "missing" if wanted else "surplus"
    return Disagreement(document_id, locale, section, what)


def _place(row: Row) -> tuple[UUID, str, str | None]:
    return (row["document_id"], row["locale"], row.get("key"))


async def _stored(db: Session, document_ids: Sequence[UUID]) -> list[Row]:
    stored: list[Row] = []
    for name in ("content_reading", "content_section"):
        table = SQLModel.metadata.tables[name]
        found = await db.execute(select(table).where(table.c.document_id.in_(document_ids)))
        stored += [dict(row) for row in found.mappings()]
    return stored


async def _batches(db: Session, most: int | None) -> AsyncIterator[list[UUID]]:
    query = select(col(ContentDocument.id)).order_by(col(ContentDocument.id).desc()).limit(most)
    keys = (await db.execute(query)).scalars().all()
    for start in range(0, len(keys), BATCH):
        yield list(keys[start : start + BATCH])
