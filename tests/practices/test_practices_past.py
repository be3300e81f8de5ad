"""What a practice was before it was opened to more readers stays with those who could read it then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from practices_make import KOREAN, World, make_practice
from sqlalchemy import select

from i18n.content import comparison, documents
from i18n.content.documents import TranslationDraft
from i18n.content.models import ContentReading, ContentRevision, TranslationStatus
from practices.cases import archives, practices
from practices.cases.models import Practice, PracticeStatus
from practices.cases.practices import Change
from practices.reviews import reviews
from wego.core.errors import Conflict

S = PracticeStatus
NOW = datetime(2026, 1, 5, tzinfo=UTC)


async def revise(world: World, key: UUID, title: str, days: int, *, minor: bool = False, **facts: Any) -> None:
    at = NOW + timedelta(days=days)
    await practices.revise(world.db, world["cio"], key, Change(title=title, minor=minor), facts, now=at)


async def readers(world: World, made: Practice) -> list[tuple[bool, bool]]:
    """By version, whether members and everybody may read it some day."""
    query = select(ContentRevision).where(ContentRevision.document_id == made.id).order_by(ContentRevision.number)
    found = (await world.db.execute(query.execution_options(populate_existing=True))).scalars()
    return [(each.members_from is not None, each.public_from is not None) for each in found]


async def live_title(world: World, made: Practice) -> str | None:
    query = select(ContentReading.title).where(ContentReading.document_id == made.id, ContentReading.locale == "ko")
    return (await world.db.execute(query)).scalar_one_or_none()


async def test_every_version_has_the_readers_of_its_own_visibility(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED, now=NOW, visibility="private")
    for days, visibility in enumerate(("members", "public", "private", "public"), start=1):
        await revise(world, made.id, f"Title {days}", days, visibility=visibility)
    assert await readers(world, made) == [(False, False), (True, False), (True, True), (False, False), (True, True)]
    assert await documents.verify(world.db) == []


@pytest.mark.parametrize("end", ["revised", "archived", "shut"])
async def test_an_embargo_that_is_cut_short_never_ends_for_its_version(world: World, end: str) -> None:
    later = datetime.now(UTC) + timedelta(days=90)
    made = await make_practice(world, S.PUBLISHED, visibility="embargo", publish_at=later)
    assert await readers(world, made) == [(True, True)]
    if end == "archived":
        await archives.archive(world.db, world["cio"], made.id, "Ended.")
    else:
        facts = {"visibility": "public"} if end == "revised" else {"visibility": "private"}
        await practices.revise(world.db, world["cio"], made.id, Change(title="Other"), facts)
    assert (await readers(world, made))[0] == (True, False)


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("before", ["private", "members"])
async def test_a_translation_of_what_was_hidden_is_not_shown_by_opening_it(
    world: World, before: str, minor: bool
) -> None:
    made = await make_practice(world, S.PUBLISHED, now=NOW, visibility=before)
    await practices.translate(world.db, world["cio"], made.id, "ko", KOREAN, now=NOW)
    assert await live_title(world, made) == KOREAN.title
    await revise(world, made.id, "Told to all", 1, minor=minor, visibility="public")
    assert await live_title(world, made) is None  # what is translated of it is no title any more, so none is read
    states = {each.status: each for each in await comparison.status(world.db, made.id)}
    assert len(states[TranslationStatus.PUBLISHED].missing_blocks) == 1
    assert len(states[TranslationStatus.IN_REVIEW].stale_blocks) == 1
    with pytest.raises(Conflict, match="waits"):  # nor by releasing it
        await practices.release_translation(world.db, world["cio"], made.id, "ko")
    await practices.translate(world.db, world["cio"], made.id, "ko", TranslationDraft(title="모두에게"))
    assert await live_title(world, made) == "모두에게"
    assert [each.status for each in await comparison.status(world.db, made.id)] == [TranslationStatus.PUBLISHED]
    assert await documents.verify(world.db) == []


async def test_a_translation_stays_where_its_source_was_open_already(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED, now=NOW, visibility="public")
    await practices.translate(world.db, world["cio"], made.id, "ko", KOREAN, now=NOW)
    await revise(world, made.id, "Hidden", 1, visibility="private")
    await revise(world, made.id, "Open", 2, visibility="public")
    assert await live_title(world, made) == KOREAN.title  # stale, and everybody read its source


async def test_under_an_embargo_no_text_waits_for_the_public_in_a_translation(world: World) -> None:
    later = {"visibility": "embargo", "publish_at": datetime.now(UTC) + timedelta(days=90)}
    made = await make_practice(world, S.PUBLISHED, **later)
    await practices.translate(world.db, world["cio"], made.id, "ko", KOREAN)
    await practices.revise(world.db, world["cio"], made.id, Change(title="Corrected"), {})
    assert await live_title(world, made) is None


@pytest.mark.parametrize(
    ("before", "after", "slug"),
    [("private", "public", "told-to-all"), ("members", "public", "told-to-all"), ("private", "members", "told-to-all"),
     ("public", "public", "night-buses"), ("members", "members", "night-buses")],
)  # fmt: skip
async def test_a_name_tells_no_title_that_its_readers_never_saw(
    world: World, before: str, after: str, slug: str
) -> None:
    made = await make_practice(world, S.PUBLISHED, now=NOW, visibility=before)
    assert made.slug == "night-buses"
    await revise(world, made.id, "Told to all", 1, visibility=after)
    assert made.slug == slug
    opened = before == "private"
    assert made.published_at == (NOW + timedelta(days=1) if opened else NOW)


async def test_a_name_that_was_wished_stays(world: World) -> None:
    made = await make_practice(world, S.DRAFT, now=NOW, visibility="private")
    made.slug = "wished"
    await reviews.submit(world.db, world["writer"], made.id)
    await practices.publish(world.db, world["officer"], made.id)
    await practices.revise(world.db, world["cio"], made.id, Change(title="Other"), {"visibility": "public"})
    assert made.slug == "wished"


async def test_what_waits_changes_nothing_that_others_see(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED, now=NOW, visibility="members")
    before = made.updated_at
    await practices.translate(world.db, world["writer"], made.id, "ko", KOREAN)
    assert made.updated_at == before
    assert await live_title(world, made) is None
