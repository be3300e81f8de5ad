"""In which order readers of a language expect names: sort keys, which the database stores and compares as they are.

Binding texts: UTS #10 (Unicode Collation Algorithm) and CLDR's tailorings of it, as ICU carries them out: Chinese by
pinyin, Turkish with ç, ğ, ı, ö, ş and ü as letters of their own, each language's own script before the others. The
database cannot do it: the embedded one is built without ICU, and the language is the reader's, not the column's. A key
is only comparable with keys of the same language and `VERSION`.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from i18n.language.locales import DEFAULT, LOCALES

try:
    import icu
except ImportError:  # no wheel for this machine (32-bit ARM)
    icu = None

MOST_BYTES = 100  # of a key; what is equal so far stands in the order of its id
VERSION = f"icu {icu.ICU_VERSION}" if icu else "letters"


def sort_key(locale: str, name: str) -> str:
    """The place of a name in a list for readers of a language of the hub, in hexadecimal digits."""
    return _bytes(locale if locale in LOCALES else DEFAULT, name)[:MOST_BYTES].hex()


def _bytes(locale: str, name: str) -> bytes:
    if icu:
        return bytes(_collator(locale).getSortKey(name))
    return folded(name).encode()


@cache
def _collator(locale: str) -> Any:
    return icu.Collator.createInstance(icu.Locale.forLanguageTag(locale))


def folded(name: str) -> str:
    """Small letters without accents: how names are searched for, and sorted where there is no ICU."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
