"""`/graphql`: GraphQL over HTTP, without anything between the socket and the read engine that is not needed.

Binding texts: GraphQL over HTTP (draft, graphql.github.io/graphql-over-http), RFC 9449 (DPoP), RFC 9110, Fetch (CORS).
A request runs through: method and media types → token and proof → size → public cache → document → one statement for
each operation. A token is verified before the body is read, so that only who has one can send a large body.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from federation.jose.proofs import TokenError
from federation.oauth.gate import gate_of
from wego.api.execution import WHOLE, Execution, Result, admitted, refuse_token
from wego.api.hub import Hub
from wego.api.rates import Purpose
from wego.api.request import (
    JSON,
    PUBLIC_BODY,
    RESPONSE_JSON,
    Headers,
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
from wego.api.responses import CachedResponse, etag
from wego.core.access import Actor
from wego.core.db import Tally, is_away, tally
from wego.core.errors import Invalid, Refusal
from wego.core.reads.plans import Plan, Prepared
from wego.core.turns import Turns
from wego.problems import errors_of

log = logging.getLogger("wego.graphql")

LONGEST = 10.0  # seconds that an answer may take once the request is read, whatever it waits for
MOST_WAITING = 2_000
LONGEST_PREPARED = 8_192  # bytes of a body that is worth remembering
VARY = (b"vary", b"accept, accept-language, authorization")
CONTENT_TYPES = {kind: (b"content-type", f"{kind}; charset=utf-8".encode()) for kind in (JSON, RESPONSE_JSON)}
NO_STORE = ((b"cache-control", b"no-store"),)
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


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. `is_public`: everybody who asks the same gets these bytes, until something changes."""

    status: int
    body: bytes
    headers: Headers = ()
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that came before: only its statements are left to run, for the very same actor."""

    parts: tuple[Prepared, ...]
    is_batch: bool
    actor: Actor

    @property
    def bytes(self) -> int:
        return 200 + sum(part.bytes for part in self.parts)


class GraphQLEndpoint:
    """The ASGI application of `/graphql`. `headers` go with every answer; `count` hears of every status. It serves from
    when it gets its hub."""

    def __init__(self, headers: Headers, count: Callable[[int], None]) -> None:
        self.hub: Hub | None = None
        self._headers, self._count = (*headers, *CORS), count
        self._turns = Turns(MOST_WAITING)  # of new requests and refusals; new documents and plans have others

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        hub = self.hub
        assert hub is not None, "the application was not started"
        counter = Tally() if hub.settings.server_timing else None
        tally.set(counter)  # a request has a context of its own
        request = Request(scope)
        try:
            start, body = await self._start(hub, request, receive, counter)
        except asyncio.CancelledError:
            if not request.sender.gone:
                raise
            return  # nobody is there to be answered
        self._count(start["status"])
        await send(start)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _start(
        self, hub: Hub, request: Request, receive: Any, counter: Tally | None
    ) -> tuple[dict[str, Any], bytes]:
        """The head and body of the answer: kept ones at once, others through all steps."""
        try:
            if b"authorization" not in request.known and request.method == "POST":
                request.body = await body_of(receive, min(PUBLIC_BODY, hub.settings.max_body_kb * 1024))
                kept = hub.answers.get(request.key)
                if kept is not None:  # costs next to nothing, so it counts for nothing
                    return kept.start, kept.body
            response = await self._respond(hub, request, receive)
        except (HTTPProblem, Refusal) as wrong:
            await self._turns.wait()  # whoever is refused asks again at once, and all of them in one turn
            response = self._refused(request, wrong)
        except Exception as error:
            response = self._failed(hub, error)
        return self._head(hub, request, response, counter), response.body

    @staticmethod
    def _refused(request: Request, wrong: HTTPProblem | Refusal) -> Response:
        if isinstance(wrong, HTTPProblem):
            return Response(wrong.status, orjson.dumps({"errors": wrong.errors}), wrong.headers)
        told = request.strict or wrong.status in WHOLE or isinstance(wrong, Invalid)
        body = orjson.dumps({"errors": errors_of(wrong, request.locale)})
        return Response(wrong.status if told else 200, body, retry_headers(wrong))

    @staticmethod
    def _failed(hub: Hub, error: Exception) -> Response:
        if is_away(error):
            log.error("database: %s", type(error).__name__)
            hub.database.reads.forget()
            return Response(503, orjson.dumps({"errors": [unavailable()]}), ((b"retry-after", b"2"),))
        log.error("a request failed", exc_info=error)
        return Response(500, orjson.dumps({"errors": [internal()]}))

    def _head(self, hub: Hub, request: Request, response: Response, counter: Tally | None) -> dict[str, Any]:
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

    # ── the answer ────────────────────────────────────────────────────────────────────────────────────────────

    async def _respond(self, hub: Hub, request: Request, receive: Any) -> Response:
        if request.method == "OPTIONS":
            return Response(204, b"", PREFLIGHT)
        if b"authorization" in request.known or request.scope["query_string"]:
            check_form(request)
            self._sign_in(hub, request)  # which also finds a token in the address
        if request.credential is None:
            async with asyncio.timeout(LONGEST):
                return await (self._public if hub.answers.listening else self._answer)(hub, request)
        if request.method == "POST":
            request.body = await body_of(receive, hub.settings.max_body_kb * 1024)
        async with asyncio.timeout(LONGEST):  # a server that is stopped says nothing, and ends no statement
            return await self._answer(hub, request)

    @staticmethod
    def _sign_in(hub: Hub, request: Request) -> None:
        url = f"{hub.settings.resource}?{request.query}" if request.query else hub.settings.resource
        try:
            request.credential = hub.verifier.authenticate(request.scope["headers"], request.method, url)
        except TokenError as problem:
            raise refuse_token(hub, problem, request) from None

    async def _public(self, hub: Hub, request: Request) -> Response:
        """Answer a request without a token, and keep the answer when it is a query's without errors."""
        outcome: list[Response] = []

        async def make() -> CachedResponse | None:
            version = hub.answers.version
            response = await self._answer(hub, request)
            outcome.append(response)
            if not response.is_public:
                return None
            tag = etag(response.body)
            fresh = Response(200, response.body, revalidated(tag))
            head = self._head(hub, request, fresh, Tally() if hub.settings.server_timing else None)
            return hub.answers.put(request.key, CachedResponse(response.body, tag, head), version)

        kept = await hub.answers.single_flight(request.key, make)
        if kept is None:
            return outcome[0] if outcome else await self._answer(hub, request)
        if request.method != "POST" and knows(request.header(b"if-none-match"), kept.etag.decode()):
            return Response(304, b"", revalidated(kept.etag))
        return Response(200, kept.body, revalidated(kept.etag))

    async def _answer(self, hub: Hub, request: Request) -> Response:
        """Answer a request whose sender waits."""
        with request.sender:
            return await self._made(hub, request)

    async def _made(self, hub: Hub, request: Request) -> Response:
        """The answer to a request; one that came before needs no more than its statements."""
        hub.rates.take(Purpose.REQUEST, request.caller)
        key = request.key
        ready = hub.prepared.get(key)
        if ready is not None and ready.actor is request.actor:
            plans = [plan for part in ready.parts if (plan := part.plan()) is not None]
            if len(plans) == len(ready.parts):
                found = await self._again(hub, request, ready, plans)
                if isinstance(found, Response):
                    return found
                hub.prepared.pop(key)
                return await self._run(hub, request, None, admitted=found)
        if request.credential is None:
            check_form(request)
        return await self._run(hub, request, key)

    async def _again(self, hub: Hub, request: Request, ready: Ready, plans: list[Plan]) -> Response | Actor:
        """Run the statements of a prepared request. The actor as of now where his rights have changed: it is compiled
        anew for him, never for who he was when the token was read."""
        hub.rates.take(Purpose.COST, request.caller, sum(plan.cost for plan in plans))
        credential, reads, bodies = request.credential, hub.database.reads, []
        gate = gate_of(credential) if credential else None
        for plan, part in zip(plans, ready.parts, strict=True):
            data, said = await hub.engine.again(reads, plan, part, request.actor, gate)
            if credential and said is not None:
                now = await admitted(hub, request, credential, said)
                if now is not ready.actor:
                    return now
            gate = None
            bodies.append(b'{"data":%s}' % data)
        return Response(200, joined(bodies, ready.is_batch), NO_STORE if credential else (), credential is None)

    async def _run(self, hub: Hub, request: Request, key: bytes | None, *, admitted: Actor | None = None) -> Response:
        """Answer all operations of a request. `admitted`: its proof has been asked already, and this is who it is."""
        async with self._turns.take():
            operations, is_batch = operations_of(request)
        execution = Execution(hub, request)
        if admitted is not None:
            execution.gate, execution.actor = None, admitted
        results = [await execution.answer(params) for params in operations]
        _remember(hub, request, key, results, is_batch, execution.actor)
        status = 200 if is_batch else results[0].status
        headers = NO_STORE if request.credential or (request.method == "POST" and not _public(results)) else ()
        return Response(status, joined([each.body for each in results], is_batch), headers, _public(results))


def _public(results: list[Result]) -> bool:
    return all(result.is_public for result in results)


def _remember(
    hub: Hub, request: Request, key: bytes | None, results: list[Result], is_batch: bool, actor: Actor
) -> None:
    """Keep what is left of a request once everything about it is known."""
    parts = tuple(each.prepared for each in results if each.prepared is not None)
    if key is not None and len(parts) == len(results) and len(request.body) <= LONGEST_PREPARED:
        hub.prepared.put(key, Ready(parts, is_batch, actor))


def joined(bodies: list[bytes], is_batch: bool) -> bytes:
    """The body of a response: one answer, or those of a batch in their order."""
    return b"[%s]" % b",".join(bodies) if is_batch else bodies[0]


def revalidated(tag: bytes) -> Headers:
    """The headers of an answer that may be kept, but must be asked for again."""
    return (b"etag", tag), (b"cache-control", b"no-cache")
