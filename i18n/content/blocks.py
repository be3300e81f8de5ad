"""What a text is made of: drafts as people send them, blocks with their hash, and how revisions are aligned.

Binding text: design/web.md 4.7. Nothing here touches the database; `i18n/content.py` keeps what is computed
here. The identity of a block is not its position: blocks are found again by content first, then by order
between the neighbours that were found, so that an inserted paragraph leaves all others alone.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from uuid import UUID

from i18n.content import markdown
from i18n.content.models import BlockKind
from wego.core.errors import Invalid, Refusal, Refusals
from wego.core.ids import new_id

MOST_TITLE = 120
MOST_SUMMARY = 2_500
MOST_HEADING = 120
MOST_BODY = 20_000
MOST_SECTIONS = 24
MOST_BLOCKS = 200  # of one section
MOST_TEXT = 200_000  # characters of all bodies that are sent at once
MOST_PAIRS = 2_500  # compared for likeness; beyond, order alone decides

MISSING = b"\x00" * 32  # stands for a block that a translation lacks


@dataclass(frozen=True)
class Section:
    """One section of a draft: a stable key, a heading, and a body in Markdown."""

    key: str
    heading: str
    body: str


@dataclass(frozen=True)
class Draft:
    """A whole original as it is sent."""

    title: str
    summary: str
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class SectionPart:
    """What a translator sends of one section; None leaves as it is."""

    key: str
    heading: str | None = None
    body: str | None = None


@dataclass(frozen=True)
class TranslationDraft:
    """What a translator sends: any of title, summary, sections and single blocks. None leaves as it is."""

    title: str | None = None
    summary: str | None = None
    sections: tuple[SectionPart, ...] = ()
    blocks: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """One block of a revision, in its place."""

    id: UUID
    section: str | None
    kind: BlockKind
    text: str
    hash: bytes


def text_hash(text: str) -> bytes:
    """SHA-256 of the NFC form with white space normalised: what looks the same is the same."""
    return hashlib.sha256(" ".join(unicodedata.normalize("NFC", text).split()).encode()).digest()


def combined(hashes: Iterable[bytes | None]) -> bytes:
    """One hash for a row made from several blocks, in the order of the source."""
    return hashlib.sha256(b"".join(each or MISSING for each in hashes)).digest()


def check(draft: Draft, path: markdown.Path = ("input",)) -> None:
    """Refuse a draft that cannot be kept as it is; tells everything that is wrong at once."""
    found: list[Refusal] = []
    _try(found, lambda: markdown.check_text(draft.title, path=(*path, "title"), limit=MOST_TITLE))
    _try(
        found,
        lambda: markdown.check_text(draft.summary, path=(*path, "summary"), limit=MOST_SUMMARY, lines=True),
    )
    check_sum(found, [section.body for section in draft.sections], path)
    if len(draft.sections) > MOST_SECTIONS:
        found.append(Invalid("At most {limit} sections are allowed.", path=(*path, "sections"), limit=MOST_SECTIONS))
    seen: set[str] = set()
    for index, section in enumerate(draft.sections[:MOST_SECTIONS]):
        here = (*path, "sections", index)
        if section.key in seen:
            found.append(Invalid("The section {key} is given twice.", path=(*here, "key"), key=section.key))
        seen.add(section.key)
        check_heading(found, section.heading, (*here, "heading"))
        check_body(found, section.body, (*here, "body"))
    if found:
        raise Refusals(found)


def check_sum(found: list[Refusal], bodies: Sequence[str], path: markdown.Path) -> None:
    """Refuse more text than one act may bring: it is all parsed and rendered."""
    if sum(map(len, bodies)) > MOST_TEXT:
        raise Refusals(
            [*found, Invalid("All sections together have at most {limit} characters.", path=path, limit=MOST_TEXT)]
        )


def check_heading(found: list[Refusal], heading: str, path: markdown.Path) -> None:
    _try(found, lambda: markdown.check_text(heading, path=path, limit=MOST_HEADING))


def check_body(found: list[Refusal], body: str, path: markdown.Path) -> None:
    before = len(found)
    _try(found, lambda: markdown.check(body, path=path, limit=MOST_BODY))
    if len(found) == before and (count := len(markdown.blocks(body))) > MOST_BLOCKS:
        found.append(
            Invalid(
                "This section has {count} blocks; at most {limit} are allowed.",
                path=path,
                count=count,
                limit=MOST_BLOCKS,
            )
        )


def _try(found: list[Refusal], checking: Callable[[], None]) -> None:
    try:
        checking()
    except Refusal as refusal:
        found.extend(refusal.each)


def compose(draft: Draft, key: Callable[[], UUID] = new_id) -> list[Block]:
    """The blocks of a draft in order, each with a fresh id."""

    def block(section: str | None, kind: BlockKind, text: str) -> Block:
        return Block(key(), section, kind, text, text_hash(text))

    made = [block(None, BlockKind.TITLE, draft.title), block(None, BlockKind.SUMMARY, draft.summary)]
    for section in draft.sections:
        made.append(block(section.key, BlockKind.HEADING, section.heading))
        made += [block(section.key, BlockKind.BODY, piece) for piece in markdown.blocks(section.body)]
    return made


def aligned(previous: Sequence[Block], fresh: Sequence[Block]) -> list[Block]:
    """The fresh blocks with the ids of the previous revision's blocks that they continue."""
    found: dict[int, int] = {}  # position in fresh → position in previous
    _by_content(found, previous, fresh, lambda block: (block.section, block.kind, block.hash))
    _by_content(found, previous, fresh, lambda block: (block.hash,) if block.kind is BlockKind.BODY else None)
    _by_order(found, previous, fresh)
    return [
        replace(block, id=previous[found[index]].id) if index in found else block for index, block in enumerate(fresh)
    ]


