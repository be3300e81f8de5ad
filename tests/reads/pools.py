"""Values for random operations, taken from the database: codes, ids of every kind of node, cursors of real rows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from wego.core.reads import metadata

TAGS = (
    "en",
    "ko",
    "zh-Hans",
    "ar",
    "fr",
    "es",
    "ru",
    "de",
    "th",
    "pt-BR",
    "zh-TW",
    "sr-Latn",
    "ja",
    "mn",
    "sw",
    "ko-KR",
)


VOCABULARIES = frozenset({"country", "themes", "sdg", "kind", "technologies"})


class Pools:
    """Values that occur, by the name of the argument or input field, else by the name of the scalar. No dataclass,
    because hypothesis would show all of it."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.by_name: dict[str, list[Any]] = {}
        self.by_type: dict[str, list[Any]] = {}
        self.cursors: dict[tuple[str, str], list[str]] = {}

    def of(self, name: str, kind: str) -> Sequence[Any]:
        if kind == "String" or (kind == "ID" and name in self.by_name):
            return self.by_name.get(name) or self.by_type["String"]
        return self.by_type[kind]


def _global_id(name: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{name}:{key}".encode()).decode().rstrip("=")


def _cursor(*parts: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _spread(values: list[Any], most: int) -> list[Any]:
    """At most so many of them, evenly."""
    return values if len(values) <= most else [values[at * len(values) // most] for at in range(most)]


def table_of(gtype: Any) -> metadata.Table | None:
    backing = (gtype.extensions or {}).get("strawberry-definition")
    return getattr(getattr(backing, "origin", None), "__sql_table__", None)


def meta_of(definition: Any) -> Any:
    backing = (definition.extensions or {}).get("strawberry-definition")
    return (getattr(backing, "metadata", None) or {}).get(metadata.META)


def fill_pools(schema: GraphQLSchema, connection: psycopg.Connection[Any], named: dict[str, str]) -> Pools:
    """Pools of the values that are in the database. `named` says where those of a name come from, as SQL."""

    def column(sql: str) -> list[Any]:
        return [row[0] for row in connection.execute(sql.encode())]

    pools = Pools(schema)
    odd = ["", "nowhere", "'", '"', "\\", "{t}", "$1::text", "%s", "서울", "\u202e", "a\nb"]
    for name, sql in named.items():
        # Of a vocabulary only its words are taken; that others are refused, test_limits says.
        pools.by_name[name] = [*_spread(column(sql), 40), *(() if name in VOCABULARIES else odd[:4])]
    pools.by_type = {
        "String": [*odd, *_spread([each for values in pools.by_name.values() for each in values], 40)],
        "Int": [0, 1, 2, 11, 100_000, 1_000_000, 10_000_000, 2**31 - 1, -5],
        "Float": [0.0, 1.5, -3.25, 100.0],
        "Boolean": [True, False],
        "Date": ["2008-01-01", "2010-09-07", "2014-11-03", "2017-06-27", "2026-01-01"],
        "DateTime": ["2010-09-07T09:00:00+00:00", "2017-06-27T09:00:00Z", "2025-03-01T00:00:00+09:00"],
        "UUID": ["00000000-0000-0000-0000-000000000000"],
        "Decimal": ["0", "1.50"],
        "LanguageTag": list(TAGS),
        "Cursor": [_cursor(0, 0, 0, 0), _cursor(5, 2, 1, 7), _cursor(2**40, 2**40, 3, 4)],  # none is sealed
        "ID": _ids(schema, column),
    }
    _fill_cursors(schema, connection, pools)
    return pools


def _ids(schema: GraphQLSchema, column: Callable[[str], list[Any]]) -> list[str]:
    found = [
        "",
        "zz",
        "MTIz",
        _global_id("City", "00000000-0000-0000-0000-000000000000"),
        _global_id("Query", "0" * 32),
    ]
    for gtype in schema.type_map.values():
        rows = table_of(gtype)
        if rows and isinstance(gtype, GraphQLObjectType) and any(each.name == "Node" for each in gtype.interfaces):
            keys = column(f"select n.{rows.key}::text from {rows.source.format(t='n')} order by n::text, 1")
            found += [_global_id(gtype.name, key) for key in _spread(keys, 25)]
    return found


def _fill_cursors(schema: GraphQLSchema, connection: psycopg.Connection[Any], pools: Pools) -> None:
    for gtype in schema.type_map.values():
        for definition in getattr(gtype, "fields", {}).values():
            meta = meta_of(definition)
            if isinstance(meta, metadata.Edges):
                connected: Any = get_named_type(definition.type)
                node: Any = get_named_type(connected.fields["nodes"].type)
                for order, by in meta.orders.items():
                    pools.cursors[node.name, order] = _cursors(connection, node, order, by)


def _cursors(connection: psycopg.Connection[Any], node: Any, order: str, by: metadata.Order) -> list[str]:
    rows = table_of(node)
    assert rows
    key, source = by.sql.format(t="n", p="n"), (by.source or rows.source).format(t="n", locale="'en'")
    sql = f"select to_json({key}), n.{rows.key}::text from {source} order by {key}, 2"
    found = _spread(list(connection.execute(sql.encode())), 30)
    crossed = [(found[0][0], found[-1][1]), (found[-1][0], found[0][1])] if found else []
    ends = [found[0], found[-1]] * 5 if found else []  # where pages end, most can go wrong
    name = f"{order}.en" if by.by_language else order
    packed = [json.dumps([name, key, row], ensure_ascii=False) for key, row in (*found, *crossed, *ends)]
    return [base64.urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in packed]
