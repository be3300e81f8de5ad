"""`wego members`: what an operator does for the secretariat at a terminal.

The commands call the services that the API calls, as the person who is named by `--as` or else as the operator, and
are in the log like every other act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from members.membership import membership, overview
from members.membership.applications import ApplicationForm, Item, Requested, Signatory, Upload
from members.membership.membership import Decision
from members.people import invitations, people
from members.register import organisations
from members.register.models import Body, Membership, MembershipStatus, OrganisationKind, Region
from members.register.organisations import Facts
from wego.cli.acting import As, Csv, act
from wego.cli.base import Json, fail
from wego.core.access import NOBODY, Actor, Role
from wego.core.db import Session
from wego.core.ids import global_id

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


def _step(verb: Step, city: str, decision: Decision, who: str, as_json: bool) -> None:
    """Take one step in the membership of one city, and print its state."""

    async def work(db: Session, actor: Actor) -> Any:
        return _state(city, await verb(db, actor, await _slug(db, city), decision))

    act(work, who, as_json)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("list")
def list_members(
    status: States = None,
    country: Annotated[str, typer.Option(help="Only in this country (ISO 3166-1).")] = "",
    who: As = "",
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """List cities with their membership."""
    act(lambda db, actor: overview.members(db, actor, statuses=status or (), country=country), who, as_json, as_csv)


@app.command()
def show(city: City, who: As = "", as_json: Json = False) -> None:
    """Show one city."""
    act(lambda db, actor: overview.organisation(db, actor, city), who, as_json)


@app.command()
def timeline(city: City, who: As = "", as_csv: Csv = False, as_json: Json = False) -> None:
    """Show every step in the membership of a city."""
    act(lambda db, actor: overview.timeline(db, actor, city), who, as_json, as_csv)


@app.command()
def applications(status: States = None, who: As = "", as_csv: Csv = False, as_json: Json = False) -> None:
    """List applications with what is missing, the longest waiting first; without --status those still open."""
    act(lambda db, actor: overview.pending(db, actor, status or ()), who, as_json, as_csv)


@app.command()
def application(
    city: City,
    folder: Annotated[Path | None, typer.Option("--files", help="A folder into which its files are written.")] = None,
    who: As = "",
    as_json: Json = False,
) -> None:
    """Show the newest application of an organisation with all that was sent, and write its files into a folder."""

    async def work(db: Session, actor: Actor) -> Any:
        seen, files = await overview.application(db, actor, city)
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (folder / name).write_bytes(content)
        return seen

    act(work, who, as_json)


@app.command()
def history(
    city: City,
    limit: Annotated[int, typer.Option(help="How many of the newest entries.")] = 1_000,
    who: As = "",
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """Tell all that happened to an organisation and all that its people did for it, the oldest first."""
    act(lambda db, actor: overview.history(db, actor, city, limit), who, as_json, as_csv)


@app.command("people")
def list_people(city: Place = "", who: As = "", as_csv: Csv = False, as_json: Json = False) -> None:
    """List the people of a city, or of the secretariat."""

    async def work(db: Session, actor: Actor) -> Any:
        return await overview.people(db, actor, await _place(db, city))

    act(work, who, as_json, as_csv)


# ── the register, and what an organisation sends ──────────────────────────────────────────────────────────────────


@app.command()
def register(
    slug: Annotated[str, typer.Argument(help="Its name in addresses, such as city-net.")],
    kind: Annotated[OrganisationKind, typer.Option(help="What it is; a city is registered through the API.")],
    name: Annotated[list[str], typer.Option(help="A name as LANGUAGE=NAME, English among them; repeatable.")],
    country: Annotated[str, typer.Option(help="Its country (ISO 3166-1).")],
    region: Annotated[Region, typer.Option(help="Its region of the world.")],
    language: Annotated[list[str], typer.Option(help="In which it works (BCP 47), its own first; repeatable.")],
    website: Annotated[str, typer.Option(help="Its website (https).")] = "",
    insist: Annotated[bool, typer.Option("--insist", help="It is another one than the one of this name.")] = False,
    who: As = "",
    as_json: Json = False,
) -> None:
    """Enter an organisation that is no city in the register; it is no member by that."""
    names = dict(each.partition("=")[::2] for each in name)
    own = language[0] if language[0] in names else "en"

    async def work(db: Session, actor: Actor) -> Any:
        facts = Facts(kind, slug, names, own, country, region, tuple(language), website or None)
        made = await organisations.register(db, actor, facts, insist=insist)
        return {"organisation": made.slug, "kind": made.kind, "id": global_id("Organisation", made.id)}

    act(work, who, as_json)


@app.command()
def apply(
    city: City,
    motivation: Annotated[str, typer.Option(help="Why it wants to be a member.")] = "",
    contact_name: Annotated[str, typer.Option(help="Whom to ask.")] = "",
    contact_email: Annotated[str, typer.Option(help="Where to ask.")] = "",
    signatory: Annotated[Signatory | None, typer.Option(help="Who signed the form.")] = None,
    form: Annotated[Path | None, typer.Option(help="The signed form: PDF, PNG or JPEG.", dir_okay=False)] = None,
    letter: Annotated[Path | None, typer.Option(help="An official letter.", dir_okay=False)] = None,
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Begin the application of an organisation, or write its draft anew; `submit` hands it in."""
    sent = ApplicationForm(
        None, motivation, locale, contact_name, contact_email, signatory, _upload(form), _upload(letter)
    )

    async def work(db: Session, actor: Actor) -> Any:
        application = await membership.apply(db, actor, await _slug(db, city), sent)
        return {"organisation": city, "status": application.status, "id": global_id("Application", application.id)}

    act(work, who, as_json)


