"""`/graphql`: GraphQL over HTTP, without anything between the socket and the read engine that is not needed.

Binding texts: GraphQL over HTTP (draft, graphql.github.io/graphql-over-http), RFC 9449 (DPoP), RFC 9110, Fetch (CORS).
A request runs down one line: the public cache → checks (form, token and proof, size) → its documents → one statement
for each operation → the response. A token is verified before the body is read, so that only who has one can send a
large body. What ends a request early is raised as a Refusal or an HTTPProblem and becomes a response in one place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import orjson
from starlette.types import Message, Receive, Scope, Send

from federation.jose.proofs import TokenError
from wego.api.execution import WHOLE, Execution, refuse_token
from wego.api.hub import Hub
from wego.api.request import (
    JSON,
    PUBLIC_BODY,
    RESPONSE_JSON,
    HTTPProblem,
    Request,
    body_of,
    check_form,
    internal,
    knows,
    operations_of,
    retry_headers,
    unavailable,
)
from wego.api.responses import Headers, Response, not_modified, tagged
from wego.api.results import Ready, Result
from wego.core.db import Tally, is_away, tally
from wego.core.errors import Invalid, Refusal
from wego.core.rates import Purpose
from wego.core.traces import traced
from wego.core.turns import Turns
from wego.problems import errors_of

log = logging.getLogger("wego.graphql")

LONGEST = 10.0  # seconds that an answer may take once the request is read, whatever it waits for
MOST_WAITING = 2_000
LONGEST_PREPARED = 8_192  # bytes of a body that is worth remembering
VARY = (b"vary", b"accept, accept-language, authorization")
CONTENT_TYPES = {kind: (b"content-type", f"{kind}; charset=utf-8".encode()) for kind in (JSON, RESPONSE_JSON)}
NO_STORE: Headers = ((b"cache-control", b"no-store"),)
# Whatever a page of any origin may read: there are no cookies here, and no page can send a token (it is not allowed).
CORS: Headers = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"etag, retry-after, server-timing"),
)
PREFLIGHT: Headers = (
    (b"allow", b"GET, HEAD, OPTIONS, POST"),
    (b"access-control-allow-methods", b"GET, HEAD, POST"),
    (b"access-control-allow-headers",
     b"accept, accept-language, apollo-require-preflight, content-type, if-none-match"),
    (b"access-control-max-age", b"7200"),
)  # fmt: skip


class GraphQLEndpoint:
    """The ASGI application of `/graphql`. `headers` go with every answer; `count` hears of every status."""

    def __init__(self, hub: Hub, headers: Headers, count: Callable[[int], None]) -> None:
        self.hub = hub
        self._headers, self._count = (*headers, *CORS), count
        self._turns = Turns(MOST_WAITING)  # of new requests and refusals; new documents and plans have others
        self._most_bytes = hub.settings.max_body_kb * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        counter = Tally() if self.hub.settings.server_timing else None
        tally.set(counter)  # a request has a context of its own
        request = Request(scope)
        try:
            response = await self._answer(request, receive)
        except asyncio.CancelledError:
            if not request.sender.gone:
                raise
            return  # nobody is there to be answered
        self._count(response.status)
        await send(response.start or self._head(request, response, counter))
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else response.body})

    async def _answer(self, request: Request, receive: Receive) -> Response:
        """A kept answer at once; else what comes out at the end of the line, whatever that is."""
        try:
            if b"authorization" not in request.known and request.method == "POST":
                request.body = await body_of(receive, min(PUBLIC_BODY, self._most_bytes))
                kept = self.hub.answers.get(request.key)
                if kept is not None:  # costs next to nothing, so it counts for nothing
                    return kept
            return await self._respond(request, receive)
        except (HTTPProblem, Refusal) as wrong:
            await self._turns.wait()  # whoever is refused asks again at once, and all of them in one turn
            return _refused(request, wrong)
        except Exception as error:
            return self._failed(error)

    def _failed(self, error: Exception) -> Response:
        if is_away(error):
            log.error("database: %s", type(error).__name__)
            self.hub.database.reads.forget()
            return Response(503, orjson.dumps({"errors": [unavailable()]}), ((b"retry-after", b"2"),))
        log.error("a request failed\n%s", traced(error))
        return Response(500, orjson.dumps({"errors": [internal()]}))

    def _head(self, request: Request, response: Response, counter: Tally | None) -> Message:
        headers = [
            CONTENT_TYPES[request.media_type],
            (b"content-length", b"%d" % len(response.body)),
            VARY,
            *response.headers,
            *self._headers,
        ]
        if counter is not None:
            timing = f'db;dur={counter.seconds * 1000:.2f};desc="{counter.statements} statements"'
            headers.append((b"server-timing", timing.encode()))
        return {"type": "http.response.start", "status": response.status, "headers": headers}

    # ── the line ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _respond(self, request: Request, receive: Receive) -> Response:
        """Checks, then the answer within its time."""
        if request.method == "OPTIONS":
            return Response(204, b"", PREFLIGHT)
        self._check(request)
        if request.credential is not None and request.method == "POST":
            request.body = await body_of(receive, self._most_bytes)
        async with asyncio.timeout(LONGEST):  # a server that is stopped says nothing, and ends no statement
            if request.credential is None and self.hub.answers.listening:
                return await self._shared(request)
            return await self._made(request)

    def _check(self, request: Request) -> None:
        """The form of a request, and its token, also one in the address, where none may be. What is wrong counts as a
        request of its address."""
        try:
            check_form(request)
        except HTTPProblem:
            self.hub.rates.take(Purpose.REQUEST, f"ip:{request.address}")
            raise
        if b"authorization" not in request.known and not request.query:
            return
        resource = self.hub.settings.resource
        url = f"{resource}?{request.query}" if request.query else resource
        try:
            request.credential = self.hub.verifier.authenticate(request.scope["headers"], request.method, url)
        except TokenError as problem:
            raise refuse_token(self.hub, problem, request) from None

    async def _shared(self, request: Request) -> Response:
        """The answer to a request without a token: made once for all who ask the same at the same time, and kept when
        it is a query's without errors."""
        answers = self.hub.answers

        async def make() -> Response:
            version = answers.version
            response = await self._made(request)
            if not response.is_public:
                return response
            kept = tagged(response)
            kept.start = self._head(request, kept, Tally() if self.hub.settings.server_timing else None)
            return answers.put(request.key, kept, version)

        response = await answers.single_flight(request.key, make) or await self._made(request)
        if response.tag and request.method != "POST" and knows(request.header(b"if-none-match"), response.tag.decode()):
            return not_modified(response)
        return response

    async def _made(self, request: Request) -> Response:
        """The answer, made for this request alone while its sender waits: of one that came before only the statements
        are left to run."""
        with request.sender:
            self.hub.rates.take(Purpose.REQUEST, request.caller)
            execution = Execution(self.hub, request)
            ready = self.hub.prepared.get(request.key)
            if ready is not None:
                results = await execution.repeat(ready)
                if results is not None:
                    return _response(request, results, ready.is_batch)
                self.hub.prepared.pop(request.key)
            async with self._turns.take():
                operations, is_batch = operations_of(request)
            results = [await execution.answer(params) for params in operations]
            if len(request.body) <= LONGEST_PREPARED and (new := Ready.of(results, is_batch, execution.actor)):
                self.hub.prepared.put(request.key, new)
            return _response(request, results, is_batch)


def _response(request: Request, results: list[Result], is_batch: bool) -> Response:
    """One answer, or those of a batch in their order."""
    is_public = all(result.is_public for result in results)
    body = b"[%s]" % b",".join(result.body for result in results) if is_batch else results[0].body
    kept_nowhere = request.credential is not None or (request.method == "POST" and not is_public)
    return Response(200 if is_batch else results[0].status, body, NO_STORE if kept_nowhere else (), is_public)


def _refused(request: Request, wrong: HTTPProblem | Refusal) -> Response:
    if isinstance(wrong, HTTPProblem):
        return Response(wrong.status, orjson.dumps({"errors": wrong.errors}), wrong.headers)
    told = request.strict or wrong.status in WHOLE or isinstance(wrong, Invalid)
    body = orjson.dumps({"errors": errors_of(wrong, request.locale)})
    return Response(wrong.status if told else 200, body, retry_headers(wrong))
