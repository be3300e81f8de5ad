"""Finding a practice for a verb: who may see it, who edits it, who may do what to it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from practices import life
from practices.life import Verb
from practices.models import Practice, PracticeEditor, Review
from wego.core import access
from wego.core.access import Actor, Role
from wego.core.db import Session
from wego.core.errors import NotFound


async def reach(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Practice:
    """The practice, locked for a change; NOT_FOUND in the same words where it is not there and where the
    actor may not see it."""
    query = select(Practice).where(col(Practice.id) == key).with_for_update()
    practice = (await db.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if practice is None or not life.visible(practice, actor, involved=await _involved(db, actor, practice), now=now):
        raise NotFound("There is no such practice, or you may not see it.")
    return practice


async def by_slug(db: Session, slug: str) -> UUID:
    """The key of a practice by its name in addresses; whether it may be seen, `reach` asks."""
    key = (await db.execute(select(col(Practice.id)).where(col(Practice.slug) == slug))).scalar_one_or_none()
    if key is None:
        raise NotFound("There is no such practice, or you may not see it.")
    return key


async def _involved(db: Session, actor: Actor, practice: Practice) -> bool:
    if actor.person_id is None or actor.scopes is not None:
        return False
    reviewing = select(col(Review.id)).where(
        col(Review.practice_id) == practice.id, col(Review.reviewer_id) == actor.person_id
    )
    return await edits(db, actor, practice) or (await db.execute(reviewing.limit(1))).first() is not None


async def edits(db: Session, actor: Actor, practice: Practice) -> bool:
    """Whether this single practice was given to the actor, and he still has the role for it in its city."""
    post = any(
        each.role is Role.OBJECT_EDITOR and each.city_id == practice.city_id and each.active for each in actor.posts
    )
    if not post or actor.person_id is None or actor.scopes is not None:
        return False
    return await db.get(PracticeEditor, (practice.id, actor.person_id)) is not None


async def require(db: Session, actor: Actor, verb: Verb, practice: Practice) -> None:
    """Raise unless the actor may do this to this practice, by his posts or as its single-object editor."""
    rule = life.RULES[verb]
    if rule.editor and await edits(db, actor, practice):
        return
    access.require(actor, rule.permission, practice.city_id if rule.city else None)
