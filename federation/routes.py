"""The protocol's endpoints as HTTP: read the request, ask `tokens.py`, answer.

Binding texts: RFC 6749 section 3.2 and 5, RFC 7009, RFC 7662, RFC 8414, RFC 9728, RFC 7517 section 8.5. Bad
input never gets a 5xx and is never told back. When the database is away, read-only or full, the answer is 503
and nothing was issued, because everything of one request is one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import orjson
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from federation import metadata, tokens
from federation.tokens import Form, Hub, OAuthProblem
from federation.verifier import Verifier

log = logging.getLogger(__name__)

MOST_BYTES = 32_768  # of a form
MOST_FIELDS = 24
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
TEN_MINUTES = {"Cache-Control": "public, max-age=600"}

# What a database says when it cannot serve now; a programming error is none of these and stays one.
_AWAY = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
# Where an assertion is sent as well, a second way to authenticate is an error (RFC 6749 section 2.3).
_OTHER_WAYS = ("client_secret", "authorization")


def routes(hub: Hub) -> list[Route]:
    """All endpoints of the authorization server. `hub` has `settings`, `database` and `keys`."""
    verifier = Verifier(hub.settings, hub.keys, capacity=1000)
    rates: Any = getattr(hub, "rates", None)  # of the running hub; a hub of a test may do without

    async def token(request: Request, form: Form) -> Response:
        return _json(await tokens.issue(hub, form, request.headers.getlist("dpop")))

    async def revoke(request: Request, form: Form) -> Response:
        await tokens.revoke(hub, verifier, form)
        return Response(headers=NO_STORE)

    async def introspect(request: Request, form: Form) -> Response:
        return _json(await tokens.introspect(hub, verifier, form))

    async def jwks(request: Request) -> Response:
        return _json(hub.keys.jwks(), headers=TEN_MINUTES, kind="application/jwk-set+json")

    async def server(request: Request) -> Response:
        return _json(metadata.server_metadata(hub.settings), headers=TEN_MINUTES)

    async def resource(request: Request) -> Response:
        return _json(metadata.resource_metadata(hub.settings), headers=TEN_MINUTES)

    return [
        Route("/.well-known/oauth-authorization-server", server),
        Route("/.well-known/oauth-protected-resource/graphql", resource),
        Route("/oauth/jwks", jwks),
        Route("/oauth/token", _guarded(token, rates), methods=["POST"]),
        Route("/oauth/revoke", _guarded(revoke, rates), methods=["POST"]),
        Route("/oauth/introspect", _guarded(introspect, rates), methods=["POST"]),
    ]


def _json(
    body: dict[str, Any],
    status: int = 200,
    headers: dict[str, str] = NO_STORE,
    kind: str = "application/json",
) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=kind)


def _refused(problem: OAuthProblem, **headers: str) -> Response:
    body = {"error": problem.error, "error_description": problem.description}
    return _json(body, problem.status, {**NO_STORE, **headers})


def _guarded(
    answer: Callable[[Request, Form], Awaitable[Response]], rates: Any
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a form and turns what went wrong into an answer of RFC 6749 section 5.2."""

    async def endpoint(request: Request) -> Response:
        try:
            address = request.scope.get("wego.client") or (request.client.host if request.client else "")
            wait = rates.wait("token", f"ip:{address}") if rates else 0.0
            if wait:
                limit = OAuthProblem("temporarily_unavailable", "Too many requests: wait a little.", 429)
                return _refused(limit, **{"Retry-After": str(int(wait) + 1)})
            return await answer(request, await read_form(request))
        except OAuthProblem as problem:
            scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
            asked = {"WWW-Authenticate": "Basic"} if problem.status == 401 and scheme == "basic" else {}
            return _refused(problem, **asked)
        except _AWAY as error:
            log.error("The database cannot serve a token request: %s", type(error).__name__)
            away = OAuthProblem("temporarily_unavailable", "The server cannot answer now: try again soon.", 503)
            return _refused(away, **{"Retry-After": "2"})

    return endpoint


async def read_form(request: Request) -> Form:
    """The form of a request: small, UTF-8, each parameter once (RFC 6749 section 3.2), authenticated in one
    way."""
    if request.url.query:
        raise OAuthProblem("invalid_request", "Send the parameters in the body, not in the address.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != (
        "application/x-www-form-urlencoded"
    ):
        raise OAuthProblem("invalid_request", "Send the parameters as application/x-www-form-urlencoded.")
    fields: dict[str, str] = {}
    resources: list[str] = []
    for name, value in _pairs(await _body(request)):
        if name == "resource":
            resources.append(value)
        elif name in fields:
            raise OAuthProblem("invalid_request", "A parameter was sent twice.")
        else:
            fields[name] = value
    # A parameter without a value is one that was not sent (RFC 6749 section 3.2).
    form = Form({name: value for name, value in fields.items() if value}, tuple(r for r in resources if r))
    _check_one_way(request, form)
    return form


def _check_one_way(request: Request, form: Form) -> None:
    other = "client_secret" in form.fields or "authorization" in request.headers
    if other and "client_assertion" in form.fields:
        raise OAuthProblem("invalid_request", "Authenticate in one way: by the client assertion.")
    if "authorization" in request.headers:
        raise OAuthProblem("invalid_client", "Authenticate with a client assertion (private_key_jwt).", 401)
    if other:
        raise OAuthProblem("invalid_client", "Authenticate with a client assertion (private_key_jwt).")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise OAuthProblem("invalid_request", "The request is too large.", 413)
    return bytes(body)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise OAuthProblem("invalid_request", "The body is not a form in UTF-8, or has too many parameters.") from None
