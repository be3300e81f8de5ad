"""Case studies: written by a city, translated by many, submitted, published, revised, archived.

Binding text: design/domain.md section 5.1. Texts live in `i18n.content.documents` under the same key; states in
`life.py`; reviews in `reviews.py`. A published practice that is revised is live at once as a new version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col

from i18n.content import documents, markdown
from i18n.content.documents import Draft, Section, Translated, TranslationDraft
from i18n.content.models import ContentRevision
from i18n.language.origins import Origin
from members.people import people
from members.register.models import Organisation, OrganisationKind
from practices.cases import facts as facts_of
from practices.cases import life, narrative, slugs
from practices.cases.facts import Visibility
from practices.cases.life import LIFE, PUBLISHERS, Verb
from practices.cases.models import Practice, PracticeEditor, PracticeStatus
from practices.cases.narrative import Hint
from practices.cases.reach import reach
from practices.cases.telling import NOTHING, Standing, standing, tell
from wego.core import access, audit, reads
from wego.core.access import Actor, ActorKind, Permission, Role
from wego.core.audit import Event, Subject
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotFound
from wego.core.ids import new_id

MOST_REASON = 1_000
MOST_TOOL = 120  # characters


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
    step = LIFE.step(actor, None, Verb.CREATE, {"city": city_id})
    at = now or datetime.now(UTC)
    columns = {"visibility": Visibility.PUBLIC, **facts_of.checked(facts, now=at)}  # publishing is an act of its own
    tag = documents.locale_tag(locale, ("input", "originalLocale"))
    whole = Draft(draft.title, draft.summary, narrative.ordered(draft.sections))
    practice = Practice(
        id=new_id(), city_id=city_id, original_locale=tag, slug="", created_at=at, updated_at=at,
        title_hash=b"", summary_hash=b"", **columns,
    )  # fmt: skip
    written = await documents.create(db, practice.id, tag, whole, actor.subject, facts=facts_of.snapshot(practice))
    practice.slug = await slugs.free_slug(
        db, slugs.wished(slug) or slugs.slug_of(draft.title, practice.id), city_id, actor
    )
    life.settle(practice, at, written)
    db.add(practice)
    await tell(db, actor, step, practice, NOTHING, at, locale=tag)
    return Outcome(practice, advice(practice, whole))


async def _writing_city(db: Session, actor: Actor, slug: str | None) -> UUID:
    if not actor.signed_in:
        access.require(actor, Permission.PRACTICE_WRITE)
    if slug is not None:
        return await _city_seen(db, actor, slug)
    own = actor.places_with(Permission.PRACTICE_WRITE)
    if not own and actor.kind is not ActorKind.SYSTEM:
        access.require(actor, Permission.PRACTICE_WRITE)
    if len(own) != 1:
        raise Invalid("Say for which city you write.", path=("input", "city"))
    return own[0]


async def _city_seen(db: Session, actor: Actor, slug: str) -> UUID:
    """The city of a slug; the same NOT_FOUND where there is none and where the actor may not know it."""
    seen = await reads.seen(db, actor, Organisation, col(Organisation.slug) == slug)
    if not seen or seen[0].kind is not OrganisationKind.CITY:
        raise NotFound("There is no such city.", path=("input", "city"))
    return seen[0].id


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
    practice, step = await reach(db, actor, key, Verb.REVISE)
    was = standing(practice, now)
    at = now or datetime.now(UTC)
    columns = facts_of.checked(facts, now=at)
    before, shown = await documents.written(db, key), practice.visibility
    after = narrative.merged(before, change.title, change.summary, change.sections, change.removed)
    changed = {name: value for name, value in columns.items() if getattr(practice, name) != value}
    if after == before and not changed:  # nothing is another: no version, and nothing to tell
        return Outcome(practice, advice(practice, after))
    for name, value in changed.items():
        setattr(practice, name, value)
    live = practice.status is PracticeStatus.PUBLISHED
    if live:
        narrative.require_publishable(practice, after)
    # Translations of what fewer people read are not declared to be right for more: they are looked at again.
    minor = change.minor and not (live and life.wider(practice.visibility, shown))
    written = await documents.revise(
        db, key, after, author=actor.subject, minor=minor, facts=facts_of.snapshot(practice), note=_note(change.note)
    )
    if live:
        await _show(db, practice, was, at, opened=shown is Visibility.PRIVATE)
    life.settle(practice, at, written)
    if live:
        await documents.publish(db, key, at, life.audience(practice, at))
    await tell(
        db, actor, step, practice, was, at, revision=written.number, minor=minor, live=live,
        changed_blocks=written.changed, carried_blocks=[str(block) for block in written.carried],
        changed_facts=sorted(changed),
    )  # fmt: skip
    return Outcome(practice, advice(practice, after))


async def _show(db: Session, practice: Practice, was: Standing, at: datetime, *, opened: bool) -> None:
    """A version is about to be published for others than the city. `opened` = the version before was not: for whom this
    is the first, the practice is published now, under a name that none of those has that they see."""
    if practice.visibility is Visibility.PRIVATE:
        return
    (present, *_), *earlier = await documents.titles(db, practice.id)
    wanted = slugs.telling_nothing(practice, present, earlier, at)
    if all(members_from is None for _, members_from, _ in earlier):
        practice.published_at = at
    if opened or wanted != practice.slug:
        free = await slugs.free_slug(db, wanted, practice.city_id, but=practice.id)
        if free != practice.slug:
            await slugs.rename(db, practice, free, was, at)


def _note(note: str) -> str:
    if note:
        markdown.check_text(note, path=("input", "note"), limit=MOST_REASON, lines=True)
    return note


async def translate(
    db: Session, actor: Actor, key: UUID, locale: str, draft: TranslationDraft, *,
    origin: Origin | None = None, tool: str = "", now: datetime | None = None,
) -> Translated:  # fmt: skip
    """Write a translation, whole or in part. The city, its editors and the secretariat may.

    Of a published practice it is live at once for who may publish; what others write waits until one of those
    releases it. A program never says that a person wrote."""
    practice, step = await reach(db, actor, key, Verb.TRANSLATE)
    said = _origin(actor, origin)
    if tool:
        markdown.check_text(tool, path=("input", "tool"), limit=MOST_TOOL)
    live = practice.status is not PracticeStatus.PUBLISHED or PUBLISHERS.allows(actor, {"city": practice.city_id})
    at = now or datetime.now(UTC)
    done = await documents.translate(
        db, key, locale, draft, author=actor.subject, origin=said, tool=tool, live=live,
        program=actor.kind is ActorKind.PROGRAM, now=at,
    )  # fmt: skip
    if live:  # what waits is nobody's business outside, not even that something was written
        life.settle(practice, at)
    await tell(
        db, actor, step, practice, standing(practice, at), at, locale=done.locale, origin=said.value,
        blocks=done.touched, live=live,
    )  # fmt: skip
    return done


def _origin(actor: Actor, origin: Origin | None) -> Origin:
    """How the translation came to be; where nothing is said, by whom it is sent."""
    program = actor.kind is ActorKind.PROGRAM
    if origin is None:
        return Origin.MACHINE if program else Origin.HUMAN
    if origin is Origin.ORIGINAL:
        raise Invalid("A translation is not the original.", path=("input", "origin"))
    if program and origin is Origin.HUMAN:
        raise Invalid("A program cannot say that a person translated this.", path=("input", "origin"))
    return origin


async def release_translation(
    db: Session, actor: Actor, key: UUID, locale: str, *, now: datetime | None = None
) -> Translated:
    """Make live what waits of a translation of a published practice. For who may publish."""
    practice, step = await reach(db, actor, key, Verb.RELEASE_TRANSLATION)
    at = now or datetime.now(UTC)
    done = await documents.release(db, key, locale, at)
    life.settle(practice, at)
    await tell(
        db, actor, step, practice, standing(practice, at), at, locale=done.locale, blocks=done.touched, live=True,
        released=True,
    )  # fmt: skip
    return done


# ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def advice(practice: Practice, draft: Draft) -> tuple[Hint, ...]:
    """What would make it better, or is asked when it is handed in."""
    hints = narrative.hints(draft, practice.original_locale)
    if not practice.sdgs:
        hints.append(Hint("missing_to_publish", "sdgs"))
    if not practice.contacts:
        hints.append(Hint("missing_contact", "contacts"))
    return tuple(hints)


async def publish(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Practice:
    """Make it a published version: by the city after acceptance, by the secretariat also without a review."""
    practice, step = await reach(db, actor, key, Verb.PUBLISH)
    was = standing(practice, now)
    narrative.require_publishable(practice, await documents.written(db, key))
    at = now or datetime.now(UTC)
    practice.status, practice.published_at = PracticeStatus.PUBLISHED, at
    await _show(db, practice, was, at, opened=True)
    life.settle(practice, at)
    await documents.publish(db, key, at, life.audience(practice, at))
    await tell(
        db, actor, step, practice, was, at, reviewed=step.source is PracticeStatus.ACCEPTED,
        visibility=practice.visibility.value,
    )  # fmt: skip
    return practice


async def add_editor(db: Session, actor: Actor, key: UUID, person_id: UUID) -> None:
    """Give a single practice to a person who has the role of an object editor in its city."""
    practice = await reads.locate(db, actor, Practice, key, lock=True)
    access.require(actor, Permission.ROLE_ASSIGN, practice.city_id)
    refused = Conflict("This person is not an object editor of this city.")
    try:
        posts = (await people.actor_of(db, person_id)).posts
    except NotFound:  # who is elsewhere and who is nowhere are told apart for nobody
        raise refused from None
    if not any(post.role is Role.OBJECT_EDITOR and post.place.id == practice.city_id for post in posts):
        raise refused
    given = upsert(PracticeEditor).values(practice_id=key, person_id=person_id).on_conflict_do_nothing()
    await db.execute(given)
    await audit.record(
        db, actor, Event.ROLE_ASSIGNED, Subject.PRACTICE, key, place=practice.city_id, under=Permission.ROLE_ASSIGN,
        decided={"role": (None, Role.OBJECT_EDITOR.value)}, person=str(person_id),
    )  # fmt: skip


# ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def versions(db: Session, actor: Actor, key: UUID) -> Sequence[ContentRevision]:
    """The versions that the actor may read, oldest first; drafts are for those who may read drafts."""
    await reads.locate(db, actor, Practice, key)
    of_practice = col(ContentRevision.document_id) == key
    return await reads.seen(db, actor, ContentRevision, of_practice, order=[col(ContentRevision.number)])


def facts_given(**facts: Any) -> dict[str, Any]:
    """Facts without those that are None, for callers in Python."""
    return {name: value for name, value in facts.items() if value is not None}
