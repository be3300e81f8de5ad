"""The facts of a case study as the API shows them: themes, goals, dates, money, partners, indicators, contacts."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

import strawberry

from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, direction_of, in_map, label
from practices.cases.models import ActivityLevel, EvidenceLevel, PracticeStatus, Stage, Visibility
from wego.core import reads

if TYPE_CHECKING:
    from wego.core.reads.query import Query

strawberry.enum(PracticeStatus, description="Where a practice is in its life.")
strawberry.enum(Visibility, name="PracticeVisibility", description="Who may see a published practice.")
strawberry.enum(EvidenceLevel, description="An `EvidenceLevel` says how well it can be checked what a practice tells.")
strawberry.enum(ActivityLevel, description="The level on which a practice acts.")
strawberry.enum(Stage, name="PracticeStage", description="How far the practice itself is.")


@strawberry.enum(description="How much a practice contributes to a goal.")
class SdgContribution(StrEnum):
    MAIN = "main"
    SIDE = "side"


@strawberry.enum(description="What kind of organisation a partner is.")
class PartnerKind(StrEnum):
    GOVERNMENT = "government"
    COMPANY = "company"
    UNIVERSITY = "university"
    CIVIL_SOCIETY = "civil-society"
    INTERNATIONAL = "international"
    OTHER = "other"


@strawberry.enum(description="In which way a partner helped.")
class PartnerSupport(StrEnum):
    ADMINISTRATIVE = "administrative"
    FINANCIAL = "financial"
    POLITICAL = "political"
    TECHNICAL = "technical"
    OTHER = "other"


@strawberry.enum(description="Whose list of indicators a code is from.")
class IndicatorScheme(StrEnum):
    OWN = "own"
    ISO37120 = "ISO37120"
    ISO37122 = "ISO37122"
    ISO37123 = "ISO37123"
    SDG = "SDG"
    RUTGERS = "Rutgers"
    LOSI = "LOSI"


@strawberry.enum(description="What money is spent on: things that last, or running costs.")
class MoneyKind(StrEnum):
    CAPEX = "capex"
    OPEX = "opex"


@strawberry.type(description="A theme of an edition of the WeGO Awards.")
class Theme:
    code: str = reads.column("{t}.code", "Its code, such as `2017.open-city`.")
    edition: str = reads.column("split_part({t}.code, '.', 1)", "The edition that introduced it.")
    label: LocalizedText = label("theme", "{t}.code", "What it is called.")


@strawberry.type(description="A Sustainable Development Goal to which a practice contributes.")
class SdgLink:
    goal: int = reads.column("({t}.value->>'goal')::integer", "The number of the goal, 1 to 17.")
    target: str | None = reads.column("{t}.value->>'target'", "The target, such as `16.10`.")
    contribution: SdgContribution = reads.column("{t}.value->>'contribution'", "How much it contributes.")
    label: LocalizedText = label("sdg", "({t}.value->>'goal')", "What the goal is called, in short.")


_MEANING = "({t}.value->'significance')"
_MEANT = (
    f"(case when {_MEANING} ? {{t}}.original then {{t}}.original"
    f" else (select min(k) from jsonb_object_keys({_MEANING}) k) end)"
)
KEY_DATES = (
    "(select e.value, e.ord, {p}.original_locale as original"
    " from jsonb_array_elements({p}.key_dates) with ordinality e(value, ord)) as {t}"
)


@strawberry.type(description="A date that mattered.")
class KeyDate:
    date: date = reads.column("{t}.value->>'date'", "When.")
    significance: LocalizedText = in_map(_MEANING, _MEANT, "What happened, in a few words.")


@strawberry.type(description="What a year cost.")
class Money:
    year: int = reads.column("({t}.value->>'year')::integer", "The year.")
    source: str = reads.column("{t}.value->>'source'", "Who paid.")
    amount: str = reads.column("{t}.value->>'amount'", "How much, as a decimal number.")
    currency: str = reads.column("{t}.value->>'currency'", "In which currency (ISO 4217).")
    kind: MoneyKind = reads.column("{t}.value->>'kind'", "On what.")


_SUPPORT = "(select coalesce(array_agg(s), '{{}}') from jsonb_array_elements_text({t}.value->'support') s)"


@strawberry.type(description="An organisation that took part.")
class Partner:
    name: str = reads.column("{t}.value->>'name'", "Its name, as it calls itself.")
    kind: PartnerKind = reads.column("{t}.value->>'kind'", "What kind of organisation it is.")
    support: list[PartnerSupport] = reads.column(_SUPPORT, "In which ways it helped.")


@strawberry.type(description="A figure by which a practice can be judged.")
class Indicator:
    scheme: IndicatorScheme = reads.column("{t}.value->>'scheme'", "Whose list the code is from.")
    code: str = reads.column("{t}.value->>'code'", "The code in that list.")
    baseline: str | None = reads.column("{t}.value->>'baseline'", "The value before, as a decimal number.")
    value: str | None = reads.column("{t}.value->>'value'", "The value, as a decimal number.")
    unit: str | None = reads.column("nullif({t}.value->>'unit', '')", "In which unit.")
    period: str | None = reads.column("nullif({t}.value->>'period', '')", "Of which time.")
    evidence_url: str | None = reads.column("{t}.value->>'evidence_url'", "Where it can be checked.")


def _members_only(q: Query, t: str) -> str | None:
    return None if q.shape.member else "false"


_LANGUAGES = "(select coalesce(array_agg(l), '{{}}') from jsonb_array_elements_text({t}.value->'languages') l)"


@reads.table("(select) as {t}", visible=_members_only)
@strawberry.type(description="Whom to ask. Only members see contacts.")
class Contact:
    name: str | None = reads.column("nullif({t}.value->>'name', '')", "The name, where it is given.")
    role: str = reads.column("{t}.value->>'role'", "The office.")
    email: str = reads.column("{t}.value->>'email'", "The address.")
    languages: list[LanguageTag] = reads.column(_LANGUAGES, "In which languages one can write.")


@strawberry.type(description="Where the facts are from.")
class Source:
    title: str = reads.column("{t}.value->>'title'", "The title, as it is cited.")
    url: str | None = reads.column("{t}.value->>'url'", "The address.")


_WORDS = "(select coalesce(array_agg(w), '{{}}') from jsonb_array_elements_text({t}.value) w)"


@strawberry.type(description="Keywords in one language.")
class Keywords:
    locale: LanguageTag = reads.column("{t}.key", "The language (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{t}.key"), "The direction in which it is written.")
    words: list[str] = reads.column(_WORDS, "The words.")
