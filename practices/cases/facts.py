"""The facts of a case study beside its texts. Each is declared here, once: its column, what it may hold, how it is
sent, shown and filed (in a `practice.toml`) follow from its line.

Binding texts: design/domain.md section 5.1; SDG targets (A/RES/70/1); COFOG (UN, 1999); ISO 37120/37122/37123 (codes
only); SPDX.
"""

# No `from __future__ import annotations` here: PracticeFacts is a part of a model (fastapi/sqlmodel#196).

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import strawberry
from sqlmodel import SQLModel

from i18n.language import facts as language
from i18n.language.graphql import LanguageTag, LocalizedText, label
from wego.core import facts, reads
from wego.core.errors import Invalid
from wego.core.facts import DatePrecision, column, fact
from wego.core.facts.kinds import Path, kept
from wego.core.forms import Form
from wego.core.vocabulary import N_, Vocabulary

if TYPE_CHECKING:
    from wego.core.reads.query import Query

Given = Mapping[str, Any]

# ── vocabularies ──────────────────────────────────────────────────────────────────────────────────────────────────

THEMES = (
    "2012.services", "2012.efficiency", "2012.open-city", "2012.urban-management", "2012.digital-divide",
    "2017.open-city", "2017.e-government-service", "2017.digital-inclusion", "2017.innovative-smart-city",
    "2017.sustainable-city", "2017.cooperative-city", "2020.efficient-government", "2020.emerging-technology",
    "2020.mobility", "2020.open-inclusive-city", "2020.safe-city", "2020.sustainable-city",
)  # fmt: skip
# goal → (numbered targets, lettered targets): 169 in all.
SDG_TARGETS = {
    1: (5, 2), 2: (5, 3), 3: (9, 4), 4: (7, 3), 5: (6, 3), 6: (6, 2), 7: (3, 2), 8: (10, 2), 9: (5, 3),
    10: (7, 3), 11: (7, 3), 12: (8, 3), 13: (3, 2), 14: (7, 3), 15: (9, 3), 16: (10, 2), 17: (19, 0),
}  # fmt: skip
_COFOG = re.compile(r"(0[1-9]|10)(\.[1-9](\.[0-9])?)?")
_ISO = re.compile(r"ISO371(20|22|23):[0-9]{1,2}(\.[0-9]{1,2}){0,2}")
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}|https?://[!-~]{1,300}")


@reads.vocabulary(
    name="PracticeVisibility", description="A `PracticeVisibility` says who may see a published practice."
)
class Visibility(Vocabulary):
    PRIVATE = (
        "private",
        "Only its own city sees it, and reviewers and the secretariat while it is reviewed.",
        N_("private"),
    )
    MEMBERS = "members", "It is seen by members of the network.", N_("for members")
    EMBARGO = "embargo", "Members see it now, and everybody sees it from `publishAt` on.", N_("under embargo")
    PUBLIC = "public", "It is seen by everybody.", N_("public")


@reads.vocabulary(description="An `ActivityLevel` says how far a practice reaches in space.")
class ActivityLevel(Vocabulary):
    NEIGHBOURHOOD = "neighbourhood", "The practice works in a neighbourhood."
    CITY = "city", "The practice works in the whole city."
    METROPOLITAN = "metropolitan", "The practice works in the city and the towns around it."
    REGION = "region", "The practice works in a region or province."
    NATIONAL = "national", "The practice works in the whole country."


@reads.vocabulary(name="PracticeStage", description="A `PracticeStage` says how far the practice itself is.")
class Stage(Vocabulary):
    PILOT = "pilot", "The practice is being tried out."
    IMPLEMENTING = "implementing", "The practice is being put in place."
    OPERATING = "operating", "The practice is in operation."
    SCALED = "scaled", "The practice was extended after it had proved itself."
    ENDED = "ended", "The practice has ended."


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


def is_theme(code: str) -> bool:
    return code in THEMES


def is_code(text: str) -> bool:
    """Whether it can be a code of a technology, such as `open-source`."""
    return _KEBAB.fullmatch(text) is not None


def sdg_targets(goal: int) -> frozenset[str]:
    numbered, lettered = SDG_TARGETS[goal]
    return frozenset([f"{goal}.{n}" for n in range(1, numbered + 1)] + [f"{goal}.{c}" for c in "abcd"[:lettered]])


_GOALS = frozenset(str(goal) for goal in SDG_TARGETS).union(*(sdg_targets(goal) for goal in SDG_TARGETS))


def is_goal(code: str) -> bool:
    """Whether it is a goal, such as `16`, or a target, such as `16.10`."""
    return code in _GOALS


# ── facts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _no_cofog(path: Path) -> Invalid:
    return Invalid("This is not a code of COFOG, such as 01.3.", path=path)


def _no_iso(path: Path) -> Invalid:
    return Invalid("This is not a code of ISO 37120, 37122 or 37123, such as ISO37120:5.1.", path=path)


def _no_kebab(path: Path) -> Invalid:
    return Invalid("Use lower case letters, digits and hyphens.", path=path)


def _no_licence(path: Path) -> Invalid:
    return Invalid("This is not a licence: give its SPDX code or its address.", path=path)


