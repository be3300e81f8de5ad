"""The life of a case study as one table: which verb leads where, who may, and what the log says of it; and when whom
it becomes visible.

Binding text: design/domain.md section 5.1 (review and life, visibility). The sides of a practice are its `city`, the
`editor` to whom this one was given, and the city of the `reviewer` who is asked.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from i18n.content.documents import Audience, Written
from practices.cases.facts import Visibility
from practices.cases.models import Practice, PracticeStatus
from wego.core.access import Permission
from wego.core.audit import Event
from wego.core.errors import Conflict, NotAllowed
from wego.core.machine import Life, Step, To, Who, each

S = PracticeStatus
P = Permission
E = Event


class Verb(StrEnum):
    CREATE = "create"
    REVISE = "revise"
    TRANSLATE = "translate"
    RELEASE_TRANSLATION = "release_translation"
    RENAME = "rename"
    DELETE = "delete"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    ASSIGN_REVIEWER = "assign_reviewer"
    REQUEST_CHANGES = "request_changes"
    ACCEPT = "accept"
    PUBLISH = "publish"
    ARCHIVE = "archive"
    RESTORE = "restore"


# While it is in one of these states, its reviewers and the texts under review are each other's business.
UNDER_REVIEW = frozenset({S.SUBMITTED, S.UNDER_REVIEW, S.CHANGES_REQUESTED, S.ACCEPTED})
_ALIVE = UNDER_REVIEW | {S.DRAFT, S.PUBLISHED}
_WRITABLE, _DECIDABLE = {S.DRAFT, S.CHANGES_REQUESTED}, {S.SUBMITTED, S.UNDER_REVIEW, S.ACCEPTED}

WRITERS = Who(P.PRACTICE_WRITE, "city", "editor")
TRANSLATORS = Who(P.PRACTICE_TRANSLATE, "city", "editor")
PUBLISHERS = Who(P.PRACTICE_PUBLISH, "city")
SENDERS, REVIEWERS = Who(P.PRACTICE_SUBMIT, "city"), Who(P.PRACTICE_REVIEW, "reviewer")
ASSIGNERS, OFFICE = Who(P.PRACTICE_ASSIGN), Who(P.PRACTICE_PUBLISH)


def _not_accepted() -> Conflict:
    return Conflict("This practice has not been accepted by a reviewer yet.")


def _not_yours() -> NotAllowed:
    return NotAllowed("Your role does not allow this.")


def _impossible(state: StrEnum) -> Conflict:
    return Conflict("This practice is {status}; that does not allow this step.", status=state)


LIFE: Life[PracticeStatus, Verb] = Life(
    #    from            verb                      to                   who          event
    Step(None,           Verb.CREATE,              S.DRAFT,             WRITERS,     E.PRACTICE_CREATED),
    *each(_WRITABLE,     Verb.REVISE,              To.SAME,             WRITERS,     E.PRACTICE_REVISED),
    # It is live at once, so it takes who may publish besides.
    Step(S.PUBLISHED,    Verb.REVISE,              To.SAME,             WRITERS & PUBLISHERS,
                                                                                     E.PRACTICE_REVISED,
         denied=_not_yours),
    *each(_ALIVE,        Verb.TRANSLATE,           To.SAME,             TRANSLATORS, E.PRACTICE_TRANSLATED),
    *each(_ALIVE,        Verb.RELEASE_TRANSLATION, To.SAME,             PUBLISHERS,  E.PRACTICE_TRANSLATED),
    # Published, its name is in the addresses of others: who publishes answers for it.
    *each(_WRITABLE,     Verb.RENAME,              To.SAME,             WRITERS,     E.PRACTICE_RENAMED),
    Step(S.PUBLISHED,    Verb.RENAME,              To.SAME,             PUBLISHERS,  E.PRACTICE_RENAMED,
         denied=_not_yours),
    # Only what was never handed in: of that, nobody else has ever known.
    Step(S.DRAFT,        Verb.DELETE,              To.GONE,             SENDERS,     E.PRACTICE_DELETED),
    Step(S.DRAFT,        Verb.SUBMIT,              S.SUBMITTED,         SENDERS,     E.PRACTICE_SUBMITTED),
    # Or at once back to the reviewers who asked, see practices/reviews.
    Step(S.CHANGES_REQUESTED, Verb.SUBMIT,         S.SUBMITTED,         SENDERS,     E.PRACTICE_SUBMITTED),
    *each(UNDER_REVIEW,  Verb.WITHDRAW,            S.DRAFT,             SENDERS,     E.PRACTICE_WITHDRAWN),
    Step(S.SUBMITTED,    Verb.ASSIGN_REVIEWER,     S.UNDER_REVIEW,      ASSIGNERS,   E.PRACTICE_REVIEWER_ASSIGNED),
    Step(S.UNDER_REVIEW, Verb.ASSIGN_REVIEWER,     To.SAME,             ASSIGNERS,   E.PRACTICE_REVIEWER_ASSIGNED),
    *each(_DECIDABLE,    Verb.REQUEST_CHANGES,     S.CHANGES_REQUESTED, REVIEWERS,   E.PRACTICE_CHANGES_REQUESTED),
    Step(S.UNDER_REVIEW, Verb.ACCEPT,              S.ACCEPTED,          REVIEWERS,   E.PRACTICE_ACCEPTED),
    # Before acceptance only the secretariat publishes: its own decision takes the place of the review.
    Step(S.SUBMITTED,    Verb.PUBLISH,             S.PUBLISHED,         OFFICE,      E.PRACTICE_PUBLISHED,
         denied=_not_accepted),
    Step(S.UNDER_REVIEW, Verb.PUBLISH,             S.PUBLISHED,         OFFICE,      E.PRACTICE_PUBLISHED,
         denied=_not_accepted),
    Step(S.ACCEPTED,     Verb.PUBLISH,             S.PUBLISHED,         PUBLISHERS,  E.PRACTICE_PUBLISHED),
    Step(S.PUBLISHED,    Verb.ARCHIVE,             S.ARCHIVED,          PUBLISHERS,  E.PRACTICE_ARCHIVED),
    Step(S.ARCHIVED,     Verb.RESTORE,             S.PUBLISHED,         PUBLISHERS,  E.PRACTICE_RESTORED),
    impossible=_impossible,
)  # fmt: skip


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
