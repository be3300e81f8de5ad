"""The listing of practices is what the practices and their readings say, after every verb and every way of writing."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
import pytest
from practices_make import KOREAN, World, make_practice
from sqlalchemy import text

from members.register.models import Organisation
from practices.cases import practices
from practices.cases.models import Practice, PracticeListing, PracticeStatus
from practices.cases.practices import Change
from wego.core.db import Database, Session

from ..conftest import clone, drop, owner_url

S = PracticeStatus
SAME = (
    "slug", "city_id", "status", "visibility", "public_from", "stage", "themes", "sdg_codes", "published_at",
    "updated_at", "sorted_at", "technologies",
)  # fmt: skip


async def rows(db: Session, table: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in (await db.execute(table.__table__.select())).mappings()]


def plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


_KEYWORDS = "select p.id, lower(w) from practice p, jsonb_each(p.keywords) k, jsonb_array_elements_text(k.value) w"


def evidence(practice: dict[str, Any]) -> str:
    shown = any(each["evidence_url"] for each in practice["indicators"])
    return "documented" if practice["sources"] or shown else "self-reported"


async def check(db: Session) -> dict[UUID, dict[str, Any]]:
    """Compare the whole listing with the truth, told in Python; the listing by key."""
    await db.flush()
    await db.execute(text("set constraints all immediate"))
    titles: dict[UUID, dict[str, str]] = {}
    # Small letters are the database's: Python takes some, such as the Turkish dotted one, for two.
    for key, locale, title in await db.execute(text("select document_id, locale, lower(title) from content_reading")):
        titles.setdefault(key, {})[locale] = title
    keywords = [tuple(row) for row in await db.execute(text(_KEYWORDS))]
    expected = {}
    cities = {city["id"]: city for city in await rows(db, Organisation)}
    for practice in await rows(db, Practice):
        found = dict(sorted(titles.get(practice["id"], {}).items()))
        expected[practice["id"]] = {
            "id": practice["id"], **{name: plain(practice[name]) for name in SAME}, "locales": list(found),
            "country": cities[practice["city_id"]]["country"], "region": cities[practice["city_id"]]["region"].value,
            "titles": "\n".join(found.values()),
            "keywords": sorted({word for key, word in keywords if key == practice["id"]}),
            "evidence": evidence(practice),
        }  # fmt: skip
    listed = {row["id"]: {**row, "keywords": sorted(row["keywords"])} for row in await rows(db, PracticeListing)}
    assert listed == expected
    return listed


@pytest.mark.parametrize("status", PracticeStatus)
async def test_every_verb_keeps_the_listing(world: World, status: PracticeStatus) -> None:
    made = await make_practice(world, status)
    assert (await check(world.db))[made.id]["status"] == status.value


async def test_texts_that_are_written_and_withdrawn_are_in_the_listing_at_once(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED)
    assert (await check(world.db))[made.id]["titles"] == "night buses"
    await practices.translate(world.db, world["writer"], made.id, "ko", KOREAN)
    assert (await check(world.db))[made.id]["titles"] == "night buses", "what waits is found by nobody"
    await practices.translate(world.db, world["cio"], made.id, "ko", KOREAN)
    assert (await check(world.db))[made.id]["titles"] == "night buses\n심야 버스"
    await practices.revise(world.db, world["cio"], made.id, Change(title="LATE Trams"), {"themes": ["2020.mobility"]})
    listed = (await check(world.db))[made.id]
    assert (listed["titles"].split("\n")[0], listed["themes"]) == ("late trams", ["2020.mobility"])
    await world.db.execute(text("delete from content_section where locale = 'ko'"))
    await world.db.execute(text("delete from content_reading where locale = 'ko'"))
    assert (await check(world.db))[made.id]["locales"] == ["en"]


async def test_a_city_that_is_said_to_lie_elsewhere_takes_its_practices_along(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED)
    await world.db.execute(text("update organisation set country = 'JP', region = 'oceania' where slug = 'seoul'"))
    listed = (await check(world.db))[made.id]
    assert (listed["country"], listed["region"]) == ("JP", "oceania")


async def test_a_payload_in_the_same_transaction_sees_the_listing(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED)
    await practices.translate(world.db, world["cio"], made.id, "ko", KOREAN)
    await world.db.flush()
    row = await world.db.get(PracticeListing, made.id, populate_existing=True)
    assert row is not None
    assert row.locales == ["en", "ko"]


async def test_the_demonstration_is_listed_and_the_review_leaves_no_trace(shown: Database) -> None:
    async with shown.session() as db:
        listed = await check(db)
        assert len(listed) > 20
        await db.rollback()


async def test_a_load_without_checks_and_a_deletion_are_listed_too(world: World, cluster: Any, template: str) -> None:
    url = clone(cluster, template)
    try:
        with psycopg.connect(owner_url(url)) as connection:
            connection.execute("set session_replication_role = replica")
            made = "00000000-0000-7000-8000-000000000001"
            connection.execute(
                "insert into organisation (id, kind, slug, sort_name, endonym_locale, country, region)"
                " values (%s, 'city', 'a', 'a', 'en', 'KR', 'east-asia')",
                (made,),
            )
            connection.execute(
                "insert into practice (id, slug, city_id, original_locale, status, visibility, title_hash,"
                " summary_hash, level_of_activity, stage, licence) values"
                " (%s, 'a', %s, 'en', 'draft', 'public', '', '', 'city', 'pilot', 'x')",
                (made, made),
            )
            connection.execute(
                "insert into content_reading (document_id, locale, origin, title, title_hash, summary, summary_hash)"
                " values (%s, 'en', 'human', 'Äther', '', '', '')",
                (made,),
            )
            assert connection.execute("select titles, locales from practice_listing").fetchall() == [("äther", ["en"])]
            connection.execute("set session_replication_role = origin")
            connection.execute("delete from practice")
            assert connection.execute("select count(*) from practice_listing").fetchone() == (0,)
            connection.rollback()
    finally:
        drop(cluster, url)


async def test_the_index_is_asked_for_no_fewer_rows_than_may_be_seen(world: World) -> None:
    """Each letter before a facet stands for readers; nothing that is visible to them is without it."""
    for status in PracticeStatus:
        await make_practice(world, status)
        await make_practice(world, status, visibility="members")
    found = await world.db.execute(
        text(
            "select l.status, l.visibility, l.public_from is not null, wego_practice_facets(city_id, country,"
            " region, status, visibility, public_from, stage, themes, sdg_codes, locales, evidence, technologies,"
            " keywords) from practice_listing l"
        )
    )
    for status, visibility, public, facets in found:
        letters = {facet[0] for facet in facets}
        assert "a" in letters
        assert ("p" in letters) == public
        assert ("m" in letters) >= (status == "published" and visibility != "private")
        assert ("m" in letters) >= public
        assert len(facets) == len(letters) * len({facet[1:] for facet in facets})
