"""Which blocks a translator's draft touches, and with what: everything wrong with it is told at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from i18n.content import blocks as parts
from i18n.content import markdown
from i18n.content.blocks import Block, SectionPart, TranslationDraft
from i18n.content.models import BlockKind
from wego.core.errors import Invalid, Refusal, Refusals


def targets(source: Sequence[Block], draft: TranslationDraft) -> dict[UUID, str]:
    """The text of each block that the draft touches; refuses all that is wrong with it at once."""
    found: list[Refusal] = []
    wanted: dict[UUID, str] = {}
    bodies = [part.body or "" for part in draft.sections] + list(draft.blocks.values())
    parts.check_sum(found, bodies, ("input", "sections"))
    for kind, written, limit in (
        (BlockKind.TITLE, draft.title, parts.MOST_TITLE),
        (BlockKind.SUMMARY, draft.summary, parts.MOST_SUMMARY),
    ):
        if written is not None:
            _plain(found, written, ("input", kind.value), limit)
            wanted[next(block.id for block in source if block.kind is kind)] = written
    for index, part in enumerate(draft.sections):
        wanted |= _section_targets(found, source, part, ("input", "sections", index))
    for index, (key, written) in enumerate(draft.blocks.items()):
        wanted |= _block_target(found, source, key, written, ("input", "blocks", index))
    if not wanted and not found:
        found.append(
            Invalid("This translation is empty: give a title, a summary, sections or blocks.", path=("input",))
        )
    if found:
        raise Refusals(found)
    return wanted


def _plain(found: list[Refusal], written: str, path: markdown.Path, limit: int) -> None:
    try:
        markdown.check_text(written, path=path, limit=limit, lines=path[-1] == "summary")
    except Refusal as refusal:
        found.append(refusal)


def _section_targets(
    found: list[Refusal], source: Sequence[Block], part: SectionPart, path: tuple[str | int, ...]
) -> dict[UUID, str]:
    mine = [block for block in source if block.section == part.key]
    if not mine:
        found.append(Invalid("The original has no section {key}.", path=(*path, "key"), key=part.key))
        return {}
    wanted: dict[UUID, str] = {}
    if part.heading is not None:
        parts.check_heading(found, part.heading, (*path, "heading"))
        wanted[mine[0].id] = part.heading
    if part.body is not None:
        parts.check_body(found, part.body, (*path, "body"))
        pieces, body = (
            markdown.blocks(part.body),
            [block.id for block in mine if block.kind is BlockKind.BODY],
        )
        if len(pieces) != len(body):
            found.append(
                Invalid(
                    "Section {key} has {expected} blocks in the original and {given} in this translation.",
                    path=(*path, "body"),
                    key=part.key,
                    expected=len(body),
                    given=len(pieces),
                )
            )
        wanted |= dict(zip(body, pieces, strict=False))
    return wanted


def _block_target(
    found: list[Refusal], source: Sequence[Block], key: UUID, written: str, path: tuple[str | int, ...]
) -> dict[UUID, str]:
    block = next((block for block in source if block.id == key), None)
    if block is None:
        found.append(Invalid("The original has no block with this id.", path=(*path, "id")))
        return {}
    if block.kind is not BlockKind.BODY:
        limit = {BlockKind.TITLE: parts.MOST_TITLE, BlockKind.SUMMARY: parts.MOST_SUMMARY}.get(
            block.kind, parts.MOST_HEADING
        )
        _plain(found, written, (*path, "text"), limit)
        return {key: written}
    parts.check_body(found, written, (*path, "text"))
    if (count := len(markdown.blocks(written))) > 1:
        found.append(
            Invalid(
                "The translation of one block must be one block, not {count}.",
                path=(*path, "text"),
                count=count,
            )
        )
    return {key: written}
