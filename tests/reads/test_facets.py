"""Facets: how many things of a list have which value, consistent with the list, its filter and its reader; and the
vocabularies whose words they are."""

from __future__ import annotations

from typing import Any

import pytest
from reads_make import Asked, Network

from practices.cases.facts import THEMES
from wego.core.errors import CostExceeded
from wego.core.reads import counting
from wego.core.reads.query import Limits

KINDS = ("country", "region", "themes", "sdg", "status", "stage", "locale", "technologies", "evidence")
EVERY = "facets { isCapped " + " ".join(f"{kind} {{ value count }}" for kind in KINDS) + " }"
FILTERS: list[dict[str, Any]] = [
    {},
    {"themes": ["2017.open-city"]},
    {"country": ["KR"], "stage": ["OPERATING"]},
    {"titleContains": "e", "publishedAfter": "2020-01-01T00:00:00Z"},
    {"keywords": ["TRANSPARENCY", "budget"]},
    {"evidence": ["DOCUMENTED"], "technologies": ["open-source", "wiki"]},
    {"city": "nowhere"},
]


def filter_of(kind: str, value: str) -> dict[str, Any]:
    return {kind: value if kind == "locale" else [value]}


@pytest.mark.parametrize("given", FILTERS, ids=str)
@pytest.mark.parametrize("reader", ["nobody", "the CIO of Seoul", "an officer"])
async def test_each_count_is_the_number_that_the_list_has_with_this_value_as_well(
    ask: Asked, network: Network, given: dict[str, Any], reader: str
) -> None:
    actor = network.actors[reader]
    one = "query($f: PracticeFilter) { practices(filter: $f) { totalCount %s } }"
    told = (await ask(one % EVERY, actor, f=given))["practices"]
    assert told["facets"]["isCapped"] is False
    for kind in KINDS:
        counts = told["facets"][kind]
        assert counts == sorted(counts, key=lambda each: -each["count"])
        for each in counts[:4]:
            if kind in given:
                continue  # a second condition of the same kind would take the place of the first
            both = (await ask(one % "", actor, f={**given, **filter_of(kind, each["value"])}))["practices"]
            assert both["totalCount"] == each["count"], (kind, each)
    if told["totalCount"] and "themes" not in given:
        assert sum(each["count"] for each in told["facets"]["region"]) == told["totalCount"]


async def test_facets_and_list_are_one_statement(ask: Asked, network: Network) -> None:
    from wego.core.db import Tally, tally

    found = Tally()
    token = tally.set(found)
    try:
        await ask(
            f"{{ practices {{ totalCount nodes {{ slug }} {EVERY} }} "
            "cities { facets { country { value name { text } count } membershipStatus { value count } } } }"
        )
    finally:
        tally.reset(token)
    assert found.statements == 1


async def test_a_facet_of_cities_leads_to_the_city(ask: Asked) -> None:
    told = await ask(
        "{ practices { facets { cities { count city { slug name { text } practices { totalCount } } } } } }"
    )
    assert told["practices"]["facets"]["cities"]
    for each in told["practices"]["facets"]["cities"]:
        assert each["city"]["practices"]["totalCount"] == each["count"]


async def test_cities_are_counted_by_country_region_language_and_membership(ask: Asked) -> None:
    kinds = ("country", "region", "language", "membershipStatus")
    parts = " ".join(f"{kind} {{ value count }}" for kind in kinds)
    told = (await ask(f"{{ cities {{ totalCount facets {{ {parts} }} }} }}"))["cities"]
    for kind in kinds:
        assert told["facets"][kind], kind
        for each in told["facets"][kind][:3]:
            text = "query($f: CityFilter) { cities(filter: $f) { totalCount } }"
            assert (await ask(text, f={kind: [each["value"]]}))["cities"]["totalCount"] == each["count"], (kind, each)


