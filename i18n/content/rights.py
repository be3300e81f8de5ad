"""Who may read which part of a text: what is published those for whom it was, what is not, who may read drafts of the
thing that the text belongs to.

A kind of thing that has texts says once, beside its noun, who reads its drafts and to whom a single one was given:

    rights.owned("practice", drafts=reads_drafts, given=edited)      # predicates of the owner's row
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from i18n.content.models import ContentRevision, ContentTranslation
from wego.core import reads
from wego.core.reads.metadata import Visible

if TYPE_CHECKING:
    from wego.core.reads.query import Query


@dataclass(frozen=True, slots=True)
class Owner:
    """A kind of thing that has texts under its own key: its table, who reads drafts of it (None: everybody who asks,
    "false": nobody), and whether a single one was given to the reader to write."""

    table: str
    drafts: Visible
    given: Visible


_OWNERS: dict[str, Owner] = {}


def owned(table: str, *, drafts: Visible, given: Visible) -> None:
    """Say that the things of a table have texts. Safe to call again."""
    _OWNERS[table] = Owner(table, drafts, given)


def _any(q: Query, document: str, asked: list[tuple[Owner, Visible]]) -> str:
    """Whether the thing that a document belongs to meets the predicate of its kind."""
    parts = [(owner.table, predicate(q, "own")) for owner, predicate in asked]
    if all(part is None for _, part in parts):
        return "true"
    found = [
        f"exists (select 1 from {table} own where own.id = {document} and {part or 'true'})"
        for table, part in parts
        if part != "false"
    ]
    return " or ".join(found) or "false"


def reads_drafts(q: Query, document: str) -> str:
    """Whether the reader may see what is not published of a document; "true" and "false" where all are the same."""
    return _any(q, document, [(owner, owner.drafts) for owner in _OWNERS.values()])


@reads.visible(ContentTranslation)
def visible_translation(q: Query, t: str) -> str | None:
    """Everybody what is live; what waits, those who may read drafts, and to whom the thing was given to write."""
    drafts = reads_drafts(q, f"{t}.document_id")
    if drafts == "true":
        return None
    given = _any(q, f"{t}.document_id", [(owner, owner.given) for owner in _OWNERS.values()])
    parts = [f"{t}.status = 'published'", *(part for part in (drafts, given) if part != "false")]
    return f"({' or '.join(parts)})"


@reads.visible(ContentRevision)
def visible_revision(q: Query, t: str) -> str | None:
    """Those versions that were published for the reader, and the one that is live now, which he sees with the thing.
    What was private stays so."""
    drafts = reads_drafts(q, f"{t}.document_id")
    if drafts == "true":
        return None
    since = f"{t}.members_from" if q.shape.member else f"{t}.public_from"
    live = f"{t}.id = (select d.current_revision_id from content_document d where d.id = {t}.document_id)"
    return f"({t}.published_at is not null and ({since} <= now() or {live}) or {drafts})"
