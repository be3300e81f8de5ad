"""Builders: two member cities, an applicant, people of every role, and practices in every state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from register_make import make_registered_city

from i18n.content.documents import Draft, Section, SectionPart, TranslationDraft
from members.people import people
from members.people.models import Person, RoleGrant
from members.register.models import Membership, MembershipStatus
from practices.cases import archives, practices
from practices.cases.models import Practice, PracticeStatus
from practices.cases.narrative import BUDGETS, TO_PUBLISH
from practices.reviews import reviews
from practices.reviews.reviews import Comment
from wego.core.access import NOBODY, Actor, Role, system
from wego.core.db import Session

S = PracticeStatus
KEYS = tuple(key for key in BUDGETS if key in TO_PUBLISH)
SYSTEM = system("test")
FACTS: dict[str, Any] = {
    "sdgs": [{"goal": 16, "target": "16.10"}],
    "visibility": "public",
    "themes": ["2017.open-city"],
}
DRAFT = Draft(
    "Night Buses",
    "Buses that run at night.",
    tuple(Section(key, f"About {key}", f"First of {key}.\n\nSecond of {key}.") for key in KEYS),
)
KOREAN = TranslationDraft(
    "심야 버스",
    "밤에 다니는 버스.",
    tuple(SectionPart(key, "제목", f"{key} 하나.\n\n{key} 둘.") for key in KEYS),
)


@dataclass
class World:
    """The cities by slug, and actors by name: `writer` is of seoul, `reviewer` of busan."""

    db: Session
    cities: dict[str, UUID] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]


async def make_city(db: Session, slug: str, status: MembershipStatus = MembershipStatus.FULL) -> UUID:
    city = await make_registered_city(db, slug, population=5, languages=[])
    db.add(Membership(organisation_id=city.id, status=status))
    await db.flush()
    return city.id


async def make_actor(db: Session, email: str, *posts: tuple[Role, UUID | None]) -> Actor:
    person = Person(email=email, name=email)
    db.add(person)
    await db.flush()
    db.add_all([RoleGrant(person_id=person.id, organisation_id=city_id, role=role) for role, city_id in posts])
    await db.flush()
    return await people.actor_of(db, person.id)


async def make_world(db: Session) -> World:
    world = World(db)
    for slug in ("seoul", "busan", "daegu"):
        world.cities[slug] = await make_city(db, slug)
    world.cities["applicant"] = await make_city(db, "applicant", MembershipStatus.SUBMITTED)
    seoul, busan = world.cities["seoul"], world.cities["busan"]
    for name, posts in {
        "writer": [(Role.EDITOR, seoul)],
        "cio": [(Role.CIO, seoul)],
        "delegate": [(Role.DELEGATE, seoul)],
        "object_editor": [(Role.OBJECT_EDITOR, seoul)],
        "reviewer": [(Role.CIO, busan)],
        "other_reviewer": [(Role.EDITOR, busan)],
        "third_reviewer": [(Role.EDITOR, world.cities["daegu"])],
        "both": [(Role.CIO, busan), (Role.EDITOR, seoul)],
        "applicant": [(Role.CIO, world.cities["applicant"])],
        "officer": [(Role.OFFICER, None)],
        "secretariat_editor": [(Role.SECRETARIAT_EDITOR, None)],
        "auditor": [(Role.AUDITOR, None)],
    }.items():
        world.actors[name] = await make_actor(db, f"{name}@example.org", *posts)
    world.actors |= {"nobody": NOBODY, "system": SYSTEM}
    return world


def person(actor: Actor) -> UUID:
    assert actor.person_id is not None
    return actor.person_id


async def make_practice(
    world: World, status: PracticeStatus = S.DRAFT, *, now: datetime | None = None, **facts: Any
) -> Practice:
    """A practice of seoul that came to its state by the verbs."""
    db, at = world.db, now or datetime(2026, 1, 5, tzinfo=UTC)
    made = (await practices.create(db, world["writer"], "en", DRAFT, {**FACTS, **facts}, now=at)).practice
    if status is S.DRAFT:
        return made
    await reviews.submit(db, world["writer"], made.id, now=at)
    if status is S.SUBMITTED:
        return made
    await reviews.assign(db, world["officer"], made.id, person(world["reviewer"]), now=at)
    if status is S.CHANGES_REQUESTED:
        await reviews.request_changes(db, world["reviewer"], made.id, [Comment("Say more.", "results")], now=at)
    elif status is not S.UNDER_REVIEW:
        await reviews.accept(db, world["reviewer"], made.id, conflict="", now=at)
    if status in {S.PUBLISHED, S.ARCHIVED}:
        await practices.publish(db, world["cio"], made.id, now=at)
    if status is S.ARCHIVED:
        await archives.archive(db, world["cio"], made.id, "Ended.", now=at)
    return made
