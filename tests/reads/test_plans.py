"""One statement for each answer, and one plan for each shape of it: what is kept, and what tells plans apart."""

# ruff: noqa: E501 -- operations read best in one line, and are full of braces

from __future__ import annotations

from typing import Any

import pytest
from reads_make import READINGS, Asked, Network

from wego.core.access import NOBODY, Actor
from wego.core.db import Tally, tally
from wego.core.reads.engine import Engine


def compiled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are compiled from now on."""
    found: list[str] = []
    original = Engine._compile

    def counted(self: Engine, operation: Any, run: Any) -> Any:
        plan = original(self, operation, run)
        found.append(plan.sql)
        return plan

    monkeypatch.setattr(Engine, "_compile", counted)
    return found


# ── statements ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_list_of_one_and_a_list_of_twenty_five_cost_the_same(ask: Asked) -> None:
    spent = []
    for size in (1, 25):
        token = tally.set(Tally())
        found = await ask(
            "query($n: Int) { cities(first: $n) { totalCount nodes { slug name { text } names { text } "
            "practices(first: 3) { nodes { title { text } city { slug } } } } } history(first: $n) { nodes { kind } } }",
            n=size,
        )
        spent.append(tally.get().statements)  # type: ignore[union-attr]  # it was set
        tally.reset(token)
        assert len(found["cities"]["nodes"]) == size
    assert spent == [1, 1]


async def test_what_needs_no_rows_needs_no_statement(ask: Asked) -> None:
    token = tally.set(Tally())
    assert await ask("{ __typename a: __typename __schema { queryType { name } } }") == {
        "__typename": "Query", "a": "Query", "__schema": {"queryType": {"name": "Query"}},
    }  # fmt: skip
    assert await ask('query($b: Boolean!) { city(slug: "seoul") @include(if: $b) { slug } }', b=False) == {}
    assert tally.get().statements == 0  # type: ignore[union-attr]  # it was set
    tally.reset(token)


async def test_only_values_that_are_used_are_bound(network: Network, engine: Engine) -> None:
    text = "{ cities(first: 2) { nodes { name { text } } } }"
    operation = engine.find(text, None, {})
    plan = await engine.ready(operation, engine.run_of(operation, NOBODY, READINGS["Korean"]))
    places = {f"${number + 1}::" for number in range(len(plan.binders))}
    assert len(plan.binders) == 2  # the language of the order, the reading list; not the one that tells fallbacks
    assert all(place in plan.sql for place in places)
    assert f"${len(plan.binders) + 1}::" not in plan.sql


# ── plans ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_plan_is_made_once_for_each_shape(ask: Asked, engine: Engine, network: Network,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    made = compiled(engine, monkeypatch)
    text = "query($n: Int, $c: [String!], $a: String) { cities(first: $n, after: $a, filter: {country: $c}) { nodes { slug name { text } } } }"

    async def slugs(actor: Actor = NOBODY, reading: str = "Korean", **variables: Any) -> list[str]:
        return [each["slug"] for each in (await ask(text, actor, READINGS[reading], **variables))["cities"]["nodes"]]

    three = await slugs(n=3)
    assert await slugs(n=3) == three
    assert len(made) == 1 + 0  # the first compilation learns that $n is in the text; the same plan serves again
    assert (await slugs(n=2), len(made)) == (three[:2], 2)
    assert (await slugs(n=3), len(made)) == (three, 2)
    korean = await slugs(n=3, c=["KR"])
    assert len(made) == 3
    assert korean != three
    assert (await slugs(n=3, c=["KR", "CN"])) != korean
    assert (await slugs(n=3, c=[]), len(made)) == ([], 3)
    assert (await slugs(n=3, c=None), len(made)) == (three, 4)  # null is not the same as absent, and costs a plan
    first = await ask("{ cities(first: 1) { edges { cursor } } }", reading=READINGS["Korean"])
    cursor = first["cities"]["edges"][0]["cursor"]
    before = len(made)
    assert (await slugs(n=3, a=cursor))[:2] == three[1:]
    assert len(made) == before + 1
    assert await slugs(network.actors["the CIO of Seoul"], n=3) == three
    assert len(made) == before + 2
    assert await slugs(network.actors["the CIO of Seoul"], n=3) == three
    assert await slugs(reading="Chinese of Taiwan, then Arabic", n=3) != three  # another order, and another plan
    assert len(made) == before + 3


async def test_two_readers_of_one_shape_share_a_plan_and_see_their_own(ask: Asked, engine: Engine, network: Network,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    made = compiled(engine, monkeypatch)
    text = "{ viewer { person { email } posts { city { slug } } } people(first: 3) { nodes { email } } }"
    seoul = await ask(text, network.actors["the CIO of Seoul"])
    assert len(made) == 1
    other = await ask(text, Actor(network.actors["the CIO of Seoul"].kind, "other",
                                  network.actors["the head of Barcelona"].person_id,
                                  tuple(type(post)(network.actors["the CIO of Seoul"].posts[0].role, post.place)
                                        for post in network.actors["the head of Barcelona"].posts)))  # fmt: skip
    assert len(made) == 1
    assert seoul["viewer"]["person"]["email"] == "cio@seoul.demo"
    assert other["viewer"]["person"]["email"] == "head@barcelona.demo"
    assert other["people"]["nodes"]
    assert not {each["email"] for each in seoul["people"]["nodes"]} & {
        each["email"] for each in other["people"]["nodes"]
    }


async def test_reading_lists_in_variables_are_told_apart(ask: Asked) -> None:
    text = 'query($l: [LanguageTag!]) { city(slug: "seoul") { name(locales: $l) { text locale isFallback } } }'
    english = {"text": "Seoul", "locale": "en", "isFallback": False}
    korean = {"text": "서울", "locale": "ko", "isFallback": False}
    wishes: list[tuple[dict[str, Any], bool]] = [
        ({"l": []}, False), ({"l": ["ko"]}, True), ({"l": None}, False), ({}, False), ({"l": ["ko-KR"]}, True),
        ({"l": ["ko", "en"]}, True), ({"l": []}, False), ({"l": "ko"}, True),
    ]  # fmt: skip
    for variables, wanted in (*wishes, *reversed(wishes)):
        found = (await ask(text, **variables))["city"]["name"]
        assert found["text"].startswith("서울") if wanted else found == english, variables
        assert found["locale"] == (korean if wanted else english)["locale"]


async def test_two_wishes_in_one_object_are_two_texts(ask: Asked) -> None:
    found = await ask(
        'query($a: [LanguageTag!], $b: [LanguageTag!]) { city(slug: "seoul") { a: name(locales: $a) { locale } '
        'b: name(locales: $b) { locale } c: name(locales: ["ko"]) { locale } d: name { locale } e: endonym { locale } '
        'f: name(locales: ["th"]) { locale isFallback } } }',
        a=["ko"], b=["en"],
    )  # fmt: skip
    assert [each["locale"] for each in found["city"].values()] == ["ko", "en", "ko", "en", "ko", "en"]
    assert found["city"]["f"]["isFallback"] is True


async def test_literals_and_variables_answer_the_same(ask: Asked) -> None:
    body = "{ nodes { slug name(locales: %s) { text } } pageInfo { hasNextPage endCursor } totalCount }"
    literal = await ask(
        '{ cities(last: 4, filter: {region: [EAST_ASIA], populationMin: 100000, nameContains: "s"}, '
        "orderBy: {field: POPULATION, direction: DESC}) " + body % '["fr", "ko"]' + " }"
    )
    whole = await ask(
        "query($n: Int, $f: CityFilter, $o: CityOrder, $l: [LanguageTag!]) "
        "{ cities(last: $n, filter: $f, orderBy: $o) " + body % "$l" + " }",
        n=4, f={"region": ["EAST_ASIA"], "populationMin": 100_000, "nameContains": "s"},
        o={"field": "POPULATION", "direction": "DESC"}, l=["fr", "ko"],
    )  # fmt: skip
    parts = await ask(
        "query($r: Region!, $p: Int, $s: String = \"s\", $d: OrderDirection = DESC, $t: LanguageTag!) "
        "{ cities(last: 4, filter: {region: [$r], populationMin: $p, nameContains: $s}, "
        "orderBy: {field: POPULATION, direction: $d}) " + body % '["fr", $t]' + " }",
        r="EAST_ASIA", p=100_000, t="ko",
    )  # fmt: skip
    assert literal == whole == parts
    assert literal["cities"]["nodes"]


async def test_orders_in_variables_are_told_apart(ask: Asked) -> None:
    text = "query($o: CityOrder, $f: Int, $l: Int) { cities(first: $f, last: $l, orderBy: $o) { nodes { slug } } }"

    async def slugs(order: Any, **size: int) -> list[str]:
        return [each["slug"] for each in (await ask(text, o=order, **size))["cities"]["nodes"]]

    up = await slugs({"field": "POPULATION"}, f=30)
    assert up == list(reversed(await slugs({"field": "POPULATION", "direction": "DESC"}, l=30)))
    assert up != await slugs({"field": "POPULATION", "direction": "DESC"}, f=30)
    assert await slugs({"field": "NAME"}, f=30) == await slugs(None, f=30) != up
