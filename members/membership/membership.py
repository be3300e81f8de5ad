"""The verbs of a membership: each takes one step of the table in `states.py`, and tells it.

Binding text: design/domain.md section 5.2; notice period of UCLG-MEWA article 16 (six months).
Every step locks the membership's row first, so that of two who decide at once one succeeds and the other is
told the state as it is now. A step writes membership, timeline, log and epoch of access.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from i18n.language import locales
from members.membership import applications
from members.membership.applications import ApplicationForm, Requested
from members.membership.models import Application
from members.membership.states import LIFE, PENDING, Terms, Verb
from members.people.people import touch_access
from members.register.models import (
    MEMBERSHIP_OF,
    Body,
    Membership,
    MembershipKind,
    MembershipStatus,
    MembershipStep,
    Organisation,
)
from members.register.organisations import subject_of
from wego.core import audit, machine, reads
from wego.core.access import Actor
from wego.core.audit import Event, Happening
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotAllowed, Refusal
from wego.core.forms import Form, found

NOTICE_MONTHS = 6
ANSWER_MONTHS = 3  # to answer what the secretariat asked to be changed; until the statute says another time
REASON_LIMIT, REFERENCE_LIMIT, BATCH_LIMIT = 4_000, 500, 100


@dataclass(frozen=True, slots=True)
class Decision:
    """Why, by which body (None: the one that the rule names first) and where it is written down."""

    reason: str = ""
    reference: str = ""
    body: Body | None = None
    locale: str = "en"


NO_WORDS = Decision()
_BODIES = frozenset(Body) - {Body.CITY, Body.SECRETARIAT, Body.SYSTEM}  # those for which somebody else writes it down
_UNDER = {row.event: row.who.permission for row in LIFE.steps}
CHECKING = Decision(body=Body.SECRETARIAT)  # of a check that began with the decision about it


@dataclass(frozen=True, slots=True)
class Step:
    """A locked membership, its state, the row of the table that leads on from there, and the moment."""

    organisation: Organisation
    membership: Membership
    source: MembershipStatus | None
    row: machine.Step[MembershipStatus, Verb]
    at: datetime


async def apply(
    db: Session, actor: Actor, key: UUID, form: ApplicationForm, *, now: datetime | None = None
) -> Application:
    """Begin an application or change its draft; also again, after an earlier one ended."""
    await _require(db, actor, Verb.APPLY, key)
    at = now or datetime.now(UTC)
    organisation = found(await db.get(Organisation, key))
    kind = _kind_for(organisation, form.kind)
    created = await _begin(db, key, kind, at)
    membership = await locked(db, key)
    before = None if created else membership.status
    row = LIFE.possible(None if created else membership, Verb.APPLY)
    target = row.reached() if row else None
    if row is None or target is None:
        raise LIFE.impossible(membership)
    membership.kind = kind
    application = await applications.save(db, key, replace(form, kind=kind), target, at)
    if before is target:
        await _tell(db, actor, [_happening(Event.APPLICATION_DRAFTED, organisation, application.id)])
    else:
        membership.ends_on = None
        await _take(db, actor, Step(organisation, membership, before, row, at))
    return application


def _kind_for(organisation: Organisation, asked: MembershipKind | None) -> MembershipKind:
    """As what an organisation belongs: that follows from what it is."""
    kind = MEMBERSHIP_OF.get(organisation.kind)
    if kind is None:
        raise Conflict("An organisation of this kind does not apply for membership: {kind}.", kind=organisation.kind)
    if asked not in (None, kind):
        raise Invalid(
            "An organisation of the kind {kind} belongs as {membership}.",
            path=("input", "kind"),
            kind=organisation.kind,
            membership=kind,
        )
    return kind


async def submit(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Membership:
    """Hand in a complete application."""
    step = await _ready(db, actor, Verb.SUBMIT, key, now)
    application = found(await applications.open_of(db, key))
    await applications.require_complete(db, application)
    return await _take(db, actor, step)


async def start_check(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Membership:
    """Take a submitted application into hand."""
    step = await _ready(db, actor, Verb.START_CHECK, key, now)
    return await _take(db, actor, step)


async def request_changes(
    db: Session,
    actor: Actor,
    key: UUID,
    requested: Sequence[Requested],
    decision: Decision = NO_WORDS,
    *,
    now: datetime | None = None,
) -> Membership:
    """Send an application back, with the list of what is missing or has to be changed."""
    step = await _ready(db, actor, Verb.REQUEST_CHANGES, key, now)
    changes = applications.checked_requests(requested)
    decision = _checked(decision, step.row)
    application = found(await applications.open_of(db, key))
    application.requested_changes = [{**change, "locale": decision.locale} for change in changes]
    notes = [f"{change['item']}: {change['note']}" if change["note"] else change["item"] for change in changes]
    told = decision if decision.reason else replace(decision, reason="\n".join(notes))
    return await _take(db, actor, step, told)


async def accept(
    db: Session, actor: Actor, key: UUID, decision: Decision = NO_WORDS, *, now: datetime | None = None
) -> Membership:
    """Accept the application of a city as complete: it is an associate from now on."""
    step = await _ready(db, actor, Verb.ACCEPT, key, now)
    await applications.require_complete(db, found(await applications.open_of(db, key)))
    return await _take(db, actor, step, decision)


async def decline(
    db: Session, actor: Actor, key: UUID, decision: Decision, *, now: datetime | None = None
) -> Membership:
    """Decline an application, or an associate whom the body did not approve. The reason is mandatory. What was sent
    back and never answered can be declined once the time to answer it is over."""
    step = await _ready(db, actor, Verb.DECLINE, key, now)
    if step.source is MembershipStatus.CHANGES_REQUESTED:
        until = months_after(step.membership.since.date(), ANSWER_MONTHS)
        if step.at.date() <= until:
            raise Conflict("There is time until {date} to answer what was asked.", date=until.isoformat())
    return await _take(db, actor, step, decision)


async def withdraw(
    db: Session, actor: Actor, key: UUID, decision: Decision = NO_WORDS, *, now: datetime | None = None
) -> Membership:
    """Take an application back, at any time before it is decided."""
    step = await _ready(db, actor, Verb.WITHDRAW, key, now)
    return await _take(db, actor, step, decision)


async def admit(
    db: Session, actor: Actor, keys: Sequence[UUID], decision: Decision, *, now: datetime | None = None
) -> list[Membership]:
    """Record the body's decision that admits one organisation or several at once: all of them, or none."""
    LIFE.require(actor, Verb.ADMIT)
    if not 0 < len(set(keys)) <= BATCH_LIMIT:
        raise Invalid(
            "Name at least one organisation and at most {limit}.", path=("input", "cities"), limit=BATCH_LIMIT
        )
    form, ready = Form(), []
    for key in sorted(set(keys)):  # one order of locking, so that two batches never wait for each other
        try:
            step = await _ready(db, actor, Verb.ADMIT, key, now)
            _checked(decision, step.row)
            ready.append(step)
        except Refusal as refusal:
            for one in refusal.each:
                one.path = one.path or ("input", "cities", list(keys).index(key))
                form.refuse(one)
    form.settle()
    return [await _take(db, actor, step, decision) for step in ready]


