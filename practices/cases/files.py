"""Case studies as files: a folder with `practice.toml` and one `<locale>.md` per language.

# The title
(blank line) The summary.
## situation_before: The heading in this language
(blank line) The body in Markdown.

A line that would be taken for the beginning of a section, or for a misspelt one, stands in a text with a backslash
before it, and each such line has one more than it has in the text: so every text comes back from its file as it was,
and a heading that was spoiled in between is refused instead of becoming a part of the section above it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from i18n.content.documents import Draft, Section, SectionPart, TranslationDraft
from practices.cases.facts import NAMES
from practices.cases.narrative import BUDGETS
from wego.core.errors import Invalid, Refusal, Refusals
from wego.core.facts.declared import unknown
from wego.core.textfiles import decoded

_OF_THE_CASE = frozenset({"city", "original_locale", "status"})  # what a `practice.toml` says besides facts
_SECTION = re.compile(r"## ([a-z_]+): (.*\S.*)")
# What begins a section, or looks as if it should have: two marks, or any number of them before a section's key
# and a colon, of whichever width.
_RESERVED = re.compile(rf" {{0,3}}(##(?!#)|#{{1,6}}[ \t]*({'|'.join(BUDGETS)})[ \t]*[:：])")
_QUOTED = re.compile(rf"\\+{_RESERVED.pattern}")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")


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


@dataclass(frozen=True)
class TextFile:
    """A Markdown file that was read, and in which line the text of each section begins (that of the summary: "")."""

    name: str
    draft: Draft
    lines: Mapping[str, int]


@dataclass
class _Part:
    """A piece of a file, from one heading to the next; the first one has none."""

    line: int
    key: str = ""
    heading: str = ""
    text: list[str] = field(default_factory=list)

    def skip_empty_lines(self) -> None:
        while self.text and not self.text[0]:
            self.take()

    def take(self) -> str:
        self.line += 1
        return self.text.pop(0) if self.text else ""


def parse(text: str, name: str = "the file") -> Draft:
    """A draft from its Markdown file."""
    return read(text, name).draft


def read(text: str, name: str = "the file") -> TextFile:
    """A Markdown file; what cannot be a heading of a section is refused by its line, all such lines at once."""
    found: list[Refusal] = []
    parts = _parts(text, name, found)
    parts[0].skip_empty_lines()
    title = parts[0].take()
    for part in parts:
        part.skip_empty_lines()
    summary, *bodies = ["\n".join(part.text) for part in parts]
    if not title.startswith("# ") or not summary.strip():
        found.insert(0, Invalid("{name} must begin with `# Title`, an empty line and the summary.", name=name))
    if found:
        raise Refusals(found)
    sections = [Section(part.key, part.heading, body.strip("\n")) for part, body in zip(parts[1:], bodies, strict=True)]
    draft = Draft(title[2:].strip(), summary.strip(), tuple(sections))
    return TextFile(name, draft, {part.key: part.line + 1 for part in parts})


def _parts(text: str, name: str, found: list[Refusal]) -> list[_Part]:
    parts, fence = [_Part(0)], ""
    for number, line in enumerate(text.split("\n"), 1):
        begun = _SECTION.fullmatch(line)
        if begun and begun[1] in BUDGETS:
            if fence:
                found.append(_in_code(name, number, begun[1]))
            elif any(part.key == begun[1] for part in parts):
                found.append(_twice(name, number, begun[1]))
            parts.append(_Part(number, begun[1], begun[2].strip()))
            fence = ""
            continue
        if _RESERVED.match(line) and not fence and (line.startswith("##") or any(parts[-1].text)):
            found.append(_no_section(name, number))
        fence = _fence_after(fence, line)
        parts[-1].text.append(line[1:] if _QUOTED.match(line) else line)
    return parts


def _fence_after(fence: str, line: str) -> str:
    """The fence of the block of code in which the next line is, "" outside of one (CommonMark 0.31, section 4.5)."""
    found = _FENCE.fullmatch(line)
    if found is None:
        return fence
    if not fence:
        return found[1]
    return "" if found[1].startswith(fence) and not found[2].strip() else fence


def _no_section(name: str, line: int) -> Invalid:
    return Invalid(
        "Line {line} of {name} begins no section: write `## key: Heading` with one of the keys {keys}, or put a"
        " backslash before a line that belongs to the text.",
        name=name, line=line, keys=", ".join(BUDGETS),
    )  # fmt: skip


def _twice(name: str, line: int, key: str) -> Invalid:
    return Invalid(
        "Line {line} of {name} begins the section {key}, which this file has already.", name=name, line=line, key=key
    )


def _in_code(name: str, line: int, key: str) -> Invalid:
    return Invalid(
        "Line {line} of {name} begins the section {key} inside a block of code: end that block before it, or put a"
        " backslash before a line that belongs to the code.",
        name=name, line=line, key=key,
    )  # fmt: skip


def as_translation(draft: Draft) -> TranslationDraft:
    """A whole text as a translator sends it."""
    parts = tuple(SectionPart(section.key, section.heading, section.body) for section in draft.sections)
    return TranslationDraft(draft.title, draft.summary, parts)


def as_text(draft: Draft) -> str:
    """A draft as its Markdown file."""
    parts = [f"# {draft.title}", _quoted(draft.summary)]
    for section in draft.sections:
        parts += [f"## {section.key}: {section.heading}", _quoted(section.body)]
    return "\n\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(f"\\{line}" if _RESERVED.match(line) or _QUOTED.match(line) else line for line in lines)


def trimmed(draft: Draft) -> Draft:
    """A draft as it comes back from its file, which does not tell white space around a text from its own."""
    sections = tuple(Section(each.key, each.heading.strip(), each.body.strip("\n")) for each in draft.sections)
    return Draft(draft.title.strip(), draft.summary.strip(), sections)


def facts_in(table: dict[str, Any]) -> dict[str, Any]:
    """The facts of a `practice.toml`, as `practices.cases.facts` takes them: under their own names."""
    given = {name: value for name, value in table.items() if name not in _OF_THE_CASE}
    surplus = [unknown(name, ()) for name in sorted(given.keys() - NAMES)]
    if surplus:
        raise Refusals(surplus)
    return given


def load(folder: Traversable) -> Case:
    """A case study from its folder."""
    table = tomllib.loads(decoded(folder.joinpath("practice.toml").read_bytes()))
    texts = {
        each.name.removesuffix(".md"): parse(decoded(each.read_bytes()), each.name)
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
