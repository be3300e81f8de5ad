"""The demonstration's case studies, brought through the same verbs as everybody's; and many more, for
measuring.

The texts are in `practices/demo`. Reviews are those of demo people of other cities; what the files call
under review has a change request in its history, and one published text was edited after its translation was
made. No city took these decisions, which is said of each practice and each review (`assumed`). The translations were
made by a large language model and read over by nobody, which is said of each text (`origin`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col

from i18n.content.documents import Draft, Section
from i18n.language.origins import Origin
from members.people import people
from practices.cases import files, practices
from practices.cases.files import Case
from practices.cases.models import Practice, Review
from practices.cases.practices import Change
from practices.demo.sample import fill
from practices.reviews import reviews
from practices.reviews.reviews import Comment
from wego.core import access
from wego.core.access import Actor
from wego.core.db import Session
from wego.core.errors import Conflict

__all__ = ["fill", "seed"]

SEED = access.system("seed", access.Means.TERMINAL)
FIRST = datetime(2025, 1, 7, 9, 0, tzinfo=UTC)
EVERY = timedelta(days=9)
TOOL = "large language model"  # which one, and of which version, is not recorded
REVIEWERS = ("cio@barcelona.demo", "cio@seoul.demo")  # who is of another city reviews

# What a reviewer of the case under review asked for; the first draft lacks the last paragraph of this
# section.
ASKED_SECTION = "participation"
ASKED = "Please say whether residents were asked before the bid; if nobody knows, say that."
# An edit of one paragraph after the translation was made: the English of this one is stale.
EDITED = ("mobile-seoul", "results", "다른 서비스의 이용 수치도 이 점수에서는 읽어 낼 수 없다.")

Progress = Callable[[str], None]


async def seed(db: Session, *, progress: Progress | None = None) -> int:
    """Load the case studies that are not there yet; how many were loaded. Needs the demonstration's
    cities."""
    names = files.names()
    present = set((await db.execute(select(col(Practice.slug)).where(col(Practice.slug).in_(names)))).scalars())
    missing = files.demonstration(besides=present)
    for case in missing:
        await _load(db, case, FIRST + names.index(case.slug) * EVERY)
        if progress:
            progress(f"{case.slug}: {len(case.texts)} languages, {case.status}")
    return len(missing)


async def _load(db: Session, case: Case, at: datetime) -> None:
    first = _first_draft(case)
    outcome = await practices.create(
        db, SEED, case.original_locale, first, case.facts, city=case.city, slug=case.slug, now=at
    )
    key = outcome.practice.id
    if case.status == "under_review":
        await _ask_and_revise(db, case, key, at)
    for locale, draft in case.texts.items():
        if locale != case.original_locale:
            made, told = files.as_translation(draft), at + timedelta(days=1)
            await practices.translate(db, SEED, key, locale, made, origin=Origin.MACHINE, tool=TOOL, now=told)
    if case.status == "submitted":
        await reviews.submit(db, SEED, key, now=at + timedelta(days=2))
    elif case.status == "published":
        await _publish(db, case, key, at)
    elif case.status not in {"draft", "under_review"}:
        raise Conflict(
            "{slug} has the status {status}, which the seed cannot reach.", slug=case.slug, status=case.status
        )
    if case.slug == EDITED[0]:
        await _edit(db, case, key, at + timedelta(days=40))
    await db.execute(update(Practice).where(col(Practice.id) == key).values(assumed=True))
    await db.execute(update(Review).where(col(Review.practice_id) == key).values(assumed=True))


def _first_draft(case: Case) -> Draft:
    if case.status != "under_review":
        return case.original
    sections = [
        replace(section, body=section.body.rpartition("\n\n")[0]) if section.key == ASKED_SECTION else section
        for section in case.original.sections
    ]
    return replace(case.original, sections=tuple(sections))


async def _reviewer(db: Session, case: Case) -> Actor:
    """A demo person who may review this case: the first of another city."""
    for email in REVIEWERS:
        person = await people.by_email(db, email)
        if person is not None and email != f"cio@{case.city}.demo":
            return await people.actor_of(db, person.id)
    raise Conflict("The demonstration has no reviewer for {slug}: load its cities and people first.", slug=case.slug)


async def _assign(db: Session, case: Case, key: UUID, at: datetime) -> Actor:
    reviewer = await _reviewer(db, case)
    assert reviewer.person_id is not None  # actor_of knows people only
    await reviews.submit(db, SEED, key, now=at)
    await reviews.assign(db, SEED, key, reviewer.person_id, now=at)
    return reviewer


async def _ask_and_revise(db: Session, case: Case, key: UUID, at: datetime) -> None:
    reviewer = await _assign(db, case, key, at + timedelta(hours=1))
    asked = [Comment(ASKED, ASKED_SECTION)]
    await reviews.request_changes(db, reviewer, key, asked, now=at + timedelta(hours=5))
    later = at + timedelta(hours=20)
    await practices.revise(db, SEED, key, Change(sections=case.original.sections), {}, now=later)
    await reviews.submit(db, SEED, key, now=later)


async def _publish(db: Session, case: Case, key: UUID, at: datetime) -> None:
    reviewer = await _assign(db, case, key, at + timedelta(days=2))
    await reviews.accept(db, reviewer, key, conflict="", now=at + timedelta(days=6))
    await practices.publish(db, SEED, key, now=at + timedelta(days=7))


async def _edit(db: Session, case: Case, key: UUID, at: datetime) -> None:
    _, place, sentence = EDITED
    section = next(section for section in case.original.sections if section.key == place)
    longer = Section(place, section.heading, f"{section.body.rstrip()} {sentence}")
    await practices.revise(db, SEED, key, Change(sections=(longer,)), {}, now=at)
