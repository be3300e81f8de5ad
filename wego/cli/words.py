"""The language of the person at the terminal, and the words that stand there for codes.

Binding text: POSIX.1-2024 section 8.2 (LC_ALL, LC_MESSAGES, LANG), and gettext's LANGUAGE, which lists several. What is
printed for a program (`--json`) keeps its codes.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from i18n.language.catalogs import say
from i18n.language.locales import canonical, negotiate
from wego.core.vocabulary import Vocabulary


def language() -> str:
    """The language of the hub for who called the command."""
    asked = os.environ.get("LANGUAGE", "").split(":") if _locale() not in ("", "C", "POSIX") else []
    tags = (canonical(name.partition(".")[0].partition("@")[0].replace("_", "-")) for name in (*asked, _locale()))
    return negotiate(tuple(tag for tag in tags if tag))


def _locale() -> str:
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next((name for name in names if name), "")


def shown(key: str, value: Any) -> str:
    """A value as a person reads it; `key` names its column."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(shown(key, each) for each in value)
    if isinstance(value, Vocabulary) and value.called:
        return say(language(), value.called)
    return _labels().get((_scheme(key, value), str(value)), {}).get(language(), str(value))


def _scheme(key: str, value: Any) -> str:
    """The vocabulary in which a code has its labels."""
    from members.membership.applications import Item
    from members.register.models import Region

    kinds = {Region: "region", Item: "application-item"}
    return kinds.get(type(value)) or {"country": "country", "themes": "theme"}.get(key, "")


@cache
def _labels() -> dict[tuple[str, str], dict[str, str]]:
    from members.membership.terms import terms as of_members
    from practices.cases.terms import terms as of_practices

    return {(scheme, code): labels for scheme, code, _, labels in (*of_members(), *of_practices())}
