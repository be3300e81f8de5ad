"""The life of a membership as one table: which verb leads where, who may, and who decides.

Binding text: design/domain.md section 5.2, with the wording of WeGO's rules of 2014 and 2018 (section 1.2).
Every verb is open to the offices of the secretariat that have its permission; those with `own_city` also to a
post in the city itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from members.register.models import ACTIVE, Body, MembershipKind, MembershipStatus
from wego.core.access import Permission
from wego.core.audit import Event

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
class Rule:
    """What a verb asks of its caller, in every state. The first of `bodies` is meant when none is named."""

    permission: Permission
    own_city: bool  # a post in the city itself is enough
    event: Event
    bodies: tuple[Body, ...]
    reason: bool = False  # must be given
    reference: bool = False  # to the decision, must be given


RULES: dict[Verb, Rule] = {
    # verb                  permission            own city  event                         who decides
    Verb.APPLY:       Rule(P.MEMBERSHIP_APPLY,    True,  Event.APPLICATION_DRAFTED,   (Body.CITY,)),
    Verb.SUBMIT:      Rule(P.MEMBERSHIP_APPLY,    True,  Event.APPLICATION_SUBMITTED, (Body.CITY,)),
    Verb.WITHDRAW:    Rule(P.MEMBERSHIP_APPLY,    True,  Event.APPLICATION_WITHDRAWN, (Body.CITY,)),
    Verb.START_CHECK: Rule(P.MEMBERSHIP_CHECK,    False, Event.APPLICATION_CHECKED,   (Body.SECRETARIAT,)),
    Verb.REQUEST_CHANGES:
                      Rule(P.MEMBERSHIP_CHECK,    False, Event.APPLICATION_CHANGES_REQUESTED,
                           (Body.SECRETARIAT,)),
    Verb.ACCEPT:      Rule(P.MEMBERSHIP_DECIDE,   False, Event.APPLICATION_ACCEPTED,  (Body.SECRETARIAT,)),
    Verb.DECLINE:     Rule(P.MEMBERSHIP_DECIDE,   False, Event.APPLICATION_DECLINED,
                           (Body.SECRETARIAT, _EXECUTIVE, _ASSEMBLY), reason=True),
    Verb.ADMIT:       Rule(P.MEMBERSHIP_DECIDE,   False, Event.MEMBER_ADMITTED,
                           (_EXECUTIVE, _ASSEMBLY), reference=True),
    Verb.SUSPEND:     Rule(P.MEMBERSHIP_SUSPEND,  False, Event.MEMBER_SUSPENDED,
                           (_EXECUTIVE, _ASSEMBLY), reason=True),
    Verb.REINSTATE:   Rule(P.MEMBERSHIP_SUSPEND,  False, Event.MEMBER_REINSTATED, (_EXECUTIVE, _ASSEMBLY)),
    Verb.RESIGN:      Rule(P.MEMBERSHIP_LEAVE,    True,  Event.MEMBER_RESIGNING, (Body.CITY,), reason=True),
    Verb.END_NOTICE:  Rule(P.MEMBERSHIP_SUSPEND,  False, Event.MEMBER_RESIGNED,       (Body.SYSTEM,)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: from `source` (None: no membership yet) to `target` (None: back to the state before the hold).

    `via` is a step that is told in between: who decides on what was just submitted has begun to check it.
    `kinds` and `bodies` narrow the row; empty means all, or those of the rule.
    """

    source: MembershipStatus | None
    verb: Verb
    target: MembershipStatus | None
    via: MembershipStatus | None = None
    kinds: frozenset[MembershipKind] = frozenset(MembershipKind)
    bodies: tuple[Body, ...] = ()


_CITY = frozenset({MembershipKind.CITY})
_FRIENDSHIP, _CORPORATE = frozenset({MembershipKind.FRIENDSHIP}), frozenset({MembershipKind.CORPORATE})
_CHECK, _EXCOM = S.UNDER_CHECK, (_EXECUTIVE,)

