"""The demonstration network, and the words of the vocabularies."""

from __future__ import annotations

import time as clock
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import langcodes
import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col

from i18n.language.locales import LOCALES
from members.demo import history
from members.demo.cities import cities
from members.demo.seed import APPLICANTS, STAFFED, Network, compose, seed
from members.membership import applications
from members.membership.applications import Item
from members.membership.models import Application, ApplicationFile
from members.membership.states import LIFE, PENDING
from members.membership.terms import terms
from members.people import people
from members.people.models import Person
from members.register.models import (
    HISTORY_KINDS,
    LISTED,
    HistoryEvent,
    Membership,
    MembershipStatus,
    MembershipStep,
    Organisation,
    OrganisationName,
    Region,
)
from practices.cases import files
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


def belonging(network: Network, day: date) -> Counter[MembershipStatus]:
    """How many cities were in which state at the end of a day, counted from the steps alone."""
    end = datetime.combine(day + timedelta(days=1), time.min, UTC)
    steps = (row for row in network.rows[MembershipStep] if isinstance(row, MembershipStep) and row.at < end)
    latest = {step.organisation_id: step.to_status for step in sorted(steps, key=lambda step: step.at)}
    return Counter(latest.values())


def last_day(event: history.DemoEvent) -> date:
    if event.precision == "day":
        return event.date
    year, month = (event.date.year, event.date.month) if event.precision == "month" else (event.date.year, 12)
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def test_the_steps_count_as_many_members_as_the_history_says() -> None:
    network = compose()
    counted = [event for event in history.history() if (event.full, event.associate, event.members) != (None,) * 3]
    assert {(event.date.year, event.date.month) for event in counted} == {
        (2010, 9), (2014, 4), (2014, 11), (2016, 10), (2017, 6), (2018, 3)
    }  # fmt: skip
    for event in counted:
        for day in {event.date, last_day(event)}:
            found = belonging(network, day)
            assert event.full in (None, found[S.FULL]), (day, found)
            assert event.associate in (None, found[S.ASSOCIATE]), (day, found)
            assert event.members in (None, found[S.FULL] + found[S.ASSOCIATE]), (day, found)


def test_every_sentence_of_a_count_gives_the_number_that_was_counted() -> None:
    for event in history.history():
        for number in (event.full, event.associate, event.members):
            assert number is None or all(str(number) in text for text in event.texts.values()), event.texts["en"]


def test_every_event_is_told_in_every_language_of_the_hub_and_in_its_script() -> None:
    for event in history.history():
        assert list(event.texts) == list(LOCALES)
        assert all(text.strip() == text != "" for text in event.texts.values())
        assert len(set(event.texts.values())) == len(LOCALES)
        assert not any(event.texts[tag].isascii() for tag in ("ko", "ja", "ar", "ru", "mn", "hi", "zh-Hans"))


def test_what_nobody_decided_says_so() -> None:
    network = compose()
    steps = [row for row in network.rows[MembershipStep] if isinstance(row, MembershipStep)]
    told = [step for step in steps if not step.assumed]
    founders = {event.city for event in history.history() if event.kind == "founding-member"}
    cities = {row.id: row.slug for row in network.rows[Organisation] if isinstance(row, Organisation)}
    assert {cities[step.organisation_id] for step in told} == founders
    assert all(step.reference and step.at.date() == date(2010, 9, 7) for step in told)
    assert all(step.reason and not step.reference for step in steps if step.assumed)
    assert all(row.assumed for row in network.rows[Application] if isinstance(row, Application))
    assert sum("assumed" in each.facts for each in network.told) == len(steps) - len(told)


# The first word of the Unicode names of a script's letters.
LETTERS = {
    "Latn": {"LATIN", "MODIFIER"}, "Cyrl": {"CYRILLIC"}, "Arab": {"ARABIC"}, "Deva": {"DEVANAGARI"},
    "Kore": {"HANGUL"}, "Hans": {"CJK"}, "Hant": {"CJK"}, "Jpan": {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
}  # fmt: skip


def test_every_name_of_a_city_is_written_in_the_script_of_its_language() -> None:
    for city in cities():
        for tag, name in city.names.items():
            script = langcodes.Language.get(tag).maximize().script
            letters = {unicodedata.name(letter).split()[0] for letter in name.replace("D.C.", "") if letter.isalpha()}
            assert letters <= LETTERS.get(script or "", letters - {"LATIN"}), (city.slug, tag, name)


def test_who_does_not_read_latin_letters_finds_every_city_in_his_own() -> None:
    for city in cities():
        assert {"en", "ko", "zh-Hans", "ar", "ru", "ja", "hi", "mn"} <= set(city.names), city.slug


def test_case_studies_call_their_city_as_the_register_does() -> None:
    names = {city.slug: city.names for city in cities()}
    for case in files.demonstration():
        for tag, draft in case.texts.items():
            text = " ".join((draft.title, draft.summary, *(section.body for section in draft.sections)))
            name = names[case.city][tag]
            assert (name[:-1] if tag == "ru" else name) in text, (case.slug, tag)  # a Russian name changes its end


async def count(db: Session, kind: type[SQLModel]) -> int:
    return (await db.execute(select(func.count()).select_from(kind))).scalar_one()


async def test_the_demonstration_is_loaded_once_and_quickly(database: Database) -> None:
    told: list[str] = []
    started = clock.perf_counter()
    async with database.session() as db:
        assert await seed(db, progress=told.append)
    took = clock.perf_counter() - started
    async with database.session() as db:
        before = [
            await count(db, kind) for kind in (Organisation, OrganisationName, Person, MembershipStep, AuditEntry)
        ]
        assert not await seed(db)
        assert [
            await count(db, kind) for kind in (Organisation, OrganisationName, Person, MembershipStep, AuditEntry)
        ] == before
        assert (await audit.verify(db)).faults == ()
    assert before[0] >= 200
    assert told
    assert took < 30  # a bound for a busy machine; it takes about a second


async def test_every_applicant_stands_where_its_steps_say(db: Session) -> None:
    await seed(db)
    query = select(Organisation, Membership, Application).join(Membership).join(Application)
    for city, membership, application in (await db.execute(query)).all():
        states = [state for state, _ in APPLICANTS[city.slug]]
        steps = (
            await db.execute(
                select(MembershipStep)
                .where(col(MembershipStep.organisation_id) == city.id)
                .order_by(col(MembershipStep.at), col(MembershipStep.id))
            )
        ).scalars()
        pairs = [(step.from_status, step.to_status) for step in steps]
        assert pairs == list(zip([None, *states], states, strict=False))
        possible = {(row.source, row.reached()) for row in LIFE.steps}
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
    assert sum(statuses[status] for status in LISTED) == len(network.rows[Organisation]) - 6
    assert len(network.rows[HistoryEvent]) > 50
    assert len(network.told) == sum(len(network.rows[kind]) for kind in (Organisation, MembershipStep)) + len(
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
    cities = [row for row in compose().rows[Organisation] if isinstance(row, Organisation)]
    assert {("country", city.country) for city in cities} <= codes


def test_labels_are_in_the_script_of_their_language() -> None:
    own_scripts = ("ko", "ja", "ar", "ru", "mn", "hi", "zh-Hans")
    for scheme, code, _, labels in terms():
        if scheme != "country":
            for tag in own_scripts:
                assert not labels[tag].isascii(), (code, tag)