def _no_goal(path: Path) -> Invalid:
    return Invalid("The Sustainable Development Goals have the numbers 1 to 17.", path=path)


def _no_amount(path: Path) -> Invalid:
    return Invalid("An amount of money is a decimal number of 0 or more.", path=path)


@strawberry.type(description="A `Theme` is a theme of an edition of the WeGO Awards.")
class Theme:
    code: str = reads.column("{t}.code", "This is its code, such as `2017.open-city`.")
    edition: str = reads.column("split_part({t}.code, '.', 1)", "This is the edition that introduced it.")
    label: LocalizedText = label("theme", "{t}.code", "This is what it is called.")


def _target_of_goal(form: Form, sdg: dict[str, Any], path: Path) -> None:
    goal, target = sdg["goal"], sdg["target"]
    if goal in SDG_TARGETS and target and target not in sdg_targets(goal):
        at = (*path, "target")
        form.refuse(Invalid("Goal {goal} has no target {target}.", path=at, goal=goal, target=str(target)[:20]))


@fact("This is a Sustainable Development Goal to which a practice contributes.", name="Sdg", rule=_target_of_goal)
class SdgLink:
    goal: int = facts.whole("This is the number of the goal, 1 to 17.", low=1, high=17, refusal=_no_goal)
    target: str | None = facts.line("This is the target, such as `16.10`; it is null for the goal as a whole.",
                                    most=20, required=False)  # fmt: skip
    contribution: SdgContribution = facts.word(
        SdgContribution, "This says how much the practice contributes.", default=SdgContribution.MAIN
    )
    label: LocalizedText = label("sdg", "({t}.value->>'goal')", "This is what the goal is called, in short.")


def _on_its_first_day(form: Form, on: dict[str, Any], path: Path) -> None:
    if on["date"] and on["precision"]:
        on["date"], _ = on["precision"].span(on["date"])


@fact("This is a date that mattered for the practice.", rule=_on_its_first_day)
class KeyDate:
    date: dt.date = facts.day("This is the date; `precision` says how exactly it is known.")
    precision: DatePrecision = facts.word(
        DatePrecision, "This says how exactly the date is known.", default=DatePrecision.DAY
    )
    significance: LocalizedText = language.texts("This says in a few words what happened.", most=120)


@fact("This is what somebody paid for the practice in one year.")
class Money:
    year: int = facts.whole("This is the year.", low=1900, high=2200)
    source: str = facts.line("This says who paid.", most=200)
    amount: str = facts.decimal("This is how much it was, as a decimal number.", required=True, refusal=_no_amount)
    currency: str = facts.currency("This is the currency of the amount (ISO 4217).")
    kind: MoneyKind = facts.word(MoneyKind, "This says on what it was spent.")


@fact("This is an organisation that took part.")
class Partner:
    name: str = facts.line("This is its name, as it calls itself.", most=200)
    kind: PartnerKind = facts.word(PartnerKind, "This says what kind of organisation it is.")
    support: list[PartnerSupport] = facts.words(PartnerSupport, "These are the ways in which it helped.")


@fact("This is a figure by which a practice can be judged.")
class Indicator:
    scheme: IndicatorScheme = facts.word(IndicatorScheme, "This says whose list the code is from.")
    code: str = facts.line("This is the code in that list.", most=80)
    baseline: str | None = facts.decimal(
        "This is the value before, as a decimal number; it is null where none is known."
    )
    value: str | None = facts.decimal("This is the value, as a decimal number; it is null where none is known.")
    unit: str | None = facts.line("This is the unit; it is null where there is none.", most=60, required=False)
    period: str | None = facts.line(
        "This is the time that the value is of; it is null where it was not told.", most=60, required=False
    )
    evidence_url: str | None = facts.address("This is where it can be checked; it is null where nobody can.")


def _members_only(q: "Query", t: str) -> str | None:
    return None if q.shape.member else "false"


@reads.table("(select) as {t}", visible=_members_only)
@fact("This is somebody whom one may ask; only members see contacts.")
class Contact:
    name: str | None = facts.line("This is the name; it is null where it was not given.", most=120, required=False)
    role: str = facts.line("This is the office.", most=120)
    email: str = facts.email("This is the address to write to.")
    languages: list[LanguageTag] = language.tags("These are the languages in which one can write.", most=10)


@fact("This is a text from which facts are known.")
class Source:
    title: str = facts.line("This is the title, as it is cited.", most=500)
    url: str | None = facts.address("This is the address; it is null where there is none.")


