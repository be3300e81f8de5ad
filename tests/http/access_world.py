"""A network in which every mutation is possible at once, and one minimal valid input for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from http_make import Caller, Station, city_of
from register_make import make_organisation
from sqlalchemy import select
from sqlmodel import col

from i18n.content.documents import TranslationDraft
from members.demo.forms import signed_form
from members.membership import membership
from members.membership.applications import ApplicationForm, Signatory, Upload
from members.membership.membership import Decision
from members.membership.models import Application
from members.people import invitations
from members.people.models import Person, RoleGrant
from members.register.models import OrganisationKind
from practices.cases import archives, files, practices
from practices.cases.models import PracticeEditor
from practices.reviews import reviews
from wego.core.access import Role, system
from wego.core.db import Session, settle
from wego.core.ids import global_id

OWN, OTHER, REVIEWER, SUSPENDED = "seoul", "chengdu", "barcelona", "takamatsu"
DRAFTING, SENT, CHECKED, ASSOCIATE = "beira", "lviv", "nantes", "newark"
FRIEND = "union-of-cities"
STATES = ("draft", "submitted", "under_review", "accepted", "published", "archived")
TEST = system("test")
SECRET = "a secret that is long enough to be one of ours"
IN_CITY = ("head", "cio", "editor", "object_editor", "delegate")
IN_SECRETARIAT = {"officer": "secretariat", "secretariat_editor": "editor", "auditor": "auditor"}


async def prepare(db: Session) -> None:
    """Bring the demonstration into the states from which the verbs start."""
    reviewer = await person(db, f"cio@{REVIEWER}.demo")
    for slug in (OWN, SUSPENDED):
        for state in STATES:
            await _practice(db, slug, state, reviewer)
        await _extra(db, slug)
    await _extra(db, ASSOCIATE)
    await membership.suspend(db, TEST, (await city_of(db, SUSPENDED)).id, Decision("A test."))
    drafting, associate = (await city_of(db, DRAFTING)).id, (await city_of(db, ASSOCIATE)).id
    for city_id in (drafting, associate):
        await membership.apply(db, TEST, city_id, form())
    await make_organisation(db, FRIEND, OrganisationKind.ASSOCIATION)
    await membership.submit(db, TEST, associate)
    await membership.accept(db, TEST, associate)
    home = (await city_of(db, OWN)).id
    await invitations.invite(
        db, TEST, email="new@seoul.example", name="New", role=Role.EDITOR, place_id=home, secret=lambda: SECRET
    )


def form() -> ApplicationForm:
    return ApplicationForm(
        motivation="To learn.", contact_name="CIO", contact_email="cio@city.example", signatory=Signatory.MAYOR,
        signed_form=Upload("form.pdf", signed_form("City", "Mayor")),
    )  # fmt: skip


async def person(db: Session, email: str) -> Person:
    found: Person = (await db.execute(select(Person).where(col(Person.email) == email))).scalar_one()
    return found


async def _extra(db: Session, slug: str) -> None:
    """Somebody in the city who is none of the callers."""
    somebody = Person(email=f"extra@{slug}.demo", name="Extra")
    db.add(somebody)
    await db.flush()
    city = await city_of(db, slug)
    for role in (Role.EDITOR, Role.OBJECT_EDITOR):
        db.add(RoleGrant(person_id=somebody.id, role=role, organisation_id=city.id, granted_by="test"))


async def _practice(db: Session, city: str, state: str, reviewer: Person) -> None:
    case = next(case for case in files.demonstration() if case.status == "published")
    slug = f"{city}-{state.replace('_', '-')}"
    made = await practices.create(db, TEST, case.original_locale, case.original, case.facts, city=city, slug=slug)
    key, steps = made.practice.id, STATES.index(state)
    if steps >= 1:
        await reviews.submit(db, TEST, key)
    if steps >= 2:
        await reviews.assign(db, TEST, key, reviewer.id)
    if steps >= 3:
        from members.people import people

        await reviews.accept(db, await people.actor_of(db, reviewer.id), key, conflict="")
    if steps >= 4:
        await practices.publish(db, TEST, key)
        await _waiting(db, city, key)
    if steps >= 5:
        await archives.archive(db, TEST, key, "A test.")
    editor = await person(db, f"object_editor@{city}.demo")
    db.add(PracticeEditor(practice_id=key, person_id=editor.id))


async def _waiting(db: Session, city: str, key: UUID) -> None:
    """A translation of somebody who may not publish."""
    from members.people import people

    editor = await people.actor_of(db, (await person(db, f"editor@{city}.demo")).id)
    await practices.translate(db, editor, key, "fi", TranslationDraft(title="Otsikko"))


class Rehearsal:
    """A database whose sessions never commit: what is allowed can be done by one after the other."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.reads = database.reads

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Session]:
        async with self._database.sessions() as db:
            try:
                yield db
                await settle(db)
                await db.flush()
            finally:
                await db.rollback()

    session = unit

    async def durable(self, db: Session) -> None:
        """Nothing was committed, so there is nothing to wait for."""


