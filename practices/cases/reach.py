"""Finding a practice for a verb: who may see it, who edits it, who may do what to it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from members.register.models import City
from practices.cases import life
from practices.cases.life import Verb
from practices.cases.models import Practice, PracticeEditor, Review
from wego.core import access
from wego.core.access import Actor, Permission, Role
from wego.core.db import Session
from wego.core.errors import Conflict, NotFound


async def reach(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Practice:
    """The practice, locked for a change; NOT_FOUND in the same words where it is not there and where the
    actor may not see it."""
    query = select(Practice).where(col(Practice.id) == key).with_for_update()
    practice = (await db.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if practice is None or not life.visible(practice, actor, involved=await involved(db, actor, practice), now=now):
        raise NotFound("There is no such practice, or you may not see it.")
    return practice


async def by_slug(db: Session, actor: Actor, slug: str) -> UUID:
    """The key of a practice by its name in addresses, among those that the actor may see. Unpublished ones of several
    cities can have the same name: who sees more than one names the city too (`seoul/night-buses`), or the id."""
    city, _, name = slug.rpartition("/")
    query = select(Practice).where(col(Practice.slug) == name)
    if city:
        query = query.join(City, col(City.id) == col(Practice.city_id)).where(col(City.slug) == city)
    twins = (await db.execute(query)).scalars().all()
    seen = [each for each in twins if life.visible(each, actor, involved=await involved(db, actor, each))]
    if not seen:
        raise NotFound("There is no such practice, or you may not see it.")
    if len(seen) > 1:
        raise Conflict("Several practices have this name: say which one by its id.", path=("input", "practice"))
    return seen[0].id


async def involved(db: Session, actor: Actor, practice: Practice) -> bool:
    """Whether somebody works on this practice in particular: as its object editor, or as its reviewer, while it is
    reviewed and while he holds the office for which it was assigned to him."""
    if actor.person_id is None or actor.scopes is not None:
        return False
    if await edits(db, actor, practice):
        return True
    cities = actor.cities_with(Permission.PRACTICE_REVIEW)
    if practice.status not in life.UNDER_REVIEW or not cities:
        return False
    reviewing = select(col(Review.id)).where(
        col(Review.practice_id) == practice.id,
        col(Review.reviewer_id) == actor.person_id,
        col(Review.reviewer_city_id).in_(cities),
    )
    return (await db.execute(reviewing.limit(1))).first() is not None


async def edits(db: Session, actor: Actor, practice: Practice) -> bool:
    """Whether this single practice was given to the actor, and he still has the role for it in its city."""
    post = practice.city_id in actor.cities_as(Role.OBJECT_EDITOR)
    if not post or actor.person_id is None or actor.scopes is not None:
        return False
    return await db.get(PracticeEditor, (practice.id, actor.person_id)) is not None


async def require(db: Session, actor: Actor, verb: Verb, practice: Practice) -> None:
    """Raise unless the actor may do this to this practice, by his posts or as its single-object editor."""
    rule = life.RULES[verb]
    if rule.editor and await edits(db, actor, practice):
        return
    access.require(actor, rule.permission, practice.city_id if rule.city else None)
