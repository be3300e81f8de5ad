"""The nouns of a case study: practice, its editors and reviews. Its texts are in `i18n.content.models`."""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from i18n.content.models import TextOwner
from practices.cases.facts import PracticeFacts
from wego.core.db import false_unless_told, moment, vocabulary, words
from wego.core.ids import new_id
from wego.core.vocabulary import N_, Vocabulary


class PracticeStatus(Vocabulary):
    DRAFT = "draft", "The city is writing it.", N_("draft")
    SUBMITTED = "submitted", "The city has handed it in, and it waits for a reviewer.", N_("submitted")
    UNDER_REVIEW = "under_review", "A reviewer is reading it.", N_("under review")
    CHANGES_REQUESTED = "changes_requested", "A reviewer has asked the city to change it.", N_("changes requested")
    ACCEPTED = "accepted", "A reviewer has accepted it, and the city may publish it.", N_("accepted")
    PUBLISHED = "published", "It is published for those whom its visibility names.", N_("published")
    ARCHIVED = "archived", "It was published once and is shown no longer.", N_("archived")


class EvidenceLevel(Vocabulary):
    """How well what a practice tells can be checked. Derived from its facts (SQL function `wego_evidence`)."""

    SELF_REPORTED = "self-reported", "The city tells it, and nothing is named by which it can be checked."
    DOCUMENTED = "documented", "Sources are named, or an address at which a figure can be checked."


class ReviewStatus(Vocabulary):
    ASSIGNED = "assigned", "The reviewer has not decided yet.", N_("assigned")
    CHANGES_REQUESTED = "changes_requested", "The reviewer has asked the city to change it.", N_("changes requested")
    ACCEPTED = "accepted", "The reviewer has accepted it.", N_("accepted")


class Practice(TextOwner, PracticeFacts, table=True):
    """A case study. Its facts are declared in `facts.py`; its texts are in the content document of the same id."""

    __tablename__ = "practice"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
        CheckConstraint("(visibility = 'embargo') = (publish_at is not null)", name="embargo"),
        CheckConstraint("(status in ('published', 'archived')) <= (published_at is not null)", name="published"),
        # A name belongs to its city alone, so that nobody learns from a name that he cannot have what others hide.
        UniqueConstraint("city_id", "slug"),
        Index("ix_practice_slug", "slug", "published_at", "id"),
        # Lists walk these from the end: newest first, the whole network or one city.
        Index("ix_practice_newest", text("sorted_at desc"), text("id desc")),
        Index("ix_practice_city", "city_id", text("sorted_at desc"), text("id desc")),
        Index("ix_practice_updated", text("updated_at desc"), text("id desc")),
    )

    slug: str
    city_id: UUID = Field(foreign_key="city.id")
    status: PracticeStatus = vocabulary(PracticeStatus, default=PracticeStatus.DRAFT)
    # When everybody may see it: null = never. Derived from status, visibility and publish_at by the services.
    public_from: dt.datetime | None = moment(nullable=True)
    sdg_codes: list[str] = words()  # the goals and targets of `sdgs`, for filters
    created_at: dt.datetime = moment(now=True)
    updated_at: dt.datetime = moment(now=True)
    submitted_at: dt.datetime | None = moment(nullable=True)  # when it was first handed in: since then it is kept
    published_at: dt.datetime | None = moment(nullable=True)
    sorted_at: dt.datetime = moment(now=True)  # published_at, or created_at until then
    assumed: bool = false_unless_told()  # for a demonstration: no city wrote or published this


class FormerSlug(SQLModel, table=True):
    """A name that a practice had in addresses, which leads to its present one. Who was shown it then is kept: nobody
    else learns of it. It stays with the practice for good, so that an old address never leads to another's."""

    __tablename__ = "practice_former_slug"
    __table_args__ = (Index("ix_practice_former_slug_slug", "slug"),)

    practice_id: UUID = Field(foreign_key="practice.id", primary_key=True, ondelete="CASCADE")
    slug: str = Field(primary_key=True)
    shown_to_members: bool
    shown_to_public: bool
    until: dt.datetime = moment()


