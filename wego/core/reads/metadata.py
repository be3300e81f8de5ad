"""What is declared of a field, an input field or a type, in SQL: the dataclasses that `declare` fills and the compiler
reads, and how they are found on the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wego.core.reads.query import Query

META = "sql"
Visible = Callable[[Query, str], str | None]
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
    price: int = 0  # what it costs beside its rows, in objects


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort: an expression that is never null, its SQL type (for the cursor), and what it means. `source` is
    the FROM item {t} of what is sorted so, where the expression needs more than the type's own rows; there {locale} is
    the language of the hub in which the reader reads."""

    sql: str
    cast: str
    doc: str
    source: str = ""

    @property
    def by_language(self) -> bool:
        """Whether the place of a row is another one in each language: then a cursor tells of which it is."""
        return "{locale}" in self.source


@dataclass(frozen=True, slots=True)
class Through:
    """A condition on the owner of a row, {c}: all of them together name owners, whose keys are facets."""

    column: str
    kind: str
    sql: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A condition that asks for words of one kind, each a facet of the listing (`Listing.facets`); `owner` is the same
    as a condition on the owner, by which rows are counted that are only asked for theirs. `word` is how a value {v}
    is written there; `alike` are readers' letters whose rows all have the same value, and that value: there the index
    need not be asked for it."""

    kind: str
    owner: Through | None = None
    word: str = "{v}"
    alike: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Counted:
    """How the things of a list are counted by the values that a condition asks for: `values` is the SQL of the one
    value or the set of values of a row {r}, `kind` the type that tells a value with its count, whose rows have the
    columns `value`, `count` and further ones, each an expression of `value`."""

    kind: type
    values: str
    doc: str
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """The facets of a connection: lists of rows that are made of what it would show, {m}."""


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
    costs to ask, in objects (some ten microseconds of a processor each); `counted` says how the list is counted by its
    values; `wider` gives the values for which one that is asked for stands, such as `fr` and `fr-CA` for `fr-CA`: any
    of them will do, and `cast` is that of their list."""

    sql: str | Callable[[Query], str]
    cast: str
    known: Known | None = None
    listed: str | None = None
    index: Facet | Through | Within | Grams | None = None
    price: int = 20
    counted: Counted | None = None
    wider: Callable[[Any], Iterable[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a type: a table or any FROM item with the alias {t}."""

    source: str
    visible: Visible | None = None
    key: str = "id"


def meta_of(definition: Any) -> Any:
    """What a field or an input field declared itself to be in SQL; None when it has a resolver instead."""
    backing = definition.extensions.get("strawberry-definition") if definition.extensions else None
    return (getattr(backing, "metadata", None) or {}).get(META)


def table_of(gtype: Any) -> Table:
    """The rows that a type was declared to be made of."""
    found: Table = getattr(gtype.extensions["strawberry-definition"].origin, "__sql_table__", None) or Table(
        "(select) as {t}"
    )
    return found
