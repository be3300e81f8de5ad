"""A list is declared once: of what, by what it is filtered, ordered and counted.

    PRACTICES = reads.List(
        Practice,
        "practices",
        {"slug": reads.Order("{t}.slug", "text", "They are sorted by their names in addresses."), …},
        default=("slug", "asc"),
        filter=PracticeFilter,                  # an input class whose fields are `reads.condition(…)`
    )
    practices: reads.Connection[Practice] = PRACTICES.connection(None, "…")      # a field of a type
    practice_edge: reads.Edge[Practice] | None = edge("practice", "…", PRACTICES)  # a field of a payload

What follows from it: the enum `PracticeOrderField` and the input `PracticeOrder`, the arguments of the connection, a
cursor for every order, the refusal of unknown values and the price of each condition; and from the conditions that
say by which values things are counted (`counted=`) the type `PracticeFacets` and `facets` on the connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import new_class
from typing import Any

import strawberry

from wego.core.reads.declare import Connection, argument, column, declared
from wego.core.reads.metadata import (
    META,
    Condition,
    Counted,
    Counts,
    Edges,
    Listing,
    Many,
    Order,
    PayloadEdge,
)
from wego.core.reads.words import describe, vocabulary
from wego.core.vocabulary import Vocabulary

MOST_FACETS = 100  # values of one kind that are told, the most frequent first
FACET = 60  # what it costs to count by one more kind of value, in objects


@vocabulary(description="An `OrderDirection` says which way a list runs.")
class OrderDirection(Vocabulary):
    ASC = "asc", "The list begins with the least."
    DESC = "desc", "The list begins with the greatest."


class List:
    """The declaration of one list; `name` is that of its things in the names of its types, `plural` in sentences."""

    def __init__(
        self,
        node: type,
        plural: str,
        orders: Mapping[str, Order],
        *,
        default: tuple[str, str],
        filter: Any = None,
        listing: Listing | None = None,
        name: str = "",
    ) -> None:
        self.name = name or node.__name__
        self.plural, self.orders, self.default, self.filter, self.listing = plural, orders, default, filter, listing
        self._order_type = self._order_input()
        facets = self._facets()
        self._type = self._counted_connection(node, facets) if facets else Connection[node]  # type: ignore[valid-type]  # a class that is a value

    def connection(self, on: str | None, doc: str, *, source: str | None = None, visible: bool = True) -> Any:
        """A Relay connection: `on` says which rows belong to the parent {p}; None means all."""
        edges = Edges(on, self.orders, self.default, source, visible, self.listing)
        found = strawberry.field(description=doc, metadata={META: edges}, graphql_type=self._type)
        found.arguments = [
            argument(
                "first",
                int | None,
                "This many are told from the start; it is 20 when neither `first` nor `last` is given.",
            ),
            argument("after", str | None, "Only what follows this cursor is told."),
            argument("last", int | None, "This many are told from the end."),
            argument("before", str | None, "Only what precedes this cursor is told."),
        ]
        if self.filter is not None:
            found.arguments.append(
                argument("filter", self.filter | None, "Only what meets all of these conditions is listed.")
            )
        found.arguments.append(
            argument("order_by", self._order_type | None, "The list is in this order; ties are broken by id.")
        )
        return found

    def edge(self, on: str, doc: str) -> Any:
        """The edge of one thing, as the connection gives it when no order is asked for."""
        return declared(PayloadEdge(on, (self.default[0], self.orders[self.default[0]])), doc)

    # ── types that follow ─────────────────────────────────────────────────────────────────────────────────────

    def _order_input(self) -> Any:
        field, direction = self.default
        words = StrEnum(f"{self.name}OrderField", {key.upper(): key for key in self.orders})  # type: ignore[misc]  # mypy wants literals
        by = strawberry.enum(words, description=f"A `{self.name}OrderField` says by what {self.plural} are sorted.")
        describe(by, {key: order.doc for key, order in self.orders.items()})
        parts = {
            "field": (by, strawberry.field(default=by(field), description="This says by what the list is sorted.")),
            "direction": (
                OrderDirection,
                strawberry.field(default=OrderDirection(direction), description="This says which way the list runs."),
            ),
        }
        doc = f"A `{self.name}Order` says in which order {self.plural} are listed."
        return strawberry.input(_made(f"{self.name}Order", (), parts), description=doc)

    def _facets(self) -> Any:
        """The type that tells how many things have which value; None where no condition says how to count."""
        parts: dict[str, tuple[Any, Any]] = {}
        for each in self.filter.__strawberry_definition__.fields if self.filter is not None else ():
            condition: Condition = each.metadata[META]
            if condition.counted is not None:
                parts[each.python_name] = _facet(condition.counted)
        if not parts:
            return None
        parts["is_capped"] = (bool, column("(select count(*) from {m}) > {most}", _CAPPED))
        made = _made(f"{self.name}Facets", (), parts)
        return strawberry.type(made, description=_FACETS.format(plural=self.plural))

    def _counted_connection(self, node: type, facets: Any) -> Any:
        doc = f"These say how many of the {self.plural} have which value, under this filter and for this reader."
        base: Any = Connection[node]  # type: ignore[valid-type]  # a class that is a value
        made = _made(f"{node.__name__}Connection", (base,), {"facets": (facets, declared(Counts(), doc))})
        return strawberry.type(made, description=Connection.__strawberry_definition__.description)  # type: ignore[attr-defined]  # set by strawberry.type


_FACETS = (
    "Facets say how many {plural} have which value. They are counted among all that the list would show page by page, "
    "but among 10,000 of these at most, in which case `isCapped` is true and a count is the least there are."
)
_CAPPED = "This says whether more than 10,000 match, so that not all were counted; see `totalCountIsCapped`."


def _facet(counted: Counted) -> tuple[Any, Any]:
    """The field that tells the values of one kind, as (type, field)."""
    rows = Many(None, "{t}.count desc, {t}.value", _source(counted), most=MOST_FACETS, price=FACET)
    doc = f"{counted.doc} At most {MOST_FACETS} are told, the most frequent first."
    return list[counted.kind], declared(rows, doc)  # type: ignore[name-defined]  # a class that is a value


def _source(counted: Counted) -> str:
    """The rows of a facet: each value with its count, and what else its type wants to know of it."""
    further = "".join(f", {sql} as {name}" for name, sql in counted.columns.items())
    values = f"select {counted.values} as value from {{m}} as {{r}}"
    rows = f"select g$.value, least(count(*), {{most}}) as count from ({values}) g$"
    return f"(select g$.*{further} from ({rows} where g$.value is not null group by 1) g$) as {{t}}"


def _made(name: str, bases: tuple[Any, ...], parts: Mapping[str, tuple[Any, Any]]) -> Any:
    """A class with these fields, by name (type, value)."""

    def fill(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = __name__
        namespace["__annotations__"] = {key: kind for key, (kind, _) in parts.items()}
        namespace.update({key: value for key, (_, value) in parts.items()})

    return new_class(name, bases, {}, fill)
