"""The whole schema: the packages' types joined, and the SDL on file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from i18n.language.graphql import LANGUAGE_TAG, LanguageTag
from i18n.language.vocabularies import VocabularyQueries
from members import graphql as members
from practices import graphql as practices
from wego.core import reads
from wego.core.scalars import SCALARS
from wego.core.writes import WRITE

SDL = Path(__file__).parent / "schema.graphql"


@strawberry.type(description="Everything that can be asked.")
class Query:
    node: reads.Node | None = reads.by_id("The thing with this global id; null when there is none for the reader.")
    nodes: list[reads.Node | None] = reads.by_id("The things with these global ids, in their order.", many=True)


@strawberry.type(description="Everything that can be done. Each takes one input and tells its problems.")
class Mutation:
    pass


def _join() -> None:
    """Put the packages' roots and additions together."""
    reads.extend(Query, VocabularyQueries, members.MemberQueries, practices.PracticeQueries)
    reads.extend(Mutation, members.MemberMutations, practices.PracticeMutations)
    practices.extend_lower_types()


@cache
def schema() -> strawberry.Schema:
    """The schema of this process."""
    _join()
    return strawberry.Schema(
        Query,
        Mutation,
        types=[*members.TYPES, *practices.TYPES],
        config=StrawberryConfig(scalar_map={LanguageTag: LANGUAGE_TAG, **SCALARS}),
    )


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
