"""The values of a filter, looked at before anything is asked of the database."""

from __future__ import annotations

from itertools import chain
from typing import Any

from wego.core.errors import Invalid
from wego.core.reads.metadata import Condition
from wego.core.reads.query import MOST_VALUES, plain

LONGEST = 200  # characters of one text


def checked(value: Any, name: str, meta: Condition) -> Any:
    """The value as the database takes it; Invalid where it is too long, too many, or no word of its vocabulary."""
    found = _checked(value, name, meta)
    if meta.wider is None:
        return found
    return list(dict.fromkeys(chain.from_iterable(map(meta.wider, found if isinstance(found, list) else [found]))))


def _checked(value: Any, name: str, meta: Condition) -> Any:
    path = ("filter", name)
    if isinstance(value, list):
        if len(value) > MOST_VALUES:
            raise Invalid("At most {limit} values can be asked for at once.", limit=MOST_VALUES, path=path)
        return [_one(each, (*path, number), meta) for number, each in enumerate(value)]
    return _one(value, path, meta)


def _one(value: Any, path: tuple[str | int, ...], meta: Condition) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        raise Invalid("A text to look for has at most {limit} characters.", limit=LONGEST, path=path)
    given = plain(value)
    if meta.known is not None and not meta.known(given):
        raise Invalid("There is no such value here: {value}.", value=given, path=path)
    return given
