"""Mutations through the read engine: what is shown of what was done, and that a repeat does nothing twice."""

# ruff: noqa: E501, UP031 -- operations read best in one line, and are full of braces

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from graphql import GraphQLError
from reads_make import READINGS, SEED, make_engine
from sqlalchemy import text

from wego.core.access import NOBODY, Actor
from wego.core.db import Database
from wego.core.errors import CostExceeded, Invalid, Refusal
from wego.core.reads.documents import GraphQLErrors
from wego.core.writes import Repeat, Writer
from wego.problems import words
from wego.schema import schema

REGISTER = (
    "mutation($input: RegisterCityInput!) { registerCity(input: $input) { city { id slug } problems { code path } } }"
)


def city(slug: str, **more: Any) -> dict[str, Any]:
    return {
        "slug": slug, "names": [{"locale": "en", "name": slug.title()}, {"locale": "ko", "name": f"도시 {slug}"}],
        "endonymLocale": "ko", "country": "KR", "region": "EAST_ASIA", "latitude": 37.5, "longitude": 127.0,
        "population": 1000, "timeZone": "Asia/Seoul", "languages": ["ko"], **more,
    }  # fmt: skip


class Hand:
    """Somebody who writes."""

    def __init__(self, database: Database) -> None:
        self.database, self.engine = database, make_engine(schema())
        self.writer = Writer(self.engine, database, words)

    async def __call__(self, query: str, actor: Actor = SEED, *, key: str | None = None, body: bytes = b"", locale: str = "en",
                       **variables: Any) -> Any:  # fmt: skip
        operation = self.engine.find(query, None, variables)
        run = self.engine.run_of(operation, actor, READINGS["nobody's wish"])
        repeat = None if key is None else Repeat.of(actor, key, body)
        return orjson.loads(await self.writer.mutate(operation, run, locale, repeat))

    async def slugs(self) -> list[str]:
        async with self.database.session() as db:
            return list((await db.execute(text("select slug from organisation order by slug"))).scalars())

    async def entries(self) -> int:
        async with self.database.session() as db:
            return int(
                (await db.execute(text("select count(*) from audit_entry where event like 'city%'"))).scalar_one()
            )


@pytest.fixture
async def hand(database: Database) -> Hand:
    return Hand(database)


# ── what a stranger cannot do ─────────────────────────────────────────────────────────────────────────────────


async def test_a_stranger_is_told_why_in_his_language_and_nothing_is_done(hand: Hand) -> None:
    query = (
        "mutation($input: RegisterCityInput!) { m: registerCity(input: $input) { o: __typename city { slug } ...P } } "
        "fragment P on CityPayload { problems { c: code ... on Problem { message __typename } path } }"
    )
    found = (await hand(query, NOBODY, input=city("gongju"), locale="ko"))["m"]
    assert list(found) == ["o", "city", "problems"]
    assert found["city"] is None
    (problem,) = found["problems"]
    assert problem["c"] == "NOT_SIGNED_IN"
    assert problem["path"] == []
    assert not problem["message"].isascii()
    assert await hand.slugs() == []


async def test_a_payload_over_a_limit_is_refused_before_anything_is_done(hand: Hand) -> None:
    first = "mutation($a: RegisterCityInput!, $b: RegisterCityInput!, $c: String, $n: Int) { a: registerCity(input: $a) { city { slug } } "
    wrong: list[tuple[str, dict[str, Any], type[Exception]]] = [
        ("city { practices(first: 101) { totalCount } }", {}, Invalid),
        ("city { practices(first: $n) { nodes { slug } } }", {"n": -1}, Invalid),
        ("city { practices(after: $c) { nodes { slug } } }", {"c": "forged"}, Invalid),
        ("city { practices(first: 1, last: 1) { totalCount } }", {}, Invalid),
        ("city { %s: slug }" % ("a" * 64), {}, Invalid),
        ("city { practices(first: 100) { nodes { city { practices(first: 100) { nodes { city { people { posts { role } } } } } } } } }",
         {}, CostExceeded),
    ]  # fmt: skip
    for payload, more, kind in wrong:
        declared = "".join(f" {{{payload}}}" for _ in range(1))
        query = first + f"b: registerCity(input: $b) {declared} }}"
        for unused in ("c", "n"):
            if f"${unused}" not in payload:
                query = query.replace(f", ${unused}: {'String' if unused == 'c' else 'Int'}", "")
        with pytest.raises(kind):
            await hand(query, a=city("one"), b=city("two"), **more)
        assert await hand.slugs() == [], payload


