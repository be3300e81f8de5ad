"""Buckets that fill again: nobody gets more than his share, nobody's share is another's, memory is bounded."""

from __future__ import annotations

from uuid import uuid4

import pytest

from wego.core.access import NOBODY, Actor, ActorKind
from wego.core.errors import RateLimited
from wego.core.rates import BYTES, Purpose, Rates, caller_of


def of(per_minute: int) -> Rates:
    return Rates({Purpose.REQUEST: per_minute})


def wait(rates: Rates, caller: str, now: float | None = None) -> float:
    return rates.wait(Purpose.REQUEST, caller, now=now)


def test_nobody_gets_more_than_his_share():
    rates = of(60)
    assert [wait(rates, "a", 0.0) for _ in range(60)] == [0.0] * 60
    assert wait(rates, "a", 0.0) > 0


def test_one_who_has_used_his_share_takes_nothing_from_others():
    rates = of(2)
    for _ in range(10):
        wait(rates, "a", 0.0)
    assert wait(rates, "b", 0.0) == 0.0


def test_the_wait_that_is_told_is_enough():
    rates = of(60)
    for _ in range(60):
        wait(rates, "a", 0.0)
    told = wait(rates, "a", 0.0)
    assert wait(rates, "a", told * 0.9) > 0
    assert wait(rates, "a", told * 1.01 + 0.01) == 0.0


def test_refused_requests_do_not_make_the_wait_longer():
    rates = of(60)
    for _ in range(60):
        wait(rates, "a", 0.0)
    waits = [wait(rates, "a", 0.0) for _ in range(100)]
    assert max(waits) == min(waits)


def test_rest_never_saves_up_more_than_a_minute():
    rates = of(60)
    wait(rates, "a", 0.0)
    assert sum(wait(rates, "a", 1_000_000.0) == 0.0 for _ in range(100)) == 60


def test_a_clock_that_goes_back_gives_nothing_away_and_locks_nobody_out():
    rates = of(60)
    assert wait(rates, "a", 1_000.0) == 0.0
    assert wait(rates, "a", 999.5) == 0.0
    assert wait(rates, "a", 1_001.0) == 0.0


def test_the_number_of_callers_in_memory_is_bounded_by_bytes():
    rates = of(60)
    for number in range(30_000):
        wait(rates, f"ip:{number}")
    assert 1_000 < len(rates) < BYTES / 300
    assert rates._buckets.bytes <= BYTES


def test_each_purpose_has_a_bucket_of_its_own():
    rates = Rates({Purpose.REQUEST: 2, Purpose.MUTATION: 1})
    rates.take(Purpose.MUTATION, "ip:a")
    with pytest.raises(RateLimited) as refused:
        rates.take(Purpose.MUTATION, "ip:a")
    assert refused.value.retry_after in (60, 61)
    rates.take(Purpose.REQUEST, "ip:a")
    assert rates.refused[Purpose.MUTATION] == 1


def test_what_is_dear_is_given_once_and_followed_by_a_pause():
    rates = Rates({Purpose.COST: 600})
    assert rates.wait(Purpose.COST, "ip:a", 6_000, 0.0) == 0.0
    assert rates.wait(Purpose.COST, "ip:a", 1, 500.0) > 0
    assert rates.wait(Purpose.COST, "ip:a", 1, 541.0) == 0.0


def test_an_address_never_counts_for_a_program_that_is_called_like_it():
    program = Actor(ActorKind.PROGRAM, "127.0.0.1")
    person = Actor(ActorKind.PERSON, "127.0.0.1", person_id=uuid4())
    assert len({caller_of(each, "127.0.0.1") for each in (NOBODY, program, person)}) == 3


def test_zero_switches_it_off():
    rates = of(0)
    assert [wait(rates, "a", 0.0) for _ in range(1_000)] == [0.0] * 1_000