TRANSITIONS: tuple[Transition, ...] = (
    # from                   verb                  to
    Transition(None,                Verb.APPLY, S.APPLICATION_DRAFT),
    Transition(S.APPLICATION_DRAFT, Verb.APPLY, S.APPLICATION_DRAFT),
    Transition(S.CHANGES_REQUESTED, Verb.APPLY, S.CHANGES_REQUESTED),
    Transition(S.RESIGNED,          Verb.APPLY, S.APPLICATION_DRAFT),
    Transition(S.DECLINED,          Verb.APPLY, S.APPLICATION_DRAFT),
    Transition(S.WITHDRAWN,         Verb.APPLY, S.APPLICATION_DRAFT),
    Transition(S.APPLICATION_DRAFT, Verb.SUBMIT, S.SUBMITTED),
    Transition(S.CHANGES_REQUESTED, Verb.SUBMIT, S.SUBMITTED),
    Transition(S.APPLICATION_DRAFT, Verb.WITHDRAW, S.WITHDRAWN),
    Transition(S.SUBMITTED,         Verb.WITHDRAW, S.WITHDRAWN),
    Transition(S.UNDER_CHECK,       Verb.WITHDRAW, S.WITHDRAWN),
    Transition(S.CHANGES_REQUESTED, Verb.WITHDRAW, S.WITHDRAWN),
    Transition(S.SUBMITTED,         Verb.START_CHECK, S.UNDER_CHECK),
    Transition(S.SUBMITTED,         Verb.REQUEST_CHANGES, S.CHANGES_REQUESTED, via=_CHECK),
    Transition(S.UNDER_CHECK,       Verb.REQUEST_CHANGES, S.CHANGES_REQUESTED),
    Transition(S.SUBMITTED,         Verb.ACCEPT, S.ASSOCIATE, via=_CHECK, kinds=_CITY),
    Transition(S.UNDER_CHECK,       Verb.ACCEPT, S.ASSOCIATE, kinds=_CITY),
    Transition(S.SUBMITTED,         Verb.DECLINE, S.DECLINED, via=_CHECK),
    Transition(S.UNDER_CHECK,       Verb.DECLINE, S.DECLINED),
    Transition(S.ASSOCIATE,         Verb.DECLINE, S.DECLINED, bodies=(_EXECUTIVE, _ASSEMBLY)),
    Transition(S.ASSOCIATE,         Verb.ADMIT, S.FULL, kinds=_CITY),
    Transition(S.SUBMITTED,         Verb.ADMIT, S.FRIENDSHIP, via=_CHECK, kinds=_FRIENDSHIP, bodies=_EXCOM),
    Transition(S.UNDER_CHECK,       Verb.ADMIT, S.FRIENDSHIP, kinds=_FRIENDSHIP, bodies=_EXCOM),
    Transition(S.SUBMITTED,         Verb.ADMIT, S.CORPORATE, via=_CHECK, kinds=_CORPORATE, bodies=_EXCOM),
    Transition(S.UNDER_CHECK,       Verb.ADMIT, S.CORPORATE, kinds=_CORPORATE, bodies=_EXCOM),
    *(Transition(state, Verb.SUSPEND, S.SUSPENDED) for state in sorted(ACTIVE)),
    Transition(S.SUSPENDED,         Verb.REINSTATE, None),
    *(Transition(state, Verb.RESIGN, S.RESIGNING) for state in sorted(ACTIVE - {S.RESIGNING})),
    Transition(S.RESIGNING,         Verb.END_NOTICE, S.RESIGNED),
    Transition(S.SUSPENDED,         Verb.END_NOTICE, S.RESIGNED),  # suspended while its notice ran
)  # fmt: skip

# An application in one of these states is still to be decided.
PENDING = frozenset({S.APPLICATION_DRAFT, S.SUBMITTED, S.UNDER_CHECK, S.CHANGES_REQUESTED})


def transition(source: MembershipStatus | None, verb: Verb, kind: MembershipKind) -> Transition | None:
    """The row of the table, or None when the verb is not possible in this state."""
    for row in TRANSITIONS:
        if row.source is source and row.verb is verb and kind in row.kinds:
            return row
    return None
