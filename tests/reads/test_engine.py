"""The read engine, one promise after another: what a stranger cannot do to it, what it answers, what it keeps."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import orjson
import pytest
import strawberry
from graphql import GraphQLObjectType, get_named_type, is_enum_type
from i18n.graphql import LANGUAGE_TAG, LanguageTag
from members.graphql import City, OrderDirection
from members.graphql.cities import CityQueries
from operations import meta_of
from reads_make import READINGS, Network, make_engine
from strawberry.schema.config import StrawberryConfig
from wego.core import reads
from wego.core.access import NOBODY, Actor
from wego.core.context import Reading
from wego.core.db import Tally, tally
from wego.core.errors import CostExceeded, Invalid, Refusal
from wego.core.ids import global_id, new_id
from wego.core.reads import declare
from wego.core.reads.documents import GraphQLErrors, Recent
from wego.core.reads.engine import Engine
from wego.core.writes import WRITE
from wego.schema import schema

SMALL = "{ cities(first: 1) { nodes { slug } } }"


@pytest.fixture
def engine() -> Engine:
    """With the limits of the hub."""
    return make_engine(schema())


Asked = Callable[..., Any]


@pytest.fixture
def ask(network: Network, engine: Engine) -> Asked:
    async def asked(text: str, actor: Actor = NOBODY, reading: Reading | None = None, engine: Engine = engine,
                    **variables: Any) -> Any:  # fmt: skip
        operation = engine.find(text, None, variables)
        run = engine.run_of(operation, actor, reading or READINGS["nobody's wish"])
        answer = await engine.query(network.database.reads, operation, run, None)
        assert answer.errors == []
        return orjson.loads(answer.data)

    return asked


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


# ── what a stranger cannot do ─────────────────────────────────────────────────────────────────────────────────


async def test_a_name_too_long_for_the_database_is_refused_with_the_limit(ask: Asked) -> None:
    assert await ask("{ city(slug: \"seoul\") { %s: slug } }" % ("a" * 63)) == {"city": {"a" * 63: "seoul"}}
    with pytest.raises(Invalid) as refused:
        await ask("{ city(slug: \"seoul\") { %s: slug } }" % ("a" * 64))
    assert refused.value.params["limit"] == 63


@pytest.mark.parametrize(
    "text",
    [
        "{ cities { %s: nodes { slug } } }",
        "{ cities { edges { %s: cursor } } }",
        "{ cities { pageInfo { %s: hasNextPage } } }",
        "{ city(slug: \"seoul\") { name { %s: text } } }",
    ],
)
async def test_a_long_name_is_refused_at_every_place(ask: Asked, text: str) -> None:
    with pytest.raises(Invalid):
        await ask(text % ("a" * 64))


async def test_two_long_names_are_never_cut_to_the_same(ask: Asked) -> None:
    first, second = "b" * 64 + "1", "b" * 64 + "2"
    found = await ask("{ %s: city(slug: \"seoul\") { slug } %s: city(slug: \"chengdu\") { slug } }" % (first, second))
    assert found == {first: {"slug": "seoul"}, second: {"slug": "chengdu"}}  # keys of the root are no SQL names


async def test_depth_is_limited(ask: Asked) -> None:
    def inside(levels: int) -> str:
        body = "slug"
        for _ in range(levels):
            body = "practices(first: 1) { nodes { city { %s } } }" % body
        return '{ city(slug: "seoul") { %s } }' % body

    assert await ask(inside(2))
    with pytest.raises(CostExceeded) as refused:
        await ask(inside(8))
    assert refused.value.params["limit"] == 16


async def test_the_fields_of_one_object_are_limited(ask: Asked) -> None:
    def many(count: int) -> str:
        return '{ city(slug: "seoul") { %s } }' % " ".join(f"a{each}: slug" for each in range(count))

    assert len((await ask(many(100)))["city"]) == 100
    with pytest.raises(CostExceeded) as refused:
        await ask(many(101))
    assert refused.value.params == {"asked": 101, "limit": 100}
    with pytest.raises(CostExceeded):
        await ask("{ %s }" % " ".join(f'a{each}: city(slug: "seoul") {{ slug }}' for each in range(101)))


async def test_all_fields_together_are_limited(ask: Asked) -> None:
    inner = " ".join(f"a{each}: slug" for each in range(90))
    with pytest.raises(CostExceeded) as refused:
        await ask("{ %s } fragment F on City { %s }" % (" ".join(f'c{each}: city(slug: "seoul") {{ ...F }}' for each in range(20)), inner))
    assert refused.value.params["limit"] == 1500


async def test_five_hundred_spreads_of_one_fragment_stay_cheap(ask: Asked) -> None:
    text = '{ city(slug: "seoul") { %s } } fragment F on City { slug name { text } }' % ("...F " * 500)
    assert set((await ask(text))["city"]) == {"slug", "name"}


async def test_fragments_that_double_at_each_step_are_refused(ask: Asked) -> None:
    steps = "".join(
        f"fragment F{each} on City {{ a: practices(first: 1) {{ nodes {{ city {{ ...F{each + 1} }} }} }} "
        f"b: practices(first: 1) {{ nodes {{ city {{ ...F{each + 1} }} }} }} }} "
        for each in range(14)
    )
    with pytest.raises(CostExceeded):
        await ask('{ city(slug: "seoul") { ...F0 } } %s fragment F14 on City { slug }' % steps)


async def test_nested_pages_over_the_limit_are_refused(ask: Asked) -> None:
    text = "query($n: Int) { cities(first: $n) { nodes { practices(first: $n) { nodes { slug city { slug } } } } } }"
    assert await ask(text, n=50)
    with pytest.raises(CostExceeded) as refused:
        await ask(text, n=100)
    assert refused.value.params["limit"] == 20_000
    assert await ask(text, n=2)


@pytest.mark.parametrize("name", ["first", "last"])
async def test_a_page_has_its_bounds(ask: Asked, name: str) -> None:
    for size in (0, 1, 100):
        assert len((await ask(f"{{ cities({name}: {size}) {{ nodes {{ slug }} }} }}"))["cities"]["nodes"]) <= size
    for size in (-1, 101, 2**31 - 1, -(2**31)):
        for text in (f"{{ cities({name}: {size}) {{ totalCount }} }}", f"query($n: Int) {{ cities({name}: $n) {{ totalCount }} }}"):
            with pytest.raises(Invalid) as refused:
                await ask(text, n=size)
            assert refused.value.params["limit"] == 100
            assert refused.value.path == (name,)


async def test_first_and_last_together_are_refused(ask: Asked) -> None:
    with pytest.raises(Invalid):
        await ask("{ cities(first: 1, last: 1) { totalCount } }")
    assert await ask("{ cities(first: null, last: 1) { nodes { slug } } }")
    assert len((await ask("{ cities(first: null, last: null) { nodes { slug } } }"))["cities"]["nodes"]) == 20


def forged(content: Any) -> str:
    raw = content if isinstance(content, bytes) else orjson.dumps(content)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


KEY = "00000000-0000-7000-8000-000000000000"
FORGED = {
    "name": ["", "x", "é", "a" * 1001, "====", "W10", forged(b"\xff\xfe"), forged(["name"]), forged(["population", 1, KEY]),
             forged(["name", 1, KEY]), forged(["name", None, KEY]), forged(["name", ["a"], KEY]), forged(["name", True, KEY]),
             forged(["name", "a", "no key"]), forged(["name", "a", 7]), forged(["name", "a", None]), forged(["name", "a", KEY, 1]),
             forged({"name": 1}), forged(7), forged(None), forged(["name", "a\u0000b", KEY]), forged(b'["name", "\\ud800", "%s"]' % KEY.encode())],
    "population": [forged(["population", each, KEY]) for each in ("a", None, True, [], {}, 2**31, -(2**31) - 1, 2**63, "1e5")]
                  + [forged(b'["population", 1e999, "%s"]' % KEY.encode())],
    "member_since": [forged(["member_since", each, KEY]) for each in
                     ("", "yesterday", 5, None, "2017-01-01", "2017-01-01T00:00:00", "0001-01-01T00:00:00+23:59",
                      "9999-12-31T23:59:59-23:59", "2017-13-01T00:00:00Z", "infinity")],
}  # fmt: skip


@pytest.mark.parametrize(("order", "cursor"), [(order, each) for order, every in FORGED.items() for each in every])
@pytest.mark.parametrize("side", ["after", "before"])
async def test_a_forged_cursor_is_invalid(ask: Asked, order: str, cursor: str, side: str) -> None:
    text = "query($c: String) { cities(first: 2, %s: $c, orderBy: {field: %s}) { nodes { slug } pageInfo { hasNextPage } } }"
    with pytest.raises(Invalid) as refused:
        await ask(text % (side, order.upper()), c=cursor)
    assert refused.value.path == (side,)


async def test_a_date_that_is_none_makes_no_cursor(ask: Asked) -> None:
    for key in ("2017-02-30", "now", 5, None, "2017-01-01T00:00:00"):
        with pytest.raises(Invalid):
            await ask("query($c: String) { history(after: $c) { totalCount nodes { kind } } }", c=forged(["on", key, KEY]))


async def test_a_cursor_is_a_position_and_opens_nothing(ask: Asked, network: Network) -> None:
    text = "query($c: String) { cities(first: 100, after: $c) { nodes { slug } totalCount } }"
    everything = await ask(text, c=forged(["name", "", KEY]))
    assert everything == await ask(text)
    assert everything["cities"]["totalCount"] < (await ask(text, network.actors["an officer"]))["cities"]["totalCount"]


async def test_ids_are_bounded_and_foreign_ones_are_nothing(ask: Asked) -> None:
    text = "query($i: [ID!]!) { nodes(ids: $i) { id } }"
    some = global_id("City", new_id())
    assert await ask(text, i=[some] * 100) == {"nodes": [None] * 100}
    with pytest.raises(Invalid) as refused:
        await ask(text, i=[some] * 101)
    assert refused.value.params["limit"] == 100
    odd = ["", "é", "\x00", "a" * 5000, global_id("Term", new_id()), global_id("Query", new_id()), "Q2l0eTo", some + "=", some[:-1]]
    assert await ask(text, i=odd) == {"nodes": [None] * len(odd)}
    assert await ask(text, i=[]) == {"nodes": []}


async def test_a_list_in_a_filter_is_bounded(ask: Asked) -> None:
    text = "query($c: [String!]) { cities(filter: {country: $c}) { totalCount } }"
    assert await ask(text, c=["KR"] * 100)
    with pytest.raises(Invalid) as refused:
        await ask(text, c=["KR"] * 101)
    assert refused.value.params["limit"] == 100


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "\ud800", "a\udfffb"])
async def test_what_no_database_can_hold_is_invalid(ask: Asked, text: str) -> None:
    for query in (
        "query($s: String!) { city(slug: $s) { slug } }",
        "query($s: String!) { cities(filter: {nameContains: $s}) { totalCount } }",
        "query($s: String!) { cities(filter: {country: [$s]}) { totalCount } }",
    ):
        with pytest.raises(Invalid):
            await ask(query, s=text)
    with pytest.raises(Refusal):
        await ask('{ city(slug: "a\\u0000b") { slug } }')


async def test_times_at_the_end_of_time_are_compared_all_the_same(ask: Asked) -> None:
    text = "query($t: DateTime) { practices(filter: {publishedAfter: $t}) { totalCount } }"
    every = (await ask(text))["practices"]["totalCount"]
    assert every > 0
    for moment, found in (("0001-01-01T00:00:00+23:59", every), ("9999-12-31T23:59:59-23:59", 0), ("2017-01-01T00:00:00", every)):
        assert (await ask(text, t=moment))["practices"]["totalCount"] == found


async def test_a_document_is_bounded_in_tokens(ask: Asked) -> None:
    with pytest.raises(CostExceeded) as refused:
        await ask("{ %s }" % ("__typename " * 5000))
    assert refused.value.params["limit"] == 4000
    with pytest.raises((GraphQLErrors, CostExceeded)):
        await ask("{ a" * 1900 + " }" * 1900)


async def test_a_refused_page_leaves_no_plan(ask: Asked) -> None:
    text = "query($n: Int) { cities(first: $n) { nodes { slug } } }"
    with pytest.raises(Invalid):
        await ask(text, n=1000)
    assert len((await ask(text, n=3))["cities"]["nodes"]) == 3
    with pytest.raises(Invalid):
        await ask(text, n=1000)


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
    assert await ask("query($b: Boolean!) { city(slug: \"seoul\") @include(if: $b) { slug } }", b=False) == {}
    assert tally.get().statements == 0  # type: ignore[union-attr]  # it was set
    tally.reset(token)


async def test_only_values_that_are_used_are_bound(network: Network, engine: Engine) -> None:
    text = "{ cities(first: 2) { nodes { name { text } } } }"
    operation = engine.find(text, None, {})
    plan = engine._plan(operation, engine.run_of(operation, NOBODY, READINGS["Korean"]))
    places = {f"${number + 1}::" for number in range(len(plan.binders))}
    assert len(plan.binders) == 1  # the reading list; not the one that tells fallbacks
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
    cursor = (await ask("{ cities(first: 1) { edges { cursor } } }"))["cities"]["edges"][0]["cursor"]
    before = len(made)
    assert (await slugs(n=3, a=cursor))[:2] == three[1:]
    assert len(made) == before + 1
    assert await slugs(network.actors["the CIO of Seoul"], n=3) == three
    assert len(made) == before + 2
    assert await slugs(network.actors["the CIO of Seoul"], n=3) == three
    assert await slugs(reading="Chinese of Taiwan, then Arabic", n=3) == three
    assert len(made) == before + 3


async def test_two_readers_of_one_shape_share_a_plan_and_see_their_own(ask: Asked, engine: Engine, network: Network,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    made = compiled(engine, monkeypatch)
    text = "{ viewer { person { email } posts { city { slug } } } people(first: 3) { nodes { email } } }"
    seoul = await ask(text, network.actors["the CIO of Seoul"])
    assert len(made) == 1
    other = await ask(text, Actor(network.actors["the CIO of Seoul"].kind, "other",
                                  network.actors["the head of Barcelona"].person_id,
                                  tuple(type(post)(network.actors["the CIO of Seoul"].posts[0].role, post.city_id)
                                        for post in network.actors["the head of Barcelona"].posts)))  # fmt: skip
    assert len(made) == 1
    assert seoul["viewer"]["person"]["email"] == "cio@seoul.demo"
    assert other["viewer"]["person"]["email"] == "head@barcelona.demo"
    assert other["people"]["nodes"]
    assert not {each["email"] for each in seoul["people"]["nodes"]} & {each["email"] for each in other["people"]["nodes"]}


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


def test_the_store_of_plans_is_bounded() -> None:
    recent: Recent[int, int] = Recent(3)
    for each in range(5):
        recent.put(each, each)
        recent.get(2)
    assert len(recent) == 3
    assert recent.get(2) == 2
    assert recent.get(0) is None


# ── names and values ──────────────────────────────────────────────────────────────────────────────────────────

WORDS = ("select", "o", "c", "a", "r", "q", "u", "n", "e", "rn", "t1", "t2", "x1", "a0", "more", "cursor", "from", "order",
         "null", "user", "payload", "start_cursor", "_", "__a", "nothing", "SELECT", "Select", "json_agg", "c_1")  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
async def test_a_word_of_sql_is_a_good_name_anywhere(ask: Asked, word: str) -> None:
    inner = f'{word}: city(slug: "seoul") {{ {word}: name {{ {word}: text }} }}'
    assert await ask(f"{{ {inner} }}") == {word: {word: {word: "Seoul"}}}
    found = await ask(
        f'query($s: ID!) {{ {word}: cities(first: 1) {{ {word}: edges {{ {word}: node {{ {word}: names {{ {word}: locale }} }} }} }} '
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


@pytest.mark.parametrize("text", ["'", "''; drop table city; --", '"', "\\", "{t}", "{0}", "%s", "$1", "$1::text", "서울", "\u202e", "\n", "a" * 5000])
async def test_quotes_and_braces_are_only_text(ask: Asked, text: str) -> None:
    for found in (
        await ask("query($s: String!) { city(slug: $s) { slug } }", s=text),
        await ask("{ city(slug: %s) { slug } }" % orjson.dumps(text).decode()),
    ):
        assert found == {"city": None}
    assert await ask("query($s: String!) { cities(filter: {country: [$s]}) { totalCount nodes { slug } } }", s=text) == {
        "cities": {"totalCount": 0, "nodes": []}
    }


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
        page = (await ask("query($c: String) { cities(first: 40, after: $c, orderBy: %s) { nodes { slug } pageInfo { hasNextPage endCursor hasPreviousPage } } }" % order, c=cursor))["cities"]
        assert page["pageInfo"]["hasPreviousPage"] == bool(forward)
        forward += [each["slug"] for each in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    backward: list[str] = []
    cursor, more = None, True
    while more:
        page = (await ask("query($c: String) { cities(last: 40, before: $c, orderBy: %s) { nodes { slug } pageInfo { hasPreviousPage startCursor hasNextPage } } }" % order, c=cursor))["cities"]
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
    async def clock(self, order: OrderDirection = OrderDirection.ASC, day: date = date(2020, 1, 1),
                    tag: LanguageTag = LanguageTag("en")) -> str:  # fmt: skip
        await asyncio.sleep(0)
        return f"{order.value} {day.isoformat()} {tag}"

    @strawberry.field
    def pieces(self) -> list["Piece"]:
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
        "...P skipped: clock @skip(if: $b) __type(name: \"City\") { kind } "
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


# ── the declared schema ───────────────────────────────────────────────────────────────────────────────────────

MADE_BY_THE_ENGINE = ("Connection", "Edge")


def object_types() -> list[Any]:
    every = schema()._schema.type_map.values()
    return [each for each in every if isinstance(each, GraphQLObjectType) and not each.name.startswith("__")]


def test_every_field_of_the_schema_says_what_it_is_in_sql() -> None:
    silent, mutation = [], schema()._schema.mutation_type
    for gtype in object_types():
        if gtype is mutation or gtype.name.endswith(MADE_BY_THE_ENGINE):
            continue
        silent += [f"{gtype.name}.{name}" for name, each in gtype.fields.items() if meta_of(each) is None]
    assert silent == []


def test_every_mutation_says_what_it_does() -> None:
    mutation: Any = schema()._schema.mutation_type
    for name, each in mutation.fields.items():
        assert callable(each.extensions["strawberry-definition"].metadata[WRITE]), name
        assert list(each.args) == ["input"], name


def test_every_condition_of_a_filter_says_what_it_is_in_sql() -> None:
    for gtype in object_types():
        for field in gtype.fields.values():
            if "filter" in field.args:
                given: Any = get_named_type(field.args["filter"].type)
                for name, each in given.fields.items():
                    assert isinstance(meta_of(each), declare.Condition), f"{given.name}.{name}"


def test_every_order_has_its_word_and_a_key_that_a_cursor_can_carry() -> None:
    from wego.core.reads import cursors

    for gtype in object_types():
        for name, field in gtype.fields.items():
            meta = meta_of(field)
            if isinstance(meta, declare.Edges):
                assert meta.default[0] in meta.orders, f"{gtype.name}.{name}"
                assert meta.default[1] in ("asc", "desc")
                assert {each.cast for each in meta.orders.values()} <= set(cursors._READERS), f"{gtype.name}.{name}"
                if "orderBy" in field.args:
                    kind: Any = get_named_type(field.args["orderBy"].type)
                    by: Any = get_named_type(kind.fields["field"].type)
                    assert {getattr(each.value, "value", each.value) for each in by.values.values()} == set(meta.orders)


def test_every_word_of_a_vocabulary_is_its_value_in_upper_case() -> None:
    seen = 0
    for kind in schema()._schema.type_map.values():
        if is_enum_type(kind) and not kind.name.startswith("__"):
            for word, each in kind.values.items():
                stored = getattr(each.value, "value", each.value)
                assert word == stored.upper().replace("-", "_"), f"{kind.name}.{word}"
                seen += 1
    assert seen > 50


async def test_every_value_of_a_vocabulary_comes_back_as_its_word(network: Network) -> None:
    """By the engine's own expression, for every enum field of the schema."""
    checked = set()
    for gtype in object_types():
        for field in gtype.fields.values():
            kind: Any = get_named_type(field.type)
            if is_enum_type(kind) and kind.name not in checked:
                checked.add(kind.name)
                for word, each in kind.values.items():
                    stored = getattr(each.value, "value", each.value)
                    found = await network.database.reads.fetchval("select upper(replace($1::text, '-', '_'))", stored)
                    assert found == word
    assert len(checked) > 10


