"""Dates, times and cursors as the API reads them: those that are none are refused, and none that is one can break
anything.

Binding text: RFC 3339 section 5.6 (`full-date` and `date-time`). One thing is read beyond it, because clients send it:
a time without an offset, which counts as UTC where things are compared (lists) and is refused by the rules where it is
kept (an embargo). A leap second is the first moment of the second that follows it (section 5.7: it is real, but neither
Python nor PostgreSQL has a place for it). What an offset moves over the edge of the years 1 to 9999 is that edge.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from typing import Any, NewType

import orjson
import strawberry

SPECIFICATION = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
NO_OFFSET = dt.timezone(dt.timedelta(0), "no offset")  # of a time that came without one
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:)([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
# The very first and last moment that Python knows are what asyncpg sends as `-infinity` and `infinity`.
_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC) + dt.timedelta.resolution
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC) - dt.timedelta.resolution


def read_date(value: object) -> dt.date:
    """A calendar day, such as 2027-06-01."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("This is no day of the calendar, such as 2027-06-01.")


def read_time(value: object) -> dt.datetime:
    """A moment, in UTC; `NO_OFFSET` is its zone when it came without an offset."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        day, clock, second, fraction, offset = found.groups()
        leaps = second == "60"
        micros = (fraction or "")[:6].ljust(6, "0")
        try:
            local = dt.datetime.fromisoformat(f"{day}T{clock}{'59' if leaps else second}.{micros}")
            moment = _in_utc(local, offset)
            if not leaps:
                return moment
            if (moment.hour, moment.minute) == (23, 59):
                return _moved(moment.replace(microsecond=0), dt.timedelta(seconds=1))
        except ValueError:
            pass
    raise ValueError("This is no moment of RFC 3339, such as 2027-06-01T12:00:00Z.")


def _in_utc(local: dt.datetime, offset: str | None) -> dt.datetime:
    if offset is None or offset in "Zz":
        zone = NO_OFFSET if offset is None else dt.UTC
        return max(_FIRST, min(local.replace(tzinfo=zone), _LAST))
    hours, minutes = int(offset[1:3]), int(offset[4:])
    if hours > 23 or minutes > 59:
        raise ValueError
    ahead = dt.timedelta(hours=hours, minutes=minutes)
    return _moved(local.replace(tzinfo=dt.UTC), -ahead if offset[0] == "+" else ahead)


def _moved(moment: dt.datetime, by: dt.timedelta) -> dt.datetime:
    try:
        return max(_FIRST, min(moment + by, _LAST))
    except OverflowError:
        return _LAST if by > dt.timedelta(0) else _FIRST


Cursor = NewType("Cursor", str)
LONGEST_CURSOR = 300


def read_cursor(value: object) -> list[int]:
    """The four numbers of a cursor of changes: position, beginning, rights, and the seal on them."""
    if isinstance(value, str) and len(value) <= LONGEST_CURSOR:
        try:
            raw = base64.b64decode(value.encode("ascii") + b"=" * (-len(value) % 4), altchars=b"-_", validate=True)
            parts = orjson.loads(raw)
            if len(parts) == 4 and all(type(part) is int and 0 <= part < 2**62 for part in parts):
                return list(parts)
        except (ValueError, TypeError):
            pass
    raise ValueError("This is no cursor of a list of changes.")


def _written(value: Any) -> str:
    return str(value.isoformat())


SCALARS: dict[object, Any] = {
    Cursor: strawberry.scalar(
        name="Cursor",
        description=(
            "A `Cursor` is a place in the list of changes, in a form that is opaque, and holds for its reader alone."
        ),
        specified_by_url="https://relay.dev/graphql/connections.htm#sec-Cursor",
        parse_value=read_cursor,
    ),
    dt.date: strawberry.scalar(
        name="Date",
        description="A `Date` is a day of the calendar, written as a `full-date` of RFC 3339, such as `2027-06-01`.",
        specified_by_url=SPECIFICATION,
        parse_value=read_date,
        serialize=_written,
    ),
    dt.datetime: strawberry.scalar(
        name="DateTime",
        description=(
            "A `DateTime` is a moment, written as a `date-time` of RFC 3339, such as `2027-06-01T12:00:00Z`. Answers"
            " are in UTC. In a filter, a moment without an offset counts as UTC."
        ),
        specified_by_url=SPECIFICATION,
        parse_value=read_time,
        serialize=_written,
    ),
}
