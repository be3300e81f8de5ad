"""Pages and counts of a filtered list, from a compact table that holds one narrow row for each thing (`Listing`).

No single plan serves both what is common and what is rare, and the statement is planned once for all values. So it
holds several ways, and only those run that are needed, one after the other, each bounded:

1. *look*: walk the list in its order and keep what matches, but not beyond `LOOK` rows. What is common fills its page
   here after a few rows.
2. *range*: where that did not fill the page and few rows lie in a range that the filter names, take those.
3. *find*: else ask the inverted index for what meets all conditions together, and sort it. As the walk had few
   matches, these are few too.

PostgreSQL evaluates a condition without columns once, before the branch under it begins: that is the switch. Measured
figures are in `benchmarks/growth.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from wego.core.reads.declare import Condition, Facet, Grams, Listing, Through, Within
from wego.core.reads.query import conditions

if TYPE_CHECKING:
    from wego.core.reads.pages import Page

LOOK = 4_000  # rows that a list looks through before it asks the index
LOOK_INSIDE = 400  # likewise for a list inside a list, of which there may be a hundred
FEW = 5_000  # rows of a range that are looked through whole
SAMPLE = 1_000  # rows from which a count learns whether what it counts is common
COUNTED = 10_000  # counts are exact up to here

Where = list[str | None]
Bounds = Callable[[str], Where]


class Given(NamedTuple):
    """A condition of the filter, and the place of its value."""

    condition: Condition
    place: str


class Search:
    """How one page is searched for. Aliases are made anew for each part, as parts are nested in one another."""

    def __init__(self, page: Page, listing: Listing, given: list[Given]) -> None:
        self.page, self.listing, self.given = page, listing, given
        self.query = page.compiler.query
        self.inside = page.meta.on is not None
        self.depth = LOOK_INSIDE if self.inside else LOOK

    # ── conditions ────────────────────────────────────────────────────────────────────────────────────────────

    def _source(self, alias: str) -> str:
        return f"{self.listing.source} as {alias}"

    def _belongs(self, alias: str) -> str | None:
        return self.page.meta.on.format(**self.page.names_of(alias)) if self.page.meta.on else None

    def _matches(self, alias: str) -> Where:
        """What a row must meet exactly: the reader's rights, and every condition of the filter."""
        names = self.page.names_of(alias)
        found: Where = [self.page.visible(alias)]
        owners: dict[str, list[str]] = {}
        for condition, place in self.given:
            if isinstance(condition.index, Through):
                owners.setdefault(condition.index.column, []).append(self._owner(condition.index, place))
            else:
                found.append(f"({(condition.listed or condition.sql).format(**names, v=place)})")
        for column, wanted in owners.items():
            # IS TRUE keeps PostgreSQL from making a join of it, which would lose the order of the rows.
            found.append(f"({alias}.{column} in ({self._owners(column, wanted)})) is true")
        return found

    def _owner(self, through: Through, place: str) -> str:
        return through.sql.format(c="o$", v=place)

    def _owners(self, column: str, wanted: list[str]) -> str:
        return f"select o$.id from {self.listing.owners[column]} as o$ where {' and '.join(f'({each})' for each in wanted)}"

    def _implied(self, alias: str) -> Where:
        """What the conditions say about the sort key: where the walk begins and ends."""
        key = self.page.key_of(alias)
        return [sql for column, sql in self._ranges(alias) if column.format(t=alias) == key]

    def _ranges(self, alias: str) -> Iterator[tuple[str, str]]:
        for condition, place in self.given:
            if isinstance(condition.index, Within):
                yield condition.index.column, f"{condition.index.column.format(t=alias)} {condition.index.sign} {place}"

    def _indexed(self, alias: str) -> str | None:
        """What the inverted index is asked: for each way in which the reader may see a row, all conditions."""
        ways = [
            " and ".join([*(self._has(alias, way.letter, *each) for each in self._facets()), *self._texts(alias), *way.extra])
            for way in self.listing.ways(self.query, alias, self.listing.facets.format(t=alias))
        ]
        if not self._facets() and not list(self._texts(alias)):
            return None
        return f"({' or '.join(f'({way})' for way in ways)})"

    def _has(self, alias: str, letter: str, kind: str, values: str) -> str:
        return f"{self.listing.facets.format(t=alias)} && array(select '{letter}{kind}:' || v from ({values}) as v$(v))"

    def _facets(self) -> list[tuple[str, str]]:
        """(kind, the SQL of its values) of every condition that is a facet."""
        found, owners = [], {}
        for condition, place in self.given:
            match condition.index:
                case Facet(kind):
                    many = condition.cast.endswith("[]")
                    found.append((kind, f"select unnest({place})" if many else f"select {place}"))
                case Through() as through:
                    owners.setdefault(through.column, (through.kind, []))[1].append(self._owner(through, place))
        found += [(kind, self._owners(column, wanted)) for column, (kind, wanted) in owners.items()]
        if self.inside:
            kind, value = self.listing.inside
            found.append((kind, f"select {value.format(**self.page.names_of(''))}"))
        return found

    def _texts(self, alias: str) -> Iterator[str]:
        for condition, place in self.given:
            if isinstance(condition.index, Grams):
                yield condition.index.sql.format(t=alias, v=place)

    # ── the page ──────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, bounds: Bounds, down: bool, want: int) -> str:
        """A query of the keys of the first `want` rows within the bounds; in no order."""
        seen = self.query.alias("s")
        looked = self._look(bounds, down, want)
        short = f"(select count(*) from {seen}) < {want}"
        ways, gates = [f"select {seen}.id from {seen} where (select count(*) from {seen}) >= {want}"], [short]
        if self.inside:
            ways[0] = f"select {seen}.id from {seen} where not ({self._unfinished(seen, want, bounds, down)})"
            gates = [self._unfinished(seen, want, bounds, down)]
        for column, few in self._few():
            ways.append(self._sorted(bounds, down, want, [*gates, few], column))
            gates.append(f"not {few}")
        ways.append(self._sorted(bounds, down, want, gates))
        return f"with {seen} as materialized ({looked}) {' union all '.join(ways)}"

    def _unfinished(self, seen: str, want: int, bounds: Bounds, down: bool) -> str:
        """Whether the page is not full although the list goes on beyond where it was looked through."""
        alias = self.query.alias("l")
        walked = self._walk(alias, bounds, down, "1", f"offset {self.depth} limit 1")
        return f"(select count(*) from {seen}) < {want} and exists ({walked})"

    def _walk(self, alias: str, bounds: Bounds, down: bool, columns: str, limit: str) -> str:
        start = [self._belongs(alias), *bounds(alias), *self._implied(alias)]
        return f"select {columns} from {self._source(alias)}{conditions(start)}{self._order(alias, down)} {limit}"

    def _order(self, alias: str, down: bool) -> str:
        direction = " desc" if down else ""
        return f" order by {self.page.key_of(alias)}{direction}, {alias}.id{direction}"

    def _look(self, bounds: Bounds, down: bool, want: int) -> str:
        alias = self.query.alias("l")
        walked = self._walk(alias, bounds, down, f"{alias}.*", f"limit {self.depth}")
        return (
            f"select {alias}.id from ({walked}) {alias}{conditions(self._matches(alias))}"
            f"{self._order(alias, down)} limit {want}"
        )

    def _few(self) -> Iterator[tuple[str, str]]:
        """For each column of which the filter names a range: whether few rows lie in it."""
        alias = self.query.alias("l")
        for column in dict.fromkeys(column for column, _ in self._ranges(alias)):
            yield column, f"(select count(*) <= {FEW} from (select 1 from {self._in_range(alias, column)} limit {FEW + 1}) n)"

    def _in_range(self, alias: str, column: str) -> str:
        """The rows of a range, in its order: a hint to the planner to read that index."""
        parts: Where = [sql for each, sql in self._ranges(alias) if each == column]
        return f"{self._source(alias)}{conditions(parts)} order by {column.format(t=alias)}"

    def _sorted(self, bounds: Bounds, down: bool, want: int, gates: list[str], column: str | None = None) -> str:
        """A way that has all candidates in hand and sorts what is right of them; only where the gates hold."""
        alias = self.query.alias("l")
        exact = [self._belongs(alias), *bounds(alias), *self._matches(alias), *gates]
        return (
            f"(select {alias}.id from {self._candidates(alias, column)}{conditions(exact)}"
            f"{self._order(alias, down)} limit {want})"
        )

    def _candidates(self, alias: str, column: str | None) -> str:
        """The rows of a range, or those that the inverted index gives; else all. OFFSET keeps them apart from the
        order, which an index would give at the price of walking it to its end."""
        if column is not None:
            return f"(select {alias}.* from {self._in_range(alias, column)} offset 0) {alias}"
        indexed = self._indexed(alias)
        if indexed is None:
            return self._source(alias)
        return f"(select {alias}.* from {self._source(alias)} where {indexed} offset 0) {alias}"

    # ── counts ────────────────────────────────────────────────────────────────────────────────────────────────

    def count(self) -> str:
        """How many rows there are, not counted beyond one more than `COUNTED`. A sample of the newest says whether
        they are common: then they are counted as they lie, else as they are found."""
        alias = self.query.alias("l")
        newest = self._walk(alias, lambda _: [], True, f"{alias}.*", f"limit {SAMPLE}")
        hits = " and ".join(each for each in self._matches(alias) if each)
        sample = f"select count(*) as rows, count(*) filter (where {hits}) as hits from ({newest}) {alias}"
        found = self._counted(None)
        for column, few in self._few():
            found = f"case when {few} then {self._counted(column)} else {found} end"
        return (
            f"(select case when n.rows < {SAMPLE} then n.hits when n.hits >= {SAMPLE // 10} then {self._common()} "
            f"else {found} end from ({sample}) n)"
        )

    def _common(self) -> str:
        alias = self.query.alias("l")
        return counted(self._source(alias), [self._belongs(alias), *self._matches(alias)])

    def _counted(self, column: str | None) -> str:
        alias = self.query.alias("l")
        return counted(self._candidates(alias, column), [self._belongs(alias), *self._matches(alias)])


def counted(source: str, where: Where) -> str:
    """The SQL of how many rows there are, at most one more than is counted."""
    return f"(select count(*) from (select 1 from {source}{conditions(where)} limit {COUNTED + 1}) n$)"


