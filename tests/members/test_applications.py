"""Applications: who sees them, which files they take, and what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from members.demo.forms import pdf, signed_form
from members.membership import applications, membership
from members.membership.applications import ApplicationForm, Item, Requested, Signatory, Upload, media_type
from members.membership.models import ApplicationFile
from members.register.models import MembershipStatus
from wego.core import access
from wego.core.access import Role
from wego.core.db import Session
from wego.core.errors import Invalid, NotAllowed, NotFound, NotSignedIn, Refusal

from .conftest import SYSTEM, write_application

S = MembershipStatus
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 30 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 30 + b"\xff\xd9"


# ── what a stranger cannot do ────────────────────────────────────────────────────────────────────────────────────


async def test_a_stranger_finds_no_application(db: Session, make_city: Any, make_actor: Any) -> None:
    city, other = await make_city("own", S.SUBMITTED), await make_city("other", S.FULL)
    application = await applications.open_of(db, city.id)
    assert application is not None
    for stranger in (access.NOBODY, await make_actor((Role.HEAD, other)), await make_actor((Role.EDITOR, city))):
        with pytest.raises(NotFound):
            await applications.by_id(db, stranger, application.id)
    for reader in (await make_actor((Role.CIO, city)), await make_actor((Role.AUDITOR, None))):
        assert await applications.by_id(db, reader, application.id) is application
        with pytest.raises(NotFound):
            await applications.by_id(db, reader, uuid4())


async def test_the_list_is_for_the_secretariat(db: Session, make_city: Any, make_actor: Any) -> None:
    city = await make_city("waiting", S.SUBMITTED)
    await make_city("member", S.FULL)
    with pytest.raises(NotSignedIn):
        await applications.listed(db, access.NOBODY)
    with pytest.raises(NotAllowed):
        await applications.listed(db, await make_actor((Role.CIO, city)))
    rows = await applications.listed(db, await make_actor((Role.OFFICER, None)))
    assert [(row[0].status, row[1].slug) for row in rows] == [(S.SUBMITTED, "waiting")]
    assert await applications.listed(db, SYSTEM, [S.DECLINED]) == []


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pdf(["A form"]), "application/pdf"),
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"", None),
        (b"%PDF-1.4 that ends nowhere", None),
        (b"<html>%PDF-1.4\n%%EOF", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\xff\xd8\xff", None),
        (b"GIF89a", None),
        (b"PK\x03\x04", None),
        (b"MZ\x90", None),
    ],
)
def test_the_type_of_a_file_is_in_its_content(content: bytes, kind: str | None) -> None:
    assert media_type(content) == kind


async def test_a_file_of_another_type_or_too_large_is_refused(
    db: Session, make_city: Any, form: ApplicationForm
) -> None:
    city = await make_city()
    wrong = [b"<svg/>", PNG[:-8] + b"\x00" * 5 * 2**20 + PNG[-8:]]
    for content in wrong:
        with pytest.raises(Invalid) as refused:
            await membership.apply(db, SYSTEM, city.id, replace(form, signed_form=Upload("form.pdf", content)))
        assert refused.value.path == ("input", "signedForm", "content")
    with pytest.raises(Invalid) as refused:
        letter = Upload("a\u202efdp.exe", pdf(["x"]))
        await membership.apply(db, SYSTEM, city.id, replace(form, official_letter=letter))
    assert refused.value.path == ("input", "officialLetter", "name")


async def test_a_file_of_the_largest_size_is_kept_and_a_new_one_replaces_it(
    db: Session, make_city: Any, form: ApplicationForm
) -> None:
    city = await make_city()
    head, tail = pdf(["x"])[:20], b"\n%%EOF\n"
    largest = head + b"\x00" * (5 * 2**20 - len(head) - len(tail)) + tail
    application = await membership.apply(db, SYSTEM, city.id, replace(form, signed_form=Upload("big.pdf", largest)))
    await membership.apply(db, SYSTEM, city.id, replace(form, signed_form=None))
    query = select(ApplicationFile).where(col(ApplicationFile.application_id) == application.id)
    kept = (await db.execute(query)).scalars().all()
    assert [(one.kind, one.name, len(one.content)) for one in kept] == [("signed_form", "big.pdf", 5 * 2**20)]
    await membership.apply(db, SYSTEM, city.id, replace(form, signed_form=Upload("small.png", PNG)))
    db.expunge_all()
    kept = (await db.execute(query)).scalars().all()
    assert [(one.name, one.media_type, one.content) for one in kept] == [("small.png", "image/png", PNG)]


# ── completeness ─────────────────────────────────────────────────────────────────────────────────────────────────

LACKING: dict[Item, dict[str, Any]] = {
    Item.SIGNED_FORM: {"signed_form": None},
    Item.SIGNATORY: {"signatory": None},
    Item.CONTACT: {"contact_email": ""},
    Item.MOTIVATION: {"motivation": " \n "},
}


@pytest.mark.parametrize("item", list(LACKING))
async def test_each_missing_item_is_named(db: Session, make_city: Any, form: ApplicationForm, item: Item) -> None:
    city = await make_city()
    application = await membership.apply(db, SYSTEM, city.id, replace(form, **LACKING[item]))
    checks = await applications.completeness(db, application)
    assert [check.key for check in checks] == list(Item)
    assert [check.key for check in checks if check.required and not check.present] == [item]
    with pytest.raises(Invalid) as refused:
        await applications.require_complete(db, application)
    assert refused.value.message == next(check.message for check in checks if check.key is item)


@pytest.mark.parametrize("facts", [{"population": 0}, {"languages": []}, {"endonym_locale": "mn"}])
async def test_facts_missing_in_the_register_are_named(
    db: Session, make_city: Any, form: ApplicationForm, facts: dict[str, Any]
) -> None:
    city = await make_city(**facts)
    application = await membership.apply(db, SYSTEM, city.id, form)
    lacking = [check.key for check in await applications.completeness(db, application) if not check.present]
    assert lacking == [Item.CITY_FACTS, Item.OFFICIAL_LETTER]


async def test_the_letter_is_required_when_it_was_asked_for(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.UNDER_CHECK)
    await membership.request_changes(db, SYSTEM, city.id, [Requested(Item.OFFICIAL_LETTER, "From the council.")])
    application = await applications.open_of(db, city.id)
    assert application is not None
    assert application.requested_changes == [{"item": "official_letter", "note": "From the council.", "locale": "en"}]
    checks = {check.key: check for check in await applications.completeness(db, application)}
    assert checks[Item.OFFICIAL_LETTER].required


@pytest.mark.parametrize(
    "requested",
    [
        [],
        [Requested(Item.CONTACT), Requested(Item.CONTACT)],
        [Requested(Item.CONTACT, "x" * 601)],
        [Requested(Item.CONTACT, "a\x00")],
    ],
)
async def test_requested_changes_say_what_is_missing_once(
    db: Session, make_city: Any, requested: list[Requested]
) -> None:
    city = await make_city(status=S.UNDER_CHECK)
    with pytest.raises(Refusal) as refused:
        await membership.request_changes(db, SYSTEM, city.id, requested)
    assert refused.value.path[:2] == ("input", "items")


async def test_all_that_is_wrong_with_a_form_is_said_at_once(db: Session, make_city: Any) -> None:
    city = await make_city()
    wrong = ApplicationForm(
        motivation="m" * 10_001, motivation_locale="no tag", contact_name="a\nb", contact_email="nowhere",
        signatory=Signatory.MAYOR, signed_form=Upload("", b"text"),
    )  # fmt: skip
    with pytest.raises(Refusal) as refused:
        await membership.apply(db, SYSTEM, city.id, wrong)
    assert [one.path[1] for one in refused.value.each] == [
        "motivation", "motivationLocale", "contactName", "contactEmail", "signedForm", "signedForm",
    ]  # fmt: skip


async def test_the_longest_list_of_changes_fits_into_the_timeline(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.UNDER_CHECK)
    await membership.request_changes(db, SYSTEM, city.id, [Requested(item, "가" * 600) for item in Item])


async def test_naughty_texts_come_back_identical_or_are_refused(
    db: Session, make_city: Any, form: ApplicationForm, shared: Path
) -> None:
    strings = json.loads((shared / "data/vectors/blns/blns.json").read_text(encoding="utf-8"))
    city, kept = await make_city(), 0
    for string in strings[::5]:
        try:
            wanted = replace(form, motivation=string, contact_name=string, signed_form=None)
            application = await membership.apply(db, SYSTEM, city.id, wanted)
        except Refusal:
            continue
        await db.refresh(application)
        assert (application.motivation, application.contact_name) == (string, string)
        kept += 1
    assert kept > 80


async def test_one_application_of_a_city_is_open_at_a_time(db: Session, make_city: Any) -> None:
    city = await make_city(status=S.SUBMITTED)
    undo = await db.begin_nested()
    with pytest.raises(Exception, match="uq_application_open"):
        await write_application(db, city, S.SUBMITTED)
    await undo.rollback()


def test_a_demonstration_form_is_a_readable_pdf() -> None:
    content = signed_form("Nukuʻalofa (Tonga)", "Mayor")
    assert media_type(content) == "application/pdf"
    place = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert content[place:].startswith(b"xref")
    entries = content[place:].split(b"\n")[3:8]
    for number, entry in enumerate(entries, 1):
        assert content[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
