"""GraphQL over HTTP, the HTTP side of it: headers, media types, bodies and what they hold.

Binding texts: GraphQL over HTTP (draft, graphql.github.io/graphql-over-http), RFC 9110.
Everything is bounded before it is read, and read before it is believed: the body by who sends it, the document in
bytes, the variables in values. Nothing of a request is kept; its `key` is a digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope

from federation.oauth.verifier import Credential
from i18n.language.locales import accepted, negotiate
from wego.api.responses import Headers
from wego.api.sender import Sender
from wego.core.access import NOBODY, Actor
from wego.core.cache import digest, remembered
from wego.core.errors import CostExceeded, Invalid, Refusal
from wego.core.rates import caller_of
from wego.core.reads.documents import LONGEST_DOCUMENT
from wego.problems import errors_of

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
LONGEST_ACCEPT = 1_000
LONGEST_QUERY_STRING = 16_384
LONGEST_NAME = 200  # of an operation
PUBLIC_BODY = 131_072  # bytes of a request without a token: a document and its variables. What is larger needs one
MOST_BATCH = 20  # operations of one request
MOST_VALUES = 1_000  # in the variables of a stranger's operation
MOST_MEMBER_VALUES = 20_000
MOST_COMMAS = 100_000  # in a body: what is read from JSON takes many times its bytes
READ = frozenset(
    {b"accept", b"accept-language", b"authorization", b"content-type", b"idempotency-key", b"if-none-match"}
)


class HTTPProblem(Exception):
    """End the request with this status and these errors."""

    def __init__(self, status: int, errors: list[dict[str, Any]], headers: Headers = ()) -> None:
        super().__init__(status)
        self.status, self.errors, self.headers = status, errors, headers


@dataclass(slots=True)
class Params:
    """One operation of a request: its document or the hash of one, its name and its variables."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    sha256: str = ""  # of a persisted document, where the request names one


class Request:
    """A request as it came. What is read from its headers is read when it is needed."""

    __slots__ = ("_key", "body", "credential", "known", "media_type", "method", "scope", "sender")

    def __init__(self, scope: Scope) -> None:
        self.scope, self.sender = scope, Sender(scope.get("wego.line"))
        self.method: str = scope["method"]
        self.known: dict[bytes, bytes] = {name: value for name, value in scope["headers"] if name in READ}
        self.media_type = acceptable(self.known.get(b"accept", b"").decode("latin-1")) or JSON
        self.body = b""
        self.credential: Credential | None = None
        self._key: bytes | None = None

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
    def strict(self) -> bool:
        """Whether the client told that it understands status codes of GraphQL over HTTP."""
        return self.media_type == RESPONSE_JSON

    @property
    def address(self) -> str:
        """The address of the client, behind whatever proxies the settings name."""
        scope = self.scope
        return scope.get("wego.client") or (scope.get("client") or ("",))[0]

    @property
    def caller(self) -> str:
        """Under which name this request is counted."""
        return caller_of(self.actor, self.address)

    def header(self, name: bytes) -> str | None:
        found = self.known.get(name)
        return None if found is None else found.decode("latin-1")

    @property
    def key(self) -> bytes:
        """The digest of all that the answer depends on: also of the token, so that two bearers never share one.
        Asked for when token and body are known."""
        if self._key is None:
            known = self.known
            self._key = digest(
                self.method.encode(), self.scope["query_string"], known.get(b"accept"),
                known.get(b"accept-language"), known.get(b"content-type"),
                self.credential.verified.digest if self.credential else None, self.body,
            )  # fmt: skip
        return self._key


def retry_headers(refusal: Refusal) -> Headers:
    seconds = refusal.retry_after
    return () if seconds is None else ((b"retry-after", b"%d" % seconds),)


