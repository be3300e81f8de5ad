"""Signed JSON: opening what others signed, signing what is ours. Only the compact form, only two algorithms.

Binding texts: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7519 (JWT), RFC 7638 (thumbprints), RFC 8725 (best
practice), RFC 9864 (the name Ed25519). Three steps, so that each caller decides what comes between them:

    header, payload = parts(token)        read, nothing is believed yet
    verify(token, key)                    the signature, by one key and the algorithm of that key
    members(payload)                      a JSON object without a member named twice

Signatures are checked on `cryptography` itself: a general JOSE library decides anew for each token what the caller has
decided already (which algorithms, which headers), and that cost a fifth of the signature.

Nothing here tells the caller's text back: descriptions are fixed sentences.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

VERIFIED_ALGORITHMS = ("ES256", "Ed25519")  # "EdDSA" names no curve and is deprecated by RFC 9864
SIGNING_ALGORITHM = "ES256"
MOST_BYTES = 8192  # of a token: a JSON document of this size can be neither deep nor slow
LONGEST_NAME = 255  # of a kid or a jti
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 section 2.2

# What would let a token bring its own key, or change how it is read (RFC 7515 section 4.1, RFC 7797).
REFUSED_HEADERS = frozenset({"jku", "x5u", "x5c", "jwk", "crit", "b64", "zip"})

PublicKey = ECKey | OKPKey


class Malformed(ValueError):
    """The text is no token, or not one that may be believed. The message is a fixed sentence."""


class _Registry(jws.JWSRegistry):
    max_header_length = MOST_BYTES
    max_payload_length = MOST_BYTES


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_PLAIN = bytes.maketrans(b"-_", b"+/")
_LAST = {2: _ALPHABET[::16], 3: _ALPHABET[::4]}  # the letters that can end a text of 4n + 2 or 4n + 3 letters

_ECDSA = ec.ECDSA(SHA256())
_COORDINATE = 32  # bytes of r and of s on P-256 (RFC 7518 section 3.4)

# For signing, one for each: a registry makes joserfc forget its argument `algorithms` (federation.md 3.4, 20).
_REGISTRIES = {name: _Registry(algorithms=[name], strict_check_header=False) for name in VERIFIED_ALGORITHMS}


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("A member of the JSON object is named twice.")
    return found


def _no_constant(_text: str) -> Any:
    raise Malformed("The JSON object holds a number that is none.")


_STRICT = json.JSONDecoder(object_pairs_hook=_no_twins, parse_constant=_no_constant)


def members(text: bytes) -> dict[str, Any]:
    """The members of a JSON object; a name that occurs twice, NaN, and anything but an object are refused."""
    try:
        found = _STRICT.decode(text.decode("utf-8"))
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("The token holds no JSON.") from None
    if not isinstance(found, dict):
        raise Malformed("The token holds no JSON object.")
    return found


def decode64(text: str) -> bytes:
    """base64url without padding, in its one canonical spelling: where the last letter carries spare bits, they are
    nought (RFC 4648 section 3.5)."""
    octets = text.encode("ascii", "replace")
    spare = len(octets) % 4
    if octets.translate(None, _ALPHABET) or spare == 1 or (spare and octets[-1] not in _LAST[spare]):
        raise Malformed("A part of the token is not base64url.")
    return binascii.a2b_base64(octets.translate(_TO_PLAIN) + b"=="[: -spare % 4])


def encode64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def pieces(token: str) -> tuple[str, str, str]:
    """The three parts of a compact JWS, as they are written."""
    if len(token) > MOST_BYTES:
        raise Malformed("The token is too long.")
    split = token.split(".")
    if len(split) != 3 or not all(split):
        raise Malformed("The token is not a signed one.")
    return split[0], split[1], split[2]


def header_of(piece: str, *, allowed: Collection[str] = ()) -> dict[str, Any]:
    """The header that is written in the first part. `allowed` are parameters that are refused elsewhere."""
    header = members(decode64(piece))
    if (REFUSED_HEADERS - set(allowed)) & header.keys():
        raise Malformed("The header of the token has a parameter that is not accepted here.")
    return header


def parts(token: str) -> tuple[dict[str, Any], bytes]:
    """Header and payload of a compact JWS, believed by nobody yet."""
    head, body, _ = pieces(token)
    return header_of(head), decode64(body)


def media_type(header: Mapping[str, Any]) -> str:
    """The `typ` in its short, lower-case form (RFC 7515 section 4.1.9); "" when there is none."""
    kind = header.get("typ", "")
    if not isinstance(kind, str):
        raise Malformed("The type of the token is not a text.")
    return kind.lower().removeprefix("application/")


def name(value: object) -> str:
    """A kid or jti: visible ASCII of a sensible length."""
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_NAME:
        raise Malformed("An identifier in the token is missing or of the wrong length.")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise Malformed("An identifier in the token is not plain ASCII.")
    return value


def identifier(members: Mapping[str, Any], member: str, of: str) -> str:
    """A kid or jti of a header or of claims; what is wrong is told by the name of the member."""
    if member not in members:
        raise Malformed(f"The {of} has no {member}.")
    try:
        return name(members[member])
    except Malformed:
        raise Malformed(f"The {member} of the {of} is not 1 to {LONGEST_NAME} characters of plain ASCII.") from None


def seconds(claims: Mapping[str, Any], claim: str) -> float:
    """A NumericDate (RFC 7519 section 2) between 1970 and 9999."""
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 253402300800:
        raise Malformed(f"The token has no proper time in {claim}.")
    return value


def algorithm_of(key: PublicKey) -> str:
    return "ES256" if isinstance(key, ECKey) else "Ed25519"


def verify(token: str, key: PublicKey, *, algorithms: Collection[str] = VERIFIED_ALGORITHMS) -> None:
    """Raise Malformed unless the signature of a compact JWS is that of this key, by this key's own
    algorithm."""
    head, _, signature = pieces(token)
    check_algorithm(header_of(head, allowed=("jwk",)), key, algorithms)
    check_signature(token, signature, key)


def accepted_algorithm(header: Mapping[str, Any], algorithms: Collection[str] = VERIFIED_ALGORITHMS) -> str:
    """The algorithm that a header names."""
    named = header.get("alg")
    if not isinstance(named, str) or named not in algorithms:
        raise Malformed(f"The algorithm of the signature is not accepted here: use {' or '.join(algorithms)}.")
    return named


def check_algorithm(
    header: Mapping[str, Any], key: PublicKey, algorithms: Collection[str] = VERIFIED_ALGORITHMS
) -> None:
    """The algorithm is a property of the key (RFC 8725 section 3.1): what the header says can only agree with it."""
    if accepted_algorithm(header, algorithms) != algorithm_of(key):
        raise Malformed("The algorithm that the header names is not the one of the key.")


def check_signature(token: str, signature: str, key: PublicKey) -> None:
    """The signature alone, of a token whose header was checked; `signature` is its last part, as it is written."""
    octets = decode64(signature)
    try:
        signed = token[: -len(signature) - 1].encode("ascii")
        if isinstance(key, ECKey):
            if len(octets) != 2 * _COORDINATE:
                raise InvalidSignature
            r, s = int.from_bytes(octets[:_COORDINATE], "big"), int.from_bytes(octets[_COORDINATE:], "big")
            key.public_key.verify(encode_dss_signature(r, s), signed, _ECDSA)
        else:
            cast("Any", key.public_key).verify(octets, signed)
    except (InvalidSignature, ValueError):
        raise Malformed("The signature of the token does not fit its key.") from None


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: PublicKey) -> str:
    """A compact JWS of a JSON object, signed by a private key."""
    algorithm = algorithm_of(key)
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=True)
    return jws.serialize_compact({"alg": algorithm, **header}, payload, key, registry=_REGISTRIES[algorithm])


def public_key(jwk: object) -> PublicKey:
    """Import one public signing key: EC on P-256 or OKP on Ed25519; a private half is refused."""
    if not isinstance(jwk, dict) or len(jwk) > 16:
        raise Malformed("The key is not a JSON Web Key.")
    if jwk.keys() & {"d", "k", "p", "q", "dp", "dq", "qi", "oth"}:
        raise Malformed("The key has its private half in it: send only the public one.")
    if (jwk.get("kty"), jwk.get("crv")) not in (
        ("EC", "P-256"),
        ("OKP", "Ed25519"),
    ):  # a tuple: what is sent may be unhashable
        raise Malformed("The key is neither EC on P-256 nor OKP on Ed25519.")
    needed = ("kty", "crv", "x", "y") if jwk["kty"] == "EC" else ("kty", "crv", "x")
    if not all(isinstance(jwk.get(part), str) and len(decode64(jwk[part])) == 32 for part in needed[2:]):
        raise Malformed("The key does not have coordinates of 32 bytes.")
    if jwk.get("use", "sig") != "sig" or "verify" not in _operations(jwk):
        raise Malformed("The key is not for signatures.")
    if jwk.get("alg", _names(jwk)[0]) not in _names(jwk):
        raise Malformed("The key is for another algorithm.")
    bare = {part: jwk[part] for part in needed}
    try:
        key = ECKey.import_key(bare) if jwk["kty"] == "EC" else OKPKey.import_key(bare)
        _ = key.public_key
    except (JoseError, ValueError, TypeError):
        raise Malformed("The key is not a point of its curve.") from None
    return key


def _operations(jwk: Mapping[str, Any]) -> Collection[str]:
    operations = jwk.get("key_ops", ["verify"])
    return operations if isinstance(operations, list) else ()


def _names(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    return ("ES256",) if jwk["kty"] == "EC" else ("Ed25519", "EdDSA")


def private_key(jwk: Mapping[str, Any]) -> PublicKey:
    """Import one of our own or a program's own private keys."""
    public_key({part: value for part, value in jwk.items() if part not in {"d", "key_ops"}})
    bare = {part: jwk[part] for part in ("kty", "crv", "x", "y", "d") if part in jwk}
    try:
        key = ECKey.import_key(bare) if jwk["kty"] == "EC" else OKPKey.import_key(bare)
    except (JoseError, ValueError, TypeError):
        raise Malformed("The private key cannot be read.") from None
    if not key.is_private:
        raise Malformed("The key has no private half.")
    return key


def new_key() -> ECKey:
    return ECKey.generate_key("P-256")


def public_jwk(key: PublicKey, **more: str) -> dict[str, Any]:
    return {**cast("dict[str, Any]", key.as_dict(private=False)), **more}


def private_jwk(key: PublicKey, **more: str) -> dict[str, Any]:
    return {**cast("dict[str, Any]", key.as_dict(private=True)), **more}


def key_set(jwks: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The keys of a registered JWK Set by their kid."""
    return {entry["kid"]: public_key(entry) for entry in jwks["keys"]}


def token_hash(access_token: str) -> str:
    """`ath`: the hash by which a proof names its token (RFC 9449 section 4.2)."""
    return encode64(hashlib.sha256(access_token.encode("ascii")).digest())
