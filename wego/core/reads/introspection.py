"""What introspection costs: graphql-core answers it in Python, some microsecond for each value of the answer.

A selection of `__schema` or `__type` is priced before it runs by how many values its answer has at most, from the real
numbers of this schema. The standard query of the tools is the measure: twice its price is allowed to one operation,
so that every tool works, and forty aliases of it do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    get_named_type,
    is_enum_type,
    parse,
)

from wego.core.errors import CostExceeded

Collect = Callable[[Any, list[SelectionSetNode]], Mapping[str, list[FieldNode]]]
ALLOWANCE = 2  # times the price of the standard query
UNITS = 50  # values of an answer that cost as much as one object of the database


class Introspection:
    """The prices of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema

    @cached_property
    def numbers(self) -> dict[str, int]:
        """How long the lists of an answer are, in the mean of the types that have them, rounded up."""
        types = self.schema.type_map.values()
        with_fields = [each for each in types if isinstance(each, GraphQLObjectType | GraphQLInterfaceType)]
        inputs = [each for each in types if isinstance(each, GraphQLInputObjectType)]
        enums: list[Any] = [each for each in types if is_enum_type(each)]
        fields = [field for each in with_fields for field in each.fields.values()]
        return {
            "types": len(types),
            "directives": len(self.schema.directives),
            "fields": _mean(len(fields), len(with_fields)),
            "args": max(1, _mean(sum(len(field.args) for field in fields), len(fields))),
            "inputFields": _mean(sum(len(each.fields) for each in inputs), len(inputs)),
            "enumValues": _mean(sum(len(each.values) for each in enums), len(enums)),
            "interfaces": 1,
            "possibleTypes": 10,
        }

    @cached_property
    def most(self) -> int:
        """The most values that one operation may ask for."""
        document = parse(get_introspection_query(specified_by_url=True, input_value_deprecation=True))
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
        return ALLOWANCE * self._spread(_everything(fragments), operation.selection_set)

    def _spread(self, collect: Collect, selection: SelectionSetNode) -> int:
        fields = collect(self.schema.query_type, [selection])
        return sum(self.values(collect, nodes) for nodes in fields.values())

    def values(self, collect: Collect, nodes: list[FieldNode]) -> int:
        """How many values the answer of `__schema` or `__type` has at most; `nodes` are its merged fields."""
        definition = self.schema.get_field(self.schema.query_type, nodes[0].name.value)  # type: ignore[arg-type]  # there is one
        return self._below(collect, definition, nodes)

    def _below(self, collect: Collect, definition: Any, nodes: list[FieldNode]) -> int:
        sets = [node.selection_set for node in nodes if node.selection_set]
        if definition is None or not sets:
            return 1
        gtype = get_named_type(definition.type)
        inner = 1
        for fields in collect(gtype, sets).values():
            name = fields[0].name.value
            inner += self.numbers.get(name, 1) * self._below(collect, gtype.fields.get(name), fields)
        return inner

    def check(self, values: int) -> int:
        """Refuse what is too much; else what it costs, in objects."""
        if values > self.most:
            raise CostExceeded("The operation asks for too much of the schema at once; ask for less of it.")
        return values // UNITS


def _mean(total: int, count: int) -> int:
    return -(-total // count) if count else 0


def _everything(fragments: Mapping[str, FragmentDefinitionNode]) -> Collect:
    """Collects the fields of a selection whose fragments all apply, as those of the standard query do."""

    def collect(gtype: Any, sets: list[SelectionSetNode]) -> Mapping[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        waiting = list(sets)
        while waiting:
            for node in waiting.pop().selections:
                if isinstance(node, FieldNode):
                    found.setdefault((node.alias or node.name).value, []).append(node)
                else:
                    waiting.append(fragments[node.name.value].selection_set)  # type: ignore[attr-defined]  # no inline ones
        return found

    return collect
