"""The only place where a Refusal becomes words: for GraphQL, HTTP, a page or the command line."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError

from i18n.language.catalogs import say
from wego.core.errors import CostExceeded, Refusal
from wego.core.vocabulary import Vocabulary

# Controls, lone surrogates, and what changes the direction of a text.
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
LONGEST = 500  # of a message that may repeat what was sent
INTROSPECTION_DEPTH = 3  # lists in lists, see graphql-core's MaxIntrospectionDepthRule
PARSER_DEPTH = 100  # at least; the parser goes as deep as its stack allows

CODES = (
    "NOT_SIGNED_IN", "NOT_ALLOWED", "NOT_FOUND", "CONFLICT", "INVALID", "COST_EXCEEDED", "RATE_LIMITED", "UNAVAILABLE",
)  # fmt: skip


def words(refusal: Refusal, locale: str) -> list[dict[str, Any]]:
    """The problems of a payload: code, message in the language of the request, and path."""
    return [
        {
            "code": each.code,
            "message": said(each, locale),
            "path": [_shown(step) for step in each.path],
        }
        for each in refusal.each
    ]


def said(refusal: Refusal, locale: str) -> str:
    """What a refusal says, in a language; words of a vocabulary in it are said in that language as well."""
    return say(locale, refusal.message, **{name: _shown(value, locale) for name, value in refusal.params.items()})


def _shown(value: object, locale: str = "") -> str:
    """A value in a message: what was sent comes back short, and without what no database or terminal takes."""
    text = say(locale, value.called) if isinstance(value, Vocabulary) and value.called else str(value)
    return _UNSHOWN.sub("\ufffd", text if len(text) <= LONGEST else text[:LONGEST] + " …")


def errors_of(refusal: Refusal, locale: str) -> list[dict[str, Any]]:
    """The same as entries of `errors` of a GraphQL response."""
    return [
        {
            "message": problem["message"],
            **({"locations": [{"line": line, "column": column} for line, column in each.locations]}
               if each.locations else {}),
            "extensions": {"code": problem["code"], "path": problem["path"]},
        }
        for each, problem in zip(refusal.each, words(refusal, locale), strict=True)
    ]  # fmt: skip


def graphql_errors(errors: list[GraphQLError], locale: str) -> list[dict[str, Any]]:
    """Errors of the GraphQL library. What it says of syntax and types stays English; what went wrong inside says no
    more than that it did."""
    return [_graphql_error(error, locale) for error in errors]


def _graphql_error(error: GraphQLError, locale: str) -> dict[str, Any]:
    if isinstance(error.original_error, Refusal):
        return errors_of(error.original_error, locale)[0]
    limit = _limit(error.message)
    if limit is not None:
        return errors_of(limit, locale)[0]
    message = error.message if len(error.message) <= LONGEST else error.message[:LONGEST] + " …"
    told: dict[str, Any] = {"message": message}
    if error.locations:
        told["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        told["path"] = list(error.path)
    told["extensions"] = {"code": "INVALID"}
    return told


def _limit(message: str) -> CostExceeded | None:
    """The library's own limits, said as ours are."""
    if "introspection depth" in message.lower():
        return CostExceeded("The selection is nested too deeply; the limit is {limit}.", limit=INTROSPECTION_DEPTH)
    if "nested too deeply" in message:
        return CostExceeded("The selection is nested too deeply; the limit is {limit}.", limit=PARSER_DEPTH)
    return None
