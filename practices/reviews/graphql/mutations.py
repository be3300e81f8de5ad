"""What is asked of reviews: handing a practice in, and what reviewers decide."""

from __future__ import annotations

import strawberry

from i18n.language.graphql import LanguageTag
from members.register.graphql.keys import key_of
from practices.cases.graphql.mutations import NAMED, PracticeInput, PracticePayload, practice_key, told
from practices.reviews import reviews
from wego.core.writes import Done, Write, verb

_CONFLICT = "A conflict of interest, in words; empty declares that there is none."


@strawberry.input(description="Gives a practice to a reviewer.")
class AssignReviewerInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)
    reviewer: strawberry.ID = strawberry.field(
        description="This is the person, by id; the city of the person must be another one, in good standing."
    )
    conflict: str = strawberry.field(default="", description=_CONFLICT)


@strawberry.input(description="A `ReviewCommentInput` is a remark on a section, or on the whole.")
class ReviewCommentInput:
    text: str = strawberry.field(description="This says what should be changed.")
    section: str | None = strawberry.field(
        default=None, description="This names the section; it is absent when the whole is meant."
    )
    locale: LanguageTag = strawberry.field(
        default=LanguageTag("en"), description="This is the language in which the remark is written (BCP 47)."
    )


@strawberry.input(description="Asks the city for changes.")
class RequestPracticeChangesInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)
    comments: list[ReviewCommentInput] = strawberry.field(description="These say what should be changed.")
    conflict: str = strawberry.field(default="", description=_CONFLICT)


@strawberry.input(description="Accepts a practice for publication.")
class AcceptPracticeInput:
    practice: strawberry.ID = strawberry.field(description=NAMED)
    conflict: str = strawberry.field(description=_CONFLICT)


async def submit_practice(write: Write, input: PracticeInput) -> Done:
    outcome = await reviews.submit(write.db, write.actor, await practice_key(write, input.practice))
    return told(outcome.practice.id, outcome.hints)


async def withdraw_practice(write: Write, input: PracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    await reviews.withdraw(write.db, write.actor, key)
    return told(key)


async def assign_reviewer(write: Write, input: AssignReviewerInput) -> Done:
    key = await practice_key(write, input.practice)
    reviewer = key_of(input.reviewer, "Person", "input", "reviewer")
    await reviews.assign(write.db, write.actor, key, reviewer, conflict=input.conflict)
    return told(key)


async def request_practice_changes(write: Write, input: RequestPracticeChangesInput) -> Done:
    key = await practice_key(write, input.practice)
    comments = [reviews.Comment(each.text, each.section, each.locale) for each in input.comments]
    await reviews.request_changes(write.db, write.actor, key, comments, conflict=input.conflict)
    return told(key)


async def accept_practice(write: Write, input: AcceptPracticeInput) -> Done:
    key = await practice_key(write, input.practice)
    await reviews.accept(write.db, write.actor, key, conflict=input.conflict)
    return told(key)


@strawberry.type
class ReviewMutations:
    """The roots for writing."""

    submit_practice: PracticePayload = verb(
        submit_practice,
        "This hands a practice in for review. It is refused while anything is missing that publishing needs, which is"
        " told at once and whole.",
    )
    withdraw_practice: PracticePayload = verb(
        withdraw_practice,
        "This takes a practice back from review: it is a draft of its city again, and its reviewers see it no more."
        " Those may do it who may hand it in.",
    )
    assign_reviewer: PracticePayload = verb(
        assign_reviewer, "This gives a practice to a reviewer; the secretariat may do it."
    )
    request_practice_changes: PracticePayload = verb(
        request_practice_changes, "This asks the city to change a practice; the reviewer and the secretariat may do it."
    )
    accept_practice: PracticePayload = verb(accept_practice, "This accepts a practice; the reviewer may do it.")
