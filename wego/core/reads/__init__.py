"""The read engine: a GraphQL selection becomes one SQL statement whose JSON is the answer.

`declare` says what a field is in SQL, `compile` turns an operation into a statement, `documents` parses, validates
and caches, `engine` runs. Measured reasons are in the README, "Decisions". Texts (`text`, `label`, `in_map`,
`LocalizedText`, `LanguageTag`) are declared with `i18n.language.graphql`.
"""

from wego.core.reads.declare import (
    Connection,
    Edge,
    Node,
    PageInfo,
    by_id,
    column,
    condition,
    extend,
    inline,
    many,
    one,
    picked,
    table,
)
from wego.core.reads.lists import List, OrderDirection
from wego.core.reads.locate import locate, locate_with, seen
from wego.core.reads.metadata import Arg, Counted, Facet, Grams, Listing, Order, Own, Pick, Through, Way, Within
from wego.core.reads.sight import visible
from wego.core.reads.words import vocabulary

__all__ = [
    "Arg", "Connection", "Counted", "Edge", "Facet", "Grams", "List", "Listing", "Node", "Order", "OrderDirection",
    "Own", "PageInfo", "Pick", "Through", "Way", "Within", "by_id", "column", "condition", "extend", "inline",
    "locate", "locate_with", "many", "one", "picked", "seen", "table", "visible",
    "vocabulary",
]  # fmt: skip
