"""What surrounds a request besides its actor: in which languages it wants to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """In which languages a reader takes a text: `tags` best first; `first` = those that are no fallback; `locale` is
    the language of the hub's own words, and the one in whose order lists by name come."""

    tags: tuple[str, ...]
    first: tuple[str, ...]
    locale: str = "en"
