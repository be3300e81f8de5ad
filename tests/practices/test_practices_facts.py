"""The facts of a case study: what each may hold, and that all that is wrong is told at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.cases import facts
from practices.cases.facts import SDG_TARGETS, Visibility, checked, sdg_targets
from practices.cases.terms import terms
from wego.core.errors import Refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"themes": ["2012.no-such"]},
        {"themes": ["2012.services"] * 7},
        {"sdgs": [{"goal": 0}]},
        {"sdgs": [{"goal": 18}]},
        {"sdgs": [{"goal": 16, "target": "17.1"}]},
        {"sdgs": [{"goal": 13, "target": "13.4"}]},
        {"sdgs": [{"goal": 17, "target": "17.a"}]},
        {"sdgs": [{"goal": 16, "contribution": "much"}]},
        {"cofog": ["11"]},
        {"cofog": ["01.3\n"]},
        {"iso_codes": ["ISO9001:1"]},
        {"technologies": ["With Space"]},
        {"keywords": {"no tag!": ["x"]}},
        {"keywords": {"en": [""]}},
        {"keywords": {"en": ["x"] * 21}},
        {"key_dates": [{"date": "tomorrow", "significance": {"en": "x"}}]},
        {"key_dates": [{"date": "2016-01-01", "significance": {}}]},
        {"key_dates": [{"date": "2016-01-01", "significance": {"en": "x"}}] * 6},
        {"money": [{"year": 2016, "source": "x", "amount": "-1", "currency": "EUR", "kind": "opex"}]},
        {"money": [{"year": 2016, "source": "x", "amount": "1e400", "currency": "EUR", "kind": "opex"}]},
        {"money": [{"year": 2016, "source": "x", "amount": "NaN", "currency": "EUR", "kind": "opex"}]},
        {"money": [{"year": 2016, "source": "x", "amount": "1", "currency": "EUX", "kind": "opex"}]},
        {"money": [{"year": 16, "source": "x", "amount": "1", "currency": "EUR", "kind": "opex"}]},
        {"partners": [{"name": "x", "kind": "friend"}]},
        {"partners": [{"name": "x", "kind": "other", "support": ["moral"]}]},
        {"partners": [{"name": "a\u202eb", "kind": "other"}]},
        {"indicators": [{"scheme": "guess", "code": "x"}]},
        {"indicators": [{"scheme": "own", "code": "x", "value": "many"}]},
        {"indicators": [{"scheme": "own", "code": "x", "evidence_url": "javascript:alert(1)"}]},
        {"contacts": [{"role": "CIO", "email": "nobody"}]},
        {"contacts": [{"role": "CIO", "email": "a@b.example"}] * 11},
        {"sources": [{"title": ""}]},
        {"level_of_activity": "planet"},
        {"stage": "idea"},
        {"launched_on": "2016-13-01"},
        {"launched_on": date(2016, 1, 2), "ended_on": date(2016, 1, 1)},
        {"licence": "do what you like"},
        {"visibility": "embargo"},
        {"visibility": "embargo", "publish_at": NOW},
        {"visibility": "embargo", "publish_at": datetime(2027, 1, 1)},  # a time without its zone
        {"visibility": "public", "publish_at": datetime(2027, 1, 1, tzinfo=UTC)},
        {"visibility": "everyone"},
    ],
)
def test_a_fact_that_cannot_be_is_refused_with_its_place(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        checked(wrong, now=NOW)
    assert all(each.path[:1] == ("input",) and len(each.path) > 1 for each in refused.value.each)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        checked({"themes": ["x"], "cofog": ["99"], "money": [{}]}, now=NOW)
    assert len(refused.value.each) >= 6


def test_money_and_values_are_decimal_strings() -> None:
    given = {"year": 2016, "source": "x", "amount": "100000000.10", "currency": "KRW", "kind": "capex"}
    found = checked({"money": [given], "indicators": [{"scheme": "own", "code": "x", "value": 82.23}]})
    assert found["money"][0]["amount"] == "100000000.10"
    assert found["indicators"][0]["value"] == "82.23"


def test_filters_find_goals_and_targets() -> None:
    found = checked({"sdgs": [{"goal": 16, "target": "16.10"}, {"goal": 16, "target": "16.6"}, {"goal": 1}]})
    assert found["sdg_codes"] == ["16", "16.10", "16.6", "1"]
    assert sum(len(sdg_targets(goal)) for goal in SDG_TARGETS) == 169


def test_a_date_is_kept_on_the_first_day_on_which_it_can_have_been() -> None:
    told = {"date": "2013-04-17", "precision": "month", "significance": {"en": "It began."}}
    found = checked({"key_dates": [told], "launched_on": "2013-04-17", "launched_precision": "year"})
    assert (found["key_dates"][0]["date"], found["key_dates"][0]["precision"]) == ("2013-04-01", "month")
    assert (found["launched_on"], found["launched_precision"]) == (date(2013, 1, 1), "year")
    assert checked({"ended_on": "2013-04-17"})["ended_precision"] == "day"


def test_what_ended_in_the_year_in_which_it_began_is_no_contradiction() -> None:
    told = {"launched_on": date(2013, 5, 1), "launched_precision": "month", "ended_on": date(2013, 1, 1)}
    assert checked({**told, "ended_precision": "year"})["ended_on"] == date(2013, 1, 1)
    for wrong in (told, {**told, "ended_on": date(2012, 1, 1), "ended_precision": "year"}):
        with pytest.raises(Refusal, match="before it was launched"):
            checked(wrong)


def test_only_an_embargo_has_a_date() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert checked({"visibility": "embargo", "publish_at": later}, now=NOW)["publish_at"] == later
    found = checked({"visibility": "members"}, now=NOW)
    assert (found["visibility"], found["publish_at"]) == (Visibility.MEMBERS, None)


def test_every_theme_and_goal_has_its_word_in_every_language() -> None:
    every = {(scheme, code): labels for scheme, code, _, labels in terms()}
    assert {code for scheme, code in every if scheme == "theme"} == set(facts.THEMES)
    assert {code for scheme, code in every if scheme == "sdg"} == {str(goal) for goal in range(1, 18)}
    assert all(len(labels) == 16 and all(labels.values()) for labels in every.values())


@given(
    st.dictionaries(
        st.sampled_from(["themes", "cofog", "iso_codes", "technologies"]), st.lists(st.text(max_size=12), max_size=8)
    )
)
def test_lists_of_codes_are_kept_as_they_are_or_refused(given: dict[str, list[str]]) -> None:
    try:
        found = checked(given)
    except Refusal:
        return
    assert {name: list(dict.fromkeys(values)) for name, values in given.items()} == found
