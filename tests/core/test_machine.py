"""A life as one table: what it lets through, what it refuses and in which order, and what is wrong with a table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

import pytest

from wego.core.access import NOBODY, Actor, ActorKind, Permission, Post, Role, organisation, system
from wego.core.audit import Event
from wego.core.errors import Conflict, NotAllowed, NotSignedIn
from wego.core.machine import Life, Step, To, Who, each

P = Permission
CITY, OTHER = uuid4(), uuid4()


class State(StrEnum):
    DRAFT = "draft"
    OFFERED = "offered"
    AGREED = "agreed"
    HELD = "held"


class Verb(StrEnum):
    BEGIN = "begin"
    WRITE = "write"
    OFFER = "offer"
    AGREE = "agree"
    HOLD = "hold"
    RESUME = "resume"
    DROP = "drop"


@dataclass
class Agreement:
    """An agreement of two cities: the one writes and offers, the other agrees."""

    status: State
    small: bool = False


PROVIDER, EITHER = Who(P.PRACTICE_WRITE, "provider"), Who(P.PRACTICE_WRITE, "provider", "consumer", "editor")


def make_life(*more: Step[State, Verb]) -> Life[State, Verb]:
    return Life(
        Step(None, Verb.BEGIN, State.DRAFT, PROVIDER, Event.PRACTICE_CREATED),
        Step(State.DRAFT, Verb.WRITE, To.SAME, EITHER, Event.PRACTICE_REVISED),
        Step(State.DRAFT, Verb.OFFER, State.OFFERED, PROVIDER, Event.PRACTICE_SUBMITTED),
        Step(State.DRAFT, Verb.DROP, To.GONE, PROVIDER, Event.PRACTICE_ARCHIVED),
        Step(State.DRAFT, Verb.AGREE, State.AGREED, Who(P.PRACTICE_ASSIGN), Event.PRACTICE_ACCEPTED,
             denied=lambda: Conflict("Nothing was offered yet.")),
        Step(State.OFFERED, Verb.AGREE, State.AGREED, Who(P.PRACTICE_PUBLISH, "consumer"), Event.PRACTICE_ACCEPTED,
             when=lambda agreement: agreement.small),
        *each({State.AGREED, State.OFFERED}, Verb.HOLD, State.HELD, Who(P.PRACTICE_ASSIGN), Event.PRACTICE_ARCHIVED),
        Step(State.HELD, Verb.RESUME, To.BACK, Who(P.PRACTICE_ASSIGN), Event.PRACTICE_PUBLISHED),
        *more,
        impossible=lambda state: Conflict("It is {state}.", state=state),
    )  # fmt: skip


LIFE = make_life()
SIDES = {"provider": CITY, "consumer": OTHER}


def make_cio(city_id: object = CITY) -> Actor:
    return Actor(ActorKind.PERSON, "cio", uuid4(), (Post(Role.CIO, organisation(city_id)),))  # type: ignore[arg-type]  # a UUID


OFFICER = Actor(ActorKind.PERSON, "officer", uuid4(), (Post(Role.OFFICER),))


def test_a_stranger_is_told_to_sign_in_and_who_has_no_right_that_he_has_none() -> None:
    with pytest.raises(NotSignedIn):
        LIFE.step(NOBODY, Agreement(State.DRAFT), Verb.OFFER, SIDES)
    with pytest.raises(NotAllowed):
        LIFE.step(make_cio(uuid4()), Agreement(State.DRAFT), Verb.OFFER, SIDES)
    with pytest.raises(NotAllowed):
        LIFE.step(make_cio(), Agreement(State.DRAFT), Verb.OFFER)  # no side is named, so none is his


def test_who_may_not_is_told_so_before_he_learns_of_the_state() -> None:
    with pytest.raises(NotAllowed):
        LIFE.step(make_cio(uuid4()), Agreement(State.HELD), Verb.OFFER, SIDES)


def test_each_side_has_its_own_verbs() -> None:
    offered = Agreement(State.OFFERED, small=True)
    assert LIFE.step(make_cio(OTHER), offered, Verb.AGREE, SIDES).reached() is State.AGREED
    with pytest.raises(NotAllowed):
        LIFE.step(make_cio(CITY), offered, Verb.AGREE, SIDES)


def test_a_side_can_be_the_actor_himself() -> None:
    guest = Actor(ActorKind.PERSON, "guest", uuid4(), (Post(Role.OBJECT_EDITOR, organisation(CITY)),))
    draft = Agreement(State.DRAFT)
    assert LIFE.step(guest, draft, Verb.WRITE, {**SIDES, "editor": True}).reached() is State.DRAFT
    with pytest.raises(NotAllowed):
        LIFE.step(guest, draft, Verb.WRITE, {**SIDES, "editor": False})


def test_two_can_be_asked_of_one_actor() -> None:
    both = Who(P.PRACTICE_WRITE, "provider", "editor") & PROVIDER & Who(P.PRACTICE_PUBLISH, "provider")
    editor = Actor(ActorKind.PERSON, "editor", uuid4(), (Post(Role.EDITOR, CITY),))
    assert both.allows(make_cio(), SIDES)
    assert not both.allows(editor, SIDES)
    assert not both.allows(OFFICER, {**SIDES, "editor": False})
    assert not both.allows(make_cio(OTHER), {**SIDES, "editor": True})


def test_what_is_not_in_the_table_is_refused_with_the_state() -> None:
    with pytest.raises(Conflict) as refused:
        LIFE.step(make_cio(), Agreement(State.AGREED), Verb.OFFER, SIDES)
    assert refused.value.params == {"state": "agreed"}
    with pytest.raises(Conflict) as refused:
        LIFE.step(make_cio(), None, Verb.OFFER, SIDES)
    assert refused.value.params == {"state": "none"}


def test_a_row_that_is_not_of_this_thing_is_not_taken() -> None:
    assert LIFE.possible(Agreement(State.OFFERED, small=True), Verb.AGREE) is not None
    assert LIFE.possible(Agreement(State.OFFERED), Verb.AGREE) is None


def test_a_verb_of_another_state_is_denied_in_its_own_words() -> None:
    with pytest.raises(Conflict, match="Nothing was offered"):
        LIFE.step(make_cio(OTHER), Agreement(State.DRAFT), Verb.AGREE, SIDES)
    assert LIFE.step(OFFICER, Agreement(State.DRAFT), Verb.AGREE, SIDES).reached() is State.AGREED


def test_a_step_leads_on_back_nowhere_or_stays() -> None:
    held = LIFE.step(OFFICER, Agreement(State.HELD), Verb.RESUME, SIDES)
    assert held.reached(State.OFFERED) is State.OFFERED
    assert LIFE.step(make_cio(), Agreement(State.DRAFT), Verb.DROP, SIDES).reached() is None
    assert LIFE.step(make_cio(), None, Verb.BEGIN, SIDES).event is Event.PRACTICE_CREATED


def test_what_is_open_to_somebody_is_what_he_may_take_now() -> None:
    draft = Agreement(State.DRAFT)
    assert LIFE.open_to(make_cio(), draft, SIDES) == [Verb.WRITE, Verb.OFFER, Verb.DROP]
    assert LIFE.open_to(make_cio(OTHER), draft, SIDES) == [Verb.WRITE]
    assert LIFE.open_to(NOBODY, draft, SIDES) == []
    assert LIFE.open_to(system("test"), Agreement(State.HELD), SIDES) == [Verb.RESUME]


def test_a_good_table_has_no_faults_and_a_bad_one_is_told_each() -> None:
    assert LIFE.faults() == []
    hidden = Step(State.DRAFT, Verb.OFFER, State.AGREED, PROVIDER, Event.PRACTICE_SUBMITTED)
    assert make_life(hidden).faults() == ["offer from draft has a row that is never taken"]
    bare = Life(Step(None, Verb.BEGIN, State.DRAFT, PROVIDER, Event.PRACTICE_CREATED), impossible=Conflict)
    assert "offered is never reached" in bare.faults()
    assert "drop has no row" in bare.faults()
