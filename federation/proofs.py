"""Proof of possession: a program shows with each request that the token's key is its own.

Binding text: RFC 9449 sections 4.2, 4.3, 5 and 7; federation.md 5.6 (replay). A proof is good for one request
within a minute: what is returned here says which digest must still be unused, the caller inserts it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from federation import jose

WINDOW = 60.0  # seconds for which a proof is good
AHEAD = 5.0  # seconds by which another clock may be fast

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


class TokenError(Exception):
    """A credential was refused: what `WWW-Authenticate` says (RFC 6750 section 3.1, RFC 9449 section 7.1)."""

    def __init__(self, error: str, description: str, status: int = 401) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was checked in all but one point: whether it was used before."""

    jkt: str
    digest: bytes
    expires: datetime


def refused(description: str) -> TokenError:
    return TokenError("invalid_dpop_proof", description)


def replay_digest(kind: str, issuer: str, jti: str) -> bytes:
    """What is remembered of a used jti: never the text itself."""
    return hashlib.sha256(f"{kind}:{issuer}:{jti}".encode()).digest()


def open_proof(sent: Sequence[str], method: str, url: str, now: datetime, *, access_token: str | None = None) -> Proof:
    """Check the DPoP headers of one request. `url` is the address under which the world knows this endpoint:
    it comes from the settings, never from the request's own Host."""
    if len(sent) != 1:
        raise refused("Send exactly one DPoP header with a proof." if sent else "A DPoP proof is missing.")
    try:
        return _opened(sent[0], method, url, now, access_token)
    except jose.Malformed as problem:
        raise refused(str(problem)) from None


def _opened(token: str, method: str, url: str, now: datetime, access_token: str | None) -> Proof:
    head, body, _ = jose.pieces(token)
    key, jkt = _proof_key(head)
    jose.verify(token, key)
    claims = jose.members(jose.decode64(body))
    if claims.get("htm") != method:
        raise refused("The proof is for another method.")
    if not isinstance(claims.get("htu"), str) or _normal(claims["htu"]) != _normal(url):
        raise refused("The proof is for another address.")
    issued = jose.seconds(claims, "iat")
    moment = now.timestamp()
    if not moment - WINDOW <= issued <= moment + AHEAD:
        raise refused("The proof is too old or from the future: check the clock.")
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        raise refused("The proof is for another token.")
    expires = datetime.fromtimestamp(issued + WINDOW + AHEAD, UTC)
    return Proof(jkt, replay_digest("dpop", jkt, jose.name(claims.get("jti"))), expires)


@lru_cache(maxsize=2048)
def _proof_key(piece: str) -> tuple[jose.PublicKey, str]:
    """The key in a proof's header, with its thumbprint. A program's proofs all have the same header, so
    importing its key, a third of the work, is done once."""
    header = jose.header_of(piece, allowed=("jwk",))
    if jose.media_type(header) != "dpop+jwt":
        raise jose.Malformed("The proof is not of type dpop+jwt.")
    if header.get("alg") not in jose.VERIFIED_ALGORITHMS:
        raise jose.Malformed("The algorithm of the proof is not accepted here.")
    key = jose.public_key(header.get("jwk"))
    return key, key.thumbprint()


def token_hash(access_token: str) -> str:
    """`ath`: the hash by which a proof names its token (RFC 9449 section 4.2)."""
    return jose.encode64(hashlib.sha256(access_token.encode("ascii")).digest())


@lru_cache(maxsize=512)
def _normal(url: str) -> tuple[str, str, int | None, str]:
    """An address in its normal form (RFC 3986 section 6.2.2 and 6.2.3), without query and fragment."""
    try:
        split = urlsplit(url)
        host, port = (split.hostname or "").lower(), split.port
    except ValueError:
        raise jose.Malformed("The proof names no proper address.") from None
    if "@" in split.netloc or len(url) > 2048 or not url.isascii():
        raise jose.Malformed("The proof names no proper address.")
    scheme = split.scheme.lower()
    usual = {"https": 443, "http": 80}.get(scheme)
    return scheme, host, port or usual, _ESCAPE.sub(_unescaped, split.path or "/")


def _unescaped(escape: re.Match[str]) -> str:
    letter = chr(int(escape[0][1:], 16))
    return letter if letter.isascii() and (letter.isalnum() or letter in "-._~") else escape[0].upper()
