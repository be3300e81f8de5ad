"""What is known of a request: the operation that was found, its compiled plan, what is prepared of it, its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import ReferenceType

from graphql import FieldNode, GraphQLError, OperationDefinitionNode, OperationType

from wego.core.reads.documents import Document
from wego.core.reads.query import Binder


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold for an answer to be given, asked in the same statement: a WITH part, columns, and their values.
    Places are written {0}, {1}, … and bound after those of the plan."""

    ctes: str
    columns: str
    values: tuple[Any, ...]


@dataclass(slots=True)
class Operation:
    """A request that was found, checked and coerced."""

    document: Document
    node: OperationDefinitionNode
    variables: Any
    name: str | None
    given: Mapping[str, Any]  # the variables as they came: what Python answers coerces them itself

    @property
    def kind(self) -> OperationType:
        return self.node.operation


@dataclass(slots=True)
class Root:
    """One response key of the operation: a column of the statement, a literal, or a field that Python answers."""

    key: bytes
    column: int | None
    literal: bytes | None
    nodes: list[FieldNode]


@dataclass(slots=True, weakref_slot=True)
class Plan:
    """A compiled operation. `cost` is what it asks for, in objects; `bytes` what the plan takes in memory, with the
    document that it points into."""

    sql: str
    binders: list[Binder]
    roots: list[Root]
    selected: str
    cost: int
    bytes: int
    gated: dict[str, str] = field(default_factory=dict)  # the statement with a gate, by the gate's form


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request of which only the statement remains to be run, for as long as its plan is kept."""

    plan: ReferenceType[Plan]
    values: list[Any]
    bytes: int


@dataclass(frozen=True, slots=True)
class Selected:
    """One root field of a mutation: its nodes, the statement that reads its payload, and what that costs."""

    nodes: list[FieldNode]
    sql: str
    binders: list[Binder]
    cost: int

    @property
    def name(self) -> str:
        return self.nodes[0].name.value


@dataclass(slots=True)
class Answer:
    """The JSON of `data`, what went wrong beside it, and what the gate said."""

    data: bytes
    errors: list[GraphQLError]
    gate: Mapping[str, Any] | None = None
