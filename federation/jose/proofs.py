"""Proof of possession: a program shows with each request that the token's key is its own.

Binding text: RFC 9449 sections 4.2, 4.3, 5 and 7; federation.md 5.6 (replay). A proof is good for one request
within a minute: what is returned here says which key must still be unused, the caller inserts it.

Where each check of RFC 9449 section 4.3 is made:

     1  one DPoP header                  `open_proof`         7  signature by that key     `jose.check_signature`
     2  one well-formed JWT              `jose.pieces`        8  no private half           `jose.public_key`
     3  the required claims are there    `_check_claims`      9  htm is the method         `_check_claims`
     4  typ dpop+jwt                     `_header`           10  htu is the address        `_check_claims`
     5  an asymmetric, accepted alg      `_header`           11  nonce: this server asks for none
     6  a public key in jwk              `jose.public_key`   12  iat within the window     `_check_claims`
    13  ath is the token's hash          `_check_claims`         and the key is the token's: `Verifier.authenticate`

What is kept between requests is the outcome of checks of the header alone (4, 5, 6, 8), with the token that is bound to
its key, for a header of the very same letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from federation.jose import jose
from federation.jose.replay import Once, once

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


@dataclass(slots=True)
class ProofKey:
    """The header of a proof, as it was written, with the key in it and the key's thumbprint."""

    header: str
    key: jose.PublicKey
    jkt: str


@dataclass(slots=True)
class Proof:
    """A proof that was checked in all but one point: whether it was used before."""

    by: ProofKey
    once: Once

    @property
    def jkt(self) -> str:
        return self.by.jkt


def refused(description: str) -> TokenError:
    return TokenError("invalid_dpop_proof", description)


def open_proof(
    sent: Sequence[str], method: str, url: str, now: datetime, *, ath: str | None = None, known: ProofKey | None = None
) -> Proof:
    """Check the DPoP headers of one request. `url` is the address under which the world knows this endpoint: it comes
    from the settings, never from the request's own Host. `ath` is the hash of the token that is shown with the proof,
    `known` the header of an earlier proof."""
    if len(sent) != 1:
        raise refused("Send exactly one DPoP header with a proof." if sent else "A DPoP proof is missing.")
    try:
        head, body, signature = jose.pieces(sent[0])
        by = known if known is not None and known.header == head else _header(head)
        jose.check_signature(sent[0], signature, by.key)
        return Proof(by, _check_claims(jose.members(jose.decode64(body)), by, method, url, now.timestamp(), ath))
    except jose.Malformed as problem:
        raise refused(str(problem)) from None


def _header(piece: str) -> ProofKey:
    """The key in a proof's header. A program's proofs all have the same header, so importing its key, a third of the
    work, is done once for each token."""
    header = jose.header_of(piece, allowed=("jwk",))
    if jose.media_type(header) != "dpop+jwt":
        raise jose.Malformed("The proof is not of type dpop+jwt.")
    if "jwk" not in header:
        raise jose.Malformed("The header of the proof has no jwk: put the public key there.")
    key = jose.public_key(header["jwk"])
    jose.check_algorithm(header, key)
    return ProofKey(piece, key, key.thumbprint())


def _check_claims(claims: dict[str, Any], by: ProofKey, method: str, url: str, now: float, ath: str | None) -> Once:
    """The claims of a proof, its signature being good."""
    if claims.get("htm") != method:
        raise refused("The proof is for another method: htm is the method of this request.")
    address = claims.get("htu")
    if not isinstance(address, str) or (address != url and _normal(address) != _normal(url)):
        raise refused("The proof is for another address: htu is the address of this request, without its query.")
    issued = jose.seconds(claims, "iat")
    if not now - WINDOW <= issued <= now + AHEAD:
        raise refused("The proof is too old or from the future: check the clock.")
    if ath is not None and claims.get("ath") != ath:
        raise refused("The proof is for another token: ath is the hash of the token that is sent with it.")
    life = WINDOW + AHEAD
    return once("dpop", by.jkt, jose.identifier(claims, "jti", "proof"), issued + life, life)


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
