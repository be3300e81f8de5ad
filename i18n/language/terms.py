"""The vocabulary of languages. Their names are those of Unicode CLDR, read through Babel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from babel import Locale

from i18n.language.locales import DEFAULT, LOCALES


def terms() -> Iterator[tuple[str, str, int, dict[str, str]]]:
    """The languages that have a code of two letters, and those of the hub, as (scheme, code, position, labels by
    locale)."""
    names = {
        tag: {str(code).replace("_", "-"): str(name) for code, name in Locale.parse(tag, sep="-").languages.items()}
        for tag in LOCALES
    }
    english = names[DEFAULT]
    codes = {code for code in english if re.fullmatch("[a-z]{2}", code)} | set(LOCALES)
    for position, code in enumerate(sorted(codes, key=lambda code: english[code])):
        yield "language", code, position, {tag: known.get(code, english[code]) for tag, known in names.items()}
