"""People, their posts and invitations, and the reader himself, as far as a reader may see them.

A person is seen by himself, by those who deal with the people of his city, and by the offices of the secretariat
that may read people; an invitation by those who may invite there, and by the person whom it invites. Which
roles somebody has elsewhere is not the business of a city that shares him.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from i18n.language.graphql import LanguageTag
from members.register.graphql.cities import City
from members.register.graphql.memberships import MembershipStep
from members.register.graphql.organisations import Organisation
from members.register.models import ACTIVE, BODIES
from members.register.organisations import in_words
from wego.core import reads
from wego.core.access import ActorKind, Permission, Role
from wego.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(
    Role, description="A `Role` is what somebody may act as: in a city or body, in the secretariat, or as a program."
)


def _visible_person(q: Query, t: str) -> str | None:
    if q.everywhere(Permission.PERSON_READ):
        return None
    if q.shape.kind is ActorKind.ANONYMOUS:
        return "false"
    held = f"select 1 from role_grant held where held.person_id = {t}.id and held.revoked_at is null"
    cities = q.places_with(Permission.PERSON_READ)
    return f"({t}.id = {q.person()} or exists ({held} and held.organisation_id = any({cities})))"


def _visible_invitation(q: Query, t: str) -> str | None:
    if q.everywhere(Permission.PERSON_INVITE):
        return None
    inviting = f"{t}.organisation_id = any({q.places_with(Permission.PERSON_INVITE)})"
    if q.shape.kind is not ActorKind.PERSON:
        return inviting
    own = f"lower({t}.email) = (select lower(me.email) from person me where me.id = {q.person()})"
    return f"({inviting} or {own})"


def _visible_post(q: Query, t: str) -> str | None:
    if q.everywhere(Permission.PERSON_READ):
        return None
    return f"({t}.person_id = {q.person()} or {t}.organisation_id = any({q.places_with(Permission.PERSON_READ)}))"


_GOOD = f"select 1 from membership m where m.organisation_id = g.organisation_id and m.status in ({in_words(ACTIVE)})"
_BODY = f"select 1 from organisation b where b.id = g.organisation_id and b.kind in ({in_words(BODIES)})"
_POSTS = (
    "(select g.id, g.person_id, g.role, g.organisation_id, g.granted_at as since, "
    f"(g.organisation_id is null or exists ({_GOOD}) or exists ({_BODY})) as active"
    " from role_grant g where g.revoked_at is null) as {t}"
)


@reads.table(_POSTS, visible=_visible_post)
@strawberry.type(
    description="A `Post` is a role of somebody in an organisation, a body of the network, or the secretariat."
)
class Post:
    role: Role = reads.column("{t}.role", "This is the role itself.")
    organisation: Organisation | None = reads.one(
        "{t}.id = {p}.organisation_id",
        "This is the organisation or the body in which the role is held; it is null in the secretariat.",
    )
    city: City | None = reads.one(
        "{t}.id = {p}.organisation_id", "This is the city in which the role is held; it is null elsewhere."
    )
    is_active: bool = reads.column(
        "{t}.active",
        "This says whether the role counts now: an organisation has to be a member in good standing, a body and the "
        "secretariat have not.",
    )
    since: datetime | None = reads.column(
        "{t}.since", "This is the moment at which the role was given; it is null for a program."
    )


@reads.table("person", visible=_visible_person)
@strawberry.type(description="A `Person` is somebody who acts for a city or for the secretariat.")
class Person(reads.Node):
    name: str = reads.column("{t}.name", "This is the name by which the person is called.")
    email: str = reads.column("{t}.email", "This is the e-mail address of the person.")
    locale: LanguageTag = reads.column("{t}.locale", "This is the language in which the person likes to read (BCP 47).")
    posts: list[Post] = reads.many(
        "{t}.person_id = {p}.id", "These are the roles that the person holds now.", order="{t}.since, {t}.id"
    )


@strawberry.type
class StepPerson:
    recorded_by: Person | None = reads.one(
        "{t}.id::text = {p}.actor",
        "This is the person who took the step; it is null for readers who may not see people.",
    )


reads.extend(MembershipStep, StepPerson)


@reads.vocabulary(description="An `InvitationState` says what became of an invitation.")
class InvitationState(Vocabulary):
    OPEN = "open", "The invitation is waiting to be accepted."
    ACCEPTED = "accepted", "The invited person has accepted."
    CANCELLED = "cancelled", "The invitation was taken back before anybody accepted it."
    EXPIRED = "expired", "The time to accept the invitation is over."


_STATE = "case when {t}.status = 'open' and {t}.expires_at <= now() then 'expired' else {t}.status end"


@reads.table("invitation", visible=_visible_invitation)
@strawberry.type(description="An `Invitation` invites a person to a role, and can be accepted once.")
class Invitation(reads.Node):
    email: str = reads.column("{t}.email", "This is the e-mail address to which it was sent.")
    name: str = reads.column("{t}.name", "This is the name of the invited person.")
    role: Role = reads.column("{t}.role", "This is the role to which it invites.")
    organisation: Organisation | None = reads.one(
        "{t}.id = {p}.organisation_id",
        "This is the organisation or the body in which the role will be; it is null for the secretariat.",
    )
    city: City | None = reads.one(
        "{t}.id = {p}.organisation_id", "This is the city in which the role will be; it is null elsewhere."
    )
    status: InvitationState = reads.column(_STATE, "This says what became of it.")
    created_at: datetime = reads.column("{t}.created_at", "This is the moment at which it was made.")
    expires_at: datetime = reads.column("{t}.expires_at", "Until when it can be taken up.")


_HERE = (
    "exists (select 1 from role_grant here where here.person_id = {t}.id and here.organisation_id = {p}.id"
    " and here.revoked_at is null)"
)


@strawberry.type
class ItsPeople:
    people: list[Person] = reads.many(
        _HERE, "These are its people; only those see them who deal with them.", order="{t}.name, {t}.id"
    )
    invitations: list[Invitation] = reads.many(
        "{t}.organisation_id = {p}.id",
        "These are its invitations, the newest first.",
        order="{t}.created_at desc, {t}.id desc",
    )


for each in (City, Organisation):
    reads.extend(each, ItsPeople)


@reads.vocabulary(description="A `ViewerKind` says what kind of reader asks.")
class ViewerKind(Vocabulary):
    ANONYMOUS = "anonymous", "Nobody is signed in."
    PERSON = "person", "A person is signed in."
    PROGRAM = "program", "A program is acting, with a token of its own."
    SYSTEM = "system", "The hub itself acts, or its operator does."


@strawberry.type(description="A `Viewer` is the one who asks, as the hub sees it.")
class Viewer:
    kind: ViewerKind = reads.column("{t}.kind", "This says what kind of reader it is.")
    person: Person | None = reads.one(
        "{t}.id = {p}.person_id", "This is the person who asks; it is null when it is no person.", visible=False
    )  # himself
    client_id: str | None = reads.column(
        "{t}.client_id", "This is the program that asks, by its client id; it is null when it is no program."
    )
    posts: list[Post] = reads.many(
        None,
        "These are the roles in which the reader acts.",
        order="{t}.ord",
        source="unnest({p}.roles, {p}.organisation_ids, {p}.actives, array[]::timestamptz[])"
        " with ordinality as {t}(role, organisation_id, active, since, ord)",
        visible=False,  # his own
    )
    invitations: list[Invitation] = reads.many(
        "{t}.status = 'open' and {t}.expires_at > now() and lower({t}.email) ="
        " (select lower(me.email) from person me where me.id = {p}.person_id)",
        "These are the open invitations of the reader, the newest first.",
        order="{t}.created_at desc, {t}.id desc",
    )
    scopes: list[str] | None = reads.column("{t}.scopes", "The scopes of the token; null when nothing is narrowed.")
    locale: LanguageTag = reads.column("{t}.locale", "This is the language that the reader likes best (BCP 47).")


def _viewer(q: Query) -> str:
    """The one row of the reader, made of bound values only."""
    posts = [
        q.bind(lambda run: [post.role.value for post in run.actor.posts], "text[]", "viewer roles"),
        q.bind(lambda run: [post.place.id for post in run.actor.posts], "uuid[]", "viewer cities"),
        q.bind(lambda run: [post.active for post in run.actor.posts], "boolean[]", "viewer actives"),
    ]
    client = q.bind(
        lambda run: run.actor.subject if run.actor.kind is ActorKind.PROGRAM else None, "text", "viewer client"
    )
    scopes = q.bind(
        lambda run: None if run.actor.scopes is None else sorted(run.actor.scopes), "text[]", "viewer scopes"
    )
    locale = q.bind(lambda run: (run.reading.tags or ("en",))[0], "text", "viewer locale")
    return (
        f"(select '{q.shape.kind.value}' as kind, {q.person()} as person_id, {client} as client_id, "
        f"{posts[0]} as roles, {posts[1]} as organisation_ids, {posts[2]} as actives, "
        f"{scopes} as scopes, {locale} as locale) as {{t}}"
    )


def _with_role(q: Query) -> str:
    """With a role that the reader sees: a filter must not tell what the list does not show."""
    seen = _visible_post(q, "r")
    return (
        "exists (select 1 from role_grant r where r.person_id = {t}.id and r.role = any({v}) and r.revoked_at is null"
        f"{' and ' + seen if seen else ''})"
    )


@strawberry.input(description="A `PersonFilter` says which people are listed; all conditions must be met.")
class PersonFilter:
    role: list[Role] | None = reads.condition(
        _with_role, "text[]", "The person has one of these roles, among those that the reader sees."
    )
    email: str | None = reads.condition("lower({t}.email) = lower({v})", "text", "The person has this e-mail address.")


@strawberry.input(description="An `InvitationFilter` says which invitations are listed; all conditions must be met.")
class InvitationFilter:
    status: list[InvitationState] | None = reads.condition(
        f"({_STATE}) = any({{v}})", "text[]", "The invitation is in one of these states."
    )
    role: list[Role] | None = reads.condition(
        "{t}.role = any({v})", "text[]", "The invitation is to one of these roles."
    )


_CREATED = reads.Order("{t}.created_at", "timestamptz", "They are sorted by the time at which they were entered here.")
PEOPLE = reads.List(
    Person,
    "people",
    {
        "name": reads.Order("{t}.name", "text", "They are sorted by their names, as they are written."),
        "created": _CREATED,
    },
    default=("name", "asc"),
    filter=PersonFilter,
)
INVITATIONS = reads.List(
    Invitation, "invitations", {"created": _CREATED}, default=("created", "desc"), filter=InvitationFilter
)


@strawberry.type
class PeopleQueries:
    viewer: Viewer = reads.one("true", "This is the one who asks.", source=_viewer)
    people: reads.Connection[Person] = PEOPLE.connection(None, "These are the people whom the reader may see.")
    invitations: reads.Connection[Invitation] = INVITATIONS.connection(
        None, "The invitations that the reader may see, newest first; those to the secretariat are among them."
    )
