"""Who may see a thing: the predicate beside its noun, which reads and services share.

    @reads.visible(Practice, missing=lambda: NotFound("There is no such practice, or you may not see it."))
    def visible_practice(q: Query, t: str) -> str | None: …      # None: everybody; "false": nobody

    @reads.table(Practice)                     # a read puts the predicate into its statement
    await reads.locate(db, actor, Practice, …)    # a service reaches the thing through it

A noun without a predicate cannot be located, so that nobody forgets to say who may see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import inspect
from sqlmodel import SQLModel

from wego.core.errors import NotFound
from wego.core.reads.metadata import Visible

V = TypeVar("V", bound=Visible)


def _missing() -> NotFound:
    return NotFound("There is nothing of this name, or you may not see it.")


@dataclass(frozen=True, slots=True)
class Sight:
    """Who sees a noun, and what is said where there is none, or none for the actor."""

    predicate: Visible
    missing: Callable[[], NotFound]


_SIGHTS: dict[type[SQLModel], Sight] = {}


def visible(model: type[SQLModel], *, missing: Callable[[], NotFound] = _missing) -> Callable[[V], V]:
    """Declare the predicate of a noun."""

    def declare(predicate: V) -> V:
        _SIGHTS[model] = Sight(predicate, missing)
        return predicate

    return declare


def sight_of(model: type[SQLModel]) -> Sight:
    """The predicate of a noun; a mistake of ours where it has none."""
    found = _SIGHTS.get(model)
    if found is None:
        raise TypeError(f"{model.__name__} does not say who may see it: declare it with reads.visible")
    return found


def key_of(model: type[SQLModel]) -> str:
    """The name of the column that is the key of a noun."""
    (column, *_) = inspect(model).primary_key
    return str(column.name)
