"""A naive interpreter of the declared schema, against which the compiled reads are compared.

Binding text: the GraphQL specification, section 6.3 (CollectFields, merging of selection sets), and the Relay
cursor connections specification as `wego.core.reads` reads it. It is slow on purpose and shares nothing with the
compiler: field after field, one small statement per scalar; a row in scope is a chain of FROM items of one row each;
values stand in the text, quoted; a text is looked for in one language after another; a connection fetches all keys
and does its paging, cursors and counts in Python. Only answers of identical statements are kept, as nothing changes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    parse,
)
from graphql.execution.values import get_argument_values, get_variable_values
from naive_rows import Rights, Scope, Session, literal, plain, table
from strawberry.utils.str_converters import to_camel_case

from wego.core.access import Actor
from wego.core.context import Reading
from wego.core.reads import metadata

PAGE = 20
COUNTED = 10_000


class Naive:
    """One operation, one reader."""

    def __init__(
        self,
        schema: GraphQLSchema,
        session: Session,
        actor: Actor,
        reading: Reading,
        reading_of: Callable[[tuple[str, ...]], Reading],
    ) -> None:
        self.schema, self.session, self.reading, self.reading_of = schema, session, reading, reading_of
        self.rights = Rights(actor, reading)
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        self.variables: Any = None
        self.given: dict[str, Any] = {}

    def answer(self, text: str, name: str | None = None, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        document = parse(text)
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        self.fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        operation = next(each for each in operations if name is None or (each.name and each.name.value == name))
        self.given = dict(variables or {})
        coerced = get_variable_values(self.schema, operation.variable_definitions or (), self.given)
        if isinstance(coerced, list):
            raise coerced[0]
        self.variables = coerced
        self._aliases = count()
        self.operation = operation
        assert self.schema.query_type
        return self.object(self.schema.query_type, Scope(), [operation.selection_set])

    # ── selections ────────────────────────────────────────────────────────────────────────────────────────────

    def collect(self, gtype: GraphQLObjectType, sets: list[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """CollectFields: an ordered map of response keys to the fields that merge there."""
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        waiting = [node for each in sets for node in each.selections]
        while waiting:
            node = waiting.pop(0)
            if not self.wanted(node):
                continue
            if isinstance(node, FieldNode):
                grouped.setdefault((node.alias or node.name).value, []).append(node)
                continue
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in visited:
                    continue
                visited.add(node.name.value)
                fragment: Any = self.fragments[node.name.value]
            else:
                assert isinstance(node, InlineFragmentNode)
                fragment = node
            if self.matches(fragment.type_condition, gtype):
                waiting[:0] = fragment.selection_set.selections
        return grouped

    def wanted(self, node: Any) -> bool:
        for directive in node.directives or ():
            (argument,) = directive.arguments
            value: Any = argument.value
            on = self.variables.coerced[value.name.value] if value.kind == "variable" else value.value
            if (directive.name.value, on) in (("skip", True), ("include", False)):
                return False
        return True

    def matches(self, condition: Any, gtype: GraphQLObjectType) -> bool:
        if condition is None:
            return True
        named = self.schema.get_type(condition.name.value)
        if is_abstract_type(named):
            return gtype in self.schema.get_possible_types(named)
        return named is gtype

    # ── objects ───────────────────────────────────────────────────────────────────────────────────────────────

    def object(self, gtype: Any, scope: Scope, sets: list[SelectionSetNode]) -> dict[str, Any]:
        return {key: self.field(gtype, scope, nodes) for key, nodes in self.collect(gtype, sets).items()}

    def field(self, gtype: Any, scope: Scope, nodes: list[FieldNode]) -> Any:
        name = nodes[0].name.value
        if name == "__typename":
            return gtype.name
        if name.startswith("__"):
            return self.introspect(nodes)
        definition = gtype.fields[name]
        backing = definition.extensions["strawberry-definition"]
        meta = (backing.metadata or {}).get(metadata.META)
        if meta is None:
            return self.introspect(nodes)
        arguments = get_argument_values(definition, nodes[0], self.variables)
        target: Any = get_named_type(definition.type)
        sets = [each.selection_set for each in nodes if each.selection_set]
        if isinstance(meta, metadata.Column):
            return self.scalar(definition.type, scope, meta, arguments)
        if isinstance(meta, metadata.GlobalId):
            key = self.session.one(scope.select(f"{scope.alias}.{table(gtype).key}::text"))
            return base64.urlsafe_b64encode(f"{gtype.name}:{key}".encode()).decode().rstrip("=")
        if isinstance(meta, metadata.Inline):
            there = meta.when is None or self.session.one(scope.select(f"({meta.when.format(**scope.names)}) is true"))
            return self.object(target, scope, sets) if there else None
        if isinstance(meta, metadata.Picked):
            return self.picked(definition.type, target, scope, meta, arguments.get("locales"), sets)
        if isinstance(meta, metadata.One):
            return self.one(target, scope, meta, arguments, sets)
        if isinstance(meta, metadata.Many):
            return self.many(target, scope, meta, arguments, sets)
        if isinstance(meta, metadata.Edges):
            return Listing(self, definition, target, scope, meta, arguments).answer(sets)
        if isinstance(meta, metadata.ById):
            given = arguments["ids"] if meta.many else [arguments["id"]]
            found = [self.by_id(target, each, sets) for each in given]
            return found if meta.many else found[0]
        raise TypeError(f"{gtype.name}.{name} does not say what it is in SQL")

    def introspect(self, nodes: list[FieldNode]) -> Any:
        """A root field that is no SQL, by the GraphQL library."""
        operation = OperationDefinitionNode(
            operation=self.operation.operation,
            variable_definitions=self.operation.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(nodes)),
        )
        document = DocumentNode(definitions=(operation, *self.fragments.values()))
        result = execute_sync(self.schema, document, variable_values=self.given)
        assert not result.errors
        assert result.data
        return next(iter(result.data.values()))

    def places(self, declared: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, str]:
        return {name: literal(arguments.get(to_camel_case(name)), arg.cast) for name, arg in declared.items()}

    def scalar(self, kind: Any, scope: Scope, meta: metadata.Column, arguments: Mapping[str, Any]) -> Any:
        template = meta.sql(self.rights, scope.alias) if callable(meta.sql) else meta.sql  # type: ignore[arg-type]
        sql = template.format(**scope.names, **self.places(meta.args, arguments))
        value = self.session.one(f"select to_json(s.v) from ({scope.select(f'{sql} as v')}) s")
        named: Any = get_named_type(kind)
        if not is_enum_type(named):
            return value
        words = {plain(each.value): word for word, each in named.values.items()}
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(bare, GraphQLList):
            return [words[each] for each in value]
        return None if value is None else words[value]

    def picked(
        self, kind: Any, target: Any, scope: Scope, meta: metadata.Picked, wish: list[str] | None, sets: list[Any]
    ) -> Any:
        reading = self.reading_of(tuple(wish)) if wish else self.reading
        if isinstance(meta.pick, metadata.Own):
            when = meta.pick.when
            there = when is None or self.session.one(scope.select(f"({when.format(**scope.names)}) is true"))
            locale = meta.pick.locale.format(**scope.names)
            return self.told(target, scope, meta, locale, reading, sets) if there else None
        final = self.session.one(scope.select(meta.pick.final.format(**scope.names)))
        for locale in (final,) if meta.pick.only else (*reading.tags, final):
            step = meta.pick.step.format(**{"columns": "r.*", **scope.names, "locale": literal(locale, "text")})
            alias = f"p{next(self._aliases)}"
            item = f"lateral (select u.* from ({step}) u limit 1) {alias}"
            row = Scope((*scope.chain, item), scope.alias, {**scope.names, "x": alias})
            if self.session.one(row.select(f"count({alias}.locale)")):
                return self.told(target, row, meta, f"{alias}.locale", reading, sets)
        assert not isinstance(kind, GraphQLNonNull), f"a text that must be there is not: {meta}"
        return None

    def told(
        self, target: Any, row: Scope, meta: metadata.Picked, locale: str, reading: Reading, sets: list[Any]
    ) -> Any:
        """A text of a row in scope, whose language an expression tells."""
        names = {**row.names, "locale": locale, "first": literal(list(reading.first), "text[]")}
        names |= {name: sql.format(**names) for name, sql in meta.names.items()}
        return self.object(target, Scope(row.chain, row.alias, names), sets)

    # ── edges ─────────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, parent: Scope, source: str, where: list[str | None], alias: str, tail: str = "") -> Scope:
        kept = " and ".join(f"({each})" for each in where if each)
        inner = f"select {alias}.* from {source}{' where ' + kept if kept else ''}{tail}"
        return Scope((*parent.chain, f"lateral ({inner}) {alias}"), alias, {"t": alias})

    def count(self, scope: Scope) -> int:
        return int(self.session.one(scope.select("count(*)")))

    def seen(self, target: Any, alias: str, meta: Any) -> str | None:
        visible = table(target).visible
        return visible(self.rights, alias) if visible and meta.visible else None  # type: ignore[arg-type]

    def names(
        self, parent: Scope, alias: str, declared: Mapping[str, Any], arguments: Mapping[str, Any]
    ) -> dict[str, str]:
        return {**parent.names, **self.places(declared, arguments), "p": parent.alias, "t": alias}

    def one(self, target: Any, parent: Scope, meta: metadata.One, arguments: Mapping[str, Any], sets: list[Any]) -> Any:
        alias = f"n{next(self._aliases)}"
        names = self.names(parent, alias, meta.args, arguments)
        rights: Any = self.rights
        source = meta.source(rights) if callable(meta.source) else meta.source or table(target).source
        on = meta.on(rights, parent.alias, alias) if callable(meta.on) else meta.on.format(**names)
        where = [on, self.seen(target, alias, meta)]
        row = self.row(parent, source.format(**names), where, alias, " limit 1")
        return self.object(target, row, sets) if self.count(row) else None

    def many(
        self, target: Any, parent: Scope, meta: metadata.Many, arguments: Mapping[str, Any], sets: list[Any]
    ) -> Any:
        alias = f"n{next(self._aliases)}"
        names = self.names(parent, alias, meta.args, arguments)
        source: Any = meta.source(self.rights) if callable(meta.source) else meta.source or table(target).source  # type: ignore[arg-type]
        source = source.format(**names)
        where = [meta.on.format(**names) if meta.on else None, self.seen(target, alias, meta)]
        every = self.count(self.row(parent, source, where, alias, f" limit {meta.most or 'all'}"))
        order = meta.order.format(**names)
        return [
            self.object(target, self.row(parent, source, where, alias, f" order by {order} offset {at} limit 1"), sets)
            for at in range(every)
        ]

    def by_id(self, target: Any, given: str, sets: list[Any]) -> Any:
        parsed = of_id(given)
        for gtype in self.schema.get_possible_types(target):
            if parsed and parsed[0] == gtype.name:
                alias, rows = f"n{next(self._aliases)}", table(gtype)
                where: list[str | None] = [f"{alias}.{rows.key} = {literal(parsed[1], 'uuid')}"]
                visible: Any = rows.visible
                if visible:
                    where.append(visible(self.rights, alias))
                row = self.row(Scope(), rows.source.format(t=alias), where, alias)
                return self.object(gtype, row, sets) if self.count(row) else None
        return None


@dataclass
class Listing:
    """One connection: all its keys in ascending order, and where each lies to the given cursors (-1, 0, 1)."""

    naive: Naive
    definition: Any
    target: Any
    parent: Scope
    meta: metadata.Edges
    arguments: Mapping[str, Any]

    def __post_init__(self) -> None:
        self.node_type: Any = get_named_type(self.target.fields["nodes"].type)
        self.edge_type: Any = get_named_type(self.target.fields["edges"].type)
        self.alias = f"n{next(self.naive._aliases)}"
        names = self.naive.names(self.parent, self.alias, {}, {})
        self.where = [self.meta.on.format(**names) if self.meta.on else None]
        self.where.append(self.naive.seen(self.node_type, self.alias, self.meta))
        self.where.extend(self.filters(names))
        order, direction = self.meta.default
        asked = self.arguments.get("orderBy")
        if asked:
            order, direction = plain(asked["field"]), plain(asked["direction"])
        self.order, self.key = order, self.meta.orders[order].sql.format(**names)
        self.cast, self.down = self.meta.orders[order].cast, direction == "desc"
        source = self.meta.orders[order].source or self.meta.source or table(self.node_type).source
        cursor = self.arguments.get("after") or self.arguments.get("before")
        self.locale = self.naive.reading.locale
        if cursor and self.meta.orders[order].by_language:
            self.locale = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[0].partition(".")[2]
        self.source = source.format(**names, locale=literal(self.locale, "text"))
        self.row_key = f"{self.alias}.{table(self.node_type).key}"

    def filters(self, names: dict[str, str]) -> list[str]:
        fields: Any = get_named_type(self.definition.args["filter"].type) if "filter" in self.definition.args else None
        found = []
        for name, value in (self.arguments.get("filter") or {}).items():
            if value is not None:
                declared = fields.fields[name].extensions["strawberry-definition"].metadata[metadata.META]
                sql = declared.sql(self.naive.rights) if callable(declared.sql) else declared.sql
                wanted = value
                if declared.wider:
                    asked = value if isinstance(value, list) else [value]
                    wanted = [each for one in asked for each in declared.wider(one)]
                found.append(sql.format(**{**names, "v": literal(wanted, declared.cast)}))
        return found

    def rows(self) -> list[tuple[Any, ...]]:
        """(sort key as JSON, row key, place to `after`, place to `before`) of every row, in the order asked."""
        sides = [self.side(self.arguments.get(name)) for name in ("after", "before")]
        kept = " and ".join(f"({each})" for each in self.where if each)
        chain = ", ".join(
            (
                *self.parent.chain,
                f"lateral (select * from {self.source}{' where ' + kept if kept else ''}) {self.alias}",
            )
        )
        found = self.naive.session.rows(
            f"select to_json({self.key}), {self.row_key}::text, {', '.join(sides)} from {chain} "
            f"order by {self.key}, {self.row_key}"
        )
        return [(key, row, -after, -before) for key, row, after, before in reversed(found)] if self.down else found

    def side(self, cursor: str | None) -> str:
        if cursor is None:
            return "0"
        _, key, row = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        mark = f"({literal(key, self.cast)}, {literal(row, 'uuid')})"
        mine = f"({self.key}, {self.row_key})"
        return f"case when {mine} < {mark} then -1 when {mine} = {mark} then 0 else 1 end"

    def answer(self, sets: list[Any]) -> dict[str, Any]:
        every = self.rows()
        after, before, last = (self.arguments.get(name) is not None for name in ("after", "before", "last"))
        window = [row for row in every if (not after or row[2] > 0) and (not before or row[3] < 0)]
        size = self.arguments["last"] if last else self.arguments.get("first")
        size = PAGE if size is None else size
        page = (window[-size:] if size else []) if last else window[:size]
        more = len(window) > size
        behind = after and any(row[2] <= 0 for row in every)
        ahead = before and any(row[3] >= 0 for row in every)
        info = {
            "hasNextPage": ahead if last else more,
            "hasPreviousPage": more if last else behind,
            "startCursor": self.cursor(page[0]) if page else None,
            "endCursor": self.cursor(page[-1]) if page else None,
        }
        result: dict[str, Any] = {}
        for key, nodes in self.naive.collect(self.target, sets).items():
            inner = [each.selection_set for each in nodes if each.selection_set]
            match nodes[0].name.value:
                case "__typename":
                    result[key] = self.target.name
                case "totalCount":
                    result[key] = min(len(every), COUNTED)
                case "totalCountIsCapped":
                    result[key] = len(every) > COUNTED
                case "nodes":
                    result[key] = [self.node(row, inner) for row in page]
                case "edges":
                    result[key] = [self.edge(row, inner) for row in page]
                case "pageInfo":
                    result[key] = self.page_info(info, inner)
                case "facets":
                    result[key] = self.facets(inner)
        return result

    def facets(self, sets: list[Any]) -> dict[str, Any]:
        """What there is of each value, counted in all rows; a listing has a row for each, under the same key."""
        kept = " and ".join(f"({each})" for each in self.where if each)
        rows = f"select {self.alias}.* from {self.source}{' where ' + kept if kept else ''}"
        if self.meta.listing is not None:
            rows = f"select l$.* from {self.meta.listing.source} l$ join ({rows}) k$ on k$.id = l$.id"
        names = {"m": f"({rows})", "r": "r$", "most": str(COUNTED)}
        return self.naive.object(
            get_named_type(self.target.fields["facets"].type), Scope(self.parent.chain, "", names), sets
        )

    def page_info(self, info: dict[str, Any], sets: list[Any]) -> dict[str, Any]:
        kind: Any = get_named_type(self.target.fields["pageInfo"].type)
        fields = self.naive.collect(kind, sets).items()
        return {key: ({**info, "__typename": kind.name})[nodes[0].name.value] for key, nodes in fields}

    def edge(self, row: tuple[Any, ...], sets: list[Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, nodes in self.naive.collect(self.edge_type, sets).items():
            inner = [each.selection_set for each in nodes if each.selection_set]
            match nodes[0].name.value:
                case "__typename":
                    result[key] = self.edge_type.name
                case "cursor":
                    result[key] = self.cursor(row)
                case "node":
                    result[key] = self.node(row, inner)
        return result

    def node(self, row: tuple[Any, ...], sets: list[Any]) -> dict[str, Any]:
        mine = f"{self.row_key} = {literal(row[1], 'uuid')}"
        return self.naive.object(
            self.node_type, self.naive.row(self.parent, self.source, [*self.where, mine], self.alias), sets
        )

    def cursor(self, row: tuple[Any, ...]) -> str:
        name = f"{self.order}.{self.locale}" if self.meta.orders[self.order].by_language else self.order
        packed = json.dumps([name, row[0], row[1]], ensure_ascii=False)
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def of_id(given: str) -> tuple[str, UUID] | None:
    """Type and key of a global id; None when it is none of ours."""
    try:
        name, _, key = (
            base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True).decode().partition(":")
        )
        parsed = UUID(key)
    except ValueError:
        return None
    canonical = base64.urlsafe_b64encode(f"{name}:{parsed}".encode()).decode().rstrip("=")
    return (name, parsed) if canonical == given else None
