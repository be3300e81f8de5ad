"""Documents that a program has registered: trusted ones, found by their SHA-256 hash.

A program whose `documents_only` is set runs nothing else: whoever steals its key can ask no more than it asks anyway.
The rule travels in its tokens (claim `documents`: `registered`), so that no request needs to look it up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from federation.oauth.models import OAuthClient, OAuthDocument, OAuthToken
from members.people.people import touch_access
from wego.core import access, audit
from wego.core.access import Actor, Permission
from wego.core.audit import Event, Subject
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid
from wego.core.reads.documents import LONGEST_DOCUMENT

MOST_DOCUMENTS = 1_000  # of one program
_FIND = """
    SELECT d.text FROM oauth_document d JOIN oauth_client c ON c.id = d.client_id
    WHERE c.client_id = $1 AND d.sha256 = $2
"""


def hash_of(text: str) -> str:
    """SHA-256 of the UTF-8 of a document, in lower-case hexadecimal digits, as clients compute it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


async def find(reads: Any, client_id: str, sha256: str) -> str | None:
    """The text of a registered document of a program; None when it has none of this hash."""
    found: str | None = await reads.fetchval(_FIND, client_id, bytes.fromhex(sha256))
    return found


async def register(
    db: Session, actor: Actor, client: OAuthClient, texts: Sequence[str], *, only: bool | None = None
) -> list[str]:
    """Register documents of a program; the hashes by which it names them. Those that are registered already stay.
    `only` says whether the program may run nothing else; None leaves it as it is."""
    access.require(actor, Permission.ROLE_ASSIGN, client.organisation_id)
    if client.revoked_at is not None:
        raise Conflict("The program has been revoked before.")
    for text in texts:
        if not 0 < len(text.encode("utf-8", "surrogatepass")) <= LONGEST_DOCUMENT:
            raise Invalid("The document is too long; the limit is {limit} bytes.", limit=LONGEST_DOCUMENT)
    count = select(func.count()).select_from(OAuthDocument).where(col(OAuthDocument.client_id) == client.id)
    if (await db.execute(count)).scalar_one() + len(texts) > MOST_DOCUMENTS:
        raise Invalid("A program has at most {limit} registered documents.", limit=MOST_DOCUMENTS)
    hashes = [hash_of(text) for text in texts]
    rows = [
        {"client_id": client.id, "sha256": bytes.fromhex(sha256), "text": text}
        for sha256, text in dict(zip(hashes, texts, strict=True)).items()
    ]
    if rows:
        await db.execute(insert(OAuthDocument).on_conflict_do_nothing(), rows)
    if only is not None and only != client.documents_only:
        client.documents_only = only
        await _end_tokens(db, client)
    facts: dict[str, Any] = {"client": client.client_id, "documents": len(rows), "only": client.documents_only}
    await audit.record(
        db, actor, Event.CLIENT_DOCUMENTS_REGISTERED, Subject.CLIENT, client.id, place=client.organisation_id,
        under=Permission.ROLE_ASSIGN, **facts,
    )  # fmt: skip
    return hashes


async def _end_tokens(db: Session, client: OAuthClient) -> None:
    """Refuse the tokens that are out: they do not say the new rule, and the program gets others by itself."""
    alive = update(OAuthToken).where(
        col(OAuthToken.client_id) == client.client_id, col(OAuthToken.revoked_at).is_(None)
    )
    await db.execute(alive.values(revoked_at=func.now()))
    await touch_access(db)


async def forget_all(db: Session, actor: Actor, client: OAuthClient) -> None:
    """Remove all registered documents of a program, which then runs what it likes again."""
    access.require(actor, Permission.ROLE_ASSIGN, client.organisation_id)
    await db.execute(delete(OAuthDocument).where(col(OAuthDocument.client_id) == client.id))
    if client.documents_only:
        client.documents_only = False
        await _end_tokens(db, client)
    facts: dict[str, Any] = {"client": client.client_id, "documents": 0, "only": False}
    await audit.record(
        db, actor, Event.CLIENT_DOCUMENTS_REGISTERED, Subject.CLIENT, client.id, place=client.organisation_id,
        under=Permission.ROLE_ASSIGN, **facts,
    )  # fmt: skip
