"""Every description of the public schema is a whole English sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from wego.schema import schema

# Words that make a sentence of a row of nouns: finite verbs, as they stand in the descriptions.
VERBS = frozenset(
    """
    accepts answers appears appoints are asks assigns attended became becomes began begins belongs binds brings
    calls can cancels cares changed changes chose comes consists contains contributes counts covers decided
    decides declared declares describes did differs does ends expires fails finds follows gave give gives goes
    had hands happened happens has have helped helps hides holds invites is joins keeps knows leads leaves lets
    lies lists lived made makes marks may means met must names needs opens points published publishes puts reads
    records registers remains removes resigns restores returns reviews runs saw say says sees sends sent serves
    shows signed speaks stands starts stays suspends takes tells took translated translates turns was were will
    withdraws withdrew works writes wrote
    """.split()  # noqa: SIM905  # a list to be read
)
# A sentence that begins so is a question, or a part of one: "How many people live there."
FRAGMENTS = frozenset(
    "as for how not of that to what when where whether which who whom whose why with without".split()  # noqa: SIM905
)
# The verb of "the name that it has", or of "the city as it is now", is no verb of a sentence.
RELATIVE = re.compile(r"\b(that|which|who|whom|whose|where|as|if)\b[^,;:.]*")
_WORDS = re.compile(r"[A-Za-z’']+")


def described() -> Iterator[tuple[str, str | None]]:
    """Each thing of the schema that has a description, by its coordinate."""
    built = schema()._schema
    for name, kind in built.type_map.items():
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind):
            yield name, kind.description
            yield from inside(name, kind)
    for directive in built.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
            yield from arguments(f"@{directive.name}", directive.args)


def inside(name: str, kind: Any) -> Iterator[tuple[str, str | None]]:
    if isinstance(kind, GraphQLEnumType):
        for word, value in kind.values.items():
            yield f"{name}.{word}", value.description
    elif isinstance(kind, GraphQLInputObjectType):
        for field, given in kind.fields.items():
            yield f"{name}.{field}", given.description
    elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for field, definition in kind.fields.items():
            yield f"{name}.{field}", definition.description
            yield from arguments(f"{name}.{field}", definition.args)


def arguments(name: str, args: dict[str, GraphQLArgument]) -> Iterator[tuple[str, str | None]]:
    for arg, given in args.items():
        yield f"{name}({arg}:)", given.description


def wrong(text: str | None) -> str:
    """What keeps a description from being a sentence; nothing when it is one."""
    if not text or not text.strip():
        return "there is none"
    if not text.endswith(".") or text != " ".join(text.split()):
        return "it does not end with a full stop, or has spaces too many"
    if not re.match(r"[A-Z`]", text):
        return "it does not begin with a capital"
    for sentence in re.split(r"(?<=\.)\s+(?=[A-Z`])", text):
        words = _WORDS.findall(sentence)
        if len(words) < 4:
            return f"too short to be a sentence: {sentence}"
        if words[0].lower() in FRAGMENTS:
            return f"it begins as a fragment does: {sentence}"
        if not VERBS & {word.lower() for word in _WORDS.findall(RELATIVE.sub("", sentence))}:
            return f"it has no verb: {sentence}"
    return ""


def test_every_description_is_a_whole_sentence():
    faults = [f"{name}: {wrong(text)} ({text})" for name, text in described() if wrong(text)]
    assert faults == [], "\n".join(faults)


def nullable() -> Iterator[tuple[str, str, bool]]:
    """Every field of an object, what is said of it, and whether it, or an element of it, can be null."""
    for name, kind in schema()._schema.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind) and name != "Mutation":
            for field, definition in kind.fields.items():
                told = str(definition.type)  # `[Node]!`: every name and every bracket that closes wants a mark
                certain = re.fullmatch(r"\w+!|\[\w+!\]!", told) is not None
                yield f"{name}.{field}", definition.description or "", not certain


def test_a_field_that_can_be_null_says_when_and_no_other_does():
    said = {name: (" null" in text, can) for name, text, can in nullable()}
    assert {name for name, (says, can) in said.items() if can and not says} == set()
    assert {name for name, (says, can) in said.items() if says and not can} == set()


@pytest.mark.parametrize(
    "text",
    [
        None, "", " ", "When.", "The thing.", "Which way.", "How many people live there.", "The city as it is now.",
        "the name is in small letters.", "This is its name", "This is  its name.",
        "The language in which it is written.",
        "Whether it has to be there.", "Its steps, oldest first, of which none is lost.",
        "This is right. But not this.",
    ],
)  # fmt: skip
def test_what_is_no_sentence_is_told_from_one(text: str | None):
    assert wrong(text)


@pytest.mark.parametrize(
    "text", ["This is its name.", "`totalCount` says how many there are.", "A `City` is a city.", "These have no end."]
)
def test_what_is_a_sentence_is_left_alone(text: str):
    assert not wrong(text)
