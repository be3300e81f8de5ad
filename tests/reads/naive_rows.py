"""What the naive interpreter stands on: small statements whose answers are kept, values as SQL text, the reader's
rights as literals, and a row in scope as a chain of FROM items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import psycopg

from wego.core.access import Actor, Permission
from wego.core.context import Reading
from wego.core.reads import metadata


class Session:
    """Runs small statements; psycopg returns JSON as Python values."""

    def __init__(self, url: str, most: int = 200_000) -> None:
        self.connection = psycopg.connect(url, autocommit=True, options="-c timezone=UTC -c jit=off")
        self.kept: dict[str, list[tuple[Any, ...]]] = {}
        self.most = most

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        found = self.kept.get(sql)
        if found is None:
            if len(self.kept) > self.most:
                self.kept.clear()
            found = self.kept[sql] = self.connection.execute(sql.encode()).fetchall()
        return found

    def one(self, sql: str) -> Any:
        (row,) = self.rows(sql)
        return row[0]

    def close(self) -> None:
        self.connection.close()


def literal(value: Any, cast: str = "") -> str:
    """A value as SQL text."""
    suffix = f"::{cast}" if cast else ""
    if value is None:
        return f"null{suffix}"
    if isinstance(value, Enum):
        return literal(value.value, cast)
    if isinstance(value, bool):
        return ("true" if value else "false") + suffix
    if isinstance(value, list | tuple):
        return f"array[{', '.join(literal(each) for each in value)}]{suffix}"
    if isinstance(value, int | float | Decimal):
        return f"({value}){suffix}"
    if isinstance(value, datetime | date):
        return f"'{value.isoformat()}'{suffix}"
    text = str(value).replace("'", "''")
    return f"'{text}'{suffix}"


@dataclass(frozen=True)
class Rights:
    """What a declaration may ask of the reader; every value is a literal."""

    actor: Actor
    reading: Reading

    @property
    def shape(self) -> Any:
        return self.actor.shape

    def bind(self, value: Callable[[Any], Any], cast: str, key: object = None) -> str:
        return literal(value(self), cast)

    def places_with(self, permission: Permission) -> str:
        return literal(list(self.actor.places_with(permission)), "uuid[]")

    def own_places(self) -> str:
        return literal(list(self.actor.place_ids), "uuid[]")

    def person(self) -> str:
        return literal(self.actor.person_id, "uuid")

    def everywhere(self, permission: Permission) -> bool:
        return permission in self.actor.shape.everywhere

    def somewhere(self, permission: Permission) -> bool:
        return permission in self.actor.shape.somewhere


@dataclass(frozen=True)
class Scope:
    """A row: the FROM items that lead to it, its alias, and the names its templates may use."""

    chain: tuple[str, ...] = ()
    alias: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def select(self, sql: str) -> str:
        return f"select {sql}{' from ' + ', '.join(self.chain) if self.chain else ''}"


def table(gtype: Any) -> metadata.Table:
    """The rows of a type; types that are only made by their edge have none of their own."""
    found: metadata.Table | None = getattr(gtype.extensions["strawberry-definition"].origin, "__sql_table__", None)
    return found or metadata.Table("(select) as {t}")


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
