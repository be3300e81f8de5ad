"""What every thing that has texts shows of them: one base class, and the thing has them all.

    @reads.table(Practice)
    @strawberry.type
    class Practice(reads.Node, WithTexts): …

The model of the thing is a `TextOwner` (see `i18n.content.models`); who reads its drafts it says with `rights.owned`.
"""

from __future__ import annotations

import strawberry

from i18n.content.graphql.texts import TextBlock, TextSection, TextVersion, Translation
from i18n.language.graphql import LanguageTag, LocalizedText, text
from wego.core import reads

# The row of the thing holds the language of its original and the hashes of its present title and summary, so that a
# list need not look for them.
_READING = reads.Pick(
    "select {columns} from content_reading r where r.document_id = {t}.id and r.locale = {locale}",
    "{t}.original_locale",
)
_TITLE_STALE = "({x}.title_hash is distinct from {t}.title_hash)"
_SUMMARY_STALE = "({x}.summary_hash is distinct from {t}.summary_hash)"
_PRESENT = "{t}.revision_id = (select d.current_revision_id from content_document d where d.id = {p}.id)"


@strawberry.type
class WithTexts:
    """The fields of a thing with texts."""

    title: LocalizedText = text(_READING, "{x}.title", "This is its title.", origin="{x}.origin", stale=_TITLE_STALE)
    summary: LocalizedText = text(
        _READING, "{x}.summary", "This says in short what it is about.", origin="{x}.origin", stale=_SUMMARY_STALE
    )
    original_locale: LanguageTag = reads.column(
        "{t}.original_locale", "This is the language in which the original is written (BCP 47)."
    )
    sections: list[TextSection] = reads.many(
        "{t}.document_id = {p}.id and {t}.locale = {p}.original_locale", "These are the sections of its text.",
        order="{t}.position", most=None,
    )  # fmt: skip
    blocks: list[TextBlock] = reads.many(
        _PRESENT, "This is the present original, block by block.", order="{t}.position", most=5_000, expected=30
    )
    translations: list[Translation] = reads.many(
        "{t}.document_id = {p}.id", "These are its translations, each with how far it is.", order="{t}.locale",
        most=None, expected=5,
    )  # fmt: skip
    versions: list[TextVersion] = reads.many(
        "{t}.document_id = {p}.id", "These are its versions, the newest first.", order="{t}.number desc", expected=3
    )
