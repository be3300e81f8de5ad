"""What the compiler and the declarations share: values to bind, rows in scope, limits, and how metadata is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol

from graphql import FieldNode, SelectionSetNode, get_location
from graphql.execution.values import get_argument_values

from wego.core.access import Actor, ActorShape, Permission
from wego.core.context import Reading
from wego.core.errors import Invalid

DEFAULT_PAGE = 20
MOST_VALUES = 100  # of a list in a filter
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # no database can hold these
COLUMNS = "{columns}"  # in the step of a Pick: replaced by what is used of the picked row
LONGEST_KEY = 63  # bytes of an SQL identifier: a longer response key would be cut without a word


@dataclass(frozen=True, slots=True)
class Limits:
    """What one operation may ask for."""

    cost: int = 20_000
    depth: int = 16
    aliases: int = 100
    page: int = 100
    ids: int = 100
    fields: int = 1_500
    answer: int = 8 * 2**20  # bytes of one root field


@dataclass(slots=True, weakref_slot=True)
class Run:
    """One run of a plan: whose rights, which languages, which variables; for a payload also what its verb said. No
    plan may hold on to a run, because a run holds what a request sent."""

    actor: Actor
    reading: Reading
    variables: Any
    reading_of: Callable[[tuple[str, ...]], Reading]
    keys: str = "{}"
    problems: str = "[]"
    _arguments: dict[int, dict[str, Any]] = field(default_factory=dict)

    def arguments(self, definition: Any, node: FieldNode) -> dict[str, Any]:
        known = self._arguments.get(id(node))
        if known is None:
            known = self._arguments[id(node)] = get_argument_values(definition, node, self.variables)
        return known


Binder = Callable[[Run], Any]


class Query:
    """What a declaration may ask while it is compiled: the shape of the actor's rights, and places for values."""

    def __init__(self, shape: ActorShape) -> None:
        self.shape = shape
        self.binders: list[Binder] = []
        self._places: dict[object, str] = {}
        self._aliases = 0

    def bind(self, value: Binder, cast: str, key: object = None) -> str:
        """A place for a value; the same `key` gets the same place."""
        if key is not None and key in self._places:
            return self._places[key]
        self.binders.append(value)
        place = f"${len(self.binders)}::{cast}"
        if key is not None:
            self._places[key] = place
        return place

    def places_with(self, permission: Permission) -> str:
        """The organisations and bodies in which the actor has the permission, as uuid[]."""
        return self.bind(lambda run: list(run.actor.places_with(permission)), "uuid[]", ("places", permission))

    def own_places(self) -> str:
        """The organisations and bodies in which the actor has a post, as uuid[]."""
        return self.bind(lambda run: list(run.actor.place_ids), "uuid[]", "own places")

    def person(self) -> str:
        """The person who asks, or null."""
        return self.bind(lambda run: run.actor.person_id, "uuid", "person")

    def locale(self) -> str:
        """The language of the hub in which the reader reads."""
        return self.bind(lambda run: run.reading.locale, "text", "locale")

    def everywhere(self, permission: Permission) -> bool:
        return permission in self.shape.everywhere

    def somewhere(self, permission: Permission) -> bool:
        return permission in self.shape.somewhere

    def alias(self, prefix: str) -> str:
        self._aliases += 1
        return f"{prefix}{self._aliases}"


@dataclass(slots=True)
class Row:
    """A row in scope: its alias, the names its templates may use, and the joins its picked texts need."""

    alias: str
    names: dict[str, str]
    joins: dict[object, tuple[str, str]] = field(default_factory=dict)

    def inner(self, **names: str) -> Row:
        """The same row under further names; joins are shared."""
        return Row(self.alias, {**self.names, **names}, self.joins)

    def join_sql(self, *uses: str) -> str:
        """The joins of the picked texts, each with the columns that these parts of the statement use of it."""
        text = " ".join(uses)
        parts = []
        for alias, sql in self.joins.values():
            used = dict.fromkeys(["locale", *re.findall(rf"\b{alias}\.(\w+)", text)])
            parts.append(sql.replace(COLUMNS, ", ".join(f"r.{column}" for column in used)))
        return "".join(parts)


@dataclass(slots=True)
class Ask:
    """One field that is being compiled: its definition and node, the row it belongs to, what is selected of it, how
    deep it is, and how many times it is answered at most."""

    definition: Any
    node: FieldNode
    target: Any
    row: Row
    sets: list[Any]
    depth: int
    many: int


class Selecting(Protocol):
    """What the parts of a statement ask of the compiler that puts them together."""

    run: Run
    limits: Limits
    query: Query
    baked: Callable[[FieldNode, tuple[str, ...]], None]

    def collect(self, gtype: Any, sets: list[SelectionSetNode]) -> dict[str, list[FieldNode]]: ...

    def columns(self, gtype: Any, row: Row, sets: list[SelectionSetNode], depth: int, many: int) -> str: ...

    def make(self, gtype: Any, row: Row, sets: list[SelectionSetNode], depth: int, many: int) -> str: ...

    def check_key(self, key: str) -> None: ...

    def spend(self, count: int) -> None: ...

    def visible(self, target: Any, alias: str) -> str | None: ...


def place_of(node: FieldNode) -> tuple[tuple[int, int], ...]:
    """Line and column of a field in its document."""
    if node.loc is None:
        return ()
    place = get_location(node.loc.source, node.loc.start)
    return ((place.line, place.column),)


def compact(sql: str, binders: list[Binder]) -> tuple[str, list[Binder]]:
    """Drop the values that no part of the statement came to use, and number the places anew."""
    numbers: dict[int, int] = {}

    def renumber(match: re.Match[str]) -> str:
        return f"${numbers.setdefault(int(match.group(1)), len(numbers) + 1)}"

    sql = re.sub(r"\$(\d+)(?=::)", renumber, sql)
    return sql, [binders[old - 1] for old in numbers]


def global_id(name: str, key: str) -> str:
    return f"translate(encode(convert_to('{name}:' || {key}, 'UTF8'), 'base64'), E'+/=\\n', '-_')"


def is_key(on: str, key: str) -> bool:
    """Whether an edge's predicate is the equality of the target's key with a column of the parent."""
    return re.fullmatch(rf"\{{t\}}\.{key} = \{{p\}}\.\w+", on) is not None


def conditions(parts: list[str | None]) -> str:
    kept = [part for part in parts if part]
    return f" where {' and '.join(kept)}" if kept else ""


def plain(value: Any) -> Any:
    """An argument as the database takes it: words of an enum become their values, times are in UTC; a text that
    PostgreSQL cannot hold (NUL, half a character) is Invalid."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str) and _NOT_TEXT.search(value):
        raise Invalid("This text holds characters that are not allowed here.")
    return in_utc(value) if isinstance(value, datetime) else value


def in_utc(moment: datetime) -> datetime:
    """A time without a zone is one in UTC; what would be before the first day or after the last is cut off there."""
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name)
