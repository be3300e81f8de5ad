"""People, their roles in a city or in the secretariat, and the rights that follow from them.

Binding text: design/house.md section 4 (access); the roles themselves are in wego/core/access.py.
Nobody gives or takes a role that opens more than his own roles in that city do; officers may everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from members.people.models import Invitation, InvitationStatus, Person, RoleGrant
from members.register.models import ACTIVE, BODIES, Membership, MembershipStatus, Organisation
from wego.core import access, audit
from wego.core.access import (
    GRANTS,
    HELD_AT,
    SECRETARIAT,
    Actor,
    ActorKind,
    Permission,
    Place,
    PlaceKind,
    Post,
    Role,
)
from wego.core.audit import Event, Subject
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotAllowed, Refusal
from wego.core.forms import found

# Who can act for a city: while it has people, one of these stays.
LEADING = frozenset({Role.HEAD, Role.CIO})


async def touch_access(db: Session) -> None:
    """Raise the epoch of access: whoever kept an actor or a token looks the rights up anew."""
    audit.rights_changed(db)


async def actor_of(db: Session, person_id: UUID) -> Actor:
    """The person as an actor, with all posts; those in a city without good standing are inactive."""
    query = (
        select(col(Person.locale), col(RoleGrant.role), Organisation, col(Membership.status))
        .select_from(Person)
        .outerjoin(RoleGrant, (col(RoleGrant.person_id) == col(Person.id)) & col(RoleGrant.revoked_at).is_(None))
        .outerjoin(Organisation, col(Organisation.id) == col(RoleGrant.organisation_id))
        .outerjoin(Membership, col(Membership.organisation_id) == col(Organisation.id))
        .where(col(Person.id) == person_id)
        .order_by(col(RoleGrant.granted_at), col(RoleGrant.id))
    )
    rows = (await db.execute(query)).all()
    found(rows or None)
    posts = tuple(_post(role, there, status) for _, role, there, status in rows if role)
    return Actor(ActorKind.PERSON, str(person_id), person_id, posts, locale=rows[0][0])


def _post(role: Role, there: Organisation | None, status: MembershipStatus | None) -> Post:
    """A post as the actor holds it: in an organisation that is no member in good standing it is not active."""
    if there is None:
        return Post(role)
    return Post(role, place_as(there), active=there.kind in BODIES or status in ACTIVE)


async def by_email(db: Session, email: str) -> Person | None:
    """The person of this address, whatever the case of its letters."""
    query = select(Person).where(func.lower(col(Person.email)) == func.lower(email))
    return (await db.execute(query)).scalar_one_or_none()


async def place_of(db: Session, place_id: UUID | None) -> Place:
    """The place of this id; the secretariat has none."""
    return SECRETARIAT if place_id is None else place_as(found(await db.get(Organisation, place_id)))


def place_as(organisation: Organisation) -> Place:
    """An organisation as the place of a post: one that belongs to the network, or a body of the network itself."""
    kind = PlaceKind.BODY if organisation.kind in BODIES else PlaceKind.ORGANISATION
    return Place(kind, organisation.id)


async def assign_role(
    db: Session,
    actor: Actor,
    person_id: UUID,
    role: Role,
    place_id: UUID | None,
    *,
    now: datetime | None = None,
) -> RoleGrant:
    """Give a role to somebody who is here already: in a city to its people, anywhere by an officer."""
    access.require(actor, Permission.ROLE_ASSIGN, place_id)
    place = await place_of(db, place_id)
    person = found(await db.get(Person, person_id))
    if not actor.may(Permission.ROLE_ASSIGN):
        found(await _open_grants(db, person_id, place_id) or None)
    check_place(role, place)
    require_reach(actor, role, place_id)
    grant = await grant_role(db, person.id, role, place_id, granted_by=actor.subject, now=now or datetime.now(UTC))
    if grant is None:
        raise Conflict("This person has this role already.", path=("input", "role"))
    await touch_access(db)
    await audit.record(
        db, actor, Event.ROLE_ASSIGNED, Subject.PERSON, person_id, place=place_id, under=Permission.ROLE_ASSIGN,
        decided={"role": (None, role.value)},
    )  # fmt: skip
    return grant


async def revoke_role(
    db: Session,
    actor: Actor,
    person_id: UUID,
    role: Role,
    place_id: UUID | None,
    *,
    now: datetime | None = None,
) -> RoleGrant:
    """End a role: one's own, or that of others where the actor may. The last who can act stays."""
    if actor.person_id != person_id:
        access.require(actor, Permission.ROLE_ASSIGN, place_id)
        require_reach(actor, role, place_id)
    grants = await _open_grants(db, person_id, place_id)
    grant = found(next((grant for grant in grants if grant.role is role), None))
    await _require_successor(db, grant)
    await db.refresh(grant)
    if grant.revoked_at is not None:
        raise Conflict("This role has ended already.", path=("input", "role"))
    grant.revoked_at, grant.revoked_by = now or datetime.now(UTC), actor.subject
    db.add(grant)
    await db.flush()
    await _cancel_invitations(db, person_id, place_id)
    await touch_access(db)
    await audit.record(
        db, actor, Event.ROLE_REVOKED, Subject.PERSON, person_id, place=place_id, under=Permission.ROLE_ASSIGN,
        decided={"role": (role.value, None)},
    )  # fmt: skip
    return grant


