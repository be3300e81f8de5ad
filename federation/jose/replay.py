"""What may be used once: the key under which a used jti of a proof or an assertion is remembered.

Binding texts: RFC 9449 section 11.1, RFC 7523 section 3 (jti); federation.md 5.6. A key is the span of time in which
the thing ends, four bytes, and 28 bytes of SHA-256 over its kind, its issuer or key, and its jti. So rows arrive at the
right edge of the one index and leave at its left: a random key made PostgreSQL write a whole page to its log for
nearly each proof (5.4 KB at three million rows), this one touches the pages of the last minutes only, and the purge is
a range.

The time is the signed one of the thing itself (`iat` of a proof, `exp` of an assertion), never a clock of ours: every
worker, before and after a jump of its clock, makes the same key of the same thing. Another thing with the same jti,
signed anew with another time, is found as well: two things that are good at one moment end less than a life apart, so
the other lies in the same span, or, where this one ends near an edge of its span, in the span behind that edge; then
that key is asked for too. (Two such that come in the very same moment may both pass. They are two things, signed by the
holder of the key; one thing never does.)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

SPAN_BITS = 9
SPAN = 1 << SPAN_BITS  # seconds: wide enough that few things end near an edge, and more than two lives
_DIGEST_BYTES = 28


@dataclass(slots=True)
class Once:
    """The key of a thing that must be unused, and the key in the span behind a near edge, if one is near."""

    key: bytes
    near: bytes | None = None


def once(kind: str, issuer: str, jti: str, ends: float, life: float) -> Once:
    """The keys of a thing that is good until `ends`; things of its kind are good for `life` seconds at most. Never the
    text itself: what is remembered says nothing."""
    digest = hashlib.sha256(f"{kind}:{issuer}:{jti}".encode()).digest()[:_DIGEST_BYTES]
    second, margin = int(ends), int(life) + 1
    span, place = second >> SPAN_BITS, second & (SPAN - 1)
    key = span.to_bytes(4, "big") + digest
    if place < margin:
        return Once(key, max(span - 1, 0).to_bytes(4, "big") + digest)
    if place >= SPAN - margin:
        return Once(key, (span + 1).to_bytes(4, "big") + digest)
    return Once(key)


def first_after(moment: datetime) -> bytes:
    """Keys below this one are of spans that were over at this moment."""
    return (max(int(moment.timestamp()), 0) >> SPAN_BITS).to_bytes(4, "big")
