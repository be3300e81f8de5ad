"""Organisations for tests, written as they stand in the register: a city has its profile beside it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from members.register import places
from members.register.models import City, Organisation, OrganisationKind, Region
from members.register.organisations import names_of

PROFILE = {"subdivision": None, "latitude": 1, "longitude": 1, "population": 1, "time_zone": "Asia/Seoul"}


async def make_organisation(
    db: AsyncSession, slug: str, kind: OrganisationKind = OrganisationKind.COMPANY, **facts: Any
) -> Organisation:
    """An organisation with an English name; `facts` are columns of it or, of a city, of its profile."""
    common = {
        "kind": kind, "slug": slug, "sort_name": slug, "endonym_locale": "en", "country": "KR",
        "region": Region.EAST_ASIA, "languages": ["ko"],
    }  # fmt: skip
    names = facts.pop("names", {"en": slug.title()})
    profile = {name: facts.pop(name, value) for name, value in PROFILE.items()}
    organisation = Organisation(**{**common, **facts})
    db.add(organisation)
    await db.flush()
    db.add_all(names_of(organisation.id, names))
    await places.write(db, organisation.id, names)
    if kind is OrganisationKind.CITY:
        db.add(City(id=organisation.id, **profile))
    await db.flush()
    return organisation


async def make_registered_city(db: AsyncSession, slug: str, **facts: Any) -> Organisation:
    return await make_organisation(db, slug, OrganisationKind.CITY, **facts)
