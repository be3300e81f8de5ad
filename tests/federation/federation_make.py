"""Builders for the tests of programs and tokens: a hub without a server, cities, programs, and forged requests."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from register_make import make_registered_city
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from federation.jose import jose
from federation.jose.keys import KeyRing, open_keys
from federation.jose.proofs import TokenError
from federation.oauth import clients
from federation.oauth.gate import admit, gate_of
from federation.oauth.routes import routes
from federation.oauth.verifier import Credential, Verifier, challenge
from members.people.models import Person, RoleGrant
from members.register.models import Membership, MembershipKind, MembershipStatus, Organisation
from wego.core.access import Role, system
from wego.core.db import Database, Session, raw
from wego.core.settings import Settings

ISSUER = "https://hub.example"
TOKEN_URL = f"{ISSUER}/oauth/token"
RESOURCE = f"{ISSUER}/graphql"
SCOPES = ("graphql:query", "graphql:mutate", "catalog:read")


@dataclass
class Hub:
    settings: Settings
    database: Database
    keys: KeyRing


@dataclass
class Station:
    """A hub with its endpoints, and a protected resource that does what the read's statement does."""

    hub: Hub
    http: httpx2.AsyncClient
    verifier: Verifier

    async def close(self) -> None:
        await self.http.aclose()
        await self.hub.keys.close()

    async def state(self) -> list[Any]:
        """A fingerprint of everything that an attack must not change."""
        tables = ("oauth_token", "oauth_replay", "oauth_client", "oauth_key", "audit_entry", "access_epoch")
        asked = " UNION ALL ".join(
            f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table} t" for table in tables
        )
        async with self.hub.database.session() as db:
            return list((await db.execute(text(asked))).scalars())


async def make_station(database: Database, home: Path, **settings: Any) -> Station:
    knobs = Settings(home=home, public_url=ISSUER, **settings)
    hub = Hub(knobs, database, await open_keys(knobs, database, watch=False))
    verifier = Verifier(knobs, hub.keys)
    app = Starlette(routes=[*routes(hub), Route("/graphql", _resource(hub, verifier), methods=["POST", "GET"])])
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ISSUER)
    return Station(hub, http, verifier)


