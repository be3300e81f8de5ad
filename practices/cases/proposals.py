"""What a file would change in a case study, before it does: shown to who sends it, and only what differs is sent.

A file does not tell white space around a text from its own, so what comes back as it went out is no change. A section
that is not in the file stays as it is; but where its text stands under another heading, its own was lost, and that is
refused with the line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any
from uuid import UUID

from i18n.content import comparison, documents, markdown
from i18n.content.documents import Draft, Section
from i18n.content.models import TranslationStatus
from practices.cases import facts as facts_of
from practices.cases import files, narrative, overview
from practices.cases.files import TextFile
from practices.cases.models import Practice, PracticeStatus
from practices.cases.practices import Change
from wego.core import reads
from wego.core.access import Actor
from wego.core.db import Session
from wego.core.errors import Invalid, NotFound, Refusal, Refusals

SHORTEST_MOVED = 20  # characters of a block; a shorter one may well stand in two sections


@dataclass(frozen=True)
class Proposal:
    """The text before and after, the facts that differ, the sections that the file leaves as they are, and whether
    others read the new text at once. `unconfirmed`: how many blocks of a translation are older than their original and
    count as translated anew when they are sent."""

    before: Draft
    after: Draft
    live: bool
    facts: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    unconfirmed: int = 0

    @property
    def empty(self) -> bool:
        return self.before == self.after and not self.facts and not self.unconfirmed

    def lines(self) -> Iterator[str]:
        """The differences for people, as a unified diff of the files and a line for each fact."""
        now, then = (files.as_text(draft).split("\n") for draft in (self.before, self.after))
        yield from unified_diff(now, then, "now", "then", lineterm="", n=1)
        for name, (old, new) in self.facts.items():
            yield f"{name}: {old!r} → {new!r}"

    def change(self, removed: Collection[str], *, minor: bool, note: str) -> Change:
        """What differs, as a writer sends it."""
        old = {section.key: section for section in self.before.sections}
        return Change(
            None if self.after.title == self.before.title else self.after.title,
            None if self.after.summary == self.before.summary else self.after.summary,
            tuple(section for section in self.after.sections if section != old.get(section.key)),
            tuple(removed), minor, note,
        )  # fmt: skip


async def revision(
    db: Session, actor: Actor, key: UUID, file: TextFile, facts: facts_of.Given, removed: Collection[str] = ()
) -> Proposal:
    """What a file and facts would change of the original; the practice is locked, so that this stays true."""
    practice = await reads.locate(db, actor, Practice, key, lock=True)
    before = await documents.written(db, key)
    _refuse_moved(before, file, removed)
    sent = _as_kept(before, file.draft)
    after = narrative.merged(before, sent.title, sent.summary, sent.sections, removed)
    columns = facts_of.checked(facts)
    differing = {
        name: (getattr(practice, name), value) for name, value in columns.items() if getattr(practice, name) != value
    }
    given = {section.key for section in file.draft.sections}
    kept = tuple(section.key for section in before.sections if section.key not in {*given, *removed})
    return Proposal(before, after, practice.status is PracticeStatus.PUBLISHED, differing, kept)


async def translation(db: Session, actor: Actor, key: UUID, locale: str, file: TextFile) -> Proposal:
    """What a file would change of a translation; the practice is locked likewise."""
    practice = await reads.locate(db, actor, Practice, key, lock=True)
    try:
        before = await overview.reading(db, key, locale)
    except NotFound:
        before = Draft("", "")
    sent = _as_kept(before, file.draft)
    given = {section.key: section for section in sent.sections}
    old = {section.key: section for section in before.sections}
    order = [section.key for section in (await documents.written(db, key)).sections]
    after = Draft(sent.title, sent.summary, tuple(
        given.get(key) or old[key] for key in [*order, *given.keys() - set(order)] if key in given or key in old
    ))  # fmt: skip
    states = await comparison.status(db, key)
    tag = documents.locale_tag(locale)
    stale = sum(
        len(each.stale_blocks)
        for each in states
        if each.locale == tag and each.status is not TranslationStatus.IN_REVIEW
    )
    kept = tuple(name for name in old if name not in given)
    return Proposal(before, after, practice.status is PracticeStatus.PUBLISHED, {}, kept, stale)


def _as_kept(before: Draft, sent: Draft) -> Draft:
    """What was sent, with the white space that the kept text has around what did not change."""
    plain = files.trimmed(before)
    old = {trimmed.key: (trimmed, kept) for trimmed, kept in zip(plain.sections, before.sections, strict=True)}

    def section(given: Section) -> Section:
        trimmed, kept = old.get(given.key, (given, given))
        return Section(
            given.key,
            kept.heading if given.heading == trimmed.heading else given.heading,
            kept.body if given.body == trimmed.body else given.body,
        )

    return Draft(
        before.title if sent.title == plain.title else sent.title,
        before.summary if sent.summary == plain.summary else sent.summary,
        tuple(section(given) for given in sent.sections),
    )


def _refuse_moved(before: Draft, file: TextFile, removed: Collection[str]) -> None:
    """Refuse where the text of a section that the file lacks stands under the heading of another."""
    there = {"": file.draft.summary} | {section.key: section.body for section in file.draft.sections}
    earlier = {"": before.summary} | {section.key: section.body for section in before.sections}
    found: list[Refusal] = []
    for section in before.sections:
        if section.key in there or section.key in removed:
            continue
        for piece in (piece.strip("\n") for piece in markdown.blocks(section.body)):
            place = next(
                (key for key, text in there.items() if piece in text and piece not in earlier.get(key, "")), None
            )
            if place is not None and len(piece) >= SHORTEST_MOVED:
                line = file.lines[place] + there[place][: there[place].index(piece)].count("\n")
                found.append(_lost_heading(file.name, line, section.key))
                break
    if found:
        raise Refusals(found)


def _lost_heading(name: str, line: int, key: str) -> Invalid:
    return Invalid(
        "Line {line} of {name} is text of the section {key}, whose heading is missing before it.",
        name=name, line=line, key=key,
    )  # fmt: skip
