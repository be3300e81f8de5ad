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
from members.register import cities, organisations
from members.register.models import (
    Membership,
    MembershipStatus,
    MembershipStep,
    Organisation,
    OrganisationKind,
    OrganisationName,
)
from wego.core import access
from wego.core.access import Actor, Permission
from wego.core.db import Session

Row = dict[str, Any]


async def members(
    db: Session, actor: Actor, *, statuses: Sequence[MembershipStatus] = (), country: str = ""
) -> list[Row]:
    """The organisations with their membership, by slug."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    its_name = (col(OrganisationName.organisation_id) == col(Organisation.id)) & (col(OrganisationName.locale) == "en")
    query = (
        select(Organisation, Membership, col(OrganisationName.name))
        .outerjoin(Membership, col(Membership.organisation_id) == col(Organisation.id))
        .outerjoin(OrganisationName, its_name)
        .order_by(col(Organisation.slug))
    )
    if statuses:
        query = query.where(col(Membership.status).in_(statuses))
    if country:
        query = query.where(col(Organisation.country) == country)
    return [_member(row, membership, name) for row, membership, name in (await db.execute(query)).all()]


def _member(row: Organisation, membership: Membership | None, name: str) -> Row:
    return {
        "organisation": row.slug,
        "kind": row.kind,
        "name": name,
        "country": row.country,
        "status": membership.status if membership else None,
        "since": membership.since.date().isoformat() if membership else None,
        "ends_on": membership.ends_on.isoformat() if membership and membership.ends_on else None,
    }


async def organisation(db: Session, actor: Actor, slug: str) -> Row:
    """All that the register says of an organisation, its membership and its people."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    row = await organisations.by_slug(db, slug)
    facts = await organisations.facts_of(db, row)
    common = {
        **_member(row, await db.get(Membership, row.id), facts.names["en"]),
        "endonym": facts.names[facts.endonym_locale],
        "region": row.region,
        "languages": ", ".join(row.languages),
        "website": row.website,
        "people": len(await people(db, actor, row.id)),
    }
    return common | (await _profile(db, row) if row.kind is OrganisationKind.CITY else {})


async def _profile(db: Session, row: Organisation) -> Row:
    """What only a city has."""
    profile = await cities.profile_of(db, row.id)
    return {
        "subdivision": profile.subdivision,
        "population": profile.population,
        "latitude": profile.latitude,
        "longitude": profile.longitude,
        "time_zone": profile.time_zone,
    }


async def timeline(db: Session, actor: Actor, slug: str) -> list[Row]:
    """The steps of a membership, oldest first."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    found = await organisations.by_slug(db, slug)
    query = (
        select(MembershipStep)
        .where(col(MembershipStep.organisation_id) == found.id)
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
                "organisation": place.slug,
                "kind": application.kind,
                "status": application.status,
                "begun": application.created_at.date().isoformat(),
                "submitted": application.submitted_at.date().isoformat() if application.submitted_at else None,
                "missing": lacking,
                "id": str(application.id),
            }
        )
    return rows


async def people(db: Session, actor: Actor, key: UUID | None) -> list[Row]:
    """The people of a city, or of the secretariat, with their roles."""
    access.require(actor, Permission.PERSON_READ)
    query = (
        select(Person, RoleGrant)
        .join(RoleGrant, col(RoleGrant.person_id) == col(Person.id))
        .where(col(RoleGrant.revoked_at).is_(None), col(RoleGrant.organisation_id).is_not_distinct_from(key))
        .order_by(col(RoleGrant.role), col(Person.email))
    )
    return [
        {"role": grant.role, "email": person.email, "name": person.name, "id": str(person.id)}
        for person, grant in (await db.execute(query)).all()
    ]
