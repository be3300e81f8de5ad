"""When texts become visible: publishing a version, releasing a translation, and what must not come along.

Binding text: design/web.md 4.7. Who may read a text is a property of each version: it says since when members and
everybody may, and what follows it does not open it. A translated block may be read by as many as its source: what was
made for fewer readers, from a text that those of now never could see, waits beside the live translation. Whoever
publishes a document for the first time publishes its translations with it, as they are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col

from i18n.content.models import ContentTranslation, TranslationStatus
from i18n.content.readings import refresh
from wego.core.db import Session
from wego.core.errors import Conflict
from wego.core.ids import new_id

LIVE, WAITING = TranslationStatus.PUBLISHED, TranslationStatus.IN_REVIEW


@dataclass(frozen=True, slots=True)
class Audience:
    """Since when members and everybody may read a text; None = never."""

    members_from: datetime | None = None
    public_from: datetime | None = None


_PUBLISH = text(
    "UPDATE content_revision r SET published_at = :now, members_from = :members, public_from = :public "
    "FROM content_document d WHERE d.id = :document AND r.id = d.current_revision_id AND r.published_at IS NULL"
)
_BEFORE = text(
    "SELECT members_from, public_from FROM content_revision "
    "WHERE document_id = :document AND published_at IS NOT NULL ORDER BY number DESC LIMIT 1"
)
# An embargo that had not ended when the next version came: nobody outside has read that version, and nobody will.
_CLOSE = text(
    "UPDATE content_revision r SET public_from = NULL FROM content_document d WHERE d.id = :document "
    "AND r.document_id = d.id AND (:all OR r.id <> d.current_revision_id) AND r.public_from > greatest(:now, now())"
)
# Segments whose source is neither the present block nor one that the readers of the present version could read.
_UNREADABLE = text(
    "SELECT t.locale, s.block_id FROM content_translation t "
    "JOIN content_segment s ON s.translation_id = t.id "
    "JOIN content_document d ON d.id = t.document_id "
    "JOIN content_revision present ON present.id = d.current_revision_id "
    "WHERE t.document_id = :document AND t.status = :status AND NOT EXISTS ("
    " SELECT 1 FROM content_block b JOIN content_revision r ON r.id = b.revision_id"
    " WHERE r.document_id = d.id AND b.block_id = s.block_id AND b.hash = s.source_hash"
    " AND (r.id = present.id"
    "  OR (present.members_from IS NULL OR r.members_from <= present.members_from)"
    "  AND (present.public_from IS NULL OR r.public_from <= present.public_from)))"
)
_MOVE = text(
    "INSERT INTO content_segment (translation_id, block_id, source_hash, text, origin, tool, author, updated_at) "
    "SELECT :there, block_id, source_hash, text, origin, tool, author, updated_at FROM content_segment "
    "WHERE translation_id = :here AND block_id IN :blocks "
    "ON CONFLICT (translation_id, block_id) DO UPDATE SET source_hash = excluded.source_hash, text = excluded.text, "
    "origin = excluded.origin, tool = excluded.tool, author = excluded.author, updated_at = excluded.updated_at "
    "WHERE :replace"
).bindparams(bindparam("blocks", expanding=True))
_FORGET = text(
    "DELETE FROM content_segment s USING content_translation t WHERE t.id = s.translation_id "
    "AND t.document_id = :document AND t.locale = :locale AND t.status = :status AND s.block_id IN :blocks"
).bindparams(bindparam("blocks", expanding=True))
_EMPTY = text(
    "DELETE FROM content_translation t WHERE t.document_id = :document AND t.locale = :locale AND t.status = :status "
    "AND NOT EXISTS (SELECT 1 FROM content_segment s WHERE s.translation_id = t.id)"
)
_SOURCE = text(
    "SELECT id, based_on_revision_id FROM content_translation "
    "WHERE document_id = :document AND locale = :locale AND status = :status"
)
_BLOCKS = text(
    "SELECT s.block_id FROM content_translation t JOIN content_segment s ON s.translation_id = t.id "
    "WHERE t.document_id = :document AND t.locale = :locale AND t.status = :status"
)


async def publish(db: Session, document_id: UUID, now: datetime, audience: Audience) -> None:
    """Make the present revision a published version for these readers. Its translations go with it; when it is opened
    to more readers than the version before, what they hold of texts that these never could see is set aside."""
    given = {"now": now, "document": document_id}
    before = (await db.execute(_BEFORE, given)).one_or_none()
    await db.execute(_PUBLISH, given | {"members": audience.members_from, "public": audience.public_from})
    await db.execute(_CLOSE, given | {"all": False})
    if before is not None and (_wider(before.members_from, audience.members_from, now)
                               or _wider(before.public_from, audience.public_from, now)):  # fmt: skip
        await _set_aside(db, document_id, now)


def _wider(before: datetime | None, after: datetime | None, now: datetime) -> bool:
    """Whether readers are let in, now or later, who were not let in until now."""
    return after is not None and (before is None or before > now)


async def _set_aside(db: Session, document_id: UUID, now: datetime) -> None:
    unreadable = await _unreadable(db, document_id, LIVE)
    for locale, blocks in unreadable.items():
        await _move(db, document_id, locale, blocks, LIVE, WAITING, now)
    if unreadable:
        await refresh(db, document_id)


async def close(db: Session, document_id: UUID, now: datetime) -> None:
    """Take a document out of sight: a version whose embargo still ran is never opened."""
    await db.execute(_CLOSE, {"now": now, "document": document_id, "all": True})


async def release(db: Session, document_id: UUID, locale: str, now: datetime) -> int:
    """Put what waits of a translation in the place of what is live; how many blocks. What was made from a text that
    the readers of now could not see goes on waiting. The caller holds the lock of the document."""
    given = {"document": document_id, "locale": locale, "status": WAITING.value}
    held = (await _unreadable(db, document_id, WAITING)).get(locale, [])
    ready = [row.block_id for row in await db.execute(_BLOCKS, given) if row.block_id not in held]
    if not ready:
        raise Conflict("There is no translation into {locale} that waits to be published.", locale=locale)
    await _move(db, document_id, locale, ready, WAITING, LIVE, now)
    await refresh(db, document_id, locale)
    return len(ready)


async def forget(db: Session, document_id: UUID, locale: str, blocks: list[UUID]) -> None:
    """Drop what waits of blocks that were just written live: it would bring back an older text."""
    given = {"document": document_id, "locale": locale, "status": WAITING.value}
    await db.execute(_FORGET, given | {"blocks": blocks})
    await db.execute(_EMPTY, given)


async def row_of(
    db: Session, document_id: UUID, locale: str, status: TranslationStatus, revision_id: UUID | None, at: datetime
) -> UUID:
    """The key of a translation in this state, made now unless it is there."""
    values = {"based_on_revision_id": revision_id, "updated_at": at}
    made = upsert(ContentTranslation).values(
        id=new_id(), document_id=document_id, locale=locale, status=status, **values
    )
    kept = made.on_conflict_do_update(index_elements=["document_id", "locale", "status"], set_=values)
    key: UUID = (await db.execute(kept.returning(col(ContentTranslation.id)))).scalar_one()
    return key


async def _unreadable(db: Session, document_id: UUID, status: TranslationStatus) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = defaultdict(list)
    for row in await db.execute(_UNREADABLE, {"document": document_id, "status": status.value}):
        found[row.locale].append(row.block_id)
    return found


async def _move(
    db: Session, document_id: UUID, locale: str, blocks: list[UUID], here: TranslationStatus, there: TranslationStatus,
    now: datetime,
) -> None:  # fmt: skip
    """Move blocks of a translation between what is live and what waits. What waits is never replaced by what is set
    aside: it is newer."""
    given = {"document": document_id, "locale": locale, "status": here.value}
    source = (await db.execute(_SOURCE, given)).one()
    target = await row_of(db, document_id, locale, there, source.based_on_revision_id, now)
    moved = {"here": source.id, "there": target, "blocks": blocks, "replace": there is LIVE}
    await db.execute(_MOVE, moved)
    await db.execute(_FORGET, given | {"blocks": blocks})
    await db.execute(_EMPTY, given)
