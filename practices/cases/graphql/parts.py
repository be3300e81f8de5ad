"""The facts of a case study as the API shows them: themes, goals, dates, money, partners, indicators, contacts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import strawberry

from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, direction_of, in_map, label
from practices.cases.models import ActivityLevel, EvidenceLevel, PracticeStatus, Stage, Visibility
from wego.core import reads
from wego.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(PracticeStatus, description="A `PracticeStatus` says where a practice is in its life.")
reads.vocabulary(
    Visibility, name="PracticeVisibility", description="A `PracticeVisibility` says who may see a published practice."
)
reads.vocabulary(ActivityLevel, description="An `ActivityLevel` says how far a practice reaches in space.")
reads.vocabulary(Stage, name="PracticeStage", description="A `PracticeStage` says how far the practice itself is.")
reads.vocabulary(EvidenceLevel, description="An `EvidenceLevel` says how well it can be checked what a practice tells.")


@reads.vocabulary(description="An `SdgContribution` says how much a practice contributes to a goal.")
class SdgContribution(Vocabulary):
    MAIN = "main", "The goal is a main purpose of the practice."
    SIDE = "side", "The practice contributes to the goal besides."


@reads.vocabulary(description="A `PartnerKind` says what kind of organisation a partner is.")
class PartnerKind(Vocabulary):
    GOVERNMENT = "government", "The partner is a public authority."
    COMPANY = "company", "The partner is a company."
    UNIVERSITY = "university", "The partner is a university or a research institute."
    CIVIL_SOCIETY = "civil-society", "The partner belongs to civil society."
    INTERNATIONAL = "international", "The partner is an international organisation."
    OTHER = "other", "The partner is none of these."


@reads.vocabulary(description="A `PartnerSupport` says in which way a partner helped.")
class PartnerSupport(Vocabulary):
    ADMINISTRATIVE = "administrative", "The partner helped with staff or procedures."
    FINANCIAL = "financial", "The partner gave money."
    POLITICAL = "political", "The partner gave political support."
    TECHNICAL = "technical", "The partner gave technology or knowledge."
    OTHER = "other", "The partner helped in another way."


@reads.vocabulary(description="An `IndicatorScheme` says whose list of indicators a code is from.")
class IndicatorScheme(Vocabulary):
    OWN = "own", "The code is the city's own."
    ISO37120 = "ISO37120", "The code is from ISO 37120, indicators for city services and quality of life."
    ISO37122 = "ISO37122", "The code is from ISO 37122, indicators for smart cities."
    ISO37123 = "ISO37123", "The code is from ISO 37123, indicators for resilient cities."
    SDG = "SDG", "The code is from the indicators of the Sustainable Development Goals."
    RUTGERS = "Rutgers", "The code is from the Global E-Governance Survey of Rutgers University."
    LOSI = "LOSI", "The code is from the Local Online Service Index of the United Nations."


@reads.vocabulary(description="A `MoneyKind` says whether money is spent on things that last or on running costs.")
class MoneyKind(Vocabulary):
    CAPEX = "capex", "The money is spent on things that last."
    OPEX = "opex", "The money is spent on running costs."


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
