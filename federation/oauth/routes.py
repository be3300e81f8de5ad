"""The protocol's endpoints as HTTP: read the request, ask `tokens.py`, answer.

Binding texts: RFC 6749 section 3.2 and 5, RFC 7009, RFC 7662, RFC 8414, RFC 9728, RFC 7517 section 8.5. Bad
input never gets a 5xx and is never told back. When the database is away, read-only or full, the answer is 503
and nothing was issued, because everything of one request is one transaction.

Who is counted for what: before anything is believed, the address of the connection; for a guess (an assertion or a
proof that was not good) the address as well, and never the program that the guess named, so that nobody locks out a
program by naming it; after the signature was checked, the program.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import orjson
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from federation.oauth import metadata, tokens
from federation.oauth.tokens import Form, Hub, OAuthProblem
from federation.oauth.verifier import Verifier
from wego.core.db import is_away
from wego.core.errors import Refusal
from wego.core.rates import Purpose, Rates

log = logging.getLogger(__name__)

MOST_BYTES = 32_768  # of a form
MOST_FIELDS = 24
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
TEN_MINUTES = {"Cache-Control": "public, max-age=600"}

# What counts as a guess: it cost a signature or the database, and only who has no good key needs many.
GUESSES = frozenset({"invalid_client", "invalid_dpop_proof"})
# The hub answers, but not this request now: a statement ran into its time, or lost against another transaction.
_BUSY = (asyncpg.QueryCanceledError, asyncpg.TransactionRollbackError)

Answer = Callable[[Request, Form], Awaitable[Response]]


def routes(hub: Hub, rates: Rates | None = None) -> list[Route]:
    """All endpoints of the authorization server, within these rates (none: without limits)."""
    verifier = Verifier(hub.settings, hub.keys)
    rates = rates or Rates({})

    def pace(client_id: str) -> None:
        _check_rate(rates, Purpose.ISSUE, f"program:{client_id}")

    async def token(request: Request, form: Form) -> Response:
        return _json(await tokens.issue(hub, form, request.headers.getlist("dpop"), pace))

    async def revoke(request: Request, form: Form) -> Response:
        await tokens.revoke(hub, verifier, form, pace)
        return Response(headers=NO_STORE)

    async def introspect(request: Request, form: Form) -> Response:
        return _json(await tokens.introspect(hub, verifier, form, pace))

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


def address_of(scope: Mapping[str, Any]) -> str:
    """Under which address a caller is counted: that of the connection, or what a configured proxy says of it, which
    the server puts into `wego.client`; no header is read here. An IPv6 network of 64 bits is one caller, because
    whoever has one address of it has them all (RFC 4291 section 2.5.4)."""
    given = str(scope.get("wego.client") or (scope.get("client") or ("",))[0])
    try:
        address = ipaddress.ip_address(given.partition("%")[0])
    except ValueError:
        return given
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)


def _check_rate(rates: Rates, purpose: Purpose, caller: str, amount: int = 1) -> None:
    wait = rates.wait(purpose, caller, amount)
    if wait:
        limit = OAuthProblem("temporarily_unavailable", "Too many requests: wait a little.", 429)
        limit.retry_after = int(wait) + 1
        raise limit


def _guarded(answer: Answer, rates: Rates) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a form and turns what went wrong into an answer of RFC 6749 section 5.2."""

    async def endpoint(request: Request) -> Response:
        caller = f"ip:{address_of(request.scope)}"
        try:
            _check_rate(rates, Purpose.TOKEN, caller)
            _check_rate(rates, Purpose.GUESS, caller, 0)  # who guessed too often is refused before it costs anything
            return await answer(request, await read_form(request))
        except OAuthProblem as problem:
            if problem.error in GUESSES:
                rates.wait(Purpose.GUESS, caller)
            return _refused(problem, **_headers_of(problem, request))
        except Refusal as refusal:  # all places of the database are taken, or a statement took too long
            seconds = refusal.params.get("seconds")
            return _unavailable(seconds if isinstance(seconds, int) else 2)
        except Exception as error:
            if _is_busy(error):
                log.warning("A token request took too long in the database: %s", type(error).__name__)
            elif is_away(error):
                log.error("The database cannot serve a token request: %s", type(error).__name__)
            else:
                raise
            return _unavailable(2)

    return endpoint


def _is_busy(error: Exception) -> bool:
    cause = getattr(error.orig, "__cause__", None) if isinstance(error, DBAPIError) else error
    return isinstance(cause, _BUSY)


def _unavailable(seconds: int) -> Response:
    away = OAuthProblem("temporarily_unavailable", "The server cannot answer now: try again soon.", 503)
    return _refused(away, **{"Retry-After": str(seconds)})


def _headers_of(problem: OAuthProblem, request: Request) -> dict[str, str]:
    if problem.retry_after:
        return {"Retry-After": str(problem.retry_after)}
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
    return {"WWW-Authenticate": "Basic"} if problem.status == 401 and scheme == "basic" else {}


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