class PracticeListing(SQLModel, table=True):
    """What lists ask of a practice, in a narrow row: they filter, order and count here. Derived by triggers, in the
    statement that changed the practice or its readings (migrations 0004 and 0014), and never written by a service."""

    __tablename__ = "practice_listing"
    __table_args__ = (
        *(Index(f"ix_practice_listing_{name}", name, "id") for name in ("sorted_at", "updated_at", "slug")),
        *(
            Index(f"ix_practice_listing_city_{name}", "city_id", name, "id")
            for name in ("sorted_at", "updated_at", "slug")
        ),
        # What was published in one time and changed in another, month by month.
        *(
            Index(
                f"ix_practice_listing_month_{name}",
                text(f"date_trunc('month'::text, ({name} AT TIME ZONE 'UTC'::text))"),
                other,
            )
            for name, other in (("sorted_at", "updated_at"), ("updated_at", "sorted_at"))
        ),
        # Counts of a city, by whatever right, read this index and no row.
        Index(
            "ix_practice_listing_counted", "city_id", "public_from",
            postgresql_include=["status", "visibility", "id"],
        ),
        # What is waiting to be sorted into the index is looked through by each search: it is kept short.
        Index(
            "ix_practice_listing_found",
            text(
                "wego_practice_facets(city_id, country, region, status, visibility, public_from, stage, themes, "
                "sdg_codes, locales, evidence, technologies, keywords)"
            ),
            text("wego_title_grams(titles)"),
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 128},
        ),
    )  # fmt: skip

    id: UUID = Field(primary_key=True, foreign_key="practice.id", ondelete="CASCADE")
    slug: str
    city_id: UUID
    country: str  # of the city, as is the region
    region: str
    status: str
    visibility: str
    public_from: dt.datetime | None = moment(nullable=True)
    stage: str
    themes: list[str] = words()
    sdg_codes: list[str] = words()
    locales: list[str] = words()
    technologies: list[str] = words()
    keywords: list[str] = words()  # of all languages, in lower case
    evidence: str
    titles: str  # in lower case, one in a line
    published_at: dt.datetime | None = moment(nullable=True)
    updated_at: dt.datetime = moment()
    sorted_at: dt.datetime = moment()


class PracticeEditor(SQLModel, table=True):
    """A single practice given to a person of the role OBJECT_EDITOR."""

    __tablename__ = "practice_editor"

    practice_id: UUID = Field(foreign_key="practice.id", primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True)


class Review(SQLModel, table=True):
    """A reviewer of another city, and what he said. One review per reviewer and round."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("practice_id", "reviewer_id", "round"),
        Index("ix_review_reviewer_id", "reviewer_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    practice_id: UUID = Field(foreign_key="practice.id")
    revision_id: UUID = Field(foreign_key="content_revision.id")
    reviewer_id: UUID = Field(foreign_key="person.id")
    reviewer_city_id: UUID | None = Field(default=None, foreign_key="city.id")
    round: int = 1
    conflict_declared: str = ""
    status: ReviewStatus = vocabulary(ReviewStatus, default=ReviewStatus.ASSIGNED)
    score: Decimal | None = None
    locale: str = "en"
    assigned_at: dt.datetime = moment(now=True)
    decided_at: dt.datetime | None = moment(nullable=True)
    assumed: bool = false_unless_told()  # for a demonstration: nobody reviewed this


class ReviewComment(SQLModel, table=True):
    """What a reviewer says of one section, or (no section) of the whole."""

    __tablename__ = "review_comment"
    __table_args__ = (Index("ix_review_comment_review_id", "review_id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    review_id: UUID = Field(foreign_key="review.id")
    section: str | None = None
    text: str
    locale: str = "en"
    at: dt.datetime = moment(now=True)