async def test_enums_of_filters_find_what_fields_show(ask: Asked, network: Network) -> None:
    officer = network.actors["an officer"]
    text = "{ a: cities(first: 100) { nodes { ...F } pageInfo { endCursor } } b: cities(last: 100) { nodes { ...F } } totals: cities { totalCount } } fragment F on City { slug region membership { status } }"
    answer = await ask(text, officer)
    middle = await ask("query($c: String) { cities(after: $c, first: 100) { nodes { slug region membership { status } } } }",
                       officer, c=answer["a"]["pageInfo"]["endCursor"])  # fmt: skip
    known = {each["slug"]: each for each in (*answer["a"]["nodes"], *answer["b"]["nodes"], *middle["cities"]["nodes"])}
    every = list(known.values())
    assert len(every) == answer["totals"]["totalCount"]
    for name, found in (("region", lambda each: each["region"]), ("membershipStatus", lambda each: each["membership"]["status"])):
        for word in {found(each) for each in every}:
            count = await ask("{ cities(filter: {%s: [%s]}) { totalCount } }" % (name, word), officer)
            assert count["cities"]["totalCount"] == sum(found(each) == word for each in every)


def test_names_of_fields_fit_into_the_database() -> None:
    for gtype in object_types():
        assert all(len(name.encode()) <= 63 for name in gtype.fields)


async def test_a_cursor_of_the_longest_key_is_read_back(network: Network, ask: Asked) -> None:
    """A sort key may be as long as its text: the cursor that is handed out must be taken back."""
    from wego.core.reads import cursors

    longest = "가" * 200
    made = await network.database.reads.fetchval(
        f"select {cursors.sql('name', '$1::text', '$2::uuid')}", longest, new_id()
    )
    assert cursors.read(made, "name", "text", ("after",))[0] == longest
    at = datetime.fromisoformat("2017-06-27T09:00:00.123456+00:00")
    made = await network.database.reads.fetchval(
        f"select {cursors.sql('since', '$1::timestamptz', '$2::uuid')}", at, new_id()
    )
    assert cursors.read(made, "since", "timestamptz", ("after",))[0] == at
