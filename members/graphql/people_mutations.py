"""Inviting people and giving or taking roles, as mutations."""

from __future__ import annotations

from uuid import UUID

import strawberry

from i18n.graphql import LanguageTag
from members import invitations, people
from members.graphql.cities import City
from members.graphql.keys import city_of, key_of
from members.graphql.people import Invitation, Person
from wego.core.access import Role
from wego.core.writes import Done, Payload, Write, done, thing, value, verb

_CITY = "The city, by its id or its slug; absent for a role in the secretariat."


@strawberry.input(description="Whom to invite, and to which role.")
class InvitePersonInput:
    email: str = strawberry.field(description="To which e-mail address.")
    name: str = strawberry.field(description="What the person is called.")
    role: Role = strawberry.field(description="To which role.")
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    locale: LanguageTag | None = strawberry.field(default=None, description="The language of the person.")


@strawberry.input(description="The secret of the link with which somebody was invited.")
class AcceptInvitationInput:
    secret: str = strawberry.field(description="The secret of the link.")
    locale: LanguageTag | None = strawberry.field(default=None, description="The language to read in.")


@strawberry.input(description="A role of a person.")
class RoleInput:
    person: strawberry.ID = strawberry.field(description="The person, by its id.")
    role: Role = strawberry.field(description="Which role.")
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)


@strawberry.type(description="An invitation, and the secret that is shown this one time.")
class InvitePersonPayload(Payload):
    invitation: Invitation | None = thing("invitation", "The invitation.")
    secret: str | None = value("secret", "The secret of the link, for the invited person only. It is kept nowhere.")


@strawberry.type(description="What an invitation led to.")
class AcceptInvitationPayload(Payload):
    person: Person | None = thing("person", "The person, for those who may see people.")
    city: City | None = thing("city", "The city of the new role, if it is a listed member.")
    role: Role | None = value("role", "The new role.")


@strawberry.type(description="A person after a change of roles.")
class PersonPayload(Payload):
    person: Person | None = thing("person", "The person with the roles of now.")


async def _place(write: Write, given: str | None) -> UUID | None:
    return None if given is None else await city_of(write.db, write.actor, given)


async def invite_person(write: Write, input: InvitePersonInput) -> Done:
    invited = await invitations.invite(
        write.db,
        write.actor,
        email=input.email,
        name=input.name,
        role=input.role,
        city_id=await _place(write, input.city),
        locale=input.locale or write.locale,
    )
    return Done({"invitation": invited.invitation.id, "secret": invited.secret}, secret=True)


async def accept_invitation(write: Write, input: AcceptInvitationInput) -> Done:
    accepted = await invitations.accept(write.db, input.secret, locale=input.locale)
    return done(person=accepted.person.id, city=accepted.invitation.city_id, role=accepted.invitation.role.value)


async def assign_role(write: Write, input: RoleInput) -> Done:
    place = await _place(write, input.city)
    person_id = key_of(input.person, "Person", "input", "person")
    await people.assign_role(write.db, write.actor, person_id, input.role, place)
    return done(person=person_id)


async def revoke_role(write: Write, input: RoleInput) -> Done:
    place = await _place(write, input.city)
    person_id = key_of(input.person, "Person", "input", "person")
    await people.revoke_role(write.db, write.actor, person_id, input.role, place)
    return done(person=person_id)


@strawberry.type
class PeopleMutations:
    invite_person: InvitePersonPayload = verb(
        invite_person, "Invite somebody to a role. For heads and CIOs in their city, for officers everywhere."
    )
    accept_invitation: AcceptInvitationPayload = verb(
        accept_invitation, "Take up an invitation, once. For whoever holds its secret."
    )
    assign_role: PersonPayload = verb(
        assign_role, "Give a role. For heads and CIOs to people of their city, for officers to everybody."
    )
    revoke_role: PersonPayload = verb(
        revoke_role,
        "End a role: one's own, or as the one who may give it. The last head or CIO of a city stays.",
        ahead=True,
    )
