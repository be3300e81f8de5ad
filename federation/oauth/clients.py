"""Programs of cities: registered with their public keys by who may give roles in the city, and revoked.

Binding texts: RFC 7591 section 2 for the vocabulary, federation.md 5.4 for the scopes. A program is a role of
its city, so whoever assigns roles there registers it. It has no secret: only the public half of its key is
known here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from federation.jose import jose
from federation.oauth.models import OAuthClient
from federation.oauth.server import DEFAULT_SCOPES
from members.people.people import touch_access
from members.register.models import Organisation
from wego.core import access, audit
from wego.core.access import SCOPES, Actor, Permission
from wego.core.audit import Event, Subject
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotFound

__all__ = ["DEFAULT_SCOPES", "by_client_id", "key_file", "listed", "private", "register_client", "revoke_client"]

MOST_KEYS = 8
LONGEST_TITLE = 120


async def register_client(
    db: Session,
    actor: Actor,
    city: Organisation,
    name: str,
    jwks: Mapping[str, Any],
    *,
    scopes: Iterable[str] = DEFAULT_SCOPES,
) -> OAuthClient:
    """Register a program of a city: what it is called, its public keys, and the scopes it may ask for."""
    access.require(actor, Permission.ROLE_ASSIGN, city.id)
    client = OAuthClient(
        client_id=f"{city.slug}-{secrets.token_hex(6)}",
        organisation_id=city.id,
        name=_checked_name(name),
        jwks=checked_jwks(jwks),
        scopes=_checked_scopes(scopes),
    )
    db.add(client)
    await db.flush()
    await audit.record(
        db, actor, Event.CLIENT_REGISTERED, Subject.CLIENT, client.id, place=city.id, under=Permission.ROLE_ASSIGN,
        client=client.client_id, scopes=client.scopes,
    )  # fmt: skip
    return client


async def by_client_id(db: Session, client_id: str) -> OAuthClient:
    """The program of a client_id, revoked or not."""
    client = (await db.execute(select(OAuthClient).where(col(OAuthClient.client_id) == client_id))).scalar_one_or_none()
    if client is None:
        raise NotFound("No such program is registered.")
    return client


async def listed(db: Session, actor: Actor, organisation_id: UUID | None = None) -> list[dict[str, Any]]:
    """The programs of a city, or of all, the newest first: facts, and no keys."""
    access.require(actor, Permission.ROLE_ASSIGN, organisation_id)
    query = select(OAuthClient, col(Organisation.slug)).join(
        Organisation, col(Organisation.id) == col(OAuthClient.organisation_id)
    )
    if organisation_id is not None:
        query = query.where(col(OAuthClient.organisation_id) == organisation_id)
    rows = await db.execute(query.order_by(col(OAuthClient.id).desc()))
    return [
        {
            "client_id": client.client_id, "city": slug, "name": client.name, "scope": " ".join(client.scopes),
            "revoked_at": client.revoked_at,
        }
        for client, slug in rows
    ]  # fmt: skip


def private(key: jose.PublicKey) -> dict[str, Any]:
    """The private key of a program, as its key file holds it."""
    return jose.private_jwk(key, kid=key.thumbprint(), use="sig", alg=jose.SIGNING_ALGORITHM)


def key_file(client: OAuthClient, jwk: Mapping[str, Any], issuer: str) -> dict[str, Any]:
    """What the developer of a program keeps: where to get tokens, with which private key, and for what."""
    return {
        "issuer": issuer, "client_id": client.client_id, "jwk": dict(jwk), "resource": f"{issuer}/graphql",
        "scope": " ".join(client.scopes),
    }  # fmt: skip


async def revoke_client(db: Session, actor: Actor, key: UUID, now: datetime | None = None) -> OAuthClient:
    """End a program: it gets no more tokens, and those that are out are refused from the next request on."""
    client = await db.get(OAuthClient, key, populate_existing=True, with_for_update=True)
    if client is None or not _may_see(actor, client.organisation_id):
        raise NotFound("No such program is registered.")
    access.require(actor, Permission.ROLE_ASSIGN, client.organisation_id)
    if client.revoked_at is not None:
        raise Conflict("The program has been revoked before.")
    client.revoked_at = now or datetime.now(UTC)
    await db.flush()
    await touch_access(db)
    await audit.record(
        db, actor, Event.CLIENT_REVOKED, Subject.CLIENT, client.id, place=client.organisation_id,
        under=Permission.ROLE_ASSIGN, client=client.client_id,
    )  # fmt: skip
    return client


def _may_see(actor: Actor, organisation_id: UUID) -> bool:
    return organisation_id in actor.place_ids or actor.may(Permission.ROLE_ASSIGN, organisation_id)


def _checked_name(name: str) -> str:
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= LONGEST_TITLE:
        raise Invalid("A name has 1 to {limit} characters.", path=("input", "name"), limit=LONGEST_TITLE)
    if any(not letter.isprintable() for letter in trimmed):
        raise Invalid("A name holds no control characters.", path=("input", "name"))
    return trimmed


def _checked_scopes(scopes: Iterable[str]) -> list[str]:
    asked = list(dict.fromkeys(scopes))
    if not asked or not set(asked) <= SCOPES.keys():
        known = ", ".join(sorted(SCOPES))
        raise Invalid("Choose scopes from these: {scopes}.", path=("input", "scopes"), scopes=known)
    return asked


def checked_jwks(jwks: Mapping[str, Any]) -> dict[str, Any]:
    """A JWK Set as it is kept: public signing keys, each with a kid of its own (its thumbprint when it has
    none)."""
    entries = jwks.get("keys")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_KEYS:
        raise Invalid("Send a JWK Set with 1 to {limit} keys.", path=("input", "jwks"), limit=MOST_KEYS)
    kept: dict[str, Any] = {}
    for place, entry in enumerate(entries):
        path = ("input", "jwks", "keys", place)
        try:
            key = jose.public_key(entry)
            kid = jose.name(entry.get("kid", key.thumbprint()))
        except jose.Malformed as problem:
            raise Invalid("This key cannot be used: {reason}", path=path, reason=str(problem)) from None
        if kid in kept:
            raise Invalid("Two keys have the same kid.", path=path)
        kept[kid] = jose.public_jwk(key, kid=kid, use="sig")
    return {"keys": list(kept.values())}
