"""What a room shows of itself in the API: said in its `graphql` package, joined to one schema by `wego.schema`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wego.core import reads


@dataclass(frozen=True)
class Exposed:
    """The types of a room, its roots, and what it adds to the types of rooms below."""

    types: tuple[type, ...] = ()
    queries: tuple[type, ...] = ()
    mutations: tuple[type, ...] = ()
    additions: Mapping[type, type] = field(default_factory=dict)


def join(query: type, mutation: type, rooms: Iterable[Exposed]) -> list[type]:
    """Put the roots and the additions of rooms together; the types that they bring. Safe to call again."""
    types: list[type] = []
    for room in rooms:
        reads.extend(query, *room.queries)
        reads.extend(mutation, *room.mutations)
        for lower, more in room.additions.items():
            reads.extend(lower, more)
        types += room.types
    return types
