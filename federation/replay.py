"""What may be used once: the key under which a used jti of a proof or an assertion is remembered.

Binding texts: RFC 9449 section 11.1, RFC 7523 section 3 (jti); federation.md 5.6. A key is the span of time in which
the thing ends, four bytes, and 28 bytes of SHA-256 over its kind, its issuer or key, and its jti. So rows arrive at the
right edge of the one index and leave at its left: a random key made PostgreSQL write a whole page to its log for
nearly each proof (5.4 KB), this one writes 281 bytes, and the purge is a range.

The time is the signed one of the thing itself (`iat` of a proof, `exp` of an assertion), never a clock of ours: every
worker, before and after a jump of its clock, makes the same key of the same thing. Another thing with the same jti,
signed anew with another time, is still found, because two things that are good at one moment end less than half a span
apart: the second lies in the same span or in the nearer of its neighbours, and both keys are asked for. (Two such that
come in the very same moment may both pass. They are two things, signed by the holder of the key; one thing never does.)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

SPAN_BITS = 8  # 256 seconds: more than twice the life of an assertion, which is the longest
_HALF = 1 << (SPAN_BITS - 1)
_DIGEST_BYTES = 28


@dataclass(slots=True)
class Once:
    """The key of a thing that must be unused, and the key that it would have in the nearer neighbouring span."""

    key: bytes
    near: bytes


def once(kind: str, issuer: str, jti: str, ends: float) -> Once:
    """The keys of a thing that is good until `ends`. Never the text itself: what is remembered says nothing."""
    digest = hashlib.sha256(f"{kind}:{issuer}:{jti}".encode()).digest()[:_DIGEST_BYTES]
    second = int(ends)
    span = second >> SPAN_BITS
    near = span + 1 if second & _HALF else max(span - 1, 0)
    return Once(span.to_bytes(4, "big") + digest, near.to_bytes(4, "big") + digest)


def first_after(moment: datetime) -> bytes:
    """Keys below this one are of spans that were over at this moment."""
    return (max(int(moment.timestamp()), 0) >> SPAN_BITS).to_bytes(4, "big")
