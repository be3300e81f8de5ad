"""Members, applications and timelines as plain rows, for the command line and reports of the secretariat.

What the world may see goes through the read engine (`members/graphql`); this is for who may read all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from members.membership import applications
from members.membership.states import PENDING
from members.people.models import Person, RoleGrant
from members.register import cities
from members.register.models import City, CityName, Membership, MembershipStatus, MembershipStep
from wego.core import access
from wego.core.access import Actor, Permission
from wego.core.db import Session

Row = dict[str, Any]


async def members(
    db: Session, actor: Actor, *, statuses: Sequence[MembershipStatus] = (), country: str = ""
) -> list[Row]:
    """The cities with their membership, by slug."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    query = (
        select(City, Membership, col(CityName.name))
        .outerjoin(Membership, col(Membership.city_id) == col(City.id))
        .outerjoin(CityName, (col(CityName.city_id) == col(City.id)) & (col(CityName.locale) == "en"))
        .order_by(col(City.slug))
    )
    if statuses:
        query = query.where(col(Membership.status).in_(statuses))
    if country:
        query = query.where(col(City.country) == country)
    return [_member(city, membership, name) for city, membership, name in (await db.execute(query)).all()]


def _member(city: City, membership: Membership | None, name: str) -> Row:
    return {
        "city": city.slug,
        "name": name,
        "country": city.country,
        "kind": membership.kind if membership else None,
        "status": membership.status if membership else None,
        "since": membership.since.date().isoformat() if membership else None,
        "ends_on": membership.ends_on.isoformat() if membership and membership.ends_on else None,
    }


async def city(db: Session, actor: Actor, slug: str) -> Row:
    """All that the register says of a city, its membership and its people."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    found = await cities.by_slug(db, slug)
    facts = await cities.facts_of(db, found)
    membership = await db.get(Membership, found.id)
    return {
        **_member(found, membership, facts.names["en"]),
        "endonym": facts.names[facts.endonym_locale],
        "subdivision": found.subdivision,
        "region": found.region,
        "population": found.population,
        "languages": ", ".join(found.languages),
        "time_zone": found.time_zone,
        "website": found.website,
        "people": len(await people(db, actor, found.id)),
    }


async def timeline(db: Session, actor: Actor, slug: str) -> list[Row]:
    """The steps of a membership, oldest first."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    found = await cities.by_slug(db, slug)
    query = (
        select(MembershipStep)
        .where(col(MembershipStep.city_id) == found.id)
        .order_by(col(MembershipStep.at), col(MembershipStep.id))
    )
    return [
        {
            "at": step.at.isoformat(timespec="seconds"),
            "from": step.from_status,
            "to": step.to_status,
            "body": step.body,
            "actor": step.actor,
            "reason": step.reason,
            "reference": step.reference,
        }
        for step in (await db.execute(query)).scalars()
    ]


async def pending(db: Session, actor: Actor, statuses: Sequence[MembershipStatus] = ()) -> list[Row]:
    """The applications, the longest waiting first, with what each still lacks."""
    rows = []
    for application, place in await applications.listed(db, actor, tuple(statuses) or tuple(PENDING)):
        checks = await applications.completeness(db, application)
        lacking = [check.key for check in checks if check.required and not check.present]
        rows.append(
            {
                "city": place.slug,
                "kind": application.kind,
                "status": application.status,
                "begun": application.created_at.date().isoformat(),
                "submitted": application.submitted_at.date().isoformat() if application.submitted_at else None,
                "missing": lacking,
                "id": str(application.id),
            }
        )
    return rows


async def people(db: Session, actor: Actor, city_id: UUID | None) -> list[Row]:
    """The people of a city, or of the secretariat, with their roles."""
    access.require(actor, Permission.PERSON_READ)
    query = (
        select(Person, RoleGrant)
        .join(RoleGrant, col(RoleGrant.person_id) == col(Person.id))
        .where(col(RoleGrant.revoked_at).is_(None), col(RoleGrant.city_id).is_not_distinct_from(city_id))
        .order_by(col(RoleGrant.role), col(Person.email))
    )
    return [
        {"role": grant.role, "email": person.email, "name": person.name, "id": str(person.id)}
        for person, grant in (await db.execute(query)).all()
    ]
