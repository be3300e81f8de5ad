"""How much one caller may do in a minute, by purpose (per server process): buckets that fill again.

A caller is known by what he cannot choose: the program or person that a verified token names, else the address of the
connection (of the client behind a configured proxy). The kinds are part of the name, so that an address never counts
for a program that is called like it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from wego.core.access import Actor
from wego.core.cache import Cache
from wego.core.errors import RateLimited

BYTES = 2 * 2**20  # of buckets: some five thousand callers; who was seen longest ago starts with a full bucket again
KEPT_SECONDS = 3_600.0


class Purpose(StrEnum):
    """What is counted."""

    REQUEST = "request"
    COST = "cost"  # objects asked for, and characters of documents that were new
    MUTATION = "mutation"
    TOKEN = "token"  # noqa: S105  # asking for tokens, revoking, introspecting
    ISSUE = "issue"  # the same, of one program that has proved who it is
    GUESS = "guess"  # a token, a proof or an assertion that was not good
    INVITATION = "invitation"  # tries to accept one


@dataclass(slots=True)
class Bucket:
    """What is left, and since when."""

    left: float
    at: float


class Rates:
    """Token buckets by purpose and caller. A purpose without a limit, or with 0, is not counted."""

    def __init__(self, per_minute: dict[Purpose, int]) -> None:
        self.per_minute = {purpose: limit for purpose, limit in per_minute.items() if limit > 0}
        self._buckets: Cache[tuple[Purpose, str], Bucket] = Cache(BYTES, size=lambda _: 80, seconds=KEPT_SECONDS)
        self.refused = dict.fromkeys(Purpose, 0)  # for /metrics

    def wait(self, purpose: Purpose, caller: str, amount: int = 1, now: float | None = None) -> float:
        """Take `amount`; 0 when there was anything left, else the seconds until there is. What costs more than is left
        is given and leaves a debt, so that a dear request is not impossible but followed by a pause."""
        limit = self.per_minute.get(purpose)
        if limit is None:
            return 0.0
        now = time.monotonic() if now is None else now
        rate = limit / 60
        bucket = self._buckets.get((purpose, caller))
        if bucket is None:
            bucket = Bucket(float(limit), now)
            self._buckets.put((purpose, caller), bucket)
        else:
            bucket.left = min(float(limit), bucket.left + (now - bucket.at) * rate)
            bucket.at = now
        if bucket.left >= 1:
            bucket.left -= amount
            return 0.0
        return (1 - bucket.left) / rate

    def take(self, purpose: Purpose, caller: str, amount: int = 1) -> None:
        """Take `amount`, or raise RateLimited, which says when to come again."""
        wait = self.wait(purpose, caller, amount)
        if wait:
            self.refused[purpose] += 1
            raise RateLimited("Too many requests; try again in {seconds} seconds.", seconds=int(wait) + 1)

    def __len__(self) -> int:
        return len(self._buckets)


def caller_of(actor: Actor, address: str) -> str:
    """The name under which somebody is counted."""
    return f"{actor.kind}:{actor.subject}" if actor.signed_in else f"ip:{address}"
