"""The whole schema: the packages' types joined, and the SDL on file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from i18n.language.graphql import LANGUAGE_TAG, LanguageTag
from wego import packages
from wego.core import reads
from wego.core.rooms import join
from wego.core.scalars import SCALARS
from wego.core.writes import WRITE

SDL = Path(__file__).parent / "schema.graphql"


@strawberry.type(description="The `Query` type holds everything that can be asked.")
class Query:
    node: reads.Node | None = reads.by_id(
        "This is the thing with this global id; it is null when there is none for the reader."
    )
    nodes: list[reads.Node | None] = reads.by_id(
        "These are the things with these global ids, in the same order; null stands where there is none "
        "for the reader.",
        many=True,
    )


@strawberry.type(
    description="The `Mutation` type holds everything that can be done; each takes one input and tells its problems."
)
class Mutation:
    pass


@cache
def schema() -> strawberry.Schema:
    """The schema of this process."""
    types = join(Query, Mutation, (room.EXPOSED for room in packages.brought("graphql")))
    config = StrawberryConfig(scalar_map={LanguageTag: LANGUAGE_TAG, **SCALARS})
    return strawberry.Schema(Query, Mutation, types=types, config=config)


@cache
def sdl() -> str:
    return str(schema().as_str()) + "\n"


def mutations() -> dict[str, Any]:
    """Every mutation by its GraphQL name, with the function that does it."""
    root = schema()._schema.mutation_type  # the graphql-core schema is where names are final
    assert root is not None
    return {
        name: definition.extensions["strawberry-definition"].metadata[WRITE] for name, definition in root.fields.items()
    }
