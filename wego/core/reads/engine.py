"""Running what was compiled: one statement, whose bytes are the answer.

Root fields that are no SQL (introspection, and what the federation adds) are run by graphql-core beside it, so one
operation may mix both; the JSON of every root field is joined in the order of the selection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from weakref import ref

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    execute,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.schema import BaseSchema

from wego.core.access import Actor
from wego.core.cache import Cache, digest, size_of
from wego.core.context import Reading
from wego.core.db import counted
from wego.core.errors import CostExceeded
from wego.core.offload import Work, offload
from wego.core.reads.compile import Compiler
from wego.core.reads.documents import Document, GraphQLErrors, Library, exact, shape
from wego.core.reads.introspection import Introspection
from wego.core.reads.metadata import meta_of
from wego.core.reads.plans import Answer, Gate, Operation, Plan, Prepared, Root, Selected
from wego.core.reads.query import Binder, Limits, Row, Run, compact
from wego.core.statements import Lane
from wego.core.turns import Turns

NO_VARIABLES = VariableValues({}, {})
MOST_WAITING = 1_000  # requests that wait for their turn: no more than connections
LONGEST_SQL = 100_000  # characters; to plan one takes PostgreSQL up to 730 bytes of memory for each (measured)
PLANS_BYTES = 5 * 2**20  # of compiled statements in memory
INTROSPECTED_BYTES = 2 * 2**20  # of answered introspection
BYTES_PER_BINDER = 600
LONGEST_INLINE = 400  # characters of a document that is checked on the event loop: some milliseconds
DEAR = 2_000  # objects: what costs more waits among its like
MOST_MUTATIONS = 20  # of one operation


def lane_of(actor: Actor, cost: int) -> Lane:
    """In which lane a read of this actor and cost waits."""
    if actor.signed_in:
        return Lane.HEAVY if cost > DEAR else Lane.MEMBER
    return Lane.PUBLIC_HEAVY if cost > DEAR else Lane.PUBLIC


def _told(result: ExecutionResult) -> tuple[dict[bytes, bytes] | None, list[GraphQLError]]:
    """The JSON of each response key; None when a field that must be there failed."""
    errors = list(result.errors or [])
    if result.data is None:
        return None, errors
    return {name.encode(): orjson.dumps(value) for name, value in result.data.items()}, errors


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
        self.declared: Any = schema  # knows what turns a coerced input into its class
        self.schema: GraphQLSchema = schema._schema  # type: ignore[attr-defined]  # Strawberry keeps graphql-core's there
        self.reading_of = reading_of
        self.limits = limits or Limits()
        self.turns = Turns(MOST_WAITING)
        self.library = Library(self.schema, max_tokens=max_tokens)
        self.plans: Cache[Any, Plan] = Cache(PLANS_BYTES, size=lambda plan: plan.bytes)
        self.introspection = Introspection(self.schema)
        self._introspected: Cache[bytes, dict[bytes, bytes]] = Cache(INTROSPECTED_BYTES)

    async def load(self, text: str) -> Document:
        """The checked document; a large one that is new is checked beside the event loop."""
        known = self.library.known(text)
        if known is not None:
            return known
        if len(text) <= LONGEST_INLINE:
            async with self.turns.take():
                return self.library.find(text)
        return self.library.keep(await offload(self.library.check, text, work=Work.READ))

    async def ready(self, operation: Operation, run: Run) -> Plan:
        """The plan of an operation; a large one that is new is compiled beside the event loop."""
        plan = self.plans.get(self._key(operation, run))
        if plan is not None:
            return plan
        if operation.document.bytes > LONGEST_INLINE * 200:
            plan = await offload(self._compile, operation, run, work=Work.READ)
        else:
            async with self.turns.take():
                plan = self.plans.get(self._key(operation, run)) or self._compile(operation, run)
        self.plans.put(self._key(operation, run), plan)
        return plan

    def find(self, text: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
        """The operation of a request; raises GraphQLErrors or a Refusal with what is wrong with it."""
        return self.operation(self.library.find(text), name, variables)

    def operation(self, document: Document, name: str | None, variables: Mapping[str, Any]) -> Operation:
        """The operation of this name with its variables."""
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
        plan = await self.ready(operation, run)
        row: Any = None
        if plan.selected or gate:
            values = [bind(run) for bind in plan.binders]
            sql = plan.sql if gate is None else self._gated(plan, gate)
            with counted():
                row = await pool.fetchrow(
                    sql, *values, *(gate.values if gate else ()), lane=lane_of(run.actor, plan.cost)
                )
        python, errors = await self._python(operation, plan, context)
        said = gate_said(row) if gate else None
        if python is None:
            return Answer(b"null", errors, said)
        parts = [b'"%s":%s' % (root.key, self._part(root, row, python)) for root in plan.roots]
        return Answer(b"{" + b",".join(parts) + b"}", errors, said)

    def prepare(self, operation: Operation, run: Run) -> Prepared | None:
        """What is left of a request once everything about it is known; None when Python has a part in it, or when its
        plan is not kept."""
        plan = self.plans.get(self._key(operation, run))
        if plan is None or any(root.column is None and root.literal is None for root in plan.roots):
            return None
        values = [bind(run) for bind in plan.binders]
        return Prepared(ref(plan), values, size_of(values) + 200)

    async def again(
        self, pool: Any, plan: Plan, prepared: Prepared, actor: Actor, gate: Gate | None = None
    ) -> tuple[bytes, Mapping[str, Any] | None]:
        """The JSON of `data` of a prepared request whose plan is still there, and what the gate said."""
        row = None
        if plan.selected or gate:
            sql = plan.sql if gate is None else self._gated(plan, gate)
            with counted():
                row = await pool.fetchrow(
                    sql, *prepared.values, *(gate.values if gate else ()), lane=lane_of(actor, plan.cost)
                )
        parts = [b'"%s":%s' % (root.key, self._part(root, row, {})) for root in plan.roots]
        return b"{" + b",".join(parts) + b"}", gate_said(row) if gate else None

    @staticmethod
    def _part(root: Root, row: Any, python: Mapping[bytes, bytes]) -> bytes:
        if root.literal is not None:
            return root.literal
        if root.column is None:
            return python.get(root.key, b"null")
        return as_json(row[root.column])

    @staticmethod
    def _gated(plan: Plan, gate: Gate) -> str:
        sql = plan.gated.get(gate.ctes)
        if sql is None:
            places = [f"${len(plan.binders) + 1 + number}" for number in range(len(gate.values))]
            columns = ", ".join(filter(None, [plan.selected, gate.columns.format(*places)]))
            sql = plan.gated[gate.ctes] = f"with {gate.ctes.format(*places)} select {columns}"
        return sql

    async def check(self, pool: Any, gate: Gate) -> Mapping[str, Any]:
        """Ask the gate alone, as before a mutation."""
        places = [f"${number + 1}" for number in range(len(gate.values))]
        sql = f"with {gate.ctes.format(*places)} select {gate.columns.format(*places)}"
        with counted():
            return dict(await pool.fetchrow(sql, *gate.values, lane=Lane.MEMBER))

    @staticmethod
    def _key(operation: Operation, run: Run) -> Any:
        values = operation.variables.coerced
        baked = operation.document.baked
        return (
            operation.document.key,
            len(baked),  # a plan from before a variable was known to shape the text is not found again
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
        introspected = 0
        for key, nodes in compiler.collect(query, [operation.node.selection_set]).items():
            root = Root(key.encode(), None, None, nodes)
            name = nodes[0].name.value
            if name == "__typename":
                root.literal = orjson.dumps(query.name)
            elif not name.startswith("__") and meta_of(query.fields[name]) is not None:
                root.column = len(columns)
                found = compiler.value(query, Row("", {}), nodes, 0, 1)
                columns.append(f"{bounded(f'({found})::json', self.limits.answer)} as c_{len(columns)}")
            elif name.startswith("__"):
                introspected += self.introspection.values(compiler.collect, nodes)
            roots.append(root)
        if introspected:
            compiler.spend(self.introspection.check(introspected))
        selected, binders = compact(", ".join(columns), compiler.query.binders)
        if len(selected) > LONGEST_SQL:
            raise CostExceeded("The operation asks for too much at once; ask for less of it.")
        size = 4 * len(selected) + BYTES_PER_BINDER * (len(binders) + len(roots)) + operation.document.bytes
        return Plan(f"select {selected}", binders, roots, selected, compiler.cost, size)

    async def _python(
        self, operation: Operation, plan: Plan, context: Any
    ) -> tuple[dict[bytes, bytes] | None, list[GraphQLError]]:
        """What Python answers, by response key; None when a field that must be there failed."""
        nodes = [node for root in plan.roots if root.column is None and root.literal is None for node in root.nodes]
        if not nodes:
            return {}, []
        static = all(node.name.value.startswith("__") for node in nodes)
        key = digest(operation.document.key, (operation.name or "").encode(), orjson.dumps(operation.given))
        kept = self._introspected.get(key) if static else None
        if kept is not None:
            return kept, []
        if static:
            told, errors = await offload(self._introspect, operation, plan, work=Work.SCHEMA)
            if told is not None and not errors:
                self._introspected.put(key, told)  # the schema never changes while the process lives
            return told, errors
        result = self._execute(operation, nodes, context)
        return _told(result if isinstance(result, ExecutionResult) else await result)

    def _introspect(self, operation: Operation, plan: Plan) -> tuple[dict[bytes, bytes] | None, list[GraphQLError]]:
        """The root fields one by one, so that the values of one at most are in memory at once."""
        every: dict[bytes, bytes] = {}
        problems: list[GraphQLError] = []
        for root in plan.roots:
            if root.column is None and root.literal is None:
                told, errors = _told(self._execute(operation, root.nodes))
                problems += errors
                if told is None:
                    return None, problems
                every |= told
        return every, problems

    def _execute(self, operation: Operation, nodes: list[FieldNode], context: Any = None) -> Any:
        document = self._python_document(operation, nodes)
        return execute(self.schema, document, context_value=context, variable_values=dict(operation.given))

    @staticmethod
    def _python_document(operation: Operation, nodes: list[FieldNode]) -> DocumentNode:
        """The operation with these of its root fields alone."""
        node = OperationDefinitionNode(
            operation=operation.node.operation,
            variable_definitions=operation.node.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(nodes)),
        )
        return DocumentNode(definitions=(node, *operation.document.fragments.values()))

    # ── payloads of mutations ─────────────────────────────────────────────────────────────────────────────────

    async def selections(self, operation: Operation, run: Run) -> dict[str, Selected]:
        """The root fields of a mutation, in their order, with the statements that read their payloads. All are
        compiled before anything is done: what is over a limit, or a cursor that is none, is refused while nothing has
        changed."""
        if operation.document.bytes <= LONGEST_INLINE * 200:
            return self._selections(operation, run)
        return await offload(self._selections, operation, run, work=Work.READ)

    def _selections(self, operation: Operation, run: Run) -> dict[str, Selected]:
        mutation = self.schema.mutation_type
        assert mutation is not None
        found = self._compiler(operation, run).collect(mutation, [operation.node.selection_set])
        if len(found) > MOST_MUTATIONS:
            raise CostExceeded("At most {limit} mutations can be asked for in one operation.", limit=MOST_MUTATIONS)
        selected: dict[str, Selected] = {}
        cost = fields = 0  # the limits hold for all payloads together
        for key, nodes in found.items():
            compiler = self._compiler(operation, run)
            compiler.cost, compiler.fields = cost, fields
            selected[key] = self._selected(compiler, nodes, run)
            cost, fields = compiler.cost, compiler.fields
        return selected

    def _selected(self, compiler: Compiler, nodes: list[FieldNode], run: Run) -> Selected:
        if nodes[0].name.value == "__typename":
            return Selected(nodes, "", [], 0)
        before = compiler.cost
        sql, binders = self._payload(compiler, nodes)
        for bind in binders:
            bind(run)
        return Selected(nodes, sql, binders, compiler.cost - before)

    async def payload(
        self, connection: Any, selected: Selected, run: Run, keys: Mapping[str, Any], problems: list[dict[str, Any]]
    ) -> bytes:
        """The selection of a mutation's payload, read on the connection of its transaction: one statement."""
        told = {key: str(value) for key, value in keys.items() if value is not None}
        done = replace(run, keys=orjson.dumps(told).decode(), problems=orjson.dumps(problems).decode())
        with counted():
            row = await connection.fetchval(selected.sql, *[bind(done) for bind in selected.binders])
        return as_json(row)

    def _payload(self, compiler: Compiler, nodes: list[FieldNode]) -> tuple[str, list[Binder]]:
        mutation = self.schema.mutation_type
        assert mutation is not None
        target = get_named_type(mutation.fields[nodes[0].name.value].type)
        keys = compiler.query.bind(lambda run: run.keys, "text", "keys")
        problems = compiler.query.bind(lambda run: run.problems, "text", "problems")
        row = Row("payload", {"t": "payload"})
        sets = [node.selection_set for node in nodes if node.selection_set]
        columns = compiler.columns(target, row, sets, 1, 1)
        found = (
            f"(select row_to_json(o$) from (select {columns} from (select {keys}::jsonb as keys, "
            f"{problems}::json as problems) payload{row.join_sql(columns)}) o$)"
        )
        return compact(f"select {bounded(found, self.limits.answer)}::text", compiler.query.binders)

    def _compiler(self, operation: Operation, run: Run) -> Compiler:
        return Compiler(self.schema, operation.document.fragments, run, self.limits, operation.document.bake)


def bounded(found: str, most: int) -> str:
    """The SQL of a JSON value, or an error of PostgreSQL (54000) when it has more bytes than an answer may have: what
    is read costs memory in the database, here and with the client, however few objects it is made of."""
    return (
        f"(select case when v$ is null or pg_column_size(v$) <= {most} then v$ else too_large() end "
        f"from (select {found} as v$ offset 0) b$)"
    )


def gate_said(row: Any) -> Mapping[str, Any]:
    """What the gate of a statement said, by the names of its columns."""
    return {key: row[key] for key in row.keys() if not key.startswith("c_")}  # noqa: SIM118  # a Record


def as_json(value: Any) -> bytes:
    """A JSON column as bytes, whichever codec the connection has."""
    if value is None:
        return b"null"
    return value.encode() if isinstance(value, str) else bytes(value)
