"""The facts of a case study beside its texts: what each may hold. All that is wrong is told at once.

Binding texts: design/domain.md section 5.1; SDG targets (A/RES/70/1); COFOG (UN, 1999); ISO
37120/37122/37123 (codes only); ISO 4217; SPDX. Money and values are decimal strings: a float would change
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any

from babel.numbers import list_currencies

from i18n.language.locales import canonical
from practices.cases.models import ActivityLevel, Practice, Stage, Visibility
from wego.core.errors import Invalid
from wego.core.forms import Form
from wego.core.scalars import NO_OFFSET

Given = Mapping[str, Any]
Path = tuple[str | int, ...]

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
PARTNER_KINDS = frozenset({"government", "company", "university", "civil-society", "international", "other"})
SUPPORT = frozenset({"administrative", "financial", "political", "technical", "other"})
CONTRIBUTIONS = frozenset({"main", "side"})
MONEY_KINDS = frozenset({"capex", "opex"})
INDICATOR_SCHEMES = frozenset({"own", "ISO37120", "ISO37122", "ISO37123", "SDG", "Rutgers", "LOSI"})

LIMITS = {
    "themes": 6, "sdgs": 34, "cofog": 10, "iso_codes": 40, "technologies": 20, "key_dates": 5,
    "financial_profile": 40, "partners": 40, "indicators": 60, "contacts": 10, "sources": 40,
}  # fmt: skip
MOST_KEYWORDS = 20  # of one language
MOST_LANGUAGES = 40

_COFOG = re.compile(r"(0[1-9]|10)(\.[1-9](\.[0-9])?)?")
_ISO = re.compile(r"ISO371(20|22|23):[0-9]{1,2}(\.[0-9]{1,2}){0,2}")
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WEB = re.compile(r"https?://[^\s\x00-\x1f\x7f<>\"\u202a-\u202e\u2066-\u2069\ud800-\udfff]{3,500}")
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}|https?://[!-~]{1,300}")


def checked(given: Given, *, now: datetime | None = None, path: Path = ("input",)) -> dict[str, Any]:
    """The columns of a practice for the facts that were given, and no others; refuses what cannot be."""
    form = Form()
    columns: dict[str, Any] = {}
    for name, value in given.items():
        here = (*path, camel(name))
        if name in LIMITS and len(value) > LIMITS[name]:
            form.few(value, *here, limit=LIMITS[name])
        else:
            columns[name] = CHECKS[name](form, value, here)
    if "sdgs" in columns and not form.refusals:
        columns["sdg_codes"] = sdg_codes(columns["sdgs"])
    _check_visibility(form, columns, now or datetime.now(UTC), path)
    first, last = columns.get("launched_on"), columns.get("ended_on")
    if first and last and last < first:
        form.refuse(Invalid("This ended before it was launched.", path=(*path, "endedOn")))
    form.settle()
    return columns


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def sdg_codes(sdgs: Sequence[Given]) -> list[str]:
    """What filters look for: each goal and each target once."""
    codes = [code for sdg in sdgs for code in (str(sdg["goal"]), sdg.get("target")) if code]
    return list(dict.fromkeys(codes))


def snapshot(practice: Practice) -> dict[str, Any]:
    """The facts as a revision keeps them. Contacts are personal data and stay out of what cannot be
    changed."""
    names = [name for name in CHECKS if name not in {"contacts", "publish_at"}]
    return {name: _plain(getattr(practice, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _check_visibility(form: Form, columns: dict[str, Any], now: datetime, path: Path) -> None:
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


# ── single values ─────────────────────────────────────────────────────────────────────────────────────────────────


def _one_of(allowed: frozenset[str] | tuple[str, ...]) -> Callable[[Form, Any, Path], str]:
    def check(form: Form, value: Any, path: Path) -> str:
        if value not in allowed:
            form.refuse(Invalid("This must be one of: {allowed}.", path=path, allowed=", ".join(sorted(allowed))))
        return str(value)

    return check


def _shaped(pattern: re.Pattern[str], refusal: Callable[[Path], Invalid]) -> Callable[[Form, Any, Path], str]:
    def check(form: Form, value: Any, path: Path) -> str:
        if not isinstance(value, str) or len(value) > 320 or not pattern.fullmatch(value):
            form.refuse(refusal(path))
        return str(value)

    return check


def _word_of(kind: type[StrEnum]) -> Callable[[Form, Any, Path], StrEnum | None]:
    def check(form: Form, value: Any, path: Path) -> StrEnum | None:
        try:
            return kind(value)
        except ValueError:
            form.refuse(Invalid("This must be one of: {allowed}.", path=path, allowed=", ".join(kind)))
            return None

    return check


def _date(form: Form, value: Any, path: Path) -> date | None:
    if value is None:
        return None
    try:
        found = value if isinstance(value, date) and not isinstance(value, datetime) else date.fromisoformat(value)
    except (TypeError, ValueError):
        found = date.max
    if found in (date.min, date.max):  # asyncpg sends these two as `-infinity` and `infinity`, which are no dates
        form.refuse(Invalid("This is not a date, such as 2016-03-01.", path=path))
        return None
    return found


def _moment(form: Form, value: Any, path: Path) -> datetime | None:
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None or value.tzinfo is NO_OFFSET):
        form.refuse(Invalid("A time needs its zone, such as 2027-06-01T00:00:00Z.", path=path))
        return None
    return value


def _decimal(form: Form, value: Any, path: Path) -> str | None:
    if value is None:
        return None
    try:
        number = Decimal(str(value)) if len(str(value)) <= 40 else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    exponent = number.as_tuple().exponent
    if not number.is_finite() or not isinstance(exponent, int) or abs(exponent) > 20:
        form.refuse(Invalid("This is not a decimal number, such as 1250.50.", path=path))
        return None
    return format(number, "f")


def _address(form: Form, value: Any, path: Path) -> str | None:
    if value is not None and not _WEB.fullmatch(value):
        form.refuse(Invalid("This is not an address of the web.", path=path))
    return None if value is None else str(value)


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def _currency(form: Form, value: Any, path: Path) -> str:
    if value not in _currencies():
        form.refuse(Invalid("This is not a currency of ISO 4217, such as KRW.", path=path))
    return str(value)


def _locale_texts(form: Form, value: Given, path: Path, limit: int) -> dict[str, str]:
    form.few(value, *path, limit=MOST_LANGUAGES)
    if not value:
        form.refuse(Invalid("This must not be empty.", path=path))
    return {_tag(form, tag, path): form.text(text, *path, tag, limit=limit) for tag, text in value.items()}


def _tag(form: Form, tag: str, path: Path) -> str:
    if canonical(tag) is None:
        form.refuse(Invalid("This is not a language tag (BCP 47), such as ko or pt-BR.", path=path))
    return canonical(tag) or tag


# ── lists of things ───────────────────────────────────────────────────────────────────────────────────────────────


def _list(check: Callable[[Form, Any, Path], Any], *, once: bool = False) -> Callable[[Form, Any, Path], list[Any]]:
    def check_all(form: Form, values: Sequence[Any], path: Path) -> list[Any]:
        found = [check(form, value, (*path, index)) for index, value in enumerate(values)]
        return list(dict.fromkeys(found)) if once else found

    return check_all


def _sdg(form: Form, value: Given, path: Path) -> dict[str, Any]:
    goal, target = value.get("goal"), value.get("target")
    if goal not in SDG_TARGETS:
        form.refuse(Invalid("The Sustainable Development Goals have the numbers 1 to 17.", path=(*path, "goal")))
    elif target is not None and target not in sdg_targets(goal):
        form.refuse(
            Invalid(
                "Goal {goal} has no target {target}.",
                path=(*path, "target"),
                goal=goal,
                target=str(target)[:20],
            )
        )
    main = _one_of(CONTRIBUTIONS)(form, value.get("contribution", "main"), (*path, "contribution"))
    return {"goal": goal, "target": target, "contribution": main}


def is_theme(code: str) -> bool:
    return code in THEMES


def is_code(text: str) -> bool:
    """Whether it can be a code of a technology, such as `open-source`."""
    return _KEBAB.fullmatch(text) is not None


def is_goal(code: str) -> bool:
    """Whether it is a goal, such as `16`, or a target, such as `16.10`."""
    return code in _GOALS


def sdg_targets(goal: int) -> frozenset[str]:
    numbered, lettered = SDG_TARGETS[goal]
    return frozenset([f"{goal}.{n}" for n in range(1, numbered + 1)] + [f"{goal}.{c}" for c in "abcd"[:lettered]])


def _key_date(form: Form, value: Given, path: Path) -> dict[str, Any]:
    on = _date(form, value.get("date"), (*path, "date"))
    if on is None and value.get("date") is None:
        form.refuse(Invalid("This is not a date, such as 2016-03-01.", path=(*path, "date")))
    meaning = _locale_texts(form, value.get("significance") or {}, (*path, "significance"), 120)
    return {"date": on.isoformat() if on else None, "significance": meaning}


def _money(form: Form, value: Given, path: Path) -> dict[str, Any]:
    year = value.get("year")
    form.number(year if isinstance(year, int) else -1, *path, "year", low=1900, high=2200)
    amount = _decimal(form, value.get("amount"), (*path, "amount"))
    if value.get("amount") is None or (amount and amount.startswith("-")):
        form.refuse(Invalid("An amount of money is a decimal number of 0 or more.", path=(*path, "amount")))
    return {
        "year": year,
        "source": form.text(value.get("source"), *path, "source", limit=200),
        "amount": amount,
        "currency": _currency(form, value.get("currency"), (*path, "currency")),
        "kind": _one_of(MONEY_KINDS)(form, value.get("kind"), (*path, "kind")),
    }


def _partner(form: Form, value: Given, path: Path) -> dict[str, Any]:
    support = value.get("support") or []
    form.few(support, *path, "support", limit=len(SUPPORT))
    return {
        "name": form.text(value.get("name"), *path, "name", limit=200),
        "kind": _one_of(PARTNER_KINDS)(form, value.get("kind"), (*path, "kind")),
        "support": _list(_one_of(SUPPORT), once=True)(form, support[:10], (*path, "support")),
    }


def _indicator(form: Form, value: Given, path: Path) -> dict[str, Any]:
    return {
        "scheme": _one_of(INDICATOR_SCHEMES)(form, value.get("scheme"), (*path, "scheme")),
        "code": form.text(value.get("code"), *path, "code", limit=80),
        "baseline": _decimal(form, value.get("baseline"), (*path, "baseline")),
        "value": _decimal(form, value.get("value"), (*path, "value")),
        "unit": form.text(value.get("unit"), *path, "unit", limit=60, required=False),
        "period": form.text(value.get("period"), *path, "period", limit=60, required=False),
        "evidence_url": _address(form, value.get("evidence_url"), (*path, "evidenceUrl")),
    }


def _contact(form: Form, value: Given, path: Path) -> dict[str, Any]:
    languages = value.get("languages") or []
    form.few(languages, *path, "languages", limit=10)
    return {
        "name": form.text(value.get("name"), *path, "name", limit=120, required=False),
        "role": form.text(value.get("role"), *path, "role", limit=120),
        "email": form.email(value.get("email"), *path, "email"),
        "languages": [_tag(form, tag, (*path, "languages")) for tag in languages[:10]],
    }


def _source(form: Form, value: Given, path: Path) -> dict[str, Any]:
    return {
        "title": form.text(value.get("title"), *path, "title", limit=500),
        "url": _address(form, value.get("url"), (*path, "url")),
    }


def _keywords(form: Form, value: Given, path: Path) -> dict[str, list[str]]:
    form.few(value, *path, limit=MOST_LANGUAGES)
    found = {}
    for tag, listed in value.items():
        form.few(listed, *path, tag, limit=MOST_KEYWORDS)
        found[_tag(form, tag, path)] = [
            form.text(word, *path, tag, index, limit=60) for index, word in enumerate(listed[:MOST_KEYWORDS])
        ]
    return found


def _no_cofog(path: Path) -> Invalid:
    return Invalid("This is not a code of COFOG, such as 01.3.", path=path)


def _no_iso(path: Path) -> Invalid:
    return Invalid("This is not a code of ISO 37120, 37122 or 37123, such as ISO37120:5.1.", path=path)


def _no_kebab(path: Path) -> Invalid:
    return Invalid("Use lower case letters, digits and hyphens.", path=path)


def _no_licence(path: Path) -> Invalid:
    return Invalid("This is not a licence: give its SPDX code or its address.", path=path)


CHECKS: dict[str, Callable[[Form, Any, Path], Any]] = {
    "themes": _list(_one_of(THEMES), once=True),
    "sdgs": _list(_sdg),
    "cofog": _list(_shaped(_COFOG, _no_cofog), once=True),
    "iso_codes": _list(_shaped(_ISO, _no_iso), once=True),
    "technologies": _list(_shaped(_KEBAB, _no_kebab), once=True),
    "keywords": _keywords,
    "key_dates": _list(_key_date),
    "financial_profile": _list(_money),
    "partners": _list(_partner),
    "indicators": _list(_indicator),
    "contacts": _list(_contact),
    "sources": _list(_source),
    "level_of_activity": _word_of(ActivityLevel),
    "stage": _word_of(Stage),
    "launched_on": _date,
    "ended_on": _date,
    "licence": _shaped(_LICENCE, _no_licence),
    "visibility": _word_of(Visibility),
    "publish_at": _moment,
}


_GOALS = frozenset(str(goal) for goal in SDG_TARGETS).union(*(sdg_targets(goal) for goal in SDG_TARGETS))
