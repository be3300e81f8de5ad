"""What can be done with case studies, as mutations: each unpacks its input and calls one service."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson
import strawberry

from i18n.content.graphql.inputs import (
    RevisedInput,
    TranslatedInput,
    WrittenInput,
    draft_of,
    sections_of,
    translation_of,
)
from i18n.language.graphql import LanguageTag
from members.register.graphql.keys import key_of
from practices.cases import practices
from practices.cases.facts import PracticeFacts
from practices.cases.graphql.lists import PRACTICES
from practices.cases.graphql.types import Practice
from practices.cases.narrative import Hint
from practices.cases.practices import Change
from practices.cases.reach import by_slug
from wego.core import facts, reads
from wego.core.errors import NotFound, NotSignedIn
from wego.core.ids import parse_global_id
from wego.core.writes import Done, Payload, Write, done, edge, thing, verb

NAMED = "This is the practice, by its id or by its slug; that of its city may come first (`seoul/night-buses`)."


@strawberry.input
@facts.sent(PracticeFacts)
class FactsInput:
    """The facts of a practice as they are sent; what is absent stays."""


@strawberry.input(description="A `CreatePracticeInput` is a new case study, which begins as a draft.")
class CreatePracticeInput(FactsInput, WrittenInput):
    city: str | None = strawberry.field(
        default=None, description="This names the city by its slug; it may be absent for who writes for one city only."
    )
    slug: str | None = strawberry.field(default=None, description="Its name in addresses; else made of the title.")


@strawberry.input(description="The next revision of a practice; what is absent stays.")
class RevisePracticeInput(FactsInput, RevisedInput):
    practice: strawberry.ID = strawberry.field(description=NAMED)


@strawberry.input(description="A translation, whole or in part; what is absent stays.")
class TranslatePracticeInput(TranslatedInput):
    practice: strawberry.ID = strawberry.field(description=NAMED)


@strawberry.input(description="Names a translation that waits to be published.")
class PublishTranslationInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)
    locale: LanguageTag = strawberry.field(description="This is the language of the translation (BCP 47).")


@strawberry.input(description="A `PracticeInput` names one practice.")
class PracticeInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)


@strawberry.input(description="Gives a single practice to an object editor of its city.")
class AddPracticeEditorInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)
    person: strawberry.ID = strawberry.field(description="This is the person, by id.")


@strawberry.type(description="A `PracticeHint` gives advice on a text; it never forbids anything by itself.")
class PracticeHint:
    code: str = reads.column(
        "{t}.value->>'code'",
        "This says what is advised: `too_long`, `too_short`, `missing_to_publish` or `missing_contact`.",
    )
    place: str = reads.column("{t}.value->>'place'", "This says what is meant: a section, the `summary`, or a fact.")
    words: int = reads.column(
        "({t}.value->>'words')::integer",
        "This is the number of words that there are; it is zero where words are not counted.",
    )
    budget: int = reads.column(
        "({t}.value->>'budget')::integer",
        "This is the number of words that is advised; it is zero where words are not counted.",
    )


@strawberry.type(description="A practice after something was done with it.")
class PracticePayload(Payload):
    practice: Practice | None = thing(
        "practice", "This is the practice after the step; it is null when nothing was done."
    )
    practice_edge: reads.Edge[Practice] | None = edge(
        "practice",
        "This is the practice as an edge of lists in their usual order; it is null when nothing was done.",
        PRACTICES,
    )
    hints: list[PracticeHint] = reads.many(
        None,
        "These give advice on the text.",
        order="{t}.ord",
        source="jsonb_array_elements(({p}.keys->>'hints')::jsonb) with ordinality as {t}(value, ord)",
    )


def told(key: UUID, hints: Sequence[Hint] = ()) -> Done:
    """What a PracticePayload shows after a verb."""
    return done(practice=key, hints=orjson.dumps([vars(hint) for hint in hints]).decode())


async def practice_key(write: Write, given: str) -> UUID:
    """The key of the practice that an input names, by global id or by slug."""
    if not write.actor.signed_in:
        raise NotSignedIn("Sign in first: this needs a token.")
    parsed = parse_global_id(given)
    if parsed is not None and parsed[0] == "Practice":
        return parsed[1]
    if not given.isascii() or "\x00" in given or len(given) > 100:
        raise NotFound("There is no such practice, or you may not see it.")
    return await by_slug(write.db, write.actor, given)


async def create_practice(write: Write, input: CreatePracticeInput) -> Done:
    given = facts.given_of(PracticeFacts, input)
    outcome = await practices.create(
        write.db, write.actor, input.original_locale, draft_of(input), given, city=input.city, slug=input.slug
    )
    return told(outcome.practice.id, outcome.hints)


async def revise_practice(write: Write, input: RevisePracticeInput) -> Done:
    change = Change(
        input.title, input.summary, sections_of(input.sections), tuple(input.remove_sections), input.minor, input.note
    )
    key = await practice_key(write, input.practice)
    outcome = await practices.revise(write.db, write.actor, key, change, facts.given_of(PracticeFacts, input))
    return told(key, outcome.hints)


async def translate_practice(write: Write, input: TranslatePracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    draft = translation_of(input)
    await practices.translate(
        write.db, write.actor, key, input.locale, draft, origin=input.origin, tool=input.tool or ""
    )
    return told(key)


async def publish_translation(write: Write, input: PublishTranslationInput) -> Done:
    key = await practice_key(write, input.practice)
    await practices.release_translation(write.db, write.actor, key, input.locale)
    return told(key)


async def publish_practice(write: Write, input: PracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    await practices.publish(write.db, write.actor, key)
    return told(key)


async def add_practice_editor(write: Write, input: AddPracticeEditorInput) -> Done:
    key = await practice_key(write, input.practice)
    await practices.add_editor(write.db, write.actor, key, key_of(input.person, "Person", "input", "person"))
    return told(key)


@strawberry.type
class PracticeMutations:
    create_practice: PracticePayload = verb(
        create_practice, "This begins the draft of a case study; writers of the city may do it."
    )
    revise_practice: PracticePayload = verb(
        revise_practice, "Write the next revision; of a published practice it is live at once."
    )
    translate_practice: PracticePayload = verb(
        translate_practice,
        "This translates a practice, whole or in part. A translation of a published practice is live "
        "at once for who may publish; otherwise it waits (see `publishTranslation`).",
    )
    publish_translation: PracticePayload = verb(
        publish_translation, "This makes live what waits of a translation; those may do it who may publish."
    )
    publish_practice: PracticePayload = verb(
        publish_practice,
        "This publishes a practice: the city may do it after it was accepted, the secretariat at any time.",
    )
    add_practice_editor: PracticePayload = verb(
        add_practice_editor, "This gives a single practice to an object editor of its city."
    )
