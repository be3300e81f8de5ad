"""What the read engine answers: names and values of every kind, pages, and fields that Python answers."""

# ruff: noqa: E501, UP031 -- operations read best in one line, and are full of braces

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import orjson
import pytest
import strawberry
from reads_make import READINGS, Asked, Network, make_engine
from strawberry.schema.config import StrawberryConfig

from i18n.language.graphql import LANGUAGE_TAG, LanguageTag
from members.register.graphql.cities import City, CityQueries
from wego.core import reads
from wego.core.access import NOBODY
from wego.core.db import Tally, tally
from wego.core.reads.engine import Engine

# ── names and values ──────────────────────────────────────────────────────────────────────────────────────────

WORDS = ("select", "o", "c", "a", "r", "q", "u", "n", "e", "rn", "t1", "t2", "x1", "a0", "more", "cursor", "from", "order",
         "null", "user", "payload", "start_cursor", "_", "__a", "nothing", "SELECT", "Select", "json_agg", "c_1")  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
async def test_a_word_of_sql_is_a_good_name_anywhere(ask: Asked, word: str) -> None:
    inner = f'{word}: city(slug: "seoul") {{ {word}: name {{ {word}: text }} }}'
    assert await ask(f"{{ {inner} }}") == {word: {word: {word: "Seoul"}}}
    found = await ask(
        f"query($s: ID!) {{ {word}: cities(first: 1) {{ {word}: edges {{ {word}: node {{ {word}: names {{ {word}: locale }} }} }} }} "
        f"n1: cities {{ {word}: totalCount }} n2: cities(first: 0) {{ {word}: pageInfo {{ {word}: hasNextPage }} }} "
        f"n3: node(id: $s) {{ {word}: id }} n4: nodes(ids: [$s]) {{ {word}: __typename }} "
        f"n5: cities(first: 1) {{ {word}: nodes {{ {word}: membership {{ {word}: timeline {{ {word}: at }} }} }} }} }}",
        s=(await ask('{ city(slug: "seoul") { id } }'))["city"]["id"],
    )
    assert found[word][word][0][word][word][0].keys() == {word}
    assert found["n1"][word] > 20
    assert found["n2"][word] == {word: True}
    assert found["n4"] == [{word: "City"}]
    assert found["n5"][word][0][word][word][0].keys() == {word}


@pytest.mark.parametrize(
    "text",
    [
        "'",
        "''; drop table city; --",
        '"',
        "\\",
        "{t}",
        "{0}",
        "%s",
        "$1",
        "$1::text",
        "서울",
        "\u202e",
        "\n",
        "a" * 200,
    ],
)
async def test_quotes_and_braces_are_only_text(ask: Asked, text: str) -> None:
    for found in (
        await ask("query($s: String!) { city(slug: $s) { slug } }", s=text),
        await ask("{ city(slug: %s) { slug } }" % orjson.dumps(text).decode()),
    ):
        assert found == {"city": None}
    for condition in ("{cities: [$s]}", "{city: $s, titleContains: $s}"):
        assert await ask(
            "query($s: String!) { practices(filter: %s) { totalCount nodes { slug } } }" % condition, s=text
        ) == {"practices": {"totalCount": 0, "nodes": []}}


async def test_a_selection_that_comes_to_nothing_is_an_empty_object(ask: Asked) -> None:
    city = (await ask('{ city(slug: "seoul") { id } }'))["city"]["id"]
    text = (
        "query($i: ID!, $b: Boolean!) { node(id: $i) { ... on Practice { slug } } nodes(ids: [$i]) { ... on Person { id } } "
        'city(slug: "seoul") { slug @skip(if: $b) name @include(if: true) { text @skip(if: $b) } names { text @skip(if: $b) } } '
        "cities(first: 1) { nodes { slug @skip(if: $b) } edges { cursor @skip(if: $b) } pageInfo { endCursor @skip(if: $b) } } "
        "none: cities(first: 1) { totalCount @skip(if: $b) } }"
    )
    found = await ask(text, i=city, b=True)
    names = found["city"].pop("names")
    assert names
    assert all(each == {} for each in names)
    assert found == {
        "node": {}, "nodes": [{}], "city": {"name": {}},
        "cities": {"nodes": [{}], "edges": [{}], "pageInfo": {}}, "none": {},
    }  # fmt: skip


