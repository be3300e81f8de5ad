"""Invitations, roles, and the rights that follow from them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from members.people import invitations, people
from members.people.models import Invitation, InvitationStatus, Person, RoleGrant
from members.register.models import MembershipStatus
from wego.core import access, audit
from wego.core.access import Actor, Permission, Role
from wego.core.db import Database, Session
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Refusal
from wego.core.models import AccessEpoch, AuditEntry

from .conftest import NOW, SYSTEM, write_city, write_person

S = MembershipStatus


async def invite(db: Session, actor: Actor, role: Role, city: Any, email: str = "new@people.example") -> Any:
    return await invitations.invite(
        db, actor, email=email, name="Someone new", role=role, place_id=city.id if city else None, now=NOW
    )


# ── what a stranger cannot do ────────────────────────────────────────────────────────────────────────────────────


async def test_nobody_invites_or_gives_roles_without_signing_in(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.FULL)
    with pytest.raises(NotSignedIn):
        await invite(db, access.NOBODY, Role.EDITOR, city)
    with pytest.raises(NotSignedIn):
        await people.assign_role(db, access.NOBODY, uuid4(), Role.EDITOR, city.id)
    with pytest.raises(NotSignedIn):
        await people.revoke_role(db, access.NOBODY, uuid4(), Role.EDITOR, city.id)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.OBJECT_EDITOR, Role.DELEGATE])
async def test_who_does_not_lead_a_city_invites_nobody(
    db: Session, make_city: Any, make_actor: Any, role: Role
) -> None:
    city = await make_city(status=S.FULL)
    with pytest.raises(NotAllowed):
        await invite(db, await make_actor((role, city)), Role.EDITOR, city)


async def test_a_cio_invites_into_his_own_city_only_and_never_above_himself(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    city, other = await make_city("own", S.FULL), await make_city("other", S.FULL)
    cio = await make_actor((Role.CIO, city))
    for role in (Role.CIO, Role.EDITOR, Role.OBJECT_EDITOR, Role.DELEGATE):
        await invite(db, cio, role, city)
    for role, place in ((Role.EDITOR, other), (Role.HEAD, city), (Role.OFFICER, None), (Role.AUDITOR, None)):
        with pytest.raises(NotAllowed):
            await invite(db, cio, role, place)
    head = await make_actor((Role.HEAD, city))
    await invite(db, head, Role.HEAD, city)


async def test_an_applicant_and_a_suspended_city_may_still_invite_their_own(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    for slug, status in (("applicant", S.APPLICATION_DRAFT), ("held", S.SUSPENDED)):
        city = await make_city(slug, status)
        await invite(db, await make_actor((Role.CIO, city)), Role.EDITOR, city)


async def test_an_officer_invites_anywhere_but_no_program_and_no_role_out_of_place(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    city, officer = await make_city(status=S.FULL), await make_actor((Role.OFFICER, None))
    await invite(db, officer, Role.HEAD, city)
    await invite(db, officer, Role.SECRETARIAT_EDITOR, None)
    for role, place in ((Role.PROGRAM, city), (Role.OFFICER, city), (Role.CIO, None)):
        with pytest.raises(Invalid):
            await invite(db, officer, role, place)


@pytest.mark.parametrize(
    "email", ["", "no-at", "a@b", "a b@c.example", "a@b@c.example", "a\x00@c.example", "a\u202e@c.example",
              "x" * 65 + "@c.example", "a@" + "b" * 260 + ".example", "<a@c.example>"],
)  # fmt: skip
async def test_an_invitation_goes_to_an_address(db: Session, email: str) -> None:
    with pytest.raises(Invalid) as refused:
        await invite(db, SYSTEM, Role.AUDITOR, None, email)
    assert refused.value.path == ("input", "email")


# ── invitations ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_only_the_hash_of_the_secret_is_kept(db: Session, make_city: Any) -> None:
    invited = await invite(db, SYSTEM, Role.CIO, await make_city(status=S.FULL))
    assert len(invited.secret) >= 43
    assert invited.invitation.secret_hash == hashlib.sha256(invited.secret.encode()).digest()
    assert invited.invitation.expires_at == NOW + timedelta(days=14)
    await audit.append(db)
    told = (await db.execute(select(AuditEntry))).scalars().all()
    assert told
    kept = [repr(row.model_dump()) for row in (*told, invited.invitation)]
    assert not any(invited.secret in row for row in kept)
    assert not any("new@people.example" in repr(row.facts) for row in told)


async def test_an_invitation_is_taken_up_once(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.FULL)
    invited = await invite(db, SYSTEM, Role.CIO, city)
    before = (await db.execute(select(col(AccessEpoch.seq)))).scalar_one()
    person = await invitations.accept_invitation(db, invited.secret, now=NOW + timedelta(days=13))
    await audit.append(db)
    actor = await people.actor_of(db, person.id)
    assert [(post.role, post.place.id, post.active) for post in actor.posts] == [(Role.CIO, city.id, True)]
    assert (await db.execute(select(col(AccessEpoch.seq)))).scalar_one() == before + 1
    with pytest.raises(Conflict, match="used"):
        await invitations.accept_invitation(db, invited.secret, now=NOW + timedelta(days=13))


async def test_an_invitation_expires_after_fourteen_days(db: Session) -> None:
    invited = await invite(db, SYSTEM, Role.AUDITOR, None)
    with pytest.raises(Conflict, match="expired"):
        await invitations.accept_invitation(db, invited.secret, now=NOW + timedelta(days=14))
    await invitations.accept_invitation(db, invited.secret, now=NOW + timedelta(days=14, seconds=-1))


@pytest.mark.parametrize("secret", ["", "guess", "x" * 10_000, "\ud800", "\x00"])
async def test_a_guessed_secret_finds_nothing(db: Session, secret: str) -> None:
    await invite(db, SYSTEM, Role.AUDITOR, None)
    with pytest.raises(NotFound):
        await invitations.accept_invitation(db, secret, now=NOW)


async def test_the_role_goes_to_the_person_of_the_address_whatever_its_case(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.FULL)
    first = await invite(db, SYSTEM, Role.CIO, city, "Someone@People.example")
    second = await invite(db, SYSTEM, Role.EDITOR, city, "someone@people.EXAMPLE")
    one = await invitations.accept_invitation(db, first.secret, now=NOW)
    himself = await people.actor_of(db, one.id)
    same = await invitations.accept_invitation(db, second.secret, actor=himself, now=NOW)
    assert one.id == same.id
    assert {post.role for post in (await people.actor_of(db, one.id)).posts} == {Role.CIO, Role.EDITOR}


async def test_an_invitation_ends_with_the_role_of_who_made_it(db: Session, make_city: Any, make_actor: Any) -> None:
    city = await make_city(status=S.FULL)
    head, cio = await make_actor((Role.HEAD, city)), await make_actor((Role.CIO, city))
    invited = await invite(db, cio, Role.EDITOR, city)
    assert cio.person_id is not None
    await people.revoke_role(db, head, cio.person_id, Role.CIO, city.id)
    kept = await db.get(Invitation, invited.invitation.id, populate_existing=True)
    assert kept is not None
    assert kept.status is InvitationStatus.CANCELLED
    with pytest.raises(Conflict, match="taken back"):
        await invitations.accept_invitation(db, invited.secret, now=NOW)


# ── roles ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_cio_gives_roles_to_his_own_people_and_does_not_find_others(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    city, other = await make_city("own", S.FULL), await make_city("other", S.FULL)
    cio, editor = await make_actor((Role.CIO, city)), await make_actor((Role.EDITOR, city))
    foreigner = await make_actor((Role.EDITOR, other))
    await people.assign_role(db, cio, editor.person_id, Role.DELEGATE, city.id)
    with pytest.raises(Conflict, match="already"):
        await people.assign_role(db, cio, editor.person_id, Role.DELEGATE, city.id)
    for stranger in (foreigner.person_id, uuid4()):
        with pytest.raises(NotFound):
            await people.assign_role(db, cio, stranger, Role.DELEGATE, city.id)
    with pytest.raises(NotAllowed):
        await people.assign_role(db, cio, cio.person_id, Role.HEAD, city.id)
    with pytest.raises(NotAllowed):
        await people.assign_role(db, cio, editor.person_id, Role.DELEGATE, other.id)
    await people.assign_role(db, SYSTEM, foreigner.person_id, Role.DELEGATE, city.id)


async def test_a_cio_does_not_remove_the_head_but_everybody_may_lay_down_his_own_role(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    city = await make_city(status=S.FULL)
    head, cio, editor = [await make_actor((role, city)) for role in (Role.HEAD, Role.CIO, Role.EDITOR)]
    with pytest.raises(NotAllowed):
        await people.revoke_role(db, cio, head.person_id, Role.HEAD, city.id)
    with pytest.raises(NotAllowed):
        await people.revoke_role(db, editor, cio.person_id, Role.CIO, city.id)
    await people.revoke_role(db, editor, editor.person_id, Role.EDITOR, city.id)
    with pytest.raises(NotFound):
        await people.revoke_role(db, editor, editor.person_id, Role.EDITOR, city.id)
    assert (await people.actor_of(db, editor.person_id)).posts == ()


async def test_the_last_who_leads_a_city_stays(db: Session, make_city: Any, make_actor: Any) -> None:
    city = await make_city(status=S.FULL)
    head, cio = await make_actor((Role.HEAD, city)), await make_actor((Role.CIO, city))
    await people.revoke_role(db, SYSTEM, head.person_id, Role.HEAD, city.id)
    for actor in (SYSTEM, cio):
        with pytest.raises(Conflict, match="last head or CIO"):
            await people.revoke_role(db, actor, cio.person_id, Role.CIO, city.id)
    await make_actor((Role.CIO, city))
    await people.revoke_role(db, cio, cio.person_id, Role.CIO, city.id)


async def test_the_last_officer_stays(db: Session, make_actor: Any) -> None:
    one, two = await make_actor((Role.OFFICER, None)), await make_actor((Role.OFFICER, None))
    await people.revoke_role(db, one, two.person_id, Role.OFFICER, None)
    with pytest.raises(Conflict, match="last officer"):
        await people.revoke_role(db, one, one.person_id, Role.OFFICER, None)


async def test_an_actor_has_all_posts_and_a_suspended_city_lends_none_of_its_rights(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    good, held = await make_city("good", S.RESIGNING), await make_city("held", S.SUSPENDED)
    actor = await make_actor((Role.EDITOR, good), (Role.CIO, held), (Role.AUDITOR, None))
    assert {(post.role, post.active) for post in actor.posts} == {
        (Role.EDITOR, True), (Role.CIO, False), (Role.AUDITOR, True),
    }  # fmt: skip
    assert actor.places_with(Permission.PRACTICE_WRITE) == (good.id,)
    with pytest.raises(NotFound):
        await people.actor_of(db, uuid4())


# ── races ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def race(database: Database, *calls: Callable[[Session], Awaitable[Any]]) -> list[str]:
    async def one(call: Callable[[Session], Awaitable[Any]]) -> str:
        try:
            async with database.session() as db:
                await call(db)
        except Refusal as refusal:
            return refusal.code
        return "done"

    return sorted(await asyncio.gather(*(one(call) for call in calls)))


async def test_two_leaders_who_remove_each_other_leave_one(database: Database) -> None:
    async with database.session() as db:
        city = await write_city(db, "quarrel", S.FULL)
        one, two = await write_person(db, (Role.CIO, city)), await write_person(db, (Role.CIO, city))
    outcome = await race(
        database,
        lambda db: people.revoke_role(db, one, two.person_id, Role.CIO, city.id),
        lambda db: people.revoke_role(db, two, one.person_id, Role.CIO, city.id),
    )
    assert outcome == ["CONFLICT", "done"]
    async with database.session() as db:
        left = select(func.count()).select_from(RoleGrant).where(col(RoleGrant.revoked_at).is_(None))
        assert (await db.execute(left)).scalar_one() == 1


async def test_an_invitation_taken_up_twice_at_once_makes_one_person(database: Database) -> None:
    async with database.session() as db:
        city = await write_city(db, "wanted", S.FULL)
        invited = await invite(db, SYSTEM, Role.CIO, city)
    calls = [lambda db: invitations.accept_invitation(db, invited.secret, now=NOW) for _ in range(4)]
    assert await race(database, *calls) == ["CONFLICT", "CONFLICT", "CONFLICT", "done"]
    async with database.session() as db:
        assert (await db.execute(select(func.count()).select_from(Person))).scalar_one() == 1


async def test_a_role_given_twice_at_once_is_given_once(database: Database) -> None:
    async with database.session() as db:
        city = await write_city(db, "twice", S.FULL)
        person = await write_person(db, (Role.EDITOR, city))
    calls = [lambda db: people.assign_role(db, SYSTEM, person.person_id, Role.DELEGATE, city.id) for _ in range(3)]
    assert await race(database, *calls) == ["CONFLICT", "CONFLICT", "done"]
