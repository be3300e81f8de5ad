"""Documents that are named by their SHA-256 hash instead of being sent each time.

Anybody may have a document remembered by sending it with its hash once (Apollo's automatic persisted queries): it is
kept in memory, within a budget, and a client whose document was forgotten is told to send it again. A program may have
its documents registered for good (`wego programs documents`): they are found by their hash also after a restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from federation.verifier import Credential
from wego.core.cache import Cache
from wego.core.errors import Invalid, NotFound

BYTES = 4 * 2**20

Registered = Callable[[str, str], Awaitable[str | None]]


class NotPersisted(NotFound):
    """No document of this hash is known. Clients look for this code and this very message."""

    code, status = "PERSISTED_QUERY_NOT_FOUND", 200


class PersistedDocuments:
    """Documents by their hash. `registered` finds the document that a program has registered, in the database."""

    def __init__(self, registered: Registered) -> None:
        self._registered = registered
        self._known: Cache[tuple[str, str], str] = Cache(BYTES)

    def remember(self, text: str, sha256: str) -> None:
        """Keep a document under its hash; Invalid when the hash is of another text."""
        if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != sha256:
            raise Invalid("The document is not the one of this hash.", path=("extensions",))
        self._known.put(("", sha256), text)

    async def find(self, sha256: str, credential: Credential | None) -> str:
        """The text of a document; NotPersisted when it has to be sent."""
        found = self._known.get(("", sha256))
        if found is None and credential is not None:
            client = str(credential.verified.claims.get("client_id", ""))
            found = self._known.get((client, sha256)) or await self._load(client, sha256)
        if found is None:
            raise NotPersisted("PersistedQueryNotFound")
        return found

    async def _load(self, client: str, sha256: str) -> str | None:
        text = await self._registered(client, sha256)
        if text is not None:
            self._known.put((client, sha256), text)
        return text
