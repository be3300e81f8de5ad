"""What a stranger cannot do to the read engine: every limit, forged cursors and ids, what no database can hold."""

# ruff: noqa: E501, UP031 -- operations read best in one line, and are full of braces

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from graphql import get_named_type, is_list_type
from pools import meta_of
from reads_make import Asked, Network

from wego.core.errors import CostExceeded, Invalid, Refusal
from wego.core.ids import global_id, new_id
from wego.core.reads.documents import GraphQLErrors
from wego.schema import schema


async def test_a_name_too_long_for_the_database_is_refused_with_the_limit(ask: Asked) -> None:
    assert await ask('{ city(slug: "seoul") { %s: slug } }' % ("a" * 63)) == {"city": {"a" * 63: "seoul"}}
    with pytest.raises(Invalid) as refused:
        await ask('{ city(slug: "seoul") { %s: slug } }' % ("a" * 64))
    assert refused.value.params["limit"] == 63


@pytest.mark.parametrize(
    "text",
    [
        "{ cities { %s: nodes { slug } } }",
        "{ cities { edges { %s: cursor } } }",
        "{ cities { pageInfo { %s: hasNextPage } } }",
        '{ city(slug: "seoul") { name { %s: text } } }',
    ],
)
async def test_a_long_name_is_refused_at_every_place(ask: Asked, text: str) -> None:
    with pytest.raises(Invalid):
        await ask(text % ("a" * 64))


async def test_two_long_names_are_never_cut_to_the_same(ask: Asked) -> None:
    first, second = "b" * 64 + "1", "b" * 64 + "2"
    found = await ask('{ %s: city(slug: "seoul") { slug } %s: city(slug: "chengdu") { slug } }' % (first, second))
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
        await ask(
            "{ %s } fragment F on City { %s }"
            % (" ".join(f'c{each}: city(slug: "seoul") {{ ...F }}' for each in range(20)), inner)
        )
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


@pytest.mark.parametrize(
    "text",
    [
        '{ city(slug: "seoul") { %s } }' % ("name { text } " * 900),
        "{ %s }" % ('city(slug: "seoul") { country { code } } ' * 250),
        '{ city(slug: "seoul") { %s } } %s'
        % (
            " ".join(f"...F{each}" for each in range(200)),
            " ".join(f"fragment F{each} on City {{ name {{ text }} }}" for each in range(200)),
        ),
        '{ city(slug: "seoul") { ...F } } fragment F on City { practices { nodes { city { ...F } } } }',
    ],
)
async def test_what_would_take_long_to_validate_is_refused_before(ask: Asked, text: str) -> None:
    with pytest.raises(CostExceeded) as refused:
        await ask(text)
    assert refused.value.params["limit"] == 10_000


