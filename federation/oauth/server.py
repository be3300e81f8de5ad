"""The core of the token endpoint: Authlib's authorization server, closed where it is open, purely in memory.

Binding texts: RFC 6749 sections 4.4 and 5, RFC 7521 and 7523 in the form of RFC 10070 (client
authentication), RFC 8707 (one resource), RFC 9068 (access tokens), RFC 9449 section 5 (binding). What Authlib
1.9 leaves open is listed in federation.md 3.4; each override below says which of them it closes.

Authlib is synchronous, so nothing here touches the database: `tokens.py` loads the program first, hands it
over, and writes what came out. One `TokenServer` serves one request.

Decision on `typ`: "client-authentication+jwt" is the proper one; "JWT" and none are accepted, because RFC
7523 knows no type and the audience (the issuer, as sole value) already keeps assertions of other servers
away; every other explicit type is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    OAuth2Payload,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator

from federation.jose import jose
from federation.jose.keys import RingKey
from federation.jose.proofs import AHEAD
from federation.jose.replay import Once, once
from wego.core.access import SCOPES
from wego.core.cache import Cache, digest
from wego.core.ids import new_id

METHOD = "private_key_jwt"
CLIENT_ID = re.compile(r"[A-Za-z0-9._:/~-]{1,255}")
LONGEST_LIFE = 120.0  # seconds, of a client assertion
ASSERTION_TYPES = frozenset({"client-authentication+jwt", "jwt", ""})

# Of registered programs only: importing a key costs half as much as checking a signature by it.
_key_sets: Cache[bytes, Mapping[str, jose.PublicKey]] = Cache(2**20, size=lambda keys: 4_000 * len(keys))

# What a token may do when its request names no scope: read.
DEFAULT_SCOPES = ("graphql:query", "catalog:read", "member:read")


@dataclass(frozen=True, slots=True)
class Program(ClientMixin):
    """A program with what the endpoint must know of it and of its city, as of one moment."""

    key: UUID
    client_id: str
    jwks: Mapping[str, Any] = field(repr=False)
    scopes: tuple[str, ...]
    organisation_id: UUID
    city_slug: str
    locale: str
    epoch: int
    documents_only: bool = False

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: Any) -> Any:
        """All that was asked for, or None, which becomes invalid_scope: never silently less (3.4, 16)."""
        asked = str(scope or "").split(" ") if scope else [s for s in DEFAULT_SCOPES if s in self.scopes]
        return " ".join(dict.fromkeys(asked)) if asked and set(asked) <= set(self.scopes) else None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == METHOD

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


@dataclass(frozen=True, slots=True)
class Terms:
    """What binds the token that is asked for, beside who asks."""

    issuer: str
    resource: str
    jkt: str
    seconds: int
    now: datetime


class FormRequest(OAuth2Request):
    """A request as Authlib sees it: its address is ours by the settings, never by Host (3.4, 13)."""

    def __init__(self, uri: str, form: Mapping[str, str]) -> None:
        super().__init__("POST", uri)
        self._form = dict(form)
        self.payload = _Form(self._form)

    @property
    def form(self) -> dict[str, str]:
        return self._form


class _Form(OAuth2Payload):
    def __init__(self, form: dict[str, str]) -> None:
        self._data = form

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> dict[str, list[Any]]:
        return {name: [value] for name, value in self._data.items()}


def _client_error(description: str) -> InvalidClientError:
    return InvalidClientError(description=description)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion that is right in all but its signature, which only the program's own key can tell."""

    text: str = field(repr=False)
    kid: str
    alg: str
    client_id: str
    once: Once


