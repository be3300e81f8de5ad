"""The declared schema, walked through: everything says what it is in SQL, and words and values agree."""

# ruff: noqa: E501, UP031 -- operations read best in one line, and are full of braces

from __future__ import annotations

from datetime import datetime
from typing import Any

from graphql import GraphQLObjectType, get_named_type, is_enum_type
from pools import meta_of
from reads_make import Asked, Network

from wego.core.ids import new_id
from wego.core.reads import metadata
from wego.core.writes import WRITE
from wego.schema import schema

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
                    assert isinstance(meta_of(each), metadata.Condition), f"{given.name}.{name}"


def test_every_order_has_its_word_and_a_key_that_a_cursor_can_carry() -> None:
    from wego.core.reads import cursors

    for gtype in object_types():
        for name, field in gtype.fields.items():
            meta = meta_of(field)
            if isinstance(meta, metadata.Edges):
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
    for name, found in (
        ("region", lambda each: each["region"]),
        ("membershipStatus", lambda each: each["membership"]["status"]),
    ):
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