def _resource(hub: Hub, verifier: Verifier) -> Any:
    async def graphql(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        try:
            credential = verifier.authenticate(request.scope["headers"], request.method, RESOURCE + query)
            if credential is None:
                return JSONResponse({"actor": "anonymous"})
            return JSONResponse({"actor": await _gate(hub, credential)})
        except TokenError as problem:
            headers = {"WWW-Authenticate": challenge(hub.settings, problem)}
            return JSONResponse({"error": problem.error}, problem.status, headers)

    return graphql


async def _gate(hub: Hub, credential: Credential) -> str:
    """What the one statement of a read asks besides its data."""
    gate = gate_of(credential)
    places = [f"${number + 1}" for number in range(len(gate.values))]
    sql = f"with {gate.ctes.format(*places)} select {gate.columns.format(*places)}"
    async with hub.database.session() as db:
        await db.execute(text("SELECT 1"))  # begins the transaction, so that an attack that is refused leaves nothing
        said = await (await raw(db)).fetchrow(sql, *gate.values)
        return str((await admit(hub.database, credential, said)).subject)


async def column(station: Station, sql: str, **values: Any) -> list[Any]:
    async with station.hub.database.session() as db:
        return list((await db.execute(text(sql), values)).scalars())


def credential_of(station: Station, caller: Caller, token: str) -> Credential:
    sent = {b"authorization": f"DPoP {token}".encode(), b"dpop": caller.proof(RESOURCE, token).encode()}
    credential = station.verifier.authenticate(sent.items(), "POST", RESOURCE)
    assert credential is not None
    return credential


async def make_city(
    db: Session, slug: str, status: MembershipStatus = MembershipStatus.FULL, since: datetime | None = None
) -> Organisation:
    city = await make_registered_city(db, slug, endonym_locale="ko")
    at = since or datetime.now(UTC) - timedelta(days=1)
    held = MembershipStatus.FULL if status is MembershipStatus.SUSPENDED else None
    ends = at.date() if status is MembershipStatus.RESIGNING else None
    standing = {"kind": MembershipKind.CITY, "status": status, "before_hold": held, "ends_on": ends}
    db.add(Membership(organisation_id=city.id, since=at, not_before=at, **standing))
    await db.flush()
    return city


async def make_person(db: Session, email: str, *posts: tuple[Role, UUID | None]) -> Person:
    person = Person(email=email, name="by role")
    db.add(person)
    await db.flush()
    for role, city_id in posts:
        db.add(RoleGrant(person_id=person.id, role=role, organisation_id=city_id))
    await db.flush()
    return person


def forged(header: dict[str, Any], claims: Any, key: jose.PublicKey | None = None, signature: bytes = b"x" * 64) -> str:
    """A token of any header and claims; signed when there is a key, whatever the header says."""
    head = jose.encode64(json.dumps(header).encode())
    body = jose.encode64(claims if isinstance(claims, bytes) else json.dumps(claims).encode())
    if key is not None:
        algorithm = jose.jws.JWSRegistry.algorithms["ES256" if isinstance(key, jose.ECKey) else "Ed25519"]
        signature = algorithm.sign(f"{head}.{body}".encode(), key)
    return f"{head}.{body}.{jose.encode64(signature)}"


def unique() -> str:
    return secrets.token_hex(12)


@dataclass
class Caller:
    """A program with its keys, and what it sends when it means well; every part can be replaced."""

    client_id: str
    key: jose.PublicKey
    kid: str
    city_id: UUID
    row: UUID
    dpop: jose.PublicKey = field(default_factory=jose.new_key)

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        usual = {
            "iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": unique(),
        }  # fmt: skip
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def header(self, **changed: Any) -> dict[str, Any]:
        alg = "ES256" if isinstance(self.key, jose.ECKey) else "Ed25519"
        usual = {"alg": alg, "typ": "client-authentication+jwt", "kid": self.kid}
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def assertion(self, key: jose.PublicKey | None = None, header: Any = None, **claims: Any) -> str:
        return forged(self.header(**(header or {})), self.claims(**claims), key or self.key)

    def form(self, **changed: Any) -> dict[str, Any]:
        usual = {
            "grant_type": "client_credentials", "client_assertion_type": jose.ASSERTION_TYPE,
            "client_assertion": self.assertion(), "resource": RESOURCE,
        }  # fmt: skip
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def proof(
        self, url: str = TOKEN_URL, token: str | None = None, *, method: str = "POST",
        key: jose.PublicKey | None = None, header: Any = None, **changed: Any,
    ) -> str:  # fmt: skip
        own = key or self.dpop
        alg = "ES256" if isinstance(own, jose.ECKey) else "Ed25519"
        head = {"typ": "dpop+jwt", "alg": alg, "jwk": jose.public_jwk(own), **(header or {})}
        claims = {"jti": unique(), "htm": method, "htu": url, "iat": int(time.time()), **changed}
        if token is not None and "ath" not in changed:
            claims["ath"] = jose.encode64(hashlib.sha256(token.encode()).digest())
        kept = {name: value for name, value in claims.items() if value is not None}
        return forged({name: value for name, value in head.items() if value is not None}, kept, own)

    async def get(self, station: Station, **form: Any) -> httpx2.Response:
        return await station.http.post("/oauth/token", data=self.form(**form), headers={"DPoP": self.proof()})

    async def token(self, station: Station, **form: Any) -> str:
        answer = await self.get(station, **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def read(self, station: Station, token: str, **proof: Any) -> httpx2.Response:
        headers = {"Authorization": f"DPoP {token}", "DPoP": self.proof(RESOURCE, token, **proof)}
        return await station.http.post("/graphql", headers=headers)


async def make_program(
    station: Station, city: Organisation, key: jose.PublicKey | None = None, scopes: tuple[str, ...] = SCOPES
) -> Caller:
    own = key or jose.new_key()
    kid = own.thumbprint()
    jwks = {"keys": [jose.public_jwk(own, kid=kid)]}
    async with station.hub.database.session() as db:
        client = await clients.register_client(db, system("test"), city, "A program", jwks, scopes=scopes)
    return Caller(client.client_id, own, kid, city.id, client.id)


async def make_caller(station: Station, slug: str, status: MembershipStatus = MembershipStatus.FULL) -> Caller:
    async with station.hub.database.session() as db:
        city = await make_city(db, slug, status)
    return await make_program(station, city)