async def test_limits_hold_for_all_payloads_together(hand: Hand) -> None:
    payload = "city { practices(first: 100) { nodes { city { people { email } } } } }"
    one = "mutation($i: RegisterCityInput!) { m0: registerCity(input: $i) { %s } }" % payload
    assert (await hand(one, i=city("one")))["m0"]["city"]
    every = "mutation($i: RegisterCityInput!) { %s }" % " ".join(
        f"m{each}: registerCity(input: $i) {{ {payload} }}" for each in range(20)
    )
    with pytest.raises(CostExceeded):
        await hand(every, i=city("two"))
    assert await hand.slugs() == ["one"]


async def test_an_input_of_the_wrong_form_never_reaches_the_service(hand: Hand) -> None:
    for wrong in (
        {},
        {**city("a"), "region": "east-asia"},
        {**city("a"), "population": 2**40},
        {**city("a"), "extra": 1},
        None,
    ):
        with pytest.raises((GraphQLErrors, GraphQLError)):
            await hand(REGISTER, input=wrong)
    assert await hand.slugs() == []


# ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_done_is_read_back_with_the_whole_language(hand: Hand) -> None:
    query = (
        'mutation M($input: RegisterCityInput!, $l: [LanguageTag!] = ["ko"], $more: Boolean!) { __typename '
        "done: registerCity(input: $input) { ...F o: city @include(if: $more) { select: slug } problems { code } "
        "hidden: city @skip(if: $more) { slug } } }"
        "fragment F on CityPayload { city { __typename ... on Node { id } ...C } }"
        "fragment C on City { slug o: name(locales: $l) { text locale } name { locale } names { locale } region country { code } "
        "membership { status } practices { totalCount pageInfo { hasNextPage } nodes { slug } } }"
    )
    found = await hand(query, input=city("gongju"), more=True)
    assert list(found) == ["__typename", "done"]
    assert list(found["done"]) == ["city", "o", "problems"]
    assert list(found["done"]["city"]) == [
        "__typename",
        "id",
        "slug",
        "o",
        "name",
        "names",
        "region",
        "country",
        "membership",
        "practices",
    ]
    assert found["done"]["city"]["o"] == {"text": "도시 gongju", "locale": "ko"}
    assert found["done"]["city"]["names"] == [{"locale": "en"}, {"locale": "ko"}]
    assert found["done"]["city"]["region"] == "EAST_ASIA"
    assert found["done"]["o"] == {"select": "gongju"}
    assert found["done"]["problems"] == []
    assert await hand.slugs() == ["gongju"]


async def test_all_that_is_wrong_with_an_input_is_told_at_once(hand: Hand) -> None:
    found = (await hand(REGISTER, input=city("No Slug", population=-1, timeZone="Nowhere/At all")))["registerCity"]
    assert found["city"] is None
    assert {each["code"] for each in found["problems"]} == {"INVALID"}
    assert len(found["problems"]) >= 3
    assert all(each["path"][0] == "input" for each in found["problems"])


async def test_the_neighbours_of_a_refused_mutation_stay(hand: Hand) -> None:
    query = (
        "mutation($a: RegisterCityInput!, $b: RegisterCityInput!, $c: RegisterCityInput!) { "
        "a: registerCity(input: $a) { ...P } b: registerCity(input: $b) { ...P } c: registerCity(input: $c) { ...P } } "
        "fragment P on CityPayload { city { slug } problems { code } }"
    )
    found = await hand(query, a=city("one"), b=city("one"), c=city("three"))
    assert list(found) == ["a", "b", "c"]
    assert found["a"] == {"city": {"slug": "one"}, "problems": []}
    assert found["b"]["city"] is None
    assert [each["code"] for each in found["b"]["problems"]] == ["CONFLICT"]
    assert found["c"]["city"] == {"slug": "three"}
    assert await hand.slugs() == ["one", "three"]
    assert await hand.entries() == 2


