"""From what an input names to the key of a row: a thing is named by its global id, an organisation by its slug as well.

A city is an organisation: it is named by `city` or by `organisation`, by the id of either kind.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from members.register.models import Organisation
from wego.core import reads
from wego.core.access import Actor
from wego.core.db import Session
from wego.core.errors import Invalid, NotFound, NotSignedIn
from wego.core.ids import parse_global_id

_KINDS = ("City", "Organisation")


def key_of(given: str, kind: str, *path: str | int) -> UUID:
    """The key in a global id of this kind of thing; NOT_FOUND for any other text."""
    parsed = parse_global_id(given)
    if parsed is None or parsed[0] != kind:
        raise _unknown(*path)
    return parsed[1]


async def named(db: Session, actor: Actor, organisation: str | None, city: str | None) -> UUID:
    """The key of the one organisation that an input names, as any of them or as a city."""
    if (organisation is None) is (city is None):
        raise Invalid("Name one organisation: by `organisation`, or a city by `city`.", path=("input",))
    if organisation is not None:
        return await organisation_of(db, actor, organisation, "input", "organisation")
    return await organisation_of(db, actor, city or "", "input", "city")


async def organisation_of(db: Session, actor: Actor, given: str, *path: str | int) -> UUID:
    """The key of an organisation that the actor may know, by its id or its slug."""
    if not actor.signed_in:
        raise NotSignedIn("Sign in first: this needs a token.")
    parsed = parse_global_id(given)
    if parsed is not None:
        key: UUID | None = parsed[1] if parsed[0] in _KINDS else None
    else:
        slug = given if given.isascii() and "\x00" not in given else ""
        query = select(col(Organisation.id)).where(col(Organisation.slug) == slug)
        key = (await db.execute(query)).scalar_one_or_none()
    if key is None:
        raise _unknown(*path)
    try:
        return (await reads.locate(db, actor, Organisation, key)).id
    except NotFound:
        raise _unknown(*path) from None


def _unknown(*path: str | int) -> NotFound:
    return NotFound("There is nothing of this name, or you may not see it.", path=path)
