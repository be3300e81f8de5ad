"""Applications: what an organisation sends to become a member, what of it is missing, and its files.

Binding text: WeGO's procedure of 2018 (design/domain.md section 1.2): a form signed by the mayor or an
authorised representative, and an official letter if necessary.
The type of a file is read from its content, never from its name; nothing is executed, converted or unpacked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from i18n.language import locales
from members.membership.models import Application, ApplicationFile
from members.membership.states import PENDING
from members.register.models import (
    City,
    MembershipKind,
    MembershipStatus,
    Organisation,
    OrganisationKind,
    OrganisationName,
)
from wego.core import access
from wego.core.access import Actor, Permission
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid
from wego.core.forms import Form, found
from wego.core.vocabulary import Vocabulary

LARGEST_FILE = 5 * 2**20
MOTIVATION_LIMIT, NOTE_LIMIT = 10_000, 600  # all notes together fit into the reason of a step


class Signatory(Vocabulary):
    """Who signed the form."""

    MAYOR = "mayor", "The mayor signed the form."
    AUTHORISED_REPRESENTATIVE = "authorised_representative", "Somebody signed the form whom the city has authorised."


class FileKind(Vocabulary):
    SIGNED_FORM = "signed_form", "The file is the signed form."
    OFFICIAL_LETTER = "official_letter", "The file is an official letter of the city."


class Item(Vocabulary):
    """What belongs to an application. The letter is asked for when it is necessary."""

    SIGNED_FORM = "signed_form", "The item is the signed form, as a file."
    SIGNATORY = "signatory", "The item tells who signed the form."
    CONTACT = "contact", "The item tells whom the secretariat may ask, and at which address."
    MOTIVATION = "motivation", "The item tells why the city wants to belong to the network."
    CITY_FACTS = "city_facts", "The item is what the register has to know of the city."
    OFFICIAL_LETTER = (
        "official_letter",
        "The item is an official letter, which is asked for only where it is necessary.",
    )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ApplicationForm:
    """The fields of an application; a draft may lack any. A file that is None stays what it was."""

    kind: MembershipKind | None = None  # None: what follows from what the organisation is
    motivation: str = ""
    motivation_locale: str = "en"
    contact_name: str = ""
    contact_email: str = ""
    signatory: Signatory | None = None
    signed_form: Upload | None = None
    official_letter: Upload | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One item of the list that the officer works through."""

    key: Item
    present: bool
    required: bool
    message: str  # what to say while it is missing


@dataclass(frozen=True, slots=True)
class Requested:
    """One thing that the secretariat asks to be changed."""

    item: Item
    note: str = ""


