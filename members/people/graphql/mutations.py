"""Inviting people and giving or taking roles, as mutations."""

from __future__ import annotations

from uuid import UUID

import strawberry

from i18n.language.graphql import LanguageTag
from members.people import invitations, people
from members.people.graphql.people import (
    INVITATIONS,
    PEOPLE,
    Invitation,
    Person,
)
from members.register.graphql.cities import City
from members.register.graphql.keys import city_of, key_of
from wego.core import reads
from wego.core.access import Role
from wego.core.writes import Done, Payload, Write, done, edge, thing, value, verb

_CITY = "The city, by its id or its slug; absent for a role in the secretariat."


@strawberry.input(description="Whom to invite, and to which role.")
class InvitePersonInput:
    email: str = strawberry.field(description="To which e-mail address.")
    name: str = strawberry.field(description="What the person is called.")
    role: Role = strawberry.field(description="To which role.")
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    locale: LanguageTag | None = strawberry.field(default=None, description="The language of the person.")


@strawberry.input(description="Which invitation is taken up: by its secret or, signed in, by its id.")
class AcceptInvitationInput:
    secret: str | None = strawberry.field(
        default=None, description="Its secret. Who is registered here signs in besides: for him it opens nothing."
    )
    invitation: strawberry.ID | None = strawberry.field(
        default=None, description="The invitation, by its id, for the person who was invited."
    )
    locale: LanguageTag | None = strawberry.field(default=None, description="The language to read in.")


@strawberry.input(description="A role of a person.")
class RoleInput:
    person: strawberry.ID = strawberry.field(description="The person, by its id.")
    role: Role = strawberry.field(description="Which role.")
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)


@strawberry.type(description="An invitation, and the secret that is shown this one time.")
class InvitePersonPayload(Payload):
    invitation: Invitation | None = thing("invitation", "The invitation.")
    invitation_edge: reads.Edge[Invitation] | None = edge(
        "invitation",
        "This is the invitation as an edge of lists; it is null when nothing was done.",
        INVITATIONS,
    )
    secret: str | None = value(
        "secret",
        "The secret, to be handed to the invited person. It is kept nowhere, and opens nothing for who is registered.",
    )


@strawberry.type(description="What an invitation led to.")
class AcceptInvitationPayload(Payload):
    person: Person | None = thing("person", "The person; null unless it is the one who asks.")
    person_edge: reads.Edge[Person] | None = edge(
        "person",
        "This is the person as an edge of lists in their usual order; it is null unless it is the one who asks.",
        PEOPLE,
    )
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
    key = key_of(input.invitation, "Invitation", "input", "invitation") if input.invitation is not None else None
    accepted = await invitations.accept(
        write.db, write.actor, secret=input.secret, invitation_id=key, locale=input.locale
    )
    himself = accepted.person.id if accepted.person.id == write.actor.person_id else None
    return done(person=himself, city=accepted.invitation.city_id, role=accepted.invitation.role.value)


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
        accept_invitation,
        "Take up an invitation, once. For the invited person, signed in; for who is new here, by its secret.",
    )
    assign_role: PersonPayload = verb(
        assign_role, "Give a role. For heads and CIOs to people of their city, for officers to everybody."
    )
    revoke_role: PersonPayload = verb(
        revoke_role,
        "End a role: one's own, or as the one who may give it. The last head or CIO of a city stays.",
        ahead=True,
    )
