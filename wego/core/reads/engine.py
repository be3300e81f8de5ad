"""Running what was compiled: one statement, whose bytes are the answer.

Root fields that are no SQL (introspection, and what the federation adds) are run by graphql-core beside it, so one
operation may mix both; the JSON of every root field is joined in the order of the selection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    execute,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.schema import BaseSchema

from wego.core.access import Actor
from wego.core.context import Reading
from wego.core.db import counted
from wego.core.reads.compile import Compiler
from wego.core.reads.documents import Document, GraphQLErrors, Library, exact, shape
from wego.core.reads.query import Binder, Limits, Row, Run, compact, meta_of

NO_VARIABLES = VariableValues({}, {})


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


@dataclass(slots=True)
class Plan:
    sql: str
    binders: list[Binder]
    roots: list[Root]
    selected: str
    gated: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request of which only the statement remains to be run."""

    plan: Plan
    values: list[Any]


@dataclass(slots=True)
class Answer:
    """The JSON of `data`, what went wrong beside it, and what the gate said."""

    data: bytes
    errors: list[GraphQLError]
    gate: Mapping[str, Any] | None = None


class Engine:
    """Everything that is asked of a schema. One per process; it keeps no connection."""

    def __init__(
        self,
        schema: BaseSchema,
        *,
        reading_of: Callable[[tuple[str, ...]], Reading],
        limits: Limits | None = None,
        max_tokens: int = 4_000,
    ) -> None:
        self.schema: GraphQLSchema = schema._schema  # type: ignore[attr-defined]  # Strawberry keeps graphql-core's there
        self.reading_of = reading_of
        self.limits = limits or Limits()
        self.library = Library(self.schema, max_tokens=max_tokens)

    def find(self, text: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
        """The operation of a request; raises GraphQLErrors or a Refusal with what is wrong with it."""
        document = self.library.find(text)
        node = document.operation(name)
        if not node.variable_definitions:
            return Operation(document, node, NO_VARIABLES, name, {})
        coerced = get_variable_values(
            self.schema, node.variable_definitions, dict(variables), max_errors=20, hide_suggestions=True
        )
        if isinstance(coerced, list):
            raise GraphQLErrors(coerced)
        return Operation(document, node, coerced, name, dict(variables))

    def run_of(self, operation: Operation, actor: Actor, reading: Reading) -> Run:
        return Run(actor, reading, operation.variables, self.reading_of)

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────

    async def query(self, pool: Any, operation: Operation, run: Run, context: Any, gate: Gate | None = None) -> Answer:
        """Answer a query operation: at most one statement."""
        plan = self._plan(operation, run)
        row: Any = None
        if plan.selected or gate:
            values = [bind(run) for bind in plan.binders]
            sql = plan.sql if gate is None else self._gated(plan, gate)
            with counted():
                row = await pool.fetchrow(sql, *values, *(gate.values if gate else ()))
        python, errors = await self._python(operation, plan, context)
        said = {key: row[key] for key in row.keys() if not key.startswith("c_")} if gate else None  # noqa: SIM118  # a Record
        if python is None:
            return Answer(b"null", errors, said)
        parts = [b'"%s":%s' % (root.key, self._part(root, row, python)) for root in plan.roots]
        return Answer(b"{" + b",".join(parts) + b"}", errors, said)

    def prepare(self, operation: Operation, run: Run) -> Prepared | None:
        """What is left of a request once everything about it is known; None when Python has a part in it."""
        plan = self._plan(operation, run)
        if any(root.column is None and root.literal is None for root in plan.roots):
            return None
        return Prepared(plan, [bind(run) for bind in plan.binders])

    async def again(self, pool: Any, prepared: Prepared) -> bytes:
        """The JSON of `data` of a prepared request."""
        plan, row = prepared.plan, None
        if plan.selected:
            with counted():
                row = await pool.fetchrow(plan.sql, *prepared.values)
        return b"{" + b",".join([b'"%s":%s' % (root.key, self._part(root, row, {})) for root in plan.roots]) + b"}"

    @staticmethod
    def _part(root: Root, row: Any, python: Mapping[str, Any]) -> bytes:
        if root.literal is not None:
            return root.literal
        if root.column is None:
            return orjson.dumps(python.get(root.key.decode()))
        return as_json(row[root.column])

    @staticmethod
    def _gated(plan: Plan, gate: Gate) -> str:
        if not plan.gated:
            places = [f"${len(plan.binders) + 1 + number}" for number in range(len(gate.values))]
            columns = ", ".join(filter(None, [plan.selected, gate.columns.format(*places)]))
            plan.gated = f"with {gate.ctes.format(*places)} select {columns}"
        return plan.gated

    async def check(self, pool: Any, gate: Gate) -> Mapping[str, Any]:
        """Ask the gate alone, as before a mutation."""
        places = [f"${number + 1}" for number in range(len(gate.values))]
        sql = f"with {gate.ctes.format(*places)} select {gate.columns.format(*places)}"
        with counted():
            return dict(await pool.fetchrow(sql, *gate.values))

    def _plan(self, operation: Operation, run: Run) -> Plan:
        document = operation.document
        key = self._key(operation, run)
        plan: Plan | None = document.plans.get(key)
        if plan is None:
            plan = self._compile(operation, run)
            document.plans.put(self._key(operation, run), plan)
        return plan

    @staticmethod
    def _key(operation: Operation, run: Run) -> Any:
        values = operation.variables.coerced
        baked = operation.document.baked
        return (
            operation.name,
            run.actor.shape,
            len(run.reading.tags),
            tuple((name, exact(value) if name in baked else shape(value)) for name, value in values.items()),
        )

    def _compile(self, operation: Operation, run: Run) -> Plan:
        compiler = self._compiler(operation, run)
        query = self.schema.query_type
        assert query is not None
        roots: list[Root] = []
        columns: list[str] = []
        for key, nodes in compiler.collect(query, [operation.node.selection_set]).items():
            root = Root(key.encode(), None, None, nodes)
            name = nodes[0].name.value
            if name == "__typename":
                root.literal = orjson.dumps(query.name)
            elif not name.startswith("__") and meta_of(query.fields[name]) is not None:
                root.column = len(columns)
                columns.append(f"({compiler.value(query, Row('', {}), nodes, 0, 1)})::json as c_{len(columns)}")
            roots.append(root)
        selected, binders = compact(", ".join(columns), compiler.query.binders)
        return Plan(f"select {selected}", binders, roots, selected)

    async def _python(
        self, operation: Operation, plan: Plan, context: Any
    ) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
        """What Python answers, by response key; None when a field that must be there failed."""
        nodes = [node for root in plan.roots if root.column is None and root.literal is None for node in root.nodes]
        if not nodes:
            return {}, []
        node = OperationDefinitionNode(
            operation=operation.node.operation,
            variable_definitions=operation.node.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(nodes)),
        )
        document = DocumentNode(definitions=(node, *operation.document.fragments.values()))
        result = execute(self.schema, document, context_value=context, variable_values=dict(operation.given))
        if not isinstance(result, ExecutionResult):
            result = await result
        return result.data, list(result.errors or [])

    # ── payloads of mutations ─────────────────────────────────────────────────────────────────────────────────

    async def payload(
        self, connection: Any, operation: Operation, nodes: list[FieldNode], run: Run, keys: Mapping[str, Any],
        problems: list[dict[str, Any]],
    ) -> bytes:  # fmt: skip
        """The selection of a mutation's payload, read on the connection of its transaction: one statement."""
        told = orjson.dumps({key: str(value) for key, value in keys.items() if value is not None}).decode()
        sql, binders = self._payload(self._compiler(operation, run), nodes, told, orjson.dumps(problems).decode())
        with counted():
            return as_json(await connection.fetchval(sql, *[bind(run) for bind in binders]))

    def _payload(self, compiler: Compiler, nodes: list[FieldNode], told: str, wrong: str) -> tuple[str, list[Binder]]:
        mutation = self.schema.mutation_type
        assert mutation is not None
        target = get_named_type(mutation.fields[nodes[0].name.value].type)
        keys = compiler.query.bind(lambda _: told, "text", "keys")
        problems = compiler.query.bind(lambda _: wrong, "text", "problems")
        row = Row("payload", {"t": "payload"})
        sets = [node.selection_set for node in nodes if node.selection_set]
        columns = compiler.columns(target, row, sets, 1, 1)
        sql = (
            f"select row_to_json(o$)::text from (select {columns} from (select {keys}::jsonb as keys, "
            f"{problems}::json as problems) payload{row.join_sql(columns)}) o$"
        )
        return compact(sql, compiler.query.binders)

    def _compiler(self, operation: Operation, run: Run) -> Compiler:
        return Compiler(self.schema, operation.document.fragments, run, self.limits, operation.document.bake)

    def selections(self, operation: Operation, run: Run) -> dict[str, list[FieldNode]]:
        """The root fields of a mutation, in their order. All payloads are compiled before anything is done: what is
        over a limit, or a cursor that is none, is refused while nothing has changed."""
        mutation = self.schema.mutation_type
        assert mutation is not None
        compiler = self._compiler(operation, run)
        found = compiler.collect(mutation, [operation.node.selection_set])
        for nodes in found.values():
            if nodes[0].name.value != "__typename":
                _, binders = self._payload(compiler, nodes, "{}", "[]")
                for bind in binders:
                    bind(run)
        return found


def as_json(value: Any) -> bytes:
    """A JSON column as bytes, whichever codec the connection has."""
    if value is None:
        return b"null"
    return value.encode() if isinstance(value, str) else bytes(value)
