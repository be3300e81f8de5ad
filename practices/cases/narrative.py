"""The sections of a case study, which of them are required when, and their word budgets, which are advice.

Binding text: design/domain.md section 5.1 (R and P = required; budgets of UN-Habitat). What publishing needs is asked
when a case study is handed in: afterwards its city cannot mend it until a reviewer has answered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from i18n.content.documents import Draft, Section
from practices.cases.models import Practice
from wego.core.errors import Invalid, Refusal, Refusals

# key → words at least, words at most; the order is that of a finished case study.
BUDGETS: dict[str, tuple[int, int]] = {
    "situation_before": (50, 150),
    "priorities": (0, 100),
    "objectives_and_strategy": (0, 100),
    "resources_narrative": (0, 200),
    "process": (0, 400),
    "participation": (0, 150),
    "obstacles_and_failures": (0, 200),
    "results": (0, 250),
    "sustainability": (0, 300),
    "lessons_learned": (0, 300),
    "transferability": (0, 300),
    "references": (0, 300),
}
SUMMARY_BUDGET = (0, 250)
TO_PUBLISH = (
    "situation_before", "objectives_and_strategy", "resources_narrative", "process", "results", "participation",
    "obstacles_and_failures", "sustainability", "lessons_learned", "transferability",
)  # fmt: skip

# Written without spaces between words: a word is about two characters.
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "km", "bo", "dz"})


@dataclass(frozen=True)
class Hint:
    """Advice on a text: a code, the section (or "summary", or a field), and numbers. Never a refusal."""

    code: str  # too_long | too_short | missing_to_publish
    place: str
    words: int = 0
    budget: int = 0


def count_words(text: str, locale: str) -> int:
    if locale.partition("-")[0] in UNSPACED:
        return len("".join(text.split())) // 2
    return len(text.split())


def ordered(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Sections in the order of a finished case study; refuses keys that are none."""
    unknown = [
        Invalid(
            "There is no section with the key {key}.",
            path=("input", "sections", index, "key"),
            key=section.key,
        )
        for index, section in enumerate(sections)
        if section.key not in BUDGETS
    ]
    if unknown:
        raise Refusals(unknown)
    places = list(BUDGETS)
    return tuple(sorted(sections, key=lambda section: places.index(section.key)))


def merged(
    draft: Draft,
    title: str | None,
    summary: str | None,
    sections: Sequence[Section],
    removed: Collection[str] = (),
) -> Draft:
    """A draft with some of its parts replaced, added or removed."""
    ordered(sections)
    given = {section.key: section for section in sections}
    kept = [section for section in draft.sections if section.key not in given and section.key not in removed]
    return Draft(
        draft.title if title is None else title,
        draft.summary if summary is None else summary,
        ordered([*kept, *sections]),
    )


def require_publishable(practice: Practice, draft: Draft) -> None:
    """Refuse while anything is absent that domain.md requires of a published practice; tells all that is, each with
    its path."""
    present = {section.key for section in draft.sections}
    absent: list[Refusal] = [
        Invalid("The section {key} is missing.", path=("sections", key), key=key)
        for key in TO_PUBLISH
        if key not in present
    ]
    if not practice.sdgs:
        absent.append(Invalid("Name at least one Sustainable Development Goal.", path=("sdgs",)))
    if not practice.licence:
        absent.append(Invalid("Name the licence.", path=("licence",)))
    if absent:
        raise Refusals(absent)


def hints(draft: Draft, locale: str) -> list[Hint]:
    """What would make the text better, or will be asked for at publication."""
    present = {section.key for section in draft.sections}
    found = [Hint("missing_to_publish", key) for key in TO_PUBLISH if key not in present]
    found += _measured("summary", draft.summary, locale, SUMMARY_BUDGET)
    for section in draft.sections:
        found += _measured(section.key, section.body, locale, BUDGETS[section.key])
    return found


def _measured(place: str, text: str, locale: str, budget: tuple[int, int]) -> list[Hint]:
    words, (least, most) = count_words(text, locale), budget
    if words > most:
        return [Hint("too_long", place, words, most)]
    return [Hint("too_short", place, words, least)] if words < least else []
