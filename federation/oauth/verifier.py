"""Who is asking: the verifier of our own access tokens and of the proofs that come with them.

Binding texts: RFC 9068 section 4, RFC 9449 sections 4.3 and 7, RFC 6750 sections 2 and 3, RFC 8725;
federation.md 3.4 (why Authlib's validator is not used) and 5.3. Nothing here asks the database: the actor is
built from the claims alone. Whether the proof was used before, and whether rights have changed since (`epoch`; a
revoked token changes it as well) is asked by the statement of the read itself (`gate.py`), with what a `Credential`
carries.

A token that was found good is remembered by the bytes of the header it came in, until it ends; so is the key of its
proofs. What can change is asked each time: its times, whether the key that signed it is still one of ours, and all of
the proof but its header.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from federation.jose import jose
from federation.jose.keys import KeyRing
from federation.jose.proofs import ProofKey, TokenError, open_proof
from federation.jose.replay import Once
from wego.core.access import SECRETARIAT, Actor, ActorKind, Place, PlaceKind, Post, Role, organisation
from wego.core.cache import Cache
from wego.core.settings import Settings

SKEW = 5.0  # seconds by which clocks may differ
BYTES = 4 * 2**20  # of remembered tokens in a process: some thirteen hundred
_EACH, _EACH_POST = 2_000, 250  # bytes of a verified token with its actor and its proof's key, and of each post
_USUAL = b"DPoP "
_CREDENTIALS = re.compile(r"([A-Za-z][A-Za-z0-9-]*) +([A-Za-z0-9._~+/=-]+)")


@dataclass(slots=True)
class Verified:
    """A token that was found good, and what it says. `federation.oauth.actors.reload` brings actor and epoch up to
    date, so that a change of rights costs one look-up per token and not one per request."""

    digest: bytes  # SHA-256 of the token: its short name within this process
    ath: str
    kid: str
    jti: str
    client_id: str
    documents_only: bool  # whether its program may run nothing but what is registered for it
    jkt: str
    issued: datetime
    starts: float
    ends: float
    scope: frozenset[str]
    actor: Actor
    epoch: int
    refused: bool = False
    proof_key: ProofKey | None = field(default=None, repr=False)


@dataclass(slots=True)
class Credential:
    """A token with a fresh proof, good but for what only the database knows: the proof must be unused (`once`), and
    `epoch` is compared with the present one."""

    actor: Actor
    epoch: int
    once: Once
    verified: Verified = field(repr=False, compare=False)

    @property
    def scope(self) -> frozenset[str]:
        return self.verified.scope

    @property
    def identity(self) -> tuple[bytes, int]:
        """A short name of the token with the rights that it has in this epoch: two credentials with one identity have
        the same actor, so what was prepared for one serves the other."""
        return self.verified.digest, self.epoch


def refused(description: str) -> TokenError:
    return TokenError("invalid_token", description)


def challenge(settings: Settings, problem: TokenError | None = None) -> str:
    """The value of `WWW-Authenticate` (RFC 9449 section 7.1, RFC 9728 section 5.1)."""
    said = [f'error="{problem.error}"', f'error_description="{problem.description}"'] if problem else []
    where = f'resource_metadata="{settings.issuer}/.well-known/oauth-protected-resource/graphql"'
    return "DPoP " + ", ".join([*said, where, f'algs="{" ".join(jose.VERIFIED_ALGORITHMS)}"'])


class Verifier:
    """Verifies the tokens of this hub for one resource. Verified tokens are remembered until they end; the proof is
    checked every time."""

    def __init__(
        self, settings: Settings, keys: KeyRing, *, resource: str | None = None, most_bytes: int = BYTES
    ) -> None:
        self._issuer = settings.issuer
        self._resource = resource or settings.resource
        self._keys = keys
        # Keys are the header's own bytes, which a hash would have to read as well; they are ours by their signature.
        self._seen: Cache[bytes, Verified] = Cache(most_bytes, size=_size, seconds=settings.token_seconds + SKEW)

    def authenticate(
        self, headers: Iterable[tuple[bytes, bytes]], method: str, url: str, now: datetime | None = None
    ) -> Credential | None:
        """The credential of one request; None when there is none; TokenError when it is not good. `headers`
        are those of ASGI, `url` is the issuer's address of this endpoint with the query as it came."""
        at = now or datetime.now(UTC)
        given: list[bytes] = []
        proofs: list[str] = []
        for name, value in headers:
            if name == b"authorization":
                given.append(value)
            elif name == b"dpop":
                proofs.append(value.decode("latin-1"))
        if "?" in url and _names_token(url):
            raise TokenError("invalid_request", "A token does not belong into the address.", 400)
        if not given:
            return None
        known = self._shown(given, at)
        proof = open_proof(proofs, method, url, at, ath=known.ath, known=known.proof_key)
        if proof.jkt != known.jkt:
            raise TokenError("invalid_dpop_proof", "The proof is by another key than the one of the token.")
        known.proof_key = proof.by
        return Credential(known.actor, known.epoch, proof.once, known)

    def _shown(self, given: list[bytes], at: datetime) -> Verified:
        """The token of the Authorization header, from memory where it was seen before."""
        if len(given) != 1:
            raise TokenError("invalid_request", "Send one Authorization header.", 400)
        known = self._seen.get(given[0])
        if known is None:
            token = _token_of(given[0].decode("latin-1"))
            known, _ = self._checked(token, at)
            if given[0] == _USUAL + token.encode("ascii"):  # one spelling is kept: there are endless others
                self._seen.put(given[0], known)
            return known
        if self._keys.public(known.kid, at) is None:
            raise refused("The key of the token is not ours, or was retired.")
        if known.refused:
            raise refused("The right to use this token has ended.")
        _check_times(known, at.timestamp())
        return known

    def verify(self, token: str, now: datetime) -> Verified:
        """What a token says, when its signature, issuer, audience and times are good. Nothing is remembered."""
        return self._checked(token, now)[0]

    def claims(self, token: str, now: datetime) -> Mapping[str, Any]:
        """All claims of a token that is good so far."""
        return self._checked(token, now)[1]

    def _checked(self, token: str, now: datetime) -> tuple[Verified, dict[str, Any]]:
        try:
            known, claims = self._opened(token, now)
        except jose.Malformed as problem:
            raise refused(str(problem)) from None
        _check_times(known, now.timestamp())
        return known, claims

    def _opened(self, token: str, now: datetime) -> tuple[Verified, dict[str, Any]]:
        header, payload = jose.parts(token)
        if jose.media_type(header) != "at+jwt":
            raise jose.Malformed("This is not an access token.")
        kid = jose.name(header.get("kid"))
        key = self._keys.public(kid, now)
        if key is None:
            raise jose.Malformed("The key of the token is not ours, or was retired.")
        jose.verify(token, key, algorithms=(jose.SIGNING_ALGORITHM,))
        claims = jose.members(payload)
        if claims.get("iss") != self._issuer:
            raise jose.Malformed("The token is of another issuer.")
        if claims.get("aud") != self._resource:
            raise jose.Malformed("The token is for another resource.")
        return _verified(claims, token, kid), claims


