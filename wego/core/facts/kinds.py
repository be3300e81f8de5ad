"""What a single value of a fact may be: how it is checked, kept, sent and shown.

Binding text: ISO 4217 (currencies). Money and values are decimal strings: a float would change them. For days and
moments see `dates`.
"""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any

import strawberry
from babel.numbers import list_currencies
from sqlmodel import Field

from wego.core import db, reads
from wego.core.errors import Invalid
from wego.core.forms import Form

Path = tuple[str | int, ...]
LONGEST = 320  # characters of a code or an address
LONGEST_DECIMAL, MOST_DIGITS = 40, 20
_WEB = re.compile(r"https?://[^\s\x00-\x1f\x7f<>\"\u202a-\u202e\u2066-\u2069\ud800-\udfff]{3,500}")


class Kind(ABC):
    """A kind of value. `required` says that it is never null; `accepts` is its type in an input, `shows` in what is
    shown. As a part of a fact it is read from {t}.value, as a fact of its own from the column of its name."""

    accepts: Any = str
    shows: Any = str

    def __init__(self, doc: str, *, required: bool = True) -> None:
        self.doc, self.required = doc, required

    @abstractmethod
    def check(self, form: Form, value: Any, path: Path) -> Any:
        """The value as it is kept; `form` collects what is wrong with it."""

    def given(self, value: Any) -> Any:
        """A value of an input as `check` takes it."""
        return value.value if isinstance(value, StrEnum) else value

    def part(self, name: str) -> str:
        """The SQL of it as a part of a fact."""
        return f"{{t}}.value->>'{name}'"

    def show_part(self, name: str) -> Any:
        """How it is read as a part of a fact."""
        return reads.column(self.part(name), self.doc)

    def input_field(self) -> Any:
        """How it is declared in an input."""
        return strawberry.field(description=self.doc, **self.absent())

    def absent(self) -> dict[str, Any]:
        """What stands for it where an input leaves it out; nothing where it must be there."""
        return {} if self.required else {"default": None}

    def column(self) -> Any:
        """The column of it as a fact of its own."""
        return Field() if self.required else Field(default=None, nullable=True)

    def field(self, name: str) -> tuple[Any, Any]:
        """Its type and how it is read as a fact of its own."""
        return self.shows if self.required else self.shows | None, reads.column(f"{{t}}.{name}", self.doc)


def _text(form: Form, value: Any, path: Path) -> str:
    """The value where it is a text, else "" and a refusal; what is absent is an empty text."""
    if value is not None and not isinstance(value, str):
        form.refuse(Invalid("This value is of another kind than it must be.", path=path))
        return ""
    return value or ""


class Word(Kind):
    """A word of a vocabulary; `default` stands for it where it is not told. `check_name` is that of the constraint of
    its column, where the table has several of the same vocabulary; `filled` says that the
    database fills in the default as well."""

    def __init__(
        self,
        kind: type[StrEnum],
        doc: str,
        *,
        default: StrEnum | None = None,
        check_name: str = "",
        filled: bool = False,
    ) -> None:
        super().__init__(doc)
        self.kind, self.default = kind, default
        self.check_name, self.filled = check_name, filled
        self.accepts = self.shows = kind

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if value is None and self.default is not None:
            return self.default
        if isinstance(value, str) and value in set(self.kind):
            return self.kind(value)
        form.refuse(Invalid("This must be one of: {allowed}.", path=path, allowed=", ".join(sorted(self.kind))))
        return None

    def absent(self) -> dict[str, Any]:
        return {} if self.default is None else {"default": self.default}

    def part(self, name: str) -> str:
        told = super().part(name)
        return told if self.default is None else f"coalesce({told}, '{self.default.value}')"

    def column(self) -> Any:
        return db.vocabulary(self.kind, default=self.default, name=self.check_name, filled=self.filled)


class Words(Kind):
    """Words of a vocabulary, each once."""

    def __init__(self, kind: type[StrEnum], doc: str) -> None:
        super().__init__(doc)
        self.one = Word(kind, doc)
        self.accepts = self.shows = list[kind]  # type: ignore[valid-type]  # a type made while running

    def check(self, form: Form, value: Any, path: Path) -> Any:
        given = listed(form, value, path, len(self.one.kind))
        return list(dict.fromkeys(self.one.check(form, each, (*path, at)) for at, each in enumerate(given)))

    def given(self, value: Any) -> Any:
        return [self.one.given(each) for each in value]

    def absent(self) -> dict[str, Any]:
        return {"default_factory": list}

    def part(self, name: str) -> str:
        return array(name)


def array(name: str) -> str:
    """The SQL of a list of texts in a fact."""
    return f"(select coalesce(array_agg(e), '{{{{}}}}') from jsonb_array_elements_text({{t}}.value->'{name}') e)"


def listed(form: Form, value: Any, path: Path, most: int) -> list[Any]:
    """The list that was given, cut where it is too long."""
    if value is not None and not isinstance(value, list | tuple):
        form.refuse(Invalid("This value is of another kind than it must be.", path=path))
        return []
    form.few(value or (), *path, limit=most)
    return list(value or ())[:most]


class Line(Kind):
    """A text of one line."""

    def __init__(self, doc: str, *, most: int, required: bool = True) -> None:
        super().__init__(doc, required=required)
        self.most = most

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if value is None and not self.required:
            return None
        return form.text(_text(form, value, path), *path, limit=self.most, required=self.required)

    def part(self, name: str) -> str:
        return super().part(name) if self.required else f"nullif({{t}}.value->>'{name}', '')"


class Email(Kind):
    """An e-mail address."""

    def check(self, form: Form, value: Any, path: Path) -> Any:
        return form.email(_text(form, value, path), *path)


