"""Documents: parsed, validated and compiled once, then found by the digest of their text.

A plan is kept per document, operation, shape of the actor's rights and whatever of the variables went into the text
of its statement (`engine.py`). All caches are bounded in bytes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
)
from graphql.language import Node

from wego.core.cache import Cache, digest
from wego.core.errors import CostExceeded, Invalid
from wego.core.reads.validation import errors_of

_CHILDREN: dict[type[Node], tuple[str, ...]] = {}
MOST_COMPARED = 10_000  # pairs of fields, and fields, that validation may look at
MOST_ERRORS = 20  # that are told of one document
LONGEST_DOCUMENT = 65_536  # bytes of a document, before it is parsed
DOCUMENTS_BYTES = 4 * 2**20  # of checked documents in memory
# Measured: a checked document takes some 75 bytes for each of its characters (a test watches it).
BYTES_PER_CHARACTER, BYTES_PER_DOCUMENT = 80, 4_000


@dataclass
class Document:
    """A checked document. `baked` names the variables whose very values are in the text of statements."""

    key: bytes  # the digest of its text
    bytes: int  # what it takes in memory
    operations: dict[str | None, OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    baked: set[str] = field(default_factory=set)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name)
        if found is None:
            if name is None:
                raise Invalid("The document has several operations: name one as operationName.")
            raise Invalid("The document has no operation of this name.", path=("operationName",))
        return found

    def bake(self, node: FieldNode, arguments: tuple[str, ...]) -> None:
        """Remember that the variables inside these arguments of a field shape the text of the statement."""
        self.baked |= variables_in(node, arguments)


def variables_in(node: FieldNode, arguments: tuple[str, ...]) -> set[str]:
    wanted = [argument.value for argument in node.arguments or () if argument.name.value in arguments]
    return {each.name.value for value in wanted for each in _nodes(value) if isinstance(each, VariableNode)}


class Library:
    """All documents that were asked lately."""

    def __init__(self, schema: GraphQLSchema, *, max_tokens: int = 4_000, most_bytes: int = DOCUMENTS_BYTES) -> None:
        self.schema, self.max_tokens = schema, max_tokens
        self._known: Cache[bytes, Document] = Cache(most_bytes, size=lambda document: document.bytes)

    def known(self, text: str) -> Document | None:
        """The document, when it was checked before."""
        return self._known.get(digest(text.encode("utf-8", "surrogatepass")))

    def keep(self, document: Document) -> Document:
        self._known.put(document.key, document)
        return document

    def find(self, text: str) -> Document:
        """The checked document; raises GraphQLErrors with all that is wrong with it."""
        return self.known(text) or self.keep(self.check(text))

    def __len__(self) -> int:
        return len(self._known)

    def check(self, text: str) -> Document:
        """Parse and validate a document. It touches nothing of this library, so it may run beside the event loop."""
        encoded = text.encode("utf-8", "surrogatepass")
        if len(encoded) > LONGEST_DOCUMENT:
            raise Invalid("The document is too long; the limit is {limit} bytes.", limit=LONGEST_DOCUMENT)
        document = self._parsed(text)
        check_repeats(document)
        try:
            errors = errors_of(self.schema, document, MOST_ERRORS)
        except RecursionError:
            raise CostExceeded("The selection is nested too deeply; the limit is {limit}.", limit=100) from None
        if errors:
            raise GraphQLErrors(errors)
        operations: dict[str | None, OperationDefinitionNode] = {}
        fragments = {}
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                operations[definition.name.value if definition.name else None] = definition
            elif isinstance(definition, FragmentDefinitionNode):
                fragments[definition.name.value] = definition
        size = BYTES_PER_DOCUMENT + BYTES_PER_CHARACTER * len(text)
        return Document(digest(encoded), size, operations, fragments)

    def _parsed(self, text: str) -> DocumentNode:
        try:
            return _without_tokens(parse(text, max_tokens=self.max_tokens, allow_empty_selection_sets=False))
        except GraphQLError as error:
            if error.message.startswith("Syntax Error: Document contains more than"):
                raise CostExceeded(
                    "The document is too long; the limit is {limit} tokens.", limit=self.max_tokens
                ) from None
            raise GraphQLErrors([error]) from None
        except RecursionError:
            raise CostExceeded("The selection is nested too deeply; the limit is {limit}.", limit=100) from None


def _without_tokens(document: DocumentNode) -> DocumentNode:
    """Let go of the lexical tokens, which are a third of what a document takes, and hold each other; lines and columns
    stay known."""
    token = document.loc.start_token if document.loc else None
    for node in _nodes(document):
        if node.loc is not None:
            node.loc.start_token = node.loc.end_token = None  # type: ignore[assignment]  # only the lexer needs them
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token = following
    return document


def _nodes(top: Node) -> Iterator[Node]:
    waiting: list[Any] = [top]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Node):
            yield node
            waiting += [getattr(node, name, None) for name in _children(type(node))]
        elif isinstance(node, tuple | list):
            waiting += node


def _children(kind: type[Node]) -> tuple[str, ...]:
    """The attributes in which nodes of a kind hold others; found out once, as graphql-core computes them each time."""
    known = _CHILDREN.get(kind)
    if known is None:
        known = _CHILDREN[kind] = tuple(name for name in kind.keys if name != "loc")
    return known


def check_repeats(document: DocumentNode) -> None:
    """Refuse what would take long to validate: fields of one response key, and fragments of one object, are compared
    each with each (GraphQL, section 5.3.2), so a small document could cost seconds."""
    roots = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    fragments = {each.name.value: each for each in roots if isinstance(each, FragmentDefinitionNode)}
    left, waiting = MOST_COMPARED, [[each.selection_set] for each in roots]
    while waiting:
        groups, spreads = _gather(waiting.pop(), fragments)
        left -= spreads**2 + sum(len(nodes) ** 2 for nodes in groups.values())
        if left < 0:
            raise CostExceeded("The operation asks for too many fields; the limit is {limit}.", limit=MOST_COMPARED)
        below = [[node.selection_set for node in nodes if node.selection_set] for nodes in groups.values()]
        waiting += [sets for sets in below if sets]


def _gather(
    sets: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[dict[str, list[FieldNode]], int]:
    """The fields of merged selections by response key, whatever their conditions, and how many fragments are spread."""
    groups: dict[str, list[FieldNode]] = {}
    seen: set[str] = set()
    waiting = list(sets)
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                groups.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                if node.name.value in fragments:
                    waiting.append(fragments[node.name.value].selection_set)
    return groups, len(seen)


class GraphQLErrors(Exception):
    """What is wrong with a request, as GraphQL itself tells it."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message if errors else "")
        self.errors = errors


def shape(value: Any) -> Hashable:
    """What of a variable decides which conditions a statement has: its form, not its content."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return ("enum", str(value.value))
    if isinstance(value, Mapping):
        return tuple((key, shape(each)) for key, each in value.items())
    return "list" if isinstance(value, list) else "value"


def exact(value: Any) -> Hashable:
    """A variable that is in the text as it is."""
    if isinstance(value, list):
        return tuple(exact(each) for each in value)
    if isinstance(value, Mapping):
        return tuple((key, exact(each)) for key, each in value.items())
    return value.value if isinstance(value, Enum) else value  # type: ignore[no-any-return]  # scalars only
