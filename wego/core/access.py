"""The whole policy on one page: who may do what.

`require` is the first line of a service, `cities_with` and `everywhere` are the predicates of a read: both ask the
same table, so that what a list shows and what a verb allows can never disagree. A stranger gets NOT_FOUND for
what he may not see (the read does not find it) and NOT_ALLOWED for what he may see but not do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from wego.core.errors import NotAllowed, NotSignedIn, Refusal


class Role(StrEnum):
    """Roles of people and programs; a value is never renamed, only retired."""

    HEAD = "head"  # mayor or authorised representative: binds the city
    CIO = "cio"
    EDITOR = "editor"
    OBJECT_EDITOR = "object_editor"  # writes single practices that were given to him
    DELEGATE = "delegate"  # speaks for the city in assemblies
    PROGRAM = "program"  # a machine of the city, with a key of its own
    OFFICER = "officer"  # secretariat: membership, people, decisions
    SECRETARIAT_EDITOR = "secretariat_editor"  # secretariat: texts and reviews
    AUDITOR = "auditor"  # secretariat: reads everything, changes nothing


SECRETARIAT = frozenset({Role.OFFICER, Role.SECRETARIAT_EDITOR, Role.AUDITOR})


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
    Role.OFFICER: frozenset(Permission) - {P.MEMBERSHIP_LEAVE, P.PRACTICE_WRITE, P.PRACTICE_SUBMIT},
    Role.SECRETARIAT_EDITOR: frozenset(
        {P.PRACTICE_TRANSLATE, P.PRACTICE_READ, P.PRACTICE_REVIEW, P.PRACTICE_ASSIGN, P.PRACTICE_PUBLISH}
    ),
    Role.AUDITOR: frozenset({P.MEMBERSHIP_READ, P.PERSON_READ, P.PRACTICE_READ, P.AUDIT_READ}),
}

# What a role gives only while its city is a member in good standing; the rest it keeps, to apply or to answer.
NEEDS_MEMBERSHIP = frozenset(Permission) - {
    P.MEMBERSHIP_APPLY, P.MEMBERSHIP_LEAVE, P.MEMBERSHIP_READ, P.PERSON_INVITE, P.PERSON_READ, P.ROLE_ASSIGN,
}  # fmt: skip

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


@dataclass(frozen=True, slots=True)
class Post:
    """One role in one city, or in the secretariat (`city_id` None); `active` = the city is in good standing."""

    role: Role
    city_id: UUID | None = None
    active: bool = True

    @property
    def permissions(self) -> frozenset[Permission]:
        granted = GRANTS[self.role]
        return granted if self.active else granted - NEEDS_MEMBERSHIP


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
    shape: ActorShape = field(init=False)

    def __post_init__(self) -> None:
        everywhere = frozenset(Permission) if self.kind is ActorKind.SYSTEM else self._granted(in_city=False)
        somewhere = self._granted(in_city=True)
        member = any(post.city_id is None or post.active for post in self.posts) or bool(everywhere)
        if self.scopes is not None:  # a token that opens no reading of practices does not read as a member either
            member = member and Permission.PRACTICE_READ in everywhere | somewhere
        shape = ActorShape(self.kind, member, everywhere, somewhere)
        object.__setattr__(self, "shape", shape)

    def _granted(self, *, in_city: bool) -> frozenset[Permission]:
        granted = [post.permissions for post in self.posts if (post.city_id is not None) is in_city]
        return self._narrowed(frozenset().union(*granted))

    def _narrowed(self, permissions: frozenset[Permission]) -> frozenset[Permission]:
        if self.scopes is None:
            return permissions
        return permissions & frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in self.scopes))

    @property
    def signed_in(self) -> bool:
        return self.kind is not ActorKind.ANONYMOUS

    @property
    def city_ids(self) -> tuple[UUID, ...]:
        return tuple(dict.fromkeys(post.city_id for post in self.posts if post.city_id))

    def cities_as(self, role: Role) -> tuple[UUID, ...]:
        """The cities in good standing in which the actor holds the role; none where a token narrows his rights."""
        if self.scopes is not None:
            return ()
        return tuple({post.city_id: None for post in self.posts if post.city_id and post.active and post.role is role})

    def cities_with(self, permission: Permission) -> tuple[UUID, ...]:
        """The cities in which the actor has the permission."""
        if permission not in self.shape.somewhere:
            return ()
        return tuple({post.city_id: None for post in self.posts if post.city_id and permission in post.permissions})

    def may(self, permission: Permission, city_id: UUID | None = None) -> bool:
        return permission in self.shape.everywhere or (city_id is not None and city_id in self.cities_with(permission))


NOBODY = Actor(ActorKind.ANONYMOUS)


def system(subject: str) -> Actor:
    """The system itself, for the command line, seeds and jobs; `subject` is the word that the log shows."""
    return Actor(ActorKind.SYSTEM, subject)


def require(actor: Actor, permission: Permission, city_id: UUID | None = None) -> None:
    """Raise unless the actor has the permission everywhere, or in this city."""
    if not actor.may(permission, city_id):
        raise refusal(actor)


def refusal(actor: Actor) -> Refusal:
    """What is said to who may not: to sign in, where he has not, because he may then be allowed to."""
    if not actor.signed_in:
        return NotSignedIn("Sign in first: this needs a token.")
    return NotAllowed("Your role does not allow this.")
