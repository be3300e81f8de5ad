"""Our walk with graphql-core's rules finds what graphql-core's own walk finds, and leaves no cycles behind."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from graphql import get_introspection_query, parse, validate

from wego.core.reads.validation import errors_of
from wego.schema import schema

GOOD = """
query Q($n: Int = 3, $s: ID!, $l: [LanguageTag!]) {
  practices(first: $n, filter: {titleContains: "a"}) { nodes { ...P city { name(locales: $l) { text } } } }
  node(id: $s) { id ... on City { slug } ... on Practice { ...P } }
}
fragment P on Practice { slug title(locales: $l) { text } }
"""
DOCUMENTS = [
    GOOD,
    get_introspection_query(),
    "{ nope }",
    "{ city }",
    '{ city(slug: "a") { slug { x } } }',
    '{ city(slug: 1, nope: 2) { slug } city(slug: "b") { slug } }',
    "query A { __typename } query A { __typename } { __typename }",
    "query($n: Int, $n: Int, $u: Int) { cities(first: $n) { nodes { slug } } }",
    "{ cities(first: $gone) { nodes { slug } } }",
    'query($s: String) { practices(first: 1, filter: {titleContains: 3, wrong: "x"}) { nodes { slug } } cities(first: $s) { nodes { slug } } }',  # noqa: E501
    "{ ...Gone } fragment Unused on City { slug } fragment A on City { ...B } fragment B on City { ...A }",
    "{ practices(first: 1) { nodes { ... on City { slug } ... on Int { x } } } }",
    "{ __typename @skip @include(if: 1) @nope @skip(if: true) @skip(if: false) }",
    "mutation { updateCity(input: {city: 1, city: 2, population: 1.5}) { problems { code } } }",
    "subscription { x }",
    "type X { y: Int } { __typename }",
    "{ " + " ".join(f"nope{n}" for n in range(60)) + " }",
    '{ a: __typename a: city(slug: "x") { slug } }',
    "fragment F on Query { __typename } query { ...F ...F @defer }",
]


@pytest.mark.parametrize("text", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_what_is_wrong_with_a_document_is_what_graphql_core_says(text: str):
    known = schema()._schema
    told, ours = validate(known, parse(text), max_errors=20, hide_suggestions=True), errors_of(known, parse(text), 20)
    assert [each.formatted for each in ours] == [each.formatted for each in told]


def test_the_documents_of_the_house_are_good():
    root = Path(__file__).parent.parent
    for path in root.rglob("*.graphql"):
        if "schema" not in path.name:
            assert errors_of(schema()._schema, parse(path.read_text()), 20) == [], path


def test_a_document_leaves_hardly_any_cycles():
    known = schema()._schema
    errors_of(known, parse(GOOD), 20)
    documents = [parse(GOOD, no_location=True) for _ in range(20)]
    gc.collect()
    for document in documents:
        errors_of(known, document, 20)
    assert gc.collect() < 20 * 100
