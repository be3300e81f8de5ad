"""Lists of case studies: their filter, their orders, and the roots."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from i18n.language.graphql import LanguageTag
from i18n.language.locales import forms
from i18n.language.vocabularies import counted
from members.register.graphql.cities import City
from members.register.models import Region
from practices.cases import facts
from practices.cases.facts import Stage
from practices.cases.graphql.types import Practice, ways_to_see
from practices.cases.models import EvidenceLevel, PracticeStatus
from practices.cases.reach import visible_former_slug
from wego.core import reads
from wego.core.forms import is_country

if TYPE_CHECKING:
    from wego.core.reads.query import Query

_CITY = "{t}.city_id = (select c.id from organisation c where c.slug = {v})"
_CITIES = "{t}.city_id in (select c.id from organisation c where c.slug = any({v}))"
_COUNTRY = "{t}.city_id in (select c.id from organisation c where c.country = any({v}))"
_REGION = "{t}.city_id in (select c.id from organisation c where c.region = any({v}))"
_LOCALE = "exists (select 1 from content_reading r where r.document_id = {t}.id and r.locale = any({v}))"
_TITLE = (
    "exists (select 1 from content_reading r where r.document_id = {t}.id and strpos(lower(r.title), lower({v})) > 0)"
)
# The same, of the listing: there a line is a title.
_LISTED_LOCALE = "{t}.locales && {v}::varchar[]"
_LISTED_TITLE = "strpos({t}.titles, lower({v})) > 0 and strpos({v}, E'\\n') = 0 and {t}.titles <> ''"
_KEYWORDS = (
    "exists (select 1 from jsonb_each({t}.keywords) k, jsonb_array_elements_text(k.value) w"
    " where lower(w) = any(array(select lower(v) from unnest({v}) v)))"
)
_LISTED_KEYWORDS = "{t}.keywords && array(select lower(v)::varchar from unnest({v}) v)"
_FOUND = "wego_title_grams({t}.titles) @@ wego_title_query({v})"


def _through(sql: str) -> reads.Through:
    return reads.Through("city_id", "c", sql)


@strawberry.type(description="A `CityCount` says how many practices of a list are of one city.")
class CityCount:
    city: City = reads.one("{t}.id = {p}.value", "This is the city.", visible=False)  # seen with its practices
    count: int = reads.column(
        "{t}.count", "This is the number of practices of this city among those that were counted."
    )


@strawberry.input(
    description="A `PracticeFilter` says which practices are listed: of several values any will do, and all "
    "conditions must be met."
)
class PracticeFilter:
    city: str | None = reads.condition(
        _CITY, "text", "The practice is of the city with this slug.", index=_through("{c}.slug = {v}")
    )
    cities: list[str] | None = reads.condition(
        _CITIES,
        "text[]",
        "The practice is of a city with one of these slugs.",
        index=_through("{c}.slug = any({v})"),
        counted=reads.Counted(CityCount, "{r}.city_id", "These are the cities whose practices they are."),
    )
    country: list[str] | None = reads.condition(
        _COUNTRY,
        "text[]",
        "The practice is of a city in one of these countries (ISO 3166-1).",
        known=is_country,
        listed="{t}.country = any({v})",
        index=reads.Facet("k", _through("{c}.country = any({v})")),
        counted=counted("{r}.country", "These are the countries of their cities.", scheme="country"),
    )
    region: list[Region] | None = reads.condition(
        _REGION,
        "text[]",
        "The practice is of a city in one of these regions.",
        listed="{t}.region = any({v})",
        index=reads.Facet("r", _through("{c}.region = any({v})")),
        counted=counted("{r}.region", "These are the regions of their cities.", scheme="region", is_enum=True),
    )
    themes: list[str] | None = reads.condition(
        "{t}.themes && {v}::varchar[]",
        "text[]",
        "The practice has one of these themes, by code.",
        known=facts.is_theme,
        index=reads.Facet("t"),
        counted=counted(
            "unnest({r}.themes)",
            "These are their themes. Themes of two editions are told apart where they share a name (see `group`).",
            scheme="theme",
            group="split_part(g$.value, '.', 1)",
        ),
    )
    sdg: list[str] | None = reads.condition(
        "{t}.sdg_codes && {v}::varchar[]",
        "text[]",
        "The practice contributes to one of these goals or targets, such as `16` or `16.10`.",
        known=facts.is_goal,
        index=reads.Facet("d"),
        counted=counted(
            "unnest({r}.sdg_codes)",
            "These are the goals and targets to which they contribute; who names a target names its goal as well.",
            scheme="sdg",
            group="nullif(split_part(g$.value, '.', 1), g$.value)",
        ),
    )
    status: list[PracticeStatus] | None = reads.condition(
        "{t}.status = any({v})",
        "text[]",
        "The practice is in one of these states.",
        index=reads.Facet("s", alike=("pm", "published")),  # what others may see is published
        counted=counted("{r}.status", "These are the states in which they are.", is_enum=True),
    )
    stage: list[Stage] | None = reads.condition(
        "{t}.stage = any({v})",
        "text[]",
        "The practice is in one of these stages.",
        index=reads.Facet("g"),
        counted=counted("{r}.stage", "These are the stages that they have reached.", scheme="stage", is_enum=True),
    )
    locale: LanguageTag | None = reads.condition(
        _LOCALE,
        "text[]",
        "The practice can be read in this language (BCP 47); `fr-CA` stands for `fr` as well, `zh` for `zh-Hans`.",
        wider=forms,
        listed=_LISTED_LOCALE,
        index=reads.Facet("l"),
        counted=counted("unnest({r}.locales)", "These are the languages in which they can be read.", scheme="language"),
    )
    technologies: list[str] | None = reads.condition(
        "{t}.technologies && {v}::varchar[]",
        "text[]",
        "Only practices with one of these technologies are listed, by code, such as `open-source`.",
        known=facts.is_code,
        index=reads.Facet("h"),
        counted=counted("unnest({r}.technologies)", "These are the technologies that they use, by code."),
    )
    keywords: list[str] | None = reads.condition(
        _KEYWORDS,
        "text[]",
        "Only practices with one of these keywords are listed, in whichever language; upper and lower case are alike.",
        listed=_LISTED_KEYWORDS,
        index=reads.Facet("w", word="lower({v})"),
    )
    evidence: list[EvidenceLevel] | None = reads.condition(
        "wego_evidence({t}.sources, {t}.indicators) = any({v})",
        "text[]",
        "The evidence of the practice is of one of these levels.",
        listed="{t}.evidence = any({v})",
        index=reads.Facet("e"),
        counted=counted("{r}.evidence", "These are the levels of their evidence.", scheme="evidence", is_enum=True),
    )
    title_contains: str | None = reads.condition(
        _TITLE,
        "text",
        "The title has this text in it, in any language and in letters of either case.",
        listed=_LISTED_TITLE,
        index=reads.Grams(_FOUND),
        price=250,
    )
    published_after: datetime | None = reads.condition(
        "{t}.published_at > {v}",
        "timestamptz",
        "The practice was published later than this moment.",
        index=reads.Within("{t}.sorted_at", ">"),
    )
    published_before: datetime | None = reads.condition(
        "{t}.published_at < {v}",
        "timestamptz",
        "The practice was published earlier than this moment.",
        index=reads.Within("{t}.sorted_at", "<"),
    )
    updated_after: datetime | None = reads.condition(
        "{t}.updated_at > {v}",
        "timestamptz",
        "The practice or a translation of it was changed later than this moment.",
        index=reads.Within("{t}.updated_at", ">"),
    )


# The arguments are those of the index `ix_practice_listing_found`, word for word.
_FACETS = (
    "wego_practice_facets({t}.city_id, {t}.country, {t}.region, {t}.status, {t}.visibility, {t}.public_from, "
    "{t}.stage, {t}.themes, {t}.sdg_codes, {t}.locales, {t}.evidence, {t}.technologies, {t}.keywords)"
)
_MONTHS = {
    column: f"date_trunc('month', {column} at time zone 'UTC')" for column in ("{t}.sorted_at", "{t}.updated_at")
}
LISTING = reads.Listing("practice_listing", _FACETS, ways_to_see, {"city_id": "organisation"}, ("c", "{p}.id"), _MONTHS)

PRACTICES = reads.List(
    Practice,
    "practices",
    {
        "published_at": reads.Order(
            "{t}.sorted_at",
            "timestamptz",
            "They are sorted by the time of publication; drafts count as published when they began.",
        ),
        "updated_at": reads.Order(
            "{t}.updated_at",
            "timestamptz",
            "They are sorted by the time at which the practice or a translation was last changed.",
        ),
        "slug": reads.Order("{t}.slug", "text", "They are sorted by their names in addresses."),
    },
    default=("published_at", "desc"),
    filter=PracticeFilter,
    listing=LISTING,
)


@strawberry.type
class CityPractices:
    practices: reads.Connection[Practice] = PRACTICES.connection(
        "{t}.city_id = {p}.id", "These are its practices, the newest first."
    )


def _of_name(q: Query) -> str:
    """Those that have the name, and after them those that had it and were shown to the reader by it. Who may see them
    is asked outside."""
    shown = visible_former_slug(q, "f") or "true"
    return (
        "(select n.*, 0 as former from practice n where n.slug = {slug} union all"
        " select n.*, 1 as former from practice_former_slug f join practice n on n.id = f.practice_id"
        f" where f.slug = {{slug}} and n.slug <> {{slug}} and {shown} order by former, published_at, id) as {{t}}"
    )


@strawberry.type
class PracticeQueries:
    practice: Practice | None = reads.one(
        "true",
        "The practice of this slug; null when there is none for the reader. Unpublished ones of several cities can have"
        " the same: it is the published one, else the oldest that the reader may see. A slug that a practice had before"
        " leads to it as well, for whom it was shown under that slug: the answer's `slug` is the present one.",
        source=_of_name,
        args={"slug": reads.Arg(str, "text", "This is its name in addresses.")},
    )
    practices: reads.Connection[Practice] = PRACTICES.connection(
        None, "These are the practices that the reader may see, the newest first."
    )
