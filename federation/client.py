"""A program's side, for developers of cities: a token by one's own key, and requests with proofs.

Binding texts: RFC 7523 in the form of RFC 10070, RFC 9449. Uses only httpx2 and joserfc.

    hub = HubClient.from_file(Path("seoul.json"))
    with httpx2.Client(auth=hub.auth("graphql:query")) as http:
        http.post(hub.resource, json={"query": "{ viewer { id } }"})
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import httpx2

from federation.jose import jose


class HubError(Exception):
    """The hub refused, or did not answer as a hub; the message says what to do."""


def proof(key: jose.PublicKey, method: str, url: str, access_token: str | None = None) -> str:
    """A DPoP proof for one request."""
    claims: dict[str, Any] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url.partition("?")[0].partition("#")[0],
        "iat": int(time.time()),
    }
    if access_token is not None:
        claims["ath"] = jose.token_hash(access_token)
    return jose.sign({"typ": "dpop+jwt", "jwk": jose.public_jwk(key)}, claims, key)


def assertion(key: jose.PublicKey, kid: str, client_id: str, issuer: str) -> str:
    """A client assertion for one request: good for a minute, for this issuer only."""
    issued = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "iat": issued,
        "exp": issued + 60,
        "jti": secrets.token_urlsafe(16),
    }
    return jose.sign({"typ": "client-authentication+jwt", "kid": kid}, claims, key)


class DPoP(httpx2.Auth):
    """Sends a token with a fresh proof; gets a new token shortly before the old one ends."""

    def __init__(self, key: jose.PublicKey, token: str, hub: HubClient | None = None, scope: str = "") -> None:
        self.key, self._token, self._hub, self._scope = key, token, hub, scope
        self._until = float("inf") if hub is None else 0.0

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        if self._hub is not None and time.monotonic() > self._until:
            answer = self._hub.token(self._scope, key=self.key)
            self._token, self._until = answer["access_token"], time.monotonic() + answer["expires_in"] - 30
        request.headers["Authorization"] = f"DPoP {self._token}"
        request.headers["DPoP"] = proof(self.key, request.method, str(request.url), self._token)
        yield request


class HubClient:
    """A registered program: its identifier, its private key, and the hub it belongs to."""

    def __init__(self, registration: Mapping[str, Any], *, transport: httpx2.BaseTransport | None = None) -> None:
        try:
            self.issuer = str(registration["issuer"]).rstrip("/")
            self.client_id = str(registration["client_id"])
            self.resource = str(registration.get("resource") or f"{self.issuer}/graphql")
            self.scope = str(registration.get("scope") or "")
            self._key = jose.private_key(registration["jwk"])
            self._kid = str(registration["jwk"].get("kid") or self._key.thumbprint())
        except (KeyError, TypeError, AttributeError, jose.Malformed):
            raise HubError("The client file needs issuer, client_id and a private jwk.") from None
        self._transport = transport
        self._endpoint = ""

    @classmethod
    def from_file(cls, path: Path) -> HubClient:
        try:
            return cls(json.loads(path.read_text("utf-8")))
        except OSError as problem:
            raise HubError(f"The client file {path} cannot be read: {problem.strerror}.") from None
        except ValueError:
            raise HubError(f"The client file {path} is not JSON.") from None

    def auth(self, scope: str = "") -> DPoP:
        """Authentication for an httpx2 client: token and proofs by themselves."""
        return DPoP(jose.new_key(), "", self, scope)

    def token(self, scope: str = "", resource: str = "", *, key: jose.PublicKey | None = None) -> dict[str, Any]:
        """Ask for a token bound to `key` (a fresh one when not given), which comes back as `dpop_jwk`."""
        own = key or jose.new_key()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": jose.ASSERTION_TYPE,
            "client_assertion": assertion(self._key, self._kid, self.client_id, self.issuer),
            "resource": resource or self.resource,
            **({"scope": scope} if scope else {}),
        }
        with httpx2.Client(transport=self._transport, timeout=10.0) as http:
            endpoint = self._endpoint = self._endpoint or self._discovered(http)
            answer = _answer(http.post(endpoint, data=form, headers={"DPoP": proof(own, "POST", endpoint)}))
        return {**answer, "dpop_jwk": jose.private_jwk(own)}

    def _discovered(self, http: httpx2.Client) -> str:
        said = _answer(http.get(f"{self.issuer}/.well-known/oauth-authorization-server"))
        endpoint = str(said.get("token_endpoint", ""))
        if said.get("issuer") != self.issuer or not endpoint.startswith(f"{self.issuer}/"):
            raise HubError(f"{self.issuer} is another issuer: check `issuer` in the client file.")
        return endpoint


def _answer(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HubError(f"{response.url} answered {response.status_code} without JSON: is it a WeGO hub?")
    if response.status_code != 200:
        raise HubError(f"{body.get('error', response.status_code)}: {body.get('error_description', '')}")
    return body
