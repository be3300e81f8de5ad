"""The nouns of people: person, post, invitation."""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from wego.core.access import Role
from wego.core.db import moment, vocabulary
from wego.core.ids import new_id

_bytes: Any = LargeBinary()


class Person(SQLModel, table=True):
    """Somebody who acts for a city or for the secretariat."""

    __tablename__ = "person"
    __table_args__ = (Index("uq_person_email", text("lower(email)"), unique=True),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    email: str
    name: str
    locale: str = "en"
    created_at: dt.datetime = moment(now=True)


class RoleGrant(SQLModel, table=True):
    """A role of a person at a place: an organisation, a body, or (none) the secretariat; kept when it ends."""

    __tablename__ = "role_grant"
    __table_args__ = (
        Index(
            "uq_role_grant_open", "person_id", "role",
            text("coalesce(organisation_id, '00000000-0000-0000-0000-000000000000')"),
            unique=True, postgresql_where=text("revoked_at is null"),
        ),
        Index("ix_role_grant_organisation_id", "organisation_id"),
        CheckConstraint(
            "(role in ('officer', 'secretariat_editor', 'auditor')) = (organisation_id is null)", name="place"
        ),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id")
    role: Role = vocabulary(Role)
    granted_at: dt.datetime = moment(now=True)
    granted_by: str = ""
    revoked_at: dt.datetime | None = moment(nullable=True)
    revoked_by: str | None = None


class InvitationStatus(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"


class Invitation(SQLModel, table=True):
    """A one-time link for a person to a role; only the hash of its secret is kept."""

    __tablename__ = "invitation"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    email: str
    name: str
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id", index=True)
    role: Role = vocabulary(Role)
    locale: str = "en"
    secret_hash: bytes = Field(sa_type=_bytes, unique=True)
    status: InvitationStatus = vocabulary(InvitationStatus, default=InvitationStatus.OPEN)
    invited_by: str = ""
    created_at: dt.datetime = moment(now=True)
    expires_at: dt.datetime = moment()
