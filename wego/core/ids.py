"""Keys: UUID version 7 (RFC 9562 section 5.7), and the global object ids of the Relay specification."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh key; later keys sort after earlier ones, so that they are inserted at the end of an index."""
    return uuid_utils.compat.uuid7()


def global_id(type_name: str, key: UUID) -> str:
    """The opaque id of a node: base64url without padding of `Type:uuid`."""
    return base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("=")


def parse_global_id(text: str) -> tuple[str, UUID] | None:
    """The type and key of a global id; None for what never came from us."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
        name, _, key = raw.partition(":")
        parsed = UUID(key)
    except (ValueError, UnicodeError, binascii.Error):
        return None
    return (name, parsed) if global_id(name, parsed) == text else None
