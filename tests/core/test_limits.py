"""Buckets that fill again: nobody gets more than his share, nobody's share is another's, memory is bounded."""

from __future__ import annotations

from wego import limits
from wego.limits import Rates


def test_nobody_gets_more_than_his_share():
    rates = Rates(60)
    assert [rates.wait("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert rates.wait("a", 0.0) > 0


def test_one_who_has_used_his_share_takes_nothing_from_others():
    rates = Rates(2)
    for _ in range(10):
        rates.wait("a", 0.0)
    assert rates.wait("b", 0.0) == 0.0


def test_the_wait_that_is_told_is_enough():
    rates = Rates(60)
    for _ in range(60):
        rates.wait("a", 0.0)
    wait = rates.wait("a", 0.0)
    assert rates.wait("a", wait * 0.9) > 0
    assert rates.wait("a", wait * 1.01 + 0.01) == 0.0


def test_refused_requests_do_not_make_the_wait_longer():
    rates = Rates(60)
    for _ in range(60):
        rates.wait("a", 0.0)
    waits = [rates.wait("a", 0.0) for _ in range(100)]
    assert max(waits) == min(waits)


def test_rest_never_saves_up_more_than_a_minute():
    rates = Rates(60)
    rates.wait("a", 0.0)
    assert sum(rates.wait("a", 1_000_000.0) == 0.0 for _ in range(100)) == 60


def test_a_clock_that_goes_back_gives_nothing_away_and_locks_nobody_out():
    rates = Rates(60)
    assert rates.wait("a", 1_000.0) == 0.0
    assert rates.wait("a", 999.5) == 0.0
    assert rates.wait("a", 1_001.0) == 0.0


def test_the_number_of_clients_in_memory_is_bounded():
    rates = Rates(60)
    for client in range(limits.MOST_CLIENTS + 500):
        rates.wait(str(client), float(client))
    assert len(rates._buckets) == limits.MOST_CLIENTS
    assert str(limits.MOST_CLIENTS + 499) in rates._buckets
    assert "0" not in rates._buckets


def test_zero_switches_it_off():
    rates = Rates(0)
    assert [rates.wait("a", 0.0) for _ in range(1_000)] == [0.0] * 1_000