def _by_content(
    found: dict[int, int],
    previous: Sequence[Block],
    fresh: Sequence[Block],
    identity: Callable[[Block], tuple[object, ...] | None],
) -> None:
    """Match blocks of the same content; equal ones in their order."""
    taken = set(found.values())
    waiting: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index in reversed(range(len(previous))):
        same = identity(previous[index])
        if index not in taken and same is not None:
            waiting[same].append(index)
    for index, block in enumerate(fresh):
        same = identity(block)
        if index not in found and same is not None and waiting.get(same):
            found[index] = waiting[same].pop()


def _by_order(found: dict[int, int], previous: Sequence[Block], fresh: Sequence[Block]) -> None:
    """Match what is left within the same gap: the same section and kind, after the same matched neighbour."""
    known = {old: new for new, old in found.items()}
    old_gaps = _gaps(previous, {old: old for old in known})
    new_gaps = _gaps(fresh, found)
    for gap, indexes in new_gaps.items():
        others = old_gaps.get(gap, [])
        if len(others) == len(indexes) or len(others) * len(indexes) > MOST_PAIRS:
            found.update(zip(indexes, others, strict=False))
        elif others:
            found.update(_most_alike(indexes, others, previous, fresh))


def _gaps(blocks: Sequence[Block], matched: dict[int, int]) -> dict[tuple[object, ...], list[int]]:
    """Positions of unmatched blocks by (section, kind, position in the previous revision of the match
    before)."""
    gaps: dict[tuple[object, ...], list[int]] = defaultdict(list)
    anchor: dict[tuple[object, ...], int] = {}
    for index, block in enumerate(blocks):
        place = (block.section, block.kind)
        if index in matched:
            anchor[place] = matched[index]
        else:
            gaps[(*place, anchor.get(place, -1))].append(index)
    return gaps


def _most_alike(new: list[int], old: list[int], previous: Sequence[Block], fresh: Sequence[Block]) -> dict[int, int]:
    """Pair two lists of unequal length in order, so that the pairs share the most words."""
    mine = {here: _pairs(fresh[here].text) for here in new}
    theirs = {there: _pairs(previous[there].text) for there in old}
    best: list[list[tuple[float, dict[int, int]]]] = [[(0.0, {})] * (len(old) + 1) for _ in range(len(new) + 1)]
    for row, here in enumerate(new, 1):
        for column, there in enumerate(old, 1):
            score, pairs = best[row - 1][column - 1]
            together = (score + _likeness(mine[here], theirs[there]), {**pairs, here: there})
            best[row][column] = max(together, best[row - 1][column], best[row][column - 1], key=lambda each: each[0])
    return best[-1][-1][1]


Pairs = frozenset[tuple[str, str]]


def _pairs(text: str) -> Pairs:
    return frozenset(pairwise(text[:2_000].casefold()))


def _likeness(left: Pairs, right: Pairs) -> float:
    """How many pairs of letters two texts share, 0 to 1, in any script; never 0, so that order decides
    between strangers."""
    return 0.001 + len(left & right) / max(len(left | right), 1)