async def suspend(
    db: Session, actor: Actor, key: UUID, decision: Decision, *, now: datetime | None = None
) -> Membership:
    """Suspend a member: its people and programs lose the rights of members at once. Needs a reason."""
    step = await _ready(db, actor, Verb.SUSPEND, key, now)
    return await _take(db, actor, step, decision)


async def reinstate(
    db: Session, actor: Actor, key: UUID, decision: Decision = NO_WORDS, *, now: datetime | None = None
) -> Membership:
    """Lift a suspension: the member is again what it was. Tokens from before stay refused."""
    step = await _ready(db, actor, Verb.REINSTATE, key, now)
    step.membership.not_before = step.at
    return await _take(db, actor, step, decision)


async def resign(
    db: Session, actor: Actor, key: UUID, decision: Decision, *, now: datetime | None = None
) -> Membership:
    """Give written notice (the reason). The member stays one until the notice period is over."""
    step = await _ready(db, actor, Verb.RESIGN, key, now)
    step.membership.ends_on = months_after(step.at.date(), NOTICE_MONTHS)
    return await _take(db, actor, step, decision)


async def end_notice(db: Session, actor: Actor, key: UUID, *, now: datetime | None = None) -> Membership:
    """End a membership whose notice period is over."""
    step = await _ready(db, actor, Verb.END_NOTICE, key, now)
    ends_on = step.membership.ends_on
    if ends_on is None:
        raise _impossible(step.membership, Verb.END_NOTICE)
    if ends_on > step.at.date():
        raise Conflict("The notice runs until {date}.", date=ends_on.isoformat())
    return await _take(db, actor, step)