async def test_fields_merge_in_the_order_of_their_first_mention(network: Network) -> None:
    answer = await network.ask(
        '{ city(slug: "seoul") { name { text } ...F slug name { locale } } city(slug: "seoul") { population } } '
        "fragment F on City { region name { direction } ... on Node { id } }"
    )
    assert list(orjson.loads(answer.data)["city"]) == ["name", "region", "id", "slug", "population"]
    assert list(orjson.loads(answer.data)["city"]["name"]) == ["text", "direction", "locale"]


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", ["{field: NAME}", "{field: POPULATION, direction: DESC}", "{field: MEMBER_SINCE}"])
async def test_walking_either_way_meets_every_row_once(ask: Asked, order: str) -> None:
    forward: list[str] = []
    cursor, more = None, True
    while more:
        page = (
            await ask(
                "query($c: String) { cities(first: 40, after: $c, orderBy: %s) { nodes { slug } pageInfo { hasNextPage endCursor hasPreviousPage } } }"
                % order,
                c=cursor,
            )
        )["cities"]
        assert page["pageInfo"]["hasPreviousPage"] == bool(forward)
        forward += [each["slug"] for each in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    backward: list[str] = []
    cursor, more = None, True
    while more:
        page = (
            await ask(
                "query($c: String) { cities(last: 40, before: $c, orderBy: %s) { nodes { slug } pageInfo { hasPreviousPage startCursor hasNextPage } } }"
                % order,
                c=cursor,
            )
        )["cities"]
        assert page["pageInfo"]["hasNextPage"] == bool(backward)
        backward = [each["slug"] for each in page["nodes"]] + backward
        cursor, more = page["pageInfo"]["startCursor"], page["pageInfo"]["hasPreviousPage"]
    assert forward == backward
    total = (await ask("{ cities { totalCount } }"))["cities"]["totalCount"]
    assert len(set(forward)) == len(forward) == total > 100


# ── fields that Python answers ────────────────────────────────────────────────────────────────────────────────


@strawberry.type
class MixedQuery(CityQueries):
    node: reads.Node | None = reads.by_id("One.")

    @strawberry.field
    async def clock(self, order: reads.OrderDirection = reads.OrderDirection.ASC, day: date = date(2020, 1, 1),
                    tag: LanguageTag = LanguageTag("en")) -> str:  # fmt: skip
        await asyncio.sleep(0)
        return f"{order.value} {day.isoformat()} {tag}"

    @strawberry.field
    def pieces(self) -> list[Piece]:
        return [Piece(number=1), Piece(number=2)]

    @strawberry.field
    def perhaps(self) -> str | None:
        raise ValueError("it broke")

    @strawberry.field
    def surely(self) -> str:
        raise ValueError("it broke")


@strawberry.type
class Piece:
    number: int

    @strawberry.field
    def double(self) -> int:
        return 2 * self.number


@pytest.fixture
def mixed() -> Engine:
    config = StrawberryConfig(scalar_map={LanguageTag: LANGUAGE_TAG})
    return make_engine(strawberry.Schema(MixedQuery, types=[City], config=config))


async def test_one_operation_mixes_sql_python_and_introspection(ask: Asked, mixed: Engine) -> None:
    text = (
        "query($d: OrderDirection, $f: CityOrderField!, $day: Date!, $t: LanguageTag!, $b: Boolean!) { __typename "
        "clock(order: $d, day: $day, tag: $t) cities(first: 1, orderBy: {field: $f, direction: $d}) { nodes { slug } } "
        '...P skipped: clock @skip(if: $b) __type(name: "City") { kind } '
        'city(slug: "seoul") { name(locales: [$t]) { locale } } }'
        "fragment P on MixedQuery { pieces { double number ...Q } } fragment Q on Piece { __typename }"
    )
    for _ in range(2):
        token = tally.set(Tally())
        found = await ask(text, engine=mixed, d="DESC", f="POPULATION", day="2017-06-27", t="ko", b=True)
        assert tally.get().statements == 1  # type: ignore[union-attr]  # it was set
        tally.reset(token)
        assert list(found) == ["__typename", "clock", "cities", "pieces", "__type", "city"]
        assert found["clock"] == "desc 2017-06-27 ko"
        assert found["pieces"][1] == {"double": 4, "number": 2, "__typename": "Piece"}
        assert found["city"]["name"]["locale"] == "ko"
        assert found["__type"] == {"kind": "OBJECT"}


async def test_what_python_cannot_answer_is_null_and_an_error(network: Network, mixed: Engine) -> None:
    async def asked(text: str) -> Any:
        operation = mixed.find(text, None, {})
        run = mixed.run_of(operation, NOBODY, READINGS["Korean"])
        return await mixed.query(network.database.reads, operation, run, None)

    answer = await asked('{ perhaps city(slug: "seoul") { slug } }')
    assert orjson.loads(answer.data) == {"perhaps": None, "city": {"slug": "seoul"}}
    assert answer.errors[0].path == ["perhaps"]
    answer = await asked('{ surely city(slug: "seoul") { slug } }')
    assert answer.data == b"null"  # a field that must be there takes the whole with it (GraphQL, section 6.4.4)
    assert answer.errors[0].path == ["surely"]


@pytest.mark.parametrize(
    ("size", "side", "told"), [("first", "after", "hasPreviousPage"), ("last", "before", "hasNextPage")]
)
async def test_the_row_at_the_cursor_lies_before_the_page(ask: Asked, size: str, side: str, told: str) -> None:
    one = await ask("{ cities(%s: 1) { edges { cursor } pageInfo { %s } } }" % (size, told))
    assert one["cities"]["pageInfo"] == {told: False}
    cursor = one["cities"]["edges"][0]["cursor"]
    next_one = await ask(
        "query($c: String) { cities(%s: 1, %s: $c) { pageInfo { %s } } }" % (size, side, told), c=cursor
    )
    assert next_one["cities"]["pageInfo"] == {told: True}
    beyond = await ask("query($c: String) { cities(%s: 1, %s: $c) { nodes { slug } pageInfo { %s } } }"
                       % (size, "before" if side == "after" else "after", told), c=cursor)  # fmt: skip
    assert beyond["cities"] == {"nodes": [], "pageInfo": {told: False}}
