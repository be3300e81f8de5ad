"""How many rows of a filtered list there are, and of which of them facets are made, from its compact table (`Listing`).

Nothing is counted beyond a bound. What is common is met on the way from the newest, what is rare is found as a page
finds it (`search`); a sample of the newest says which of the two to try.
"""

from __future__ import annotations

from collections.abc import Iterator

from wego.core.reads import search
from wego.core.reads.query import conditions
from wego.core.reads.search import Candidates, Search, Size, Where

SAMPLE = 1_000  # rows from which a count learns whether what it counts is common
FEW_COUNTED = 20_000  # rows of a range that are read whole
COUNTED = 10_000  # counts are exact up to here
FROM_THE_TOP = 60_000  # rows that are counted as they lie where one of five or more matches
_COMMON = "n.hits * 5 >= n.rows"


class Counting(Search):
    """The same search, asked for a number, or for all that there are up to the bound."""

    def count(self) -> str:
        """How many rows there are, not counted beyond one more than `COUNTED`. A sample of the newest says whether
        one of five or more matches: then they are counted from there, else as they are found."""
        if self._of_owners():
            return counted(*self._owned())
        top = "0" if self.inside else counted(*self._newest())  # what one thing has is found as fast
        sizes = self._ranges_counted()
        found = f"select case{''.join(self._cases(sizes))} end"
        ctes = f"with {', '.join(each.sql for each in sizes)} " if sizes else ""
        return (
            f"({ctes}select case when n.rows < {self._sampled} then n.hits when m.rows > {COUNTED} then m.rows "
            f"else ({found}) end from ({self._sample()} offset 0) n, "
            f"lateral (select case when {_COMMON} then {top} else 0 end as rows offset 0) m)"
        )

    def matched(self, columns: str) -> str:
        """A query of these columns, written for an alias {0}, of the rows that match: at most one more than
        `COUNTED`, in no order. What is common is taken from the newest."""
        if self._of_owners():
            return self._some(columns, *self._owned())
        sizes, sample, top = self._ranges_counted(), self.query.alias("n"), self.query.alias("s")
        newest, where = self._newest()
        common = "false" if self.inside else f"(select {_COMMON} from {sample} n)"
        parts = [
            *(each.sql for each in sizes),
            f"{sample} as materialized ({self._sample()})",
            f"{top} as materialized ({self._some(columns, newest, [*where, common])})",
        ]
        enough = f"(select count(*) from {top}) > {COUNTED}"
        ways = [f"select {top}.* from {top} where {enough}"]
        for candidates, gates in self._ways(sizes, FEW_COUNTED):
            source, where = self._exactly(candidates)
            ways.append(f"({self._some(columns, source, [*where, *gates, f'({enough}) is not true'])})")
        return f"with {', '.join(parts)} {' union all '.join(ways)}"

    def _cases(self, sizes: list[Size]) -> Iterator[str]:
        for candidates, gates in self._ways(sizes, FEW_COUNTED):
            yield f" when {' and '.join(gates) or 'true'} then {counted(*self._exactly(candidates))}"

    def _exactly(self, candidates: Candidates | None) -> tuple[Candidates, Where]:
        alias, source = candidates or self._everything()
        return (alias, source), [self._belongs(alias), *self._matches(alias)]

    def _ranges_counted(self) -> list[Size]:
        return self._sizes(max(FEW_COUNTED, search.SOME) if self._indexed("") else FEW_COUNTED)

    @property
    def _sampled(self) -> int:
        return search.LOOK_INSIDE if self.inside else SAMPLE

    def _sample(self) -> str:
        """Of the newest, how many there are and how many match."""
        alias, newest = self._walk(lambda _: [], True, "{}.*", f"limit {self._sampled}")
        hits = " and ".join(each for each in self._matches(alias) if each)
        return f"select count(*) as rows, count(*) filter (where {hits or 'true'}) as hits from ({newest}) {alias}"

    def _newest(self) -> tuple[Candidates, Where]:
        alias, newest = self._walk(lambda _: [], True, "{}.*", f"limit {FROM_THE_TOP}")
        return (alias, f"({newest}) {alias}"), self._matches(alias)

    def _owned(self) -> tuple[Candidates, Where]:
        """All rows, or those of some owners: an index has what is asked of them, and a count reads no row."""
        alias = self.query.alias("l")
        owners = self._owners(every=True).items()
        named = [f"{alias}.{column} = any(array({keys}))" for column, (_, keys) in owners]
        return (alias, self._source(alias)), [self._belongs(alias), self.page.visible(alias), *named]

    def _some(self, columns: str, rows: Candidates, where: Where) -> str:
        alias, source = rows
        return f"select {columns.format(alias)} from {source}{conditions(where)} limit {COUNTED + 1}"


def counted(rows: Candidates, where: Where) -> str:
    """The SQL of how many rows there are, at most one more than is counted."""
    return f"(select count(*) from (select 1 from {rows[1]}{conditions(where)} limit {COUNTED + 1}) n$)"
