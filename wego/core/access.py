"""The whole policy on one page: who may do what.

`require` is the first line of a service, `places_with` and `everywhere` are the predicates of a read: both ask the
same table, so that what a list shows and what a verb allows can never disagree. A stranger gets NOT_FOUND for
what he may not see (the read does not find it) and NOT_ALLOWED for what he may see but not do.

A right is what is written here and nothing else: a new permission belongs to nobody, not even to an officer or to the
system, until a line names it, and it ends with the good standing of its place unless `KEPT` names it as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from wego.core.errors import NotAllowed, NotSignedIn, Refusal
from wego.core.vocabulary import N_, Vocabulary


class Role(Vocabulary):
    """Roles of people and programs; a value is never renamed, only retired."""

    HEAD = (
        "head",
        "The head is a mayor, a representative or a chair, and binds the city, organisation or body.",
        N_("head"),
    )
    CIO = "cio", "The CIO leads what the city does here: its practices, its people and its programs.", N_("CIO")
    EDITOR = "editor", "An editor writes the practices of the city and translates them.", N_("editor")
    OBJECT_EDITOR = (
        "object_editor",
        "An object editor writes single practices that were given to that person.",
        N_("editor of single practices"),
    )
    DELEGATE = "delegate", "A delegate speaks for the city in assemblies, or sits in a body.", N_("delegate")
    PROGRAM = "program", "A program is a machine of the city or organisation, with a key of its own.", N_("program")
    OFFICER = (
        "officer",
        "An officer of the secretariat decides about members and people.",
        N_("officer of the secretariat"),
    )
    SECRETARIAT_EDITOR = (
        "secretariat_editor",
        "An editor of the secretariat cares for texts and reviews.",
        N_("editor of the secretariat"),
    )
    AUDITOR = "auditor", "An auditor of the secretariat reads everything and changes nothing.", N_("auditor")


class PlaceKind(StrEnum):
    """Where a role is held."""

    ORGANISATION = "organisation"  # a city, a friend, a company: it belongs to the network by a membership
    BODY = "body"  # a committee, a regional office, an assembly: it is the network's own and needs no membership
    SECRETARIAT = "secretariat"


HELD_AT: dict[PlaceKind, frozenset[Role]] = {
    PlaceKind.ORGANISATION: frozenset(
        {Role.HEAD, Role.CIO, Role.EDITOR, Role.OBJECT_EDITOR, Role.DELEGATE, Role.PROGRAM}
    ),
    PlaceKind.BODY: frozenset({Role.HEAD, Role.DELEGATE}),
    PlaceKind.SECRETARIAT: frozenset({Role.OFFICER, Role.SECRETARIAT_EDITOR, Role.AUDITOR}),
}


class Permission(StrEnum):
    MEMBERSHIP_APPLY = "membership.apply"
    MEMBERSHIP_LEAVE = "membership.leave"
    MEMBERSHIP_CHECK = "membership.check"
    MEMBERSHIP_DECIDE = "membership.decide"
    MEMBERSHIP_SUSPEND = "membership.suspend"
    MEMBERSHIP_READ = "membership.read"
    PERSON_INVITE = "person.invite"
    PERSON_READ = "person.read"
    ROLE_ASSIGN = "role.assign"
    PRACTICE_WRITE = "practice.write"
    PRACTICE_TRANSLATE = "practice.translate"
    PRACTICE_SUBMIT = "practice.submit"
    PRACTICE_PUBLISH = "practice.publish"
    PRACTICE_ASSIGN = "practice.assign_reviewer"
    PRACTICE_REVIEW = "practice.review"
    PRACTICE_READ = "practice.read"  # drafts and reviews as well
    AUDIT_READ = "audit.read"


P = Permission
_WRITING = frozenset({P.PRACTICE_WRITE, P.PRACTICE_TRANSLATE, P.PRACTICE_READ})
_CIO = _WRITING | {
    P.PRACTICE_SUBMIT, P.PRACTICE_PUBLISH, P.PRACTICE_REVIEW, P.PERSON_INVITE, P.PERSON_READ, P.ROLE_ASSIGN,
    P.MEMBERSHIP_APPLY, P.MEMBERSHIP_READ, P.AUDIT_READ,
}  # fmt: skip

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.HEAD: _CIO | {P.MEMBERSHIP_LEAVE},
    Role.CIO: _CIO,
    Role.EDITOR: _WRITING | {P.PRACTICE_SUBMIT, P.PRACTICE_REVIEW},
    Role.OBJECT_EDITOR: frozenset(),  # granted per practice, see practices/cases/models.py::PracticeEditor
    Role.DELEGATE: frozenset({P.PRACTICE_READ, P.MEMBERSHIP_READ}),
    Role.PROGRAM: _WRITING | {P.PRACTICE_SUBMIT},
    Role.OFFICER: frozenset(
        {
            P.MEMBERSHIP_APPLY, P.MEMBERSHIP_CHECK, P.MEMBERSHIP_DECIDE, P.MEMBERSHIP_SUSPEND, P.MEMBERSHIP_READ,
            P.PERSON_INVITE, P.PERSON_READ, P.ROLE_ASSIGN, P.PRACTICE_TRANSLATE, P.PRACTICE_PUBLISH,
            P.PRACTICE_ASSIGN, P.PRACTICE_REVIEW, P.PRACTICE_READ, P.AUDIT_READ,
        }
    ),
    Role.SECRETARIAT_EDITOR: frozenset(
        {P.PRACTICE_TRANSLATE, P.PRACTICE_READ, P.PRACTICE_REVIEW, P.PRACTICE_ASSIGN, P.PRACTICE_PUBLISH}
    ),
    Role.AUDITOR: frozenset({P.MEMBERSHIP_READ, P.PERSON_READ, P.PRACTICE_READ, P.AUDIT_READ}),
}  # fmt: skip

# What the system may: the operator at the command line stands in for an officer and, where nobody else can act, for a
# city; seeds and jobs do the same.
OF_THE_SYSTEM = GRANTS[Role.OFFICER] | {P.MEMBERSHIP_LEAVE, P.PRACTICE_WRITE, P.PRACTICE_SUBMIT}

# What a role keeps while its place is no member in good standing: to apply, to answer, and to keep its own house.
KEPT = frozenset(
    {
        P.MEMBERSHIP_APPLY, P.MEMBERSHIP_LEAVE, P.MEMBERSHIP_READ, P.PERSON_INVITE, P.PERSON_READ, P.ROLE_ASSIGN,
    }
)  # fmt: skip

# What a token's scope opens (federation.md 5.4). A person's own token has no scope: his roles say it all.
SCOPES: dict[str, frozenset[Permission]] = {
    "graphql:query": frozenset({P.PRACTICE_READ, P.MEMBERSHIP_READ}),
    "graphql:mutate": frozenset(),
    "catalog:read": frozenset({P.PRACTICE_READ}),
    "catalog:write": frozenset({P.PRACTICE_WRITE, P.PRACTICE_TRANSLATE, P.PRACTICE_SUBMIT}),
    "member:read": frozenset({P.MEMBERSHIP_READ}),
    "audit:read": frozenset({P.AUDIT_READ}),
}


class ActorKind(StrEnum):
    ANONYMOUS = "anonymous"
    PERSON = "person"
    PROGRAM = "program"
    SYSTEM = "system"  # the operator at the command line, the seed, a job


class Means(StrEnum):
    """By which means somebody acts; the edge that finds the actor says it."""

    PAGE = "page"  # a form of a page
    API = "api"  # GraphQL, and the endpoints of the authorization server
    TERMINAL = "terminal"  # a command
    JOB = "job"  # what runs by the clock or by itself


@dataclass(frozen=True, slots=True)
class Place:
    """Where a role is held: an organisation or a body by its id, or the secretariat, which is one and has none."""

    kind: PlaceKind
    id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.kind is PlaceKind.SECRETARIAT) is not (self.id is None):
            raise ValueError("an organisation and a body have an id, the secretariat has none")


SECRETARIAT = Place(PlaceKind.SECRETARIAT)


def organisation(key: UUID) -> Place:
    """A city or another organisation as the place of a post."""
    return Place(PlaceKind.ORGANISATION, key)


@dataclass(frozen=True, slots=True)
class Post:
    """One role at one place; `active` = the place is in good standing."""

    role: Role
    place: Place = SECRETARIAT
    active: bool = True

    @property
    def permissions(self) -> frozenset[Permission]:
        granted = GRANTS[self.role]
        return granted if self.active else granted & KEPT


class ActorShape(NamedTuple):
    """What a compiled read depends on: which kinds of rights there are, not whose."""

    kind: ActorKind
    member: bool
    everywhere: frozenset[Permission]
    somewhere: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: a person, a program, nobody, or the system, with all posts at once."""

    kind: ActorKind
    subject: str = ""  # person id, client id, or a word for the system; what the log shows
    person_id: UUID | None = None
    posts: tuple[Post, ...] = ()
    scopes: frozenset[str] | None = None  # None: not narrowed by a token
    locale: str = ""
    means: Means = Means.API
    shape: ActorShape = field(init=False)

    def __post_init__(self) -> None:
        everywhere = OF_THE_SYSTEM if self.kind is ActorKind.SYSTEM else self._granted(inside=True)
        somewhere = self._granted(inside=False)
        member = any(post.active for post in self.posts) or bool(everywhere)
        if self.scopes is not None:  # a token that opens no reading of practices does not read as a member either
            member = member and Permission.PRACTICE_READ in everywhere | somewhere
        shape = ActorShape(self.kind, member, everywhere, somewhere)
        object.__setattr__(self, "shape", shape)

    def _granted(self, *, inside: bool) -> frozenset[Permission]:
        """What the posts inside the secretariat give, or those at all other places."""
        granted = [post.permissions for post in self.posts if (post.place == SECRETARIAT) is inside]
        return self._narrowed(frozenset().union(*granted))

    def _narrowed(self, permissions: frozenset[Permission]) -> frozenset[Permission]:
        if self.scopes is None:
            return permissions
        return permissions & frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in self.scopes))

    @property
    def signed_in(self) -> bool:
        return self.kind is not ActorKind.ANONYMOUS

    @property
    def place_ids(self) -> tuple[UUID, ...]:
        """The organisations and bodies in which the actor has a post, whatever their standing."""
        return tuple(dict.fromkeys(post.place.id for post in self.posts if post.place.id))

    def places_as(self, role: Role) -> tuple[UUID, ...]:
        """The organisations in good standing, and the bodies, in which the actor holds the role; none where a token
        narrows his rights."""
        if self.scopes is not None:
            return ()
        return self._places(lambda post: post.active and post.role is role)

    def places_with(self, permission: Permission) -> tuple[UUID, ...]:
        """The organisations and bodies in which the actor has the permission."""
        if permission not in self.shape.somewhere:
            return ()
        return self._places(lambda post: permission in post.permissions)

    def _places(self, holds: Callable[[Post], bool]) -> tuple[UUID, ...]:
        return tuple({post.place.id: None for post in self.posts if post.place.id and holds(post)})

    def acts_as(self, permission: Permission | None, place_id: UUID | None) -> Post | None:
        """The post by which the actor does something at a place: one that gives the permission there, or everywhere;
        else, as of who was given a single thing to do, his post there, or the first that is active. Of several, the
        highest (the order of `Role`)."""
        ranked = sorted(self.posts, key=lambda post: list(Role).index(post.role))
        there = [post for post in ranked if post.place.id == place_id]
        office = [post for post in ranked if post.place == SECRETARIAT]
        granting = [post for post in (*there, *office) if permission in post.permissions]
        return next(iter([*granting, *there, *(post for post in ranked if post.active), *ranked]), None)

    def may(self, permission: Permission, place_id: UUID | None = None) -> bool:
        """Whether the actor has the permission everywhere, or at this place."""
        return permission in self.shape.everywhere or (
            place_id is not None and place_id in self.places_with(permission)
        )


NOBODY = Actor(ActorKind.ANONYMOUS)


def system(subject: str, means: Means = Means.JOB) -> Actor:
    """The system itself, for the command line, seeds and jobs; `subject` is the word that the log shows."""
    return Actor(ActorKind.SYSTEM, subject, means=means)


def require(actor: Actor, permission: Permission, place_id: UUID | None = None) -> None:
    """Raise unless the actor has the permission everywhere, or at this place."""
    if not actor.may(permission, place_id):
        raise refusal(actor)


def refusal(actor: Actor) -> Refusal:
    """What is said to who may not: to sign in, where he has not, because he may then be allowed to."""
    if not actor.signed_in:
        return NotSignedIn("Sign in first: this needs a token.")
    return NotAllowed("Your role does not allow this.")