def open_assertion(form: Mapping[str, str], issuer: str, now: float) -> Assertion:
    """Everything about an assertion that can be told without a signature and without the database; raises
    InvalidClientError with what is wrong."""
    if form.get("client_assertion_type") != jose.ASSERTION_TYPE or not form.get("client_assertion"):
        raise _client_error("Authenticate with a client assertion (private_key_jwt).")
    try:
        header, payload = jose.parts(form["client_assertion"])
        kid, alg = _check_header(header)
        client_id, used = _check_claims(jose.members(payload), issuer, now)
    except jose.Malformed as problem:
        raise _client_error(str(problem)) from None
    if form.get("client_id", client_id) != client_id:
        raise _client_error("client_id and the assertion name different programs.")
    return Assertion(form["client_assertion"], kid, alg, client_id, used)


def _check_header(header: Mapping[str, Any]) -> tuple[str, str]:
    if jose.media_type(header) not in ASSERTION_TYPES:
        raise jose.Malformed("The assertion is a token of another type.")
    return jose.identifier(header, "kid", "assertion"), jose.accepted_algorithm(header)


def _check_claims(claims: Mapping[str, Any], issuer: str, now: float) -> tuple[str, Once]:
    client_id = claims.get("sub")
    if not isinstance(client_id, str) or not CLIENT_ID.fullmatch(client_id) or claims.get("iss") != client_id:
        raise jose.Malformed("iss and sub must both be the client_id.")
    if claims.get("aud") != issuer:
        raise jose.Malformed("aud must be the issuer of this server, as a single text.")
    issued, ends = jose.seconds(claims, "iat"), jose.seconds(claims, "exp")
    starts = jose.seconds(claims, "nbf") if "nbf" in claims else issued
    if max(issued, starts) > now + AHEAD:
        raise jose.Malformed("The assertion is from the future: check the clock.")
    if ends <= now:
        raise jose.Malformed("The assertion has expired: make a new one for each request.")
    if ends - min(issued, now) > LONGEST_LIFE:
        raise jose.Malformed("The assertion lives longer than 120 seconds.")
    jti = jose.identifier(claims, "jti", "assertion")
    return client_id, once("assertion", client_id, jti, ends + AHEAD, LONGEST_LIFE + AHEAD)


def _keys_of(program: Program) -> Mapping[str, jose.PublicKey]:
    name = digest(json.dumps(program.jwks, sort_keys=True).encode())
    known = _key_sets.get(name)
    if known is None:
        known = jose.key_set(program.jwks)
        _key_sets.put(name, known)
    return known


class ClientAssertion(JWTBearerClientAssertion):
    """private_key_jwt, with what RFC 10070 asks: closes 1 to 4, 12 and 20 of federation.md 3.4."""

    CLIENT_AUTH_METHOD = METHOD  # type: ignore[misc]  # final in the stubs, meant to be set in the source

    def __init__(self, assertion: Assertion) -> None:
        super().__init__()
        self._assertion = assertion
        self.used: Once | None = None  # to be written down before anything is handed out

    def __call__(self, query_client: Any, request: OAuth2Request) -> Program:
        assertion = self._assertion
        program: Program | None = query_client(assertion.client_id)
        if program is None:
            raise _client_error("The program is unknown, or may not get tokens now.")
        try:
            self._check_signature(program)
        except jose.Malformed as problem:
            raise _client_error(str(problem)) from None
        self.used = assertion.once
        request.client = program
        return program

    def _check_signature(self, program: Program) -> None:
        key = _keys_of(program).get(self._assertion.kid)
        if key is None:
            raise jose.Malformed("The assertion names a key that this program does not have.")
        jose.verify(self._assertion.text, key)


class ProgramGrant(ClientCredentialsGrant):
    """client_credentials with our one method, and without Authlib's debug line that holds the token (3.4,
    12)."""

    TOKEN_ENDPOINT_AUTH_METHODS = [METHOD]

    def create_token_response(self) -> tuple[int, Any, Any]:
        scope = self.request.payload.scope if self.request.payload else None
        token = self.generate_token(scope=scope, include_refresh_token=False)
        return 200, token, self.TOKEN_RESPONSE_HEADER


