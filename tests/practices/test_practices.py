"""Case studies: what strangers cannot do, every verb in every state, and what a translator, a reviewer, a
clock does."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from practices_make import DRAFT, FACTS, KEYS, KOREAN, World, make_practice, person
from sqlalchemy import inspect, select, text

from i18n.content import blocks, comparison, documents
from i18n.content.documents import Draft, Section, TranslationDraft
from i18n.language.origins import Origin
from members.register.models import Membership, MembershipStatus
from practices.cases import archives, drafts, names, narrative, practices
from practices.cases.facts import Visibility
from practices.cases.life import LIFE, Verb
from practices.cases.models import Practice, PracticeStatus, Review
from practices.cases.practices import Change
from practices.reviews import reviews
from practices.reviews.reviews import Comment
from wego.core import audit, reads
from wego.core.access import Actor, ActorKind, Post, Role, organisation
from wego.core.audit import Event
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Refusal
from wego.core.ids import new_id
from wego.core.machine import To
from wego.core.models import AuditEntry

S = PracticeStatus
Call = Callable[[World, Actor, UUID], Awaitable[Any]]

CALLS: dict[Verb, Call] = {
    Verb.REVISE: lambda w, actor, key: practices.revise(w.db, actor, key, Change(title="Other"), {}),
    Verb.TRANSLATE: lambda w, actor, key: practices.translate(w.db, actor, key, "ko", KOREAN),
    Verb.SUBMIT: lambda w, actor, key: reviews.submit(w.db, actor, key),
    Verb.ASSIGN_REVIEWER: lambda w, actor, key: reviews.assign(w.db, actor, key, person(w["other_reviewer"])),
    Verb.REQUEST_CHANGES: lambda w, actor, key: reviews.request_changes(w.db, actor, key, [Comment("More.")]),
    Verb.ACCEPT: lambda w, actor, key: reviews.accept(w.db, actor, key, conflict=""),
    Verb.PUBLISH: lambda w, actor, key: practices.publish(w.db, actor, key),
    Verb.ARCHIVE: lambda w, actor, key: archives.archive(w.db, actor, key, "Ended."),
    Verb.RESTORE: lambda w, actor, key: archives.restore(w.db, actor, key),
    Verb.WITHDRAW: lambda w, actor, key: reviews.withdraw(w.db, actor, key),
    Verb.RENAME: lambda w, actor, key: names.rename(w.db, actor, key, f"late-{key}"),
    Verb.DELETE: lambda w, actor, key: drafts.delete(w.db, actor, key),
}
# Who may each verb where the state allows it; everybody else is refused.
MAY = {
    Verb.REVISE: {"writer", "both", "cio", "system"},
    Verb.TRANSLATE: {"writer", "both", "cio", "officer", "secretariat_editor", "system"},
    Verb.SUBMIT: {"writer", "both", "cio", "system"},
    Verb.ASSIGN_REVIEWER: {"officer", "secretariat_editor", "system"},
    Verb.REQUEST_CHANGES: {"reviewer", "officer", "secretariat_editor"},
    Verb.ACCEPT: {"reviewer"},
    Verb.PUBLISH: {"cio", "officer", "secretariat_editor", "system"},
    Verb.ARCHIVE: {"cio", "officer", "secretariat_editor", "system"},
    Verb.RESTORE: {"cio", "officer", "secretariat_editor", "system"},
    Verb.WITHDRAW: {"writer", "both", "cio", "system"},
    Verb.RENAME: {"cio", "officer", "secretariat_editor", "system"},
    Verb.DELETE: {"writer", "both", "cio", "system"},
}
FROM = {
    Verb.REVISE: S.DRAFT, Verb.TRANSLATE: S.PUBLISHED, Verb.SUBMIT: S.DRAFT, Verb.ASSIGN_REVIEWER: S.SUBMITTED,
    Verb.REQUEST_CHANGES: S.UNDER_REVIEW, Verb.ACCEPT: S.UNDER_REVIEW, Verb.PUBLISH: S.ACCEPTED,
    Verb.ARCHIVE: S.PUBLISHED, Verb.RESTORE: S.ARCHIVED, Verb.WITHDRAW: S.UNDER_REVIEW, Verb.RENAME: S.PUBLISHED,
    Verb.DELETE: S.DRAFT,
}  # fmt: skip


# Who sees a practice of seoul in every state; its reviewer sees it while it is under review.
INSIDE = {"writer", "both", "cio", "delegate", "officer", "secretariat_editor", "auditor", "system"}


def test_the_table_is_sound_and_every_verb_of_a_practice_is_called_here() -> None:
    assert LIFE.faults() == []
    assert set(CALLS) == set(Verb) - {Verb.CREATE, Verb.RELEASE_TRANSLATION}


@pytest.mark.parametrize("verb", CALLS)
async def test_only_who_may_does_it_and_a_stranger_learns_nothing(world: World, verb: Verb) -> None:
    made = await make_practice(world, FROM[verb])
    for name in sorted(world.actors):
        if name in MAY[verb]:
            continue
        reviewing = name == "reviewer" and FROM[verb] not in {S.DRAFT, S.SUBMITTED, S.ARCHIVED}
        sees = name in INSIDE or reviewing or FROM[verb] is S.PUBLISHED
        expected = (NotAllowed, NotSignedIn) if sees else NotFound
        with pytest.raises(expected):
            await CALLS[verb](world, world[name], made.id)
    assert made.status is FROM[verb]


@pytest.mark.parametrize("verb", CALLS)
async def test_who_may_does_it(world: World, verb: Verb) -> None:
    for name in sorted(MAY[verb]):
        made = await make_practice(world, FROM[verb])
        await CALLS[verb](world, world[name], made.id)
        step = LIFE.possible(Practice(status=FROM[verb]), verb)
        assert step is not None
        assert inspect(made).deleted if step.target is To.GONE else made.status is step.reached()


@pytest.mark.parametrize("state", S)
async def test_every_verb_in_every_state_does_what_the_table_says(world: World, state: PracticeStatus) -> None:
    for verb, call in CALLS.items():
        actor = world["reviewer" if verb is Verb.ACCEPT else "officer" if verb is Verb.REQUEST_CHANGES else "system"]
        nested = await world.db.begin_nested()
        made = await make_practice(world, state)
        step = LIFE.possible(made, verb)
        if step is not None:
            await call(world, actor, made.id)
            if not (verb is Verb.SUBMIT and state is S.CHANGES_REQUESTED) and step.target is not To.GONE:
                assert made.status is step.reached(), verb
        else:
            with pytest.raises((Conflict, NotAllowed, NotFound)):
                await call(world, actor, made.id)
        await nested.rollback()
        world.db.expunge_all()


async def test_nobody_drafts_for_a_city_that_is_not_his(world: World) -> None:
    with pytest.raises(NotSignedIn):
        await practices.create(world.db, world["nobody"], "en", DRAFT, {})
    for name in ("reviewer", "applicant", "auditor", "delegate", "officer"):
        with pytest.raises(NotAllowed):
            await practices.create(world.db, world[name], "en", DRAFT, {}, city="seoul")
    with pytest.raises(NotAllowed):
        await practices.create(world.db, world["delegate"], "en", DRAFT, {})
    with pytest.raises(NotFound):
        await practices.create(world.db, world["writer"], "en", DRAFT, {}, city="atlantis")


async def test_one_post_names_the_city_and_several_do_not(world: World) -> None:
    made = (await practices.create(world.db, world["writer"], "en", DRAFT, {})).practice
    assert made.city_id == world.cities["seoul"]
    with pytest.raises(Invalid, match="for which city"):
        await practices.create(world.db, world["both"], "en", DRAFT, {})
    assert (
        await practices.create(world.db, world["both"], "en", DRAFT, {}, city="busan")
    ).practice.slug == "night-buses-2"


async def test_a_suspended_city_keeps_its_drafts_and_cannot_touch_them(world: World) -> None:
    made = await make_practice(world)
    membership = await world.db.get(Membership, world.cities["seoul"])
    membership.status, membership.before_hold = MembershipStatus.SUSPENDED, MembershipStatus.FULL
    await world.db.flush()
    from members.people import people

    writer = await people.actor_of(world.db, person(world["writer"]))
    with pytest.raises(NotFound):
        await practices.revise(world.db, writer, made.id, Change(title="x"), {})


async def test_an_object_editor_writes_what_was_given_to_him_and_nothing_else(world: World) -> None:
    mine, other = await make_practice(world), await make_practice(world)
    editor = world["object_editor"]
    with pytest.raises(NotAllowed):
        await practices.add_editor(world.db, world["writer"], mine.id, person(editor))
    with pytest.raises(Conflict):
        await practices.add_editor(world.db, world["cio"], mine.id, person(world["reviewer"]))
    await practices.add_editor(world.db, world["cio"], mine.id, person(editor))
    await practices.revise(world.db, editor, mine.id, Change(title="Mine"), {})
    await practices.translate(world.db, editor, mine.id, "ko", KOREAN)
    with pytest.raises(NotAllowed):
        await reviews.submit(world.db, editor, mine.id)
    with pytest.raises(NotFound):
        await practices.revise(world.db, editor, other.id, Change(title="x"), {})


async def test_what_is_live_is_changed_only_by_who_may_publish(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED)
    with pytest.raises(NotAllowed):
        await practices.revise(world.db, world["writer"], made.id, Change(title="x"), {})
    await practices.revise(world.db, world["cio"], made.id, Change(title="x"), {})


async def test_a_program_is_narrowed_to_its_scopes(world: World) -> None:
    made = await make_practice(world, S.DRAFT)
    post = (Post(Role.PROGRAM, organisation(world.cities["seoul"])),)
    narrow = Actor(ActorKind.PROGRAM, "client", posts=post, scopes=frozenset({"graphql:query"}))
    wide = replace(narrow, scopes=frozenset({"graphql:query", "catalog:write"}))
    with pytest.raises(NotAllowed):
        await practices.revise(world.db, narrow, made.id, Change(title="x"), {})
    await practices.revise(world.db, wide, made.id, Change(title="x"), {})


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_submitting_needs_what_publishing_needs_and_word_budgets_are_advice(world: World) -> None:
    short = Draft("T", "S.", (Section("process", "How", "word " * 401),))
    made = (await practices.create(world.db, world["writer"], "en", short, {})).practice
    with pytest.raises(Refusal) as refused:
        await reviews.submit(world.db, world["writer"], made.id)
    absent = [("sections", key) for key in narrative.TO_PUBLISH if key != "process"]
    assert [each.path for each in refused.value.each] == [*absent, ("sdgs",)]
    rest = tuple(Section(key, key, "Text.") for key in narrative.TO_PUBLISH if key != "process")
    hints = (await practices.revise(world.db, world["writer"], made.id, Change(sections=rest), {})).hints
    assert ("missing_to_publish", "sdgs") in {(hint.code, hint.place) for hint in hints}
    with pytest.raises(Refusal) as refused:
        await reviews.submit(world.db, world["writer"], made.id)
    assert [each.path for each in refused.value.each] == [("sdgs",)]
    await practices.revise(world.db, world["writer"], made.id, Change(), FACTS)
    hints = (await reviews.submit(world.db, world["writer"], made.id)).hints
    found = {(hint.code, hint.place) for hint in hints}
    assert {("too_long", "process"), ("too_short", "situation_before"), ("missing_contact", "contacts")} <= found
    assert "missing_to_publish" not in {hint.code for hint in hints}


async def test_sections_have_known_keys_and_one_order(world: World) -> None:
    with pytest.raises(Refusal, match="no section"):
        await practices.create(world.db, world["writer"], "en", Draft("T", "S", (Section("x", "y", "z"),)), {})
    made = (
        await practices.create(world.db, world["writer"], "en", replace(DRAFT, sections=DRAFT.sections[::-1]), {})
    ).practice
    assert [each.key for each in (await documents.written(world.db, made.id)).sections] == list(KEYS)
    await practices.revise(world.db, world["writer"], made.id, Change(removed=("participation",)), {})
    assert "participation" not in {each.key for each in (await documents.written(world.db, made.id)).sections}


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Café für Ærø & Łódź!", "cafe-fur-aero-lodz"),
        ("심야 버스", None),
        ("24/7", None),
        ("A", None),
        ("word " * 20, "word-word-word-word-word-word-word-word-word-word-word-word"),
    ],
)
async def test_a_practice_has_a_readable_address(world: World, title: str, slug: str | None) -> None:
    made = (await practices.create(world.db, world["writer"], "en", replace(DRAFT, title=title.strip()), {})).practice
    assert made.slug == (slug or f"practice-{made.id.hex[-12:]}")
    again = (await practices.create(world.db, world["writer"], "en", replace(DRAFT, title=title.strip()), {})).practice
    assert again.slug == (f"{slug}-2" if slug else f"practice-{again.id.hex[-12:]}")


async def test_a_published_practice_that_is_revised_is_live_at_once_as_a_new_version(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED)
    await practices.translate(world.db, world["writer"], made.id, "ko", KOREAN)
    await practices.revise(world.db, world["cio"], made.id, Change(title="Later Buses"), {"stage": "scaled"})
    versions = await practices.versions(world.db, world["nobody"], made.id)
    assert [each.number for each in versions] == [1, 2]
    assert [each.facts["stage"] for each in versions] == ["operating", "scaled"]
    told = await comparison.differences(world.db, versions[0].id, versions[1].id)
    assert [(each.change, each.before, each.after) for each in told] == [("changed", "Night Buses", "Later Buses")]
    (korean,) = await comparison.status(world.db, made.id)
    assert len(korean.stale_blocks) == 1
    with pytest.raises(Refusal):
        await practices.revise(world.db, world["cio"], made.id, Change(removed=("results",)), {})


async def test_a_minor_edit_is_recorded_with_what_it_carried(world: World) -> None:
    made = await make_practice(world, S.PUBLISHED)
    await practices.translate(world.db, world["writer"], made.id, "ko", KOREAN)
    await practices.revise(world.db, world["cio"], made.id, Change(title="Night buses", minor=True), {})
    (korean,) = await comparison.status(world.db, made.id)
    assert (korean.percent_complete, korean.stale_blocks) == (100, ())
    await audit.append(world.db)
    entry = (
        await world.db.execute(select(AuditEntry).where(AuditEntry.event == Event.PRACTICE_REVISED.value))
    ).scalar_one()
    assert (entry.facts["minor"], len(entry.facts["carried_blocks"]), entry.facts["live"]) == (True, 1, True)


async def test_a_machine_does_not_overwrite_a_person(world: World) -> None:
    made = await make_practice(world)
    await practices.translate(world.db, world["writer"], made.id, "ko", TranslationDraft(title="심야 버스"))
    with pytest.raises(Conflict):
        await practices.translate(world.db, world["writer"], made.id, "ko", KOREAN, origin=Origin.MACHINE)
    with pytest.raises(Invalid):
        await practices.translate(world.db, world["writer"], made.id, "ko", KOREAN, origin=Origin.ORIGINAL)


async def test_contacts_stay_out_of_what_cannot_be_changed(world: World) -> None:
    made = await make_practice(world, contacts=[{"role": "CIO", "email": "cio@seoul.demo", "languages": ["ko"]}])
    revision = (await practices.versions(world.db, world["writer"], made.id))[0]
    assert "cio@seoul.demo" not in json.dumps(revision.facts)
    assert made.contacts[0]["email"] == "cio@seoul.demo"


# ── reviews ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_reviewer_comes_from_another_city_in_good_standing_and_is_free_of_conflicts(world: World) -> None:
    made = await make_practice(world, S.SUBMITTED)
    for name, message in {
        "writer": "another city", "both": "another city", "applicant": "good standing", "officer": "good standing",
    }.items():  # fmt: skip
        with pytest.raises(Conflict, match=message):
            await reviews.assign(world.db, world["officer"], made.id, person(world[name]))
    with pytest.raises(Conflict, match="declared"):
        await reviews.assign(
            world.db, world["officer"], made.id, person(world["reviewer"]), conflict="My brother's firm."
        )
    with pytest.raises(NotFound):
        await reviews.assign(world.db, world["officer"], made.id, made.id)
    await reviews.assign(world.db, world["officer"], made.id, person(world["reviewer"]))
    with pytest.raises(Conflict, match="already"):
        await reviews.assign(world.db, world["officer"], made.id, person(world["reviewer"]))


async def test_a_declared_conflict_bars_from_accepting(world: World) -> None:
    made = await make_practice(world, S.UNDER_REVIEW)
    with pytest.raises(Conflict, match="conflict of interest"):
        await reviews.accept(world.db, world["reviewer"], made.id, conflict="I advised them.")
    assert made.status is S.UNDER_REVIEW
    await reviews.request_changes(world.db, world["reviewer"], made.id, [Comment("More.")], conflict="I advised them.")
    await reviews.submit(world.db, world["writer"], made.id)
    assert made.status is S.SUBMITTED  # it does not go back to him
    await reviews.assign(world.db, world["officer"], made.id, person(world["third_reviewer"]))
    with pytest.raises(NotAllowed):
        await reviews.accept(world.db, world["reviewer"], made.id, conflict="")
    await reviews.accept(world.db, world["third_reviewer"], made.id, conflict="")
    assert made.status is S.ACCEPTED


async def test_a_reviewer_who_lost_his_post_cannot_decide(world: World) -> None:
    made = await make_practice(world, S.UNDER_REVIEW)
    former = replace(world["reviewer"], posts=())
    with pytest.raises(NotFound):  # he does not even see it any more
        await reviews.accept(world.db, former, made.id, conflict="")


async def test_after_changes_it_goes_back_to_its_reviewer_as_a_new_round(world: World) -> None:
    made = await make_practice(world, S.CHANGES_REQUESTED)
    await practices.revise(world.db, world["writer"], made.id, Change(title="Better"), {})
    await reviews.submit(world.db, world["writer"], made.id)
    assert made.status is S.UNDER_REVIEW
    found = (
        (await world.db.execute(select(Review).where(Review.practice_id == made.id).order_by(Review.round)))
        .scalars()
        .all()
    )
    assert [each.round for each in found] == [1, 2]
    assert found[0].revision_id != found[1].revision_id
    await reviews.accept(world.db, world["reviewer"], made.id, conflict="")
    await practices.publish(world.db, world["cio"], made.id)


async def test_comments_say_something_about_sections_that_exist(world: World) -> None:
    made = await make_practice(world, S.UNDER_REVIEW)
    for wrong in (
        [],
        [Comment("x", "nowhere")],
        [Comment("")],
        [Comment("x", None, "not a tag!")],
        [Comment("x")] * 61,
    ):
        nested = await world.db.begin_nested()
        with pytest.raises(Refusal):
            await reviews.request_changes(world.db, world["reviewer"], made.id, wrong)
        await nested.rollback()


# ── visibility ────────────────────────────────────────────────────────────────────────────────────────────────────


async def sees(world: World, name: str, practice: Practice) -> bool:
    """Whether a service reaches the practice for this actor."""
    await world.db.flush()
    try:
        return (await reads.locate(world.db, world[name], Practice, practice.id)).id == practice.id
    except NotFound:
        return False


async def test_an_embargo_ends_by_the_clock_without_any_job(world: World) -> None:
    now, today = datetime(2026, 1, 5, tzinfo=UTC), datetime.now(UTC)
    ended = await make_practice(world, S.PUBLISHED, now=now, visibility="embargo", publish_at=now + timedelta(days=9))
    assert ended.public_from == now + timedelta(days=9)
    runs = await make_practice(world, S.PUBLISHED, now=now, visibility="embargo", publish_at=today + timedelta(days=9))
    assert await sees(world, "nobody", ended)
    assert not await sees(world, "nobody", runs)
    assert await sees(world, "reviewer", runs)
    with pytest.raises(Refusal, match="future"):
        await make_practice(world, now=now, visibility="embargo", publish_at=now)


@pytest.mark.parametrize(
    ("visibility", "stranger", "member"),
    [("private", False, False), ("members", False, True), ("public", True, True)],
)
async def test_visibility_says_who_sees_what_is_published(
    world: World, visibility: str, stranger: bool, member: bool
) -> None:
    made = await make_practice(world, S.PUBLISHED, visibility=visibility)
    assert await sees(world, "nobody", made) is stranger
    assert await sees(world, "third_reviewer", made) is member
    assert await sees(world, "delegate", made)
    await practices.revise(world.db, world["cio"], made.id, Change(), {"visibility": "private"})
    assert (made.public_from, made.visibility) == (None, Visibility.PRIVATE)


async def test_what_is_archived_is_out_of_sight(world: World) -> None:
    made = await make_practice(world, S.ARCHIVED)
    assert made.public_from is None
    with pytest.raises(NotFound):
        await practices.versions(world.db, world["nobody"], made.id)
    with pytest.raises(Invalid):
        await archives.archive(world.db, world["cio"], (await make_practice(world, S.PUBLISHED)).id, " ")


async def test_naughty_strings_come_back_identical_or_are_refused(world: World, shared: Path) -> None:
    source = shared / "data" / "vectors" / "blns" / "blns.json"
    if not source.is_file():
        pytest.skip("the naughty strings (../shared/data/vectors/blns) are absent")
    kept: dict[UUID, Draft] = {}
    for naughty in json.loads(source.read_text("utf-8")):
        draft = Draft("Title", "Summary.", (Section("results", "Heading", "Body."),))
        for changed in (
            {"title": naughty},
            {"summary": naughty},
            {"sections": (replace(draft.sections[0], heading=naughty),)},
            {"sections": (replace(draft.sections[0], body=naughty),)},
        ):
            try:
                blocks.check(replace(draft, **changed))
            except Refusal:
                continue
            draft = replace(draft, **changed)
        key = new_id()
        await documents.create(world.db, key, "en", draft, "test")
        kept[key] = draft
    for key, draft in kept.items():
        assert await documents.written(world.db, key) == draft
    rows = await world.db.execute(text("select document_id, title, summary from content_reading"))
    read = {key: (title, summary) for key, title, summary in rows}
    assert all(read[key] == (draft.title, draft.summary) for key, draft in kept.items())
    assert sum(draft.title != "Title" for draft in kept.values()) > 400


async def test_every_practice_in_the_books_agrees_with_its_texts(world: World) -> None:
    for state in S:
        await make_practice(world, state)
    rows = await world.db.execute(
        text("select p.title_hash = r.title_hash and p.summary_hash = r.summary_hash from practice p "
             "join content_reading r on r.document_id = p.id and r.locale = p.original_locale")
    )  # fmt: skip
    assert set(rows.scalars()) == {True}
    assert await documents.verify(world.db) == []
    assert (await world.db.execute(select(Practice.sorted_at))).scalars().all().count(None) == 0
    assert FACTS["visibility"] == "public"
