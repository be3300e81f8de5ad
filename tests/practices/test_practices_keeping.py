"""Taken back from review, deleted, restored, renamed: and who learns what of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from practices_make import DRAFT, FACTS, KOREAN, World, make_practice, person
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from i18n.content import comparison
from i18n.content.models import TranslationStatus
from practices.cases import archives, drafts, names, practices
from practices.cases.models import FormerSlug, PracticeStatus, Review
from practices.cases.practices import Change
from practices.cases.reach import by_slug
from practices.reviews import reviews
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from wego.core.models import AuditEntry

S = PracticeStatus
AT = datetime(2026, 1, 5, tzinfo=UTC)
TEXTS = ("content_document", "content_revision", "content_block", "content_translation", "content_segment",
         "content_reading", "content_section")  # fmt: skip
Ask = Callable[..., Awaitable[Any]]


async def counted(db: Session) -> list[int]:
    return [(await db.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in TEXTS]


async def do(ask: Ask, who: str, mutation: str, given: dict[str, Any], shown: str = "practice { slug status }") -> Any:
    kind = "PracticeInput" if mutation.startswith(("delete", "restore", "withdraw", "submit")) else None
    kind = kind or f"{mutation[0].upper()}{mutation[1:]}Input"
    document = f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ problems {{ code path }} {shown} }} }}"
    return (await ask(who, document, variables={"i": given}))[mutation]


async def named(ask: Ask, who: str, slug: str) -> str | None:
    """The present slug of the practice that a reader finds under this one."""
    found = (await ask(who, "query($s: String!) { practice(slug: $s) { slug } }", variables={"s": slug}))["practice"]
    return found["slug"] if found else None


# ── taken back from review ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [S.SUBMITTED, S.UNDER_REVIEW, S.CHANGES_REQUESTED, S.ACCEPTED])
async def test_a_city_takes_a_practice_back_from_review_mends_it_and_hands_it_in_again(
    world: World, db: Session, state: PracticeStatus
) -> None:
    made = await make_practice(world, state)
    await reviews.withdraw(db, world["writer"], made.id)
    assert made.status is S.DRAFT
    still_open = select(Review).where(col(Review.practice_id) == made.id, col(Review.decided_at).is_(None))
    assert (await db.execute(still_open)).all() == []
    with pytest.raises(NotFound):
        await reviews.accept(db, world["reviewer"], made.id, conflict="")
    await practices.revise(db, world["writer"], made.id, Change(title="Night Trams"), {})
    await reviews.submit(db, world["writer"], made.id)
    assert made.status is S.SUBMITTED  # nobody reviews it by himself
    await reviews.assign(db, world["officer"], made.id, person(world["reviewer"]))
    await reviews.accept(db, world["reviewer"], made.id, conflict="")


async def test_what_was_handed_in_before_the_rule_can_be_withdrawn(world: World, db: Session) -> None:
    made = await make_practice(world, S.UNDER_REVIEW)
    made.sdgs = []
    with pytest.raises(Refusal):
        await reviews.accept(db, world["reviewer"], made.id, conflict="")
    await reviews.withdraw(db, world["cio"], made.id)
    await practices.revise(db, world["writer"], made.id, Change(), {"sdgs": [{"goal": 11}]})
    await reviews.submit(db, world["writer"], made.id)


# ── deleted ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_draft_is_deleted_with_all_its_texts_and_the_log_keeps_its_key(world: World, db: Session) -> None:
    before = await counted(db)
    made = await make_practice(world)
    key = made.id
    await practices.translate(db, world["writer"], key, "ko", KOREAN)
    await practices.revise(db, world["writer"], key, Change(title="A secret of Seoul"), {})
    await names.rename(db, world["writer"], key, "secret")
    await drafts.delete(db, world["writer"], key)
    assert await counted(db) == before
    for table in ("practice", "practice_listing", "practice_former_slug"):
        assert (await db.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
    with pytest.raises(NotFound):
        await practices.revise(db, world["writer"], key, Change(title="x"), {})
    again = await make_practice(world)
    assert again.slug == "night-buses"  # its name is free


async def test_what_was_handed_in_or_published_is_not_deleted(world: World, db: Session) -> None:
    withdrawn = await make_practice(world, S.SUBMITTED)
    await reviews.withdraw(db, world["writer"], withdrawn.id)
    before = await counted(db)
    with pytest.raises(Conflict):
        await drafts.delete(db, world["writer"], withdrawn.id)
    for state in set(S) - {S.DRAFT}:
        with pytest.raises((Conflict, NotAllowed)):
            await drafts.delete(db, world["cio"], (await make_practice(world, state)).id)
    assert (await counted(db))[0] == before[0] + len(S) - 1


async def test_the_database_refuses_to_erase_what_was_published(world: World, db: Session) -> None:
    made = await make_practice(world, S.PUBLISHED)
    for statement in (
        "SELECT wego_erase_blocks(:key)", "DELETE FROM content_revision WHERE document_id = :key",
        "DELETE FROM content_block WHERE revision_id IN (SELECT id FROM content_revision WHERE document_id = :key)",
    ):  # fmt: skip
        nested = await db.begin_nested()
        with pytest.raises(DBAPIError):
            await db.execute(text(statement), {"key": made.id})
        await nested.rollback()


# ── restored ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_archived_practice_comes_back_as_it_was(world: World, db: Session) -> None:
    made = await make_practice(world, S.ARCHIVED, now=AT)
    with pytest.raises(NotFound):
        await by_slug(db, world["nobody"], "night-buses")
    await archives.restore(db, world["cio"], made.id)
    assert (made.status, made.slug, made.published_at, made.public_from) == (S.PUBLISHED, "night-buses", AT, AT)
    assert await by_slug(db, world["nobody"], "night-buses") == made.id
    assert len(await practices.versions(db, world["nobody"], made.id)) == 1


async def test_an_embargo_goes_on_after_the_archive(world: World, db: Session) -> None:
    ends = datetime.now(UTC) + timedelta(days=9)
    made = await make_practice(world, S.ARCHIVED, visibility="embargo", publish_at=ends)
    await archives.restore(db, world["cio"], made.id)
    assert made.public_from == ends
    with pytest.raises(NotFound):
        await practices.versions(db, world["nobody"], made.id)
    first, second = await practices.versions(db, world["cio"], made.id)
    assert (first.public_from, second.public_from) == (None, ends)


async def test_a_name_that_was_taken_meanwhile_is_numbered(world: World, db: Session) -> None:
    made = await make_practice(world, S.ARCHIVED)
    other = (await practices.create(db, world["reviewer"], "en", DRAFT, FACTS)).practice
    await reviews.submit(db, world["reviewer"], other.id)
    await practices.publish(db, world["officer"], other.id, now=AT)
    assert other.slug == "night-buses"
    await archives.restore(db, world["cio"], made.id)
    assert made.slug == "night-buses-2"
    assert await by_slug(db, world["nobody"], "night-buses") == other.id


# ── renamed ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_old_address_leads_to_the_practice_and_says_its_present_name(ask: Ask) -> None:
    cio = "cio@seoul.demo"
    done = await do(ask, cio, "renamePractice", {"practice": "seoul-wiki", "slug": "city-wiki"})
    assert (done["problems"], done["practice"]["slug"]) == ([], "city-wiki")
    for who in ("", cio, "cio@barcelona.demo"):
        assert await named(ask, who, "seoul-wiki") == "city-wiki"
        assert await named(ask, who, "city-wiki") == "city-wiki"
    # Nobody else gets the old name, neither its own city nor another; the practice itself takes it back.
    for who in (cio, "cio@barcelona.demo"):
        given = {"originalLocale": "en", "title": "Seoul Wiki", "summary": "S.", "slug": "seoul-wiki"}
        made = await do(ask, who, "createPractice", given)
        assert made["practice"]["slug"] == "seoul-wiki-2"
        taken = await do(ask, who, "renamePractice", {"practice": "seoul-wiki-2", "slug": "seoul-wiki"})
        assert [(each["code"], each["path"]) for each in taken["problems"]] == [("CONFLICT", ["input", "slug"])]
    back = await do(ask, cio, "renamePractice", {"practice": "seoul-wiki", "slug": "seoul-wiki"})
    assert back["practice"]["slug"] == "seoul-wiki"
    assert await named(ask, "", "city-wiki") == "seoul-wiki"


async def test_a_name_from_before_it_was_public_leads_nobody_else_to_it(ask: Ask) -> None:
    cio, officer = "cio@seoul.demo", "secretariat@wego.demo"
    facts = {"sdgs": [{"goal": 11}], "visibility": "MEMBERS"}
    document = '{ practice(slug: "seoul-wiki") { sections { key heading { text } body { text } } } }'
    shown = (await ask(cio, document))["practice"]
    sections = [
        {"key": each["key"], "heading": each["heading"]["text"], "body": each["body"]["text"]}
        for each in shown["sections"]
    ]
    given = {"originalLocale": "en", "title": "Buses", "summary": "S.", "slug": "secret-plan", "sections": sections}
    await do(ask, cio, "createPractice", given | facts)
    await do(ask, cio, "renamePractice", {"practice": "secret-plan", "slug": "plan-of-members"})
    assert (await do(ask, cio, "submitPractice", {"practice": "secret-plan"}))["problems"] == []
    document = "mutation($i: PracticeInput!) { publishPractice(input: $i) { problems { message } } }"
    told = await ask(officer, document, variables={"i": {"practice": "plan-of-members"}})
    assert told["publishPractice"]["problems"] == []
    await do(ask, cio, "renamePractice", {"practice": "secret-plan", "slug": "plan-for-all"})
    await do(ask, cio, "revisePractice", {"practice": "plan-for-all", "visibility": "PUBLIC"})
    expected = {"": [None, None], "cio@barcelona.demo": [None, "plan-for-all"], cio: ["plan-for-all"] * 2}
    for who, found in expected.items():
        assert [await named(ask, who, slug) for slug in ("secret-plan", "plan-of-members")] == found, who
        assert await named(ask, who, "plan-for-all") == "plan-for-all"
    # What nobody else was shown takes no name away.
    other = {"originalLocale": "en", "title": "Plan", "summary": "S.", "slug": "secret-plan"}
    made = await do(ask, "cio@barcelona.demo", "createPractice", other)
    assert made["practice"]["slug"] == "secret-plan"


async def test_the_name_that_a_hidden_title_made_leads_only_its_city(world: World, db: Session) -> None:
    made = await make_practice(world, S.PUBLISHED, visibility="private")
    await practices.revise(db, world["cio"], made.id, Change(title="Night Trams"), {"visibility": "public"})
    assert made.slug == "night-trams"
    assert await by_slug(db, world["writer"], "night-buses") == made.id
    for stranger in ("nobody", "reviewer"):
        with pytest.raises(NotFound):
            await by_slug(db, world[stranger], "night-buses")
    kept = (await db.execute(select(FormerSlug))).scalar_one()
    assert (kept.slug, kept.shown_to_members, kept.shown_to_public) == ("night-buses", False, False)


async def test_a_name_must_be_one_and_the_same_name_is_no_change(world: World, db: Session) -> None:
    made = await make_practice(world)
    for wrong in ("", "Night", "night buses", "x" * 61, "night--buses", "ночь"):
        with pytest.raises(Invalid):
            await names.rename(db, world["writer"], made.id, wrong)
    told = select(col(AuditEntry.index))
    before = len((await db.execute(told)).all())
    await names.rename(db, world["writer"], made.id, made.slug)
    assert len((await db.execute(told)).all()) == before


# ── translations ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_translation_of_a_draft_is_called_a_draft(world: World, db: Session) -> None:
    made = await make_practice(world)
    await practices.translate(db, world["writer"], made.id, "ko", KOREAN)

    async def called() -> list[TranslationStatus]:
        return [each.status for each in await comparison.status(db, made.id)]

    assert await called() == [TranslationStatus.DRAFT]
    await reviews.submit(db, world["writer"], made.id)
    assert await called() == [TranslationStatus.DRAFT]
    await practices.publish(db, world["officer"], made.id)
    assert await called() == [TranslationStatus.PUBLISHED]
    await archives.archive(db, world["cio"], made.id, "Ended.")
    assert await called() == [TranslationStatus.PUBLISHED]


async def test_the_api_calls_a_translation_of_a_draft_a_draft(ask: Ask) -> None:
    document = '{ practice(slug: "%s") { translations { locale status } } }'
    given = {"city": "seoul", "originalLocale": "en", "title": "A draft", "summary": "S.", "slug": "a-draft"}
    await do(ask, "cio@seoul.demo", "createPractice", given)
    await do(ask, "cio@seoul.demo", "translatePractice", {"practice": "a-draft", "locale": "ko", "title": "초안"})
    told = (await ask("cio@seoul.demo", document % "a-draft"))["practice"]["translations"]
    assert told == [{"locale": "ko", "status": "DRAFT"}]
    told = (await ask("cio@seoul.demo", document % "seoul-wiki"))["practice"]["translations"]
    assert {each["status"] for each in told} == {"PUBLISHED"}
