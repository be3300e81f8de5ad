"""What a field of a form may hold, and all that is wrong with a form at once.

Binding texts: BCP 47 (language tags), ISO 3166 (countries and subdivisions), the IANA time zone database,
RFC 3986 (addresses of web pages), RFC 5321 section 4.5.3.1 (length of an e-mail address).
A text is kept as it was sent or refused: nothing is trimmed, folded or normalised on the way in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale

from wego.core.errors import Invalid, NotFound, Refusal, Refusals

T = TypeVar("T")

# NUL and lone surrogates cannot be stored; bidirectional controls make a text read as something else.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]{1,64}@([^@\s.]+\.)+[^@\s.]{2,63}")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ZONE = re.compile(r"[A-Za-z]+(/[A-Za-z0-9_+-]+)*")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.IGNORECASE)

# What CLDR lists among the territories and ISO 3166-1 does not: reserved codes and tests. XK (Kosovo)
# is a user-assigned code in general use, so that its cities can take part.
_NO_COUNTRY = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])


@cache
def countries() -> frozenset[str]:
    """The codes of ISO 3166-1 alpha-2, as CLDR names them."""
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2) - _NO_COUNTRY


def is_country(code: str) -> bool:
    return code in countries()


class Form:
    """Collects what is wrong with a form, field by field; `settle` raises it all."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []

    def refuse(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def settle(self) -> None:
        """Raise what was collected, if anything was."""
        if len(self.refusals) == 1:
            raise self.refusals[0]
        if self.refusals:
            raise Refusals(self.refusals)

    def text(self, value: str | None, *path: str | int, limit: int, required: bool = True, lines: bool = False) -> str:
        """A text for people: of one line unless `lines`, at most `limit` characters."""
        given = value or ""
        if _NOT_TEXT.search(given) or (not lines and _CONTROL.search(given)):
            self.refuse(Invalid("This text holds characters that are not allowed here.", path=path))
        elif _BIDI.search(given):
            self.refuse(Invalid("This text holds invisible characters that change its direction.", path=path))
        elif len(given) > limit:
            self.refuse(Invalid("This text is too long: at most {limit} characters.", path=path, limit=limit))
        elif required and not given.strip():
            self.refuse(Invalid("This must not be empty.", path=path))
        return given

    def email(self, value: str | None, *path: str | int, required: bool = True) -> str:
        """An address in the one spelling in which it can be told from others: the letters of ASCII may be of either
        case (they are compared without it), all others are small, composed (NFKC) and visible."""
        given = value or ""
        if not given and not required:
            return given
        if len(given) > 254 or _NOT_TEXT.search(given) or not _EMAIL.fullmatch(given) or not _is_plain(given):
            self.refuse(Invalid("This is not an e-mail address.", path=path))
        return given

    def slug(self, value: str, *path: str | int) -> str:
        if len(value) > 80 or not _SLUG.fullmatch(value):
            self.refuse(Invalid("Use at most {limit} lower case letters, digits and hyphens.", path=path, limit=80))
        return value

    def country(self, value: str, *path: str | int) -> str:
        if value not in countries():
            self.refuse(Invalid("This is not a country code of ISO 3166, such as KR.", path=path))
        return value

    def subdivision(self, value: str | None, country: str, *path: str | int) -> str | None:
        if value is not None and not re.fullmatch(rf"{re.escape(country)}-[A-Z0-9]{{1,3}}", value):
            self.refuse(Invalid("A subdivision of ISO 3166-2 begins with its country, such as KR-11.", path=path))
        return value

    def time_zone(self, value: str, *path: str | int) -> str:
        if len(value) > 60 or not _ZONE.fullmatch(value) or not _zone_exists(value):
            self.refuse(Invalid("This is not a time zone of IANA, such as Asia/Seoul.", path=path))
        return value

    def website(self, value: str | None, *path: str | int) -> str | None:
        if value is not None and not _is_web_address(value):
            self.refuse(Invalid("The address of a website begins with https:// and a host name.", path=path))
        return value

    def number(self, value: float, *path: str | int, low: float, high: float) -> float:
        if not low <= value <= high:
            self.refuse(Invalid("This must be between {low} and {high}.", path=path, low=f"{low:g}", high=f"{high:g}"))
        return value

    def few(self, values: Iterable[object], *path: str | int, limit: int) -> None:
        if sum(1 for _ in values) > limit:
            self.refuse(Invalid("This list is too long: at most {limit}.", path=path, limit=limit))


def _is_plain(address: str) -> bool:
    """Whether no other text looks like this one or is the same address to PostgreSQL or to people."""
    beyond = [letter for letter in address if not letter.isascii()]
    return unicodedata.normalize("NFKC", address) == address and all(
        letter == letter.lower() and unicodedata.category(letter)[0] in "LMNPS" for letter in beyond
    )


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # not found is a KeyError, a folder of zones an OSError
        return False
    return True


def _is_web_address(value: str) -> bool:
    if len(value) > 500 or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    return bool(
        parts.scheme == "https" and parts.username is None and (port is None or port > 0)
        and _HOST.fullmatch(parts.hostname or "")
    )  # fmt: skip


def found(thing: T | None) -> T:
    """The thing, or NOT_FOUND in the same words for what is not there and for what may not be seen."""
    if thing is None:
        raise NotFound("There is nothing of this name, or you may not see it.")
    return thing
