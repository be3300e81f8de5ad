"""A program of the demonstration with its token, and proofs made before the load begins."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.load import Target
from federation.client import HubClient, proof
from federation.jose import jose

CITY = "seoul"
EARLY = 60  # a token is replaced this many seconds before it ends


@dataclass
class Program:
    """One program: a token is got when it is needed, since one lives for minutes only."""

    client: HubClient
    _token: Mapping[str, Any] | None = None
    _until: float = 0.0

    @classmethod
    def of(cls, home: Path, issuer: str) -> Program:
        client = HubClient.from_file(home / "demo" / "clients" / f"{CITY}.json")
        client.issuer, client.resource = issuer, f"{issuer}/graphql"
        return cls(client)

    @property
    def token(self) -> Mapping[str, Any]:
        if self._token is None or time.monotonic() > self._until:
            self._token = self.client.token("graphql:query")
            self._until = time.monotonic() + int(self._token["expires_in"]) - EARLY
        return self._token

    def proofs(self, count: int) -> list[str]:
        """As many proofs; each is good for one request within a minute."""
        key = jose.private_key(self.token["dpop_jwk"])
        return [proof(key, "POST", self.client.resource, self.token["access_token"]) for _ in range(count)]

    def target(self, plain: Target) -> Target:
        return replace(plain, headers=(*plain.headers, ("authorization", f"DPoP {self.token['access_token']}")))