async def test_themes_of_two_editions_that_share_a_name_are_told_apart(ask: Asked) -> None:
    told = await ask('{ practices { facets { themes { value group count name(locales: ["fr"]) { text locale } } } } }')
    themes = {each["value"]: each for each in told["practices"]["facets"]["themes"]}
    first, second = themes["2012.open-city"], themes["2017.open-city"]
    assert first["name"] == second["name"] == {"text": "Ville ouverte", "locale": "fr"}
    assert (first["group"], second["group"]) == ("2012", "2017")
    both = await ask('{ practices(filter: {themes: ["2012.open-city", "2017.open-city"]}) { totalCount } }')
    assert both["practices"]["totalCount"] <= first["count"] + second["count"]


async def test_beyond_the_bound_facets_say_that_they_are_capped(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 3)
    monkeypatch.setattr(counting, "SAMPLE", 2)
    for given in ("", "(filter: {status: [PUBLISHED]})", '(filter: {titleContains: "e"})'):
        told = await ask(
            f"{{ practices{given} {{ totalCount totalCountIsCapped facets {{ isCapped region {{ count }} }} }} }}"
        )
        assert told["practices"]["totalCount"] == 3
        assert told["practices"]["totalCountIsCapped"] is told["practices"]["facets"]["isCapped"] is True
        counts = [each["count"] for each in told["practices"]["facets"]["region"]]
        assert sum(counts) in (3, 4), "of one more than the bound, but none is told to be more than it"
        assert max(counts) <= 3


async def test_counting_by_value_has_its_price(ask: Asked, network: Network) -> None:
    text = f"{{ cities(first: 100) {{ nodes {{ practices(first: 1) {{ {EVERY} }} }} }} }}"
    with pytest.raises(CostExceeded):
        await ask(text)
    plain = network.engine.find("{ practices { nodes { slug } } }", None, {})
    dear = network.engine.find(f"{{ practices {{ nodes {{ slug }} {EVERY} }} }}", None, {})
    costs = []
    for each in (plain, dear):
        run = network.engine.run_of(each, network.actors["nobody"], network.engine.reading_of(("en",)))
        costs.append((await network.engine.ready(each, run)).cost)
    assert costs[0] + 700 < costs[1] < Limits().cost / 4


async def test_keywords_are_found_in_every_language_whatever_their_case(ask: Asked) -> None:
    text = "query($k: [String!]) { practices(filter: {keywords: $k}, first: 100) { nodes { keywords { words } } } }"
    for word in ("WIKI", "위키"):
        nodes = (await ask(text, k=[word]))["practices"]["nodes"]
        assert nodes
        for each in nodes:
            assert word.lower() in {one.lower() for listed in each["keywords"] for one in listed["words"]}
    assert (await ask(text, k=["wik"]))["practices"]["nodes"] == [], "a keyword is asked for as a whole"


async def test_evidence_is_what_the_facts_say(ask: Asked) -> None:
    text = "query($e: [EvidenceLevel!]) { practices(filter: {evidence: $e}, first: 100) { totalCount nodes { evidenceLevel sources { title } indicators { evidenceUrl } } } }"  # noqa: E501  # one document
    for level in ("DOCUMENTED", "SELF_REPORTED"):
        for each in (await ask(text, e=[level]))["practices"]["nodes"]:
            assert each["evidenceLevel"] == level
            shown = bool(each["sources"] or any(one["evidenceUrl"] for one in each["indicators"]))
            assert shown is (level == "DOCUMENTED")


async def test_vocabularies_are_listed_with_labels_in_the_language_of_the_reader(ask: Asked) -> None:
    told = (await ask("{ vocabularies { scheme terms { code position retired } } }"))["vocabularies"]
    schemes = {each["scheme"]: [term["code"] for term in each["terms"]] for each in told}
    assert {"theme", "sdg", "country", "region", "language", "stage", "evidence"} <= set(schemes)
    assert schemes["theme"] == list(THEMES)
    assert not any(term["retired"] for each in told for term in each["terms"])
    asked = '{ vocabulary(scheme: "%s") { terms { code label(locales: ["ko"]) { text locale isFallback } } } }'
    for scheme in ("stage", "evidence", "language"):
        terms = (await ask(asked % scheme))["vocabulary"]["terms"]
        assert all(each["label"]["locale"] == "ko" for each in terms)
        assert len({each["label"]["text"] for each in terms}) == len(terms)
    assert (await ask(asked % "nothing"))["vocabulary"] is None
