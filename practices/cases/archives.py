"""The archive of case studies: what a city takes out of sight, and what it brings back."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from i18n.content import documents, markdown
from practices.cases import facts, life, narrative, slugs
from practices.cases.life import Verb
from practices.cases.models import Practice, PracticeStatus
from practices.cases.practices import MOST_REASON
from practices.cases.reach import reach
from practices.cases.telling import standing, tell
from wego.core.access import Actor
from wego.core.db import Session


async def archive(db: Session, actor: Actor, key: UUID, reason: str, *, now: datetime | None = None) -> Practice:
    """Take a published practice out of sight, with a reason; nothing is deleted."""
    practice, step = await reach(db, actor, key, Verb.ARCHIVE)
    was = standing(practice, now)
    markdown.check_text(reason, path=("input", "reason"), limit=MOST_REASON, lines=True)
    practice.status = PracticeStatus.ARCHIVED
    at = now or datetime.now(UTC)
    life.settle(practice, at)
    await documents.close(db, key, at)
    await tell(db, actor, step, practice, was, at, words={"reason": reason})
    return practice


async def restore(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Practice:
    """Bring an archived practice back for those for whom it was published, under its name, or a numbered one where
    that was taken meanwhile. An embargo goes on: its version was closed for good, so it is published as a new one."""
    practice, step = await reach(db, actor, key, Verb.RESTORE)
    was, at = standing(practice, now), now or datetime.now(UTC)
    draft = await documents.written(db, key)
    narrative.require_publishable(practice, draft)
    practice.status = PracticeStatus.PUBLISHED
    free = await slugs.free_slug(db, practice.slug, practice.city_id, but=key)
    if free != practice.slug:
        await slugs.rename(db, practice, free, was, at)
    life.settle(practice, at)
    readers = life.audience(practice, at)
    if readers.public_from is not None and await documents.is_closed(db, key):
        await documents.revise(db, key, draft, author=actor.subject, minor=True, facts=facts.snapshot(practice))
        await documents.publish(db, key, at, readers)
    await tell(db, actor, step, practice, was, at)
    return practice
