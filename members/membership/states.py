"""The life of a membership as one table: which verb leads where, who may, and who decides.

Binding text: design/domain.md section 5.2, with the wording of WeGO's rules of 2014 and 2018 (section 1.2).
Every verb is open to the offices of the secretariat that have its permission; some also to a post in the `member`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from members.register.models import ACTIVE, Body, Membership, MembershipKind, MembershipStatus
from wego.core.access import Permission
from wego.core.audit import Event
from wego.core.errors import Conflict
from wego.core.machine import Life, Step, To, Who, each

S = MembershipStatus
P = Permission
_EXECUTIVE, _ASSEMBLY = Body.EXECUTIVE_COMMITTEE, Body.GENERAL_ASSEMBLY


class Verb(StrEnum):
    APPLY = "apply"
    SUBMIT = "submit"
    START_CHECK = "start_check"
    REQUEST_CHANGES = "request_changes"
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    ADMIT = "admit"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    RESIGN = "resign"
    END_NOTICE = "end_notice"


@dataclass(frozen=True, slots=True)
class Terms:
    """Which bodies decide a step, and what has to be said. The `usual` one (else the first) is meant where none is
    named."""

    bodies: tuple[Body, ...]
    reason: bool = False  # must be given
    reference: bool = False  # to the decision, must be given
    usual: Body | None = None


APPLICANT, LEAVER = Who(P.MEMBERSHIP_APPLY, "member"), Who(P.MEMBERSHIP_LEAVE, "member")
CHECKERS, DECIDERS, HOLDERS = Who(P.MEMBERSHIP_CHECK), Who(P.MEMBERSHIP_DECIDE), Who(P.MEMBERSHIP_SUSPEND)

_MEMBER, _OFFICE = Terms((Body.CITY,)), Terms((Body.SECRETARIAT,))
_DECLINED = Terms((Body.SECRETARIAT, _EXECUTIVE, _ASSEMBLY), reason=True)
_DECLINED_LATER = Terms((_EXECUTIVE, _ASSEMBLY), reason=True, usual=Body.SECRETARIAT)
_ADMITTED, _CONFIRMED = Terms((_EXECUTIVE, _ASSEMBLY), reference=True), Terms((_EXECUTIVE,), reference=True)
_HELD, _LIFTED = Terms((_EXECUTIVE, _ASSEMBLY), reason=True), Terms((_EXECUTIVE, _ASSEMBLY))
_LEFT, _BY_CLOCK = Terms((Body.CITY,), reason=True), Terms((Body.SYSTEM,))


def _of(kind: MembershipKind) -> Callable[[Membership], bool]:
    return lambda membership: membership.kind is kind


_CITY, _FRIEND, _COMPANY = _of(MembershipKind.CITY), _of(MembershipKind.FRIENDSHIP), _of(MembershipKind.CORPORATE)
_DRAFTS, _ENDED = {S.APPLICATION_DRAFT, S.CHANGES_REQUESTED}, {S.RESIGNED, S.DECLINED, S.WITHDRAWN}
_OPEN = _DRAFTS | {S.SUBMITTED, S.UNDER_CHECK}
_LEAVING = {S.RESIGNING, S.SUSPENDED}  # a member may be suspended while its notice runs
E, V = Event, Verb

LIFE: Life[MembershipStatus, Verb] = Life(
    #    from           verb                to                     who        event
    Step(None,          V.APPLY,            S.APPLICATION_DRAFT,   APPLICANT, E.APPLICATION_DRAFTED, terms=_MEMBER),
    *each(_DRAFTS,      V.APPLY,            To.SAME,               APPLICANT, E.APPLICATION_DRAFTED, terms=_MEMBER),
    *each(_ENDED,       V.APPLY,            S.APPLICATION_DRAFT,   APPLICANT, E.APPLICATION_DRAFTED, terms=_MEMBER),
    *each(_DRAFTS,      V.SUBMIT,           S.SUBMITTED,           APPLICANT, E.APPLICATION_SUBMITTED, terms=_MEMBER),
    *each(_OPEN,        V.WITHDRAW,         S.WITHDRAWN,           APPLICANT, E.APPLICATION_WITHDRAWN, terms=_MEMBER),
    # Who decides on what was just submitted has begun to check it: `via` tells that first.
    Step(S.SUBMITTED,   V.START_CHECK,      S.UNDER_CHECK,         CHECKERS,  E.APPLICATION_CHECKED, terms=_OFFICE),
    Step(S.SUBMITTED,   V.REQUEST_CHANGES,  S.CHANGES_REQUESTED,   CHECKERS,  E.APPLICATION_CHANGES_REQUESTED,
         terms=_OFFICE, via=V.START_CHECK),
    Step(S.UNDER_CHECK, V.REQUEST_CHANGES,  S.CHANGES_REQUESTED,   CHECKERS,  E.APPLICATION_CHANGES_REQUESTED,
         terms=_OFFICE),
    Step(S.SUBMITTED,   V.ACCEPT,           S.ASSOCIATE,           DECIDERS,  E.APPLICATION_ACCEPTED,
         terms=_OFFICE, via=V.START_CHECK, when=_CITY),
    Step(S.UNDER_CHECK, V.ACCEPT,           S.ASSOCIATE,           DECIDERS,  E.APPLICATION_ACCEPTED,
         terms=_OFFICE, when=_CITY),
    Step(S.SUBMITTED,   V.DECLINE,          S.DECLINED,            DECIDERS,  E.APPLICATION_DECLINED,
         terms=_DECLINED, via=V.START_CHECK),
    Step(S.UNDER_CHECK, V.DECLINE,          S.DECLINED,            DECIDERS,  E.APPLICATION_DECLINED, terms=_DECLINED),
    # Once the time to answer what was asked is over; the verb looks at the clock.
    Step(S.CHANGES_REQUESTED, V.DECLINE,    S.DECLINED,            DECIDERS,  E.APPLICATION_DECLINED, terms=_DECLINED),
    Step(S.ASSOCIATE,   V.DECLINE,          S.DECLINED,            DECIDERS,  E.APPLICATION_DECLINED,
         terms=_DECLINED_LATER),
    Step(S.ASSOCIATE,   V.ADMIT,            S.FULL,                DECIDERS,  E.MEMBER_ADMITTED,
         terms=_ADMITTED, when=_CITY),
    Step(S.SUBMITTED,   V.ADMIT,            S.FRIENDSHIP,          DECIDERS,  E.MEMBER_ADMITTED,
         terms=_CONFIRMED, via=V.START_CHECK, when=_FRIEND),
    Step(S.UNDER_CHECK, V.ADMIT,            S.FRIENDSHIP,          DECIDERS,  E.MEMBER_ADMITTED,
         terms=_CONFIRMED, when=_FRIEND),
    Step(S.SUBMITTED,   V.ADMIT,            S.CORPORATE,           DECIDERS,  E.MEMBER_ADMITTED,
         terms=_CONFIRMED, via=V.START_CHECK, when=_COMPANY),
    Step(S.UNDER_CHECK, V.ADMIT,            S.CORPORATE,           DECIDERS,  E.MEMBER_ADMITTED,
         terms=_CONFIRMED, when=_COMPANY),
    *each(ACTIVE,       V.SUSPEND,          S.SUSPENDED,           HOLDERS,   E.MEMBER_SUSPENDED, terms=_HELD),
    Step(S.SUSPENDED,   V.REINSTATE,        To.BACK,               HOLDERS,   E.MEMBER_REINSTATED, terms=_LIFTED),
    *each(ACTIVE - {S.RESIGNING}, V.RESIGN, S.RESIGNING,           LEAVER,    E.MEMBER_RESIGNING, terms=_LEFT),
    *each(_LEAVING,     V.END_NOTICE,       S.RESIGNED,            HOLDERS,   E.MEMBER_RESIGNED, terms=_BY_CLOCK),
    impossible=lambda state: Conflict(
        "The state of this membership is {state}: this step is not possible now.", state=state
    ),
)  # fmt: skip

# An application in one of these states is still to be decided.
PENDING = frozenset({S.APPLICATION_DRAFT, S.SUBMITTED, S.UNDER_CHECK, S.CHANGES_REQUESTED})
