"""Applications for membership, for the secretariat and the own city; strangers do not learn that there are any."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from i18n.language.graphql import LocalizedText, label, text
from members.membership.applications import FileKind, Item, Signatory
from members.register.graphql.cities import City
from members.register.graphql.organisations import Organisation
from members.register.models import MembershipKind, MembershipStatus
from wego.core import reads
from wego.core.access import Permission
from wego.core.forms import is_country

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(Item, name="ApplicationItem", description="An `ApplicationItem` is what belongs to an application.")
reads.vocabulary(
    FileKind, name="ApplicationFileKind", description="An `ApplicationFileKind` says what a file of an application is."
)
reads.vocabulary(Signatory, description="A `Signatory` says who signed the form of an application.")


def _visible_application(q: Query, t: str) -> str | None:
    if q.everywhere(Permission.MEMBERSHIP_READ):
        return None
    return f"{t}.organisation_id = any({q.places_with(Permission.MEMBERSHIP_READ)})"


def _content(q: Query, t: str) -> str:
    """The bytes of a file, for those who handle the application; others see that it is there."""
    encoded = f"translate(encode({t}.content, 'base64'), E'\\n', '')"
    if q.everywhere(Permission.MEMBERSHIP_READ):
        return encoded
    place = f"(select a.organisation_id from application a where a.id = {t}.application_id)"
    return f"case when {place} = any({q.places_with(Permission.MEMBERSHIP_APPLY)}) then {encoded} end"


@reads.table("application_file")
@strawberry.type(description="An `ApplicationFile` is a file that belongs to an application.")
class ApplicationFile:
    kind: FileKind = reads.column("{t}.kind", "This says what the file is.")
    name: str = reads.column("{t}.name", "This is the name of the file with which it was sent.")
    media_type: str = reads.column("{t}.media_type", "This is its media type, as found in its content.")
    size: int = reads.column("length({t}.content)", "This is its size in bytes.")
    sha256: str = reads.column(
        "encode({t}.sha256, 'hex')", "This is the SHA-256 of its content, in hexadecimal digits."
    )
    uploaded_at: datetime = reads.column("{t}.uploaded_at", "This is the moment at which it was sent.")
    content: str | None = reads.column(
        _content, "This is its content in base64; it is null for who does not handle the application."
    )


def _has_file(kind: FileKind) -> str:
    return f"exists (select 1 from application_file f where f.application_id = {{p}}.id and f.kind = '{kind.value}')"


# The same rules as members.applications.completeness; a test compares the two.
_PRESENT = {
    Item.SIGNED_FORM: _has_file(FileKind.SIGNED_FORM),
    Item.SIGNATORY: "{p}.signatory_role <> ''",
    Item.CONTACT: "({p}.contact_name ~ '\\S' and {p}.contact_email <> '')",
    Item.MOTIVATION: "{p}.motivation ~ '\\S'",
    Item.CITY_FACTS: (
        "exists (select 1 from organisation o join organisation_name n on n.organisation_id = o.id"
        " and n.locale = o.endonym_locale left join city c on c.id = o.id where o.id = {p}.organisation_id"
        " and cardinality(o.languages) > 0 and (o.kind <> 'city' or c.population > 0))"
    ),
    Item.OFFICIAL_LETTER: _has_file(FileKind.OFFICIAL_LETTER),
}
_ASKED = "jsonb_path_exists({p}.requested_changes, '$[*] ? (@.item == \"official_letter\")')"
_ROWS = ", ".join(
    f"({at}, '{item.value}', {present}, {_ASKED if item is Item.OFFICIAL_LETTER else 'true'})"
    for at, (item, present) in enumerate(_PRESENT.items())
)
_CHECKS = f"(values {_ROWS}) as {{t}}(ord, key, present, required)"


@strawberry.type(description="A `CompletenessItem` is one line of the check whether an application is complete.")
class CompletenessItem:
    key: Item = reads.column("{t}.key", "This names the item.")
    label: LocalizedText = label("application-item", "{t}.key", "This says in words what the item is.")
    present: bool = reads.column("{t}.present", "This says whether the item is there.")
    required: bool = reads.column("{t}.required", "This says whether the item has to be there.")


_NOTE = reads.Own("({t}.value->>'locale')", when="{t}.value->>'note' <> ''")


@strawberry.type(description="A `RequestedChange` is something that the secretariat asked to be changed.")
class RequestedChange:
    item: Item = reads.column("{t}.value->>'item'", "This names the item.")
    label: LocalizedText = label("application-item", "({t}.value->>'item')", "This says in words what the item is.")
    note: LocalizedText | None = text(
        _NOTE, "{t}.value->>'note'", "This says what is wrong with the item; it is null when nothing was said."
    )


_MOTIVATION = reads.Own("{t}.motivation_locale", when="{t}.motivation <> ''")


@reads.table("application", visible=_visible_application)
@strawberry.type(description="An `Application` is the request of a city or another organisation to become a member.")
class Application(reads.Node):
    organisation: Organisation = reads.one("{t}.id = {p}.organisation_id", "This is whose application it is.")
    city: City | None = reads.one(
        "{t}.id = {p}.organisation_id", "This is the city whose application it is; it is null for other organisations."
    )
    kind: MembershipKind = reads.column("{t}.kind", "This says as what it wants to belong to the network.")
    status: MembershipStatus = reads.column("{t}.status", "This says how far it is, or what became of it.")
    motivation: LocalizedText | None = text(
        _MOTIVATION, "{t}.motivation", "This tells why it wants to be a member; it is null until that is written."
    )
    contact_name: str | None = reads.column(
        "nullif({t}.contact_name, '')",
        "This is the name of the person whom the secretariat may ask; it is null until it is given.",
    )
    contact_email: str | None = reads.column(
        "nullif({t}.contact_email, '')", "This is the e-mail address of that person; it is null until it is given."
    )
    signatory: Signatory | None = reads.column(
        "nullif({t}.signatory_role, '')", "This says who signed the form; it is null until it is given."
    )
    created_at: datetime = reads.column("{t}.created_at", "This is the moment at which it was begun.")
    submitted_at: datetime | None = reads.column(
        "{t}.submitted_at", "This is the moment at which it was last handed in; it is null until then."
    )
    decided_at: datetime | None = reads.column(
        "{t}.decided_at", "This is the moment at which it was decided or taken back; it is null until then."
    )
    assumed: bool = reads.column(
        "{t}.assumed", "This says whether it was made up for a demonstration: no city sent it."
    )
    completeness: list[CompletenessItem] = reads.many(
        None, "These lines say what is there and what is missing.", order="{t}.ord", source=_CHECKS
    )
    requested_changes: list[RequestedChange] = reads.many(
        None,
        "These are the changes for which the secretariat has asked; there are none once they were made.",
        order="{t}.ord",
        source="jsonb_array_elements({p}.requested_changes) with ordinality as {t}(value, ord)",
    )
    files: list[ApplicationFile] = reads.many(
        "{t}.application_id = {p}.id", "These are the files that belong to it.", order="{t}.kind desc"
    )


@strawberry.type
class ItsApplications:
    applications: list[Application] = reads.many(
        "{t}.organisation_id = {p}.id",
        "These are its applications, the newest first; its own people and the secretariat see them.",
        order="{t}.created_at desc, {t}.id desc",
    )


for each in (City, Organisation):
    reads.extend(each, ItsApplications)


_FROM = "exists (select 1 from organisation c where c.id = {t}.organisation_id and c.country = any({v}))"


@strawberry.input(description="An `ApplicationFilter` says which applications are listed; all conditions must be met.")
class ApplicationFilter:
    status: list[MembershipStatus] | None = reads.condition(
        "{t}.status = any({v})", "text[]", "The application is in one of these states."
    )
    kind: list[MembershipKind] | None = reads.condition(
        "{t}.kind = any({v})", "text[]", "The application is for one of these kinds of membership."
    )
    country: list[str] | None = reads.condition(
        _FROM, "text[]", "The application is of a city in one of these countries (ISO 3166-1).", known=is_country
    )
    open: bool | None = reads.condition("({t}.decided_at is null) = {v}", "boolean", "Still to be decided, or not.")


APPLICATIONS = reads.List(
    Application,
    "applications",
    {
        "created": reads.Order(
            "{t}.created_at", "timestamptz", "They are sorted by the time at which they were begun."
        ),
        "submitted": reads.Order(
            "coalesce({t}.submitted_at, {t}.created_at)",
            "timestamptz",
            "They are sorted by the time at which they were handed in, or begun where they are not handed in yet.",
        ),
    },
    default=("created", "asc"),
    filter=ApplicationFilter,
)


@strawberry.type
class ApplicationQueries:
    applications: reads.Connection[Application] = APPLICATIONS.connection(
        None, "These are the applications that the reader may see; the longest waiting comes first."
    )
