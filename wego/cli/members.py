"""`wego members`: what an operator does for the secretariat at a terminal.

The commands call the services that the API calls, as the actor "operator", and are in the log like every other act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import typer

from members.membership import membership, overview
from members.membership.applications import Item, Requested
from members.membership.membership import Decision
from members.people import invitations, people
from members.register import organisations
from members.register.models import Body, Membership, MembershipStatus
from wego.cli.base import OPERATOR, Json, ask, fail
from wego.core.access import Actor, Role
from wego.core.db import Session

app = typer.Typer(name="members", no_args_is_help=True, help="Cities, their membership and their people.")

City = Annotated[str, typer.Argument(help="The slug of the city, such as seoul.")]
Reason = Annotated[str, typer.Option(help="Why, as it is shown in the timeline.")]
Needed = Annotated[str, typer.Option("--reason", help="Why, as it is shown in the timeline. Mandatory.")]
Reference = Annotated[str, typer.Option(help='The decision, such as "Executive Committee 2026, item 4".')]
Deciding = Annotated[Body | None, typer.Option("--body", help="Who decided.")]
Language = Annotated[str, typer.Option(help="The language of the texts (BCP 47).")]
States = Annotated[list[MembershipStatus] | None, typer.Option("--status", help="Only in this state; repeatable.")]
Step = Callable[[Session, Actor, UUID, Decision], Awaitable[Membership]]
Place = Annotated[str, typer.Option("--city", help="The city; absent for the secretariat.")]


async def _slug(db: Session, slug: str) -> UUID:
    return (await organisations.by_slug(db, slug)).id


async def _place(db: Session, slug: str) -> UUID | None:
    return await _slug(db, slug) if slug else None


def _state(slug: str, after: Membership) -> dict[str, Any]:
    return {"city": slug, "status": after.status, "since": after.since.isoformat(timespec="seconds")} | (
        {"ends_on": after.ends_on.isoformat()} if after.ends_on else {}
    )


def _step(verb: Step, city: str, decision: Decision, as_json: bool) -> None:
    """Take one step in the membership of one city, and print its state."""

    async def work(db: Session) -> Any:
        return _state(city, await verb(db, OPERATOR, await _slug(db, city), decision))

    ask(work, as_json)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("list")
def list_members(
    status: States = None,
    country: Annotated[str, typer.Option(help="Only in this country (ISO 3166-1).")] = "",
    as_json: Json = False,
) -> None:
    """List cities with their membership."""
    ask(lambda db: overview.members(db, OPERATOR, statuses=status or (), country=country), as_json)


@app.command()
def show(city: City, as_json: Json = False) -> None:
    """Show one city."""
    ask(lambda db: overview.organisation(db, OPERATOR, city), as_json)


@app.command()
def timeline(city: City, as_json: Json = False) -> None:
    """Show every step in the membership of a city."""
    ask(lambda db: overview.timeline(db, OPERATOR, city), as_json)


@app.command()
def applications(status: States = None, as_json: Json = False) -> None:
    """List applications with what is missing, the longest waiting first; without --status those still open."""
    ask(lambda db: overview.pending(db, OPERATOR, status or ()), as_json)


@app.command("people")
def list_people(city: Place = "", as_json: Json = False) -> None:
    """List the people of a city, or of the secretariat."""

    async def work(db: Session) -> Any:
        return await overview.people(db, OPERATOR, await _place(db, city))

    ask(work, as_json)


# ── steps of a membership ─────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def submit(city: City, as_json: Json = False) -> None:
    """Hand in the application of a city on its behalf."""

    async def work(db: Session) -> Any:
        return _state(city, await membership.submit(db, OPERATOR, await _slug(db, city)))

    ask(work, as_json)


@app.command()
def check(city: City, as_json: Json = False) -> None:
    """Begin to check an application."""

    async def work(db: Session) -> Any:
        return _state(city, await membership.start_check(db, OPERATOR, await _slug(db, city)))

    ask(work, as_json)


@app.command("request-changes")
def request_changes(
    city: City,
    item: Annotated[list[Item], typer.Option(help="What is missing or wrong; repeatable.")],
    note: Annotated[str, typer.Option(help="What is wrong with it.")] = "",
    locale: Language = "en",
    as_json: Json = False,
) -> None:
    """Send an application back."""

    async def work(db: Session) -> Any:
        requested = [Requested(each, note) for each in item]
        decision = Decision(locale=locale)
        after = await membership.request_changes(db, OPERATOR, await _slug(db, city), requested, decision)
        return _state(city, after)

    ask(work, as_json)


@app.command()
def accept(city: City, reason: Reason = "", locale: Language = "en", as_json: Json = False) -> None:
    """Accept a complete application: the city is an associate from now on."""
    _step(membership.accept, city, Decision(reason, locale=locale), as_json)


@app.command()
def decline(
    city: City,
    reason: Needed,
    body: Deciding = None,
    reference: Reference = "",
    locale: Language = "en",
    as_json: Json = False,
) -> None:
    """Decline an application; an associate is declined by a --body."""
    _step(membership.decline, city, Decision(reason, reference, body, locale), as_json)


@app.command()
def withdraw(city: City, reason: Reason = "", locale: Language = "en", as_json: Json = False) -> None:
    """Take back the application of a city on its behalf."""
    _step(membership.withdraw, city, Decision(reason, locale=locale), as_json)


@app.command()
def admit(
    city: Annotated[list[str], typer.Argument(help="The slugs of the cities: all are admitted, or none.")],
    reference: Annotated[str, typer.Option(help='The decision, such as "Executive Committee 2026, item 4".')],
    body: Deciding = None,
    locale: Language = "en",
    as_json: Json = False,
) -> None:
    """Record the decision of a body that makes associates full members, or confirms friends and companies."""

    async def work(db: Session) -> Any:
        keys = {await _slug(db, each): each for each in city}
        decision = Decision(reference=reference, body=body, locale=locale)
        after = await membership.admit(db, OPERATOR, list(keys), decision)
        return [_state(keys[each.organisation_id], each) for each in after]

    ask(work, as_json)


@app.command()
def suspend(
    city: City,
    reason: Needed,
    body: Deciding = None,
    reference: Reference = "",
    locale: Language = "en",
    as_json: Json = False,
) -> None:
    """Suspend a member: its people and programs lose the rights of members at once."""
    _step(membership.suspend, city, Decision(reason, reference, body, locale), as_json)


@app.command()
def reinstate(
    city: City,
    reason: Reason = "",
    body: Deciding = None,
    reference: Reference = "",
    locale: Language = "en",
    as_json: Json = False,
) -> None:
    """Lift a suspension."""
    _step(membership.reinstate, city, Decision(reason, reference, body, locale), as_json)


@app.command()
def resign(
    city: City,
    reason: Annotated[str, typer.Option(help="The words of the written notice.")],
    locale: Language = "en",
    as_json: Json = False,
) -> None:
    """Record the written notice of a member; six months later it is none."""
    _step(membership.resign, city, Decision(reason, locale=locale), as_json)


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def invite(
    email: str,
    role: Annotated[Role, typer.Option(help="To which role.")],
    name: Annotated[str, typer.Option(help="What the person is called.")],
    city: Place = "",
    locale: Language = "en",
    as_json: Json = False,
) -> None:
    """Invite somebody, such as the first officer. The secret is printed once and kept nowhere."""

    async def work(db: Session) -> Any:
        place = await _place(db, city)
        invited = await invitations.invite(
            db, OPERATOR, email=email, name=name, role=role, place_id=place, locale=locale
        )
        until = invited.invitation.expires_at.isoformat(timespec="seconds")
        return {"invitation": str(invited.invitation.id), "secret": invited.secret, "expires_at": until}

    ask(work, as_json)


@app.command()
def join(secret: str, as_json: Json = False) -> None:
    """Take up an invitation with its secret."""

    async def work(db: Session) -> Any:
        accepted = await invitations.accept(db, secret=secret)
        return {"person": str(accepted.person.id), "role": accepted.invitation.role}

    ask(work, as_json)


@app.command()
def assign(
    email: str, role: Annotated[Role, typer.Option(help="Which role.")], city: Place = "", as_json: Json = False
) -> None:
    """Give a role to a person who is here already."""

    async def work(db: Session) -> Any:
        grant = await people.assign_role(db, OPERATOR, await _person(db, email), role, await _place(db, city))
        return {"person": str(grant.person_id), "role": grant.role, "city": city or None}

    ask(work, as_json)


@app.command()
def revoke(
    email: str, role: Annotated[Role, typer.Option(help="Which role.")], city: Place = "", as_json: Json = False
) -> None:
    """End a role of a person."""

    async def work(db: Session) -> Any:
        grant = await people.revoke_role(db, OPERATOR, await _person(db, email), role, await _place(db, city))
        return {"person": str(grant.person_id), "role": grant.role, "city": city or None}

    ask(work, as_json)


async def _person(db: Session, email: str) -> UUID:
    person = await people.by_email(db, email)
    if person is None:
        fail(f"Nobody here has the address {email}.", "`wego members people` lists who is here.")
    return person.id
