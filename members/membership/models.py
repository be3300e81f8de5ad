"""The nouns of an application: what an organisation sends to become a member, and its files."""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from members.register.models import MembershipKind, MembershipStatus
from wego.core.db import document, false_unless_told, moment, vocabulary
from wego.core.ids import new_id

_bytes: Any = LargeBinary()


class Application(SQLModel, table=True):
    """What an organisation sends to become a member. One is open at a time; decided ones are kept."""

    __tablename__ = "application"
    __table_args__ = (
        Index("ix_application_organisation_id", "organisation_id"),
        Index("uq_application_open", "organisation_id", unique=True, postgresql_where=text("decided_at is null")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisation.id")
    kind: MembershipKind = vocabulary(MembershipKind, default=MembershipKind.CITY)
    status: MembershipStatus = vocabulary(MembershipStatus, default=MembershipStatus.APPLICATION_DRAFT)
    motivation: str = ""
    motivation_locale: str = "en"
    contact_name: str = ""
    contact_email: str = ""
    signatory_role: str = ""  # mayor, or authorised representative
    requested_changes: list[dict[str, Any]] = document("[]")
    created_at: dt.datetime = moment(now=True)
    submitted_at: dt.datetime | None = moment(nullable=True)
    decided_at: dt.datetime | None = moment(nullable=True)
    assumed: bool = false_unless_told()  # for a demonstration: nobody sent this


class ApplicationFile(SQLModel, table=True):
    """A file of an application: the signed form, or a letter."""

    __tablename__ = "application_file"
    __table_args__ = (
        UniqueConstraint("application_id", "kind"),
        CheckConstraint("kind in ('signed_form', 'official_letter')", name="kind"),
        CheckConstraint("length(content) between 1 and 5242880", name="size"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    application_id: UUID = Field(foreign_key="application.id")
    kind: str
    name: str
    media_type: str
    sha256: bytes = Field(sa_type=_bytes)
    content: bytes = Field(sa_type=_bytes)
    uploaded_at: dt.datetime = moment(now=True)
