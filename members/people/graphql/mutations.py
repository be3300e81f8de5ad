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
from members.register.graphql.keys import key_of, named
from members.register.graphql.organisations import Organisation
from wego.core import reads
from wego.core.access import Role
from wego.core.writes import Done, Payload, Write, done, edge, thing, value, verb

_CITY = "This names the city, by its id or its slug; without it and `organisation`, the role is in the secretariat."
_ORGANISATION = "This names an organisation or a body of the network, by its id or its slug, instead of `city`."


@strawberry.input(description="An `InvitePersonInput` says who is invited, and to which role.")
class InvitePersonInput:
    email: str = strawberry.field(description="This is the e-mail address of the person.")
    name: str = strawberry.field(description="This is the name by which the person is called.")
    role: Role = strawberry.field(description="This is the role to which the person is invited.")
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    organisation: strawberry.ID | None = strawberry.field(default=None, description=_ORGANISATION)
    locale: LanguageTag | None = strawberry.field(
        default=None, description="This is the language in which the person reads (BCP 47)."
    )


@strawberry.input(
    description="An `AcceptInvitationInput` says which invitation is accepted: by its secret or, signed in, by its id."
)
class AcceptInvitationInput:
    secret: str | None = strawberry.field(
        default=None,
        description="This is its secret; who is registered here signs in besides, because for him it opens nothing.",
    )
    invitation: strawberry.ID | None = strawberry.field(
        default=None,
        description="This is the invitation, by its id; it must be an invitation of the person who is signed in.",
    )
    locale: LanguageTag | None = strawberry.field(
        default=None, description="This is the language in which the person reads (BCP 47)."
    )


@strawberry.input(description="A `RoleInput` names a role of a person.")
class RoleInput:
    person: strawberry.ID = strawberry.field(description="This is the person, by its id.")
    role: Role = strawberry.field(description="This is the role that is meant.")
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    organisation: strawberry.ID | None = strawberry.field(default=None, description=_ORGANISATION)


@strawberry.type(description="An `InvitePersonPayload` shows an invitation, and its secret this one time.")
class InvitePersonPayload(Payload):
    invitation: Invitation | None = thing(
        "invitation", "This is the invitation that was made; it is null when none was."
    )
    invitation_edge: reads.Edge[Invitation] | None = edge(
        "invitation",
        "This is the invitation as an edge of lists; it is null when nothing was done.",
        INVITATIONS,
    )
    secret: str | None = value(
        "secret",
        "This is the secret to be handed to the invited person, which is kept nowhere; it is null "
        "when nothing was done.",
    )


@strawberry.type(description="An `AcceptInvitationPayload` shows what an invitation led to.")
class AcceptInvitationPayload(Payload):
    person: Person | None = thing("person", "The person; null unless it is the one who asks.")
    person_edge: reads.Edge[Person] | None = edge(
        "person",
        "This is the person as an edge of lists in their usual order; it is null unless it is the one who asks.",
        PEOPLE,
    )
    city: City | None = thing(
        "city",
        "This is the city of the new role; it is null for the secretariat, and for a city that the "
        "reader does not see.",
    )
    organisation: Organisation | None = thing(
        "organisation",
        "This is the organisation or body of the new role; it is null for the secretariat, and for one that the reader "
        "does not see.",
    )
    role: Role | None = value("role", "This is the new role; it is null when nothing was done.")


@strawberry.type(description="A `PersonPayload` shows a person after a change of roles.")
class PersonPayload(Payload):
    person: Person | None = thing(
        "person", "This is the person with the present roles; it is null when nothing was done."
    )


async def _place(write: Write, given: InvitePersonInput | RoleInput) -> UUID | None:
    """The place that an input names; the secretariat where it names none."""
    if given.city is None and given.organisation is None:
        return None
    return await named(write.db, write.actor, given.organisation, given.city)


async def invite_person(write: Write, input: InvitePersonInput) -> Done:
    invited = await invitations.invite(
        write.db,
        write.actor,
        email=input.email,
        name=input.name,
        role=input.role,
        place_id=await _place(write, input),
        locale=input.locale or write.locale,
    )
    return Done({"invitation": invited.invitation.id, "secret": invited.secret}, secret=True)


async def accept_invitation(write: Write, input: AcceptInvitationInput) -> Done:
    key = key_of(input.invitation, "Invitation", "input", "invitation") if input.invitation is not None else None
    accepted = await invitations.accept(
        write.db, write.actor, secret=input.secret, invitation_id=key, locale=input.locale
    )
    himself = accepted.person.id if accepted.person.id == write.actor.person_id else None
    return done(
        person=himself,
        city=accepted.invitation.organisation_id,
        organisation=accepted.invitation.organisation_id,
        role=accepted.invitation.role.value,
    )


async def assign_role(write: Write, input: RoleInput) -> Done:
    place = await _place(write, input)
    person_id = key_of(input.person, "Person", "input", "person")
    await people.assign_role(write.db, write.actor, person_id, input.role, place)
    return done(person=person_id)


async def revoke_role(write: Write, input: RoleInput) -> Done:
    place = await _place(write, input)
    person_id = key_of(input.person, "Person", "input", "person")
    await people.revoke_role(write.db, write.actor, person_id, input.role, place)
    return done(person=person_id)


@strawberry.type
class PeopleMutations:
    invite_person: InvitePersonPayload = verb(
        invite_person, "This invites somebody to a role: heads and CIOs may do it in their city, officers everywhere."
    )
    accept_invitation: AcceptInvitationPayload = verb(
        accept_invitation,
        "This accepts an invitation, once: the invited person does it, signed in, or with its secret when new here.",
    )
    assign_role: PersonPayload = verb(
        assign_role, "This gives a role: heads and CIOs may do it to people of their city, officers to everybody."
    )
    revoke_role: PersonPayload = verb(
        revoke_role,
        "This ends a role: one's own, or that of somebody to whom one may give it; the last head or "
        "CIO of a city stays.",
        ahead=True,
    )