def _size(known: Verified) -> int:
    return _EACH + _EACH_POST * len(known.actor.posts)


def _names_token(url: str) -> bool:
    query = urlsplit(url).query
    return any(name == "access_token" for name, _ in parse_qsl(query, keep_blank_values=True))


def _token_of(given: str) -> str:
    credentials = _CREDENTIALS.fullmatch(given)
    if credentials is None:
        raise TokenError("invalid_request", "The Authorization header cannot be read.", 400)
    if credentials[1].lower() != "dpop":
        raise refused("Send the token with the scheme DPoP and a proof.")
    return credentials[2]


def _check_times(known: Verified, now: float) -> None:
    if now >= known.ends + SKEW:
        raise refused("The token has expired: get a new one.")
    if now < max(known.starts, known.issued.timestamp()) - SKEW:
        raise refused("The token is not valid yet: check the clock.")


def _verified(claims: dict[str, Any], token: str, kid: str) -> Verified:
    subject, client, confirmed, epoch, scope = (claims.get(c) for c in ("sub", "client_id", "cnf", "epoch", "scope"))
    if not isinstance(subject, str) or not isinstance(client, str) or not isinstance(scope, str):
        raise jose.Malformed("The token lacks a claim.")
    if not isinstance(confirmed, dict) or not isinstance(confirmed.get("jkt"), str):
        raise jose.Malformed("The token is not bound to a key.")
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0:
        raise jose.Malformed("The token lacks a claim.")
    digest = hashlib.sha256(token.encode("ascii")).digest()
    return Verified(
        digest=digest,
        ath=jose.encode64(digest),
        kid=kid,
        jti=jose.identifier(claims, "jti", "token"),
        client_id=client,
        documents_only=claims.get("documents") == "registered",
        jkt=confirmed["jkt"],
        issued=datetime.fromtimestamp(jose.seconds(claims, "iat"), UTC),
        starts=jose.seconds(claims, "nbf"),
        ends=jose.seconds(claims, "exp"),
        scope=frozenset(scope.split()),
        actor=_actor(claims, frozenset(scope.split())),
        epoch=epoch,
    )


def claim_of(post: Post) -> dict[str, Any]:
    """A post as a token says it: `city` is the id of its place, empty in the secretariat; a body is named as one."""
    claim = {"role": post.role.value, "city": str(post.place.id or ""), "active": post.active}
    return claim | ({"place": post.place.kind.value} if post.place.kind is PlaceKind.BODY else {})


def post_of(claim: Mapping[str, Any]) -> Post:
    """The post that a claim says; the reverse of `claim_of`."""
    kind = PlaceKind(claim.get("place", PlaceKind.ORGANISATION))
    place = Place(kind, UUID(claim["city"])) if claim["city"] else SECRETARIAT
    return Post(Role(claim["role"]), place, claim["active"] is True)


def _actor(claims: Mapping[str, Any], scope: frozenset[str]) -> Actor:
    """The actor that a token describes: a program of one city, or a person with his posts."""
    locale = claims.get("locale") if isinstance(claims.get("locale"), str) else ""
    try:
        if "posts" not in claims:
            posts: tuple[Post, ...] = (Post(Role.PROGRAM, organisation(UUID(claims["city"]))),)
            return Actor(ActorKind.PROGRAM, claims["sub"], posts=posts, scopes=scope, locale=str(locale))
        posts = tuple(post_of(claim) for claim in claims["posts"])
        person = UUID(claims["sub"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise jose.Malformed("The token lacks a claim.") from None
    return Actor(ActorKind.PERSON, claims["sub"], person_id=person, posts=posts, locale=str(locale))
