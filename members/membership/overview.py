"""Members, applications and timelines as plain rows, for the command line and reports of the secretariat.

What the world may see goes through the read engine (`members/graphql`); this is for who may read all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, select
from sqlmodel import col

from members.membership import applications
from members.membership.models import Application, ApplicationFile
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
from wego.core.errors import NotFound
from wego.core.ids import global_id
from wego.core.models import AuditEntry, AuditWord

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
    """The steps of a membership, oldest first, with who recorded each."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    found = await organisations.by_slug(db, slug)
    query = (
        select(MembershipStep)
        .where(col(MembershipStep.organisation_id) == found.id)
        .order_by(col(MembershipStep.at), col(MembershipStep.id))
    )
    steps = (await db.execute(query)).scalars().all()
    known = await _named(db, {step.actor for step in steps})
    return [
        {
            "at": step.at.isoformat(timespec="seconds"),
            "from": step.from_status,
            "to": step.to_status,
            "body": step.body,
            "actor": step.actor,
            "by": known.get(step.actor, step.actor),
            "reason": step.reason,
            "reference": step.reference,
        }
        for step in steps
    ]


async def _named(db: Session, actors: Collection[str]) -> dict[str, str]:
    """What the people among these actors are called, with their addresses."""
    keys = [actor for actor in actors if len(actor) == len(str(UUID(int=0)))]
    rows = (await db.execute(select(Person).where(cast(col(Person.id), String).in_(keys)))).scalars()
    return {str(person.id): f"{person.name} <{person.email}>" for person in rows}


async def history(db: Session, actor: Actor, slug: str, limit: int) -> list[Row]:
    """What the log tells of an organisation and of what its people did for it, in words, oldest first."""
    access.require(actor, Permission.AUDIT_READ)
    key = (await organisations.by_slug(db, slug)).id
    its = (col(AuditEntry.place_id) == key) | (col(AuditEntry.subject_id) == key)
    query = select(AuditEntry).where(its).order_by(col(AuditEntry.index).desc()).limit(limit)
    entries = list((await db.execute(query)).scalars())[::-1]
    of = select(AuditWord).where(col(AuditWord.entry).in_([entry.index for entry in entries]))
    words: dict[int, list[str]] = {}
    for word in (await db.execute(of)).scalars():
        words.setdefault(word.entry, []).append(word.text)
    known = await _named(db, {entry.actor for entry in entries})
    return [_told(entry, known, words.get(entry.index, [])) for entry in entries]


def _told(entry: AuditEntry, known: Mapping[str, str], words: Sequence[str]) -> Row:
    decided = [f"{name}: {each['before'] or '-'} → {each['after'] or '-'}" for name, each in entry.decided.items()]
    return {
        "at": entry.at.isoformat(timespec="seconds"),
        "who": known.get(entry.actor, entry.actor),
        "as": entry.acting.get("role"),
        "means": entry.acting.get("means"),
        "what": entry.event.replace(".", " ").replace("_", " "),
        "about": f"{entry.subject_type} {entry.facts.get('slug') or entry.subject_id}",
        "decided": decided,
        "words": list(words),
    }


async def application(db: Session, actor: Actor, slug: str) -> tuple[Row, dict[str, bytes]]:
    """The newest application of an organisation with all that was sent; and its files by name."""
    row = await organisations.by_slug(db, slug)
    access.require(actor, Permission.MEMBERSHIP_READ, row.id)
    its = select(Application).where(col(Application.organisation_id) == row.id)
    found = (await db.execute(its.order_by(col(Application.created_at).desc()).limit(1))).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no application of this organisation: {slug}.", slug=slug)
    files = (await db.execute(select(ApplicationFile).where(col(ApplicationFile.application_id) == found.id))).scalars()
    sent = {f"{slug}-{file.kind}.{file.media_type.rpartition('/')[2]}": file for file in files}
    seen = found.model_dump(exclude={"id", "organisation_id", "requested_changes", "assumed"})
    checks = await applications.completeness(db, found)
    return {
        "organisation": slug,
        "id": global_id("Application", found.id),
        **{name: value.isoformat() if isinstance(value, datetime) else value for name, value in seen.items()},
        "missing": [check.key for check in checks if check.required and not check.present],
        "requested_changes": [f"{each['item']}: {each['note']}" for each in found.requested_changes],
        "files": [
            f"{name} ({file.name}, {len(file.content)} bytes, {file.sha256.hex()})" for name, file in sent.items()
        ],
    }, {name: file.content for name, file in sent.items()}


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
                "id": global_id("Application", application.id),
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
        {"role": grant.role, "email": person.email, "name": person.name, "id": global_id("Person", person.id)}
        for person, grant in (await db.execute(query)).all()
    ]
