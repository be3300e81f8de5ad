"""How a GraphQL field says what it is in SQL.

A type is a Strawberry class; each field is declared with one of the functions below instead of a resolver. SQL
templates are `str.format` templates (write `{{` for a brace) with these names:

    {t}      alias of the row the field belongs to          {p}    alias of the parent's row (edges only)
    {x}      alias of the picked text (see `picked`)        {arg}  any declared argument of the field, bound and cast

    @reads.table("city", visible=visible_city)          # the rows of the type and who sees them
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
        practices: reads.Connection[Practice] = reads.connection("{t}.city_id = {p}.id", "…", orders=…)
    reads.extend(City, CityPractices)

`visible(q, t)` returns a predicate (or None for "everybody"); `q.shape` is the ActorShape, `q.cities_with(permission)`
and `q.person()` give bound values. It is applied to every edge that leads to the type unless the edge says
`visible=False` with its reason. A field whose values are a vocabulary (StrEnum with lower-case values, GraphQL names
in upper case) needs nothing: the engine maps `under_review` to `UNDER_REVIEW`, `east-asia` to `EAST_ASIA`.
Filters are input classes whose fields are `reads.condition("{t}.country = {v}", "text", "docs")`: `{v}` is the bound
value, "text" its SQL type (`"text[]"` for lists); a field that is absent or null asks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.unset import UNSET

if TYPE_CHECKING:
    from wego.core.reads.query import Query

META = "sql"
T = TypeVar("T")
Visible = Callable[["Query", str], str | None]
Known = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument of a field: its Python type, its SQL type, its documentation."""

    kind: Any
    cast: str
    doc: str


@dataclass(frozen=True, slots=True)
class Column:
    sql: str | Callable[[Query, str], str]
    args: Mapping[str, Arg] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GlobalId:
    """The id of a node: made of the type's name and the row's key."""


@dataclass(frozen=True, slots=True)
class Inline:
    """An object made of the same row; null where `when` is given and false."""

    when: str | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """How to choose one row among several languages: `step` selects the row of {locale} (it must give `locale`),
    `final` is the locale that always exists. `select {columns} from … r` lets the engine name what is used of the
    row; `only` says that there is just the one language of `final`, so no other is tried."""

    step: str
    final: str
    only: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """Nothing to choose: the row itself holds the text, in the one language {locale}. Null where `when` is given and
    false."""

    locale: str = "{t}.locale"
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    """An object made of a picked row {x}, or of the row itself; `names` are further template names for the columns of
    its type, beside {locale}."""

    pick: Pick | Own
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class One:
    """At most one row of the type."""

    on: str | Callable[[Query, str, str], str]
    source: str | Callable[[Query], str] | None = None
    visible: bool = True
    args: Mapping[str, Arg] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Many:
    """All rows of the type that belong here, at most `most`; None where their number is bounded when written."""

    on: str | None
    order: str
    source: str | Callable[[Query], str] | None = None
    visible: bool = True
    most: int | None = 200
    expected: int = 10
    args: Mapping[str, Arg] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort: an expression that is never null, and its SQL type (for the cursor)."""

    sql: str
    cast: str


@dataclass(frozen=True, slots=True)
class Through:
    """A condition on the owner of a row, {c}: all of them together name owners, whose keys are facets."""

    column: str
    kind: str
    sql: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A condition that asks for words of one kind, each a facet of the listing (`Listing.facets`); `owner` is the same
    as a condition on the owner, by which rows are counted that are only asked for theirs."""

    kind: str
    owner: Through | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """A condition that implies a bound of an indexed column, such as `Within("{t}.updated_at", ">")`."""

    column: str
    sign: str


@dataclass(frozen=True, slots=True)
class Grams:
    """A condition on a text: `sql` asks the inverted index for the rows among which all that are right are."""

    sql: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a reader may see rows: the letter before the facets of such rows, what else the index is asked,
    and what tells that a row is of this way: it is then of no later one."""

    letter: str
    asked: str | None = None
    told: str = "true"


@dataclass(frozen=True, slots=True)
class Listing:
    """A compact table from which a connection is filtered, ordered and counted: one row for each of the type, under
    the same key and with columns of the same names, as far as orders, conditions and `visible` use them. `facets`
    is the indexed expression of its words, each a reader's letter, a kind, a colon and the value; `ways` says which
    letters the reader has (together no fewer rows than `visible` lets through); `owners` names the tables of the
    columns that conditions go `Through`; `inside` is the facet of a connection within another thing; `spans` are
    indexed expressions that cut an order's column into months, each with the column that another range is about."""

    source: str
    facets: str
    ways: Callable[[Query, str, str], list[Way]]
    owners: Mapping[str, str]
    inside: tuple[str, str]
    spans: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edges:
    """A Relay connection with keyset cursors; `orders` maps the values of the order enum to their SQL."""

    on: str | None
    orders: Mapping[str, Order]
    default: tuple[str, str]  # (order, "asc" | "desc")
    source: str | None = None
    visible: bool = True
    listing: Listing | None = None


@dataclass(frozen=True, slots=True)
class PayloadEdge:
    """The edge of a thing that a mutation made, with its place in one order of the connection where it stands."""

    on: str
    order: tuple[str, Order]


