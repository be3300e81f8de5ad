"""Asking a whole schema for everything: one document that selects every field of a type, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_object_type,
)

DEEPEST = 4  # objects within objects
# Edges to a thing that is not asked for its own predicate: what lies behind it is walked as well.
OPEN = frozenset({"Practice.city", "Viewer.person", "CityCount.city"})
VERSIONS = range(1, 5)  # numbers that `since` is tried with
PLAIN = frozenset({"Connection", "Edge", "PageInfo"})


def selection(gtype: Any, path: tuple[str, ...] = ()) -> str:
    """Every field of a type and of the types below it; a type is not entered again within itself. Rows with an id are
    walked from their id, so within another row they are only touched."""
    parts = ["__typename"]
    for name, definition in gtype.fields.items():
        target = get_named_type(definition.type)
        if not is_object_type(target):
            parts.append(name)
        elif target.name.endswith("Connection"):
            parts.append(_page(name, target, (*path, gtype.name)))
        elif target.name not in (*path, gtype.name) and len(path) < DEEPEST:
            touched = "id" in target.fields and f"{gtype.name}.{name}" not in OPEN
            inner = "{ __typename id }" if touched else selection(target, (*path, gtype.name))
            parts += [f"{alias}{name}{given} {inner}" for alias, given in _ways(name, definition)]
    return "{ " + " ".join(parts) + " }"


def listing(name: str, definition: GraphQLField) -> str:
    """A list at the root. Rows that have an id are asked for everything by that; of others it is asked here."""
    connection: Any = get_named_type(definition.type)
    node = get_named_type(connection.fields["nodes"].type)
    nodes = "{ __typename id }" if "id" in node.fields else selection(node)
    page = f"totalCount pageInfo {{ endCursor }} edges {{ cursor }} nodes {nodes} {_facets(connection)}"
    return f"{name}(first: 100) {{ {page} }}"


def _facets(connection: Any) -> str:
    """Of which values there are how many, where the list tells."""
    if "facets" not in connection.fields:
        return ""
    return f"facets {selection(get_named_type(connection.fields['facets'].type))}"


def _page(name: str, connection: Any, path: tuple[str, ...]) -> str:
    node = get_named_type(connection.fields["nodes"].type)
    nodes = " nodes { __typename id }" if "id" in node.fields else f" nodes {selection(node, path)}"
    return f"{name}(first: 100) {{ totalCount edges {{ cursor node {{ __typename }} }}{nodes} }}"


def _ways(name: str, definition: GraphQLField) -> Iterator[tuple[str, str]]:
    """Every way in which a field can show something else: in another language, since another version."""
    yield "", ""
    if "locales" in definition.args:
        yield from ((f"{name}_{tag}: ", f'(locales: ["{tag}"])') for tag in ("ko", "fr"))
    if "since" in definition.args:
        yield from ((f"{name}_{number}: ", f"(since: {number})") for number in VERSIONS)


def fields_of(schema: GraphQLSchema) -> list[str]:
    """`Type.field` of all that can be read, in the order of the schema; the machinery of lists left out."""
    found: dict[str, None] = {}
    waiting: list[GraphQLNamedType] = [schema.query_type] if schema.query_type else []
    seen = set()
    while waiting:
        gtype: Any = waiting.pop(0)
        if gtype.name in seen:
            continue
        seen.add(gtype.name)
        for name, definition in gtype.fields.items():
            target = get_named_type(definition.type)
            if not gtype.name.endswith(tuple(PLAIN)):
                found[f"{gtype.name}.{name}"] = None
            if is_object_type(target):
                waiting.append(target)
            elif hasattr(target, "fields") and not is_input(target):
                waiting += schema.get_possible_types(target)  # type: ignore[arg-type]  # an interface
    return list(found)


def is_input(gtype: Any) -> bool:
    return type(gtype).__name__ == "GraphQLInputObjectType"


def shown(schema: GraphQLSchema, gtype: Any, value: Any, found: set[str]) -> None:
    """Collect `Type.field` of everything in an answer that is neither null nor empty."""
    if isinstance(value, list):
        for each in value:
            shown(schema, gtype, each, found)
        return
    if not isinstance(value, dict):
        return
    gtype = schema.type_map.get(value.get("__typename", ""), gtype)
    for key, inner in value.items():
        name = key.partition("_")[0] if key != "__typename" else ""
        definition = getattr(gtype, "fields", {}).get(name)
        if definition is None:
            continue
        if inner not in (None, [], {}) and not gtype.name.endswith(tuple(PLAIN)):
            found.add(f"{gtype.name}.{name}")
        shown(schema, get_named_type(definition.type), inner, found)
