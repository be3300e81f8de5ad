"""Texts and their translations: what a writer cannot do, blocks that keep their identity, and staleness by
hash."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from i18n.content import blocks, comparison, documents, readings
from i18n.content.documents import Draft, Section, SectionPart, TranslationDraft
from i18n.content.models import BlockKind, ContentReading, ContentSection
from i18n.content.releases import Audience, publish
from i18n.language.origins import Origin
from wego.core.db import Database, Session
from wego.core.errors import Conflict, Invalid, NotFound, Refusal
from wego.core.ids import new_id

from ..conftest import owner_url

BODY = "First paragraph.\n\nSecond paragraph.\n\n- a list\n\nLast paragraph."
DRAFT = Draft("Title", "Summary.", (Section("process", "How", BODY), Section("results", "What came", "Result.")))
KOREAN = TranslationDraft(
    "제목",
    "요약.",
    (
        SectionPart("process", "방법", "하나.\n\n둘.\n\n- 목록\n\n넷."),
        SectionPart("results", "결과", "결과."),
    ),
)


def body(draft: Draft, written: str) -> Draft:
    return Draft(draft.title, draft.summary, (Section("process", "How", written), *draft.sections[1:]))


async def make_document(db: Session, draft: Draft = DRAFT) -> UUID:
    return (await documents.create(db, new_id(), "en", draft, "writer")).document_id


async def translate(db: Session, key: UUID, draft: TranslationDraft = KOREAN, origin: Origin = Origin.HUMAN) -> None:
    await documents.translate(db, key, "ko", draft, author="translator", origin=origin)


async def revise(db: Session, key: UUID, draft: Draft, *, minor: bool = False) -> documents.Written:
    return await documents.revise(db, key, draft, author="writer", minor=minor, facts={})


async def korean(db: Session, key: UUID) -> comparison.LocaleStatus:
    return next(each for each in await comparison.status(db, key) if each.locale == "ko")


async def section(db: Session, key: UUID, locale: str, name: str = "process") -> ContentSection:
    return (
        await db.execute(
            select(ContentSection)
            .where(ContentSection.document_id == key, ContentSection.locale == locale, ContentSection.key == name)
            .execution_options(populate_existing=True)
        )
    ).scalar_one()


async def test_what_was_written_cannot_be_changed_or_deleted(database: Database) -> None:
    async with database.session() as db:
        key = await make_document(db)
        await publish(db, key, datetime.now(UTC), Audience())  # what was never published can go as a whole
    for statement in ("update content_block set text = 'other'", "delete from content_block"):
        with psycopg.connect(owner_url(database.url)) as owner, pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement)
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.session() as db:
                await db.execute(text(statement))


async def test_a_text_that_does_not_exist_is_not_found(db: Session) -> None:
    with pytest.raises(NotFound):
        await revise(db, new_id(), DRAFT)
    with pytest.raises(NotFound):
        await documents.refresh(db, new_id())


async def test_an_original_is_not_translated_into_its_own_language(db: Session) -> None:
    key = await make_document(db)
    with pytest.raises(Conflict):
        await documents.translate(db, key, "EN", KOREAN, author="x", origin=Origin.HUMAN)


@pytest.mark.parametrize("locale", ["", "korean!", "x-private", "und", "k" * 40])
async def test_a_language_must_be_a_language_tag(db: Session, locale: str) -> None:
    key = await make_document(db)
    with pytest.raises(Invalid):
        await documents.translate(db, key, locale, KOREAN, author="x", origin=Origin.HUMAN)


async def test_everything_that_is_wrong_with_a_draft_is_told_at_once(db: Session) -> None:
    wrong = Draft("", "a\x00", (Section("process", "x" * 200, "<b>"), Section("process", "How", "fine")))
    with pytest.raises(Refusal) as refused:
        await make_document(db, wrong)
    assert [each.path[1:] for each in refused.value.each] == [
        ("title",), ("summary",), ("sections", 0, "heading"), ("sections", 0, "body"), ("sections", 1, "key"),
    ]  # fmt: skip


async def test_the_first_revision_comes_back_as_it_was_sent(db: Session) -> None:
    odd = body(DRAFT, "\n\n Ｆull width \u00e9 e\u0301\n\n\n\n\tlast\n\n")
    key = await make_document(db, odd)
    assert await documents.written(db, key) == odd
    assert (await section(db, key, "en")).body == odd.sections[0].body


async def test_an_inserted_first_paragraph_leaves_all_others_alone(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key)
    await revise(db, key, body(DRAFT, f"New first.\n\n{BODY}"))
    state = await korean(db, key)
    assert (len(state.missing_blocks), state.stale_blocks) == (1, ())
    assert (await section(db, key, "ko")).body_hash != (await section(db, key, "en")).body_hash


async def test_one_edited_block_of_four_is_exactly_the_stale_one(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key)
    written = await revise(db, key, body(DRAFT, BODY.replace("Second", "Another")))
    state = await korean(db, key)
    made = {block.id: block.text for block in (await readings.load(db, [key]))[0].blocks}
    assert [made[each] for each in state.stale_blocks] == ["Another paragraph."]
    assert (state.missing_blocks, written.changed) == ((), 1)
    assert (await section(db, key, "ko", "results")).body_hash == (await section(db, key, "en", "results")).body_hash


async def test_an_edited_and_an_added_block_leave_the_rest_done(db: Session) -> None:
    one = Draft("Title", "Summary.", (Section("process", "How", "A one.\n\nB two.\n\nC three.\n\nD four."),))
    key = await make_document(db, one)
    await translate(db, key, TranslationDraft("제", "요", (SectionPart("process", "방", "ㄱ\n\nㄴ\n\nㄷ\n\nㄹ"),)))
    await revise(db, key, body(one, "A one.\n\nB twice.\n\nC three.\n\nD four.\n\nE five."))
    state = await korean(db, key)
    assert (len(state.stale_blocks), len(state.missing_blocks), state.percent_complete) == (1, 1, 75)


async def test_a_block_edited_beside_a_new_one_keeps_its_identity() -> None:
    before = blocks.compose(body(DRAFT, "Buses run all night long.\n\nLast."))
    after = blocks.aligned(
        before, blocks.compose(body(DRAFT, "A new opening here.\n\nBuses now run all night long.\n\nLast."))
    )
    kept = {block.id for block in before}
    assert [block.id in kept for block in after if block.section == "process"] == [True, False, True, True]


async def test_blocks_that_change_places_or_sections_keep_their_translation(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key)
    moved = Draft(
        "Title", "Summary.",
        (Section("process", "How", "Last paragraph.\n\nFirst paragraph.\n\n- a list"),
         Section("results", "What came", "Result.\n\nSecond paragraph.")),
    )  # fmt: skip
    await revise(db, key, moved)
    state = await korean(db, key)
    assert (state.stale_blocks, state.missing_blocks, state.percent_complete) == ((), (), 100)
    assert (await section(db, key, "ko")).body == "넷.\n\n하나.\n\n- 목록"


async def test_white_space_and_normal_forms_do_not_make_a_translation_stale(db: Session) -> None:
    key = await make_document(db, body(DRAFT, "Caf\u00e9 at night.\n\nx\n\ny\n\nz"))
    await translate(db, key)
    await revise(db, key, body(DRAFT, "Cafe\u0301  at\nnight.\n\nx\n\n\ny\n\nz"))
    assert (await korean(db, key)).percent_complete == 100


async def test_a_minor_edit_carries_what_was_right_and_nothing_else(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key)
    await revise(db, key, body(DRAFT, BODY.replace("First", "A first")))
    written = await revise(
        db, key, body(DRAFT, BODY.replace("First", "The first").replace("Last", "The last")), minor=True
    )
    state = await korean(db, key)
    assert len(written.carried) == 2
    assert (len(state.stale_blocks), state.percent_complete) == (1, 88)


async def test_a_partial_update_touches_only_what_is_given(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key)
    await translate(db, key, TranslationDraft(title="새 제목"))
    assert (await section(db, key, "ko")).body.startswith("하나.")
    first = next(block for block in (await readings.load(db, [key]))[0].blocks if block.kind is BlockKind.BODY)
    await translate(db, key, TranslationDraft(blocks={first.id: "처음."}))
    assert (await section(db, key, "ko")).body == "처음.\n\n둘.\n\n- 목록\n\n넷."
    assert (await db.get(ContentReading, (key, "ko"))).title == "새 제목"


async def test_a_translation_with_another_number_of_blocks_says_both_numbers(db: Session) -> None:
    key = await make_document(db)
    with pytest.raises(Refusal) as refused:
        await translate(db, key, TranslationDraft("제목", "요약", (SectionPart("process", "방법", "하나.\n\n둘."),)))
    assert (refused.value.each[0].params["expected"], refused.value.each[0].params["given"]) == (4, 2)
    with pytest.raises(Refusal):
        await translate(db, key, TranslationDraft(blocks={new_id(): "x"}))
    with pytest.raises(Refusal):
        await translate(db, key, TranslationDraft())


async def test_a_machine_never_overwrites_a_person(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key, TranslationDraft("제목", "요약"))
    with pytest.raises(Conflict, match="machine"):
        await translate(db, key, origin=Origin.MACHINE)
    rest = TranslationDraft(sections=KOREAN.sections)
    await translate(db, key, rest, Origin.MACHINE)
    await translate(db, key, rest, Origin.MACHINE)
    assert (await korean(db, key)).origin is Origin.MACHINE
    await translate(db, key, rest, Origin.MACHINE_POST_EDITED)
    assert (await section(db, key, "ko")).origin is Origin.MACHINE_POST_EDITED
    with pytest.raises(Conflict):
        await translate(db, key, rest, Origin.MACHINE)


async def test_a_translation_is_read_once_it_has_title_and_summary(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key, TranslationDraft(sections=KOREAN.sections))
    assert await db.get(ContentReading, (key, "ko")) is None
    await translate(db, key, TranslationDraft("제목", "요약"))
    assert await db.get(ContentReading, (key, "ko")) is not None
    assert (await korean(db, key)).percent_complete == 100


async def test_differences_tell_what_was_added_removed_and_changed(db: Session) -> None:
    key = await make_document(db)
    first = (await readings.load(db, [key]))[0]
    before = (
        await db.execute(text("select current_revision_id from content_document where id = :k"), {"k": key})
    ).scalar_one()
    after = await revise(db, key, body(DRAFT, "First paragraph.\n\nSecond, changed.\n\nLast paragraph.\n\nNew."))
    told = {
        (each.change, each.before, each.after) for each in await comparison.differences(db, before, after.revision_id)
    }
    assert told == {
        ("changed", "Second paragraph.", "Second, changed."),
        ("added", None, "New."),
        ("removed", "- a list", None),
    }  # fmt: skip
    assert len(first.blocks) == 9


async def test_verification_finds_what_was_changed_behind_its_back(db: Session) -> None:
    key = await make_document(db)
    await translate(db, key)
    assert await documents.verify(db) == []
    await db.execute(text("update content_reading set title = 'forged' where locale = 'ko'"))
    await db.execute(text("delete from content_section where locale = 'en' and key = 'results'"))
    assert {(each.locale, each.section, each.what) for each in await documents.verify(db)} == {
        ("ko", None, "different"), ("en", "results", "missing"),
    }  # fmt: skip


PARAGRAPHS = (
    "Buses run.",
    "The city pays.",
    "Nobody waits.",
    "- one\n- two",
    "Last words.",
    "`code`",
    "More.",
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_readings_agree_with_the_truth_after_any_operations(db: Session, seed: int) -> None:
    dice = random.Random(seed)

    def draft() -> Draft:
        keys = dice.sample(["process", "results", "participation"], dice.randint(0, 3))
        bodies = {key: "\n\n".join(dice.choices(PARAGRAPHS, k=dice.randint(1, 5))) for key in keys}
        return Draft(dice.choice("ABC"), dice.choice("DEF"), tuple(Section(key, key, bodies[key]) for key in keys))

    key = await make_document(db, draft())
    for _ in range(6):
        if dice.random() < 0.5:
            await revise(db, key, draft(), minor=dice.random() < 0.3)
            continue
        parts = tuple(
            SectionPart(each.key, each.heading, "\n\n".join("번역" for _ in documents.markdown.blocks(each.body)))
            for each in (await documents.written(db, key)).sections
            if dice.random() < 0.7
        )
        title = "제목" if dice.random() < 0.6 or not parts else None
        made = TranslationDraft(title, "요약" if dice.random() < 0.6 else None, parts)
        await documents.translate(db, key, dice.choice(["ko", "fr"]), made, author="x", origin=Origin.HUMAN)
    assert [each for each in await documents.verify(db) if each.document_id == key] == []
    for state in await comparison.status(db, key):
        stale = {
            block.section
            for block in (await readings.load(db, [key]))[0].blocks
            if block.id in {*state.stale_blocks, *state.missing_blocks}
        }
        rows = (
            await db.execute(
                select(ContentSection)
                .where(ContentSection.document_id == key, ContentSection.locale == state.locale)
                .execution_options(populate_existing=True)
            )
        ).scalars()
        for row in rows:
            source = await section(db, key, "en", row.key)
            fresh = (row.body_hash, row.heading_hash) == (source.body_hash, source.heading_hash)
            assert fresh == (row.key not in stale)
