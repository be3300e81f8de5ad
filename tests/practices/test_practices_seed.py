"""The demonstration's case studies and the samples for measuring: whole, repeatable, and in agreement with
the truth."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import func, select

from i18n.content import comparison, documents
from i18n.content.models import ContentReading, ContentSegment
from i18n.language.origins import Origin
from members.demo import seed as members_seed
from practices.cases import files
from practices.cases.facts import Visibility
from practices.cases.models import Practice, PracticeStatus, Review, ReviewComment, ReviewStatus
from practices.demo import seed as practices_seed
from wego.core.db import Database, Session
from wego.core.errors import Refusal


async def test_without_cities_the_seed_says_what_is_missing(db: Session) -> None:
    with pytest.raises(Refusal, match="no such city"):
        await practices_seed.seed(db)


def test_every_case_has_its_original_and_the_same_number_of_blocks_in_each_language() -> None:
    cases = files.demonstration()
    assert len(cases) == 24
    for case in cases:
        counts = {each.key: len(documents.markdown.blocks(each.body)) for each in case.original.sections}
        assert len(counts) == 10, case.slug
        for locale, draft in case.texts.items():
            found = {each.key: len(documents.markdown.blocks(each.body)) for each in draft.sections}
            assert found in ({}, counts), (case.slug, locale)


def test_a_text_file_comes_back_as_it_was() -> None:
    draft = files.demonstration()[0].original
    assert files.parse(files.as_text(draft)) == draft
    with pytest.raises(Refusal, match="must begin"):
        files.parse("no title")


async def test_the_demonstration_is_loaded_once_whole_and_quickly(database: Database) -> None:
    async with database.session() as db:
        await members_seed.seed(db)
    begun = time.perf_counter()
    async with database.session() as db:
        assert await practices_seed.seed(db) == 24
    print(f"seed: {time.perf_counter() - begun:.2f} s")
    async with database.session() as db:
        assert await practices_seed.seed(db) == 0
        states = dict((await db.execute(select(Practice.status, func.count()).group_by(Practice.status))).all())
        assert states == {
            PracticeStatus.PUBLISHED: 20, PracticeStatus.DRAFT: 2,
            PracticeStatus.SUBMITTED: 1, PracticeStatus.UNDER_REVIEW: 1,
        }  # fmt: skip
        assert await documents.verify(db) == []
        await _check_stories(db)


async def _check_stories(db: Session) -> None:
    everything = {each.slug: each for each in (await db.execute(select(Practice))).scalars()}
    embargoed = everything["study-visits"]
    assert embargoed.visibility is Visibility.EMBARGO
    assert embargoed.public_from == embargoed.publish_at
    stale = [
        (slug, each.locale, len(each.stale_blocks))
        for slug, practice in everything.items()
        for each in await comparison.status(db, practice.id)
        if each.stale_blocks
    ]
    assert stale == [("mobile-seoul", "en", 1)]
    bidding = everything["open-host-bidding"].id
    reviews = (await db.execute(select(Review).where(Review.practice_id == bidding).order_by(Review.round))).scalars()
    assert [each.status for each in reviews] == [ReviewStatus.CHANGES_REQUESTED, ReviewStatus.ASSIGNED]
    assert (await db.execute(select(func.count()).select_from(ReviewComment))).scalar_one() == 1
    locales = (
        await db.execute(select(ContentReading.locale).where(ContentReading.document_id == everything["oasis"].id))
    ).scalars()
    assert set(locales) >= {"en", "ko"}
    assert all(practice.assumed for practice in everything.values())
    assert all((await db.execute(select(Review.assumed))).scalars())
    made = select(ContentReading.origin, Practice.original_locale == ContentReading.locale).distinct()
    made = made.join(Practice, Practice.id == ContentReading.document_id)
    tools = select(ContentSegment.tool).where(ContentSegment.origin == Origin.MACHINE).distinct()
    assert (await db.execute(tools)).scalars().all() == ["large language model"]
    assert set((await db.execute(made)).all()) == {(Origin.ORIGINAL, True), (Origin.MACHINE, False)}


async def test_samples_agree_with_the_truth_and_are_the_same_each_time(database: Database) -> None:
    async with database.session() as db:
        await members_seed.seed(db)
    assert await practices_seed.fill(database, 150) == 150
    assert await practices_seed.fill(database, 200) == 50
    assert await practices_seed.fill(database, 200) == 0
    async with database.session() as db:
        assert await documents.verify(db) == []
        titles = (await db.execute(select(ContentReading.title))).scalars().all()
        assert all("measuring sample" in each or "측정용" in each or "mesure" in each for each in titles)
        assert 400 < len(titles) < 600
        orphans = await db.execute(
            select(func.count()).select_from(Practice).where(Practice.id.not_in(select(ContentReading.document_id)))
        )
        assert orphans.scalar_one() == 0
