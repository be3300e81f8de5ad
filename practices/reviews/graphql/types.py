"""Reviews, for the own city, the reviewer and the secretariat; others do not learn that there are any."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from i18n.language.graphql import LocalizedText, text
from members.register.graphql.cities import City
from practices.cases import models
from practices.cases.models import ReviewStatus
from practices.cases.reach import reads_drafts
from wego.core import reads
from wego.core.access import ActorKind, Permission

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(ReviewStatus, description="A `ReviewStatus` says what a reviewer has decided.")


@reads.visible(models.Review)
def _visible_review(q: Query, t: str) -> str | None:
    drafts = reads_drafts(q, "own")
    if drafts is None:
        return None
    mine = f"{t}.reviewer_id = {q.person()} and {t}.reviewer_city_id = any({q.places_with(Permission.PRACTICE_REVIEW)})"
    reviewing = q.shape.kind is ActorKind.PERSON and q.somewhere(Permission.PRACTICE_REVIEW)
    of_city = f"exists (select 1 from practice own where own.id = {t}.practice_id and {drafts})"
    parts = [of_city] * (drafts != "false") + [mine] * reviewing
    return f"({' or '.join(parts)})" if parts else "false"


@reads.table("review_comment")
@strawberry.type(description="A `ReviewComment` is a remark of a reviewer on a section, or on the whole.")
class ReviewComment:
    section: str | None = reads.column("{t}.section", "This names the section; it is null when the whole is meant.")
    text: LocalizedText = text(reads.Own(), "{t}.text", "This is the text of the remark.")
    at: datetime = reads.column("{t}.at", "This is the moment at which it was made.")


@reads.table(models.Review)
@strawberry.type(description="A `Review` is made by a person of another city or by the secretariat.")
class Review(reads.Node):
    round: int = reads.column("{t}.round", "The round: each time the practice is handed in again, one more.")
    status: ReviewStatus = reads.column("{t}.status", "This says what the reviewer has decided.")
    reviewer_city: City | None = reads.one(
        "{t}.id = {p}.reviewer_city_id",
        "This is the city of the reviewer; it is null for a reviewer of the secretariat.",
    )
    conflict_declared: bool = reads.column(
        "{t}.conflict_declared <> ''", "This says whether the reviewer declared a conflict of interest."
    )
    comments: list[ReviewComment] = reads.many(
        "{t}.review_id = {p}.id", "These are the remarks of the reviewer.", order="{t}.at, {t}.id"
    )
    assigned_at: datetime = reads.column("{t}.assigned_at", "This is the moment at which it was assigned.")
    decided_at: datetime | None = reads.column(
        "{t}.decided_at", "This is the moment at which the reviewer decided; it is null until then."
    )
    assumed: bool = reads.column(
        "{t}.assumed", "This says whether it was made up for a demonstration: nobody reviewed the practice."
    )


@strawberry.type
class PracticeReviews:
    reviews: list[Review] = reads.many(
        "{t}.practice_id = {p}.id",
        "Its reviews, for the own city, the reviewers and the secretariat.",
        order="{t}.round, {t}.assigned_at, {t}.id",
    )