class Address(Kind):
    """An address of the web."""

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if value is None:
            return None
        if not _WEB.fullmatch(_text(form, value, path)):
            form.refuse(Invalid("This is not an address of the web.", path=path))
        return value


class Currency(Kind):
    """A currency."""

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if _text(form, value, path) not in _currencies():
            form.refuse(Invalid("This is not a currency of ISO 4217, such as KRW.", path=path))
        return value


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


class Whole(Kind):
    """A whole number between two others."""

    accepts = shows = int

    def __init__(self, doc: str, *, low: int, high: int, refusal: Callable[[Path], Invalid] | None = None) -> None:
        super().__init__(doc)
        self.low, self.high, self.refusal = low, high, refusal

    def check(self, form: Form, value: Any, path: Path) -> Any:
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
        if number is not None and self.low <= number <= self.high:
            return number
        if self.refusal is None:
            form.number(self.low - 1, *path, low=self.low, high=self.high)
        else:
            form.refuse(self.refusal(path))
        return None

    def part(self, name: str) -> str:
        return f"({{t}}.value->>'{name}')::integer"


class DecimalText(Kind):
    """A decimal number, kept as text. `refusal` says what it must be where it may not be negative."""

    def __init__(self, doc: str, *, required: bool = True, refusal: Callable[[Path], Invalid] | None = None) -> None:
        super().__init__(doc, required=required)
        self.refusal = refusal

    def check(self, form: Form, value: Any, path: Path) -> Any:
        number = None if value is None else _decimal(value)
        if number is None and value is not None:
            form.refuse(Invalid("This is not a decimal number, such as 1250.50.", path=path))
        if self.refusal and (value is None or (number is not None and number < 0)):
            form.refuse(self.refusal(path))
        return None if number is None else format(number, "f")


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value)) if len(str(value)) <= LONGEST_DECIMAL else Decimal("NaN")
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and abs(exponent) <= MOST_DIGITS else None


class Shaped(Kind):
    """A code of a known shape, or one of a few."""

    def __init__(
        self, doc: str, known: Collection[str] | re.Pattern[str], refusal: Callable[[Path], Invalid] | None = None, *,
        default: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(doc)
        self.known, self.refusal, self.default = known, refusal, default

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if not isinstance(value, str) or len(value) > LONGEST or not self._is_known(value):
            form.refuse(self.refusal(path) if self.refusal else self._none_of_these(path))
        return str(value)

    def _is_known(self, value: str) -> bool:
        return bool(self.known.fullmatch(value)) if isinstance(self.known, re.Pattern) else value in self.known

    def _none_of_these(self, path: Path) -> Invalid:
        assert not isinstance(self.known, re.Pattern)  # a shape says in its own words what it is
        return Invalid("This must be one of: {allowed}.", path=path, allowed=", ".join(sorted(self.known)))

    def column(self) -> Any:
        return Field(default=self.default)


class Codes(Kind):
    """Codes, each once; `shown_as` is a type whose rows have a `code`."""

    accepts = shows = list[str]

    def __init__(self, one: Shaped, *, most: int, shown_as: Any = None) -> None:
        super().__init__(one.doc)
        self.one, self.most, self.shown_as = one, most, shown_as

    def check(self, form: Form, value: Any, path: Path) -> Any:
        given = listed(form, value, path, self.most)
        return list(dict.fromkeys(self.one.check(form, each, (*path, at)) for at, each in enumerate(given)))

    def column(self) -> Any:
        return db.words()

    def field(self, name: str) -> tuple[Any, Any]:
        if self.shown_as is None:
            return super().field(name)
        source = f"unnest({{p}}.{name}) with ordinality as {{t}}(code, ord)"
        rows = reads.many(None, self.doc, order="{t}.ord", source=source, most=None, expected=3)
        return list[self.shown_as], rows  # type: ignore[name-defined]  # a type made while running


# ── declarations: what stands on the right of a line ──────────────────────────────────────────────────────────────


def word(
    kind: type[StrEnum], doc: str, *, default: StrEnum | None = None, check_name: str = "", filled: bool = False
) -> Any:
    return Word(kind, doc, default=default, check_name=check_name, filled=filled)


def words(kind: type[StrEnum], doc: str) -> Any:
    return Words(kind, doc)


def line(doc: str, *, most: int, required: bool = True) -> Any:
    return Line(doc, most=most, required=required)


def email(doc: str) -> Any:
    return Email(doc)


def address(doc: str) -> Any:
    return Address(doc, required=False)


def currency(doc: str) -> Any:
    return Currency(doc)


def whole(doc: str, *, low: int, high: int, refusal: Callable[[Path], Invalid] | None = None) -> Any:
    return Whole(doc, low=low, high=high, refusal=refusal)


def decimal(doc: str, *, required: bool = False, refusal: Callable[[Path], Invalid] | None = None) -> Any:
    return DecimalText(doc, required=required, refusal=refusal)


def shaped(
    doc: str, known: Collection[str] | re.Pattern[str], refusal: Callable[[Path], Invalid] | None = None, *,
    default: str | None = None,
) -> Any:  # fmt: skip
    return Shaped(doc, known, refusal, default=default)


def codes(
    doc: str, known: Collection[str] | re.Pattern[str], refusal: Callable[[Path], Invalid] | None = None, *,
    most: int, shown_as: Any = None,
) -> Any:  # fmt: skip
    return Codes(Shaped(doc, known, refusal), most=most, shown_as=shown_as)


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def kept(value: Any) -> Any:
    """A checked value as JSON holds it."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: kept(each) for name, each in value.items()}
    if isinstance(value, list):
        return [kept(each) for each in value]
    return value.value if isinstance(value, StrEnum) else value
