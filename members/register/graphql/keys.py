"""From what an input names to the key of a row: a thing is named by its global id, a city by its slug as well."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from members.register import cities
from members.register.models import City
from wego.core.access import Actor
from wego.core.db import Session
from wego.core.errors import NotFound, NotSignedIn
from wego.core.ids import parse_global_id


def key_of(given: str, kind: str, *path: str | int) -> UUID:
    """The key in a global id of this kind of thing; NOT_FOUND for any other text."""
    parsed = parse_global_id(given)
    if parsed is None or parsed[0] != kind:
        raise _unknown(*path)
    return parsed[1]


async def city_of(db: Session, actor: Actor, given: str, *path: str | int) -> UUID:
    """The key of a city that the actor may know, by its id or its slug."""
    if not actor.signed_in:
        raise NotSignedIn("Sign in first: this needs a token.")
    path = path or ("input", "city")
    parsed = parse_global_id(given)
    if parsed is not None:
        city_id: UUID | None = parsed[1] if parsed[0] == "City" else None
    else:
        slug = given if given.isascii() and "\x00" not in given else ""
        city_id = (await db.execute(select(col(City.id)).where(col(City.slug) == slug))).scalar_one_or_none()
    if city_id is None:
        raise _unknown(*path)
    try:
        await cities.seen_by(db, actor, city_id)
    except NotFound:
        raise _unknown(*path) from None
    return city_id


def _unknown(*path: str | int) -> NotFound:
    return NotFound("There is nothing of this name, or you may not see it.", path=path)
