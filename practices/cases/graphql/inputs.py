"""What is sent to write a case study, and how it becomes what the services take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET

from i18n.language.graphql import LanguageTag
from practices.cases.graphql.parts import IndicatorScheme, MoneyKind, PartnerKind, PartnerSupport, SdgContribution
from practices.cases.models import ActivityLevel, Stage, Visibility
from wego.core.errors import Invalid, Refusal


@strawberry.input(description="A goal to which a practice contributes.")
class SdgInput:
    goal: int = strawberry.field(description="The number of the goal, 1 to 17.")
    target: str | None = strawberry.field(default=None, description="The target, such as `16.10`.")
    contribution: SdgContribution = strawberry.field(default=SdgContribution.MAIN, description="How much.")


@strawberry.input(description="A text in one language.")
class LocalText:
    locale: LanguageTag = strawberry.field(description="The language (BCP 47).")
    text: str = strawberry.field(description="The text.")


@strawberry.input(description="A date that mattered.")
class KeyDateInput:
    date: date = strawberry.field(description="When.")
    significance: list[LocalText] = strawberry.field(description="What happened, in a few words of each language.")


@strawberry.input(description="What a year cost.")
class MoneyInput:
    year: int = strawberry.field(description="The year.")
    source: str = strawberry.field(description="Who paid.")
    amount: str = strawberry.field(description="How much, as a decimal number.")
    currency: str = strawberry.field(description="In which currency (ISO 4217).")
    kind: MoneyKind = strawberry.field(description="On what.")


@strawberry.input(description="An organisation that took part.")
class PartnerInput:
    name: str = strawberry.field(description="Its name.")
    kind: PartnerKind = strawberry.field(description="What kind of organisation it is.")
    support: list[PartnerSupport] = strawberry.field(default_factory=list, description="In which ways it helped.")


@strawberry.input(description="A figure by which the practice can be judged.")
class IndicatorInput:
    scheme: IndicatorScheme = strawberry.field(description="Whose list the code is from.")
    code: str = strawberry.field(description="The code in that list.")
    baseline: str | None = strawberry.field(default=None, description="The value before, as a decimal number.")
    value: str | None = strawberry.field(default=None, description="The value, as a decimal number.")
    unit: str | None = strawberry.field(default=None, description="In which unit.")
    period: str | None = strawberry.field(default=None, description="Of which time.")
    evidence_url: str | None = strawberry.field(default=None, description="Where it can be checked.")


@strawberry.input(description="Whom to ask.")
class ContactInput:
    name: str | None = strawberry.field(default=None, description="The name, where it may be given.")
    role: str = strawberry.field(description="The office.")
    email: str = strawberry.field(description="The address.")
    languages: list[LanguageTag] = strawberry.field(default_factory=list, description="Languages to write in.")


@strawberry.input(description="Where facts are from.")
class SourceInput:
    title: str = strawberry.field(description="The title, as it is cited.")
    url: str | None = strawberry.field(default=None, description="The address.")


@strawberry.input(description="Keywords in one language.")
class KeywordsInput:
    locale: LanguageTag = strawberry.field(description="The language (BCP 47).")
    words: list[str] = strawberry.field(description="The words.")


@strawberry.input(description="The facts of a practice; what is absent stays.")
class PracticeFacts:
    visibility: Visibility | None = strawberry.field(default=UNSET, description="Who may see it once published.")
    publish_at: datetime | None = strawberry.field(default=UNSET, description="When an embargo ends.")
    themes: list[str] | None = strawberry.field(default=UNSET, description="Its themes, by code.")
    sdgs: list[SdgInput] | None = strawberry.field(default=UNSET, description="The goals to which it contributes.")
    cofog: list[str] | None = strawberry.field(default=UNSET, description="Functions of government (COFOG).")
    iso_codes: list[str] | None = strawberry.field(default=UNSET, description="Codes such as `ISO37120:5.1`.")
    technologies: list[str] | None = strawberry.field(default=UNSET, description="Technologies, by code.")
    keywords: list[KeywordsInput] | None = strawberry.field(default=UNSET, description="Keywords, by language.")
    key_dates: list[KeyDateInput] | None = strawberry.field(default=UNSET, description="Dates that mattered.")
    money: list[MoneyInput] | None = strawberry.field(default=UNSET, description="What it cost.")
    partners: list[PartnerInput] | None = strawberry.field(default=UNSET, description="Who took part.")
    indicators: list[IndicatorInput] | None = strawberry.field(default=UNSET, description="Figures.")
    contacts: list[ContactInput] | None = strawberry.field(default=UNSET, description="Whom to ask.")
    sources: list[SourceInput] | None = strawberry.field(default=UNSET, description="Where the facts are from.")
    level_of_activity: ActivityLevel | None = strawberry.field(default=UNSET, description="On which level it acts.")
    stage: Stage | None = strawberry.field(default=UNSET, description="How far the practice itself is.")
    launched_on: date | None = strawberry.field(default=UNSET, description="When it began.")
    ended_on: date | None = strawberry.field(default=UNSET, description="When it ended.")
    licence: str | None = strawberry.field(default=UNSET, description="SPDX code or address of the licence.")


_CAN_BE_NULL = frozenset({"launched_on", "ended_on", "publish_at"})
_FACTS = tuple(PracticeFacts.__annotations__)


def facts_of(given: PracticeFacts) -> dict[str, Any]:
    """The facts that were sent, as `practices.cases.facts` takes them."""
    facts: dict[str, Any] = {}
    for name in _FACTS:
        value = getattr(given, name)
        if value is not UNSET and (value is not None or name in _CAN_BE_NULL):
            facts["financial_profile" if name == "money" else name] = _plain(value)
    if "keywords" in facts:
        facts["keywords"] = _by_locale(facts["keywords"], "words", "input", "keywords")
    for index, on in enumerate(facts.get("key_dates", ())):
        here = ("input", "keyDates", index, "significance")
        on["significance"] = _by_locale(on["significance"], "text", *here)
    return facts


def _by_locale(given: list[dict[str, Any]], what: str, *path: str | int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, each in enumerate(given):
        if each["locale"] in found:
            here = (*path, index, "locale")
            raise Invalid("The language {locale} is given twice.", path=here, locale=each["locale"])
        found[each["locale"]] = each[what]
    return found


@contextmanager
def in_terms_of(given: PracticeFacts) -> Iterator[None]:
    """What is refused in the block is named by its place in the input: the services keep some facts by language that
    are lists here."""
    try:
        yield
    except Refusal as refusal:
        for each in (refusal, *refusal.each):
            each.path = _place(given, each.path)
        raise


def _place(given: PracticeFacts, path: tuple[Any, ...]) -> tuple[Any, ...]:
    match path:
        case ("input", "financialProfile", *rest):
            return ("input", "money", *rest)
        case ("input", "keywords", str(tag), *rest):
            index = [each.locale for each in given.keywords or ()].index(LanguageTag(tag))
            return ("input", "keywords", index, *(("words", *rest) if rest else ("locale",)))
        case ("input", "keyDates", int(number), "significance", str(tag)):
            told = (given.key_dates or ())[number].significance
            index = [each.locale for each in told].index(LanguageTag(tag))
            return (*path[:4], index, "text")
    return path


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "__strawberry_definition__"):
        return {name: _plain(each) for name, each in vars(value).items()}
    return value
