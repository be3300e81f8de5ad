"""The hub's own sentences in every language: gettext catalogs, read from their .po files when first needed.

The key of a sentence is its English text with `{placeholders}`. Catalogs are files that translators' tools know; no
build step stands between them and the running hub.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from gettext import c2py
from pathlib import Path
from string import Formatter
from typing import NamedTuple

from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from i18n.language.locales import DEFAULT, LOCALES, direction

HERE = Path(__file__).parents[1] / "locale"
ISOLATE, POP = "\u2068", "\u2069"  # first strong isolate … pop (UAX 9): a foreign name keeps its own direction


def catalog(locale: str) -> dict[str, str]:
    """English sentence → sentence in this language; untranslated ones are left out."""
    return _catalog(locale).sentences if locale in LOCALES and locale != DEFAULT else {}


class _Catalog(NamedTuple):
    """The sentences of a language, and those that tell a number, with the form that each number takes."""

    sentences: dict[str, str]
    counted: dict[str, tuple[str, ...]]
    form: Callable[[int], int]


@cache
def _catalog(locale: str) -> _Catalog:
    path = HERE / locale / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return _Catalog({}, {}, lambda count: int(count != 1))
    with path.open("rb") as file:
        found = read_po(file, locale=locale.replace("-", "_"))
    told = [each for each in found if each.id and each.string]
    return _Catalog(
        {str(each.id): str(each.string) for each in told if isinstance(each.id, str)},
        {each.id[0]: tuple(map(str, each.string or ())) for each in told if not isinstance(each.id, str)},
        c2py(found.plural_expr),
    )


def say(locale: str, sentence: str, /, **params: object) -> str:
    """A sentence in a language, with its placeholders filled; English where there is no translation."""
    return fill(catalog(locale).get(sentence, sentence), params, isolate=direction(locale) == "rtl")


def counted(locale: str, one: str, other: str, count: int, /, **params: object) -> str:
    """A sentence that tells a number, in the form that the language has for it; `{count}` is the number, as the
    language writes it. English has two forms, which are given; the catalogs have as many as their language."""
    known = _catalog(locale) if locale in LOCALES and locale != DEFAULT else None
    forms = known.counted.get(one, ()) if known is not None else ()
    sentence = forms[known.form(count)] if known is not None and all(forms or ("",)) else (one if count == 1 else other)
    told = format_decimal(count, locale=locale.replace("-", "_"))
    return fill(sentence, {"count": told, **params}, isolate=direction(locale) == "rtl")


def fill(sentence: str, params: dict[str, object], *, isolate: bool = False) -> str:
    """Fill `{placeholders}`; unknown ones stay. Nothing in a value is interpreted."""
    parts = []
    for text, name, _, _ in Formatter().parse(sentence):
        parts.append(text)
        if name is not None:
            value = str(params.get(name, "{" + name + "}"))
            parts.append(f"{ISOLATE}{value}{POP}" if isolate else value)
    return "".join(parts)
