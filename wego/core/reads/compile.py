"""From a checked selection to SQL.

Every object is `(select row_to_json(o$) from (select … ) o$)`, which keeps the order of the response keys and was the
fastest form measured; lists aggregate it. A column of that name would be taken for the row, so it is one that no
response key can have. What depends on the reader (rights, languages, arguments) is a bound value; what changes the
shape of the statement (page sizes, which filters are present, how many languages) is in its text, and in the key
under which the plan is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.values import get_directive_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective

from wego.core.context import Reading
from wego.core.errors import CostExceeded, Invalid, Refusal
from wego.core.ids import parse_global_id
from wego.core.reads.metadata import (
    ById,
    Column,
    Edges,
    GlobalId,
    Inline,
    Many,
    One,
    Own,
    PayloadEdge,
    Pick,
    Picked,
    meta_of,
    table_of,
)
from wego.core.reads.pages import Page, edge_of_payload
from wego.core.reads.query import (
    COLUMNS,
    LONGEST_KEY,
    Ask,
    Limits,
    Query,
    Row,
    Run,
    camel,
    conditions,
    global_id,
    is_key,
    place_of,
    plain,
)

MOST_LOCALES = 20  # of the languages that a reader takes for one text


class Compiler:
    """Compiles one operation for one shape. `baked` collects what of the variables went into the text."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        run: Run,
        limits: Limits,
        baked: Callable[[FieldNode, tuple[str, ...]], None],
    ) -> None:
        self.schema, self.fragments, self.run, self.limits = schema, fragments, run, limits
        self.query = Query(run.actor.shape)
        self.baked = baked
        self.cost = 0
        self.fields = 0

    # ── selections ────────────────────────────────────────────────────────────────────────────────────────────

    def collect(self, gtype: Any, sets: list[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        fields: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for each in sets:
            self._collect(gtype, each, fields, seen)
        if len(fields) > self.limits.aliases:
            raise CostExceeded("One object was asked for {asked} fields; the limit is {limit}.",
                               asked=len(fields), limit=self.limits.aliases)  # fmt: skip
        return fields

    def _collect(
        self, gtype: Any, selections: SelectionSetNode, fields: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        for node in selections.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                fields.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node.type_condition, gtype):
                    self._collect(gtype, node.selection_set, fields, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if self._applies(fragment.type_condition, gtype):
                    self._collect(gtype, fragment.selection_set, fields, seen)

    def _included(self, node: Any) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.run.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.run.variables)
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))

    def _applies(self, condition: Any, gtype: Any) -> bool:
        if condition is None or condition.name.value == gtype.name:
            return True
        named: Any = self.schema.type_map[condition.name.value]
        return not is_object_type(named) and self.schema.is_sub_type(named, gtype)

    # ── objects ───────────────────────────────────────────────────────────────────────────────────────────────

    def columns(self, gtype: Any, row: Row, sets: list[SelectionSetNode], depth: int, many: int) -> str:
        """The select list of an object: one `expression as "key"` for each response key."""
        if depth > self.limits.depth:
            raise CostExceeded("The selection is nested too deeply; the limit is {limit}.", limit=self.limits.depth)
        self.spend(many)
        parts = []
        for key, nodes in self.collect(gtype, sets).items():
            self.check_key(key)
            parts.append(f'{self.value(gtype, row, nodes, depth, many)} as "{key}"')
        return ", ".join(parts)

    def check_key(self, key: str) -> None:
        self.fields += 1
        if self.fields > self.limits.fields:
            raise CostExceeded(
                "The operation asks for too many fields; the limit is {limit}.", limit=self.limits.fields
            )
        if len(key) > LONGEST_KEY:
            raise Invalid("The alias {alias} is too long; the limit is {limit} characters.",
                          alias=key[:20] + "…", limit=LONGEST_KEY)  # fmt: skip

    def spend(self, count: int) -> None:
        self.cost += count
        if self.cost > self.limits.cost:
            raise CostExceeded(
                "The operation asks for more than {limit} objects; ask for smaller pages.", limit=self.limits.cost
            )

    def make(self, gtype: Any, row: Row, sets: list[SelectionSetNode], depth: int, many: int) -> str:
        """An object made of a row in scope, as one JSON expression; its picked texts join into `row`."""
        return f"(select row_to_json(o$) from (select {self.columns(gtype, row, sets, depth, many)}) o$)"

    def value(self, gtype: Any, row: Row, nodes: list[FieldNode], depth: int, many: int) -> str:
        """The SQL of one field of an object. A refusal says at which place of the document it arose."""
        if nodes[0].name.value == "__typename":
            return f"'{gtype.name}'::text"
        try:
            return self._value(gtype, row, nodes, depth, many)
        except Refusal as refusal:
            refusal.locations = refusal.locations or place_of(nodes[0])
            raise

    def _value(self, gtype: Any, row: Row, nodes: list[FieldNode], depth: int, many: int) -> str:
        node = nodes[0]
        name = node.name.value
        definition = gtype.fields[name]
        sets = [each.selection_set for each in nodes if each.selection_set]
        ask = Ask(definition, node, get_named_type(definition.type), row, sets, depth, many)
        match meta_of(definition):
            case Column() as meta:
                return self._column(ask, meta)
            case GlobalId():
                return global_id(gtype.name, f"{row.alias}.{table_of(gtype).key}")
            case Inline(when):
                inner = self.make(ask.target, row, sets, depth + 1, many)
                return inner if when is None else f"case when {when.format(**row.names)} then {inner} end"
            case Picked() as meta:
                return self._picked(ask, meta)
            case One() as meta:
                return self._one(ask, meta)
            case Many() as meta:
                return self._many(ask, meta)
            case Edges() as meta:
                return Page(self, ask, meta).sql()
            case PayloadEdge() as meta:
                return edge_of_payload(self, ask, meta)
            case ById(is_many):
                return self._by_id(ask, is_many)
        raise TypeError(f"{gtype.name}.{name} does not say what it is in SQL")

    def _column(self, ask: Ask, meta: Column) -> str:
        template = meta.sql(self.query, ask.row.alias) if callable(meta.sql) else meta.sql
        sql = template.format(**ask.row.names, **self.places(ask, meta.args))
        if is_enum_type(ask.target):
            kind = ask.definition.type
            if is_list_type(kind) or is_list_type(getattr(kind, "of_type", None)):
                return f"(select coalesce(json_agg(upper(replace(e, '-', '_'))), '[]'::json) from unnest({sql}) e)"
            return f"upper(replace({sql}, '-', '_'))"
        return sql

    def places(self, ask: Ask, args: Mapping[str, Any]) -> dict[str, str]:
        """A bound place for each declared argument; an absent one is null."""

        definition, node = ask.definition, ask.node

        def place(name: str, cast: str) -> str:
            return self.query.bind(
                lambda run: plain(run.arguments(definition, node).get(camel(name))), cast, (id(node), name)
            )

        return {name: place(name, arg.cast) for name, arg in args.items()}

    def _picked(self, ask: Ask, meta: Picked) -> str:
        row, pick = ask.row, meta.pick
        count, tags, first, key = self._reading(ask)
        if isinstance(pick, Own):
            names = {"locale": pick.locale.format(**row.names), "first": first}
            there = pick.when and pick.when.format(**row.names)
        else:
            alias = self._join(row, pick, [f"({tags})[{i + 1}]" for i in range(count)], key)
            names = {"x": alias, "locale": f"{alias}.locale", "first": first}
            there = None if is_non_null_type(ask.definition.type) else f"{alias}.locale is not null"
        names |= {name: sql.format(**row.names, **names) for name, sql in meta.names.items()}
        inner = self.make(ask.target, row.inner(**names), ask.sets, ask.depth + 1, ask.many)
        return f"case when {there} then {inner} end" if there else inner

    def _join(self, row: Row, pick: Pick, wanted: list[str], key: object) -> str:
        """The alias of the picked row: of the first of the wanted languages that there is, or of the final one.
        The texts of one row that wish for the same languages share it."""
        joined = row.joins.get((row.alias, pick, key))
        if joined is None:
            alias = self.query.alias("x")
            tried = [*([] if pick.only else wanted), pick.final.format(**row.names)]
            steps = [pick.step.format(**row.names, columns=COLUMNS, locale=each) for each in tried]
            union = " union all ".join(f"({step})" for step in steps)
            chosen = steps[0] if pick.only else f"select * from ({union}) u limit 1"
            joined = row.joins[(row.alias, pick, key)] = (alias, f" left join lateral ({chosen}) {alias} on true")
        return joined[0]

    def _reading(self, ask: Ask) -> tuple[int, str, str, object]:
        """How many languages to try, the places of them all and of the best, and a key that tells lists apart."""
        definition, node = ask.definition, ask.node
        wish = self.run.arguments(definition, node).get("locales")
        if wish and len(wish) > MOST_LOCALES:
            raise Invalid("At most {limit} values can be asked for at once.", limit=MOST_LOCALES, path=("locales",))
        bind = self.query.bind
        self.baked(node, ("locales",))  # also when nothing is wished: an empty list and a full one are told apart
        if not wish:
            tags = bind(lambda run: list(run.reading.tags), "text[]", "reading")
            return len(self.run.reading.tags), tags, bind(lambda run: list(run.reading.first), "text[]", "first"), None

        def reading(run: Run) -> Reading:
            return run.reading_of(tuple(run.arguments(definition, node)["locales"]))

        key = ("reading", str(node.arguments[0].value.to_dict()) if node.arguments else id(node))
        tags = bind(lambda run: list(reading(run).tags), "text[]", (*key, "tags"))
        first = bind(lambda run: list(reading(run).first), "text[]", (*key, "first"))
        return len(reading(self.run).tags), tags, first, key

    # ── edges ─────────────────────────────────────────────────────────────────────────────────────────────────

    def visible(self, target: Any, alias: str) -> str | None:
        rows = table_of(target)
        return rows.visible(self.query, alias) if rows.visible else None

    def _one(self, ask: Ask, meta: One) -> str:
        parent, target = ask.row, ask.target
        alias = self.query.alias("t")
        source = meta.source(self.query) if callable(meta.source) else meta.source or table_of(target).source
        names = {**parent.names, **self.places(ask, meta.args), "p": parent.alias, "t": alias}
        on = meta.on(self.query, parent.alias, alias) if callable(meta.on) else meta.on.format(**names)
        where = [on, self.visible(target, alias) if meta.visible else None]
        row = Row(alias, {"t": alias})
        columns = self.columns(target, row, ask.sets, ask.depth + 1, ask.many)
        # By its key there is one row at most; PostgreSQL need not be told.
        by_key = meta.source is None and not callable(meta.on) and is_key(meta.on, table_of(target).key)
        first = "" if by_key else " limit 1"
        return (
            f"(select row_to_json(o$) from (select {columns} from {source.format(**names)}{row.join_sql(columns)}"
            f"{conditions(where)}{first}) o$)"
        )

    def _many(self, ask: Ask, meta: Many) -> str:
        parent, target = ask.row, ask.target
        self.spend(ask.many * meta.price)
        alias = self.query.alias("t")
        names = {**parent.names, **self.places(ask, meta.args), "p": parent.alias, "t": alias}
        source = meta.source(self.query) if callable(meta.source) else meta.source or table_of(target).source
        source = source.format(**names)
        where = [meta.on.format(**names) if meta.on else None, self.visible(target, alias) if meta.visible else None]
        row = Row(alias, {"t": alias})
        columns = self.columns(target, row, ask.sets, ask.depth + 1, ask.many * meta.expected)
        order = f" order by {meta.order.format(**names)}" + (f" limit {meta.most}" if meta.most else "")
        return (
            f"(select coalesce(json_agg(row_to_json(o$)), '[]'::json) from (select {columns} from {source}"
            f"{row.join_sql(columns)}{conditions(where)}{order}) o$)"
        )

    def _by_id(self, ask: Ask, is_many: bool) -> str:
        definition, node = ask.definition, ask.node
        argument, most = "ids" if is_many else "id", self.limits.ids

        def parsed(run: Run) -> list[tuple[str, UUID] | None]:
            value = run.arguments(definition, node)[argument]
            if is_many:
                _check_ids(len(value), most)
            return [parse_global_id(text) for text in (value if is_many else [value])]

        kinds = self.query.bind(lambda run: [each and each[0] for each in parsed(run)], "text[]")
        keys = self.query.bind(lambda run: [each and each[1] for each in parsed(run)], "uuid[]")
        expected = self.limits.ids if is_many else 1
        branches = "".join(
            f" when '{gtype.name}' then {self._of_type(gtype, ask.sets, ask.depth, ask.many * expected)}"
            for gtype in self.schema.get_possible_types(get_named_type(definition.type))
        )
        rows = f"unnest({kinds}, {keys}) with ordinality as n(kind, key, ord)"
        found = f"case n.kind{branches} end"
        if is_many:
            return f"(select coalesce(json_agg({found} order by n.ord), '[]'::json) from {rows})"
        return f"(select {found} from {rows})"

    def _of_type(self, gtype: Any, sets: list[Any], depth: int, many: int) -> str:
        rows, alias = table_of(gtype), self.query.alias("t")
        row = Row(alias, {"t": alias})
        columns = self.columns(gtype, row, sets, depth + 1, many)
        where = conditions([f"{alias}.{rows.key} = n.key", self.visible(gtype, alias)])
        source = rows.source.format(t=alias)
        return f"(select row_to_json(o$) from (select {columns} from {source}{row.join_sql(columns)}{where}) o$)"


def _check_ids(count: int, most: int) -> None:
    if count > most:
        raise Invalid("At most {limit} ids can be asked for at once.", limit=most, path=("ids",))
