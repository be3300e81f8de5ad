"""How texts are sent: written, revised and translated, by whatever thing they belong to.

The input of a thing that has texts inherits from these, and the functions make of it what `documents` takes.
"""

from __future__ import annotations

from uuid import UUID

import strawberry

from i18n.content.documents import Draft, Section, SectionPart, TranslationDraft
from i18n.language.graphql import LanguageTag
from i18n.language.origins import Origin
from wego.core.errors import NotFound


@strawberry.input(description="A `TextSectionInput` is a section of a text, with its heading and its body.")
class TextSectionInput:
    key: str = strawberry.field(description="The key says which section it is, such as `situation_before`.")
    heading: str = strawberry.field(description="This is its heading, in the language of the original.")
    body: str = strawberry.field(description="This is its text, in Markdown.")


@strawberry.input(description="The translation of a section; what is absent stays as it is.")
class TranslatedSectionInput:
    key: str = strawberry.field(description="The key says which section it is.")
    heading: str | None = strawberry.field(default=None, description="This is the translated heading.")
    body: str | None = strawberry.field(
        default=None, description="This is the translated text, with as many blocks as the original has."
    )


@strawberry.input(description="A `TranslatedBlockInput` is the translation of one block.")
class TranslatedBlockInput:
    id: strawberry.ID = strawberry.field(description="This names the block by its `blockId`.")
    text: str = strawberry.field(description="This is its translation.")


@strawberry.input
class WrittenInput:
    """A whole original."""

    original_locale: LanguageTag = strawberry.field(description="This is the language of the texts (BCP 47).")
    title: str = strawberry.field(description="This is the title.")
    summary: str = strawberry.field(description="This says in short what it is about.")
    sections: list[TextSectionInput] = strawberry.field(
        default_factory=list, description="These are the sections of the text."
    )


@strawberry.input
class RevisedInput:
    """The next revision of an original."""

    title: str | None = strawberry.field(default=None, description="This is another title.")
    summary: str | None = strawberry.field(default=None, description="This is another summary.")
    sections: list[TextSectionInput] = strawberry.field(
        default_factory=list, description="These sections are added, or take the place of those with the same key."
    )
    remove_sections: list[str] = strawberry.field(
        default_factory=list, description="These are the keys of sections to take out."
    )
    minor: bool = strawberry.field(
        default=False,
        description="Translations of what changes are still right; this does not count where it is opened to more.",
    )
    note: str = strawberry.field(default="", description="This says why, for those who read the revisions.")


@strawberry.input
class TranslatedInput:
    """A translation, whole or in part."""

    locale: LanguageTag = strawberry.field(description="This is the language into which it is translated (BCP 47).")
    title: str | None = strawberry.field(default=None, description="This is the translated title.")
    summary: str | None = strawberry.field(default=None, description="This is the translated summary.")
    sections: list[TranslatedSectionInput] = strawberry.field(
        default_factory=list, description="These are translated sections."
    )
    blocks: list[TranslatedBlockInput] = strawberry.field(
        default_factory=list, description="These are single translated blocks."
    )
    origin: Origin | None = strawberry.field(
        default=None,
        description="This says how it came to be; absent means HUMAN from a person and MACHINE from a program.",
    )
    tool: str | None = strawberry.field(
        default=None,
        description="This names the program or model that made it, in at most 120 characters; it is absent where "
        "there was none.",
    )


def sections_of(given: list[TextSectionInput]) -> tuple[Section, ...]:
    return tuple(Section(each.key, each.heading, each.body) for each in given)


def draft_of(given: WrittenInput) -> Draft:
    return Draft(given.title, given.summary, sections_of(given.sections))


def translation_of(given: TranslatedInput) -> TranslationDraft:
    parts = tuple(SectionPart(each.key, each.heading, each.body) for each in given.sections)
    return TranslationDraft(given.title, given.summary, parts, _blocks_of(given.blocks))


def _blocks_of(given: list[TranslatedBlockInput]) -> dict[UUID, str]:
    """Blocks by their key; a text that is no key names no block."""
    found = {}
    for index, each in enumerate(given):
        try:
            found[UUID(each.id)] = each.text
        except ValueError:
            raise NotFound("There is no such block.", path=("input", "blocks", index, "id")) from None
    return found