class PracticeFacts(SQLModel):
    """The facts of a practice, a line each; `Practice` has them as columns."""

    visibility: Visibility = column(
        facts.word(Visibility, "This says who may see it once it is published.", default=Visibility.PRIVATE)
    )
    publish_at: dt.datetime | None = column(
        facts.moment("This is when an embargo ends; it is null where there is none.")
    )
    themes: list[str] = column(facts.codes("These are its themes, by code.", THEMES, most=6, shown_as=Theme))
    sdgs: list[dict[str, Any]] = column(
        facts.each(SdgLink, "These are the goals to which it contributes.", most=34, expected=3)
    )
    cofog: list[str] = column(
        facts.codes("These are functions of government, by their codes (COFOG).", _COFOG, _no_cofog, most=10)
    )
    iso_codes: list[str] = column(
        facts.codes("These are indicators of ISO 37120, 37122 and 37123, by codes such as `ISO37120:5.1`.",
                    _ISO, _no_iso, most=40)
    )  # fmt: skip
    technologies: list[str] = column(
        facts.codes("These are the technologies that it uses, by code.", _KEBAB, _no_kebab, most=20)
    )
    keywords: dict[str, Any] = column(language.keywords("These are its keywords, by language.", most=20, longest=60))
    key_dates: list[dict[str, Any]] = column(
        facts.each(KeyDate, "These are the dates that mattered.", most=5, expected=5, source=language.WITH_ORIGINAL)
    )
    money: list[dict[str, Any]] = column(facts.each(Money, "This is what it cost, by year.", most=40))
    partners: list[dict[str, Any]] = column(facts.each(Partner, "These are the organisations that took part.", most=40))
    indicators: list[dict[str, Any]] = column(
        facts.each(Indicator, "These are figures by which it can be judged.", most=60)
    )
    contacts: list[dict[str, Any]] = column(
        facts.each(Contact, "This is whom to ask; it is empty for those who are no members.", most=10, expected=3)
    )
    sources: list[dict[str, Any]] = column(facts.each(Source, "This is where the facts are from.", most=40))
    level_of_activity: ActivityLevel = column(
        facts.word(ActivityLevel, "This is the level on which it acts.", default=ActivityLevel.CITY)
    )
    stage: Stage = column(facts.word(Stage, "This says how far the practice itself is.", default=Stage.OPERATING))
    launched_on: dt.date | None = column(
        facts.day("This is when it began; it is null where nobody knows.", required=False)
    )
    launched_precision: DatePrecision = column(
        facts.word(DatePrecision, "This says how exactly `launchedOn` is known.", default=DatePrecision.DAY,
                   check_name="launched_precision", filled=True)
    )  # fmt: skip
    ended_on: dt.date | None = column(facts.day("This is when it ended; it is null while it goes on.", required=False))
    ended_precision: DatePrecision = column(
        facts.word(DatePrecision, "This says how exactly `endedOn` is known.", default=DatePrecision.DAY,
                   check_name="ended_precision", filled=True)
    )  # fmt: skip
    licence: str = column(
        facts.shaped("This is the licence under which it may be used: its SPDX code or its address.",
                     _LICENCE, _no_licence, default="CC-BY-4.0")
    )  # fmt: skip


# Personal data, and what only the practice of now has: they stay out of what cannot be changed.
_NOT_KEPT = frozenset({"contacts", "publish_at"})
NAMES = tuple(facts.facts_of(PracticeFacts))


def checked(given: Given, *, now: dt.datetime | None = None, path: Path = ("input",)) -> dict[str, Any]:
    """The columns of a practice for the facts that were given, and no others; refuses all that cannot be at once."""
    form = Form()
    columns = facts.check(form, PracticeFacts, given, path)
    if "sdgs" in columns and not form.refusals:
        columns["sdg_codes"] = sdg_codes(columns["sdgs"])
    _check_visibility(form, columns, now or dt.datetime.now(dt.UTC), path)
    began, ended = _span(columns, "launched"), _span(columns, "ended")
    if began and ended and ended[1] < began[0]:
        form.refuse(Invalid("This ended before it was launched.", path=(*path, "endedOn")))
    form.settle()
    return columns


def _span(columns: dict[str, Any], what: str) -> tuple[dt.date, dt.date] | None:
    """Between which days something was, as it was told; it is kept on the first of them. A date that is told without
    its precision is a day."""
    on = columns.get(f"{what}_on")
    if on is None:
        return None
    precision = columns.setdefault(f"{what}_precision", DatePrecision.DAY)
    if precision is None:  # refused already
        return None
    first, last = precision.span(on)
    columns[f"{what}_on"] = first
    return first, last


def sdg_codes(sdgs: Sequence[Given]) -> list[str]:
    """What filters look for: each goal and each target once."""
    codes = [code for sdg in sdgs for code in (str(sdg["goal"]), sdg.get("target")) if code]
    return list(dict.fromkeys(codes))


def snapshot(practice: PracticeFacts) -> dict[str, Any]:
    """The facts as a revision keeps them."""
    return {name: kept(getattr(practice, name)) for name in NAMES if name not in _NOT_KEPT}


def _check_visibility(form: Form, columns: dict[str, Any], now: dt.datetime, path: Path) -> None:
    if "visibility" not in columns and "publish_at" not in columns:
        return
    here, at = (*path, "publishAt"), columns.get("publish_at")
    if columns.get("visibility") is not Visibility.EMBARGO:
        if at is not None:
            form.refuse(Invalid("Only a practice under embargo has a date of publication.", path=here))
        columns["publish_at"] = None
    elif at is None:
        form.refuse(Invalid("An embargo needs the date on which it ends.", path=here))
    elif at <= now:
        form.refuse(Invalid("An embargo must end in the future.", path=here))
