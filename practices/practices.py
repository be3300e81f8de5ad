"""Case studies: written by a city, translated by many, submitted, published, revised, archived.

Binding text: design/domain.md section 5.1. Texts live in `i18n.content` under the same key; states in
`life.py`; reviews in `reviews.py`. A published practice that is revised is live at once as a new version.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col

from i18n import content, markdown
from i18n.content import Draft, Section, Translated, TranslationDraft
from i18n.models import ContentRevision, Origin
from members import people
from members.models import City
from practices import facts as facts_of
from practices import life, narrative, reviews
from practices.life import Verb
from practices.models import Practice, PracticeEditor, PracticeStatus, Visibility
from practices.narrative import Hint
from practices.reach import reach, require
from wego.core import access, audit, jobs
from wego.core.access import Actor, ActorKind, Permission, Role
from wego.core.audit import Event
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotFound
from wego.core.ids import new_id

MOST_SLUG = 60
MOST_REASON = 1_000
# Letters that NFKD does not take apart.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "ı": "i",
    }
)


@dataclass(frozen=True)
class Outcome:
    """A practice after a verb, and advice on its text."""

    practice: Practice
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True)
class Change:
    """What a writer sends to revise: None leaves as it is; a section given replaces the one of its key."""

    title: str | None = None
    summary: str | None = None
    sections: tuple[Section, ...] = ()
    removed: tuple[str, ...] = ()
    minor: bool = False
    note: str = ""


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def create(
    db: Session, actor: Actor, locale: str, draft: Draft, facts: facts_of.Given, *,
    city: str | None = None, slug: str | None = None, now: datetime | None = None,
) -> Outcome:  # fmt: skip
    """Draft a case study of a city in the language of its choice. With exactly one post that may write, the
    city is understood; else its slug is needed."""
    city_id = await _writing_city(db, actor, city)
    access.require(actor, Permission.PRACTICE_WRITE, city_id)
    at = now or datetime.now(UTC)
    columns = {"visibility": Visibility.PUBLIC, **facts_of.checked(facts, now=at)}  # publishing is an act of its own
    tag = content.locale_tag(locale, ("input", "originalLocale"))
    whole = Draft(draft.title, draft.summary, narrative.ordered(draft.sections))
    practice = Practice(
        id=new_id(), city_id=city_id, original_locale=tag, slug="", created_at=at, updated_at=at,
        title_hash=b"", summary_hash=b"", **columns,
    )  # fmt: skip
    written = await content.create(db, practice.id, tag, whole, actor.subject, facts=facts_of.snapshot(practice))
    practice.slug = await free_slug(db, _wished(slug) or slug_of(draft.title, practice.id))
    life.settle(practice, at, written)
    db.add(practice)
    await audit.record(db, actor, Event.PRACTICE_CREATED, "Practice", practice.id, city=str(city_id), locale=tag)
    await jobs.tell(db, Event.PRACTICE_CREATED, subject_id=str(practice.id))
    return Outcome(practice, tuple(narrative.hints(whole, tag)))


async def _writing_city(db: Session, actor: Actor, slug: str | None) -> UUID:
    if not actor.signed_in:
        access.require(actor, Permission.PRACTICE_WRITE)
    if slug is not None:
        found = (await db.execute(select(col(City.id)).where(col(City.slug) == slug))).scalar_one_or_none()
        if found is None:
            raise NotFound("There is no such city.", path=("input", "city"))
        return found
    own = actor.cities_with(Permission.PRACTICE_WRITE)
    if not own and actor.kind is not ActorKind.SYSTEM:
        access.require(actor, Permission.PRACTICE_WRITE)
    if len(own) != 1:
        raise Invalid("Say for which city you write.", path=("input", "city"))
    return own[0]


async def revise(
    db: Session,
    actor: Actor,
    key: UUID,
    change: Change,
    facts: facts_of.Given,
    *,
    now: datetime | None = None,
) -> Outcome:
    """Write the next revision of texts and facts. Of a published practice it is live at once, as a new
    version."""
    practice = await reach(db, actor, key, now=now)
    await require(db, actor, Verb.REVISE, practice)
    if practice.status is PracticeStatus.PUBLISHED:  # it is live at once, so it takes who may publish
        access.require(actor, Permission.PRACTICE_PUBLISH, practice.city_id)
    practice.status = life.step(practice, Verb.REVISE)
    at = now or datetime.now(UTC)
    columns = facts_of.checked(facts, now=at)
    before = await content.written(db, key)
    after = narrative.merged(before, change.title, change.summary, change.sections, change.removed)
    for name, value in columns.items():
        setattr(practice, name, value)
    live = practice.status is PracticeStatus.PUBLISHED
    if live:
        narrative.require_publishable(practice, after)
    written = await content.revise(
        db, key, after, author=actor.subject, minor=change.minor, facts=facts_of.snapshot(practice),
        note=_note(change.note),
    )  # fmt: skip
    if live:
        await content.publish(db, key, at)
    life.settle(practice, at, written)
    await audit.record(
        db, actor, Event.PRACTICE_REVISED, "Practice", key, revision=written.number, minor=change.minor,
        live=live, changed_blocks=written.changed, carried_blocks=[str(block) for block in written.carried],
        changed_facts=sorted(columns),
    )  # fmt: skip
    await jobs.tell(db, Event.PRACTICE_REVISED, subject_id=str(key))
    return Outcome(practice, tuple(narrative.hints(after, practice.original_locale)))


def _note(note: str) -> str:
    if note:
        markdown.check_text(note, path=("input", "note"), limit=MOST_REASON, lines=True)
    return note


async def translate(
    db: Session, actor: Actor, key: UUID, locale: str, draft: TranslationDraft, *,
    origin: Origin = Origin.HUMAN, now: datetime | None = None,
) -> Translated:  # fmt: skip
    """Write a translation, whole or in part. The city, its editors and the secretariat may."""
    practice = await reach(db, actor, key, now=now)
    await require(db, actor, Verb.TRANSLATE, practice)
    life.step(practice, Verb.TRANSLATE)
    if origin is Origin.ORIGINAL:
        raise Invalid("A translation is not the original.", path=("input", "origin"))
    at = now or datetime.now(UTC)
    done = await content.translate(db, key, locale, draft, author=actor.subject, origin=origin, now=at)
    life.settle(practice, at)
    await audit.record(
        db, actor, Event.PRACTICE_TRANSLATED, "Practice", key, locale=done.locale, origin=origin.value,
        blocks=done.touched,
    )  # fmt: skip
    await jobs.tell(db, Event.PRACTICE_TRANSLATED, subject_id=str(key))
    return done


# ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def submit(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Outcome:
    """Hand in for review; after requested changes it goes back to the reviewers who asked for them."""
    practice = await reach(db, actor, key, now=now)
    await require(db, actor, Verb.SUBMIT, practice)
    target = life.step(practice, Verb.SUBMIT)
    draft = await content.written(db, key)
    narrative.require(draft, narrative.TO_SUBMIT)
    at = now or datetime.now(UTC)
    practice.status = target
    if await reviews.reopen(db, practice, at):
        practice.status = PracticeStatus.UNDER_REVIEW
    life.settle(practice, at)
    await audit.record(
        db,
        actor,
        Event.PRACTICE_SUBMITTED,
        "Practice",
        key,
        city=str(practice.city_id),
        to=practice.status.value,
    )
    await jobs.tell(db, Event.PRACTICE_SUBMITTED, subject_id=str(key))
    return Outcome(practice, (*narrative.hints(draft, practice.original_locale), *_fact_hints(practice)))


def _fact_hints(practice: Practice) -> list[Hint]:
    hints = [] if practice.sdgs else [Hint("missing_to_publish", "sdgs")]
    return hints if practice.contacts else [*hints, Hint("missing_contact", "contacts")]


async def publish(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Practice:
    """Make it a published version: by the city after acceptance, by the secretariat also without a review."""
    practice = await reach(db, actor, key, now=now)
    await require(db, actor, Verb.PUBLISH, practice)
    target, reviewed = life.step(practice, Verb.PUBLISH), practice.status in life.PUBLISHED_BY_CITY
    if not reviewed and not actor.may(Permission.PRACTICE_PUBLISH):
        raise Conflict("This practice has not been accepted by a reviewer yet.")
    narrative.require_publishable(practice, await content.written(db, key))
    at = now or datetime.now(UTC)
    practice.status, practice.published_at = target, at
    await content.publish(db, key, at)
    life.settle(practice, at)
    await audit.record(
        db, actor, Event.PRACTICE_PUBLISHED, "Practice", key, city=str(practice.city_id), reviewed=reviewed,
        visibility=practice.visibility.value,
    )  # fmt: skip
    await jobs.tell(db, Event.PRACTICE_PUBLISHED, subject_id=str(key))
    return practice


async def archive(db: Session, actor: Actor, key: UUID, reason: str, *, now: datetime | None = None) -> Practice:
    """Take a published practice out of sight, with a reason; nothing is deleted."""
    practice = await reach(db, actor, key, now=now)
    await require(db, actor, Verb.ARCHIVE, practice)
    markdown.check_text(reason, path=("input", "reason"), limit=MOST_REASON, lines=True)
    practice.status = life.step(practice, Verb.ARCHIVE)
    life.settle(practice, now or datetime.now(UTC))
    await audit.record(db, actor, Event.PRACTICE_ARCHIVED, "Practice", key, words={"reason": reason})
    await jobs.tell(db, Event.PRACTICE_ARCHIVED, subject_id=str(key))
    return practice


async def add_editor(db: Session, actor: Actor, key: UUID, person_id: UUID) -> None:
    """Give a single practice to a person who has the role of an object editor in its city."""
    practice = await reach(db, actor, key)
    access.require(actor, Permission.ROLE_ASSIGN, practice.city_id)
    editor = await people.actor_of(db, person_id)
    if not any(post.role is Role.OBJECT_EDITOR and post.city_id == practice.city_id for post in editor.posts):
        raise Conflict("This person is not an object editor of this city.")
    given = upsert(PracticeEditor).values(practice_id=key, person_id=person_id).on_conflict_do_nothing()
    await db.execute(given)
    await audit.record(
        db, actor, Event.ROLE_ASSIGNED, "Practice", key, role=Role.OBJECT_EDITOR.value, person=str(person_id)
    )


# ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def versions(db: Session, actor: Actor, key: UUID) -> Sequence[ContentRevision]:
    """What was published, oldest first; the drafts between are for those who may read drafts."""
    practice = await reach(db, actor, key)
    query = select(ContentRevision).where(col(ContentRevision.document_id) == key)
    if not actor.may(Permission.PRACTICE_READ, practice.city_id):
        query = query.where(col(ContentRevision.published_at).is_not(None))
    return (await db.execute(query.order_by(col(ContentRevision.number)))).scalars().all()


# ── names in addresses ────────────────────────────────────────────────────────────────────────────────────────────


def slug_of(title: str, key: UUID) -> str:
    """The name of a practice in addresses: ASCII from its title, or from its key where the title has too
    little."""
    plain = unicodedata.normalize("NFKD", title.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) > MOST_SLUG:
        slug = slug[:MOST_SLUG].rpartition("-")[0] or slug[:MOST_SLUG]
    return slug if sum(map(str.isalpha, slug)) >= 3 else f"practice-{key.hex[-12:]}"


def _wished(slug: str | None) -> str | None:
    if slug is not None and (len(slug) > MOST_SLUG or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)):
        raise Invalid(
            "Use at most {limit} lower case letters, digits and hyphens.", path=("input", "slug"), limit=MOST_SLUG
        )
    return slug


async def free_slug(db: Session, wanted: str) -> str:
    """A name that no other practice has; those who look for the same name at once take turns."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"practice {wanted}", 0))))
    query = select(col(Practice.slug)).where(col(Practice.slug).startswith(wanted, autoescape=True))
    taken = set((await db.execute(query)).scalars())
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)


def facts_given(**facts: Any) -> dict[str, Any]:
    """Facts without those that are None, for callers in Python."""
    return {name: value for name, value in facts.items() if value is not None}
