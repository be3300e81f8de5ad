"""Keyset cursors: base64url of a JSON array with the order's name, the value of the row's sort key, and its id.

A cursor is a position, not a permission: a forged one only points elsewhere in what its bearer may see anyway.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

from wego.core.errors import Invalid

LONGEST = 1000


def _moment(text: str) -> datetime:
    """A time with its zone that is a time in UTC as well."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError
    return parsed.astimezone(UTC)


_READERS: dict[str, Callable[[Any], Any]] = {
    "text": str,
    "bigint": int,
    "integer": int,
    "timestamptz": _moment,
    "date": date.fromisoformat,
    "uuid": UUID,
}


def sql(order: str, key: str, row_id: str, locale: str | None = None) -> str:
    """The SQL of a row's cursor; `locale` is that of the language of the list, where its order depends on it."""
    name = f"'{order}'" if locale is None else f"'{order}.' || {locale}"
    packed = f"convert_to(json_build_array({name}, {key}, {row_id})::text, 'UTF8')"
    return f"translate(encode({packed}, 'base64'), E'+/=\\n', '-_')"


def _parts(text: str) -> tuple[Any, Any, Any]:
    """What a cursor is made of, as it came."""
    if len(text) > LONGEST:
        raise ValueError
    raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    name, key, row_id = orjson.loads(raw)
    return name, key, row_id


def language(text: str) -> str:
    """The language of the list that a cursor is of; nothing where it tells of none."""
    try:
        name, _, _ = _parts(text)
    except (ValueError, TypeError, UnicodeError, binascii.Error):  # `read` refuses it
        return ""
    return name.partition(".")[2] if isinstance(name, str) and "\x00" not in name else ""


def read(text: str, order: str, cast: str, path: tuple[str, ...]) -> tuple[Any, UUID]:
    """The sort key and id in a cursor that was made for this order; anything else is Invalid."""
    try:
        name, key, row_id = _parts(text)
        if name.partition(".")[0] != order or isinstance(key, bool) or not isinstance(row_id, str):
            raise ValueError
        value = _READERS[cast](key)
        if cast in ("bigint", "integer") and not -(2**31) <= value < 2**31:
            raise ValueError
        if cast == "text" and ("\x00" in value or not isinstance(key, str)):
            raise ValueError
        return value, UUID(row_id)
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError, UnicodeError, binascii.Error):
        raise Invalid("This cursor is not one of this list in this order.", path=path) from None
