"""The register of cities: who keeps it, and what it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select
from sqlmodel import col

from members.register import cities, organisations, places
from members.register.cities import CityFacts
from members.register.models import MembershipStatus, Organisation, OrganisationPlace, Region
from wego.core import access, audit, reads
from wego.core.access import Role
from wego.core.db import Database, Session
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Refusal
from wego.core.models import AuditEntry

from ..conftest import owner_url
from .conftest import NOW, SYSTEM, write_city

FACTS = CityFacts(
    slug="takamatsu",
    names={"en": "Takamatsu", "ja": "高松市", "ko": "다카마쓰"},
    endonym_locale="ja",
    country="JP",
    region=Region.EAST_ASIA,
    latitude=34.34,
    longitude=134.05,
    population=417_000,
    time_zone="Asia/Tokyo",
    languages=("ja",),
    subdivision="JP-37",
    website="https://www.city.takamatsu.kagawa.jp/",
)


# ── what a stranger cannot do ────────────────────────────────────────────────────────────────────────────────────


async def test_only_officers_and_the_system_keep_the_register(db: Session, make_city: Any, make_actor: Any) -> None:
    city = await make_city(status=MembershipStatus.FULL)
    with pytest.raises(NotSignedIn):
        await cities.register(db, access.NOBODY, FACTS)
    for role in (Role.HEAD, Role.CIO, Role.EDITOR):
        with pytest.raises(NotAllowed):
            await cities.register(db, await make_actor((role, city)), FACTS)
        with pytest.raises(NotAllowed):
            await cities.change(db, await make_actor((role, city)), city.id, {"population": 1})
    for role in (Role.AUDITOR, Role.SECRETARIAT_EDITOR):
        with pytest.raises(NotAllowed):
            await cities.register(db, await make_actor((role, None)), FACTS)
    await cities.register(db, await make_actor((Role.OFFICER, None)), FACTS)


async def test_a_city_that_is_no_member_is_known_to_its_people_and_the_secretariat_only(
    db: Session, make_city: Any, make_actor: Any
) -> None:
    member = await make_city("member", MembershipStatus.FULL)
    applicant = await make_city("new", MembershipStatus.SUBMITTED)
    own, stranger = await make_actor((Role.DELEGATE, applicant)), await make_actor((Role.HEAD, member))
    for actor in (own, SYSTEM, await make_actor((Role.SECRETARIAT_EDITOR, None))):
        assert (await reads.locate(db, actor, Organisation, applicant.id)).slug == "new"
    for actor in (stranger, access.NOBODY):
        assert (await reads.locate(db, actor, Organisation, member.id)).slug == "member"
        with pytest.raises(NotFound):
            await reads.locate(db, actor, Organisation, applicant.id)


# ── what it takes ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_registered_city_keeps_what_was_said(db: Session) -> None:
    city = await cities.register(db, SYSTEM, FACTS, now=NOW)
    assert await cities.facts_of(db, await organisations.by_slug(db, "takamatsu")) == FACTS
    assert (city.sort_name, city.created_at) == ("takamatsu", NOW)
    with pytest.raises(Conflict):
        await cities.register(db, SYSTEM, FACTS)
    await audit.append(db)
    told = (await db.execute(select(AuditEntry))).scalars().all()
    assert [(entry.event, entry.facts) for entry in told] == [
        ("city.registered", {"slug": "takamatsu", "country": "JP"})
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"slug": "Takamatsu"}, ["slug"]),
        ({"slug": "a--b"}, ["slug"]),
        ({"slug": "x" * 81}, ["slug"]),
        ({"names": {"en": "Takamatsu"}}, ["names"]),
        ({"names": {"en": "Takamatsu", "ja": ""}}, ["names", 1, "name"]),
        ({"names": {"en": "T" * 121, "ja": "高松市"}}, ["names", 0, "name"]),
        ({"names": {"en": "T\u202eb", "ja": "高松市"}}, ["names", 0, "name"]),
        ({"names": {"en": "T\nb", "ja": "高松市"}}, ["names", 0, "name"]),
        ({"names": {"en": "T\ud800", "ja": "高松市"}}, ["names", 0, "name"]),
        ({"names": {"en": "T", "ja": "高松市", "no tag": "x"}}, ["names", 2, "locale"]),
        ({"country": "XX"}, ["country"]),
        ({"country": "EU", "subdivision": None}, ["country"]),
        ({"country": "jp"}, ["country"]),
        ({"subdivision": "KR-11"}, ["subdivision"]),
        ({"subdivision": "JP-1234"}, ["subdivision"]),
        ({"time_zone": "Asia/Takamatsu"}, ["timeZone"]),
        ({"time_zone": "Asia"}, ["timeZone"]),
        ({"time_zone": "../../etc/passwd"}, ["timeZone"]),
        ({"website": "http://city.example/"}, ["website"]),
        ({"website": "https://user@city.example/"}, ["website"]),
        ({"website": "https://localhost/"}, ["website"]),
        ({"website": "javascript:alert(1)"}, ["website"]),
        ({"website": "https://city.example/a b"}, ["website"]),
        ({"website": "https://city.example:99999/"}, ["website"]),
        ({"latitude": 90.5}, ["latitude"]),
        ({"longitude": float("nan")}, ["longitude"]),
        ({"population": -1}, ["population"]),
        ({"population": 10**12}, ["population"]),
        ({"languages": ("ja", "nonsense-tag-here-1")}, ["languages", 1]),
        ({"endonym_locale": "x-private"}, ["endonymLocale"]),
    ],
)
def test_wrong_facts_are_refused_with_their_place(change: dict[str, Any], path: list[str | int]) -> None:
    with pytest.raises(Refusal) as refused:
        cities.checked(replace(FACTS, **change))
    assert ("input", *path) in [one.path for one in refused.value.each]
    assert all(isinstance(one, Invalid) for one in refused.value.each)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        cities.checked(replace(FACTS, slug="No", country="XX", time_zone="Nowhere"))
    assert {one.path[1] for one in refused.value.each} == {"slug", "country", "subdivision", "timeZone"}


def test_tags_become_canonical() -> None:
    checked = cities.checked(replace(FACTS, languages=("JA", "ja", "zh-hans-cn"), endonym_locale="JA"))
    assert checked.languages == ("ja", "zh-Hans-CN")
    assert checked.endonym_locale == "ja"


async def test_a_change_tells_what_changed_and_leaves_the_rest(db: Session) -> None:
    city = await cities.register(db, SYSTEM, FACTS, now=NOW)
    names = {"en": "Takamatsu City", "ko": "", "fr": "Takamatsu"}
    await cities.change(db, SYSTEM, city.id, {"names": names, "website": None, "population": 416_000})
    after = await cities.facts_of(db, await organisations.by_slug(db, "takamatsu"))
    assert after.names == {"en": "Takamatsu City", "ja": "高松市", "fr": "Takamatsu"}
    assert after == replace(FACTS, names=after.names, website=None, population=416_000)
    await audit.append(db)
    last = (await db.execute(select(AuditEntry).order_by(col(AuditEntry.index).desc()).limit(1))).scalar_one()
    assert last.facts["changed"] == ["names", "population", "website"]
    count = len((await db.execute(select(AuditEntry))).scalars().all())
    await cities.change(db, SYSTEM, city.id, {"population": 416_000})
    await audit.append(db)
    assert len((await db.execute(select(AuditEntry))).scalars().all()) == count


async def test_a_change_keeps_slugs_unique_and_english_and_own_names(db: Session, make_city: Any) -> None:
    city = await cities.register(db, SYSTEM, FACTS)
    await make_city("kanazawa")
    with pytest.raises(Conflict):
        await cities.change(db, SYSTEM, city.id, {"slug": "kanazawa"})
    for names in ({"en": ""}, {"ja": ""}):
        with pytest.raises(Invalid):
            await cities.change(db, SYSTEM, city.id, {"names": names})
    with pytest.raises(Invalid):
        await cities.change(db, SYSTEM, city.id, {"country": "KR"})  # the subdivision is still Japanese


async def test_naughty_names_come_back_identical_or_are_refused(db: Session, shared: Path) -> None:
    strings = json.loads((shared / "data/vectors/blns/blns.json").read_text(encoding="utf-8"))
    kept: dict[str, str] = {}
    for string in strings:
        try:
            checked = cities.checked(replace(FACTS, names={"en": string, "ja": "高松市"}))
        except Refusal:
            continue
        assert checked.names["en"] == string
        kept[f"en-x-n{len(kept)}"] = string
    assert len(kept) > 400
    for at in range(0, len(kept), 300):
        part = dict(list(kept.items())[at : at + 300])
        city = await cities.register(
            db, SYSTEM, replace(FACTS, slug=f"city-{at}", names={**FACTS.names, **part}), insist=True
        )
        assert part.items() <= (await cities.facts_of(db, city)).names.items()


# ── places in lists by name ─────────────────────────────────────────────────────────────────────────────────────


async def listed(db: Session, locale: str) -> list[str]:
    query = select(col(Organisation.slug)).join(
        OrganisationPlace, col(OrganisationPlace.organisation_id) == col(Organisation.id)
    )
    return list(
        (
            await db.execute(query.where(col(OrganisationPlace.locale) == locale).order_by(col(OrganisationPlace.key)))
        ).scalars()
    )


async def test_a_city_moves_to_its_new_place_with_its_new_name(db: Session) -> None:
    for slug, korean in (("aa", "하나"), ("bb", "가나"), ("cc", None)):
        names = {"en": slug.title(), **({"ko": korean} if korean else {})}
        await cities.register(db, SYSTEM, replace(FACTS, slug=slug, names=names, endonym_locale="en"))
    assert await listed(db, "en") == ["aa", "bb", "cc"]
    assert await listed(db, "ko") == ["bb", "aa", "cc"]  # a name in other letters comes last
    found = await organisations.by_slug(db, "aa")
    await cities.change(db, SYSTEM, found.id, {"names": {"ko": "", "en": "Zz"}})
    assert await listed(db, "en") == ["bb", "cc", "aa"]
    assert await listed(db, "ko") == ["bb", "cc", "aa"]


async def test_places_of_another_kind_are_written_again_when_the_hub_starts(database: Database) -> None:
    async with database.session() as db:
        city = await write_city(db, "testville")
    with psycopg.connect(owner_url(database.url), autocommit=True) as connection:
        assert places.are_current(connection)
        for spoil in (
            "update organisation_place set version = 'old', key = 'x'",
            "delete from organisation_place where locale = 'sw'",
        ):
            connection.execute(spoil)
            assert not places.are_current(connection)
            assert places.refresh(connection) == 1
            assert places.are_current(connection)
            kept = connection.execute(
                "select locale, key from organisation_place where organisation_id = %s", (city.id,)
            ).fetchall()
            names = {"en": "Testville", "ko": "시험시"}
            assert dict(kept) == {row["locale"]: row["key"] for row in places.rows(city.id, names)}
