"""How names are compared: the same name under another spelling is the same name."""

from __future__ import annotations

import unicodedata

from i18n.language.collation import folded


def spelling(name: str) -> str:
    """The name with nothing but its letters and digits, small and without accents: two spellings of it are one."""
    return "".join(letter for letter in folded(name) if unicodedata.category(letter)[0] in "LMN")