@dataclass
class World:
    """The prepared hub and those who call it."""

    station: Station
    callers: dict[str, Caller | None]

    def city(self, caller: str) -> str:
        """The city whose things a caller acts upon: a suspended one's CIO stays at home."""
        return SUSPENDED if caller == "cio of a suspended city" else OWN

    async def application(self, slug: str) -> str:
        async with self.station.hub.database.session() as db:
            city = await city_of(db, slug)
            query = select(col(Application.id)).where(
                col(Application.organisation_id) == city.id, col(Application.decided_at).is_(None)
            )
            return global_id("Application", (await db.execute(query)).scalar_one())


async def callers_of(station: Station, home: str = OWN) -> dict[str, Caller | None]:
    """Everybody who could call: by role at home, elsewhere, and in the secretariat."""
    callers: dict[str, Caller | None] = {"nobody": None}
    for role in IN_CITY:
        callers[role] = await station.person(f"{role}@{home}.demo")
    for role, name in IN_SECRETARIAT.items():
        callers[role] = await station.person(f"{name}@wego.demo")
    callers["program"] = await station.program(OWN)
    callers["program of another city"] = await station.program(REVIEWER)
    callers["cio of another city"] = await station.person(f"cio@{OTHER}.demo")
    callers["assigned reviewer"] = await station.person(f"cio@{REVIEWER}.demo")
    callers["cio of a suspended city"] = await station.person(f"cio@{SUSPENDED}.demo")
    return callers


@dataclass
class Inputs:
    """One minimal valid input of each mutation, for the city on whose things is acted."""

    extra: dict[str, str]
    reviewer: str
    applications: dict[str, str]

    def of(self, mutation: str, city: str) -> dict[str, Any]:
        given = {**self._membership(city), **self._people(city), **self._practices(city)}
        return dict(given[mutation])

    def _membership(self, city: str) -> dict[str, dict[str, Any]]:
        sent, checked = ({"application": self.applications[slug]} for slug in (SENT, CHECKED))
        return {
            "applyForMembership": {"city": DRAFTING, "motivation": "To learn."},
            "submitApplication": {"application": self.applications[DRAFTING]},
            "startApplicationCheck": sent,
            "requestApplicationChanges": checked | {"items": [{"item": "MOTIVATION"}]},
            "acceptApplication": checked,
            "declineApplication": checked | {"reason": "A test."},
            "withdrawApplication": sent,
            "admitMember": {"cities": [ASSOCIATE], "reference": "Executive Committee, a test"},
            "suspendMember": {"city": OWN, "reason": "A test."},
            "reinstateMember": {"city": SUSPENDED, "reason": "A test."},
            "resignMembership": {"city": city, "notice": "We leave."},
            "registerCity": {
                "slug": "testville", "names": [{"locale": "en", "name": "Testville"}], "endonymLocale": "en",
                "country": "GB", "region": "EUROPE", "latitude": 51.5, "longitude": 0.1, "population": 1000,
                "timeZone": "Europe/London", "languages": ["en"],
            },
            "updateCity": {"city": city, "population": 12345},
            "registerOrganisation": {
                "kind": "ASSOCIATION", "slug": "another-union", "names": [{"locale": "en", "name": "Another Union"}],
                "endonymLocale": "en", "country": "GB", "region": "EUROPE",
            },
            "updateOrganisation": {"organisation": FRIEND, "website": "https://union.example"},
        }  # fmt: skip

    def _people(self, city: str) -> dict[str, dict[str, Any]]:
        extra = {"person": self.extra[city], "city": city}
        return {
            "invitePerson": {"email": "a@b.example", "name": "A", "role": "EDITOR", "city": city},
            "acceptInvitation": {"secret": SECRET},
            "assignRole": extra | {"role": "DELEGATE"},
            "revokeRole": extra | {"role": "EDITOR"},
        }

    def _practices(self, city: str) -> dict[str, dict[str, Any]]:
        draft, submitted, reviewed, accepted, published, archived = (
            {"practice": f"{city}-{state.replace('_', '-')}"} for state in STATES
        )
        return {
            "createPractice": {"city": city, "originalLocale": "en", "title": "A title", "summary": "A summary."},
            "revisePractice": draft | {"title": "Another title"},
            "translatePractice": published | {"locale": "tr", "title": "Başlık"},
            "publishTranslation": published | {"locale": "fi"},
            "submitPractice": draft,
            "assignReviewer": submitted | {"reviewer": self.reviewer},
            "requestPracticeChanges": reviewed | {"comments": [{"text": "Say more."}]},
            "acceptPractice": reviewed | {"conflict": ""},
            "publishPractice": accepted,
            "withdrawPractice": submitted,
            "restorePractice": archived,
            "renamePractice": published | {"slug": f"{city}-renamed"},
            "deletePractice": draft,
            "archivePractice": published | {"reason": "A test."},
            "addPracticeEditor": draft | {"person": self.extra[city]},
        }


async def make_world(station: Station) -> tuple[World, Inputs]:
    async with station.hub.database.session() as db:
        await prepare(db)
    world = World(station, await callers_of(station))
    inputs = Inputs(
        {slug: station.person_id(f"extra@{slug}.demo") for slug in (OWN, SUSPENDED)},
        station.person_id(f"cio@{OTHER}.demo"),
        {slug: await world.application(slug) for slug in (DRAFTING, SENT, CHECKED)},
    )
    return world, inputs