async def test_a_field_may_be_repeated_a_few_times(ask: Asked) -> None:
    assert await ask('{ city(slug: "seoul") { %s } }' % ("name { text } " * 60)) == {
        "city": {"name": {"text": "Seoul"}}
    }


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
        for text in (
            f"{{ cities({name}: {size}) {{ totalCount }} }}",
            f"query($n: Int) {{ cities({name}: $n) {{ totalCount }} }}",
        ):
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
FORGED: dict[str, list[str]] = {
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
            await ask(
                "query($c: String) { history(after: $c) { totalCount nodes { kind } } }", c=forged(["on", key, KEY])
            )


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
    odd = [
        "",
        "é",
        "\x00",
        "a" * 5000,
        global_id("Term", new_id()),
        global_id("Query", new_id()),
        "Q2l0eTo",
        some + "=",
        some[:-1],
    ]
    assert await ask(text, i=odd) == {"nodes": [None] * len(odd)}
    assert await ask(text, i=[]) == {"nodes": []}


async def test_a_list_in_a_filter_is_bounded(ask: Asked) -> None:
    text = "query($c: [String!]) { cities(filter: {country: $c}) { totalCount } }"
    assert await ask(text, c=["KR"] * 100)
    with pytest.raises(Invalid) as refused:
        await ask(text, c=["KR"] * 101)
    assert refused.value.params["limit"] == 100


def conditions() -> list[tuple[str, str, Any, bool]]:
    """(root field, field of its filter, its declaration, whether it is a list) of every filter that takes a text."""
    found = []
    query: Any = schema()._schema.query_type
    for root, field in query.fields.items():
        if "filter" in field.args:
            for name, each in get_named_type(field.args["filter"].type).fields.items():
                if get_named_type(each.type).name == "String":
                    found.append((root, name, meta_of(each), is_list_type(each.type)))
    return found


@pytest.mark.parametrize(("root", "name", "meta", "many"), conditions())
async def test_a_text_of_a_filter_is_bounded(
    ask: Asked, network: Network, root: str, name: str, meta: Any, many: bool
) -> None:
    """Before anything is asked: each text, and each in a list; in the filter of a root and of what lies within."""
    officer = network.actors["an officer"]
    for longest, text in ((200, "a" * 201), (200, "가" * 201)):
        given: Any = [known_word(name), text] if many else text
        with pytest.raises(Invalid) as refused:
            await ask(
                "query($f: %s) { %s(filter: $f) { totalCount } }" % (filter_of(root), root), officer, f={name: given}
            )
        assert refused.value.params["limit"] == longest
        assert refused.value.path == ("filter", name, *((1,) if many else ()))
    if meta.known is None:
        accepted: Any = ["a" * 200] if many else "a" * 200
        await ask(
            "query($f: %s) { %s(filter: $f) { totalCount } }" % (filter_of(root), root), officer, f={name: accepted}
        )


def filter_of(root: str) -> str:
    query: Any = schema()._schema.query_type
    return str(query.fields[root].args["filter"].type)


def known_word(name: str) -> str:
    known = {"country": "KR", "themes": "2020.mobility", "sdg": "16.10", "kind": "assembly", "technologies": "wiki"}
    return known.get(name, "seoul")


VOCABULARIES = {
    ("practices", "country"), ("practices", "themes"), ("practices", "sdg"), ("cities", "country"),
    ("practices", "technologies"),
    ("applications", "country"), ("organisations", "country"), ("history", "kind"),
}  # fmt: skip
UNKNOWN = {
    "country": ["kr", "KOR", "", "ZZ", "EU", "K\u200bR"],
    "themes": ["mobility", "2020", "2020.Mobility", ""],
    "sdg": ["99", "0", "18", "016", "16.11", "16.c", "SDG16", ""],
    "kind": ["Assembly", "party", ""],
    "technologies": ["Wiki", "open source", "-", ""],
}


def test_every_text_of_a_filter_is_a_free_one_or_of_a_vocabulary() -> None:
    """Names of cities may be absent, as what may not be seen is; all other lists of words are closed."""
    assert {(root, name) for root, name, meta, _ in conditions() if meta.known} == VOCABULARIES
    free = {(root, name) for root, name, meta, _ in conditions() if not meta.known}
    assert free == {("practices", "city"), ("practices", "cities"), ("practices", "titleContains"), ("practices", "keywords"),
                    ("cities", "nameContains"), ("organisations", "nameContains"), ("people", "email")}  # fmt: skip


@pytest.mark.parametrize(("root", "name"), sorted(VOCABULARIES))
async def test_a_word_that_is_none_is_refused_with_its_place(
    ask: Asked, network: Network, root: str, name: str
) -> None:
    officer = network.actors["an officer"]
    text = "query($f: %s) { %s(filter: $f) { nodes { __typename } } }" % (filter_of(root), root)
    assert await ask(text, officer, f={name: [known_word(name)]})
    for word in UNKNOWN[name]:
        for given in ([word], [known_word(name), word]):
            with pytest.raises(Invalid) as refused:
                await ask(text, officer, f={name: given})
            assert refused.value.path == ("filter", name, len(given) - 1)
            assert refused.value.params["value"] == word


async def test_a_word_that_is_none_is_refused_in_a_literal_and_within(ask: Asked) -> None:
    for text in (
        '{ practices(filter: {country: ["kr"]}) { totalCount } }',
        '{ city(slug: "seoul") { practices(filter: {themes: ["mobility"]}) { nodes { slug } } } }',
        '{ cities(first: 2) { nodes { practices(filter: {sdg: ["99"]}) { totalCount } } } }',
    ):
        with pytest.raises(Invalid):
            await ask(text)
    assert await ask('{ practices(filter: {cities: ["nowhere"]}) { totalCount } }') == {"practices": {"totalCount": 0}}


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
    for moment, found in (
        ("0001-01-01T00:00:00+23:59", every),
        ("9999-12-31T23:59:59-23:59", 0),
        ("2017-01-01T00:00:00", every),
    ):
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
