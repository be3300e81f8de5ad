"""Invitations: a one-time secret for one person to one role.

There is no mailer yet, so the secret is shown once to the inviter, who hands it over; the hub keeps its SHA-256 only,
so that a copy of the database opens no door. It has 256 bits, so a plain hash is enough (no dictionary can hold it).
It opens the door for an address that is new here, and for nothing else: who is here already accepts with his own token,
whoever holds the secret. The inviter gets one in both cases, so that his answer does not tell which addresses are
known; to learn it he would have to take it up in the name of a stranger, which makes a person and is in the log.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from i18n.language import locales
from members.people import people
from members.people.models import Invitation, InvitationStatus, Person
from wego.core import access, audit
from wego.core.access import NOBODY, Actor, ActorKind, Permission, Role
from wego.core.audit import Event, Subject
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound
from wego.core.forms import Form

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
    return f"i{secrets.token_urlsafe(32)}"  # a command would take a dash at its beginning for an option


async def invite(
    db: Session,
    actor: Actor,
    *,
    email: str,
    name: str,
    role: Role,
    place_id: UUID | None = None,
    locale: str = "en",
    now: datetime | None = None,
    secret: Callable[[], str] = new_secret,
) -> Invited:
    """Invite somebody to a role: a CIO into his own city, an officer anywhere."""
    access.require(actor, Permission.PERSON_INVITE, place_id)
    people.check_place(role, await people.place_of(db, place_id))
    people.require_reach(actor, role, place_id)
    form = Form()
    invitation = Invitation(
        email=form.email(email, "input", "email"),
        name=form.text(name, "input", "name", limit=120),
        locale=locales.asked(form, locale, "input", "locale"),
        organisation_id=place_id,
        role=role,
        invited_by=actor.subject,
        created_at=(at := now or datetime.now(UTC)),
        expires_at=at + LIFETIME,
        secret_hash=_digest(link := secret()),
    )
    form.settle()
    db.add(invitation)
    await db.flush()
    await audit.record(
        db, actor, Event.PERSON_INVITED, Subject.INVITATION, invitation.id, place=place_id,
        under=Permission.PERSON_INVITE, role=role.value,
    )  # fmt: skip
    return Invited(invitation, link)


async def accept_invitation(
    db: Session, secret: str, *, actor: Actor = NOBODY, locale: str | None = None, now: datetime | None = None
) -> Person:
    """Take up an invitation by its secret; the person who has the role now."""
    return (await accept(db, actor, secret=secret, locale=locale, now=now)).person


async def accept(
    db: Session, actor: Actor = NOBODY, *, secret: str | None = None, invitation_id: UUID | None = None,
    locale: str | None = None, now: datetime | None = None,
) -> Accepted:  # fmt: skip
    """Take up an invitation, once. Who is here already does it with his own token, by its id or its secret, and nobody
    for him; who is new here, by the secret that was handed over to him. The role goes to the invited address."""
    at = now or datetime.now(UTC)
    invitation = await _found(db, secret, invitation_id)
    person = await people.by_email(db, invitation.email)
    if secret is not None:  # who has the secret may know what became of it
        await _require_open(db, invitation, at, "secret")
    himself = person is not None and actor.person_id == person.id
    newcomer = person is None and secret is not None
    if not (himself or newcomer):
        raise _unknown(secret)
    if secret is None:
        await _require_open(db, invitation, at, "invitation")
    person = person or await _new_person(db, invitation, locale, at)
    await people.grant_role(
        db, person.id, invitation.role, invitation.organisation_id, granted_by=invitation.invited_by, now=at
    )
    invitation.status = InvitationStatus.ACCEPTED
    db.add(invitation)
    await people.touch_access(db)
    # Who is signed in is the one who acts; nobody else can be than the person who was made by this.
    acting = actor if actor.signed_in else Actor(ActorKind.PERSON, str(person.id), person.id, means=actor.means)
    await audit.record(
        db, acting, Event.INVITATION_ACCEPTED, Subject.INVITATION, invitation.id, place=invitation.organisation_id,
        decided={"role": (None, invitation.role.value)}, person=str(person.id),
    )  # fmt: skip
    return Accepted(invitation, person)


def _unknown(secret: str | None) -> NotFound:
    """The same words for a secret that is none, for an invitation of somebody else, and for who has to sign in."""
    path = ("input", "invitation" if secret is None else "secret")
    return NotFound("There is no such invitation for you. Who is registered here accepts it signed in.", path=path)


async def _found(db: Session, secret: str | None, invitation_id: UUID | None) -> Invitation:
    """The invitation, locked; of two who take it up at once, the second finds it used."""
    if (secret is None) is (invitation_id is None):
        raise Invalid("Give the secret of an invitation or its id.", path=("input",))
    named = col(Invitation.id) == invitation_id
    query = select(Invitation).where(named if secret is None else col(Invitation.secret_hash) == _digest(secret))
    query = query.with_for_update().execution_options(populate_existing=True)
    invitation = (await db.execute(query)).scalar_one_or_none()
    if invitation is None:
        raise _unknown(secret)
    return invitation


async def _require_open(db: Session, invitation: Invitation, at: datetime, field: str) -> None:
    """Refuse what was used, has ended, or was made by somebody who may not invite to this role any more."""
    path = ("input", field)
    if invitation.status is InvitationStatus.ACCEPTED:
        raise Conflict("This invitation was used already.", path=path)
    if invitation.status is InvitationStatus.CANCELLED or not await _still_invited(db, invitation):
        raise Conflict("This invitation was taken back.", path=path)
    if invitation.expires_at <= at:
        raise Conflict("This invitation has expired: ask for a new one.", path=path)


async def _still_invited(db: Session, invitation: Invitation) -> bool:
    """Whether who invited could do so now; the operator at the command line always can."""
    try:
        inviter = await people.actor_of(db, UUID(invitation.invited_by))
    except ValueError:
        return True
    except NotFound:
        return False
    try:
        people.require_reach(inviter, invitation.role, invitation.organisation_id)
    except NotAllowed:
        return False
    return inviter.may(Permission.PERSON_INVITE, invitation.organisation_id)


async def _new_person(db: Session, invitation: Invitation, locale: str | None, at: datetime) -> Person:
    """The person of the invited address, made now. Two invitations taken up at once make one: the second is told."""
    form = Form()
    wanted = locales.asked(form, locale, "input", "locale") if locale else invitation.locale
    form.settle()
    fresh = Person(email=invitation.email, name=invitation.name, locale=wanted, created_at=at)
    made = insert(Person).values(**fresh.model_dump()).on_conflict_do_nothing().returning(Person)
    person = (await db.execute(made)).scalar_one_or_none()
    if person is None:
        raise Conflict("This invitation cannot be taken up now: try again.", path=("input", "secret"))
    return person


def _word(place_id: UUID | None) -> str | None:
    return str(place_id) if place_id else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
