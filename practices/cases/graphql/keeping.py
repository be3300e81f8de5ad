"""What a city does with its case studies beside writing them: other names, the archive, and drafts that go, as
mutations."""

from __future__ import annotations

import strawberry

from practices.cases import archives, drafts, names
from practices.cases.graphql.mutations import NAMED, PracticeInput, PracticePayload, practice_key, told
from wego.core.ids import global_id
from wego.core.writes import Done, Payload, Write, done, value, verb


@strawberry.input(description="An `ArchivePracticeInput` takes a published practice out of sight.")
class ArchivePracticeInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)
    reason: str = strawberry.field(description="This is the reason for it.")


@strawberry.input(description="A `RenamePracticeInput` gives a practice another name in addresses.")
class RenamePracticeInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)
    slug: str = strawberry.field(
        description="This is the name that it gets: lower case letters, digits and hyphens. It may be one that it had."
    )


@strawberry.type(description="A `DeletePracticePayload` is the answer to the deletion of a draft.")
class DeletePracticePayload(Payload):
    deleted_practice_id: strawberry.ID | None = value(
        "deleted", "This is the id that the practice had; it is null when nothing was done."
    )


async def archive_practice(write: Write, input: ArchivePracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    await archives.archive(write.db, write.actor, key, input.reason)
    return told(key)


async def restore_practice(write: Write, input: PracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    await archives.restore(write.db, write.actor, key)
    return told(key)


async def rename_practice(write: Write, input: RenamePracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    await names.rename(write.db, write.actor, key, input.slug)
    return told(key)


async def delete_practice(write: Write, input: PracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    await drafts.delete(write.db, write.actor, key)
    return done(deleted=global_id("Practice", key))


@strawberry.type
class KeepingMutations:
    archive_practice: PracticePayload = verb(
        archive_practice, "This takes a published practice out of sight, with a reason."
    )
    restore_practice: PracticePayload = verb(
        restore_practice,
        "This brings an archived practice back for those for whom it was published; those may do it who may publish."
        " It has a numbered name where another practice has its own by now.",
    )
    rename_practice: PracticePayload = verb(
        rename_practice,
        "This gives a practice another name in addresses. The old one leads to it still, for those who were shown it."
        " Those may do it who write the draft, or who may publish what is published.",
    )
    delete_practice: DeletePracticePayload = verb(
        delete_practice,
        "This deletes a draft that was never handed in, with its texts and translations, and is not undone. Those may"
        " do it who may hand it in.",
    )
