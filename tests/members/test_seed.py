"""The demonstration network, and the words of the vocabularies."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col

from i18n.language.locales import LOCALES
from members.demo import history
from members.demo.cities import cities
from members.demo.seed import APPLICANTS, STAFFED, compose, seed
from members.membership import applications
from members.membership.applications import Item
from members.membership.models import Application, ApplicationFile
from members.membership.states import PENDING, TRANSITIONS
from members.membership.terms import terms
from members.people import people
from members.people.models import Person
from members.register.models import (
    HISTORY_KINDS,
    LISTED,
    City,
    CityName,
    HistoryEvent,
    Membership,
    MembershipStatus,
    MembershipStep,
    Region,
)
from wego.core import audit
from wego.core.access import Role
from wego.core.db import Database, Session
from wego.core.models import AuditEntry

S = MembershipStatus


def test_every_event_is_of_a_kind_that_is_explained_and_of_a_known_city():
    slugs = {city.slug for city in cities()}
    for event in history.history():
        assert event.kind in HISTORY_KINDS
        assert event.city is None or event.city in slugs
        assert event.precision in ("day", "month", "year")
        assert event.source


async def count(db: Session, kind: type[SQLModel]) -> int:
    return (await db.execute(select(func.count()).select_from(kind))).scalar_one()


async def test_the_demonstration_is_loaded_once_and_quickly(database: Database) -> None:
    told: list[str] = []
    started = time.perf_counter()
    async with database.session() as db:
        assert await seed(db, progress=told.append)
    took = time.perf_counter() - started
    async with database.session() as db:
        before = [await count(db, kind) for kind in (City, CityName, Person, MembershipStep, AuditEntry)]
        assert not await seed(db)
        assert [await count(db, kind) for kind in (City, CityName, Person, MembershipStep, AuditEntry)] == before
        assert (await audit.verify(db)).faults == ()
    assert before[0] >= 200
    assert told
    assert took < 30  # a bound for a busy machine; it takes about a second


async def test_every_applicant_stands_where_its_steps_say(db: Session) -> None:
    await seed(db)
    query = select(City, Membership, Application).join(Membership).join(Application)
    for city, membership, application in (await db.execute(query)).all():
        states = [state for state, _ in APPLICANTS[city.slug]]
        steps = (
            await db.execute(
                select(MembershipStep)
                .where(col(MembershipStep.city_id) == city.id)
                .order_by(col(MembershipStep.at), col(MembershipStep.id))
            )
        ).scalars()
        pairs = [(step.from_status, step.to_status) for step in steps]
        assert pairs == list(zip([None, *states], states, strict=False))
        possible = {(row.source, row.target) for row in TRANSITIONS}
        assert set(pairs) <= possible
        assert membership.status is application.status is states[-1]
        assert (application.decided_at is None) is (application.status in PENDING)
        lacking = {
            check.key
            for check in await applications.completeness(db, application)
            if check.required and not check.present
        }
        draft = application.status is S.APPLICATION_DRAFT
        assert lacking == ({Item.SIGNED_FORM, Item.SIGNATORY} if draft else set())
    assert await count(db, Application) == len(APPLICANTS) == 6
    assert {steps[-1][0] for steps in APPLICANTS.values()} == {*PENDING, S.DECLINED, S.WITHDRAWN}
    for file in (await db.execute(select(ApplicationFile))).scalars():
        assert applications.media_type(file.content) == file.media_type


async def test_demo_people_are_called_by_their_role(db: Session) -> None:
    await seed(db)
    for slug in (*STAFFED, *APPLICANTS):
        for role in (Role.HEAD, Role.CIO, Role.EDITOR, Role.DELEGATE):
            person = await people.by_email(db, f"{role.value}@{slug}.demo")
            assert person is not None
            actor = await people.actor_of(db, person.id)
            assert [post.role for post in actor.posts] == [role]
            assert actor.posts[0].active is (slug in STAFFED)
            assert person.name.split(" of ")[0] in {"Head", "CIO", "Editor", "Delegate"}
    officer = await people.by_email(db, "secretariat@wego.demo")
    assert officer is not None
    assert (await people.actor_of(db, officer.id)).posts[0].role is Role.OFFICER


def test_the_history_is_in_the_log_in_its_order_and_without_persons() -> None:
    network = compose()
    statuses = Counter(row.status for row in network.rows[Membership] if isinstance(row, Membership))
    assert statuses[S.FULL] > 200
    assert sum(statuses[status] for status in LISTED) == len(network.rows[City]) - 6
    assert len(network.rows[HistoryEvent]) > 50
    assert len(network.told) == sum(len(network.rows[kind]) for kind in (City, MembershipStep)) + len(
        network.rows[Person]
    )
    assert not any("@" in str(told.facts) for told in network.told)


# ── vocabularies ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", ["country", "region", "application-item"])
def test_every_word_has_a_label_in_every_language_of_the_hub(scheme: str) -> None:
    rows = [row for row in terms() if row[0] == scheme]
    assert rows
    for _, code, _, labels in rows:
        assert set(labels) == set(LOCALES), code
        assert all(label.strip() == label != "" for label in labels.values()), code


def test_every_code_of_a_city_has_its_word() -> None:
    codes = {(scheme, code) for scheme, code, _, _ in terms()}
    assert {("region", region.value) for region in Region} <= codes
    cities = [row for row in compose().rows[City] if isinstance(row, City)]
    assert {("country", city.country) for city in cities} <= codes


def test_labels_are_in_the_script_of_their_language() -> None:
    own_scripts = ("ko", "ja", "ar", "ru", "mn", "hi", "zh-Hans")
    for scheme, code, _, labels in terms():
        if scheme != "country":
            for tag in own_scripts:
                assert not labels[tag].isascii(), (code, tag)
