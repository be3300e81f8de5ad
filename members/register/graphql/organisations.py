"""Organisations, as the world may see them: what all of them have, the city among them, and their register."""

from __future__ import annotations

import strawberry

from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, direction_of, label, text
from i18n.language.locales import forms
from i18n.language.vocabularies import counted
from members.register.graphql.memberships import TIMELINE, Membership, MembershipStep
from members.register.models import MembershipKind, MembershipStatus, OrganisationKind, Region
from members.register.models import Organisation as OrganisationRow
from members.register.organisations import NAMES_LIMIT
from wego.core import reads
from wego.core.forms import is_country

reads.vocabulary(Region, description="A `Region` is a part of the world, as the network counts them.")
reads.vocabulary(OrganisationKind, description="An `OrganisationKind` says what an organisation is.")


@strawberry.type(description="A `Country` is a country as ISO 3166 counts them.")
class Country:
    code: str = reads.column("{t}.country", "This is its code of two letters (ISO 3166-1), such as `KR`.")
    name: LocalizedText = label("country", "{t}.country", "This is its name.")


@reads.table("organisation_name", key="organisation_id")
@strawberry.type(description="An `OrganisationName` is what an organisation is called in one language.")
class OrganisationName:
    text: str = reads.column("{t}.name", "This is the name.")
    locale: LanguageTag = reads.column("{t}.locale", "This is the language of the name (BCP 47).")
    direction: TextDirection = reads.column(
        direction_of("{t}.locale"), "This is the direction in which the name is written."
    )


_CALLED = "select {columns} from organisation_name r where r.organisation_id = {t}.id and r.locale = {locale}"
_NAME, _ENDONYM = reads.Pick(_CALLED, "'en'"), reads.Pick(_CALLED, "{t}.endonym_locale", only=True)


@strawberry.type
class Registered:
    """What the register says of every organisation, whatever its kind."""

    slug: str = reads.column("{t}.slug", "This is its name in addresses.")
    name: LocalizedText = text(_NAME, "{x}.name", "This is what it is called, in the language of the reader.")
    endonym: LocalizedText = text(_ENDONYM, "{x}.name", "This is what it calls itself.")
    names: list[OrganisationName] = reads.many(
        "{t}.organisation_id = {p}.id",
        "These are its names in all languages that are known here.",
        order="{t}.locale",
        most=NAMES_LIMIT,
    )
    country: Country = reads.inline("This is the country in which it is.")
    region: Region = reads.column("{t}.region", "This is its region of the world.")
    region_name: LocalizedText = label("region", "{t}.region", "This is what its region of the world is called.")
    languages: list[LanguageTag] = reads.column("{t}.languages", "These are the languages in which it works (BCP 47).")
    website: str | None = reads.column("{t}.website", "This is its website; it is null when none is known.")
    membership: Membership | None = reads.one(
        "{t}.organisation_id = {p}.id",
        "This says how it belongs to the network; it is null when it does not, or when the reader may not know.",
    )
    timeline: list[MembershipStep] = reads.many(
        "{t}.organisation_id = {p}.id", "These are the steps of its membership, the oldest first.", order=TIMELINE
    )


@reads.table(OrganisationRow)
@strawberry.type(
    description="An organisation belongs to the network, asks to, works with it, or is one of its bodies. A city is one"
    " too: what only a city has is in `city`."
)
class Organisation(Registered, reads.Node):
    kind: OrganisationKind = reads.column("{t}.kind", "This says what it is.")


_NAMED = (
    "exists (select 1 from organisation_name n where n.organisation_id = {t}.id"
    " and strpos(lower(n.name), lower({v})) > 0) or strpos({t}.sort_name, lower({v})) > 0"
)
_STATUS = "exists (select 1 from membership m where m.organisation_id = {t}.id and m.status = any({v}))"
_AS = "exists (select 1 from membership m where m.organisation_id = {t}.id and m.kind = any({v}))"
_SINCE = "coalesce((select m.since from membership m where m.organisation_id = {t}.id), {t}.created_at)"


def placed(rows: str) -> reads.Order:
    """The order by name in the language of the reader, of rows of this FROM item with a column `id`."""
    return reads.Order(
        "{t}.place",
        "text",
        "They are sorted by their names, in the language of the reader and by its rules.",
        source=f"(select c.*, p.key as place from {rows} c"
        " join organisation_place p on p.organisation_id = c.id and p.locale = {locale}) as {t}",
    )


BY_SINCE = reads.Order(
    _SINCE, "timestamptz", "They are sorted by the time since when their membership is in its present state."
)


@strawberry.input
class RegisteredFilter:
    """By what organisations of every kind are filtered."""

    country: list[str] | None = reads.condition(
        "{t}.country = any({v})",
        "text[]",
        "The organisation is in one of these countries (ISO 3166-1).",
        known=is_country,
        counted=counted("{r}.country", "These are the countries in which they lie.", scheme="country"),
    )
    region: list[Region] | None = reads.condition(
        "{t}.region = any({v})",
        "text[]",
        "The organisation is in one of these regions.",
        counted=counted("{r}.region", "These are the regions in which they lie.", scheme="region", is_enum=True),
    )
    membership_status: list[MembershipStatus] | None = reads.condition(
        _STATUS,
        "text[]",
        "The membership of the organisation is in one of these states.",
        counted=counted(
            "(select m.status from membership m where m.organisation_id = {r}.id)",
            "These are the states of their memberships.",
            is_enum=True,
        ),
    )
    language: list[LanguageTag] | None = reads.condition(
        "{t}.languages && {v}::varchar[]",
        "text[]",
        "The organisation works in one of these languages (BCP 47); `zh` stands for `zh-Hans` as well.",
        wider=forms,
        counted=counted("unnest({r}.languages)", "These are the languages in which they work.", scheme="language"),
    )
    name_contains: str | None = reads.condition(
        _NAMED, "text", "One of the names of the organisation has this text in it, in any language.", price=250
    )


@strawberry.input(
    description="An `OrganisationFilter` says which organisations are listed: of several values any will do, "
    "and all conditions must be met."
)
class OrganisationFilter(RegisteredFilter):
    kind: list[OrganisationKind] | None = reads.condition(
        "{t}.kind = any({v})",
        "text[]",
        "The organisation is of one of these kinds.",
        counted=counted("{r}.kind", "These are the kinds of organisations.", is_enum=True),
    )
    membership_kind: list[MembershipKind] | None = reads.condition(
        _AS, "text[]", "The organisation belongs to the network, or asks to belong, as one of these."
    )


ORGANISATIONS = reads.List(
    Organisation,
    "organisations",
    {"name": placed("organisation"), "member_since": BY_SINCE},
    default=("name", "asc"),
    filter=OrganisationFilter,
)


@strawberry.type
class OrganisationQueries:
    organisation: Organisation | None = reads.one(
        "{t}.slug = {slug}",
        "This is the organisation of this slug; it is null when there is none for the reader.",
        args={"slug": reads.Arg(str, "text", "This is its name in addresses, such as `seoul`.")},
    )
    organisations: reads.Connection[Organisation] = ORGANISATIONS.connection(
        None, "These are the organisations of the network, whatever their kind: the register of members."
    )
