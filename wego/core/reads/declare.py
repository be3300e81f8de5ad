"""How a GraphQL field says what it is in SQL.

A type is a Strawberry class; each field is declared with one of the functions below instead of a resolver. SQL
templates are `str.format` templates (write `{{` for a brace) with these names:

    {t}      alias of the row the field belongs to          {p}    alias of the parent's row (edges only)
    {x}      alias of the picked text (see `picked`)        {arg}  any declared argument of the field, bound and cast

    @reads.table(CityRow)                               # the rows of the type; who sees them is said beside the noun
    @strawberry.type
    class City(reads.Node):                              # Node adds `id`, the global id
        slug: str = reads.column("{t}.slug", "Its name in addresses.")
        membership: Membership | None = reads.one("{t}.city_id = {p}.id", "…")
        people: list[Person] = reads.many("{t}.city_id = {p}.id", "…", order="{t}.name")
        country: Country = reads.inline("…")             # an object made of columns of the same row
        key_dates: list[KeyDate] = reads.many(None, "…", order="{t}.ord",
            source="jsonb_array_elements({p}.key_dates) with ordinality as {t}(value, ord)")
        name: LocalizedText = i18n.graphql.text(CITY_NAMES, "{x}.name", "…")

    class CityPractices:                                 # in a package above: adds a field to the type
        practices: reads.Connection[Practice] = PRACTICES.connection("{t}.city_id = {p}.id", "…")  # see `lists`
    reads.extend(City, CityPractices)

`visible(q, t)` returns a predicate (or None for "everybody"); `q.shape` is the ActorShape, `q.places_with(permission)`
and `q.person()` give bound values. It is applied to every edge that leads to the type unless the edge says
`visible=False` with its reason. A field whose values are a vocabulary (StrEnum with lower-case values, GraphQL names
in upper case) needs nothing: the engine maps `under_review` to `UNDER_REVIEW`, `east-asia` to `EAST_ASIA`.
Filters are input classes whose fields are `reads.condition("{t}.country = {v}", "text", "docs")`: `{v}` is the bound
value, "text" its SQL type (`"text[]"` for lists); a field that is absent or null asks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import strawberry
from sqlmodel import SQLModel
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.unset import UNSET

from wego.core.reads.metadata import (
    META,
    Arg,
    ById,
    Column,
    Condition,
    Counted,
    Facet,
    GlobalId,
    Grams,
    Inline,
    Known,
    Many,
    One,
    Own,
    Pick,
    Picked,
    Table,
    Through,
    Visible,
    Within,
)
from wego.core.reads.query import Query
from wego.core.reads.sight import key_of, sight_of

T = TypeVar("T")


def table(of: str | type[SQLModel], *, visible: Visible | None = None, key: str = "id") -> Callable[[type[T]], type[T]]:
    """Say which rows a type is made of: those of a noun, with the predicate beside it (`sight.visible`), or of a
    table, or of a FROM item that contains {t}."""
    if isinstance(of, str):
        made = Table(of if "{t}" in of else f"{of} as {{t}}", visible, key)
    else:
        made = Table(f"{of.__tablename__} as {{t}}", sight_of(of).predicate, key_of(of))

    def declare(cls: type[T]) -> type[T]:
        cls.__sql_table__ = made  # type: ignore[attr-defined]  # read by the compiler only
        return cls

    return declare


def declared(meta: Any, doc: str, args: Mapping[str, Arg] | None = None, name: str | None = None) -> Any:
    """A field that says what it is in SQL."""
    found = strawberry.field(description=doc, metadata={META: meta}, name=name)
    if args:
        found.arguments = [argument(key, arg.kind, arg.doc) for key, arg in args.items()]
    return found


def argument(name: str, kind: Any, doc: str) -> StrawberryArgument:
    return StrawberryArgument(name, None, StrawberryAnnotation(kind), default=UNSET, description=doc)


def column(sql: str | Callable[[Query, str], str], doc: str, *, args: Mapping[str, Arg] | None = None) -> Any:
    """A scalar, an enum or a list of scalars."""
    return declared(Column(sql, args or {}), doc, args)


def inline(doc: str, *, when: str | None = None) -> Any:
    return declared(Inline(when), doc)


def one(
    on: str | Callable[[Query, str, str], str],
    doc: str,
    *,
    source: str | Callable[[Query], str] | None = None,
    visible: bool = True,
    args: Mapping[str, Arg] | None = None,
) -> Any:
    return declared(One(on, source, visible, args or {}), doc, args)


def many(
    on: str | None,
    doc: str,
    *,
    order: str,
    source: str | Callable[[Query], str] | None = None,
    visible: bool = True,
    most: int | None = 200,
    expected: int = 10,
    args: Mapping[str, Arg] | None = None,
    price: int = 0,
) -> Any:
    """`order` must name a unique order. `most` cuts the list: use a connection where more can be meant. None asks for
    no cut: for what can only be written in small numbers, PostgreSQL answers a tenth faster without."""
    return declared(Many(on, order, source, visible, most, expected, args or {}, price), doc, args)


ID = "This is the global id of the thing."
IDS = "These are the global ids of the things, at most 100."


def by_id(doc: str, *, many: bool = False) -> Any:
    found = declared(ById(many), doc)
    kind = list[strawberry.ID] if many else strawberry.ID
    name, said = ("ids", IDS) if many else ("id", ID)
    found.arguments = [StrawberryArgument(name, None, StrawberryAnnotation(kind), description=said)]
    return found


def condition(
    sql: str | Callable[[Query], str],
    cast: str,
    doc: str,
    *,
    known: Known | None = None,
    listed: str | None = None,
    index: Facet | Through | Within | Grams | None = None,
    price: int = 20,
    counted: Counted | None = None,
    wider: Callable[[Any], Iterable[Any]] | None = None,
) -> Any:
    found = Condition(sql, cast, known, listed, index, price, counted, wider)
    return strawberry.field(default=UNSET, description=doc, metadata={META: found})


def picked(pick: Pick | Own, names: Mapping[str, str], doc: str, arguments: list[StrawberryArgument]) -> Any:
    found = declared(Picked(pick, names), doc)
    found.arguments = arguments
    return found


def extend(cls: type, *additions: type) -> None:
    """Add the fields of other Strawberry classes to a type that a lower package owns. Safe to call again."""
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]  # set by strawberry.type
    known = {each.python_name for each in definition.fields}
    for base in (base for addition in additions for base in addition.__mro__):
        for each in getattr(base.__dict__.get("__strawberry_definition__"), "fields", ()):
            if each.python_name not in known:
                known.add(each.python_name)
                definition.fields.append(each)


@strawberry.interface(description="A `Node` is a thing with an id of its own, by which Relay fetches it again.")
class Node:
    id: strawberry.ID = declared(GlobalId(), "This is its global id, which is opaque and stays the same for ever.")


@strawberry.type(description="A `PageInfo` says where a page lies in its list (Relay, cursor connections).")
class PageInfo:
    has_next_page: bool = column("{more_after}", "This says whether more follows this page.")
    has_previous_page: bool = column("{more_before}", "This says whether anything precedes this page.")
    start_cursor: str | None = column(
        "{start}", "This is the cursor of the first edge; it is null when the page is empty."
    )
    end_cursor: str | None = column("{end}", "This is the cursor of the last edge; it is null when the page is empty.")


@strawberry.type(description="An edge is one thing of a page, with its place in the list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="This is its place in the list, in a form that is opaque.")
    node: T = strawberry.field(description="This is the thing itself.")


@strawberry.type(description="A connection is a page of a list and says where it lies.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="These are the things of the page with their cursors.")
    nodes: list[T] = strawberry.field(description="These are the things of the page alone.")
    page_info: PageInfo = strawberry.field(description="This says where the page lies in its list.")
    total_count: int = strawberry.field(
        description="This says how many there are in all, at most 10,000; they are counted only when asked for."
    )
    total_count_is_capped: bool = strawberry.field(
        description="This says whether there are more than `totalCount` says: nothing is counted beyond 10,000."
    )