def check_form(request: Request) -> None:
    """Whether the method and the media types are ones that are served here; only JSON in UTF-8 is read."""
    if request.method not in ("POST", "GET", "HEAD"):
        raise HTTPProblem(405, [plain("Use POST, or GET for queries.")], ((b"allow", b"GET, HEAD, OPTIONS, POST"),))
    if len(request.scope["query_string"]) > LONGEST_QUERY_STRING:
        raise HTTPProblem(400, [plain("The address is too long; use POST.")])
    if acceptable(request.known.get(b"accept", b"").decode("latin-1")) is None:
        raise HTTPProblem(406, [plain(f"This endpoint answers {RESPONSE_JSON} or {JSON}.")])
    if request.method != "POST":
        return
    kind = request.known.get(b"content-type", b"").decode("latin-1").split(";")
    if kind[0].strip().lower() != JSON:
        raise HTTPProblem(415, [plain(f"Send {JSON}.")])
    if any(part.strip().lower().startswith("charset=") and "utf-8" not in part.lower() for part in kind[1:]):
        raise HTTPProblem(415, [plain("Send UTF-8.")])


async def body_of(receive: Receive, most: int) -> bytes:
    """The whole body, at most so many bytes."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPProblem(400, [plain("The request ended early.")])
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise HTTPProblem(
                413, errors_of(Invalid("The request is larger than {limit} KiB.", limit=most // 1024), "en")
            )
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def operations_of(request: Request) -> tuple[list[Params], bool]:
    """The operations of a request, and whether they came as a batch (a JSON array)."""
    most = MOST_MEMBER_VALUES if request.credential else MOST_VALUES
    if request.method != "POST":
        return [_params(_from_query(request.query), most)], False
    given = _from_body(request.body)
    if isinstance(given, dict):
        return [_params(given, most)], False
    if not isinstance(given, list) or not given:
        raise Invalid("The request must be one JSON object, or an array of them.")
    if len(given) > MOST_BATCH:
        raise CostExceeded("At most {limit} operations can be sent at once.", limit=MOST_BATCH)
    if not all(isinstance(each, dict) for each in given):
        raise Invalid("The request must be one JSON object, or an array of them.")
    return [_params(each, most) for each in given], True


def _params(given: dict[str, Any], most: int) -> Params:
    """One operation's parameters, checked in kind and size."""
    text, name, variables = given.get("query"), given.get("operationName"), given.get("variables")
    sha256 = _persisted(given.get("extensions"))
    if text is not None and not isinstance(text, str):
        raise Invalid("The request has no query.", path=("query",))
    if not text and not sha256:
        raise Invalid("The request has no query.", path=("query",))
    if text and len(text) > LONGEST_DOCUMENT:
        raise Invalid("The document is too long; the limit is {limit} bytes.", limit=LONGEST_DOCUMENT)
    if name is not None and (not isinstance(name, str) or len(name) > LONGEST_NAME):
        raise Invalid("The name of the operation must be a text.", path=("operationName",))
    if variables is not None and not isinstance(variables, dict):
        raise Invalid("The variables must be an object.", path=("variables",))
    if variables and _values_in(variables, most) > most:
        raise CostExceeded("The variables hold too many values; the limit is {limit}.", limit=most)
    return Params(text or "", name or None, variables or {}, sha256)


def _persisted(extensions: Any) -> str:
    """The hash of a persisted document (Apollo's automatic persisted queries, version 1); "" when there is none."""
    if extensions is None:
        return ""
    if not isinstance(extensions, dict):
        raise Invalid("The extensions must be an object.", path=("extensions",))
    told = extensions.get("persistedQuery")
    if told is None:
        return ""
    sha256 = told.get("sha256Hash") if isinstance(told, dict) and told.get("version") == 1 else None
    if not isinstance(sha256, str) or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise Invalid("A persisted document is named by version 1 and its SHA-256 hash.", path=("extensions",))
    return sha256


def _values_in(value: Any, most: int) -> int:
    """How many values there are in JSON, counted until there are more than `most`."""
    count, waiting = 0, [value]
    while waiting and count <= most:
        here = waiting.pop()
        inside = here.values() if isinstance(here, dict) else here if isinstance(here, list) else ()
        count += len(inside)
        waiting += inside
    return count


@remembered(256 * 1024, longest=LONGEST_ACCEPT)
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


def _from_body(body: bytes) -> Any:
    if body.count(b",") > MOST_COMMAS or body.count(b"[") > MOST_COMMAS or body.count(b"{") > MOST_COMMAS:
        raise CostExceeded("The variables hold too many values; the limit is {limit}.", limit=MOST_MEMBER_VALUES)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid("The request is not JSON.") from None


def _from_query(query: str) -> dict[str, Any]:
    try:
        given: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=20))
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
