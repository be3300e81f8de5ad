"""The rules of GraphQL, section 5, as graphql-core has them, applied in one walk that leaves nothing behind.

graphql-core's own driver finds out for each document which rule looks at which kind of node, and what it makes refers
to itself: a thousand objects for each document that only the search for cyclic garbage takes away. Here the former is
found out once, and the latter is undone. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    TypeInfo,
    ValidationContext,
    specified_rules,
    visit,
)
from graphql.language import Node, Visitor
from graphql.language.visitor import BREAK, SKIP, EnterLeaveVisitor
from graphql.validation.validate import (
    FragmentNestingVisitor,
    ValidationAbortedError,
    query_document_keys_to_validate,
)

Step = Callable[..., Any]
_names: dict[tuple[type[Visitor], str], tuple[str | None, str | None]] = {}  # as many as rules times kinds of node


def errors_of(schema: GraphQLSchema, document: DocumentNode, most: int) -> list[GraphQLError]:
    """What is wrong with a document, at most so much and one more that says so. Raises RecursionError when it is
    nested too deeply."""
    errors: list[GraphQLError] = []

    def found(error: GraphQLError) -> None:
        if len(errors) >= most:
            raise ValidationAbortedError("Too many validation errors, error limit reached. Validation aborted.")
        errors.append(error)

    info = TypeInfo(schema)
    context = ValidationContext(schema, document, info, found, True)
    rules: list[Visitor] = [rule(context) for rule in specified_rules]
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    if fragments:
        rules.insert(0, FragmentNestingVisitor(fragments))
    walk = _SideBySide(info, rules)
    try:
        visit(document, walk, query_document_keys_to_validate)
    except ValidationAbortedError as error:
        error.__context__ = None
        errors.append(error.with_traceback(None))
    finally:
        for each in (walk, *rules):
            each.enter_leave_map.clear()  # they hold methods of their own holder
    return errors


def _names_of(rule: type[Visitor], kind: str) -> tuple[str | None, str | None]:
    """The names of the methods with which a rule enters and leaves nodes of a kind."""
    known = _names.get((rule, kind))
    if known is None:
        ways = ([f"{way}_{kind}", way] for way in ("enter", "leave"))
        first, second = (next((name for name in names if hasattr(rule, name)), None) for names in ways)
        known = _names[rule, kind] = first, second
    return known


class _SideBySide(Visitor):
    """All rules at each node, in their order. One that skips a node rests until it is left; one that breaks off rests
    for good."""

    def __init__(self, info: TypeInfo, rules: Sequence[Visitor]) -> None:
        super().__init__()
        self._info, self._rules = info, rules
        self._resting: list[Any] = [None] * len(rules)
        self._skipped: dict[int, list[int]] = {}  # the rules that rest, by the id of the node

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        known = self.enter_leave_map.get(kind)
        if known is None:
            known = self.enter_leave_map[kind] = EnterLeaveVisitor(self._entering(kind), self._leaving(kind))
        return known

    def _steps(self, kind: str, way: int) -> list[tuple[int, Step]]:
        named = ((number, rule, _names_of(type(rule), kind)[way]) for number, rule in enumerate(self._rules))
        return [(number, getattr(rule, name)) for number, rule, name in named if name is not None]

    def _entering(self, kind: str) -> Step:
        steps, info, resting, skipped = self._steps(kind, 0), self._info, self._resting, self._skipped

        def enter(node: Node, *where: Any) -> None:
            info.enter(node)
            for number, step in steps:
                if resting[number] is None:
                    said = step(node, *where)
                    if said is SKIP or said is False:
                        resting[number] = node
                        skipped.setdefault(id(node), []).append(number)
                    elif said is BREAK or said is True:
                        resting[number] = BREAK

        return enter

    def _leaving(self, kind: str) -> Step:
        steps, info, resting, skipped = self._steps(kind, 1), self._info, self._resting, self._skipped

        def leave(node: Node, *where: Any) -> None:
            for number, step in steps:
                if resting[number] is None:
                    said = step(node, *where)
                    if said is BREAK or said is True:
                        resting[number] = BREAK
            for number in skipped.pop(id(node), ()):
                resting[number] = None
            info.leave(node)

        return leave
