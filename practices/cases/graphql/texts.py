"""The texts of a case study: sections, translations with their state, versions and what changed between them.

Staleness is asked here, by comparing the hashes of what a text was made from with those of the present source.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import strawberry

from i18n.content.models import BlockKind, ContentRevision, ContentTranslation, TranslationStatus
from i18n.content.rights import visible_revision
from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, TextOrigin, direction_of, text
from wego.core import reads

if TYPE_CHECKING:
    from wego.core.reads.query import Query

strawberry.enum(BlockKind, description="What a block of a text is.")
strawberry.enum(TranslationStatus, description="Whether a translation is read by everybody yet.")


SECTION = reads.Pick(
    "select {columns} from content_section r"
    " where r.document_id = {t}.document_id and r.key = {t}.key and r.locale = {locale}",
    "{t}.locale",
)
_ORIGIN = "{x}.origin"
_HEADING_STALE = "({x}.heading_hash is distinct from {t}.heading_hash)"
_BODY_STALE = "({x}.body_hash is distinct from {t}.body_hash)"


@reads.table("content_section", key="document_id")
@strawberry.type(description="A section of the narrative. Each text is picked for the reader on its own.")
class PracticeSection:
    key: str = reads.column("{t}.key", "Which section: the same word in every language.")
    heading: LocalizedText = text(SECTION, "{x}.heading", "Its heading.", origin=_ORIGIN, stale=_HEADING_STALE)
    body: LocalizedText = text(SECTION, "{x}.body", "Its text, in Markdown.", origin=_ORIGIN, stale=_BODY_STALE)
    html: LocalizedText = text(
        SECTION, "{x}.html", "Its text as HTML that is safe to show.", origin=_ORIGIN, stale=_BODY_STALE
    )


_OF_ORIGINAL = (
    "(select o.{column} from content_document d join content_section o on o.document_id = d.id"
    " and o.locale = d.original_locale where d.id = {{t}}.document_id and o.key = {{t}}.key)"
)
_PART_ORIGIN = "{t}.origin"
_HEADING_OUTRUN = f"({{t}}.heading_hash is distinct from {_OF_ORIGINAL.format(column='heading_hash')})"
_BODY_OUTRUN = f"({{t}}.body_hash is distinct from {_OF_ORIGINAL.format(column='body_hash')})"


@reads.table("content_section", key="document_id")
@strawberry.type(description="A section in the language of one translation.")
class TranslatedSection:
    key: str = reads.column("{t}.key", "Which section.")
    heading: LocalizedText = text(
        reads.Own(), "{t}.heading", "Its heading.", origin=_PART_ORIGIN, stale=_HEADING_OUTRUN
    )
    body: LocalizedText = text(
        reads.Own(), "{t}.body", "Its text, in Markdown.", origin=_PART_ORIGIN, stale=_BODY_OUTRUN
    )


# The same as i18n.content.status; a test compares the two.
_BLOCKS = (
    " from content_document d join content_block b on b.revision_id = d.current_revision_id"
    " left join content_segment s on s.translation_id = {t}.id and s.block_id = b.block_id"
    " where d.id = {t}.document_id"
)
_PERCENT = f"(select (100 * count(*) filter (where s.source_hash = b.hash) / count(*))::integer{_BLOCKS})"
_IDS = "(select coalesce(array_agg(b.block_id::text order by b.position), '{{}}')"
_STALE = f"{_IDS}{_BLOCKS} and s.source_hash <> b.hash)"
_MISSING = f"{_IDS}{_BLOCKS} and s.block_id is null)"
_TRUST = "array['machine', 'machine_post_edited', 'imported', 'human']"
_LEAST = f"(select ({_TRUST})[min(array_position({_TRUST}, s.origin::text))]{_BLOCKS})"
_SHORT = reads.Pick(
    "select {columns} from content_reading r where r.document_id = {t}.document_id and r.locale = {locale}"
    " and {t}.status = 'published'",
    "{t}.locale",
    only=True,
)
_SOURCE = "(select p.{column} from practice p where p.id = {{t}}.document_id)"
_TITLE_STALE = f"({{x}}.title_hash is distinct from {_SOURCE.format(column='title_hash')})"
_SUMMARY_STALE = f"({{x}}.summary_hash is distinct from {_SOURCE.format(column='summary_hash')})"


_TRANSLATED = (
    "(select b.block_id, b.position, s.text, s.origin, s.source_hash <> b.hash as stale, {p}.locale as locale"
    " from content_document d join content_block b on b.revision_id = d.current_revision_id"
    " join content_segment s on s.translation_id = {p}.id and s.block_id = b.block_id"
    " where d.id = {p}.document_id) as {t}"
)


@strawberry.type(description="The translation of one block of the present original.")
class TranslatedBlock:
    block_id: strawberry.ID = reads.column("{t}.block_id::text", "Which block.")
    text: LocalizedText = text(reads.Own(), "{t}.text", "Its text.", origin="{t}.origin", stale="{t}.stale")


@reads.table(ContentTranslation)
@strawberry.type(
    description="A translation and how far it is: the one that is read (PUBLISHED), or one that waits until somebody"
    " who may publish releases it (IN_REVIEW). What is stale or missing is computed when asked."
)
class PracticeTranslation:
    locale: LanguageTag = reads.column("{t}.locale", "Into which language (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{t}.locale"), "The direction in which it is written.")
    status: TranslationStatus = reads.column("{t}.status", "Whether everybody reads it yet.")
    origin: TextOrigin | None = reads.column(_LEAST, "How it came to be; the least trusted of its parts says so.")
    percent_complete: int = reads.column(_PERCENT, "How much of the present original it tells, in percent.")
    stale_blocks: list[strawberry.ID] = reads.column(_STALE, "Blocks whose original changed after the translation.")
    missing_blocks: list[strawberry.ID] = reads.column(_MISSING, "Blocks that are not translated.")
    updated_at: datetime = reads.column("{t}.updated_at", "When it was last worked on.")
    title: LocalizedText | None = text(
        _SHORT, "{x}.title", "The title; null while it waits.", origin=_ORIGIN, stale=_TITLE_STALE
    )
    summary: LocalizedText | None = text(
        _SHORT, "{x}.summary", "The summary; null while it waits.", origin=_ORIGIN, stale=_SUMMARY_STALE
    )
    sections: list[TranslatedSection] = reads.many(
        "{t}.document_id = {p}.document_id and {t}.locale = {p}.locale and {p}.status = 'published'",
        "Its sections; none while it waits: see `blocks`.",
        order="{t}.position",
        most=None,
    )
    blocks: list[TranslatedBlock] = reads.many(
        None, "What is translated, block by block; also of a translation that waits.", order="{t}.position",
        source=_TRANSLATED, most=5_000, expected=30,
    )  # fmt: skip


BLOCKS = (
    "(select b.*, d.original_locale as locale from content_block b join content_revision r on r.id = b.revision_id"
    " join content_document d on d.id = r.document_id) as {t}"
)


@reads.table(BLOCKS, key="block_id")
@strawberry.type(description="A block of the original: what a translator translates one by one.")
class PracticeBlock:
    block_id: strawberry.ID = reads.column("{t}.block_id::text", "Its id; the same from revision to revision.")
    kind: BlockKind = reads.column("{t}.kind", "What it is.")
    section: str | None = reads.column("{t}.section", "The section it belongs to.")
    text: LocalizedText = text(reads.Own(), "{t}.text", "Its text.")


@strawberry.enum(description="What became of a block.")
class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


def _changes(q: Query) -> str:
    """The differences of a version {p} to an earlier one. Drafts between versions are nobody's business: the other
    side is always a published version, and one that the reader may read."""
    seen = visible_revision(q, "r")
    return _CHANGES.format(base=_BASE.format(seen=f" and {seen}" if seen else ""))


_BASE = (
    "(select r.id from content_revision r where r.document_id = {{p}}.document_id and r.published_at is not null"
    " and r.number < {{p}}.number and r.number = coalesce({{since}}, r.number){seen} order by r.number desc limit 1)"
)
_CHANGES = (
    "(select coalesce(a.block_id, b.block_id) as block_id, coalesce(a.section, b.section) as section,"
    " coalesce(a.kind, b.kind) as kind, b.text as before, a.text as after,"
    " case when b.block_id is null then 'added' when a.block_id is null then 'removed' else 'changed' end as change,"
    " coalesce(a.position, 1000000 + b.position) as ord,"
    " (select d.original_locale from content_document d where d.id = {{p}}.document_id) as locale"
    " from (select * from content_block where revision_id = {{p}}.id) a"
    " full join (select * from content_block where revision_id = {base}) b on a.block_id = b.block_id"
    " where a.text is distinct from b.text) as {{t}}"
)
_BEFORE, _AFTER = reads.Own(when="{t}.before is not null"), reads.Own(when="{t}.after is not null")


@strawberry.type(description="One difference between two versions.")
class BlockChange:
    change: ChangeKind = reads.column("{t}.change", "What became of the block.")
    block_id: strawberry.ID = reads.column("{t}.block_id::text", "Which block.")
    kind: BlockKind = reads.column("{t}.kind", "What it is.")
    section: str | None = reads.column("{t}.section", "The section it belongs to.")
    before: LocalizedText | None = text(_BEFORE, "{t}.before", "Its text in the earlier version.")
    after: LocalizedText | None = text(_AFTER, "{t}.after", "Its text in the later version.")


@reads.table(ContentRevision)
@strawberry.type(
    description="A version of the original, which stays what it is. It is read by those for whom it was published, also"
    " when the practice is opened to others later. Drafts are for who may read drafts."
)
class PracticeVersion:
    number: int = reads.column("{t}.number", "Its number; higher is later.")
    minor: bool = reads.column("{t}.minor", "Whether its author declared that translations are still right.")
    created_at: datetime = reads.column("{t}.created_at", "When it was written.")
    published_at: datetime | None = reads.column("{t}.published_at", "When it was published.")
    blocks: list[PracticeBlock] = reads.many(
        "{t}.revision_id = {p}.id", "Its text, block by block.", order="{t}.position", most=5_000, expected=30
    )
    changes: list[BlockChange] = reads.many(
        None,
        "What changed since the version `since`, or since the published version before, of those that the reader may"
        " read; with none of these, all is new.",
        order="{t}.ord",
        source=_changes,
        most=5_000,
        args={"since": reads.Arg(int | None, "integer", "The number of an earlier published version.")},
    )
