"""The texts of a thing: sections, translations with their state, versions and what changed between them.

Nothing here knows whose text it is: who may read it is said in `i18n.content.rights`, what is stale or missing in
`i18n.content.comparison`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from i18n.content import comparison
from i18n.content.models import BlockKind, ContentRevision, ContentTranslation, TranslationStatus
from i18n.content.rights import visible_revision
from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, direction_of, text
from i18n.language.origins import Origin
from wego.core import reads
from wego.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(BlockKind, description="A `BlockKind` says what a block of a text is.")
reads.vocabulary(TranslationStatus, description="A `TranslationStatus` says whether a translation is read by all yet.")

_ORIGIN, _PART_ORIGIN = "{x}.origin", "{t}.origin"

# ── the original and what is picked for the reader ────────────────────────────────────────────────────────────────

_SECTION = reads.Pick(
    "select {columns} from content_section r"
    " where r.document_id = {t}.document_id and r.key = {t}.key and r.locale = {locale}",
    "{t}.locale",
)
_HEADING_STALE = "({x}.heading_hash is distinct from {t}.heading_hash)"
_BODY_STALE = "({x}.body_hash is distinct from {t}.body_hash)"


@reads.table("content_section", key="document_id")
@strawberry.type(description="A section of a text; its heading and its body are picked for the reader one by one.")
class TextSection:
    key: str = reads.column("{t}.key", "The key says which section it is; it is the same word in every language.")
    heading: LocalizedText = text(
        _SECTION, "{x}.heading", "This is the heading of the section.", origin=_ORIGIN, stale=_HEADING_STALE
    )
    body: LocalizedText = text(
        _SECTION, "{x}.body", "This is the text of the section, in Markdown.", origin=_ORIGIN, stale=_BODY_STALE
    )
    html: LocalizedText = text(
        _SECTION, "{x}.html", "This is its text as HTML that is safe to show.", origin=_ORIGIN, stale=_BODY_STALE
    )


_BLOCK_ROWS = (
    "(select b.*, d.original_locale as locale from content_block b join content_revision r on r.id = b.revision_id"
    " join content_document d on d.id = r.document_id) as {t}"
)


@reads.table(_BLOCK_ROWS, key="block_id")
@strawberry.type(description="A block of an original is what a translator translates one by one.")
class TextBlock:
    block_id: strawberry.ID = reads.column(
        "{t}.block_id::text", "This is the id of the block, which stays the same from revision to revision."
    )
    kind: BlockKind = reads.column("{t}.kind", "This says what the block is.")
    section: str | None = reads.column(
        "{t}.section", "This is the key of its section; it is null for the title and the summary."
    )
    text: LocalizedText = text(reads.Own(), "{t}.text", "This is the text of the block.")


# ── translations ──────────────────────────────────────────────────────────────────────────────────────────────────


@reads.table("content_section", key="document_id")
@strawberry.type(description="A `TranslatedSection` is a section in the language of one translation.")
class TranslatedSection:
    key: str = reads.column("{t}.key", "The key says which section it is.")
    heading: LocalizedText = text(
        reads.Own(), "{t}.heading", "This is the heading.", origin=_PART_ORIGIN,
        stale=comparison.outrun("heading_hash"),
    )  # fmt: skip
    body: LocalizedText = text(
        reads.Own(), "{t}.body", "This is the text, in Markdown.", origin=_PART_ORIGIN,
        stale=comparison.outrun("body_hash"),
    )  # fmt: skip


_SHORT = reads.Pick(
    "select {columns} from content_reading r where r.document_id = {t}.document_id and r.locale = {locale}"
    " and {t}.status = 'published'",
    "{t}.locale",
    only=True,
)
_TRANSLATED = (
    "(select b.block_id, b.position, s.text, s.origin, s.source_hash <> b.hash as stale, {p}.locale as locale"
    " from content_document d join content_block b on b.revision_id = d.current_revision_id"
    " join content_segment s on s.translation_id = {p}.id and s.block_id = b.block_id"
    " where d.id = {p}.document_id) as {t}"
)


@strawberry.type(description="A `TranslatedBlock` is the translation of one block of the present original.")
class TranslatedBlock:
    block_id: strawberry.ID = reads.column("{t}.block_id::text", "This says which block it translates.")
    text: LocalizedText = text(
        reads.Own(), "{t}.text", "This is the text in the other language.", origin="{t}.origin", stale="{t}.stale"
    )


@reads.table(ContentTranslation)
@strawberry.type(
    description="A `Translation` says how far a translation is: it is read by everybody (PUBLISHED), or it waits "
    "until somebody who may publish releases it (IN_REVIEW). Its stale and missing blocks are found "
    "when they are asked for."
)
class Translation:
    locale: LanguageTag = reads.column("{t}.locale", "This is the language into which it was translated (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{t}.locale"), "This is the direction in which it is written.")
    status: TranslationStatus = reads.column(
        comparison.STATUS, "This says whether it is read by all; it is `DRAFT` while the original was never published."
    )
    origin: Origin | None = reads.column(
        comparison.LEAST_TRUSTED,
        "This says how it came to be, by the least trusted of its parts; it is null while it has none.",
    )
    tools: list[str] = reads.column(
        comparison.TOOLS,
        "These name the programs or models that made parts of it; there are none where none was named.",
    )
    percent_complete: int = reads.column(
        comparison.PERCENT, "This says how much of the present original it tells, in percent."
    )
    stale_blocks: list[strawberry.ID] = reads.column(
        comparison.STALE, "These are the blocks whose original was changed after they were translated."
    )
    missing_blocks: list[strawberry.ID] = reads.column(comparison.MISSING, "These are the untranslated blocks.")
    updated_at: datetime = reads.column("{t}.updated_at", "This is when it was last worked on.")
    title: LocalizedText | None = text(
        _SHORT, "{x}.title", "This is the title; it is null while the translation waits.", origin=_ORIGIN,
        stale=comparison.outrun_short("title_hash"),
    )  # fmt: skip
    summary: LocalizedText | None = text(
        _SHORT, "{x}.summary", "This is the summary; it is null while the translation waits.", origin=_ORIGIN,
        stale=comparison.outrun_short("summary_hash"),
    )  # fmt: skip
    sections: list[TranslatedSection] = reads.many(
        "{t}.document_id = {p}.document_id and {t}.locale = {p}.locale and {p}.status = 'published'",
        "These are its sections; there are none while it waits, see `blocks`.",
        order="{t}.position",
        most=None,
    )
    blocks: list[TranslatedBlock] = reads.many(
        None, "This is what is translated, block by block, also of a translation that waits.", order="{t}.position",
        source=_TRANSLATED, most=5_000, expected=30,
    )  # fmt: skip


# ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@reads.vocabulary(description="A `ChangeKind` says what became of a block.")
class ChangeKind(Vocabulary):
    ADDED = "added", "The block is new in the later version."
    REMOVED = "removed", "The block is gone from the later version."
    CHANGED = "changed", "The text of the block was changed."


_BASE = (
    "(select r.id from content_revision r where r.document_id = {{p}}.document_id and r.published_at is not null"
    " and r.number < {{p}}.number and r.number = coalesce({{since}}, r.number){seen} order by r.number desc limit 1)"
)
_LOCALE = "(select d.original_locale from content_document d where d.id = {p}.document_id)"


def _changes(q: Query) -> str:
    """The differences of a version {p} to an earlier one. Drafts between versions are nobody's business: the other
    side is always a published version, and one that the reader may read."""
    seen = visible_revision(q, "r")
    base = _BASE.format(seen=f" and {seen}" if seen else "")
    return f"(select c.*, {_LOCALE} as locale from ({comparison.changes(base, '{p}.id')}) c) as {{t}}"


_BEFORE, _AFTER = reads.Own(when="{t}.before is not null"), reads.Own(when="{t}.after is not null")


@strawberry.type(description="A `BlockChange` is one difference between two versions.")
class BlockChange:
    change: ChangeKind = reads.column("{t}.change", "This says what became of the block.")
    block_id: strawberry.ID = reads.column("{t}.block_id::text", "This says which block it is.")
    kind: BlockKind = reads.column("{t}.kind", "This says what the block is.")
    section: str | None = reads.column(
        "{t}.section", "This is the key of its section; it is null for the title and the summary."
    )
    before: LocalizedText | None = text(
        _BEFORE, "{t}.before", "This is its text in the earlier version; it is null where the block was added."
    )
    after: LocalizedText | None = text(
        _AFTER, "{t}.after", "This is its text in the later version; it is null where the block was removed."
    )


@reads.table(ContentRevision)
@strawberry.type(
    description="A `TextVersion` is one version of an original and stays what it is. It is read by those for "
    "whom it was published, also when the thing is opened to others later. Drafts are only read by "
    "those who may read drafts."
)
class TextVersion:
    number: int = reads.column("{t}.number", "This is its number; a higher one is later.")
    minor: bool = reads.column("{t}.minor", "This says whether its author declared that translations are still right.")
    created_at: datetime = reads.column("{t}.created_at", "This is when it was written.")
    published_at: datetime | None = reads.column(
        "{t}.published_at", "This is when it was published; it is null for a draft."
    )
    blocks: list[TextBlock] = reads.many(
        "{t}.revision_id = {p}.id", "This is its text, block by block.", order="{t}.position", most=5_000, expected=30
    )
    changes: list[BlockChange] = reads.many(
        None,
        "This is what changed since the version `since`, or since the published version before, of those that the"
        " reader may read; with none of these, all is new.",
        order="{t}.ord",
        source=_changes,
        most=5_000,
        args={"since": reads.Arg(int | None, "integer", "This is the number of an earlier published version.")},
    )
