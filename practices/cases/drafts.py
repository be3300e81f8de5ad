"""Drafts that nobody outside of their city ever had before them: they can be deleted, texts and all."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete as removal
from sqlmodel import col

from i18n.content import documents
from practices.cases.life import Verb
from practices.cases.models import PracticeEditor
from practices.cases.reach import reach
from practices.cases.telling import standing, tell
from wego.core.access import Actor
from wego.core.db import Session
from wego.core.errors import Conflict


async def delete(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> None:
    """Delete a draft that was never handed in: its texts in every language and version, its facts and its names. The
    log keeps its key and what was done with it, and none of its words."""
    practice, step = await reach(db, actor, key, Verb.DELETE)
    if practice.submitted_at is not None:
        raise Conflict("This practice was handed in before, so it is kept.")
    was = standing(practice, now)
    await db.execute(removal(PracticeEditor).where(col(PracticeEditor.practice_id) == key))
    await db.delete(practice)
    await db.flush()
    await documents.erase(db, key)
    await tell(db, actor, step, practice, was, now or datetime.now(UTC))
