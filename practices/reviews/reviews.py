"""Reviews: a person of another city reads a case study, asks for changes, or accepts it.

Binding text: design/domain.md section 5.1 (reviews: reviewer's city is not the owner's, conflicts are
declared, comments per section). Declaring a conflict bars from accepting; the secretariat then assigns
somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from i18n.content import documents, markdown
from i18n.content.models import ContentDocument
from members.people import people
from members.people.models import Person
from practices.cases import life
from practices.cases.life import LIFE, Verb
from practices.cases.models import Practice, PracticeStatus, Review, ReviewComment, ReviewStatus
from practices.cases.narrative import BUDGETS, require_publishable
from practices.cases.practices import Outcome, advice
from practices.cases.reach import reach
from practices.cases.telling import standing, tell
from wego.core import reads
from wego.core.access import GRANTS, Actor, Permission
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound
from wego.core.machine import Step

MOST_COMMENTS = 60
MOST_COMMENT = 4_000
MOST_CONFLICT = 1_000


@dataclass(frozen=True)
class Comment:
    """What is said of one section, or (no section) of the whole."""

    text: str
    section: str | None = None
    locale: str = "en"


async def submit(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Outcome:
    """Hand in for review what could be published as it is; after requested changes it goes back to the reviewers who
    asked for them."""
    practice, step = await reach(db, actor, key, Verb.SUBMIT)
    was = standing(practice, now)
    draft = await documents.written(db, key)
    require_publishable(practice, draft)
    at = now or datetime.now(UTC)
    again = step.source is PracticeStatus.CHANGES_REQUESTED and await reopen(db, practice, at)
    practice.submitted_at = practice.submitted_at or at
    practice.status = PracticeStatus.UNDER_REVIEW if again else PracticeStatus.SUBMITTED
    life.settle(practice, at)
    await tell(db, actor, step, practice, was, at)
    return Outcome(practice, advice(practice, draft))


async def withdraw(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Practice:
    """Take a practice back from review: it is a draft of its city again, and its reviewers see it no more. Handed in
    once more, it is assigned anew."""
    practice, step = await reach(db, actor, key, Verb.WITHDRAW)
    was, at = standing(practice, now), now or datetime.now(UTC)
    await _close(db, practice, at)
    practice.status = PracticeStatus.DRAFT
    life.settle(practice, at)
    await tell(db, actor, step, practice, was, at)
    return practice


async def assign(
    db: Session,
    actor: Actor,
    key: UUID,
    reviewer_id: UUID,
    *,
    conflict: str = "",
    now: datetime | None = None,
) -> Review:
    """Give a practice to a reviewer of another city in good standing; a conflict he declares forbids it."""
    practice, step = await reach(db, actor, key, Verb.ASSIGN_REVIEWER)
    was = standing(practice, now)
    if _declared(conflict):
        raise Conflict("This reviewer declared a conflict of interest; choose another.")
    city_id = await _reviewing_city(db, practice, reviewer_id)
    at, turn = now or datetime.now(UTC), await _round(db, practice)
    if await _open_review(db, practice, reviewer_id) is not None:
        raise Conflict("This person reviews the practice already.")
    revision_id = await _revision(db, practice)
    review = Review(
        practice_id=key, revision_id=revision_id, reviewer_id=reviewer_id, reviewer_city_id=city_id,
        round=turn, assigned_at=at,
    )  # fmt: skip
    db.add(review)
    practice.status = PracticeStatus.UNDER_REVIEW
    life.settle(practice, at)
    await tell(db, actor, step, practice, was, at, reviewer=str(reviewer_id), reviewer_city=str(city_id), round=turn)
    return review


async def _reviewing_city(db: Session, practice: Practice, person_id: UUID) -> UUID:
    """The city for which a person may review this practice."""
    if await db.get(Person, person_id) is None:
        raise NotFound("There is no such person.", path=("input", "reviewer"))
    posts = (await people.actor_of(db, person_id)).posts
    if any(post.place.id == practice.city_id for post in posts):
        raise Conflict("A reviewer must come from another city.")
    for post in posts:
        if post.place.id and post.active and Permission.PRACTICE_REVIEW in GRANTS[post.role]:
            return post.place.id
    raise Conflict("This person has no post that may review, in a city in good standing.")


async def _revision(db: Session, practice: Practice) -> UUID:
    document = await db.get(ContentDocument, practice.id, populate_existing=True)
    assert document is not None  # the practice's key refers to it
    assert document.current_revision_id is not None
    return document.current_revision_id


async def _round(db: Session, practice: Practice) -> int:
    """The round that is open, or the next."""
    query = select(func.max(Review.round), func.bool_or(col(Review.decided_at).is_(None))).where(
        col(Review.practice_id) == practice.id,
        col(Review.round)
        == select(func.max(Review.round)).where(col(Review.practice_id) == practice.id).scalar_subquery(),
    )
    last, still_open = (await db.execute(query)).one()
    return (last or 0) + (0 if still_open else 1)


async def _open_review(db: Session, practice: Practice, person_id: UUID | None) -> Review | None:
    query = (
        select(Review)
        .where(
            col(Review.practice_id) == practice.id,
            col(Review.reviewer_id) == person_id,
            col(Review.decided_at).is_(None),
        )
        .order_by(col(Review.round).desc())
        .limit(1)
    )
    return (await db.execute(query)).scalar_one_or_none()


async def reopen(db: Session, practice: Practice, now: datetime) -> bool:
    """After requested changes: a new round with the reviewers of the last one who may still review. False
    when there is none, so that the secretariat assigns anew."""
    turn = await _round(db, practice)
    query = select(Review).where(
        col(Review.practice_id) == practice.id,
        col(Review.round) == turn - 1,
        col(Review.reviewer_city_id).is_not(None),
        col(Review.conflict_declared) == "",
    )
    again = False
    for review in (await db.execute(query)).scalars().all():
        try:
            city_id = await _reviewing_city(db, practice, review.reviewer_id)
        except Conflict:
            continue
        db.add(
            Review(
                practice_id=practice.id,
                revision_id=await _revision(db, practice),
                reviewer_id=review.reviewer_id,
                reviewer_city_id=city_id,
                round=turn,
                assigned_at=now,
            )
        )
        again = True
    return again


async def request_changes(
    db: Session, actor: Actor, key: UUID, comments: Sequence[Comment], *, conflict: str = "",
    now: datetime | None = None,
) -> Review:  # fmt: skip
    """Ask the city for changes, section by section: the assigned reviewer, or the secretariat."""
    practice, review, step = await _reach(db, actor, key, Verb.REQUEST_CHANGES)
    was = standing(practice, now)
    _check_comments(comments)
    at = now or datetime.now(UTC)
    if review is None:
        review = await _office_review(db, actor, practice, at)
    review.conflict_declared = review.conflict_declared or _declared(conflict)
    review.status, review.decided_at = ReviewStatus.CHANGES_REQUESTED, at
    await db.flush()
    for comment in comments:
        db.add(
            ReviewComment(
                review_id=review.id,
                section=comment.section,
                text=comment.text,
                locale=documents.locale_tag(comment.locale, ("input", "comments")),
                at=at,
            )
        )
    await _close(db, practice, at, but=review)
    practice.status = PracticeStatus.CHANGES_REQUESTED
    life.settle(practice, at)
    await tell(
        db, actor, step, practice, was, at, review=str(review.id),
        sections=sorted({comment.section or "" for comment in comments}), conflict=bool(review.conflict_declared),
    )  # fmt: skip
    return review


async def accept(db: Session, actor: Actor, key: UUID, *, conflict: str, now: datetime | None = None) -> Review:
    """Accept for publication: the assigned reviewer, who declares by an empty `conflict` that he has none."""
    practice, review, step = await _reach(db, actor, key, Verb.ACCEPT)
    was = standing(practice, now)
    if review is None:
        raise NotAllowed("Only the reviewer to whom this practice was assigned can accept it.")
    if review.conflict_declared or _declared(conflict):
        raise Conflict("A reviewer with a conflict of interest cannot accept a practice.")
    require_publishable(practice, await documents.written(db, key))
    at = now or datetime.now(UTC)
    review.status, review.decided_at = ReviewStatus.ACCEPTED, at
    await _close(db, practice, at, but=review)
    practice.status = PracticeStatus.ACCEPTED
    life.settle(practice, at)
    await tell(db, actor, step, practice, was, at, review=str(review.id))
    return review


async def _reach(
    db: Session, actor: Actor, key: UUID, verb: Verb
) -> tuple[Practice, Review | None, Step[PracticeStatus, Verb]]:
    """The practice, the actor's open review of it (None for the secretariat) and the row that the verb takes; refused
    for everybody else, and for who lost his post."""
    practice = await reads.locate(db, actor, Practice, key, lock=True)
    review = await _open_review(db, practice, actor.person_id) if actor.person_id and actor.scopes is None else None
    sides = {"city": practice.city_id, "reviewer": review.reviewer_city_id if review else None}
    return practice, review, LIFE.step(actor, practice, verb, sides)


async def _office_review(db: Session, actor: Actor, practice: Practice, at: datetime) -> Review:
    """A review by the secretariat itself, which belongs to no city."""
    if actor.person_id is None:
        raise NotAllowed("Only a person can comment on a practice.")
    turn = await _round(db, practice)
    review = Review(
        practice_id=practice.id, revision_id=await _revision(db, practice), reviewer_id=actor.person_id,
        round=turn, assigned_at=at,
    )  # fmt: skip
    db.add(review)
    return review


async def _close(db: Session, practice: Practice, at: datetime, *, but: Review | None = None) -> None:
    """The round is over for all its reviewers; who said nothing stays "assigned", with the time of its
    end."""
    query = select(Review).where(col(Review.practice_id) == practice.id, col(Review.decided_at).is_(None))
    for review in (await db.execute(query)).scalars().all():
        if review is not but:
            review.decided_at = at


def _declared(conflict: str) -> str:
    if conflict:
        markdown.check_text(conflict, path=("input", "conflict"), limit=MOST_CONFLICT, lines=True)
    return conflict


def _check_comments(comments: Sequence[Comment]) -> None:
    if not 1 <= len(comments) <= MOST_COMMENTS:
        raise Invalid(
            "Say what should change, in at least one and at most {limit} comments.",
            path=("input", "comments"),
            limit=MOST_COMMENTS,
        )
    for index, comment in enumerate(comments):
        here = ("input", "comments", index)
        if comment.section is not None and comment.section not in {*BUDGETS, "title", "summary"}:
            raise Invalid("There is no section with the key {key}.", path=(*here, "section"), key=comment.section)
        markdown.check_text(comment.text, path=(*here, "text"), limit=MOST_COMMENT, lines=True)
