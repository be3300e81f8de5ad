"""`/graphql`: GraphQL over HTTP, without anything between the socket and the read engine that is not needed.

Binding texts: GraphQL over HTTP (draft, graphql.github.io/graphql-over-http), RFC 9449 (DPoP), RFC 9110.
A request runs through: method and media types → size → token and proof → document → public cache → one statement.
What the token's bearer may do and whether his proof is fresh is asked in that same statement (the gate).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from graphql import GraphQLError, OperationType

from federation.actors import reload
from federation.proofs import TokenError
from federation.verifier import Credential, challenge
from i18n.locales import accepted, negotiate, wished
from wego.cache import Kept
from wego.core.access import NOBODY, Actor
from wego.core.db import Tally, is_away, tally
from wego.core.errors import Invalid, NotAllowed, NotSignedIn, RateLimited, Refusal
from wego.core.reads.documents import GraphQLErrors
from wego.core.reads.engine import Gate, Operation
from wego.core.writes import Repeat
from wego.hub import Hub
from wego.problems import errors_of, graphql_errors

log = logging.getLogger("wego.graphql")

Headers = tuple[tuple[bytes, bytes], ...]
Reply = tuple[int, bytes, Headers]  # status, body, headers beyond the usual ones

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
LONGEST_ACCEPT = 1_000

GATE_CTES = (
    "gate as (insert into oauth_replay (digest, expires_at) values ({0}::bytea, {1}::timestamptz) "
    "on conflict do nothing returning 1)"
)
GATE_COLUMNS = (
    "(select count(*) from gate) as fresh, (select seq from access_epoch) as epoch, "
    "exists (select 1 from oauth_token where jti = {2}::text and revoked_at is null) as alive"
)


class Stop(Exception):
    """End the request with this status and these errors."""

    def __init__(self, status: int, errors: list[dict[str, Any]], headers: Headers = ()) -> None:
        super().__init__(status)
        self.status, self.errors, self.headers = status, errors, headers


@dataclass(slots=True)
class Asked:
    """A request as it came, its headers read once."""

    method: str
    headers: list[tuple[bytes, bytes]]
    query: str
    body: bytes
    accept_language: str
    media_type: str
    client: str
    credential: Credential | None = None
    locale: str = "en"

    def header(self, name: bytes) -> str | None:
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)


class GraphQLEndpoint:
    """The ASGI application of `/graphql`."""

    def __init__(self, hub_of: Any) -> None:
        self._hub_of = hub_of

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        hub: Hub = self._hub_of(scope)
        counter = Tally()
        token = tally.set(counter)
        media_type = JSON
        extra: Headers = ()
        try:
            asked = await self._asked(hub, scope, receive)
            media_type = asked.media_type
            status, body, extra = await self._answer(hub, asked)
        except Stop as stop:
            status, body, extra = stop.status, orjson.dumps({"errors": stop.errors}), stop.headers
            media_type = self._media_type_or_default(scope)
        except Exception as error:
            if is_away(error):
                log.error("database: %s", type(error).__name__)
                status, body, extra = 503, orjson.dumps({"errors": [_unavailable()]}), ((b"retry-after", b"2"),)
                hub.database.reads.forget()
            else:
                log.exception("a request failed")
                status, body = 500, orjson.dumps({"errors": [_internal()]})
        finally:
            tally.reset(token)
        headers = [
            (b"content-type", f"{media_type}; charset=utf-8".encode()),
            (b"content-length", str(len(body)).encode()),
            (b"vary", b"accept, accept-language, authorization"),
            *extra,
        ]
        if hub.settings.server_timing:
            timing = f'db;dur={counter.seconds * 1000:.2f};desc="{counter.statements} statements"'
            headers.append((b"server-timing", timing.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    # ── the request ───────────────────────────────────────────────────────────────────────────────────────────

    async def _asked(self, hub: Hub, scope: Any, receive: Any) -> Asked:
        method, headers = scope["method"], scope["headers"]
        if method not in ("POST", "GET", "HEAD"):
            raise Stop(405, [_plain("Use POST, or GET for queries.")], ((b"allow", b"GET, HEAD, POST"),))
        found = {name: value for name, value in headers if name in _READ}
        language = found.get(b"accept-language", b"").decode("latin-1")
        media_type = acceptable(found.get(b"accept", b"").decode("latin-1"))
        if media_type is None:
            raise Stop(406, [_plain(f"This endpoint answers {RESPONSE_JSON} or {JSON}.")])
        body = b""
        if method == "POST":
            kind = found.get(b"content-type", b"").decode("latin-1").split(";")
            if kind[0].strip().lower() != JSON:
                raise Stop(415, [_plain(f"Send {JSON}.")])
            if any(part.strip().lower().startswith("charset=") and "utf-8" not in part.lower() for part in kind[1:]):
                raise Stop(415, [_plain("Send UTF-8.")])
            body = await self._body(hub, receive)
        client = (scope.get("client") or ("", 0))[0]
        return Asked(method, headers, scope["query_string"].decode("latin-1"), body, language, media_type, client)

    @staticmethod
    def _media_type_or_default(scope: Any) -> str:
        accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        return acceptable(accept.decode("latin-1")) or JSON

    @staticmethod
    async def _body(hub: Hub, receive: Any) -> bytes:
        most = hub.settings.max_body_kb * 1024
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Stop(400, [_plain("The request ended early.")])
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise Stop(413, errors_of(Invalid("The request is larger than {limit} KiB.", limit=most // 1024), "en"))
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    # ── the answer ────────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, hub: Hub, asked: Asked) -> Reply:
        try:
            asked.credential = self._credential(hub, asked)
        except Stop:
            self._pace(hub, asked, NOBODY)  # whoever guesses at tokens is slowed down like everybody
            raise
        actor = asked.credential.actor if asked.credential else NOBODY
        asked.locale = negotiate(accepted(asked.accept_language), actor.locale)
        if asked.credential is None and hub.answers.listening:
            key = (asked.body or asked.query, asked.accept_language, asked.media_type)
            kept = hub.answers.get(key)
            if kept is not None:  # costs next to nothing, so it counts for nothing
                return self._kept(asked, kept)
            self._pace(hub, asked, actor)
            return await self._fresh(hub, asked, key)
        self._pace(hub, asked, actor)
        return await self._run(hub, asked, actor, None)

    @staticmethod
    def _pace(hub: Hub, asked: Asked, actor: Actor) -> None:
        """Refuse what comes too fast."""
        wait = hub.rates.wait(actor.subject or asked.client)
        if wait:
            seconds = int(wait) + 1
            refusal = RateLimited("Too many requests; try again in {seconds} seconds.", seconds=seconds)
            raise Stop(429, errors_of(refusal, asked.locale), ((b"retry-after", str(seconds).encode()),))

    @staticmethod
    def _kept(asked: Asked, kept: Kept) -> Reply:
        headers = ((b"etag", kept.etag), (b"cache-control", b"no-cache"))
        if asked.method != "POST" and _knows(asked.header(b"if-none-match"), kept.etag.decode()):
            return 304, b"", headers
        return 200, kept.body, headers

    async def _fresh(self, hub: Hub, asked: Asked, key: Any) -> Reply:
        """Answer an anonymous request, and keep the answer when it is a query's without errors."""
        outcome: list[Reply] = []

        async def make() -> Kept | None:
            version = hub.answers.version
            keep: list[bool] = []
            outcome.append(await self._run(hub, asked, NOBODY, keep))
            status, body, _ = outcome[0]
            return hub.answers.put(key, body, version) if keep and status == 200 else None

        kept = await hub.answers.once(key, make)
        if kept is not None:
            return self._kept(asked, kept)
        return outcome[0] if outcome else await self._run(hub, asked, NOBODY, None)

    @staticmethod
    def _credential(hub: Hub, asked: Asked) -> Credential | None:
        url = f"{hub.settings.resource}?{asked.query}" if asked.query else hub.settings.resource
        try:
            return hub.verifier.authenticate(asked.headers, asked.method, url)
        except TokenError as problem:
            raise _refuse_token(hub, problem, asked.accept_language) from None

    async def _run(self, hub: Hub, asked: Asked, actor: Actor, keep: list[bool] | None) -> Reply:
        strict = asked.media_type == RESPONSE_JSON
        try:
            text, name, variables = self._parameters(asked)
            operation = hub.engine.find(text, name, variables)
            if operation.kind is OperationType.MUTATION:
                return await self._mutate(hub, asked, operation, actor)
            self._check_scope(actor, "graphql:query")
            return await self._read(hub, asked, operation, actor, keep)
        except GraphQLErrors as wrong:
            body = orjson.dumps({"errors": graphql_errors(wrong.errors, asked.locale)})
            return 400 if strict else 200, body, ()
        except GraphQLError as wrong:
            body = orjson.dumps({"errors": graphql_errors([wrong], asked.locale)})
            return 400 if strict else 200, body, ()
        except Refusal as refusal:
            return refusal.status, orjson.dumps({"errors": errors_of(refusal, asked.locale)}), ()

    async def _read(self, hub: Hub, asked: Asked, operation: Operation, actor: Actor, keep: list[bool] | None) -> Reply:
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
        if keep is not None:
            keep.append(True)
        return 200, b'{"data":%s}' % answer.data, ((b"cache-control", b"no-store"),) if asked.credential else ()

    async def _mutate(self, hub: Hub, asked: Asked, operation: Operation, actor: Actor) -> Reply:
        if asked.method != "POST":
            raise Stop(405, [_plain("Mutations need POST.")], ((b"allow", b"POST"),))
        if asked.credential:
            said = await hub.engine.check(hub.database.reads, gate_of(asked.credential))
            actor = await self._admitted(hub, asked, said)
        self._check_scope(actor, "graphql:mutate")
        key = asked.header(b"idempotency-key")
        repeat = Repeat.of(actor.subject or asked.client, key, asked.body) if key is not None else None
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

    @staticmethod
    def _parameters(asked: Asked) -> tuple[str, str | None, dict[str, Any]]:
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


_READ = frozenset({b"accept", b"accept-language", b"content-type"})


def gate_of(credential: Credential) -> Gate:
    """What must hold in the database for this credential, as part of the statement that reads."""
    return Gate(GATE_CTES, GATE_COLUMNS, (credential.replay_digest, credential.replay_expires, credential.jti))


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


def _knows(sent: str | None, etag: str) -> bool:
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


def _refuse_token(hub: Hub, problem: TokenError, accept_language: str) -> Stop:
    locale = negotiate(accepted(accept_language))
    refusal = NotSignedIn("The token or its proof is not good; get a new one.")
    errors = errors_of(refusal, locale)
    errors[0]["extensions"]["oauth"] = problem.error
    headers = ((b"www-authenticate", challenge(hub.settings, problem).encode()), (b"cache-control", b"no-store"))
    return Stop(problem.status, errors, headers)


def _plain(message: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": "INVALID"}}


def _unavailable() -> dict[str, Any]:
    return {"message": "The database does not answer; try again.", "extensions": {"code": "UNAVAILABLE"}}


def _internal() -> dict[str, Any]:
    return {"message": "Something went wrong inside.", "extensions": {"code": "INTERNAL"}}
