"""The demonstration network: real cities, WeGO's history as far as it is told, applications, demo people.

Facts and their sources are in `members/demo`. What is assumed there says so in its timeline. Demo people are
called by their role; nobody who could exist appears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlmodel import SQLModel, col

from i18n.language.origins import Origin
from members.demo import cities as places
from members.demo import history
from members.demo.forms import signed_form
from members.membership.applications import Item, Signatory, media_type
from members.membership.models import Application, ApplicationFile
from members.membership.states import PENDING
from members.people.models import Person, RoleGrant
from members.register import places as by_name
from members.register.cities import CityFacts, checked, rows_of
from members.register.models import (
    Body,
    HistoryEvent,
    Membership,
    MembershipStatus,
    MembershipStep,
    Organisation,
    OrganisationPlace,
    Region,
)
from members.register.organisations import names_of
from wego.core import access, audit
from wego.core.access import Role
from wego.core.audit import Event, Happening, Subject
from wego.core.audit.entries import Decided
from wego.core.db import Session
from wego.core.ids import new_id

S = MembershipStatus
SEED = access.system("seed", access.Means.TERMINAL)
ASSUMED = "Assumed for the demonstration: no statement about this city."

SECRETARIAT = {
    "secretariat@wego.demo": ("Officer of the WeGO Secretariat", Role.OFFICER),
    "editor@wego.demo": ("Editor of the WeGO Secretariat", Role.SECRETARIAT_EDITOR),
    "auditor@wego.demo": ("Auditor of the WeGO Secretariat", Role.AUDITOR),
}
CITY_ROLES = {Role.HEAD: "Head", Role.CIO: "CIO", Role.EDITOR: "Editor", Role.DELEGATE: "Delegate"}
STAFFED = ("barcelona", "chengdu", "seongnam", "seoul", "takamatsu", "ulyanovsk")

# How far each of the six applicants has come, with the days since its application began.
_DRAFT, _SENT, _CHECKED = (S.APPLICATION_DRAFT, 0), (S.SUBMITTED, 10), (S.UNDER_CHECK, 17)
APPLICANTS: dict[str, tuple[tuple[MembershipStatus, int], ...]] = {
    "beira": (_DRAFT,),
    "lviv": (_DRAFT, _SENT),
    "nantes": (_DRAFT, _SENT, _CHECKED),
    "newark": (_DRAFT, _SENT, _CHECKED, (S.CHANGES_REQUESTED, 24)),
    "nukualofa": (_DRAFT, _SENT, _CHECKED, (S.DECLINED, 31)),
    "praia": (_DRAFT, _SENT, (S.WITHDRAWN, 14)),
}
_WORDS = {
    S.CHANGES_REQUESTED: "The signed form has no date. Demonstration only.",
    S.DECLINED: "The form is not signed by a person who may bind the city. Demonstration only.",
    S.WITHDRAWN: "The city council decides next year. Demonstration only.",
}
# Who decided, and where that is written down; the second is told of what was decided, not of what is assumed.
_DECIDED = {
    date(2010, 9, 7): (Body.GENERAL_ASSEMBLY, "Inaugural General Assembly, Seoul 2010"),
    date(2012, 11, 13): (Body.GENERAL_ASSEMBLY, "2nd General Assembly, Barcelona 2012"),
    date(2014, 11, 3): (Body.GENERAL_ASSEMBLY, "3rd General Assembly, Chengdu 2014"),
}
_EVENTS = {
    S.APPLICATION_DRAFT: Event.APPLICATION_DRAFTED,
    S.SUBMITTED: Event.APPLICATION_SUBMITTED,
    S.UNDER_CHECK: Event.APPLICATION_CHECKED,
    S.CHANGES_REQUESTED: Event.APPLICATION_CHANGES_REQUESTED,
    S.DECLINED: Event.APPLICATION_DECLINED,
    S.WITHDRAWN: Event.APPLICATION_WITHDRAWN,
    S.ASSOCIATE: Event.APPLICATION_ACCEPTED,
    S.FULL: Event.MEMBER_ADMITTED,
    S.FRIENDSHIP: Event.MEMBER_ADMITTED,
    S.CORPORATE: Event.MEMBER_ADMITTED,
}

Progress = Callable[[str], None]


@dataclass
class Network:
    """The rows of the demonstration, in the order in which they can be inserted, and what the log tells of them."""

    rows: dict[type[SQLModel], list[SQLModel]] = field(default_factory=dict)
    told: list[Happening] = field(default_factory=list)

    def add(self, *things: SQLModel) -> None:
        for thing in things:
            self.rows.setdefault(type(thing), []).append(thing)

    def tell(
        self, event: Event, kind: Subject, key: UUID, at: datetime, *, words: Mapping[str, str] | None = None,
        decided: Decided | None = None, place: UUID | None = None, **facts: Any,
    ) -> None:  # fmt: skip
        told = {name: fact for name, fact in facts.items() if fact}
        self.told.append(Happening(event, kind, key, told, at, words or {}, decided or {}, place))


async def seed(db: Session, *, progress: Progress | None = None) -> bool:
    """Load the demonstration network into an empty hub; False, and nothing done, where there are cities."""
    if (await db.execute(select(col(Organisation.id)).limit(1))).first() is not None:
        return False
    network = compose()
    for kind, rows in network.rows.items():
        if progress:
            progress(f"{len(rows)} {kind.__tablename__}")
        await db.execute(insert(kind), [row.model_dump() for row in rows])
    if progress:
        progress(f"{len(network.told)} entries of the log")
    await audit.record_all(db, SEED, sorted(network.told, key=lambda told: told.at or datetime.now(UTC)))
    return True


def compose() -> Network:
    """All rows of the demonstration."""
    network, known = Network(), {place.slug: place for place in places.cities()}
    cities = {}
    for told in history.memberships(known):
        city = cities[told.slug] = _city(network, known[told.slug], told)
        if told.slug in APPLICANTS:
            _applicant(network, city, known[told.slug].names["en"], told.since)
        else:
            _member(network, city, told)
    _people(network, cities, known)
    for event in history.history():
        key = cities[event.city].id if event.city else None
        network.add(
            HistoryEvent(
                on_date=event.date,
                precision=event.precision,
                kind=event.kind,
                city_id=key,
                texts=dict(event.texts),
                origin=Origin.MACHINE,
                source=event.source,
            )
        )
    return network


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)


def _city(network: Network, place: places.DemoCity, told: history.DemoMembership) -> Organisation:
    values = {**asdict(place), "region": Region(place.region), "languages": tuple(place.languages)}
    facts = checked(CityFacts(**values))
    at = _moment(told.accepted or told.since) - timedelta(hours=1)
    city, profile = rows_of(facts, at)
    network.add(city, profile, *names_of(city.id, facts.names))
    network.add(*(OrganisationPlace(**row) for row in by_name.rows(city.id, facts.names)))
    network.tell(Event.CITY_REGISTERED, Subject.CITY, city.id, at, place=city.id, slug=city.slug, country=city.country)
    return city


def _member(network: Network, city: Organisation, told: history.DemoMembership) -> None:
    status = MembershipStatus(told.kind)
    at = _moment(told.since)
    body, reference = _DECIDED.get(told.since, (Body.EXECUTIVE_COMMITTEE, ""))
    words = {"reason": ASSUMED, "assumed": True} if told.assumed else {"reference": reference}
    before = None
    if status in (S.ASSOCIATE, S.FULL) and not told.founding:
        _step(network, city, (None, S.ASSOCIATE), _moment(told.accepted or told.since), Body.SECRETARIAT, **words)
        before = S.ASSOCIATE
    if status is not before:
        _step(network, city, (before, status), at, body, **words)
    network.add(Membership(organisation_id=city.id, status=status, since=at, not_before=at))


def _step(
    network: Network,
    city: Organisation,
    states: tuple[MembershipStatus | None, MembershipStatus],
    at: datetime,
    body: Body,
    *,
    reason: str = "",
    reference: str = "",
    assumed: bool = False,
    **facts: Any,
) -> None:
    source, target = states
    network.add(
        MembershipStep(
            organisation_id=city.id,
            at=at,
            from_status=source,
            to_status=target,
            body=body,
            actor=SEED.subject,
            reason=reason,
            reference=reference,
            assumed=assumed,
        )
    )
    network.tell(
        _EVENTS[target], Subject.CITY, city.id, at, words={"reason": reason, "reference": reference}, place=city.id,
        decided={"status": (source.value if source else None, target.value)}, body=body.value, assumed=assumed, **facts,
    )  # fmt: skip


def _applicant(network: Network, city: Organisation, name: str, since: date) -> None:
    steps = APPLICANTS[city.slug]
    status, days = steps[-1]
    began, now = _moment(since), _moment(since) + timedelta(days=days)
    application = _application(city, name, began, now, steps)
    source = None
    for target, after in steps:
        body = Body.CITY if target in (S.APPLICATION_DRAFT, S.SUBMITTED, S.WITHDRAWN) else Body.SECRETARIAT
        at, words = began + timedelta(days=after), _WORDS.get(target, ASSUMED)
        _step(network, city, (source, target), at, body, reason=words, assumed=True, application=str(application.id))
        source = target
    network.add(Membership(organisation_id=city.id, status=status, since=now, not_before=began), application)
    if status is not S.APPLICATION_DRAFT:  # the draft still lacks its form, so that the check has something to say
        network.add(_form(application, name, began))


def _application(
    city: Organisation, name: str, began: datetime, now: datetime, steps: Sequence[tuple[MembershipStatus, int]]
) -> Application:
    status = steps[-1][0]
    sent = dict(steps).get(S.SUBMITTED)
    changes = [{"item": Item.SIGNED_FORM.value, "note": _WORDS[S.CHANGES_REQUESTED], "locale": "en"}]
    return Application(
        organisation_id=city.id,
        status=status,
        motivation=f"{name} wants to share its digital services and learn from others. Demonstration only.",
        contact_name=f"CIO of {name}",
        contact_email=f"cio@{city.slug}.demo",
        signatory_role=Signatory.MAYOR.value if sent is not None else "",
        requested_changes=changes if status is S.CHANGES_REQUESTED else [],
        created_at=began,
        submitted_at=began + timedelta(days=sent) if sent is not None else None,
        decided_at=None if status in PENDING else now,
        assumed=True,
    )


def _form(application: Application, name: str, at: datetime) -> ApplicationFile:
    content = signed_form(name, "Mayor")
    return ApplicationFile(
        application_id=application.id,
        kind=Item.SIGNED_FORM.value,
        name=f"application-{application.contact_email.removesuffix('.demo').split('@')[1]}.pdf",
        media_type=media_type(content) or "",
        sha256=hashlib.sha256(content).digest(),
        content=content,
        uploaded_at=at,
    )


def _people(network: Network, cities: dict[str, Organisation], known: dict[str, places.DemoCity]) -> None:
    founded = min(city.created_at for city in cities.values())
    for email, (name, role) in SECRETARIAT.items():
        _person(network, Person(email=email, name=name, created_at=founded), role, None)
    for slug in (*STAFFED, *APPLICANTS):
        city, name = cities[slug], known[slug].names["en"]
        for role, word in CITY_ROLES.items():
            person = Person(
                email=f"{role.value}@{slug}.demo",
                name=f"{word} of {name}",
                locale=_hub_locale(city.languages),
                created_at=city.created_at,
            )
            _person(network, person, role, city)


def _hub_locale(languages: Iterable[str]) -> str:
    return next((tag for tag in languages if tag in places.HUB_LOCALES), "en")


def _person(network: Network, person: Person, role: Role, city: Organisation | None) -> None:
    at = person.created_at
    grant = RoleGrant(
        id=new_id(), person_id=person.id, role=role, organisation_id=city.id if city else None, granted_at=at,
        granted_by=SEED.subject,
    )  # fmt: skip
    network.add(person, grant)
    network.tell(
        Event.ROLE_ASSIGNED, Subject.PERSON, person.id, at, place=city.id if city else None,
        decided={"role": (None, role.value)},
    )  # fmt: skip