@dataclass(frozen=True, slots=True)
class ById:
    """`node(id)` and, with `many`, `nodes(ids)`: a row of whichever type the id names."""

    many: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of a filter input. `known` tells whether a value is a word of the field's vocabulary: another is
    refused, as an empty answer would hide the mistake. `index` says how a listing finds what meets it, `listed` how it
    is asked of a row of the listing, where that differs; `sql` may ask for the reader's rights. `price` is what it
    costs to ask, in objects (some ten microseconds of a processor each)."""

    sql: str | Callable[[Query], str]
    cast: str
    known: Known | None = None
    listed: str | None = None
    index: Facet | Through | Within | Grams | None = None
    price: int = 20


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a type: a table or any FROM item with the alias {t}."""

    source: str
    visible: Visible | None = None
    key: str = "id"


def table(name: str, *, visible: Visible | None = None, key: str = "id") -> Callable[[type[T]], type[T]]:
    """Say which rows a type is made of. `name` is a table, or a FROM item that contains {t}."""

    def declare(cls: type[T]) -> type[T]:
        source = name if "{t}" in name else f"{name} as {{t}}"
        cls.__sql_table__ = Table(source, visible, key)  # type: ignore[attr-defined]  # read by the compiler only
        return cls

    return declare


def _field(meta: Any, doc: str, args: Mapping[str, Arg] | None = None, name: str | None = None) -> Any:
    declared = strawberry.field(description=doc, metadata={META: meta}, name=name)
    if args:
        declared.arguments = [argument(key, arg.kind, arg.doc) for key, arg in args.items()]
    return declared


def argument(name: str, kind: Any, doc: str) -> StrawberryArgument:
    return StrawberryArgument(name, None, StrawberryAnnotation(kind), default=UNSET, description=doc)


def column(sql: str | Callable[[Query, str], str], doc: str, *, args: Mapping[str, Arg] | None = None) -> Any:
    """A scalar, an enum or a list of scalars."""
    return _field(Column(sql, args or {}), doc, args)


def inline(doc: str, *, when: str | None = None) -> Any:
    return _field(Inline(when), doc)


def one(
    on: str | Callable[[Query, str, str], str],
    doc: str,
    *,
    source: str | Callable[[Query], str] | None = None,
    visible: bool = True,
    args: Mapping[str, Arg] | None = None,
) -> Any:
    return _field(One(on, source, visible, args or {}), doc, args)


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
) -> Any:
    """`order` must name a unique order. `most` cuts the list: use a connection where more can be meant. None asks for
    no cut: for what can only be written in small numbers, PostgreSQL answers a tenth faster without."""
    return _field(Many(on, order, source, visible, most, expected, args or {}), doc, args)


def connection(
    on: str | None,
    doc: str,
    *,
    orders: Mapping[str, Order],
    default: tuple[str, str],
    order_type: Any = None,
    filter_type: Any = None,
    source: str | None = None,
    visible: bool = True,
    listing: Listing | None = None,
) -> Any:
    """`order_type` is an input class with `field` (an enum whose values are the keys of `orders`) and `direction`.
    A list that can grow beyond some thousands needs a `listing`."""
    declared = _field(Edges(on, orders, default, source, visible, listing), doc)
    pages = [
        argument("first", int | None, "How many from the start; 20 when neither first nor last is given."),
        argument("after", str | None, "Only what follows this cursor."),
        argument("last", int | None, "How many from the end."),
        argument("before", str | None, "Only what precedes this cursor."),
    ]
    if filter_type is not None:
        pages.append(argument("filter", filter_type | None, "Only what meets all of these conditions."))
    if order_type is not None:
        pages.append(argument("order_by", order_type | None, "The order; ties are broken by id."))
    declared.arguments = pages
    return declared


def payload_edge(on: str, doc: str, *, orders: Mapping[str, Order], default: tuple[str, str]) -> Any:
    """The edge of one thing, as the connection with these orders gives it when no order is asked for."""
    return _field(PayloadEdge(on, (default[0], orders[default[0]])), doc)


def by_id(doc: str, *, many: bool = False) -> Any:
    declared = _field(ById(many), doc)
    kind = list[strawberry.ID] if many else strawberry.ID
    declared.arguments = [StrawberryArgument("ids" if many else "id", None, StrawberryAnnotation(kind))]
    return declared


def condition(
    sql: str | Callable[[Query], str],
    cast: str,
    doc: str,
    *,
    known: Known | None = None,
    listed: str | None = None,
    index: Facet | Through | Within | Grams | None = None,
    price: int = 20,
) -> Any:
    declared = Condition(sql, cast, known, listed, index, price)
    return strawberry.field(default=UNSET, description=doc, metadata={META: declared})


def picked(pick: Pick | Own, names: Mapping[str, str], doc: str, arguments: list[StrawberryArgument]) -> Any:
    declared = _field(Picked(pick, names), doc)
    declared.arguments = arguments
    return declared


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
    id: strawberry.ID = _field(GlobalId(), "This is its global id, which is opaque and stays the same for ever.")


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
