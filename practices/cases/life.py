"""The life of a case study as one table: which verb leads where, and who may; and when whom it becomes
visible.

Binding text: design/domain.md section 5.1 (review and life, visibility).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from i18n.content.documents import Audience, Written
from practices.cases.models import Practice, PracticeStatus, Visibility
from wego.core.access import Actor, Permission
from wego.core.errors import Conflict

S = PracticeStatus
P = Permission


class Verb(StrEnum):
    REVISE = "revise"
    TRANSLATE = "translate"
    SUBMIT = "submit"
    ASSIGN_REVIEWER = "assign_reviewer"
    REQUEST_CHANGES = "request_changes"
    ACCEPT = "accept"
    PUBLISH = "publish"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: a post with the permission in the own city, or in the secretariat; editors of the single
    practice; reviewers to whom it was assigned."""

    permission: Permission
    city: bool = False
    editor: bool = False
    reviewer: bool = False


RULES: dict[Verb, Rule] = {
    Verb.REVISE: Rule(P.PRACTICE_WRITE, city=True, editor=True),
    Verb.TRANSLATE: Rule(P.PRACTICE_TRANSLATE, city=True, editor=True),
    Verb.SUBMIT: Rule(P.PRACTICE_SUBMIT, city=True),
    Verb.ASSIGN_REVIEWER: Rule(P.PRACTICE_ASSIGN),
    Verb.REQUEST_CHANGES: Rule(P.PRACTICE_REVIEW, reviewer=True),
    Verb.ACCEPT: Rule(P.PRACTICE_REVIEW, reviewer=True),
    Verb.PUBLISH: Rule(P.PRACTICE_PUBLISH, city=True),
    Verb.ARCHIVE: Rule(P.PRACTICE_PUBLISH, city=True),
}

# While it is in one of these states, its reviewers and the texts under review are each other's business.
UNDER_REVIEW = frozenset({S.SUBMITTED, S.UNDER_REVIEW, S.CHANGES_REQUESTED, S.ACCEPTED})
_ALIVE = (S.DRAFT, S.SUBMITTED, S.UNDER_REVIEW, S.CHANGES_REQUESTED, S.ACCEPTED, S.PUBLISHED)

# verb → state it starts from → state it leads to. What is not here is refused.
STEPS: dict[Verb, dict[PracticeStatus, PracticeStatus]] = {
    Verb.REVISE: {state: state for state in (S.DRAFT, S.CHANGES_REQUESTED, S.PUBLISHED)},
    Verb.TRANSLATE: {state: state for state in _ALIVE},
    Verb.SUBMIT: {
        S.DRAFT: S.SUBMITTED,
        S.CHANGES_REQUESTED: S.SUBMITTED,
    },  # or back to its reviewers: reviews.reopen
    Verb.ASSIGN_REVIEWER: {S.SUBMITTED: S.UNDER_REVIEW, S.UNDER_REVIEW: S.UNDER_REVIEW},
    Verb.REQUEST_CHANGES: {
        S.SUBMITTED: S.CHANGES_REQUESTED,
        S.UNDER_REVIEW: S.CHANGES_REQUESTED,
        S.ACCEPTED: S.CHANGES_REQUESTED,
    },
    Verb.ACCEPT: {S.UNDER_REVIEW: S.ACCEPTED},
    Verb.PUBLISH: {S.SUBMITTED: S.PUBLISHED, S.UNDER_REVIEW: S.PUBLISHED, S.ACCEPTED: S.PUBLISHED},
    Verb.ARCHIVE: {S.PUBLISHED: S.ARCHIVED},
}

# Before acceptance only the secretariat publishes: its own decision takes the place of the review.
PUBLISHED_BY_CITY = frozenset({S.ACCEPTED})


def step(practice: Practice, verb: Verb) -> PracticeStatus:
    """The state to which the verb leads; refused where the table has none."""
    target = STEPS[verb].get(practice.status)
    if target is None:
        raise Conflict("This practice is {status}; that does not allow this step.", status=practice.status.value)
    return target


def settle(practice: Practice, now: datetime, written: Written | None = None) -> None:
    """Derive what depends on other fields. Every service ends with this, and nothing else sets these."""
    visible_at = {
        Visibility.PUBLIC: practice.published_at,
        Visibility.EMBARGO: max(filter(None, (practice.published_at, practice.publish_at)), default=None),
    }
    live = practice.status is S.PUBLISHED
    practice.public_from = visible_at.get(practice.visibility) if live else None
    practice.sorted_at = practice.published_at or practice.created_at
    practice.updated_at = now
    if written is not None:
        practice.title_hash, practice.summary_hash = written.title_hash, written.summary_hash


def wider(one: Visibility, other: Visibility) -> bool:
    """Whether more people see what is published under the one than under the other."""
    order = list(Visibility)
    return order.index(one) > order.index(other)


def audience(practice: Practice, now: datetime) -> Audience:
    """Who may read the version that is published now, under the visibility of now. Ask it after `settle`."""
    public = None if practice.public_from is None else max(now, practice.public_from)
    return Audience(None if practice.visibility is Visibility.PRIVATE else now, public)


def visible(practice: Practice, actor: Actor, *, involved: bool, now: datetime | None = None) -> bool:
    """Whether somebody may see it; `involved` = its reviewer or its single-object editor, see `reach.involved`. The
    read of graphql/types.py says the same in SQL, and a test holds both together."""
    if actor.may(Permission.PRACTICE_READ, practice.city_id) or involved:
        return True
    if practice.status is not S.PUBLISHED:
        return False
    at = now or datetime.now(UTC)
    public = practice.public_from is not None and practice.public_from <= at
    return public or (actor.shape.member and practice.visibility is not Visibility.PRIVATE)
