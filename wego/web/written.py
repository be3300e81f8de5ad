"""How dates, numbers and names of languages are written in each language (Unicode CLDR, through Babel)."""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent
from markupsafe import Markup

from i18n.language.locales import LOCALES

# English as it is written in most of the world: the day before the month.
WRITTEN_AS = {"en": "en-001"}
_BARE = re.compile(r"-?\d{1,15}(\.\d{1,6})?")


def tag_of(text: Any) -> Markup:
    """The attributes of an element that holds a text of the API: its language and its direction."""
    return Markup('lang="{}" dir="{}"').format(text["locale"], text["direction"].lower())


class Words:
    """What is written in the language of one page."""

    def __init__(self, locale: str) -> None:
        self.tag = locale

    @cached_property
    def locale(self) -> Locale:
        return Locale.parse(WRITTEN_AS.get(self.tag, self.tag), sep="-")

    def day(self, value: str | None) -> Markup:
        """A day or a moment of the API as a `<time>`, without the hour."""
        if not value:
            return Markup("")
        day = dt.date.fromisoformat(value[:10])
        return Markup('<time datetime="{}">{}</time>').format(value, format_date(day, "long", locale=self.locale))

    def part(self, value: str, precision: str) -> Markup:
        """A date as exactly as it is known: DAY, MONTH or YEAR."""
        day = dt.date.fromisoformat(value[:10])
        if precision == "DAY":
            return self.day(value)
        skeleton, length = ("yMMMM", 7) if precision == "MONTH" else ("y", 4)
        told = format_skeleton(skeleton, day, locale=self.locale)
        return Markup('<time datetime="{}">{}</time>').format(value[:length], told)

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self.locale)

    def figure(self, value: str | None) -> str | None:
        """A bare number as the language writes it; whatever else a city wrote stays as it is."""
        return self.number(float(value)) if value and _BARE.fullmatch(value) else value

    def share(self, percent: int) -> str:
        """A share of a hundred."""
        return format_percent(percent / 100, locale=self.locale)

    def money(self, amount: str, currency: str) -> str:
        """A sum without its hundredths."""
        return format_currency(amount, currency, "¤¤ #,##0", locale=self.locale, currency_digits=False)

    def language(self, tag: str) -> str:
        """What a language is called in the language of the page; the tag itself where nobody knows."""
        try:
            return Locale.parse(tag, sep="-").get_display_name(self.locale) or tag
        except (UnknownLocaleError, ValueError):
            return tag

    @staticmethod
    def endonym(tag: str) -> str:
        """What a language calls itself."""
        try:
            return LOCALES.get(tag) or Locale.parse(tag, sep="-").get_display_name() or tag
        except (UnknownLocaleError, ValueError):
            return tag
