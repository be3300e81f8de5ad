"""Demonstration programs: one for each of eight member cities, with a key file for whoever tries them.

The file `<home>/demo/clients/<city-slug>.json` is what a city's developer would keep: issuer, client_id, the
private key, and the resource to ask for. A second run changes nothing but an issuer that moved; a file that
was lost gets a new program, and the old one is revoked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from federation.jose import jose
from federation.jose.keys import write_private
from federation.oauth import clients
from federation.oauth.models import OAuthClient
from members.register.models import Organisation
from wego.core.access import SCOPES, Means, system
from wego.core.db import Session
from wego.core.errors import Invalid

CITIES = ("seoul", "barcelona", "chengdu", "takamatsu", "seongnam", "ulyanovsk", "moscow", "nairobi")
NAME = "Demonstration program"
SCOPES_OF_DEMO = tuple(scope for scope in SCOPES if scope != "audit:read")


async def seed(db: Session, home: Path, issuer: str) -> list[Path]:
    """Register the programs and write their files; cities that are not there are left out. The caller
    commits."""
    cities = (await db.execute(select(Organisation).where(col(Organisation.slug).in_(CITIES)))).scalars().all()
    written = []
    for city in sorted(cities, key=lambda found: CITIES.index(found.slug)):
        path = home / "demo" / "clients" / f"{city.slug}.json"
        await _seed_one(db, city, path, issuer)
        written.append(path)
    return written


async def _seed_one(db: Session, city: Organisation, path: Path, issuer: str) -> None:
    known = (
        await db.execute(
            select(OAuthClient).where(
                col(OAuthClient.organisation_id) == city.id,
                col(OAuthClient.name) == NAME,
                col(OAuthClient.revoked_at).is_(None),
            )
        )
    ).scalars()
    kept = _read(path)
    matching = None
    for client in known:
        if kept and client.client_id == kept.get("client_id") and client.jwks == _public(kept):
            matching = client
        else:
            await clients.revoke_client(db, system("seed", Means.TERMINAL), client.id)
    if matching is None or kept is None:
        key = jose.new_key()
        jwks = {"keys": [jose.public_jwk(key, kid=key.thumbprint())]}
        matching = await clients.register_client(
            db, system("seed", Means.TERMINAL), city, NAME, jwks, scopes=SCOPES_OF_DEMO
        )
        kept = {"jwk": clients.private(key)}
    wanted = clients.key_file(matching, kept["jwk"], issuer)
    if kept != wanted or _open_to_others(path):
        write_private(path, wanted)


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        kept = json.loads(path.read_text("utf-8"))
        jose.private_key(kept["jwk"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return kept if isinstance(kept, dict) else None


def _public(kept: dict[str, Any]) -> dict[str, Any]:
    try:
        public = {name: value for name, value in kept["jwk"].items() if name not in {"d", "alg"}}
        return clients.checked_jwks({"keys": [public]})
    except Invalid:  # then it is not the file that was written here
        return {}
