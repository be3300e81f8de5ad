"""Invitations: a one-time link for one person to one role.

The secret of the link is shown once, to the inviter; the hub keeps its SHA-256 only, so that a copy of the
database opens no door. It has 256 bits, so a plain hash is enough (no dictionary can hold it).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from members import people
from members.inputs import Form
from members.models import Invitation, InvitationStatus, Person
from wego.core import access, audit, jobs
from wego.core.access import Actor, ActorKind, Permission, Role
from wego.core.audit import Event
from wego.core.db import Session
from wego.core.errors import Conflict, NotFound

LIFETIME = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and the secret of its link, which nobody sees a second time."""

    invitation: Invitation
    secret: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An invitation that was taken up, and by whom."""

    invitation: Invitation
    person: Person


def new_secret() -> str:
    return secrets.token_urlsafe(32)


async def invite(
    db: Session,
    actor: Actor,
    *,
    email: str,
    name: str,
    role: Role,
    city_id: UUID | None = None,
    locale: str = "en",
    now: datetime | None = None,
    secret: Callable[[], str] = new_secret,
) -> Invited:
    """Invite somebody to a role: a CIO into his own city, an officer anywhere."""
    access.require(actor, Permission.PERSON_INVITE, city_id)
    await people.city_of(db, city_id)
    people.check_place(role, city_id)
    people.require_reach(actor, role, city_id)
    form = Form()
    invitation = Invitation(
        email=form.email(email, "input", "email"),
        name=form.text(name, "input", "name", limit=120),
        locale=form.locale(locale, "input", "locale"),
        city_id=city_id,
        role=role,
        invited_by=actor.subject,
        created_at=(at := now or datetime.now(UTC)),
        expires_at=at + LIFETIME,
        secret_hash=_digest(link := secret()),
    )
    form.settle()
    db.add(invitation)
    await db.flush()
    facts: dict[str, Any] = {"role": role.value, "city": _word(city_id)}
    await audit.record(db, actor, Event.PERSON_INVITED, "Invitation", invitation.id, **facts)
    await jobs.tell(db, Event.PERSON_INVITED, subject_id=str(invitation.id))
    return Invited(invitation, link)


async def accept_invitation(
    db: Session, secret: str, *, locale: str | None = None, now: datetime | None = None
) -> Person:
    """Take up an invitation; the person who has the role now."""
    return (await accept(db, secret, locale=locale, now=now)).person


async def accept(db: Session, secret: str, *, locale: str | None = None, now: datetime | None = None) -> Accepted:
    """Take up an invitation. Whoever holds the secret may, once; the role goes to the invited address."""
    at = now or datetime.now(UTC)
    invitation = await _open(db, secret, at)
    person = await _person(db, invitation, locale, at)
    await people.grant_role(
        db, person.id, invitation.role, invitation.city_id, granted_by=invitation.invited_by, now=at
    )
    invitation.status = InvitationStatus.ACCEPTED
    db.add(invitation)
    await people.touch_access(db)
    actor = Actor(ActorKind.PERSON, str(person.id), person.id)
    facts: dict[str, Any] = {"role": invitation.role.value, "city": _word(invitation.city_id)}
    facts["person"] = str(person.id)
    await audit.record(db, actor, Event.INVITATION_ACCEPTED, "Invitation", invitation.id, **facts)
    await jobs.tell(db, Event.INVITATION_ACCEPTED, subject_id=str(invitation.id))
    return Accepted(invitation, person)


async def _open(db: Session, secret: str, at: datetime) -> Invitation:
    """The invitation of this secret, locked; of two who take it up at once, the second finds it used."""
    query = select(Invitation).where(col(Invitation.secret_hash) == _digest(secret))
    query = query.with_for_update().execution_options(populate_existing=True)
    invitation = (await db.execute(query)).scalar_one_or_none()
    if invitation is None:
        raise NotFound("There is no such invitation.", path=("input", "secret"))
    if invitation.status is InvitationStatus.ACCEPTED:
        raise Conflict("This invitation was used already.", path=("input", "secret"))
    if invitation.status is InvitationStatus.CANCELLED:
        raise Conflict("This invitation was taken back.", path=("input", "secret"))
    if invitation.expires_at <= at:
        raise Conflict("This invitation has expired: ask for a new one.", path=("input", "secret"))
    return invitation


async def _person(db: Session, invitation: Invitation, locale: str | None, at: datetime) -> Person:
    """The person of the invited address; made now unless he is here already."""
    form = Form()
    wanted = form.locale(locale, "input", "locale") if locale else invitation.locale
    form.settle()
    fresh = Person(email=invitation.email, name=invitation.name, locale=wanted, created_at=at)
    await db.execute(insert(Person).values(**fresh.model_dump()).on_conflict_do_nothing())
    person = await people.by_email(db, invitation.email)
    if person is None:
        raise Conflict("This invitation cannot be taken up now: try again.", path=("input", "secret"))
    return person


def _word(city_id: UUID | None) -> str | None:
    return str(city_id) if city_id else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