def media_type(content: bytes) -> str | None:
    """PDF, PNG or JPEG by the first and last bytes; None for everything else."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]:
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") and b"IEND" in content[-16:]:
        return "image/png"
    if content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content[-64:]:
        return "image/jpeg"
    return None


async def by_id(db: Session, actor: Actor, application_id: UUID) -> Application:
    """The application, for its city and for the secretariat; nobody else learns that it exists."""
    application = found(await db.get(Application, application_id))
    may = actor.may(Permission.MEMBERSHIP_READ, application.organisation_id)
    return found(application if may else None)


async def open_of(db: Session, key: UUID) -> Application | None:
    """The application of an organisation that is still to be decided; there is at most one."""
    query = select(Application).where(col(Application.organisation_id) == key, col(Application.decided_at).is_(None))
    return (await db.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def require_latest(db: Session, application: Application) -> None:
    """Refuse what is about an earlier application of the city than its latest."""
    newer = select(col(Application.id)).where(
        col(Application.organisation_id) == application.organisation_id,
        col(Application.created_at) > application.created_at,
    )
    if (await db.execute(newer.limit(1))).first() is not None:
        raise Conflict("There is a newer application of this organisation.", path=("input", "application"))


async def listed(
    db: Session, actor: Actor, statuses: Sequence[MembershipStatus] = tuple(PENDING)
) -> Sequence[tuple[Application, Organisation]]:
    """The applications in these states with their organisations, the longest waiting first. For the secretariat."""
    access.require(actor, Permission.MEMBERSHIP_READ)
    query = (
        select(Application, Organisation)
        .join(Organisation, col(Organisation.id) == col(Application.organisation_id))
        .where(col(Application.status).in_(statuses))
        .order_by(col(Application.created_at), col(Application.id))
    )
    return [(row[0], row[1]) for row in (await db.execute(query)).all()]


async def save(db: Session, key: UUID, form: ApplicationForm, status: MembershipStatus, now: datetime) -> Application:
    """Write the form into the open application of the organisation, or into a new one. The caller holds the lock."""
    values = _checked(form)
    application = await open_of(db, key) or Application(organisation_id=key, created_at=now)
    application.sqlmodel_update({**values, "status": status})
    db.add(application)
    await db.flush()
    for kind, upload in (
        (FileKind.SIGNED_FORM, form.signed_form),
        (FileKind.OFFICIAL_LETTER, form.official_letter),
    ):
        if upload is not None:
            await _store(db, application.id, kind, upload, now)
    return application


def _checked(form: ApplicationForm) -> dict[str, Any]:
    checks = Form()
    values = {
        "kind": form.kind,
        "motivation": checks.text(
            form.motivation, "input", "motivation", limit=MOTIVATION_LIMIT, required=False, lines=True
        ),
        "motivation_locale": locales.asked(checks, form.motivation_locale, "input", "motivationLocale"),
        "contact_name": checks.text(form.contact_name, "input", "contactName", limit=120, required=False),
        "contact_email": checks.email(form.contact_email, "input", "contactEmail", required=False),
        "signatory_role": form.signatory.value if form.signatory else "",
    }
    for field, upload in (("signedForm", form.signed_form), ("officialLetter", form.official_letter)):
        if upload is not None:
            _check_upload(checks, upload, field)
    checks.settle()
    return values


def _check_upload(form: Form, upload: Upload, field: str) -> None:
    form.text(upload.name, "input", field, "name", limit=200)
    if len(upload.content) > LARGEST_FILE:
        form.refuse(Invalid("This file is too large: at most {limit} MiB.", path=("input", field, "content"), limit=5))
    elif media_type(upload.content) is None:
        form.refuse(Invalid("A file must be PDF, PNG or JPEG.", path=("input", field, "content")))


async def _store(db: Session, application_id: UUID, kind: FileKind, upload: Upload, now: datetime) -> None:
    fresh = ApplicationFile(
        application_id=application_id,
        kind=kind.value,
        name=upload.name,
        media_type=media_type(upload.content) or "",
        sha256=hashlib.sha256(upload.content).digest(),
        content=upload.content,
        uploaded_at=now,
    )
    values = fresh.model_dump()
    replaced = {key: value for key, value in values.items() if key not in ("id", "application_id", "kind")}
    query = insert(ApplicationFile).values(**values)
    await db.execute(query.on_conflict_do_update(index_elements=["application_id", "kind"], set_=replaced))


async def completeness(db: Session, application: Application) -> tuple[Checked, ...]:
    """What is there and what is missing, in the order of the form."""
    kinds = select(col(ApplicationFile.kind)).where(col(ApplicationFile.application_id) == application.id)
    files = set((await db.execute(kinds)).scalars())
    asked = {change["item"] for change in application.requested_changes}
    present = {
        Item.SIGNED_FORM: FileKind.SIGNED_FORM.value in files,
        Item.SIGNATORY: bool(application.signatory_role),
        Item.CONTACT: bool(application.contact_name.strip() and application.contact_email),
        Item.MOTIVATION: bool(application.motivation.strip()),
        Item.CITY_FACTS: await _has_facts(db, application.organisation_id),
        Item.OFFICIAL_LETTER: FileKind.OFFICIAL_LETTER.value in files,
    }
    return tuple(
        Checked(key, there, key is not Item.OFFICIAL_LETTER or key.value in asked, missing(key).message)
        for key, there in present.items()
    )


async def require_complete(db: Session, application: Application) -> None:
    """Refuse an application that lacks something, with all that it lacks."""
    form = Form()
    for item in await completeness(db, application):
        if item.required and not item.present:
            form.refuse(missing(item.key))
    form.settle()


def missing(key: Item) -> Invalid:
    """What is said of an item that is missing."""
    match key:
        case Item.SIGNED_FORM:
            return Invalid("The signed form is missing.", path=("input", "signedForm"))
        case Item.SIGNATORY:
            return Invalid("It is not said who signed the form.", path=("input", "signatory"))
        case Item.CONTACT:
            return Invalid("A contact with name and e-mail address is missing.", path=("input", "contactName"))
        case Item.MOTIVATION:
            return Invalid("The motivation is missing.", path=("input", "motivation"))
        case Item.CITY_FACTS:
            return Invalid("Facts of the organisation are missing in the register.", path=("input", "city"))
        case Item.OFFICIAL_LETTER:
            return Invalid("The official letter that was asked for is missing.", path=("input", "officialLetter"))


async def _has_facts(db: Session, key: UUID) -> bool:
    """Whether the register knows what every member shows: its languages, its own name and, of a city, how many people
    live there."""
    own_name = (col(OrganisationName.organisation_id) == col(Organisation.id)) & (
        col(OrganisationName.locale) == col(Organisation.endonym_locale)
    )
    query = (
        select(Organisation, col(OrganisationName.name), col(City.population))
        .outerjoin(OrganisationName, own_name)
        .outerjoin(City, col(City.id) == col(Organisation.id))
        .where(col(Organisation.id) == key)
    )
    row, endonym, population = (await db.execute(query)).one()
    return bool(row.languages and endonym and (population or row.kind is not OrganisationKind.CITY))


def checked_requests(requested: Sequence[Requested]) -> list[dict[str, Any]]:
    """The requested changes as they are kept; there is at least one, and none is named twice."""
    form = Form()
    form.few(requested, "input", "items", limit=len(Item))
    if not requested:
        form.refuse(Invalid("Say what is missing or has to be changed.", path=("input", "items")))
    if len({one.item for one in requested}) < len(requested):
        form.refuse(Invalid("Name each item once.", path=("input", "items")))
    changes = [
        {
            "item": one.item.value,
            "note": form.text(one.note, "input", "items", at, "note", limit=NOTE_LIMIT, required=False, lines=True),
        }
        for at, one in enumerate(requested)
    ]
    form.settle()
    return changes