class AccessTokens(JWTBearerTokenGenerator):
    """RFC 9068 tokens bound to a key: closes 3, 5, 6, 7 and 14 of federation.md 3.4."""

    def __init__(self, terms: Terms, key: RingKey) -> None:
        super().__init__(terms.issuer, alg=jose.SIGNING_ALGORITHM, expires_generator=lambda *_: terms.seconds)
        self._terms = terms
        self._key = key
        self.claims: dict[str, Any] = {}

    def generate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super().generate(*args, **kwargs), "token_type": "DPoP"}

    def get_audiences(self, client: Any, user: Any, scope: Any) -> str:
        return self._terms.resource

    def get_jti(self, client: Any, grant_type: Any, user: Any, scope: Any) -> str:
        return str(new_id())

    def get_extra_claims(self, client: Program, grant_type: Any, user: Any, scope: Any) -> dict[str, Any]:
        return {
            "member": entity_id(self._terms.issuer, client.city_slug),
            "city": str(client.organisation_id),
            "locale": client.locale,
            "epoch": client.epoch,
            **({"documents": "registered"} if client.documents_only else {}),
        }

    def access_token_generator(  # type: ignore[override]  # the stubs see a protocol where the source has a method
        self, client: Any, grant_type: Any, user: Any, scope: Any
    ) -> str:
        self.claims = {
            **base_claims(self._terms, self.get_jti(client, grant_type, user, scope)),
            "sub": client.get_client_id(),
            "client_id": client.get_client_id(),
            "scope": scope,
            **self.get_extra_claims(client, grant_type, user, scope),
        }
        return sign_token(self.claims, self._key)


class TokenServer(AuthorizationServer):
    """Authlib's server for one request: knows one program; `tokens.claims` is what the caller writes down."""

    def __init__(self, terms: Terms, assertion: Assertion, program: Program | None, key: RingKey) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self._program = program
        self.assertion = ClientAssertion(assertion)
        self.tokens = AccessTokens(terms, key)
        self.register_client_auth_method(METHOD, self.assertion)
        self.register_grant(ProgramGrant)
        self.register_token_generator("default", self.tokens)

    def query_client(self, client_id: str) -> Any:
        return self._program if self._program and self._program.client_id == client_id else None

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        return request  # type: ignore[no-any-return]  # it is made where the form is read

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, dict[str, Any]]:
        return status, dict(body)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""


def core_answer(server: TokenServer, request: FormRequest) -> tuple[int, dict[str, Any]]:
    """Run Authlib's token endpoint. It builds some descriptions from what was sent, and raises on characters
    that RFC 6749 forbids there (3.4, 1 and 2): those become a plain invalid_request, and no description is
    echoed."""
    try:
        status, body = server.create_token_response(request)  # type: ignore[misc]  # handle_response says what comes
    except (ValueError, RecursionError):
        return 400, _plain(InvalidRequestError("The request cannot be read."))
    return status, body


def _plain(error: OAuth2Error) -> dict[str, Any]:
    return dict(error.get_body())


def entity_id(issuer: str, slug: str) -> str:
    """The entity identifier of a member that the hub hosts (federation.md 1.4)."""
    return f"{issuer}/e/{slug}"


def base_claims(terms: Terms, jti: str) -> dict[str, Any]:
    """The claims that every access token has (RFC 9068 section 2.2, RFC 9449 section 6.1)."""
    issued = int(terms.now.timestamp())
    return {
        "iss": terms.issuer,
        "aud": terms.resource,
        "iat": issued,
        "nbf": issued,
        "exp": issued + terms.seconds,
        "jti": jti,
        "cnf": {"jkt": terms.jkt},
    }


def sign_token(claims: Mapping[str, Any], key: RingKey) -> str:
    """An access token: exactly one key signs, and its kid is said (3.4, 7)."""
    if key.private is None:
        raise LookupError("the signing key is not on this machine")
    return jose.sign({"typ": "at+jwt", "kid": key.kid}, claims, key.private)
