"""The life of a membership: the whole table of states and verbs, who may, what is told, and races."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from members.membership import applications, jobs, membership
from members.membership.applications import ApplicationForm, Item, Requested
from members.membership.membership import Decision
from members.membership.states import LIFE, Verb
from members.people.people import actor_of
from members.register.models import Body, Membership, MembershipKind, MembershipStatus, MembershipStep, Organisation
from wego.core import access, audit
from wego.core.access import GRANTS, HELD_AT, Actor, PlaceKind, Role
from wego.core.db import Database, Session
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Refusal
from wego.core.models import AccessEpoch, AuditEntry, AuditWord

from .conftest import NOW, SYSTEM, write_city, write_person

S, V, K = MembershipStatus, Verb, MembershipKind
WORDS = Decision(reason="Because.", reference="Executive Committee 2026, item 1")


async def perform(
    db: Session, actor: Actor, verb: Verb, city_id: UUID, form: ApplicationForm, decision: Decision = WORDS
) -> Any:
    """Call the verb with everything that it can need."""
    calls: dict[Verb, Callable[[], Awaitable[Any]]] = {
        V.APPLY: lambda: membership.apply(db, actor, city_id, form, now=NOW),
        V.SUBMIT: lambda: membership.submit(db, actor, city_id, now=NOW),
        V.START_CHECK: lambda: membership.start_check(db, actor, city_id, now=NOW),
        V.REQUEST_CHANGES: lambda: membership.request_changes(
            db, actor, city_id, [Requested(Item.SIGNED_FORM, "No date.")], decision, now=NOW
        ),
        V.ACCEPT: lambda: membership.accept(db, actor, city_id, decision, now=NOW),
        V.DECLINE: lambda: membership.decline(db, actor, city_id, decision, now=NOW),
        V.WITHDRAW: lambda: membership.withdraw(db, actor, city_id, decision, now=NOW),
        V.ADMIT: lambda: membership.admit(db, actor, [city_id], decision, now=NOW),
        V.SUSPEND: lambda: membership.suspend(db, actor, city_id, decision, now=NOW),
        V.REINSTATE: lambda: membership.reinstate(db, actor, city_id, decision, now=NOW),
        V.RESIGN: lambda: membership.resign(db, actor, city_id, decision, now=NOW),
        V.END_NOTICE: lambda: membership.end_notice(db, actor, city_id, now=NOW),
    }
    return await calls[verb]()


# ── what a stranger cannot do ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", list(Verb))
async def test_nobody_takes_a_step_without_signing_in(
    db: Session, make_city: Any, form: ApplicationForm, verb: Verb
) -> None:
    city = await make_city(status=S.FULL)
    with pytest.raises(NotSignedIn):
        await perform(db, access.NOBODY, verb, city.id, form)


@pytest.mark.parametrize("verb", list(Verb))
async def test_the_head_of_another_city_takes_no_step_and_does_not_learn_of_an_applicant(
    db: Session, make_city: Any, make_actor: Any, form: ApplicationForm, verb: Verb
) -> None:
    stranger = await make_actor((Role.HEAD, await make_city("elsewhere", S.FULL)))
    member, applicant = await make_city("member", S.FULL), await make_city("applicant", S.SUBMITTED)
    with pytest.raises(NotAllowed):
        await perform(db, stranger, verb, member.id, form)
    hidden = NotAllowed if verb is V.ADMIT else NotFound  # a batch says nothing about its cities
    with pytest.raises(hidden):
        await perform(db, stranger, verb, applicant.id, form)


CITY_VERBS = {V.APPLY, V.SUBMIT, V.WITHDRAW, V.RESIGN}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PROGRAM])
@pytest.mark.parametrize("verb", list(Verb))
async def test_who_may_take_which_step(
    db: Session, make_city: Any, make_actor: Any, form: ApplicationForm, role: Role, verb: Verb
) -> None:
    states = {V.APPLY: S.APPLICATION_DRAFT, V.SUBMIT: S.APPLICATION_DRAFT, V.WITHDRAW: S.SUBMITTED, V.RESIGN: S.FULL,
              V.START_CHECK: S.SUBMITTED, V.REQUEST_CHANGES: S.UNDER_CHECK, V.ACCEPT: S.UNDER_CHECK,
              V.DECLINE: S.UNDER_CHECK, V.ADMIT: S.ASSOCIATE, V.SUSPEND: S.FULL, V.REINSTATE: S.SUSPENDED,
              V.END_NOTICE: S.RESIGNING}  # fmt: skip
    city = await make_city(status=states[verb])
    actor = await make_actor((role, None if role in HELD_AT[PlaceKind.SECRETARIAT] else city))
    may = {
        Role.HEAD: CITY_VERBS,
        Role.CIO: CITY_VERBS - {V.RESIGN},
        Role.OFFICER: set(Verb) - {V.RESIGN},
    }.get(role, set())
    if verb in may:
        await perform(db, actor, verb, city.id, form)
    else:
        with pytest.raises(NotAllowed):
            await perform(db, actor, verb, city.id, form)


def test_the_rules_of_the_table_name_permissions_that_some_role_has() -> None:
    granted = frozenset().union(*GRANTS.values())
    assert {row.who.permission for row in LIFE.steps} <= granted
    assert LIFE.faults() == []


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────

# What may follow on what, written down a second time, by state: verb → new state, for the kind "city".
CITY: dict[MembershipStatus | None, dict[Verb, MembershipStatus]] = {
    None: {V.APPLY: S.APPLICATION_DRAFT},
    S.APPLICATION_DRAFT: {V.APPLY: S.APPLICATION_DRAFT, V.SUBMIT: S.SUBMITTED, V.WITHDRAW: S.WITHDRAWN},
    S.SUBMITTED: {
        V.START_CHECK: S.UNDER_CHECK, V.REQUEST_CHANGES: S.CHANGES_REQUESTED, V.ACCEPT: S.ASSOCIATE,
        V.DECLINE: S.DECLINED, V.WITHDRAW: S.WITHDRAWN,
    },
    S.UNDER_CHECK: {
        V.REQUEST_CHANGES: S.CHANGES_REQUESTED, V.ACCEPT: S.ASSOCIATE, V.DECLINE: S.DECLINED, V.WITHDRAW: S.WITHDRAWN,
    },
    S.CHANGES_REQUESTED: {V.APPLY: S.CHANGES_REQUESTED, V.SUBMIT: S.SUBMITTED, V.WITHDRAW: S.WITHDRAWN},
    S.ASSOCIATE: {V.ADMIT: S.FULL, V.DECLINE: S.DECLINED, V.SUSPEND: S.SUSPENDED, V.RESIGN: S.RESIGNING},
    S.FULL: {V.SUSPEND: S.SUSPENDED, V.RESIGN: S.RESIGNING},
    S.SUSPENDED: {V.REINSTATE: S.FULL},  # ended by the night only when a notice ran
    S.RESIGNING: {V.SUSPEND: S.SUSPENDED, V.END_NOTICE: S.RESIGNED},
    S.RESIGNED: {V.APPLY: S.APPLICATION_DRAFT},
    S.DECLINED: {V.APPLY: S.APPLICATION_DRAFT},
    S.WITHDRAWN: {V.APPLY: S.APPLICATION_DRAFT},
}  # fmt: skip
ENDS = {V.SUSPEND: S.SUSPENDED, V.RESIGN: S.RESIGNING}


def expected(state: MembershipStatus | None, kind: MembershipKind) -> dict[Verb, MembershipStatus] | None:
    """The verbs that are possible; None for a state in which this kind never is."""
    own = {K.FRIENDSHIP: S.FRIENDSHIP, K.CORPORATE: S.CORPORATE}.get(kind)
    if state in (S.FRIENDSHIP, S.CORPORATE):
        return ENDS if state is own else None
    if own is None:
        return CITY[state]
    if state in (S.ASSOCIATE, S.FULL):
        return None
    verbs = {verb: target for verb, target in CITY[state].items() if verb is not V.ACCEPT}
    return verbs | ({V.ADMIT: own} if state in (S.SUBMITTED, S.UNDER_CHECK) else {})


@pytest.mark.parametrize("kind", list(MembershipKind))
@pytest.mark.parametrize("state", [None, *MembershipStatus])
async def test_every_verb_in_every_state_does_what_the_table_says(
    db: Session, form: ApplicationForm, state: MembershipStatus | None, kind: MembershipKind
) -> None:
    possible = expected(state, kind)
    if possible is None:
        return
    for verb in Verb:
        undo = await db.begin_nested()
        city = await write_city(db, "testville", state, kind)
        if verb in possible:
            by_body = state is S.ASSOCIATE and verb is V.DECLINE
            decision = replace(WORDS, body=Body.EXECUTIVE_COMMITTEE if by_body else None)
            await perform(db, SYSTEM, verb, city.id, replace(form, kind=kind), decision)
            after = await db.get(Membership, city.id, populate_existing=True)
            assert after is not None
            assert after.status is possible[verb], verb
        else:
            with pytest.raises(Conflict) as refused:
                await perform(db, SYSTEM, verb, city.id, replace(form, kind=kind))
            if (state, verb) == (S.CHANGES_REQUESTED, V.DECLINE):  # possible, but not before the time is over
                assert "date" in refused.value.params
            elif state is not None:
                assert refused.value.params["state"] == state.value, verb
        await undo.rollback()
        db.expunge_all()


@pytest.mark.parametrize("verb", sorted({row.verb for row in LIFE.steps if row.terms.reason}))
@pytest.mark.parametrize("reason", ["", " \n", "a\x00b", "a\u202eb", "x" * 4001])
async def test_a_reason_that_the_table_demands_is_there_and_readable(
    db: Session, make_city: Any, form: ApplicationForm, verb: Verb, reason: str
) -> None:
    city = await make_city(status=S.UNDER_CHECK if verb is V.DECLINE else S.FULL)
    with pytest.raises(Invalid) as refused:
        await perform(db, SYSTEM, verb, city.id, form, Decision(reason=reason))
    assert refused.value.path == ("input", "reason")


async def test_an_admission_names_the_decision_and_a_body_that_decides(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.ASSOCIATE)
    with pytest.raises(Invalid) as refused:
        await membership.admit(db, SYSTEM, [city.id], Decision(reference=""))
    assert refused.value.path == ("input", "reference")
    with pytest.raises(Invalid) as refused:
        await membership.admit(db, SYSTEM, [city.id], replace(WORDS, body=Body.SECRETARIAT))
    assert refused.value.path == ("input", "body")
    await membership.admit(db, SYSTEM, [city.id], replace(WORDS, body=Body.GENERAL_ASSEMBLY))


async def test_the_assembly_does_not_confirm_friends(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.UNDER_CHECK, kind=K.FRIENDSHIP)
    with pytest.raises(Invalid):
        await membership.admit(db, SYSTEM, [city.id], replace(WORDS, body=Body.GENERAL_ASSEMBLY))
    with pytest.raises(Conflict, match="executive committee"):
        await membership.accept(db, SYSTEM, city.id)


async def test_a_batch_admits_all_or_none(db: Session, make_city: Any) -> None:
    ready = [(await make_city(f"ready-{n}", S.ASSOCIATE)).id for n in range(3)]
    unready = (await make_city("unready", S.SUBMITTED)).id
    with pytest.raises(Conflict) as refused:
        await membership.admit(db, SYSTEM, [ready[0], unready, ready[1]], WORDS)
    assert refused.value.path == ("input", "cities", 1)
    assert (await membership.locked(db, ready[0])).status is S.ASSOCIATE
    admitted = await membership.admit(db, SYSTEM, [*ready, ready[0]], WORDS)
    assert {one.status for one in admitted} == {S.FULL}
    assert len(admitted) == 3
    for wrong in ([], ready * 0):
        with pytest.raises(Invalid):
            await membership.admit(db, SYSTEM, wrong, WORDS)


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────


async def epoch(db: Session) -> int:
    return (await db.execute(select(col(AccessEpoch.seq)))).scalar_one()


async def test_a_step_is_told_in_the_timeline_the_log_and_the_epoch(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    city, officer = await make_city(status=S.FULL), await make_actor((Role.OFFICER, None))
    before = await epoch(db)
    await membership.suspend(db, officer, city.id, Decision("Statute, article 9.", "EXCOM 2026/3"), now=NOW)
    await audit.append(db)
    step = (await db.execute(select(MembershipStep).where(col(MembershipStep.organisation_id) == city.id))).scalar_one()
    told = (await db.execute(select(AuditEntry).where(col(AuditEntry.subject_id) == city.id))).scalar_one()
    assert (step.from_status, step.to_status, step.body) == (S.FULL, S.SUSPENDED, Body.EXECUTIVE_COMMITTEE)
    assert (step.reason, step.reference, step.actor) == ("Statute, article 9.", "EXCOM 2026/3", officer.subject)
    assert (told.event, told.actor) == ("member.suspended", officer.subject)
    assert told.facts == {"body": "executive_committee"}
    assert told.decided == {"status": {"before": "full", "after": "suspended"}}
    assert told.acting == {
        "kind": "person", "role": "officer", "means": "api", "for": {"kind": "body", "id": "executive_committee"},
    }  # fmt: skip
    assert told.place_id == city.id
    words = (await db.execute(select(AuditWord).where(col(AuditWord.entry) == told.index))).scalars()
    assert {word.field: word.text for word in words} == {"reason": "Statute, article 9.", "reference": "EXCOM 2026/3"}
    assert await epoch(db) == before + 1
    assert (await audit.verify(db)).faults == ()


async def test_deciding_what_was_just_submitted_tells_the_check_as_well(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.SUBMITTED)
    await membership.accept(db, SYSTEM, city.id, now=NOW)
    await audit.append(db)
    query = select(MembershipStep).order_by(col(MembershipStep.at), col(MembershipStep.id))
    steps = (await db.execute(query)).scalars().all()
    assert [(step.from_status, step.to_status) for step in steps] == [
        (S.SUBMITTED, S.UNDER_CHECK),
        (S.UNDER_CHECK, S.ASSOCIATE),
    ]
    events = (await db.execute(select(col(AuditEntry.event)).order_by(col(AuditEntry.index)))).scalars().all()
    assert events == ["application.check_started", "application.accepted"]


async def test_a_suspended_member_returns_to_what_it_was_and_its_old_tokens_do_not(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    city = await make_city(status=S.ASSOCIATE)
    cio = await make_actor((Role.CIO, city))
    assert cio.posts[0].active
    await membership.suspend(db, SYSTEM, city.id, WORDS, now=NOW)
    assert cio.person_id is not None
    held = await actor_of(db, cio.person_id)
    assert not held.posts[0].active
    assert not held.may(access.Permission.PRACTICE_WRITE, city.id)
    assert held.may(access.Permission.MEMBERSHIP_READ, city.id)
    later = NOW + timedelta(days=30)
    back = await membership.reinstate(db, SYSTEM, city.id, now=later)
    assert (back.status, back.before_hold, back.not_before) == (S.ASSOCIATE, None, later)
    assert (await actor_of(db, cio.person_id)).posts[0].active


async def test_an_application_goes_its_whole_way_and_again(db: Session, make_city: Any, form: ApplicationForm) -> None:
    city = await make_city()
    first = await membership.apply(db, SYSTEM, city.id, form, now=NOW)
    await membership.submit(db, SYSTEM, city.id, now=NOW)
    await membership.request_changes(db, SYSTEM, city.id, [Requested(Item.OFFICIAL_LETTER, "Please.")], now=NOW)
    with pytest.raises(Invalid) as refused:  # the letter is necessary now
        await membership.submit(db, SYSTEM, city.id, now=NOW)
    assert refused.value.path == ("input", "officialLetter")
    same = await membership.apply(db, SYSTEM, city.id, replace(form, official_letter=form.signed_form), now=NOW)
    assert same.id == first.id
    await membership.submit(db, SYSTEM, city.id, now=NOW)
    assert (first.requested_changes, first.submitted_at) == ([], NOW)
    await membership.decline(db, SYSTEM, city.id, WORDS, now=NOW)
    assert (first.status, first.decided_at) == (S.DECLINED, NOW)
    second = await membership.apply(db, SYSTEM, city.id, form, now=NOW + timedelta(days=1))
    assert second.id != first.id
    assert (await applications.open_of(db, city.id)) == second


async def test_an_incomplete_application_is_neither_submitted_nor_accepted(
    db: Session, make_city: Any, form: ApplicationForm
) -> None:
    city = await make_city(population=0)
    await membership.apply(db, SYSTEM, city.id, ApplicationForm(), now=NOW)
    with pytest.raises(Refusal) as refused:
        await membership.submit(db, SYSTEM, city.id)
    assert [one.path[1] for one in refused.value.each] == [
        "signedForm", "signatory", "contactName", "motivation", "city",
    ]  # fmt: skip
    await membership.apply(db, SYSTEM, city.id, form)
    with pytest.raises(Invalid) as lacking:
        await membership.submit(db, SYSTEM, city.id)
    assert lacking.value.path == ("input", "city")


# ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_notice_runs_six_months_and_the_night_ends_it(database: Database) -> None:
    async with database.session() as db:
        city = await write_city(db, "leaving", S.FULL)
        head = await write_person(db, (Role.HEAD, city))
        said = datetime(2026, 8, 31, 9, tzinfo=UTC)
        left = await membership.resign(db, head, city.id, Decision("We leave."), now=said)
        assert left.ends_on == date(2027, 2, 28)
        with pytest.raises(Conflict, match="notice runs"):
            await membership.end_notice(db, SYSTEM, city.id, now=datetime(2027, 2, 27, tzinfo=UTC))
    await jobs.end_notices(database, now=datetime(2027, 2, 27, 23, tzinfo=UTC))
    assert await status_of(database, city) is S.RESIGNING
    await jobs.end_notices(database, now=datetime(2027, 2, 28, 1, tzinfo=UTC))
    await jobs.end_notices(database, now=datetime(2027, 3, 1, 1, tzinfo=UTC))
    assert await status_of(database, city) is S.RESIGNED
    async with database.session() as db:
        told = select(func.count()).select_from(AuditEntry).where(col(AuditEntry.event) == "member.resigned")
        assert (await db.execute(told)).scalar_one() == 1


async def test_a_suspension_does_not_stop_a_notice(database: Database) -> None:
    async with database.session() as db:
        city = await write_city(db, "leaving", S.RESIGNING)
        await membership.suspend(db, SYSTEM, city.id, WORDS, now=NOW)
        other = await write_city(db, "staying", S.SUSPENDED)
    await jobs.end_notices(database, now=NOW + timedelta(days=1))
    assert await status_of(database, city) is S.RESIGNED
    assert await status_of(database, other) is S.SUSPENDED


async def status_of(database: Database, city: Organisation) -> MembershipStatus:
    async with database.session() as db:
        found = await db.get(Membership, city.id)
    assert found is not None
    return found.status


# ── races ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def race(database: Database, *calls: Callable[[Session], Awaitable[Any]]) -> list[str]:
    """Run each call in a session of its own at the same time; the codes of what came out."""

    async def one(call: Callable[[Session], Awaitable[Any]]) -> str:
        try:
            async with database.session() as db:
                await call(db)
        except Refusal as refusal:
            return refusal.code
        return "done"

    return sorted(await asyncio.gather(*(one(call) for call in calls)))


async def test_of_two_officers_who_decide_at_once_one_succeeds(database: Database) -> None:
    for round_number in range(5):
        async with database.session() as db:
            city = await write_city(db, f"city-{round_number}", S.UNDER_CHECK)
            officers = [await write_person(db, (Role.OFFICER, None)) for _ in range(2)]
        outcome = await race(
            database,
            lambda db, city=city, officer=officers[0]: membership.accept(db, officer, city.id),
            lambda db, city=city, officer=officers[1]: membership.decline(db, officer, city.id, Decision("No.")),
        )
        assert outcome == ["CONFLICT", "done"]


async def test_an_associate_is_declined_by_a_body_that_is_named(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.ASSOCIATE)
    with pytest.raises(Conflict, match="name the body"):
        await membership.decline(db, SYSTEM, city.id, WORDS)
    with pytest.raises(Invalid):
        await membership.decline(db, SYSTEM, city.id, replace(WORDS, body=Body.SECRETARIAT))
    await membership.decline(db, SYSTEM, city.id, replace(WORDS, body=Body.EXECUTIVE_COMMITTEE))


async def test_of_two_who_accept_at_once_one_succeeds_and_one_is_told_the_state(database: Database) -> None:
    async with database.session() as db:
        city = await write_city(db, "wanted", S.UNDER_CHECK)
    calls = [lambda db: membership.accept(db, SYSTEM, city.id) for _ in range(4)]
    assert await race(database, *calls) == ["CONFLICT", "CONFLICT", "CONFLICT", "done"]
    async with database.session() as db:
        steps = select(func.count()).select_from(MembershipStep).where(col(MembershipStep.organisation_id) == city.id)
        assert (await db.execute(steps)).scalar_one() == 1


async def test_two_who_apply_at_once_make_one_application(database: Database, form: ApplicationForm) -> None:
    async with database.session() as db:
        city = await write_city(db, "eager")
    calls = [lambda db: membership.apply(db, SYSTEM, city.id, form) for _ in range(4)]
    assert await race(database, *calls) == ["done"] * 4
    async with database.session() as db:
        assert await applications.open_of(db, city.id) is not None


async def test_two_batches_in_opposite_order_do_not_wait_for_each_other(database: Database) -> None:
    async with database.session() as db:
        keys = [(await write_city(db, f"city-{n}", S.ASSOCIATE)).id for n in range(6)]
    outcome = await race(
        database,
        lambda db: membership.admit(db, SYSTEM, keys, WORDS),
        lambda db: membership.admit(db, SYSTEM, keys[::-1], WORDS),
    )
    assert outcome == ["CONFLICT", "done"]


async def test_what_was_asked_and_never_answered_can_be_declined_after_a_time(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.CHANGES_REQUESTED)
    last = membership.months_after(NOW.date(), membership.ANSWER_MONTHS)
    with pytest.raises(Conflict) as refused:
        await membership.decline(db, SYSTEM, city.id, WORDS, now=datetime.combine(last, time(23), UTC))
    assert refused.value.params == {"date": last.isoformat()}
    after = datetime.combine(last + timedelta(days=1), time(1), UTC)
    declined = await membership.decline(db, SYSTEM, city.id, WORDS, now=after)
    assert declined.status is S.DECLINED
    assert (await applications.open_of(db, city.id)) is None
