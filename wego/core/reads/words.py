"""Vocabularies in the public schema: every value of an enum says what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar, overload

import strawberry

T = TypeVar("T", bound=type[Enum])


@overload
def vocabulary(kind: T, *, name: str | None = None, description: str) -> T: ...
@overload
def vocabulary(kind: None = None, *, name: str | None = None, description: str) -> Callable[[T], T]: ...
def vocabulary(kind: T | None = None, *, name: str | None = None, description: str) -> T | Callable[[T], T]:
    """Show a vocabulary in the public schema, each word with what it means. Also as a decorator."""

    def show(words: T) -> T:
        strawberry.enum(words, name=name, description=description)
        describe(words, {word.value: getattr(word, "doc", "") for word in words})
        return words

    return show if kind is None else show(kind)


def describe(words: Any, docs: Mapping[str, str]) -> None:
    """Say of each value of an enum of the schema what it means."""
    for each in words.__strawberry_definition__.values:
        each.description = docs[each.value]
