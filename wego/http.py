"""GraphQL over HTTP, the HTTP side of it: media types, parameters, the errors that end a request early.

Binding texts: GraphQL over HTTP (draft, graphql.github.io/graphql-over-http), RFC 9110.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from federation.verifier import Credential
from i18n.locales import accepted, negotiate
from wego.core.access import NOBODY, Actor
from wego.core.errors import Invalid
from wego.problems import errors_of

Headers = tuple[tuple[bytes, bytes], ...]
Reply = tuple[int, bytes, Headers]  # status, body, headers beyond the usual ones

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
LONGEST_ACCEPT = 1_000
READ = frozenset({b"accept", b"accept-language", b"authorization", b"content-type"})


class Stop(Exception):
    """End the request with this status and these errors."""

    def __init__(self, status: int, errors: list[dict[str, Any]], headers: Headers = ()) -> None:
        super().__init__(status)
        self.status, self.errors, self.headers = status, errors, headers


@dataclass(slots=True)
class Asked:
    """A request as it came. What is read from its headers is read when it is needed."""

    scope: dict[str, Any]
    known: dict[bytes, bytes]  # the headers in READ
    media_type: str  # of the answer
    body: bytes
    key: Any  # of a request without a token: all that its answer depends on
    credential: Credential | None = None

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def query(self) -> str:
        query: bytes = self.scope["query_string"]
        return query.decode("latin-1")

    @property
    def accept_language(self) -> str:
        return self.known.get(b"accept-language", b"").decode("latin-1")

    @property
    def actor(self) -> Actor:
        return self.credential.actor if self.credential else NOBODY

    @property
    def locale(self) -> str:
        """The language of refusals."""
        return negotiate(accepted(self.accept_language), self.actor.locale)

    @property
    def who(self) -> str:
        """Whose requests are counted together: the bearer of a token, else the address."""
        return self.actor.subject or (self.scope.get("client") or ("",))[0]

    def header(self, name: bytes) -> str | None:
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == name), None)


def check_form(asked: Asked) -> None:
    """Whether the method and the media types are ones that are served here; only JSON in UTF-8 is read."""
    if asked.method not in ("POST", "GET", "HEAD"):
        raise Stop(405, [plain("Use POST, or GET for queries.")], ((b"allow", b"GET, HEAD, POST"),))
    if acceptable(asked.known.get(b"accept", b"").decode("latin-1")) is None:
        raise Stop(406, [plain(f"This endpoint answers {RESPONSE_JSON} or {JSON}.")])
    if asked.method != "POST":
        return
    kind = asked.known.get(b"content-type", b"").decode("latin-1").split(";")
    if kind[0].strip().lower() != JSON:
        raise Stop(415, [plain(f"Send {JSON}.")])
    if any(part.strip().lower().startswith("charset=") and "utf-8" not in part.lower() for part in kind[1:]):
        raise Stop(415, [plain("Send UTF-8.")])


async def body_of(receive: Any, most: int) -> bytes:
    """The whole body, at most so many bytes."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Stop(400, [plain("The request ended early.")])
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise Stop(413, errors_of(Invalid("The request is larger than {limit} KiB.", limit=most // 1024), "en"))
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def parameters(asked: Asked) -> tuple[str, str | None, dict[str, Any]]:
    """Document, operation name and variables of a request."""
    given = _from_query(asked.query) if asked.method != "POST" else _from_body(asked.body)
    text, name, variables = given.get("query"), given.get("operationName"), given.get("variables")
    if not isinstance(text, str) or not text:
        raise Invalid("The request has no query.", path=("query",))
    if name is not None and not isinstance(name, str):
        raise Invalid("The name of the operation must be a text.", path=("operationName",))
    if variables is not None and not isinstance(variables, dict):
        raise Invalid("The variables must be an object.", path=("variables",))
    if given.get("extensions") is not None and not isinstance(given["extensions"], dict):
        raise Invalid("The extensions must be an object.", path=("extensions",))
    return text, name or None, variables or {}


@lru_cache(maxsize=512)
def acceptable(accept: str) -> str | None:
    """The media type to answer with: what the client weighs highest of ours; plain JSON when it does not care."""
    if not accept.strip():
        return JSON
    best, best_weight = None, 0.0
    for part in accept[:LONGEST_ACCEPT].split(","):
        kind, *parameters = [piece.strip().lower() for piece in part.split(";")]
        ours = {RESPONSE_JSON: RESPONSE_JSON, JSON: JSON, "application/*": JSON, "*/*": JSON}.get(kind)
        weight = next((_weight(each) for each in parameters if each.startswith("q=")), 1.0)
        if ours and weight > best_weight:
            best, best_weight = ours, weight
    return best


def knows(sent: str | None, etag: str) -> bool:
    """Whether If-None-Match names this tag, by weak comparison (RFC 9110 section 13.1.2)."""
    tags = (tag.strip().removeprefix("W/") for tag in (sent or "").split(","))
    return sent is not None and any(tag in (etag, "*") for tag in tags)


def _weight(parameter: str) -> float:
    try:
        return float(parameter[2:])
    except ValueError:
        return 0.0


def _from_body(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid("The request is not JSON.") from None
    if not isinstance(given, dict):
        raise Invalid("The request must be one JSON object.")
    return given


def _from_query(query: str) -> dict[str, Any]:
    try:
        given: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True, errors="strict"))
        for name in ("variables", "extensions"):
            if name in given:
                given[name] = orjson.loads(given[name]) if given[name] else None
    except ValueError:
        raise Invalid("The parameters in the address cannot be read.") from None
    return given


def plain(message: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": "INVALID"}}


def unavailable() -> dict[str, Any]:
    return {"message": "The database does not answer; try again.", "extensions": {"code": "UNAVAILABLE"}}


def internal() -> dict[str, Any]:
    return {"message": "Something went wrong inside.", "extensions": {"code": "INTERNAL"}}
