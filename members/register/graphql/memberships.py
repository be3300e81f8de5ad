"""How an organisation belongs to the network, and how it came there, as the world may see it.

Binding text: design/domain.md section 5.2. Strangers see a membership from its acceptance on; what came before, and
why something was decided, is for members.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import strawberry

from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, direction_of, text
from members.register.models import LISTED, Body, MembershipKind, MembershipStatus
from members.register.organisations import in_words, known
from wego.core import reads
from wego.core.access import ActorKind, Permission
from wego.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(MembershipKind, description="A `MembershipKind` says as what one belongs to the network.")
reads.vocabulary(MembershipStatus, description="A `MembershipStatus` is the legal state of a membership.")
reads.vocabulary(Body, name="DecidingBody", description="A `DecidingBody` says who decides a step of a membership.")


def named(name: str, declared: Any) -> Any:
    """The declared field under a GraphQL name that Python does not allow."""
    declared.graphql_name = name
    return declared


def _visible_membership(q: Query, t: str) -> str | None:
    return known(q, f"{t}.organisation_id")


def _inside(q: Query, key: str) -> str:
    """Whether the reader is of the organisation or the secretariat; a program is as far as its token lets it read."""
    if q.everywhere(Permission.MEMBERSHIP_READ):
        return "true"
    outside = q.shape.kind is ActorKind.ANONYMOUS or (q.shape.kind is ActorKind.PROGRAM and not q.shape.member)
    return "false" if outside else f"{key} = any({q.own_places()})"


_PUBLIC_STEPS = in_words(LISTED | {MembershipStatus.RESIGNED})


def _visible_step(q: Query, t: str) -> str | None:
    inside = _inside(q, f"{t}.organisation_id")
    if inside == "true":
        return None
    seen = known(q, f"{t}.organisation_id") or "true"
    return f"({inside} or ({seen} and {t}.to_status in ({_PUBLIC_STEPS})))"


def _visible_remark(q: Query, t: str) -> str | None:
    """Why something was decided is for members and for the organisation itself."""
    return None if q.shape.member else _inside(q, f"{t}.organisation_id")


@reads.table("membership_step", visible=_visible_remark)
@strawberry.type(description="A `Remark` is the reason of a decision, in the one language in which it was given.")
class Remark:
    text: str = reads.column("{t}.reason", "This is the text of the reason.")
    locale: LanguageTag = reads.column("{t}.locale", "This is the language in which it is written (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{t}.locale"), "This is the direction in which it is written.")


@reads.vocabulary(description="A `StepActor` says by role who took a step; no person is named.")
class StepActor(Vocabulary):
    CITY = "city", "Somebody of the city took the step."
    SECRETARIAT = "secretariat", "Somebody of the secretariat took the step."
    SYSTEM = "system", "The hub itself took the step, or its operator did."


_REFERENCE = reads.Own(when="{t}.reference <> ''")
_ACTOR = "case when length({t}.actor) <> 36 then 'system' when {t}.body = 'city' then 'city' else 'secretariat' end"


@reads.table("membership_step", visible=_visible_step)
@strawberry.type(description="A `MembershipStep` is one step in the life of a membership; steps are only ever added.")
class MembershipStep:
    at: datetime = reads.column("{t}.at", "This is the moment at which it was taken.")
    from_status: MembershipStatus | None = named(
        "from", reads.column("{t}.from_status", "The state before; null when there was no membership.")
    )
    to_status: MembershipStatus = named("to", reads.column("{t}.to_status", "This is the state since then."))
    body: Body = reads.column("{t}.body", "This says which body decided it.")
    actor: StepActor = reads.column(_ACTOR, "This says by role who took the step; no person is named here.")
    reason: Remark | None = reads.one(
        "{t}.id = {p}.id and {t}.reason <> ''",
        "This is the reason; it is null when none was given, and for readers who are no members.",
    )
    reference: LocalizedText | None = text(
        _REFERENCE, "{t}.reference", "This says in which document the decision stands; it is null when none was named."
    )
    assumed: bool = reads.column(
        "{t}.assumed",
        "This says whether it was made up for a demonstration: nobody took this decision, or nobody "
        "knows on which day.",
    )


TIMELINE = "{t}.at, {t}.id"
_LAST_ASSUMED = (
    "coalesce((select s.assumed from membership_step s where s.organisation_id = {t}.organisation_id"
    " order by s.at desc, s.id desc limit 1), false)"
)


@reads.table("membership", visible=_visible_membership, key="organisation_id")
@strawberry.type(description="A `Membership` says how an organisation belongs to the network now.")
class Membership:
    kind: MembershipKind = reads.column("{t}.kind", "This says as what it belongs to the network.")
    status: MembershipStatus = reads.column("{t}.status", "This is its legal state.")
    since: datetime = reads.column("{t}.since", "This is the moment at which the present state began.")
    ends_on: date | None = reads.column(
        "{t}.ends_on",
        "This is the day on which the notice period of a resignation is over; it is null while there is none.",
    )
    assumed: bool = reads.column(
        _LAST_ASSUMED, "This says whether the step that led to the present state was made up for a demonstration."
    )
    timeline: list[MembershipStep] = reads.many(
        "{t}.organisation_id = {p}.organisation_id",
        "These are the steps by which it came here, the oldest first.",
        order=TIMELINE,
    )
