"""Pages of a filtered list, from a compact table that holds one narrow row for each thing (`Listing`).

No single plan serves both what is common and what is rare, and the statement is planned once for all values. So it
holds several ways, and only those run that are needed, one after the other, each bounded:

1. *look*: walk the list in its order and keep what matches, but not beyond `LOOK` rows. What is common fills its page
   here after a few rows.
2. *range*: where that did not fill the page and few rows lie in a range that the filter names, take those.
3. *spans*: else, where only ranges are asked, walk the list month by month, with an index that has in each month the
   rows of the range. For a list by the time of change whose practices are all of the last year, say.
4. *find*: else ask the inverted index for what meets all conditions together (and with it the index of a range in
   which not too many lie), and sort it. As the walk had few matches, these are few too.

PostgreSQL evaluates a condition without columns once, before the branch under it begins: that is the switch. Measured
figures are in `benchmarks/growth.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from wego.core.reads.metadata import Condition, Facet, Grams, Listing, Through, Within
from wego.core.reads.query import Query, conditions

LOOK = 3_000  # rows that a list looks through before it asks the index
LOOK_INSIDE = 400  # likewise for a list inside a list, of which there may be a hundred
FEW = 5_000  # rows of a range that are read whole and sorted
FEW_ALONE = 20_000  # likewise where there is no other way but the walk to its end
SOME = 50_000  # rows of a range of which a bitmap is made, to meet that of the inverted index
MANY_OWNERS = 10  # of so many it is asked by the row whose it is, and not of the inverted index

Where = list[str | None]
Bounds = Callable[[str], Where]


class Given(NamedTuple):
    """A condition of the filter, the place of its value, and its SQL for this reader."""

    condition: Condition
    place: str
    sql: str


class Size(NamedTuple):
    """A range that the filter names: its column, and the part of the statement that counts its rows."""

    column: str
    name: str
    sql: str


class Asked(NamedTuple):
    """What the inverted index is asked for: words of one kind, the SQL of their values, and whose rows are alike in
    them (`Facet.alike`)."""

    kind: str
    values: str
    alike: tuple[str, str] = ("", "")


Candidates = tuple[str, str]  # an alias, and the rows under it as a FROM item
ENDS = (("<=", "'infinity'::timestamptz"), (">=", "'-infinity'::timestamptz"))


class Ordered(Protocol):
    """What a search asks of the page that it is for: its rights, its order, and to what it belongs."""

    @property
    def on(self) -> str | None: ...

    @property
    def query(self) -> Query: ...

    @property
    def order_sql(self) -> str: ...

    def names_of(self, alias: str) -> dict[str, str]: ...

    def visible(self, alias: str) -> str | None: ...

    def key_of(self, alias: str) -> str: ...


class Search:
    """How one page is searched for. Aliases are made anew for each part, as parts are nested in one another."""

    def __init__(self, page: Ordered, listing: Listing, given: list[Given]) -> None:
        self.page, self.listing, self.given = page, listing, given
        self.query = page.query
        self.inside = page.on is not None
        self.depth = LOOK_INSIDE if self.inside else LOOK

    # ── conditions ────────────────────────────────────────────────────────────────────────────────────────────

    def _source(self, alias: str) -> str:
        return f"{self.listing.source} as {alias}"

    def _belongs(self, alias: str) -> str | None:
        return self.page.on.format(**self.page.names_of(alias)) if self.page.on else None

    def _matches(self, alias: str) -> Where:
        """What a row must meet exactly: the reader's rights, and every condition of the filter."""
        names = self.page.names_of(alias)
        found: Where = [self.page.visible(alias)]
        for condition, place, sql in self.given:
            if not isinstance(condition.index, Through):
                found.append(f"({(condition.listed or sql).format(**names, v=place)})")
        for column, (_, keys) in self._owners().items():
            # IS TRUE keeps PostgreSQL from making a join of it, which would lose the order of the rows.
            found.append(f"({alias}.{column} in ({keys})) is true")
        return found

    def _owners(self, *, every: bool = False) -> dict[str, tuple[str, str]]:
        """By column: the kind of its facet, and the keys of the owners that the conditions on them together name; with
        `every` also those conditions that have a facet of their own."""
        asked: dict[tuple[str, str], list[str]] = {}
        for condition, place, _ in self.given:
            through = owner_of(condition) if every else condition.index
            if isinstance(through, Through):
                sql = through.sql.format(c="o$", v=place)
                asked.setdefault((through.column, through.kind), []).append(f"({sql})")
        return {
            column: (kind, f"select o$.id from {self.listing.owners[column]} as o$ where {' and '.join(parts)}")
            for (column, kind), parts in asked.items()
        }

    def _implied(self, alias: str) -> Where:
        """What the conditions say about the sort key: where the walk begins and ends."""
        key = self.page.key_of(alias)
        return [sql for column, sql in self._ranges(alias) if column.format(t=alias) == key]

    def _ranges(self, alias: str) -> Iterator[tuple[str, str]]:
        for condition, place, _ in self.given:
            if isinstance(condition.index, Within):
                yield condition.index.column, f"{condition.index.column.format(t=alias)} {condition.index.sign} {place}"

    def _indexed(self, alias: str, *, owners: bool = True) -> list[str]:
        """What the inverted index is asked, for each way in which the reader may see a row; a row is of one way only.
        Nothing where no condition can be asked of it. Without `owners`, it is not asked whose the rows are."""
        facets, texts, found = self._facets(owners=owners), list(self._texts(alias)), []
        if not facets and not texts:
            return []
        before: list[str] = []
        for way in self.listing.ways(self.query, alias, self.listing.facets.format(t=alias)):
            alike = [each for each in facets if way.letter in each.alike[0]]
            if len(alike) == len(facets) and not texts:
                alike = []  # something must be asked of the index
            same = [f"(select bool_or(v = '{each.alike[1]}') from ({each.values}) v$(v))" for each in alike]
            parts = [
                *(self._has(alias, way.letter, each) for each in facets if each not in alike),
                *texts,
                *same,
                *before,
            ]
            # Told as well as asked: a text has no letter, and a row that came in two ways would be counted twice.
            found.append(" and ".join(dict.fromkeys([*parts, *([way.asked] if way.asked else []), way.told])))
            before.append(f"not coalesce({way.told}, false)")
        return found

    def _has(self, alias: str, letter: str, asked: Asked) -> str:
        words = f"select '{letter}{asked.kind}:' || v from ({asked.values}) as v$(v)"
        return f"{self.listing.facets.format(t=alias)} && array({words})"

    @property
    def _merged(self) -> bool:
        """Whether there are several conditions on the owner: one is made of them, the owners that meet them all."""
        return sum(owner_of(condition) is not None for condition, _, _ in self.given) > 1

    def _facets(self, *, owners: bool = True) -> list[Asked]:
        """Every condition that is a facet."""
        merged = self._merged
        found = [Asked(*each) for each in self._owners(every=merged).values()] if owners else []
        for condition, place, _ in self.given:
            if isinstance(condition.index, Facet) and not (merged and condition.index.owner):
                many = condition.cast.endswith("[]")
                values = f"unnest({place})" if many else f"(select {place})"
                words = f"select {condition.index.word.format(v='w$.v')} from {values} as w$(v)"
                found.append(Asked(condition.index.kind, words, condition.index.alike))
        if self.inside:
            kind, value = self.listing.inside
            found.append(Asked(kind, f"select {value.format(**self.page.names_of(''))}"))
        return found

    def _texts(self, alias: str) -> Iterator[str]:
        for condition, place, _ in self.given:
            if isinstance(condition.index, Grams):
                yield condition.index.sql.format(t=alias, v=place)

    # ── the page ──────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, bounds: Bounds, down: bool, want: int) -> str:
        """A query of the keys of the first `want` rows within the bounds; in no order."""
        if not self.given:
            alias = self.query.alias("l")
            where = conditions([self._belongs(alias), *bounds(alias), *self._matches(alias)])
            return f"select {alias}.id from {self._source(alias)}{where}{self._order(alias, down)} limit {want}"
        if not self.inside and self._of_owners():
            return self._by_owner(bounds, down, want)
        seen = self.query.alias("s")
        short = f"(select count(*) from {seen}) < {want}"
        if self.inside:  # a short list is often at its end: then there is nothing to find
            short += f" and exists ({self._walk(bounds, down, '1', f'offset {self.depth} limit 1')[1]})"
        alone = not self._indexed("")
        few = FEW_ALONE if alone and not self._spanned() else FEW
        sizes = self._sizes(few if alone else SOME)
        parts = [f"{seen} as materialized ({self._look(bounds, down, want)})", *(each.sql for each in sizes)]
        ways = [f"select {seen}.id from {seen} where ({short}) is not true"]
        for candidates, gates in self._ways(sizes, few):
            if candidates is None:
                ways.append(self._by_span(bounds, down, want, [short, *gates]))
            else:
                ways.append(self._sorted(candidates, bounds, down, want, [short, *gates]))
        return f"with {', '.join(parts)} {' union all '.join(ways)}"

    def _of_owners(self) -> bool:
        """Whether all rows are asked for, or all of some owners."""
        return all(owner_of(condition) for condition, _, _ in self.given)

    def _by_owner(self, bounds: Bounds, down: bool, want: int) -> str:
        """Nothing is asked but whose the rows are: the first rows of each owner, which an index has in their order, and
        of these the first. Owners that have many are met on a walk through all."""
        seen, alias, owners = self.query.alias("s"), self.query.alias("l"), self.query.alias("o")
        ((column, (_, keys)),) = self._owners(every=True).items()
        short = f"(select count(*) from {seen}) < {want}"
        mine = conditions([f"{alias}.{column} = {owners}.id", *bounds(alias), self.page.visible(alias)])
        rows = f"select {alias}.* from {self._source(alias)}{mine}{self._order(alias, down)} limit {want}"
        first = f"({keys} offset 0) {owners}, lateral ({rows}) {alias}"
        return (
            f"with {seen} as materialized ({self._look(bounds, down, want)}) "
            f"select {seen}.id from {seen} where ({short}) is not true "
            f"union all (select {alias}.id from {first} where {short}{self._order(alias, down)} limit {want})"
        )

    def _walk(self, bounds: Bounds, down: bool, columns: str, limit: str) -> tuple[str, str]:
        """The rows in their order, from where the conditions let it begin to where they let it end, and their
        alias."""
        alias = self.query.alias("l")
        start = conditions([self._belongs(alias), *bounds(alias), *self._implied(alias)])
        columns = columns.format(alias)
        return alias, f"select {columns} from {self._source(alias)}{start}{self._order(alias, down)} {limit}"

    def _order(self, alias: str, down: bool) -> str:
        direction = " desc" if down else ""
        return f" order by {self.page.key_of(alias)}{direction}, {alias}.id{direction}"

    def _look(self, bounds: Bounds, down: bool, want: int) -> str:
        alias, walked = self._walk(bounds, down, "{}.*", f"limit {self.depth}")
        matches = conditions(self._matches(alias))
        return f"select {alias}.id from ({walked}) {alias}{matches}{self._order(alias, down)} limit {want}"

    def _sorted(self, candidates: Candidates, bounds: Bounds, down: bool, want: int, gates: list[str]) -> str:
        """A way that has all candidates in hand and sorts what is right of them; only where the gates hold."""
        alias, source = candidates
        exact = conditions([self._belongs(alias), *bounds(alias), *self._matches(alias), *gates])
        return f"(select {alias}.id from {source}{exact}{self._order(alias, down)} limit {want})"

    # ── ways to candidates ────────────────────────────────────────────────────────────────────────────────────

    def _sizes(self, most: int) -> list[Size]:
        """For each column of which the filter names a range: how many rows lie in it, not counted beyond `most`."""
        found = []
        for column in dict.fromkeys(column for column, _ in self._ranges("")):
            name, alias = self.query.alias("n"), self.query.alias("l")
            rows = f"select 1 from {self._in_range(alias, column)} limit {most + 1}"
            found.append(Size(column, name, f"{name} as materialized (select count(*) as rows from ({rows}) n$)"))
        return found

    def _by_span(self, bounds: Bounds, down: bool, want: int, gates: list[str]) -> str:
        """The list month by month, in each of them only what lies in the ranges; a month at a time is sorted."""
        span, key = self.listing.spans[self.page.order_sql], self.page.order_sql
        alias, months, direction = self.query.alias("l"), self.query.alias("m"), " desc" if down else ""
        end = f"select {span.format(t='e$')} from {self._source('e$')} order by {key.format(t='e$')}"
        ends = f"({end} limit 1), ({end} desc limit 1)"
        inside: Where = [f"{span.format(t=alias)} = {months}.at", *(sql for _, sql in self._ranges(alias))]
        exact = conditions([self._belongs(alias), *bounds(alias), *self._matches(alias)])
        rows = (
            f"select {alias}.* from (select {alias}.* from {self._source(alias)}{conditions(inside)} offset 0) {alias}"
            f"{exact}{self._order(alias, down)} limit {want}"
        )
        series = f"select at from generate_series({ends}, interval '1 month') at order by at{direction}"
        order = self._order(alias, down).replace("order by", f"order by {months}.at{direction},")
        return (
            f"(select {alias}.id from ({series}) {months}(at), lateral ({rows}) {alias}{conditions([*gates])}"
            f"{order} limit {want})"
        )

    def _ways(self, sizes: list[Size], few: int) -> Iterator[tuple[Candidates | None, list[str]]]:
        """The candidates of each way, and when it is the one to go: of these conditions just one is true. None stands
        for all, month by month."""
        gates: list[str] = []
        for size in sizes:
            yield self._of_range(size.column), [*gates, f"(select rows from {size.name}) <= {few}"]
            gates.append(f"(select rows from {size.name}) > {few}")
        if not self._indexed(""):
            yield None if self._spanned() else self._everything(), gates
            return
        for size in sizes:
            yield from self._finds(size.column, [*gates, f"(select rows from {size.name}) <= {SOME}"])
            gates.append(f"(select rows from {size.name}) > {SOME}")
        yield from self._finds(None, gates)

    def _finds(self, column: str | None, gates: list[str]) -> Iterator[tuple[Candidates, list[str]]]:
        """What the index gives. It is slow with many words of one kind: where there are many owners, and something else
        to ask for, whose a row is is seen by the row."""
        owners = self._owners(every=self._merged)
        if not owners or not self._indexed("", owners=False):
            yield self._found(column), gates
            return
        ((_, keys),) = owners.values()
        many = f"(select count(*) from ({keys}) k$) > {MANY_OWNERS}"
        yield self._found(column), [*gates, f"not {many}"]
        yield self._found(column, owners=False), [*gates, many]

    def _spanned(self) -> bool:
        others = {condition.index.column for condition, _, _ in self.given if isinstance(condition.index, Within)}
        key = self.page.order_sql
        return key in self.listing.spans and bool(others - {key}) and not self.inside

    def _in_range(self, alias: str, column: str) -> str:
        """The rows of a range, in its order, the last first: a hint to the planner to read that index."""
        parts: Where = [sql for each, sql in self._ranges(alias) if each == column]
        return f"{self._source(alias)}{conditions(parts)} order by {column.format(t=alias)} desc"

    def _of_range(self, column: str) -> Candidates:
        alias = self.query.alias("l")
        # OFFSET keeps the candidates apart from the order, which an index would give at the price of walking it.
        return alias, f"(select {alias}.* from {self._in_range(alias, column)} offset 0) {alias}"

    def _everything(self) -> Candidates:
        alias = self.query.alias("l")
        return alias, self._source(alias)

    def _found(self, column: str | None = None, *, owners: bool = True) -> Candidates:
        """What the inverted index gives; with a column, together with the index of its range. A range of two unknown
        ends is thought to hold little: so both are read and their bitmaps met, which is right for `SOME` rows."""
        alias = self.query.alias("l")
        both: list[str] = []
        for each, sql in self._ranges(alias):
            if each == column:
                both += [sql, *(f"{each.format(t=alias)} {sign} (select {end})" for sign, end in ENDS)]
        ways = [
            f"(select {alias}.* from {self._source(alias)} where {' and '.join([asked, *both])} offset 0)"
            for asked in self._indexed(alias, owners=owners)
        ]
        return alias, f"({' union all '.join(ways)}) {alias}"


def owner_of(condition: Condition) -> Through | None:
    """The condition as one on the owner, if it is one."""
    match condition.index:
        case Through() as through:
            return through
        case Facet(owner=owner):
            return owner
    return None