def check_place(role: Role, place: Place) -> None:
    """A role is held where `HELD_AT` says, and a program is not a person."""
    if role is Role.PROGRAM:
        raise Invalid("A program is registered with a key of its own, not invited.", path=("input", "role"))
    if role in HELD_AT[place.kind]:
        return
    if place.kind is PlaceKind.BODY:
        raise Invalid("This role is not held in a body of the network.", path=("input", "role"))
    raise Invalid("Roles of the secretariat have no organisation, all others have one.", path=("input", "organisation"))


def require_reach(actor: Actor, role: Role, place_id: UUID | None) -> None:
    """Refuse roles that open more than the actor's own roles in this city; a CIO does not appoint a head."""
    if actor.may(Permission.ROLE_ASSIGN):
        return
    posts = [post for post in actor.posts if post.place.id == place_id]
    own = frozenset[Permission]().union(*(GRANTS[post.role] for post in posts))
    if role in HELD_AT[PlaceKind.SECRETARIAT] or not GRANTS[role] <= own:
        raise NotAllowed("Your own role does not reach this role.", path=("input", "role"))


async def grant_role(
    db: Session, person_id: UUID, role: Role, place_id: UUID | None, *, granted_by: str, now: datetime
) -> RoleGrant | None:
    """Write the grant; None when the person has the role already."""
    fresh = RoleGrant(person_id=person_id, organisation_id=place_id, role=role, granted_at=now, granted_by=granted_by)
    query = (
        insert(RoleGrant)
        .values(**fresh.model_dump(exclude={"revoked_at", "revoked_by"}))
        .on_conflict_do_nothing()
        .returning(RoleGrant)
    )
    return (await db.execute(query)).scalar_one_or_none()


async def _open_grants(db: Session, person_id: UUID, place_id: UUID | None) -> Sequence[RoleGrant]:
    query = select(RoleGrant).where(
        col(RoleGrant.person_id) == person_id,
        col(RoleGrant.organisation_id).is_not_distinct_from(place_id),
        col(RoleGrant.revoked_at).is_(None),
    )
    return (await db.execute(query)).scalars().all()


async def _require_successor(db: Session, grant: RoleGrant) -> None:
    """Keep the last who can act. All are locked in one order: of two who remove each other one stays."""
    leading = {Role.OFFICER} if grant.organisation_id is None else LEADING
    if grant.role not in leading:
        await db.execute(select(col(RoleGrant.id)).where(col(RoleGrant.id) == grant.id).with_for_update())
        return
    query = (
        select(col(RoleGrant.id))
        .where(
            col(RoleGrant.organisation_id).is_not_distinct_from(grant.organisation_id),
            col(RoleGrant.role).in_(leading),
            col(RoleGrant.revoked_at).is_(None),
        )
        .order_by(col(RoleGrant.id))
        .with_for_update()
    )
    others = [key for key in (await db.execute(query)).scalars() if key != grant.id]
    if not others:
        raise _last(grant)


def _last(grant: RoleGrant) -> Refusal:
    if grant.organisation_id is None:
        return Conflict("The last officer of the secretariat cannot be removed.", path=("input", "role"))
    return Conflict("The last head or CIO of an organisation cannot be removed.", path=("input", "role"))


async def _cancel_invitations(db: Session, person_id: UUID, place_id: UUID | None) -> None:
    """Who may not invite here any more leaves no open door: his open invitations end with his role."""
    inviter = await actor_of(db, person_id)
    if inviter.may(Permission.PERSON_INVITE, place_id):
        return
    await db.execute(
        update(Invitation)
        .where(
            col(Invitation.invited_by) == str(person_id),
            col(Invitation.status) == InvitationStatus.OPEN,
            *([col(Invitation.organisation_id) == place_id] if place_id else []),
        )
        .values(status=InvitationStatus.CANCELLED)
        .execution_options(synchronize_session=False)
    )
