"""Relay connections with keyset cursors (Relay cursor connections specification), as SQL."""

from __future__ import annotations

import re
from typing import Any

from graphql import FieldNode, get_named_type

from wego.core.errors import Invalid
from wego.core.reads import counting, cursors, filters
from wego.core.reads.counting import Counting, counted
from wego.core.reads.metadata import Condition, Edges, PayloadEdge, meta_of, table_of
from wego.core.reads.query import DEFAULT_PAGE, Ask, Binder, Query, Row, Run, Selecting, conditions, plain
from wego.core.reads.search import Given

COUNT, COUNT_FILTERED = 40, 100  # what a count costs, in objects
FACETS = 200  # what it costs to gather what facets are counted from; each kind of value has a price of its own
COUNTS = frozenset({"totalCount", "totalCountIsCapped"})


class Page:
    """One Relay connection: the rows of the page first, then what was asked of them."""

    def __init__(self, compiler: Selecting, ask: Ask, meta: Edges) -> None:
        self.compiler, self.ask, self.meta = compiler, ask, meta
        self.definition, self.node, self.connection = ask.definition, ask.node, ask.target
        self.sets, self.depth, self.many = ask.sets, ask.depth, ask.many
        self.edge = get_named_type(ask.target.fields["edges"].type)
        self.target = get_named_type(ask.target.fields["nodes"].type)
        self.arguments = compiler.run.arguments(ask.definition, ask.node)
        self.alias = compiler.query.alias("t")
        self.names = {**ask.row.names, "p": ask.row.alias, "t": self.alias}
        self._read_size()
        self._read_order()
        self.given = self._read_filter()
        listing = meta.listing
        self.counting = Counting(self, listing, self.given) if listing else None
        # What is filtered, or lies within another thing in an order of its own, is searched for where it can be.
        ordered = meta.on is not None and self.order != meta.default[0]
        self.search = self.counting if self.given or ordered else None

    def _read_size(self) -> None:
        first, last = self.arguments.get("first"), self.arguments.get("last")
        self.backward = last is not None
        if first is not None and last is not None:
            raise Invalid("Give either first or last, not both.", path=("first",))
        size = last if self.backward else first
        self.size = DEFAULT_PAGE if size is None else size
        limit = self.compiler.limits.page
        if not 0 <= self.size <= limit:
            name = "last" if self.backward else "first"
            raise Invalid("A page has between 0 and {limit} things.", limit=limit, path=(name,))
        self.compiler.baked(self.node, ("first", "last"))

    def _read_order(self) -> None:
        order = self.arguments.get("orderBy")
        name, direction = self.meta.default
        if order:
            name, direction = plain(order["field"]), plain(order.get("direction") or direction)
        self.order, self.descending = name, direction == "desc"
        self.key = self.key_of(self.alias)
        self.cast = self.meta.orders[name].cast

    def names_of(self, alias: str) -> dict[str, str]:
        """The names of a template for another alias of the same rows."""
        return {**self.names, "t": alias}

    @property
    def on(self) -> str | None:
        return self.meta.on

    @property
    def query(self) -> Query:
        return self.compiler.query

    @property
    def order_sql(self) -> str:
        return self.meta.orders[self.order].sql

    def key_of(self, alias: str) -> str:
        return self.order_sql.format(**self.names_of(alias))

    # ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────

    def visible(self, alias: str) -> str | None:
        return self.compiler.visible(self.target, alias) if self.meta.visible else None

    def where(self) -> list[str | None]:
        """What the rows must meet; of a searched list only the rights, asked once more of the rows themselves."""
        found = [self.meta.on.format(**self.names) if self.meta.on else None, self.visible(self.alias)]
        if self.search is None:
            found += [f"({each.sql.format(**self.names, v=each.place)})" for each in self.given]
        return found

    def _read_filter(self) -> list[Given]:
        given = self.arguments.get("filter") or {}
        definition = get_named_type(self.definition.args["filter"].type) if given else None
        found = []
        for name, value in given.items():
            if value is not None and definition is not None:
                meta = meta_of(definition.fields[name])
                assert isinstance(meta, Condition), f"filter field {name} does not say what it is in SQL"
                self.compiler.spend(self.many * meta.price)
                place = self.compiler.query.bind(self._filter_value(name, meta), meta.cast)
                sql = meta.sql(self.compiler.query) if callable(meta.sql) else meta.sql
                found.append(Given(meta, place, sql))
        return found

    def _filter_value(self, name: str, meta: Condition) -> Binder:
        definition, node = self.definition, self.node  # not the page, which holds the run that was compiled for
        return lambda run: filters.checked(run.arguments(definition, node)["filter"][name], name, meta)

    def _cursor(self, name: str) -> tuple[str, str]:
        definition, node, order, cast = self.definition, self.node, self.order, self.cast

        def value(run: Run, part: int) -> Any:
            return cursors.read(run.arguments(definition, node)[name], order, cast, (name,))[part]

        key = self.compiler.query.bind(lambda run: value(run, 0), cast, (id(node), name, 0))
        return key, self.compiler.query.bind(lambda run: value(run, 1), "uuid", (id(node), name, 1))

    def beyond(
        self, name: str, *, inclusive: bool = False, opposite: bool = False, alias: str | None = None
    ) -> str | None:
        """The rows on the far side of a cursor: following `after`, or preceding `before`."""
        if self.arguments.get(name) is None:
            return None
        key, row_id = self._cursor(name)
        forward = (name == "after") != opposite
        sign = ">" if forward != self.descending else "<"
        equal = "=" if inclusive else ""
        alias = alias or self.alias
        return f"({self.key_of(alias)}, {alias}.{self.row_key}) {sign}{equal} ({key}, {row_id})"

    def _within(self, alias: str) -> list[str | None]:
        """The bounds that the cursors are."""
        return [self.beyond("after", alias=alias), self.beyond("before", alias=alias)]

    @property
    def row_key(self) -> str:
        return table_of(self.target).key

    @property
    def source(self) -> str:
        return (self.meta.source or table_of(self.target).source).format(**self.names)

    @property
    def sorted_source(self) -> str:
        """The same rows, with what their order needs."""
        source = self.meta.orders[self.order].source
        return source.format(**self.names, locale=self.locale) if source else self.source

    @property
    def locale(self) -> str:
        """The language of the order: that of the cursor, so that the pages of one list join, else the reader's."""
        definition, node = self.definition, self.node

        def language(run: Run) -> str:
            given = run.arguments(definition, node)
            cursor = given.get("after") or given.get("before")
            return (cursor and cursors.language(cursor)) or run.reading.locale

        return self.compiler.query.bind(language, "text", (id(node), "locale"))

    def rows(self, extra: int) -> str:
        """The rows of the page, one more when somebody asks whether more follows."""
        down = self.descending != self.backward
        direction = " desc" if down else ""
        wanted = self.size + extra
        if self.search is None:
            where = conditions([*self.where(), *self._within(self.alias)])
        else:
            found = f"{self.alias}.id = any(array({self.search.keys(self._within, down, wanted)}))"
            where = conditions([found, *self.where()])
        return (
            f"select {self.alias}.* from {self.sorted_source}{where} order by {self.key}{direction}, "
            f"{self.alias}.{self.row_key}{direction} limit {wanted}"
        )

    # ── answer ────────────────────────────────────────────────────────────────────────────────────────────────

    def sql(self) -> str:
        compiler = self.compiler
        compiler.spend(self.many)
        selected = compiler.collect(self.connection, self.sets)
        for key in selected:
            compiler.check_key(key)
        row = Row(self.alias, {"t": self.alias})
        lists: dict[str, str] = {}
        names = {nodes[0].name.value for nodes in selected.values()}
        more = "pageInfo" in names
        self.matched = compiler.query.alias("m") if "facets" in names else None  # what facets are counted from
        numbered = enumerate(selected.items())
        outer = {key: self._part(nodes, row, lists, f"a{number}") for number, (key, nodes) in numbered}
        count = bool(names & COUNTS)
        if more or len(lists) > 1 or (lists and count):
            rows = f" from ({self._page_and_more(row, lists) if more else self._page(row, lists)}) a"
        elif lists:
            rows = self._only(row, lists, outer)
        else:
            rows = ""
        if count:
            compiler.spend(self.many * (COUNT_FILTERED if self.given else COUNT))
            rows = f"{f'{rows}, ' if rows else ' from '}(select {self._count()} as many offset 0) n$"
        columns = ", ".join(f'{sql} as "{key}"' for key, sql in outer.items())
        return f"(select row_to_json(c$) from ({self._gathered(columns)}select {columns}{rows}) c$)"

    def _part(self, nodes: list[FieldNode], row: Row, lists: dict[str, str], name: str) -> str:
        """The SQL of one field of the connection; what it selects of each row goes to `lists` under its name."""
        compiler, field_name = self.compiler, nodes[0].name.value
        sets = [each.selection_set for each in nodes if each.selection_set]
        many = self.many * max(self.size, 1)
        match field_name:
            case "__typename":
                return f"'{self.connection.name}'::text"
            case "totalCount":
                return f"least(n$.many, {counting.COUNTED})"
            case "totalCountIsCapped":
                return f"n$.many > {counting.COUNTED}"
            case "nodes":
                lists[name] = compiler.columns(self.target, row, sets, self.depth + 1, many)
            case "edges":
                lists[name] = self._edges(sets, row, many)
            case "facets":
                compiler.spend(self.many * FACETS)
                row = Row("f$", {"m": str(self.matched), "r": f"r{self.matched}", "most": str(counting.COUNTED)})
                facets = get_named_type(self.connection.fields["facets"].type)
                return compiler.make(facets, row, sets, self.depth + 1, self.many)
            case "pageInfo":
                return self._page_info(definition=self.connection.fields["pageInfo"], sets=sets)
        return f"a.{name}"

    def _gathered(self, columns: str) -> str:
        """The part of the statement that holds what facets are counted from: of each row the columns that they use."""
        if self.matched is None:
            return ""
        names = dict.fromkeys(re.findall(rf"\br{self.matched}\.(\w+)", columns))
        used = ", ".join(f"{{0}}.{name}" for name in names) or "1 as one"
        if self.counting:
            rows = self.counting.matched(used)
        else:
            where = conditions(self.where())
            rows = f"select {used.format(self.alias)} from {self.source}{where} limit {counting.COUNTED + 1}"
        return f"with {self.matched} as materialized ({rows}) "

    def _count(self) -> str:
        if self.matched is not None:
            return f"(select count(*) from {self.matched})"
        return self.counting.count() if self.counting else counted((self.alias, self.source), self.where())

    def _edges(self, sets: list[Any], row: Row, many: int) -> str:
        return edge_columns(self.compiler, self.edge, row, sets, self._cursor_sql(), (self.depth, many))

    def _cursor_sql(self) -> str:
        locale = self.locale if self.meta.orders[self.order].by_language else None
        return cursors.sql(self.order, self.key, f"{self.alias}.{self.row_key}", locale)

    def _only(self, row: Row, lists: dict[str, str], outer: dict[str, str]) -> str:
        """The FROM of a page of which one list is all that was asked: its rows are aggregated where they are used,
        which spares a step for each row."""
        ((name, columns),) = lists.items()
        for key, sql in outer.items():
            if sql == f"a.{name}":
                outer[key] = "coalesce(json_agg(row_to_json(o$)), '[]'::json)"
        return f" from (select {columns} from {self._ordered(row, columns)}) o$"

    def _page(self, row: Row, lists: dict[str, str]) -> str:
        """One row: each asked list as JSON."""
        columns = ", ".join(_objects(lists))
        out = ", ".join(f"coalesce(json_agg(r.{name}), '[]'::json) as {name}" for name in lists)
        return f"select {out} from (select {columns} from {self._ordered(row, columns)}) r"

    def _ordered(self, row: Row, columns: str) -> str:
        """The page with the joins of its texts. Its order is asked once more outside, in the direction of the list;
        where it is the one in which the rows come, the planner sees that and does not sort."""
        direction = " desc" if self.descending else ""
        order = f" order by {self.key}{direction}, {self.alias}.{self.row_key}{direction}"
        return f"({self.rows(0)}) {self.alias}{row.join_sql(columns)}{order}"

    def _page_and_more(self, row: Row, lists: dict[str, str]) -> str:
        """One row: each asked list as JSON, whether there is more, and the cursors of both ends."""
        down = " desc" if self.backward else ""
        inside = f" filter (where r.rn <= {self.size})"
        out = [f"coalesce(json_agg(r.{name} order by r.rn{down}){inside}, '[]'::json) as {name}" for name in lists]
        columns = [*_objects(lists), "rn"]
        ends = ("max", "min") if self.backward else ("min", "max")
        out.append(f"coalesce(bool_or(r.rn > {self.size}), false) as more")
        for name, pick in zip(("start", "stop"), ends, strict=True):
            at = f"(array_agg(r.cursor order by r.rn{' desc' if pick == 'max' else ''}){inside})[1]"
            out.append(f"{at} as {name}_cursor")
        columns.append(f"{self._cursor_sql()} as cursor")
        selected = ", ".join(columns)
        numbered = f"(select q.*, row_number() over () as rn from ({self.rows(1)}) q) {self.alias}"
        return f"select {', '.join(out)} from (select {selected} from {numbered}{row.join_sql(selected)}) r"

    def _page_info(self, definition: Any, sets: list[Any]) -> str:
        more, before, after = "a.more", self._exists("before"), self._exists("after")
        names = {
            "more_after": before if self.backward else more,
            "more_before": more if self.backward else after,
            "start": "a.start_cursor",
            "end": "a.stop_cursor",
        }
        return self.compiler.make(get_named_type(definition.type), Row("a", names), sets, self.depth + 1, self.many)

    def _exists(self, name: str) -> str:
        """Whether any row lies on the near side of a cursor; without one there is none."""
        near = self.beyond(name, inclusive=True, opposite=True)
        if near is None:
            return "false"
        if self.search is None:
            return f"exists (select 1 from {self.sorted_source}{conditions([*self.where(), near])})"
        down = (name == "after") != self.descending

        def bounds(alias: str) -> list[str | None]:
            return [self.beyond(name, inclusive=True, opposite=True, alias=alias)]

        return f"exists ({self.search.keys(bounds, down, 1)})"


