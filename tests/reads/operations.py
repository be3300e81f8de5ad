"""Random valid operations of a schema, with values that occur in the database.

Everything that the language offers for reading is drawn: aliases (also those that mean something in SQL), inline and
named fragments on types and interfaces, fields that merge, @skip and @include, variables with defaults, with null and
left out, `__typename`, `node` and `nodes`, connections in both directions at any depth with cursors of real rows,
orders, filters and reading lists. What is drawn shrinks to small operations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)
from hypothesis import assume
from hypothesis import strategies as st
from pools import Pools, meta_of

from wego.core.reads import metadata

# Names that would be caught by SQL, or by the statement around them, if anything were not kept apart.
ALIASES = (
    "o", "c", "a", "r", "q", "u", "e", "n", "rn", "t1", "t2", "x1", "a0", "more", "cursor", "start_cursor", "select",
    "from", "order", "SELECT", "null", "payload", "id", "name", "slug", "locale", "value", "ord", "lateral",
    "_", "_1", "aB", "ab", "c_1", "nothing", "a" * 63,
)  # fmt: skip
ROWS = 60  # about how many rows an operation may lead to


class Word(str):
    """A value of an enum."""


@dataclass
class Operation:
    text: str
    variables: dict[str, Any]


@dataclass
class Keys:
    """The response keys of one object so far: what each stands for, and the keys below it."""

    taken: dict[str, tuple[str, Keys]] = field(default_factory=dict)
    prefix: str = ""


@dataclass
class Fragment:
    name: str
    on: str
    rows: int
    keys: Keys


@dataclass
class Maker:
    """Draws one operation."""

    draw: Any
    schema: GraphQLSchema
    pools: Pools
    budget: int = 45  # fields
    variables: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    fragments: list[Fragment] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    numbers: int = 0

    # ── dice ──────────────────────────────────────────────────────────────────────────────────────────────────

    def chance(self, percent: int) -> bool:
        """False is the simpler outcome."""
        return bool(self.draw(st.integers(0, 99)) >= 100 - percent)

    def pick(self, options: Iterable[Any]) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # ── the operation ─────────────────────────────────────────────────────────────────────────────────────────

    def operation(self) -> Operation:
        assert self.schema.query_type
        body = self.selection(self.schema.query_type, Keys(), 7, 1)
        declared = ", ".join(f"${name}: {kind}" for name, kind in self.variables.items())
        head = f"query Drawn({declared}) " if declared else self.pick(["", "query Drawn "])
        return Operation(head + body + "".join(f"\n{each}" for each in self.texts), self.values)

    def selection(self, gtype: Any, keys: Keys, depth: int, rows: int) -> str:
        return "{ " + " ".join(self.items(gtype, keys, depth, rows)) + " }"

    def items(self, gtype: Any, keys: Keys, depth: int, rows: int) -> list[str]:
        count = self.draw(st.integers(1, 4))
        return [self.item(gtype, keys, depth, rows) for _ in range(count)]

    def item(self, gtype: Any, keys: Keys, depth: int, rows: int) -> str:
        self.budget -= 1
        if isinstance(gtype, GraphQLInterfaceType) and depth > 0 and self.chance(75):
            return self.on_concrete(gtype, keys, depth, rows)
        if depth > 0 and self.budget > 0 and self.chance(14):
            return self.inline(gtype, keys, depth, rows)
        if depth > 0 and self.budget > 0 and self.chance(14):
            return self.spread(gtype, keys, depth, rows)
        return self.field(gtype, keys, depth, rows)

    def on_concrete(self, gtype: GraphQLInterfaceType, keys: Keys, depth: int, rows: int) -> str:
        """A fragment on one of the types of an interface; most keys are told apart by type."""
        chosen: Any = self.pick(sorted(self.schema.get_possible_types(gtype), key=lambda each: each.name))
        prefix = f"{chosen.name}_" if self.chance(80) else ""
        mine = keys.taken.setdefault(f" {prefix}", ("", Keys(prefix=prefix)))[1]
        return f"... on {chosen.name}{self.directives()} {self.selection(chosen, mine, depth - 1, rows)}"

    def conditions(self, gtype: Any) -> list[Any]:
        return [gtype, *gtype.interfaces]

    def inline(self, gtype: Any, keys: Keys, depth: int, rows: int) -> str:
        on = self.pick([None, *self.conditions(gtype)])
        inner = self.selection(on or gtype, keys, depth - 1, rows)
        return f"...{f' on {on.name}' if on else ''}{self.directives()} {inner}"

    def spread(self, gtype: Any, keys: Keys, depth: int, rows: int) -> str:
        names = {each.name for each in self.conditions(gtype)}
        known = [each for each in self.fragments if each.on in names and (each.rows >= rows or each.keys is keys)]
        if known and self.chance(50):
            return f"...{self.pick(known).name}{self.directives()}"
        on, name = self.pick(self.conditions(gtype)), f"F{self.number()}"
        inner = self.selection(on, keys, depth - 1, rows)
        self.fragments.append(Fragment(name, on.name, rows, keys))
        self.texts.append(f"fragment {name} on {on.name} {inner}")
        return f"...{name}{self.directives()}"

    def field(self, gtype: Any, keys: Keys, depth: int, rows: int) -> str:
        if self.chance(8):
            return self.keyed("__typename", "", keys)[0]
        deep = depth > 0 and self.budget > 0 and rows <= ROWS
        leaves = [name for name, each in gtype.fields.items() if is_leaf_type(get_named_type(each.type))]
        branches = [name for name in gtype.fields if name not in leaves] if deep else []
        if not leaves and not branches:
            return self.keyed("__typename", "", keys)[0]
        name = self.pick(branches if branches and (not leaves or self.chance(60)) else leaves or branches)
        definition = gtype.fields[name]
        arguments, wide = self.arguments(name, definition, rows)
        text, below = self.keyed(name, arguments, keys)
        text += self.directives()
        if name in leaves:
            return text
        target = get_named_type(definition.type)
        many = rows * wide
        return f"{text} {self.selection(target, below, depth - 1, many)}"

    def keyed(self, name: str, arguments: str, keys: Keys) -> tuple[str, Keys]:
        """The field under a key that is free, or that stands for the same."""
        meaning = f"{name}{arguments}"
        key = keys.prefix + (self.pick(ALIASES) if self.chance(30) else name)
        if name in ("id", "__typename") and not self.chance(30):
            key = name
        key = key[:63]
        while keys.taken.get(key, (meaning,))[0] != meaning:
            key = f"{keys.prefix}{name}_{self.number()}"[-63:].lstrip("0123456789")
        below = keys.taken.setdefault(key, (meaning, Keys()))[1]
        return (meaning if key == name else f"{key}: {meaning}"), below

    def directives(self) -> str:
        return "".join(
            f" @{name}(if: {self.hoisted('Boolean!', self.pick([True, False]), 'if')})"
            for name in ("include", "skip")
            if self.chance(7)
        )

    # ── arguments ─────────────────────────────────────────────────────────────────────────────────────────────

    def arguments(self, name: str, definition: Any, rows: int) -> tuple[str, int]:
        """The arguments of a field, and how many rows it leads to for each of its own."""
        meta = meta_of(definition)
        if isinstance(meta, metadata.Edges):
            return self.page(definition, meta, rows)
        wide = 5 if isinstance(meta, metadata.Many) or (isinstance(meta, metadata.ById) and meta.many) else 1
        parts = []
        for each, argument in definition.args.items():
            if isinstance(argument.type, GraphQLNonNull) or self.chance(45):
                parts.append(f"{each}: {self.given(argument.type, each)}")
        return f"({', '.join(parts)})" if parts else "", wide

    def page(self, definition: Any, meta: metadata.Edges, rows: int) -> tuple[str, int]:
        parts, size, order = [], 20, meta.default[0]
        node: Any = get_named_type(get_named_type(definition.type).fields["nodes"].type)
        if rows > 1 or self.chance(85):
            size = self.pick([2, 1, 3, 0, 4, 5])
            parts.append(f"{self.pick(['first', 'last'])}: {self.hoisted('Int', size, 'size')}")
        if "orderBy" in definition.args and self.chance(50):
            kind: Any = get_named_type(definition.args["orderBy"].type)
            by: Any = get_named_type(kind.fields["field"].type)
            words = {word: getattr(each.value, "value", each.value) for word, each in by.values.items()}
            word = self.pick(words)
            order = words[word]
            value = {"field": Word(word)}
            if self.chance(60):
                value["direction"] = Word(self.pick(["ASC", "DESC"]))
            parts.append(f"orderBy: {self.hoisted(kind.name, value, 'orderBy')}")
        marks = self.pools.cursors.get((node.name, order))
        for side in ("after", "before"):
            if marks and self.chance(25):
                parts.append(f"{side}: {self.hoisted('String', self.pick([*marks, None]), side)}")
        if "filter" in definition.args and self.chance(40):
            parts.append(f"filter: {self.given(definition.args['filter'].type, 'filter')}")
        return f"({', '.join(parts)})" if parts else "", max(size, 1)

    def given(self, kind: Any, name: str) -> str:
        """Any value of a type, as text: a literal with variables here and there, or a variable."""
        if self.chance(35):
            return self.variable(kind, name)
        if not isinstance(kind, GraphQLNonNull) and self.chance(8):
            return "null"
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(bare, GraphQLList):
            if self.chance(15):
                return self.show(self.value(bare.of_type, name))
            return (
                "[" + ", ".join(self.given_item(bare.of_type, name) for _ in range(self.draw(st.integers(0, 3)))) + "]"
            )
        if isinstance(bare, GraphQLInputObjectType):
            chosen = [
                each for each, one in bare.fields.items() if isinstance(one.type, GraphQLNonNull) or self.chance(30)
            ]
            return "{" + ", ".join(f"{each}: {self.given(bare.fields[each].type, each)}" for each in chosen) + "}"
        return self.show(self.value(kind, name))

    def given_item(self, kind: Any, name: str) -> str:
        if isinstance(kind, GraphQLNonNull) and self.chance(15):
            return self.hoisted(str(kind), self.value(kind, name), name, always=True)
        return self.show(self.value(kind, name))

    def variable(self, kind: Any, name: str) -> str:
        """A variable of the type: given, null, left out, or with a default."""
        known = f"v{self.number()}"
        value = self.value(kind, name)
        declared = str(kind)
        nullable = not isinstance(kind, GraphQLNonNull)
        if self.chance(30):
            declared += f" = {self.show(self.value(kind, name))}"
            if self.chance(50):
                self.variables[known] = declared
                return f"${known}"
        elif nullable and self.chance(15):
            self.variables[known] = declared
            return f"${known}"
        self.variables[known] = declared
        self.values[known] = None if nullable and self.chance(12) else as_json(value)
        return f"${known}"

    def hoisted(self, kind: str, value: Any, name: str, *, always: bool = False) -> str:
        """This very value, literal or by a variable."""
        if not always and not self.chance(40):
            return self.show(value)
        known = f"v{self.number()}"
        if value is not None and self.chance(25):
            self.variables[known] = f"{kind} = {self.show(value)}"
        else:
            self.variables[known] = kind
            self.values[known] = as_json(value)
        return f"${known}"

    def value(self, kind: Any, name: str) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self.value(kind.of_type, name)
        if isinstance(kind, GraphQLList):
            return [self.value(kind.of_type, name) for _ in range(self.draw(st.integers(0, 4)))]
        if isinstance(kind, GraphQLEnumType):
            return Word(self.pick(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            chosen = {
                each: one
                for each, one in kind.fields.items()
                if isinstance(one.type, GraphQLNonNull) or self.chance(30)
            }
            return {each: self.value(one.type, each) for each, one in chosen.items()}
        return self.pick(self.pools.of(name, kind.name))

    def show(self, value: Any) -> str:
        """A value as GraphQL text."""
        if isinstance(value, Word):
            return str(value)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name}: {self.show(each)}" for name, each in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self.show(each) for each in value) + "]"
        return json.dumps(value, ensure_ascii=False)


def as_json(value: Any) -> Any:
    """A value as it stands in the variables of a request."""
    return json.loads(json.dumps(value))


@st.composite
def operations(draw: Any, pools: Pools) -> Operation:
    drawn = Maker(draw, pools.schema, pools).operation()
    # Fragments used in two places, and keys shared by two types, can still disagree.
    assume(not validate(pools.schema, parse(drawn.text)))
    return drawn
