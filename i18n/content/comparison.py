"""How a translation compares with the present original, and a version with another: computed here, in SQL, and nowhere
else. Reads put the expressions into their statement; services ask the same.

Binding text: design/web.md 4.7. Nothing of this is stored: staleness is the difference of two hashes. In the templates,
{t} is a row of content_translation or of content_section, {p} one of content_revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, text

from i18n.content.models import BlockKind, TranslationStatus
from i18n.content.readings import TRUST
from i18n.language.origins import Origin
from wego.core.db import Session

# ── translations ──────────────────────────────────────────────────────────────────────────────────────────────────

_BLOCKS = (
    " from content_document d join content_block b on b.revision_id = d.current_revision_id"
    " left join content_segment s on s.translation_id = {t}.id and s.block_id = b.block_id"
    " where d.id = {t}.document_id"
)
_TRUSTED = ", ".join(f"'{origin.value}'" for origin in TRUST if origin is not Origin.ORIGINAL)
PERCENT = f"(select (100 * count(*) filter (where s.source_hash = b.hash) / count(*))::integer{_BLOCKS})"
_KEYS = "(select coalesce(array_agg(b.block_id::text order by b.position), '{{}}')"
STALE = f"{_KEYS}{_BLOCKS} and s.source_hash <> b.hash)"
MISSING = f"{_KEYS}{_BLOCKS} and s.block_id is null)"
TOOLS = f"(select coalesce(array_agg(distinct s.tool), '{{{{}}}}'){_BLOCKS} and s.tool <> '')"
LEAST_TRUSTED = f"(select (array[{_TRUSTED}])[min(array_position(array[{_TRUSTED}], s.origin::text))]{_BLOCKS})"


def outrun(column: str) -> str:
    """Whether a section of a translation was made from other words than the present original has."""
    original = (
        f"(select o.{column} from content_document d join content_section o on o.document_id = d.id"
        " and o.locale = d.original_locale where d.id = {t}.document_id and o.key = {t}.key)"
    )
    return f"({{t}}.{column} is distinct from {original})"


def outrun_short(column: str) -> str:
    """The same of a title or summary {x} of a translation {t}."""
    original = (
        f"(select o.{column} from content_document d join content_reading o on o.document_id = d.id"
        " and o.locale = d.original_locale where d.id = {t}.document_id)"
    )
    return f"({{x}}.{column} is distinct from {original})"


# What is live of a translation is read by all once a version of its text was published; until then it is a draft.
STATUS = (
    "(case when {t}.status = 'published' and not exists (select 1 from content_revision r"
    " where r.document_id = {t}.document_id and r.published_at is not null) then 'draft' else {t}.status end)"
)


@dataclass(frozen=True)
class LocaleStatus:
    """How far a translation is, computed now. `origin` is None while nothing of the present original is translated."""

    locale: str
    status: TranslationStatus
    origin: Origin | None
    percent_complete: int
    stale_blocks: tuple[UUID, ...]
    missing_blocks: tuple[UUID, ...]


_STATUS = text(
    f"SELECT t.locale, {STATUS} AS status, {LEAST_TRUSTED} AS origin, {PERCENT} AS percent, {STALE} AS stale, "
    f"{MISSING} AS missing FROM content_translation t WHERE t.document_id = :document "
    "ORDER BY t.locale, t.status DESC".format(t="t")
)


async def status(db: Session, document_id: UUID) -> list[LocaleStatus]:
    """Every translation of a document: what is done, what is stale, what is missing, by locale."""
    return [_locale_status(row) for row in await db.execute(_STATUS, {"document": document_id})]


def _locale_status(row: Row[tuple[object, ...]]) -> LocaleStatus:
    return LocaleStatus(
        row.locale, TranslationStatus(row.status), Origin(row.origin) if row.origin else None, row.percent,
        tuple(map(UUID, row.stale)), tuple(map(UUID, row.missing)),
    )  # fmt: skip


# ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────

# What was added, removed and changed, in the order of the later revision; removed blocks come last.
_CHANGES = (
    "select coalesce(a.block_id, b.block_id) as block_id, coalesce(a.section, b.section) as section,"
    " coalesce(a.kind, b.kind) as kind, b.text as before, a.text as after,"
    " case when b.block_id is null then 'added' when a.block_id is null then 'removed' else 'changed' end as change,"
    " coalesce(a.position, 1000000 + b.position) as ord"
    " from (select * from content_block where revision_id = {after}) a"
    " full join (select * from content_block where revision_id = {before}) b on a.block_id = b.block_id"
    " where a.text is distinct from b.text"
)


def changes(before: str, after: str) -> str:
    """The query of what changed between two revisions, whose keys are these expressions."""
    return _CHANGES.format(before=before, after=after)


COUNT_CHANGES = f"(SELECT count(*) FROM ({changes(':before', ':after')}) changes)"


@dataclass(frozen=True)
class BlockChange:
    """One difference between two revisions."""

    change: str  # added | removed | changed
    block_id: UUID
    section: str | None
    kind: BlockKind
    before: str | None
    after: str | None


_DIFFERENCES = text(f"{changes(':before', ':after')} ORDER BY ord")


async def differences(db: Session, before: UUID, after: UUID) -> Sequence[BlockChange]:
    """What changed between two revisions, block by block, with both texts."""
    rows = await db.execute(_DIFFERENCES, {"before": before, "after": after})
    return [
        BlockChange(row.change, row.block_id, row.section, BlockKind(row.kind), row.before, row.after) for row in rows
    ]
