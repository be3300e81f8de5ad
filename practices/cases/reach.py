"""Who may see a practice, who works on it in particular, and how a verb reaches it.

Each is one predicate in SQL: reads put it into their statement, services reach the practice through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from i18n.content import rights
from members.register.models import Organisation
from practices.cases.life import LIFE, UNDER_REVIEW, Verb
from practices.cases.models import FormerSlug, Practice, PracticeStatus
from wego.core import reads
from wego.core.access import Actor, ActorKind, Permission, Role
from wego.core.db import Session
from wego.core.errors import Conflict, NotFound
from wego.core.machine import Step

if TYPE_CHECKING:
    from wego.core.reads.query import Query

_UNDER_REVIEW = ", ".join(f"'{status.value}'" for status in sorted(UNDER_REVIEW))


def missing() -> NotFound:
    return NotFound("There is no such practice, or you may not see it.")


@reads.visible(Practice, missing=missing)
def visible_practice(q: Query, t: str) -> str | None:
    """Everybody what is public by now, members what is published for them, and those who work on it the rest."""
    shared = shared_practice(q, t)
    if shared is None:
        return None
    mine = [part for part in (edited(q, t), reviewed(q, t)) if part != "false"]
    return f"({' or '.join([shared, *mine])})"


def shared_practice(q: Query, t: str) -> str | None:
    """What of it follows from the reader's posts alone, and not from a single practice that was given to him."""
    drafts = reads_drafts(q, t)
    if drafts is None:
        return None
    parts = [f"{t}.public_from <= now()"]
    if q.shape.member:
        parts.append(f"({t}.status = 'published' and {t}.visibility <> 'private')")
    if drafts != "false":
        parts.append(drafts)
    return f"({' or '.join(parts)})"


def reads_drafts(q: Query, t: str) -> str | None:
    """Whether the reader may see what is not published of a practice: he is of its city, or of the secretariat."""
    if q.everywhere(Permission.PRACTICE_READ):
        return None
    if not q.somewhere(Permission.PRACTICE_READ):
        return "false"
    return f"{t}.city_id = any({q.places_with(Permission.PRACTICE_READ)})"


def edited(q: Query, t: str) -> str:
    """Whether this single practice was given to the reader to write, and he still is an object editor of its city."""
    if q.shape.kind is not ActorKind.PERSON:
        return "false"
    cities = q.bind(lambda run: list(run.actor.places_as(Role.OBJECT_EDITOR)), "uuid[]", "object editor")
    return (
        f"({t}.city_id = any({cities}) and exists (select 1 from practice_editor e"
        f" where e.practice_id = {t}.id and e.person_id = {q.person()}))"
    )


def reviewed(q: Query, t: str) -> str:
    """Whether the reader reviews it: while it is under review, and he holds the office for which it was assigned."""
    if q.shape.kind is not ActorKind.PERSON or not q.somewhere(Permission.PRACTICE_REVIEW):
        return "false"
    return (
        f"({t}.status in ({_UNDER_REVIEW}) and exists (select 1 from review v where v.practice_id = {t}.id"
        f" and v.reviewer_id = {q.person()} and v.reviewer_city_id = any({q.places_with(Permission.PRACTICE_REVIEW)})))"
    )


@reads.visible(FormerSlug)
def visible_former_slug(q: Query, t: str) -> str | None:
    """Who was shown a name while it was one; and those who see all of the practice, drafts as well."""
    drafts = reads_drafts(q, "own")
    if drafts is None:
        return None
    parts = [f"{t}.shown_to_public"] + [f"{t}.shown_to_members"] * q.shape.member
    works = [part for part in (drafts, edited(q, "own")) if part != "false"]
    if works:
        parts.append(f"exists (select 1 from practice own where own.id = {t}.practice_id and ({' or '.join(works)}))")
    return f"({' or '.join(parts)})"


rights.owned("practice", drafts=reads_drafts, given=edited)


async def reach(db: Session, actor: Actor, key: UUID, verb: Verb) -> tuple[Practice, Step[PracticeStatus, Verb]]:
    """The practice, locked for a change, and the row of its life that the verb takes: may the actor see it, may he do
    this, and is it possible now."""
    practice, held = await reads.locate_with(db, actor, Practice, key, {"editor": edited}, lock=True)
    return practice, LIFE.step(actor, practice, verb, {"city": practice.city_id, **held})


async def by_slug(db: Session, actor: Actor, slug: str) -> UUID:
    """The key of a practice by its name in addresses, or by one that it had, among those that the actor may see.
    Unpublished ones of several cities can have the same name: who sees more than one names the city too
    (`seoul/night-buses`), or the id."""
    city, _, name = slug.rpartition("/")
    where = [col(Practice.slug) == name]
    if city:
        where.append(col(Practice.city_id).in_(select(col(Organisation.id)).where(col(Organisation.slug) == city)))
    found = await reads.seen(db, actor, Practice, *where)
    if not found:
        former = await reads.seen(db, actor, FormerSlug, col(FormerSlug.slug) == name)
        where[0] = col(Practice.id).in_([each.practice_id for each in former])
        found = await reads.seen(db, actor, Practice, *where)
    if not found:
        raise missing()
    if len(found) > 1:
        raise Conflict("Several practices have this name: say which one by its id.", path=("input", "practice"))
    return found[0].id
