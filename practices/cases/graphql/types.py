"""The case study itself, as the API shows it, and who sees it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import strawberry

from i18n.content.graphql.owner import WithTexts
from members.register.graphql.cities import City
from practices.cases import models, reach  # noqa: F401  # `reach` says who may see a practice
from practices.cases.graphql.parts import (
    KEY_DATES,
    Contact,
    Indicator,
    KeyDate,
    Keywords,
    Money,
    Partner,
    SdgLink,
    Source,
    Theme,
)
from practices.cases.models import ActivityLevel, EvidenceLevel, PracticeStatus, Stage, Visibility
from wego.core import reads
from wego.core.access import ActorKind, Permission

if TYPE_CHECKING:
    from wego.core.reads.query import Query


def ways_to_see(q: Query, t: str, facets: str) -> list[reads.Way]:
    """How `visible_practice` is asked of the index of the listing: rows of everybody (p), of members (m), and all (a)
    of the own cities and of those on which one works. What it lets through is still asked exactly."""
    if q.everywhere(Permission.PRACTICE_READ):
        return [reads.Way("a")]
    public, published = f"{t}.public_from is not null", f"{t}.status = 'published' and {t}.visibility <> 'private'"
    ways = [reads.Way("m", None, f"({public} or {published})") if q.shape.member else reads.Way("p", None, public)]
    if q.somewhere(Permission.PRACTICE_READ):
        own = q.places_with(Permission.PRACTICE_READ)
        asked = f"{facets} && array(select 'ac:' || c from unnest({own}) as c)"
        ways.append(reads.Way("a", asked, f"{t}.city_id = any({own})"))
    if q.shape.kind is ActorKind.PERSON:
        person = q.person()
        mine = (
            f"{t}.id = any(array(select v.practice_id from review v where v.reviewer_id = {person} "
            f"union select e.practice_id from practice_editor e where e.person_id = {person}))"
        )
        ways.append(reads.Way("a", mine, mine))
    return ways


def _elements(column: str) -> str:
    return f"jsonb_array_elements({{p}}.{column}) with ordinality as {{t}}(value, ord)"


@reads.table(models.Practice)
@strawberry.type(description="A case study: what a city did, told so that another can judge whether it would work.")
class Practice(reads.Node, WithTexts):
    slug: str = reads.column("{t}.slug", "Its name in addresses.")
    city: City = reads.one("{t}.id = {p}.city_id", "Whose practice it is.", visible=False)  # seen with the practice
    status: PracticeStatus = reads.column("{t}.status", "Where it is in its life.")
    visibility: Visibility = reads.column("{t}.visibility", "Who may see it once it is published.")
    publish_at: datetime | None = reads.column("{t}.publish_at", "When an embargo ends.")
    assumed: bool = reads.column(
        "{t}.assumed",
        "Whether it was written and published for a demonstration, from public sources: its city took no part.",
    )
    themes: list[Theme] = reads.many(
        None, "Its themes.", order="{t}.ord", source="unnest({p}.themes) with ordinality as {t}(code, ord)",
        most=None, expected=3,
    )  # fmt: skip
    sdgs: list[SdgLink] = reads.many(
        None, "The goals to which it contributes.", order="{t}.ord", source=_elements("sdgs"), expected=3
    )
    cofog: list[str] = reads.column("{t}.cofog", "Functions of government (COFOG).")
    iso_codes: list[str] = reads.column("{t}.iso_codes", "Indicators of ISO 37120, 37122 and 37123, by code.")
    technologies: list[str] = reads.column("{t}.technologies", "Technologies, by code.")
    keywords: list[Keywords] = reads.many(
        None, "Keywords, by language.", order="{t}.key", source="jsonb_each({p}.keywords) as {t}(key, value)"
    )
    indicators: list[Indicator] = reads.many(
        None, "Figures by which it can be judged.", order="{t}.ord", source=_elements("indicators")
    )
    key_dates: list[KeyDate] = reads.many(None, "Dates that mattered.", order="{t}.ord", source=KEY_DATES, expected=5)
    money: list[Money] = reads.many(None, "What it cost.", order="{t}.ord", source=_elements("financial_profile"))
    partners: list[Partner] = reads.many(None, "Who took part.", order="{t}.ord", source=_elements("partners"))
    contacts: list[Contact] = reads.many(
        None, "Whom to ask. Empty for who is no member.", order="{t}.ord", source=_elements("contacts"), expected=3
    )
    sources: list[Source] = reads.many(None, "Where the facts are from.", order="{t}.ord", source=_elements("sources"))
    evidence_level: EvidenceLevel = reads.column(
        "wego_evidence({t}.sources, {t}.indicators)",
        "This says how well it can be checked what is told here: `DOCUMENTED` when it names a source, or says of an "
        "indicator where it can be checked, else `SELF_REPORTED`.",
    )
    level_of_activity: ActivityLevel = reads.column("{t}.level_of_activity", "On which level it acts.")
    stage: Stage = reads.column("{t}.stage", "How far the practice itself is.")
    launched_on: date | None = reads.column("{t}.launched_on", "When it began.")
    ended_on: date | None = reads.column("{t}.ended_on", "When it ended.")
    licence: str = reads.column("{t}.licence", "Under which licence it may be used: SPDX code or address.")
    created_at: datetime = reads.column("{t}.created_at", "When it was begun.")
    updated_at: datetime = reads.column("{t}.updated_at", "When it or a translation was last changed.")
    published_at: datetime | None = reads.column(
        "{t}.published_at", "When it was first published, for others than its own city once it is open to others."
    )
