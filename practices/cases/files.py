"""Case studies as files: a folder with `practice.toml` and one `<locale>.md` per language.

# The title
(blank line) The summary.
## situation_before: The heading in this language
(blank line) The body in Markdown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from i18n.content.documents import Draft, Section, SectionPart, TranslationDraft
from wego.core.errors import Invalid

FACTS = (
    "themes", "sdgs", "cofog", "iso_codes", "technologies", "keywords", "key_dates", "partners", "indicators",
    "contacts", "sources", "level_of_activity", "stage", "launched_on", "ended_on", "licence", "visibility",
    "publish_at",
)  # fmt: skip
_HEADING = re.compile(r"^## ([a-z_]+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One case study as its files tell it."""

    slug: str
    city: str
    original_locale: str
    status: str
    facts: dict[str, Any]
    texts: dict[str, Draft]

    @property
    def original(self) -> Draft:
        return self.texts[self.original_locale]


def parse(text: str, name: str = "the file") -> Draft:
    """A draft from its Markdown file."""
    head, *parts = _HEADING.split(text.replace("\r\n", "\n").strip() + "\n")
    title, _, summary = head.strip().partition("\n")
    if not title.startswith("# ") or not summary.strip():
        raise Invalid("{name} must begin with `# Title`, an empty line and the summary.", name=name)
    sections = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return Draft(
        title[2:].strip(),
        summary.strip(),
        tuple(Section(key, heading.strip(), body.strip("\n")) for key, heading, body in sections),
    )


def as_translation(draft: Draft) -> TranslationDraft:
    """A whole text as a translator sends it."""
    parts = tuple(SectionPart(section.key, section.heading, section.body) for section in draft.sections)
    return TranslationDraft(draft.title, draft.summary, parts)


def as_text(draft: Draft) -> str:
    """A draft as its Markdown file."""
    parts = [f"# {draft.title}", draft.summary]
    for section in draft.sections:
        parts += [f"## {section.key}: {section.heading}", section.body]
    return "\n\n".join(parts) + "\n"


def facts_in(table: dict[str, Any]) -> dict[str, Any]:
    """The facts of a `practice.toml`, as `practices.cases.facts` takes them."""
    facts = {name: table[name] for name in FACTS if name in table}
    return facts | ({"financial_profile": table["money"]} if "money" in table else {})


def load(folder: Traversable) -> Case:
    """A case study from its folder."""
    table = tomllib.loads(folder.joinpath("practice.toml").read_text("utf-8"))
    texts = {
        each.name.removesuffix(".md"): parse(each.read_text("utf-8"), each.name)
        for each in sorted(folder.iterdir(), key=lambda each: each.name)
        if each.name.endswith(".md")
    }
    return Case(folder.name, table["city"], table["original_locale"], table["status"], facts_in(table), texts)


def names() -> list[str]:
    """The names of the case studies that come with the hub, which are their slugs."""
    folders = resources.files("practices").joinpath("demo").iterdir()
    return sorted(each.name for each in folders if each.is_dir() and each.name[0] not in "._")


def demonstration(besides: Container[str] = ()) -> list[Case]:
    """The case studies that come with the hub, by name; those of these names are not even read."""
    home = resources.files("practices").joinpath("demo")
    return [load(home.joinpath(name)) for name in names() if name not in besides]
