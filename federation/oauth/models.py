"""Programs, their tokens, and the proofs that were used."""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from wego.core.db import document, moment, words
from wego.core.ids import new_id

_bytes: Any = LargeBinary()


class OAuthClient(SQLModel, table=True):
    """A program of an organisation: its public keys, and the scopes it may ask for. It has no secret."""

    __tablename__ = "oauth_client"
    __table_args__ = (Index("ix_oauth_client_organisation_id", "organisation_id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(unique=True)
    organisation_id: UUID = Field(foreign_key="organisation.id")
    name: str = ""
    jwks: dict[str, Any] = document()
    scopes: list[str] = words()
    documents_only: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    created_at: dt.datetime = moment(now=True)
    revoked_at: dt.datetime | None = moment(nullable=True)


class OAuthDocument(SQLModel, table=True):
    """A GraphQL document that a program has registered: it may be named by its hash instead of being sent."""

    __tablename__ = "oauth_document"

    client_id: UUID = Field(foreign_key="oauth_client.id", primary_key=True)
    sha256: bytes = Field(sa_type=_bytes, primary_key=True)
    text: str
    registered_at: dt.datetime = moment(now=True)


class OAuthToken(SQLModel, table=True):
    """An issued access token, by its jti; the token itself is kept nowhere."""

    __tablename__ = "oauth_token"
    __table_args__ = (Index("ix_oauth_token_expires_at", "expires_at"),)

    jti: str = Field(primary_key=True)
    client_id: str
    subject: str
    organisation_id: UUID | None = None
    scope: str
    resource: str
    issued_at: dt.datetime = moment(now=True)
    expires_at: dt.datetime = moment()
    revoked_at: dt.datetime | None = moment(nullable=True)