def edge_columns(compiler: Selecting, edge: Any, row: Row, sets: list[Any], cursor: str, level: tuple[int, int]) -> str:
    """What is selected of an edge whose node is a row in scope; `level` is the depth of the connection and how many
    edges there may be."""
    parts = []
    depth, many = level
    for key, nodes in compiler.collect(edge, sets).items():
        compiler.check_key(key)
        inner = [each.selection_set for each in nodes if each.selection_set]
        match nodes[0].name.value:
            case "cursor":
                value = cursor
            case "node":
                value = compiler.make(get_named_type(edge.fields["node"].type), row, inner, depth + 2, many)
            case _:
                value = f"'{edge.name}'::text"
        parts.append(f'{value} as "{key}"')
    return ", ".join(parts)


def edge_of_payload(compiler: Selecting, ask: Ask, meta: PayloadEdge) -> str:
    """The edge of a thing that was made, for a client that adds it to a list it holds; null when the reader does not
    see the thing."""
    target = get_named_type(ask.target.fields["node"].type)
    alias = compiler.query.alias("t")
    name, order = meta.order
    row = Row(alias, {"t": alias})
    locale = compiler.query.locale() if order.by_language else None
    cursor = cursors.sql(name, order.sql.format(t=alias), f"{alias}.{table_of(target).key}", locale)
    columns = edge_columns(compiler, ask.target, row, ask.sets, cursor, (ask.depth, ask.many))
    where = [meta.on.format(p=ask.row.alias, t=alias), compiler.visible(target, alias)]
    source = (order.source or table_of(target).source).format(t=alias, locale=compiler.query.locale())
    return (
        f"(select row_to_json(o$) from (select {columns} from {source}{row.join_sql(columns)}"
        f"{conditions(where)} limit 1) o$)"
    )


def _objects(lists: dict[str, str]) -> list[str]:
    """Each list's object of one row, as a column of the list's name."""
    return [f"(select row_to_json(o$) from (select {columns}) o$) as {name}" for name, columns in lists.items()]
