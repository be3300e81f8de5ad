"""`/graphql`: GraphQL over HTTP, without anything between the socket and the read engine that is not needed.

Binding texts: GraphQL over HTTP (draft, graphql.github.io/graphql-over-http), RFC 9449 (DPoP), RFC 9110.
A request runs through: method and media types → size → token and proof → document → public cache → one statement.
What the token's bearer may do and whether his proof is fresh is asked in that same statement (the gate).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from graphql import GraphQLError, OperationType

from federation.actors import reload
from federation.proofs import TokenError
from federation.verifier import Credential, challenge
from i18n.locales import accepted, negotiate, wished
from wego.cache import Kept, etag
from wego.core.access import Actor
from wego.core.db import Tally, is_away, tally
from wego.core.errors import NotAllowed, NotSignedIn, RateLimited, Refusal
from wego.core.reads.documents import GraphQLErrors
from wego.core.reads.engine import Gate, Operation
from wego.core.writes import Repeat
from wego.http import (
    JSON,
    READ,
    RESPONSE_JSON,
    Asked,
    Headers,
    Reply,
    Stop,
    acceptable,
    body_of,
    check_form,
    internal,
    knows,
    parameters,
    plain,
    unavailable,
)
from wego.hub import Hub
from wego.problems import errors_of, graphql_errors

log = logging.getLogger("wego.graphql")

LONGEST = 10.0  # seconds that an answer may take, whatever it waits for
LONGEST_PREPARED = 8_192  # bytes of a request that is worth remembering
VARY = (b"vary", b"accept, accept-language, authorization")
CONTENT_TYPES = {kind: (b"content-type", f"{kind}; charset=utf-8".encode()) for kind in (JSON, RESPONSE_JSON)}
KEYED = (b"accept", b"accept-language", b"content-type")  # what of the headers an answer depends on
GATE_CTES = (
    "gate as (insert into oauth_replay (digest, expires_at) values ({0}::bytea, {1}::timestamptz) "
    "on conflict do nothing returning 1)"
)
GATE_COLUMNS = (
    "(select count(*) from gate) as fresh, (select seq from access_epoch) as epoch, "
    "exists (select 1 from oauth_token where jti = {2}::text and revoked_at is null) as alive"
)


class GraphQLEndpoint:
    """The ASGI application of `/graphql`. `headers` go with every answer; `count` hears of every status. It serves from
    when it gets its hub."""

    def __init__(self, headers: Headers, count: Callable[[int], None]) -> None:
        self.hub: Hub | None = None
        self._headers, self._count = headers, count

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        hub = self.hub
        assert hub is not None, "the application was not started"
        counter = Tally() if hub.settings.server_timing else None
        tally.set(counter)  # a request has a context of its own
        start, body = await self._start(hub, scope, receive, counter)
        self._count(start["status"])
        await send(start)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _start(self, hub: Hub, scope: Any, receive: Any, counter: Tally | None) -> tuple[dict[str, Any], bytes]:
        """The head and body of the answer: kept ones at once, others through all steps."""
        found = {name: value for name, value in scope["headers"] if name in READ}
        media_type = acceptable(found.get(b"accept", b"").decode("latin-1")) or JSON
        try:
            body = await body_of(receive, hub.settings.max_body_kb * 1024) if scope["method"] == "POST" else b""
            key = None
            if b"authorization" not in found:
                key = (scope["method"], scope["query_string"], body, *map(found.get, KEYED))
                kept = hub.answers.get(key)
                if kept is not None and scope["method"] == "POST":  # costs next to nothing, so it counts for nothing
                    return kept.start, kept.body
            async with asyncio.timeout(LONGEST):  # a server that is stopped says nothing, and ends no statement
                status, body, extra = await self._answer(hub, Asked(scope, found, media_type, body, key))
        except Stop as stop:
            status, body, extra = stop.status, orjson.dumps({"errors": stop.errors}), stop.headers
        except Exception as error:
            status, body, extra = self._failed(hub, error)
        return self._head(hub, status, media_type, len(body), extra, counter), body

    @staticmethod
    def _failed(hub: Hub, error: Exception) -> Reply:
        if is_away(error):
            log.error("database: %s", type(error).__name__)
            hub.database.reads.forget()
            return 503, orjson.dumps({"errors": [unavailable()]}), ((b"retry-after", b"2"),)
        log.error("a request failed", exc_info=error)
        return 500, orjson.dumps({"errors": [internal()]}), ()

    def _head(
        self, hub: Hub, status: int, media_type: str, size: int, extra: Headers, counter: Tally | None
    ) -> dict[str, Any]:
        headers = [
            CONTENT_TYPES[media_type],
            (b"content-length", b"%d" % size),
            VARY,
            *extra,
            *self._headers,
        ]
        if counter is not None:
            timing = f'db;dur={counter.seconds * 1000:.2f};desc="{counter.statements} statements"'
            headers.append((b"server-timing", timing.encode()))
        return {"type": "http.response.start", "status": status, "headers": headers}

    # ── the answer ────────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, hub: Hub, asked: Asked) -> Reply:
        if asked.key is None or hub.prepared.get(asked.key) is None:  # others were checked when they came first
            check_form(asked)
            try:
                asked.credential = self._credential(hub, asked)
            except Stop:
                self._pace(hub, asked)  # whoever guesses at tokens is slowed down like everybody
                raise
        if asked.key is not None:
            return await (self._public if hub.answers.listening else self._strange)(hub, asked)
        self._pace(hub, asked)
        return await self._run(hub, asked, None)

    @staticmethod
    def _pace(hub: Hub, asked: Asked) -> None:
        """Refuse what comes too fast."""
        wait = hub.rates.wait(asked.who)
        if wait:
            seconds = int(wait) + 1
            refusal = RateLimited("Too many requests; try again in {seconds} seconds.", seconds=seconds)
            raise Stop(429, errors_of(refusal, asked.locale), ((b"retry-after", str(seconds).encode()),))

    async def _strange(self, hub: Hub, asked: Asked, keep: list[bool] | None = None) -> Reply:
        """Answer a request without a token; one that came before needs no more than its statement."""
        self._pace(hub, asked)
        prepared = hub.prepared.get(asked.key)
        if prepared is None:
            return await self._run(hub, asked, keep)
        if keep is not None:
            keep.append(True)
        return 200, b'{"data":%s}' % await hub.engine.again(hub.database.reads, prepared), ()

    async def _public(self, hub: Hub, asked: Asked) -> Reply:
        """Answer a request without a token, and keep the answer when it is a query's without errors."""
        outcome: list[Reply] = []

        async def make() -> Kept | None:
            version = hub.answers.version
            keep: list[bool] = []
            outcome.append(await self._strange(hub, asked, keep))
            status, body, _ = outcome[0]
            if not keep or status != 200:
                return None
            tag = etag(body)
            head = self._head(
                hub, 200, asked.media_type, len(body), fresh(tag), Tally() if hub.settings.server_timing else None
            )
            return hub.answers.put(asked.key, Kept(body, tag, head), version)

        kept = await hub.answers.once(asked.key, make)
        if kept is None:
            return outcome[0] if outcome else await self._strange(hub, asked)
        if asked.method != "POST" and knows(asked.header(b"if-none-match"), kept.etag.decode()):
            return 304, b"", fresh(kept.etag)
        return 200, kept.body, fresh(kept.etag)

    @staticmethod
    def _credential(hub: Hub, asked: Asked) -> Credential | None:
        url = f"{hub.settings.resource}?{asked.query}" if asked.query else hub.settings.resource
        try:
            return hub.verifier.authenticate(asked.scope["headers"], asked.method, url)
        except TokenError as problem:
            raise _refuse_token(hub, problem, asked.accept_language) from None

    async def _run(self, hub: Hub, asked: Asked, keep: list[bool] | None) -> Reply:
        strict = asked.media_type == RESPONSE_JSON
        try:
            text, name, variables = parameters(asked)
            operation = hub.engine.find(text, name, variables)
            if operation.kind is OperationType.MUTATION:
                return await self._mutate(hub, asked, operation)
            self._check_scope(asked.actor, "graphql:query")
            return await self._read(hub, asked, operation, keep)
        except GraphQLErrors as wrong:
            body = orjson.dumps({"errors": graphql_errors(wrong.errors, asked.locale)})
            return 400 if strict else 200, body, ()
        except GraphQLError as wrong:
            body = orjson.dumps({"errors": graphql_errors([wrong], asked.locale)})
            return 400 if strict else 200, body, ()
        except Refusal as refusal:
            return refusal.status, orjson.dumps({"errors": errors_of(refusal, asked.locale)}), ()

    async def _read(self, hub: Hub, asked: Asked, operation: Operation, keep: list[bool] | None) -> Reply:
        actor = asked.actor
        reading = wished(None, asked.accept_language, actor.locale)
        gate = gate_of(asked.credential) if asked.credential else None
        run = hub.engine.run_of(operation, actor, reading)
        answer = await hub.engine.query(hub.database.reads, operation, run, hub, gate)
        if asked.credential and answer.gate is not None:
            now = await self._admitted(hub, asked, answer.gate)
            if now is not actor:
                run = hub.engine.run_of(operation, now, wished(None, asked.accept_language, now.locale))
                answer = await hub.engine.query(hub.database.reads, operation, run, hub, None)
        if answer.errors:
            wrong = orjson.dumps(graphql_errors(answer.errors, asked.locale))
            return 200, b'{"data":%s,"errors":%s}' % (answer.data, wrong), ()
        if asked.key is not None and len(asked.body) <= LONGEST_PREPARED:
            hub.prepared.put(asked.key, hub.engine.prepare(operation, run))
        if keep is not None:
            keep.append(True)
        return 200, b'{"data":%s}' % answer.data, ((b"cache-control", b"no-store"),) if asked.credential else ()

    async def _mutate(self, hub: Hub, asked: Asked, operation: Operation) -> Reply:
        if asked.method != "POST":
            raise Stop(405, [plain("Mutations need POST.")], ((b"allow", b"POST"),))
        actor = asked.actor
        if asked.credential:
            said = await hub.engine.check(hub.database.reads, gate_of(asked.credential))
            actor = await self._admitted(hub, asked, said)
        self._check_scope(actor, "graphql:mutate")
        key = asked.header(b"idempotency-key")
        repeat = Repeat.of(asked.who, key, asked.body) if key is not None else None
        run = hub.engine.run_of(operation, actor, wished(None, asked.accept_language, actor.locale))
        data = await hub.writer.mutate(operation, run, asked.locale, repeat)
        hub.answers.clear()
        return 200, b'{"data":%s}' % data, ((b"cache-control", b"no-store"),)

    async def _admitted(self, hub: Hub, asked: Asked, said: Mapping[str, Any]) -> Actor:
        """The actor as of now, by what the gate said: the proof was unused, the token lives, rights are the same."""
        credential = asked.credential
        assert credential is not None
        if not said["fresh"]:
            problem = TokenError("invalid_dpop_proof", "The proof was used before.")
            raise _refuse_token(hub, problem, asked.accept_language)
        if not said["alive"]:
            raise _refuse_token(hub, TokenError("invalid_token", "The token was revoked."), asked.accept_language)
        if said["epoch"] == credential.epoch:
            return credential.actor
        async with hub.database.session() as db:
            actor = await reload(db, credential)
        if actor is None:
            problem = TokenError("invalid_token", "The right to use this token has ended.")
            raise _refuse_token(hub, problem, asked.accept_language)
        return actor

    @staticmethod
    def _check_scope(actor: Actor, scope: str) -> None:
        if actor.scopes is not None and scope not in actor.scopes:
            raise NotAllowed("The token lacks the scope {scope}.", scope=scope)


def fresh(tag: bytes) -> Headers:
    """The headers of an answer that may be kept, but must be asked for again."""
    return (b"etag", tag), (b"cache-control", b"no-cache")


def gate_of(credential: Credential) -> Gate:
    """What must hold in the database for this credential, as part of the statement that reads."""
    return Gate(GATE_CTES, GATE_COLUMNS, (credential.replay_digest, credential.replay_expires, credential.jti))


def _refuse_token(hub: Hub, problem: TokenError, accept_language: str) -> Stop:
    locale = negotiate(accepted(accept_language))
    refusal = NotSignedIn("The token or its proof is not good; get a new one.")
    errors = errors_of(refusal, locale)
    errors[0]["extensions"]["oauth"] = problem.error
    headers = ((b"www-authenticate", challenge(hub.settings, problem).encode()), (b"cache-control", b"no-store"))
    return Stop(problem.status, errors, headers)
