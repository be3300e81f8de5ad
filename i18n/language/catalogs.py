"""The hub's own sentences in every language: gettext catalogs, read from their .po files when first needed.

The key of a sentence is its English text with `{placeholders}`. Catalogs are files that translators' tools know; no
build step stands between them and the running hub.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Formatter

from babel.messages.pofile import read_po

from i18n.language.locales import DEFAULT, LOCALES, direction

HERE = Path(__file__).parents[1] / "locale"
ISOLATE, POP = "\u2068", "\u2069"  # first strong isolate … pop (UAX 9): a foreign name keeps its own direction


def catalog(locale: str) -> dict[str, str]:
    """English sentence → sentence in this language; untranslated ones are left out."""
    return _catalog(locale) if locale in LOCALES and locale != DEFAULT else {}


@cache
def _catalog(locale: str) -> dict[str, str]:
    path = HERE / locale / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file) if each.id and each.string}


def say(locale: str, sentence: str, /, **params: object) -> str:
    """A sentence in a language, with its placeholders filled; English where there is no translation."""
    return fill(catalog(locale).get(sentence, sentence), params, isolate=direction(locale) == "rtl")


def fill(sentence: str, params: dict[str, object], *, isolate: bool = False) -> str:
    """Fill `{placeholders}`; unknown ones stay. Nothing in a value is interpreted."""
    parts = []
    for text, name, _, _ in Formatter().parse(sentence):
        parts.append(text)
        if name is not None:
            value = str(params.get(name, "{" + name + "}"))
            parts.append(f"{ISOLATE}{value}{POP}" if isolate else value)
    return "".join(parts)