async def test_a_skipped_mutation_is_not_done(hand: Hand) -> None:
    query = (
        "mutation($i: RegisterCityInput!, $b: Boolean!) { registerCity(input: $i) @include(if: $b) { problems { code } } "
        "...F @skip(if: true) __typename } fragment F on Mutation { m: registerCity(input: $i) { problems { code } } }"
    )
    assert await hand(query, i=city("one"), b=False) == {"__typename": "Mutation"}
    assert await hand.slugs() == []


async def test_two_fields_of_one_key_are_one_mutation(hand: Hand) -> None:
    query = "mutation($i: RegisterCityInput!) { registerCity(input: $i) { city { slug } } registerCity(input: $i) { city { region } } }"
    assert await hand(query, i=city("one")) == {"registerCity": {"city": {"slug": "one", "region": "EAST_ASIA"}}}
    assert await hand.entries() == 1


@pytest.mark.parametrize("name", ["o", "c", "payload", "select", "keys", "problems"])
async def test_a_word_of_sql_is_a_good_name_in_a_payload(hand: Hand, name: str) -> None:
    query = "mutation($i: RegisterCityInput!) { %s: registerCity(input: $i) { %s: city { %s: slug } } }" % (
        name,
        name,
        name,
    )
    assert await hand(query, i=city("one")) == {name: {name: {name: "one"}}}


# ── repeats ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_repeat_gets_the_stored_answer_and_changes_nothing(hand: Hand) -> None:
    first = await hand(REGISTER, key="k1", body=b"1", input=city("one"))
    assert first["registerCity"]["city"]["slug"] == "one"
    assert await hand(REGISTER, key="k1", body=b"1", input=city("one")) == first
    assert await hand.entries() == 1
    without = await hand(REGISTER, input=city("one"))
    assert without["registerCity"]["problems"][0]["code"] == "CONFLICT"


async def test_a_key_with_another_body_is_a_conflict(hand: Hand) -> None:
    await hand(REGISTER, key="k1", body=b"1", input=city("one"))
    found = await hand(REGISTER, key="k1", body=b"2", input=city("two"))
    assert found["registerCity"]["city"] is None
    assert [each["code"] for each in found["registerCity"]["problems"]] == ["CONFLICT"]
    assert await hand.slugs() == ["one"]


async def test_a_key_belongs_to_its_client(hand: Hand) -> None:
    other = Actor(SEED.kind, "another")
    await hand(REGISTER, key="k1", body=b"1", input=city("one"))
    assert (await hand(REGISTER, other, key="k1", body=b"2", input=city("two")))["registerCity"]["problems"] == []
    assert await hand.slugs() == ["one", "two"]


async def test_two_at_once_have_one_effect_and_one_answer(hand: Hand) -> None:
    both = await asyncio.gather(*(hand(REGISTER, key="k1", body=b"1", input=city("one")) for _ in range(6)))
    assert all(each == both[0] for each in both)
    assert both[0]["registerCity"]["city"]["slug"] == "one"
    assert await hand.entries() == 1


async def test_a_refusal_is_not_kept(hand: Hand) -> None:
    refused = await hand(REGISTER, key="k1", body=b"1", input=city("Wrong"))
    assert refused["registerCity"]["problems"]
    async with hand.database.session() as db:
        assert (await db.execute(text("select count(*) from idempotent_answer"))).scalar_one() == 0
    assert (await hand(REGISTER, key="k1", body=b"2", input=city("right")))["registerCity"]["problems"] == []


async def test_each_field_of_an_operation_is_repeated_for_itself(hand: Hand) -> None:
    query = (
        "mutation($a: RegisterCityInput!, $b: RegisterCityInput!) { a: registerCity(input: $a) { city { slug } problems { code } } "
        "b: registerCity(input: $b) { city { slug } problems { code } } }"
    )
    await hand(REGISTER, input=city("two"))
    first = await hand(query, key="k", body=b"1", a=city("one"), b=city("two"))
    assert first["a"]["city"] == {"slug": "one"}
    assert first["b"]["problems"] == [{"code": "CONFLICT"}]
    assert await hand(query, key="k", body=b"1", a=city("one"), b=city("two")) == first
    assert await hand.slugs() == ["one", "two"]


@pytest.mark.parametrize("key", ["", "a" * 256, "a\nb", "\x00"])
def test_a_key_has_its_bounds(key: str) -> None:
    with pytest.raises(Refusal):
        Repeat.of(SEED, key, b"")
