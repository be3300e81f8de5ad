"""One small network in which something is hidden in every way, each hidden text with a word of its own in it.

`canary("draft")` is that word: it stands in titles, summaries, sections and names, so also in addresses made of them.
The table in visibility.csv says who may ever meet it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from register_make import make_organisation, make_registered_city

from i18n.content.documents import Draft, Section, SectionPart, TranslationDraft
from members.demo.forms import signed_form
from members.membership import applications, membership
from members.membership.applications import ApplicationForm, Requested, Signatory, Upload
from members.membership.membership import Decision
from members.people import invitations, people
from members.people.models import Person, RoleGrant
from members.register.models import (
    Body,
    HistoryEvent,
    Membership,
    MembershipKind,
    MembershipStatus,
    OrganisationKind,
)
from practices.cases import archives, practices
from practices.cases.narrative import BUDGETS, TO_PUBLISH
from practices.cases.practices import Change
from practices.reviews import reviews
from practices.reviews.reviews import Comment
from wego.core.access import NOBODY, Actor, ActorKind, Post, Role, organisation, system
from wego.core.db import Session

KEYS = tuple(key for key in BUDGETS if key in TO_PUBLISH)
SYSTEM = system("test")
HOME, AWAY, HELD, HOPEFUL = "home", "away", "held", "hopeful"
WIDE = frozenset({"graphql:query", "graphql:mutate", "catalog:read", "catalog:write"})
NARROW = frozenset({"graphql:mutate", "catalog:write"})


def canary(word: str) -> str:
    return f"zq{word}qz"


def draft(*words: str) -> Draft:
    told = " ".join(map(canary, words)) or "Plain"
    return Draft(
        told, f"{told} in short.", tuple(Section(key, f"{told} head", f"{told} body.\n\nMore.") for key in KEYS)
    )


def korean(word: str) -> TranslationDraft:
    told = canary(word)
    return TranslationDraft(told, f"{told}.", tuple(SectionPart(key, told, f"{told} 하나.\n\n둘.") for key in KEYS))


@dataclass
class World:
    """Actors by name, cities and practices by name."""

    actors: dict[str, Actor] = field(default_factory=dict)
    cities: dict[str, UUID] = field(default_factory=dict)
    practices: dict[str, UUID] = field(default_factory=dict)


PEOPLE = {
    "editor": (Role.EDITOR, HOME), "cio": (Role.CIO, HOME), "head": (Role.HEAD, HOME),
    "object_editor": (Role.OBJECT_EDITOR, HOME), "delegate": (Role.DELEGATE, HOME),
    "cio_away": (Role.CIO, AWAY), "reviewer": (Role.EDITOR, AWAY), "reviewer_revoked": (Role.EDITOR, AWAY),
    "cio_held": (Role.CIO, HELD),
    "officer": (Role.OFFICER, None), "secretariat_editor": (Role.SECRETARIAT_EDITOR, None),
    "auditor": (Role.AUDITOR, None),
}  # fmt: skip
ACTORS = ("anonymous", "program_narrow", "program", "program_away", *PEOPLE)


async def build(db: Session) -> World:
    world = World()
    for slug, status in ((HOME, "full"), (AWAY, "full"), (HELD, "full"), (HOPEFUL, None)):
        world.cities[slug] = await _city(db, slug, status)
    who = {name: await _person(db, name, role, world.cities.get(place or "")) for name, (role, place) in PEOPLE.items()}
    world.actors = {"anonymous": NOBODY} | who
    await _practices(db, world)
    await _past(db, world)
    await _membership(db, world)
    await _people(db, world)
    world.actors |= {name: await people.actor_of(db, _key(actor)) for name, actor in who.items()}
    for name, city, scopes in (("program", HOME, WIDE), ("program_narrow", HOME, NARROW), ("program_away", AWAY, WIDE)):
        world.actors[name] = Actor(
            ActorKind.PROGRAM,
            f"{name}-client",
            posts=(Post(Role.PROGRAM, organisation(world.cities[city])),),
            scopes=scopes,
        )
    return world


def _key(actor: Actor) -> UUID:
    assert actor.person_id is not None
    return actor.person_id


async def _city(db: Session, slug: str, status: str | None) -> UUID:
    word = canary(slug) if slug == HOPEFUL else slug
    names = {"en": word.title() if status else word}
    website = f"https://{word}.example"
    city = await make_registered_city(db, word, population=5, languages=["en"], website=website, names=names)
    text = canary("history") if status is None else "Told."
    db.add(
        HistoryEvent(
            on_date=datetime(2010, 1, 1, tzinfo=UTC).date(),
            precision="day",
            kind="x",
            city_id=city.id,
            texts={"en": text},
            source=text,
        )
    )
    if status:
        db.add(Membership(organisation_id=city.id, status=MembershipStatus(status)))
    await db.flush()
    return city.id


async def _person(db: Session, name: str, role: Role, city_id: UUID | None) -> Actor:
    word = canary(f"person{name.replace('_', '')}")
    person = Person(email=f"{name}@{word}.example", name=word)
    db.add(person)
    await db.flush()
    db.add(RoleGrant(person_id=person.id, organisation_id=city_id, role=role, granted_by="test"))
    await db.flush()
    return await people.actor_of(db, person.id)


# ── practices ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _write(db: Session, world: World, word: str, city: str = HOME, **facts: Any) -> UUID:
    """A draft of the city with its word in every text and fact."""
    told = {
        "sdgs": [{"goal": 16, "target": "16.10"}], "cofog": ["01.3"], "technologies": ["wiki"],
        "iso_codes": ["ISO37120:5.1"], "launched_on": date(2020, 1, 1), "ended_on": date(2024, 1, 1),
        "themes": ["2017.open-city"], "keywords": {"en": [canary(word)]},
        "partners": [{"name": canary(word), "kind": "company", "support": ["technical"]}],
        "sources": [{"title": canary(word), "url": f"https://{canary(word)}.example/"}],
        "key_dates": [{"date": "2020-01-01", "significance": {"en": canary(word)}}],
        "money": [
            {"year": 2020, "source": canary(word), "amount": "1", "currency": "EUR", "kind": "capex"}
        ],
        "indicators": [{"scheme": "own", "code": canary(word), "unit": canary(word), "baseline": "1", "value": "2",
             "period": canary(word), "evidence_url": f"https://{canary(word)}.example/"}],
        "contacts": [{"name": canary("contact"), "role": "CIO", "email": f"a@{canary('contact')}.example",
                      "languages": ["en"]}],
        "visibility": "public", **facts,
    }  # fmt: skip
    made = await practices.create(db, SYSTEM, "en", draft(word), told, city=city)
    world.practices[word] = made.practice.id
    return made.practice.id


async def _publish(db: Session, world: World, word: str, city: str = HOME, **facts: Any) -> UUID:
    key = await _write(db, world, word, city, **facts)
    await reviews.submit(db, SYSTEM, key)
    await practices.publish(db, SYSTEM, key)
    return key


async def _practices(db: Session, world: World) -> None:
    """One in every state and under every visibility, as it is now."""
    await _write(db, world, "draft")
    given = await _write(db, world, "given")
    await practices.add_editor(db, world.actors["cio"], given, _key(world.actors["object_editor"]))
    await _reviewed(db, world)
    await _publish(db, world, "private", visibility="private")
    await _publish(db, world, "members", visibility="members")
    later = datetime.now(UTC) + timedelta(days=90)
    await _publish(db, world, "embargo", visibility="embargo", publish_at=later)
    public = await _publish(db, world, "public")
    await practices.translate(db, SYSTEM, public, "ko", korean("publicko"), tool="a translator")
    await archives.archive(db, SYSTEM, await _publish(db, world, "archived"), canary("archivereason"))
    await _write(db, world, "helddraft", HELD)
    await _publish(db, world, "heldprivate", HELD, visibility="private")
    await _publish(db, world, "heldmembers", HELD, visibility="members")


async def _reviewed(db: Session, world: World) -> None:
    """Under review by several, with what they said."""
    key = await _write(db, world, "review")
    await reviews.submit(db, SYSTEM, key)
    for name in ("reviewer", "reviewer_revoked", "cio_held"):
        await reviews.assign(db, SYSTEM, key, _key(world.actors[name]))
    asked = [Comment(canary("comment"), "results")]
    await reviews.request_changes(db, world.actors["reviewer_revoked"], key, asked, conflict="")
    await reviews.submit(db, SYSTEM, key)
    await reviews.request_changes(
        db, world.actors["secretariat_editor"], key, [Comment(canary("officecomment"))], conflict=canary("conflict")
    )
    await reviews.submit(db, SYSTEM, key)


async def _past(db: Session, world: World) -> None:
    """What was published for fewer than may see the practice now, and the other way round."""
    later = datetime.now(UTC) + timedelta(days=90)
    for word, facts in {
        "pastprivate": {"visibility": "private"}, "pastmembers": {"visibility": "members"},
        "pastembargo": {"visibility": "embargo", "publish_at": later},
    }.items():  # fmt: skip
        key = await _publish(db, world, word, **facts)
        await practices.translate(db, SYSTEM, key, "ko", korean(f"{word}ko"))
        await _rewrite(db, key, "open", visibility="public", note=canary("note"))
        await practices.translate(db, world.actors["editor"], key, "fr", korean("waiting"))
    shut = await _publish(db, world, "wasopen")
    await _rewrite(db, shut, "nowprivate", visibility="private")
    twice = await _publish(db, world, "firstopen")
    await _rewrite(db, twice, "between", visibility="private")
    await _rewrite(db, twice, "lastopen", visibility="public")


async def _rewrite(db: Session, key: UUID, word: str, *, note: str = "", **facts: Any) -> None:
    """Another text and other facts in the place of all that was there."""
    told = draft(word)
    facts |= {
        "keywords": {"en": [canary(word)]}, "partners": [], "sources": [], "key_dates": [], "indicators": [],
        "money": [],
    }  # fmt: skip
    await practices.revise(db, SYSTEM, key, Change(told.title, told.summary, told.sections, note=note), facts)


# ── membership and people ─────────────────────────────────────────────────────────────────────────────────────────


WISHER = "wisher"
# A friend is known to all; a company that only asks to belong is known to the secretariat.
_OTHERS = (("friends", OrganisationKind.ASSOCIATION), (canary(WISHER), OrganisationKind.COMPANY))


async def _membership(db: Session, world: World) -> None:
    hopeful, held = world.cities[HOPEFUL], world.cities[HELD]
    word = canary("application")
    form = ApplicationForm(
        motivation=word, contact_name=word, contact_email=f"a@{word}.example", signatory=Signatory.MAYOR,
        signed_form=Upload(f"{word}.pdf", signed_form(word, word)),
    )  # fmt: skip
    await membership.apply(db, SYSTEM, hopeful, form)
    await membership.submit(db, SYSTEM, hopeful)
    requested = [Requested(applications.Item.MOTIVATION, canary("request"))]
    await membership.request_changes(db, SYSTEM, hopeful, requested, Decision(canary("asked")))
    friend, wishing = [await make_organisation(db, word, kind, names={"en": word}) for word, kind in _OTHERS]
    db.add(Membership(organisation_id=friend.id, status=MembershipStatus.FRIENDSHIP, kind=MembershipKind.FRIENDSHIP))
    await db.flush()
    await membership.apply(db, SYSTEM, wishing.id, replace(form, motivation=canary("wish"), signed_form=None))
    await membership.suspend(
        db, world.actors["officer"], held, Decision(canary("suspension"), "Minutes 4", body=Body.EXECUTIVE_COMMITTEE)
    )


async def _people(db: Session, world: World) -> None:
    """A revoked reviewer, a person with a second role elsewhere, and invitations: to a stranger, to the secretariat,
    and to somebody who is here already."""
    revoked = _key(world.actors["reviewer_revoked"])
    await people.revoke_role(db, SYSTEM, revoked, Role.EDITOR, world.cities[AWAY])
    await people.assign_role(db, SYSTEM, _key(world.actors["cio_away"]), Role.OBJECT_EDITOR, world.cities[HOME])
    for word, email, city in (
        ("invitation", f"new@{canary('invitation')}.example", HOME),
        ("office", f"new@{canary('office')}.example", ""),
        ("known", f"delegate@{canary('persondelegate')}.example", AWAY),
    ):
        place = world.cities.get(city)
        role = Role.EDITOR if place else Role.AUDITOR
        await invitations.invite(db, SYSTEM, email=email, name=canary(word), role=role, place_id=place)
