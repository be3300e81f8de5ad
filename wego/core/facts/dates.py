"""Days and moments as facts, and how exactly a date is known.

Binding text: RFC 3339.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import Any

from wego.core import db, reads
from wego.core.errors import Invalid
from wego.core.facts.kinds import Kind, Path
from wego.core.forms import Form
from wego.core.scalars import NO_OFFSET
from wego.core.vocabulary import Vocabulary


@reads.vocabulary(description="A `DatePrecision` says how exactly a date is known.")
class DatePrecision(Vocabulary):
    DAY = "day", "The day is known."
    MONTH = "month", "The month is known; the date stands on its first day."
    YEAR = "year", "The year is known; the date stands on its first day."

    def span(self, date: dt.date) -> tuple[dt.date, dt.date]:
        """The first and the last day on which it can have been."""
        if self is DatePrecision.DAY:
            return date, date
        first = date.replace(day=1) if self is DatePrecision.MONTH else date.replace(month=1, day=1)
        month = first.month if self is DatePrecision.MONTH else 12
        return first, first.replace(month=month, day=monthrange(first.year, month)[1])


class Day(Kind):
    """A calendar day."""

    accepts = shows = dt.date

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if value is None and not self.required:
            return None
        found = _day(value)
        if found is None:
            form.refuse(Invalid("This is not a date, such as 2016-03-01.", path=path))
        return found


def _day(value: Any) -> dt.date | None:
    try:
        known = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
        found = value if known else dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return None if found in (dt.date.min, dt.date.max) else found  # asyncpg sends these two as infinite, no dates


class Moment(Kind):
    """A moment, with its zone."""

    accepts = shows = dt.datetime

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if value is None:
            return None
        if not isinstance(value, dt.datetime) or value.tzinfo is None or value.tzinfo is NO_OFFSET:
            form.refuse(Invalid("A time needs its zone, such as 2027-06-01T00:00:00Z.", path=path))
            return None
        return value

    def column(self) -> Any:
        return db.moment(nullable=not self.required)


def day(doc: str, *, required: bool = True) -> Any:
    return Day(doc, required=required)


def moment(doc: str) -> Any:
    return Moment(doc, required=False)
