"""Bring the catalogs up to date: collect every sentence the hub can say, keep the translations there are.

    python -m i18n.language.extract           write i18n/locale/messages.pot and update each language's .po
    python -m i18n.language.extract --check   exit code 1 when a sentence lacks a translation in some language

A sentence is the first argument of a Refusal, of `say`/`N_`, or of `_` in a template.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from i18n.language.catalogs import HERE
from i18n.language.locales import DEFAULT, LOCALES

Sentence = str | tuple[str, ...] | list[str]  # one that tells a number has several forms

ROOT = Path(__file__).parents[2]
PACKAGES = ("wego", "federation", "members", "practices", "i18n")
KEYWORDS = dict.fromkeys(
    (
        "Invalid",
        "Conflict",
        "NotFound",
        "NotAllowed",
        "NotSignedIn",
        "CostExceeded",
        "RateLimited",
        "N_",
        "_",
        "say:2",
    )
)
METHODS = [("demo/**", "ignore"), ("migrations/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2")]


def sentences() -> Catalog:
    """The template catalog: every sentence with the places that say it."""
    found = Catalog(project="wego-hub", charset="utf-8", fuzzy=False)
    keywords = {word: None for word in KEYWORDS if ":" not in word} | {"say": (2,), "count_": (1, 2), "in_words": (1,)}
    for package in PACKAGES:
        for file, line, message, comments, context in extract_from_dir(
            str(ROOT / package), METHODS, keywords=keywords, comment_tags=("Translators:",)
        ):
            found.add(message, None, [(f"{package}/{file}", line)], auto_comments=comments, context=context)
    return found


def path_of(locale: str) -> Path:
    return HERE / locale / "LC_MESSAGES" / "messages.po"


def read(locale: str) -> Catalog:
    path = path_of(locale)
    if not path.is_file():
        return Catalog(locale=locale.replace("-", "_"), charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=locale.replace("-", "_"))


def write(path: Path, catalog: Catalog) -> None:
    """Write a catalog without what changes by itself (dates, line numbers), so that diffs show translations only."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, sort_output=True, no_location=True, omit_header=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    path.write_bytes(header.encode() + buffer.getvalue())


def gaps() -> Iterator[str]:
    """What is wrong with the catalogs: missing sentences, and placeholders that differ."""
    wanted = [message.id for message in sentences() if message.id]
    for locale in LOCALES:
        if locale == DEFAULT:
            continue
        known = {_key(message.id): message.string for message in read(locale) if message.id}
        for sentence in wanted:
            yield from _gap(locale, sentence, known.get(_key(sentence)))


def _key(sentence: Sentence) -> str:
    return sentence if isinstance(sentence, str) else sentence[0]


def _gap(locale: str, sentence: Sentence, known: Sentence | None) -> Iterator[str]:
    """What is wrong with one sentence. A form that is for one number alone may say it as a word."""
    forms = (known or "",) if isinstance(known or "", str) else tuple(known or ())
    if not all(forms):
        yield f"{locale}: not translated: {_key(sentence)}"
    elif isinstance(sentence, str):
        if _places(sentence) != _places(str(forms[0])):
            yield f"{locale}: other placeholders: {sentence}"
    elif any(_places(str(form)) | {"count"} != _places(sentence[1]) | {"count"} for form in forms):
        yield f"{locale}: other placeholders: {sentence[0]}"


def _places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def main() -> int:
    if "--check" in sys.argv:
        found = list(gaps())
        sys.stderr.writelines(f"{gap}\n" for gap in found)
        return 1 if found else 0
    template = sentences()
    write(HERE / "messages.pot", template)
    for locale in LOCALES:
        if locale != DEFAULT:
            catalog = read(locale)
            catalog.update(template, no_fuzzy_matching=True)
            catalog.obsolete.clear()
            write(path_of(locale), catalog)
    return 0


if __name__ == "__main__":
    sys.exit(main())
