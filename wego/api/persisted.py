"""Documents that are named by their SHA-256 hash instead of being sent each time.

Anybody may have a document remembered by sending it with its hash once (Apollo's automatic persisted queries): it is
kept in memory, within a budget, and a client whose document was forgotten is told to send it again. A program may have
its documents registered for good (`wego programs documents`): they are found by their hash also after a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from federation.oauth import documents
from federation.oauth.verifier import Credential
from wego.core.cache import Cache
from wego.core.errors import Invalid, NotAllowed, NotFound

BYTES = 2**20  # of each of the two kinds
TRUSTED_SECONDS = 60.0  # after which it is asked again whether a document is still registered

Registered = Callable[[str, str], Awaitable[str | None]]


class NotPersisted(NotFound):
    """No document of this hash is known. Clients look for this code and this very message."""

    code, status = "PERSISTED_QUERY_NOT_FOUND", 200


class PersistedDocuments:
    """Documents by their hash. `registered` finds the document that a program has registered, in the database."""

    def __init__(self, registered: Registered) -> None:
        self._registered = registered
        self._sent: Cache[str, str] = Cache(BYTES)
        self._trusted: Cache[tuple[str, str], str] = Cache(BYTES, seconds=TRUSTED_SECONDS)

    def remember(self, text: str, sha256: str) -> None:
        """Keep a document under its hash; Invalid when the hash is of another text."""
        if documents.hash_of(text) != sha256:
            raise Invalid("The document is not the one of this hash.", path=("extensions",))
        self._sent.put(sha256, text)

    async def find(self, sha256: str, credential: Credential | None) -> str:
        """The text of a document; NotPersisted when it has to be sent."""
        found = self._sent.get(sha256)
        if found is None and credential is not None:
            found = await self.registered(sha256, credential)
        if found is None:
            raise NotPersisted("PersistedQueryNotFound")
        return found

    async def registered(self, sha256: str, credential: Credential) -> str | None:
        """The document of this hash that the program of a token has registered."""
        client = credential.verified.client_id
        found = self._trusted.get((client, sha256))
        if found is None:
            found = await self._registered(client, sha256)
            if found is not None:
                self._trusted.put((client, sha256), found)
        return found

    async def require(self, text: str, credential: Credential) -> None:
        """Refuse a program that may only run its registered documents another one."""
        if not credential.verified.documents_only:
            return
        if await self.registered(documents.hash_of(text), credential) is None:
            raise NotAllowed("This program may only run the documents that are registered for it.")