def months_after(day: date, months: int) -> date:
    """The same day some months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


async def locked(db: Session, key: UUID) -> Membership:
    """The membership as it is now, locked until the end of the transaction."""
    query = select(Membership).where(col(Membership.organisation_id) == key).with_for_update()
    result = await db.execute(query.execution_options(populate_existing=True))
    membership = result.scalar_one_or_none()
    if membership is None:
        raise Conflict("This organisation has not applied for membership.")
    return membership


async def _begin(db: Session, key: UUID, kind: MembershipKind, at: datetime) -> bool:
    """Make the membership of an organisation that has none; False when it has one."""
    values = {
        "organisation_id": key,
        "kind": kind,
        "status": MembershipStatus.APPLICATION_DRAFT,
        "since": at,
    }
    query = insert(Membership).values(**values, not_before=at).on_conflict_do_nothing()
    return (await db.execute(query.returning(col(Membership.organisation_id)))).first() is not None


async def _require(db: Session, actor: Actor, verb: Verb, key: UUID) -> None:
    """May the actor? Who may not even know the organisation learns nothing more."""
    try:
        LIFE.require(actor, verb, {"member": key})
    except NotAllowed:
        await reads.locate(db, actor, Organisation, key)
        raise


async def _ready(db: Session, actor: Actor, verb: Verb, key: UUID, now: datetime | None) -> Step:
    """Lock the membership and find the row of the table that the verb takes from its present state."""
    await _require(db, actor, verb, key)
    organisation = found(await db.get(Organisation, key))
    membership = await locked(db, key)
    row = LIFE.possible(membership, verb)
    if row is None:
        raise _impossible(membership, verb)
    return Step(organisation, membership, membership.status, row, now or datetime.now(UTC))


def _impossible(membership: Membership, verb: Verb) -> Refusal:
    state, kind = membership.status, membership.kind
    if verb is Verb.ACCEPT and membership.status in PENDING and membership.kind is not MembershipKind.CITY:
        return Conflict(
            "The executive committee confirms a membership of kind {kind}; its state is {state}.",
            kind=kind,
            state=state,
        )
    return LIFE.impossible(membership)


def _checked(decision: Decision, row: machine.Step[MembershipStatus, Verb]) -> Decision:
    """The decision with its body, or all that is wrong with it."""
    terms: Terms = row.terms
    form, bodies = Form(), terms.bodies
    if decision.body is None and (terms.usual or bodies[0]) not in bodies:
        # Who meant the usual body, such as the slower of two officers, has not decided this.
        raise Conflict(
            "The state of this membership is {state}: name the body that decided.",
            state=row.source.value if row.source else "none",
        )
    if decision.body is not None and decision.body not in bodies:
        form.refuse(
            Invalid(
                "This body does not decide this step: {body}.",
                path=("input", "body"),
                body=decision.body.value,
            )
        )
    checked = Decision(
        form.text(decision.reason, "input", "reason", limit=REASON_LIMIT, required=terms.reason, lines=True),
        form.text(decision.reference, "input", "reference", limit=REFERENCE_LIMIT, required=terms.reference),
        decision.body or bodies[0],
        locales.asked(form, decision.locale, "input", "locale"),
    )
    form.settle()
    return checked


async def _take(db: Session, actor: Actor, step: Step, decision: Decision = NO_WORDS) -> Membership:
    """Take the step, with `via` in two, and tell it to all who have to know."""
    said = _checked(decision, step.row)
    membership, verb = step.membership, step.row.verb
    target = step.row.reached(membership.before_hold)
    if target is None:
        raise _impossible(membership, verb)
    application = await _follow(db, step, target)
    first = LIFE.possible(membership, step.row.via) if step.row.via else None
    between = first.reached() if first else None
    told = [(first.event, step.source, between, CHECKING)] if first and between else []
    told.append((step.row.event, between or step.source, target, said))
    for _, source, reached, words in told:
        db.add(_timeline(step, actor, source, reached, words))
        await db.flush()  # one by one: the keys of the timeline keep the order of the steps
    membership.before_hold = step.source if verb is Verb.SUSPEND else None
    membership.status, membership.since = target, step.at
    await db.flush()
    await touch_access(db)
    happenings = [
        _happening(event, step.organisation, application, source, reached, words)
        for event, source, reached, words in told
    ]
    await _tell(db, actor, happenings)
    return membership


async def _follow(db: Session, step: Step, target: MembershipStatus) -> UUID | None:
    """The open application goes along with the membership, and is kept once it is decided."""
    application = await applications.open_of(db, step.membership.organisation_id)
    if application is None:
        return None
    application.status = target
    if target is MembershipStatus.SUBMITTED:
        application.submitted_at, application.requested_changes = step.at, []
    if target not in PENDING:
        application.decided_at = step.at
    return application.id


def _timeline(
    step: Step, actor: Actor, source: MembershipStatus | None, target: MembershipStatus, said: Decision
) -> MembershipStep:
    return MembershipStep(
        organisation_id=step.membership.organisation_id,
        at=step.at,
        from_status=source,
        to_status=target,
        body=said.body or Body.SYSTEM,
        actor=actor.subject,
        reason=said.reason,
        reference=said.reference,
        locale=said.locale,
    )


def _happening(
    event: Event,
    organisation: Organisation,
    application_id: UUID | None,
    source: MembershipStatus | None = None,
    target: MembershipStatus | None = None,
    said: Decision = NO_WORDS,
) -> Happening:
    """What the log tells of a step: ids and codes, without what is empty; reasons are words, which can be erased."""
    facts = {
        "application": str(application_id) if application_id else None,
        "body": said.body.value if said.body else None,
    }
    told = {name: value for name, value in facts.items() if value}
    return Happening(
        event, subject_of(organisation), organisation.id, told,
        words={"reason": said.reason, "reference": said.reference},
        decided={"status": (source.value if source else None, target.value)} if target else {},
        place=organisation.id, under=_UNDER.get(event), body=said.body.value if said.body in _BODIES else "",
    )  # fmt: skip


async def _tell(db: Session, actor: Actor, happenings: Sequence[Happening]) -> None:
    await audit.record_all(db, actor, happenings)