def _upload(path: Path | None) -> Upload | None:
    try:
        return Upload(path.name, path.read_bytes()) if path else None
    except OSError as problem:
        fail(f"{path} cannot be read: {problem.strerror}")


# ── steps of a membership ─────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def submit(city: City, who: As = "", as_json: Json = False) -> None:
    """Hand in the application of a city on its behalf."""

    async def work(db: Session, actor: Actor) -> Any:
        return _state(city, await membership.submit(db, actor, await _slug(db, city)))

    act(work, who, as_json)


@app.command()
def check(city: City, who: As = "", as_json: Json = False) -> None:
    """Begin to check an application."""

    async def work(db: Session, actor: Actor) -> Any:
        return _state(city, await membership.start_check(db, actor, await _slug(db, city)))

    act(work, who, as_json)


@app.command("request-changes")
def request_changes(
    city: City,
    item: Annotated[list[Item], typer.Option(help="What is missing or wrong; repeatable.")],
    note: Annotated[str, typer.Option(help="What is wrong with it.")] = "",
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Send an application back."""

    async def work(db: Session, actor: Actor) -> Any:
        requested = [Requested(each, note) for each in item]
        decision = Decision(locale=locale)
        after = await membership.request_changes(db, actor, await _slug(db, city), requested, decision)
        return _state(city, after)

    act(work, who, as_json)


@app.command()
def accept(city: City, reason: Reason = "", locale: Language = "en", who: As = "", as_json: Json = False) -> None:
    """Accept a complete application: the city is an associate from now on."""
    _step(membership.accept, city, Decision(reason, locale=locale), who, as_json)


@app.command()
def decline(
    city: City,
    reason: Needed,
    body: Deciding = None,
    reference: Reference = "",
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Decline an application; an associate is declined by a --body."""
    _step(membership.decline, city, Decision(reason, reference, body, locale), who, as_json)


@app.command()
def withdraw(city: City, reason: Reason = "", locale: Language = "en", who: As = "", as_json: Json = False) -> None:
    """Take back the application of a city on its behalf."""
    _step(membership.withdraw, city, Decision(reason, locale=locale), who, as_json)


@app.command()
def admit(
    city: Annotated[list[str], typer.Argument(help="The slugs of the cities: all are admitted, or none.")],
    reference: Annotated[str, typer.Option(help='The decision, such as "Executive Committee 2026, item 4".')],
    body: Deciding = None,
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Record the decision of a body that makes associates full members, or confirms friends and companies."""

    async def work(db: Session, actor: Actor) -> Any:
        keys = {await _slug(db, each): each for each in city}
        decision = Decision(reference=reference, body=body, locale=locale)
        after = await membership.admit(db, actor, list(keys), decision)
        return [_state(keys[each.organisation_id], each) for each in after]

    act(work, who, as_json)


@app.command()
def suspend(
    city: City,
    reason: Needed,
    body: Deciding = None,
    reference: Reference = "",
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Suspend a member: its people and programs lose the rights of members at once."""
    _step(membership.suspend, city, Decision(reason, reference, body, locale), who, as_json)


@app.command()
def reinstate(
    city: City,
    reason: Reason = "",
    body: Deciding = None,
    reference: Reference = "",
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Lift a suspension."""
    _step(membership.reinstate, city, Decision(reason, reference, body, locale), who, as_json)


@app.command()
def resign(
    city: City,
    reason: Annotated[str, typer.Option(help="The words of the written notice.")],
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Record the written notice of a member; six months later it is none."""
    _step(membership.resign, city, Decision(reason, locale=locale), who, as_json)


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def invite(
    email: str,
    role: Annotated[Role, typer.Option(help="To which role.")],
    name: Annotated[str, typer.Option(help="What the person is called.")],
    city: Place = "",
    locale: Language = "en",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Invite somebody, such as the first officer. The secret is printed once and kept nowhere."""

    async def work(db: Session, actor: Actor) -> Any:
        place = await _place(db, city)
        invited = await invitations.invite(db, actor, email=email, name=name, role=role, place_id=place, locale=locale)
        until = invited.invitation.expires_at.isoformat(timespec="seconds")
        key = global_id("Invitation", invited.invitation.id)
        return {"invitation": key, "secret": invited.secret, "expires_at": until}

    act(work, who, as_json)


@app.command()
def join(secret: str, who: As = "", as_json: Json = False) -> None:
    """Take up an invitation with its secret."""

    async def work(db: Session, actor: Actor) -> Any:
        accepted = await invitations.accept(db, actor if who else NOBODY, secret=secret)
        return {"person": global_id("Person", accepted.person.id), "role": accepted.invitation.role}

    act(work, who, as_json)


@app.command()
def assign(
    email: str,
    role: Annotated[Role, typer.Option(help="Which role.")],
    city: Place = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Give a role to a person who is here already."""

    async def work(db: Session, actor: Actor) -> Any:
        grant = await people.assign_role(db, actor, await _person(db, email), role, await _place(db, city))
        return {"person": global_id("Person", grant.person_id), "role": grant.role, "city": city or None}

    act(work, who, as_json)


@app.command()
def revoke(
    email: str,
    role: Annotated[Role, typer.Option(help="Which role.")],
    city: Place = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """End a role of a person."""

    async def work(db: Session, actor: Actor) -> Any:
        grant = await people.revoke_role(db, actor, await _person(db, email), role, await _place(db, city))
        return {"person": global_id("Person", grant.person_id), "role": grant.role, "city": city or None}

    act(work, who, as_json)


async def _person(db: Session, email: str) -> UUID:
    person = await people.by_email(db, email)
    if person is None:
        fail(f"Nobody here has the address {email}.", "`wego members people` lists who is here.")
    return person.id
