"""The nouns of signatures: the keys of the hub, and the proofs that were used."""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, LargeBinary
from sqlmodel import Field, SQLModel

from wego.core.db import document, moment

_bytes: Any = LargeBinary()


class OAuthKey(SQLModel, table=True):
    """A public key of this authorization server and its time; the private half is a file of mode 0600."""

    __tablename__ = "oauth_key"
    __table_args__ = (CheckConstraint("active_from < retired_at", name="order"),)

    kid: str = Field(primary_key=True)
    jwk: dict[str, Any] = document()
    published_at: dt.datetime = moment(now=True)
    active_from: dt.datetime = moment()
    retired_at: dt.datetime | None = moment(nullable=True)  # removed from the JWKS then


class OAuthReplay(SQLModel, table=True):
    """A used jti of an assertion or a proof, under the key of `federation.jose.replay`: when it ends, and a hash."""

    __tablename__ = "oauth_replay"

    key: bytes = Field(sa_type=_bytes, primary_key=True)
