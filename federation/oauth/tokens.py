"""The life of an access token: issued, revoked, asked about. Everything that touches the database.

Binding texts: RFC 6749 section 5, RFC 7009 (revocation), RFC 7662 (introspection), RFC 8707 (resource),
federation.md 5.4 and 5.6. A token costs two statements: the program is read, Authlib's core runs in memory,
then one statement writes the used jti of assertion and proof together with the token's row, or nothing of it: fifty
requests with one jti get exactly one token. Both run on the bare connections, which halves the cost of a token.

The rows of `oauth_token` are the journal of what was issued; `federation.oauth.jobs` sums them up in the audit log
when it deletes them, because one entry in the log per token would let every token wait for one lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from authlib.oauth2 import OAuth2Error
from sqlalchemy import insert, select, text, update
from sqlmodel import col

from federation.jose import jose
from federation.jose.keys import KeyRing, RingKey
from federation.jose.proofs import Proof, TokenError, open_proof
from federation.jose.replay import Once
from federation.oauth.actors import in_standing
from federation.oauth.models import OAuthToken
from federation.oauth.server import (
    METHOD,
    Assertion,
    FormRequest,
    Program,
    Terms,
    TokenServer,
    base_claims,
    core_answer,
    open_assertion,
    sign_token,
)
from federation.oauth.verifier import Verifier, claim_of
from members.people import people
from members.people.people import touch_access
from members.register.models import ACTIVE
from wego.core import audit
from wego.core.access import Actor, ActorKind, Post, Role, organisation
from wego.core.audit import Event, Subject
from wego.core.db import Database, Session
from wego.core.errors import NotAllowed, NotFound
from wego.core.ids import new_id
from wego.core.models import AccessEpoch
from wego.core.settings import Settings

Pace = Callable[[str], None]  # hears of a program that has proved who it is; may refuse, before anything is written

OPERATOR_CLIENT = "wego-cli"  # client_id of tokens that the operator issues for a person
_USED_ASSERTION = "The assertion was used before: make a new one for each request."
_USED_PROOF = "The proof was used before: make a new one for each request."


class Hub(Protocol):
    """What the endpoints need of the hub."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def keys(self) -> KeyRing: ...


class OAuthProblem(Exception):
    """An error of an OAuth endpoint (RFC 6749 section 5.2); the description is a fixed sentence."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.retry_after = 0  # seconds, where waiting helps


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters of a request, each sent once but `resource`."""

    fields: Mapping[str, str]
    resources: tuple[str, ...] = ()


_LOAD = """
    SELECT c.id, c.client_id, c.jwks, c.scopes, c.organisation_id, y.slug, y.endonym_locale, e.seq, c.documents_only
    FROM access_epoch e
    JOIN oauth_client c ON c.client_id = $1 AND c.revoked_at IS NULL
    JOIN organisation y ON y.id = c.organisation_id
    JOIN membership m ON m.organisation_id = c.organisation_id AND m.status = ANY($2)
"""
_STANDING = sorted(status.value for status in ACTIVE)

# One statement, one transaction: both jti and the token, or nothing. Of requests that come at the same moment with the
# same jti, the first makes the others wait for its commit; they find a conflict then and get no token, and what else
# they brought counts as used. The setting makes this commit wait for the disk, which the connections for reading do
# not: a used assertion must survive a crash.
_ISSUE = """
    WITH used AS (
        INSERT INTO oauth_replay (key)
        SELECT unnest($1::bytea[])
        WHERE NOT EXISTS (SELECT 1 FROM oauth_replay WHERE key = ANY($1 || $2::bytea[]))
          AND set_config('synchronous_commit', 'on', true) = 'on'
        ON CONFLICT DO NOTHING RETURNING key
    ), kept AS (
        INSERT INTO oauth_token (jti, client_id, subject, organisation_id, scope, resource, issued_at, expires_at)
        SELECT $3, $4, $4, $5::uuid, $6, $7, $8::timestamptz, $9::timestamptz
        WHERE (SELECT count(*) FROM used) = cardinality($1)
    )
    SELECT ARRAY(SELECT key FROM used) AS fresh
"""
_KNOWN = "SELECT key FROM oauth_replay WHERE key = ANY($1::bytea[]) LIMIT 1"
_SPEND = text("""
    INSERT INTO oauth_replay (key) SELECT CAST(:key AS bytea)
    WHERE NOT EXISTS (SELECT 1 FROM oauth_replay WHERE key = :near) ON CONFLICT DO NOTHING RETURNING key
""")


async def load_program(hub: Hub, client_id: str) -> Program | None:
    """A program that may get tokens: registered, not revoked, of a member in good standing. The access epoch is of
    the same snapshot, so a suspension that comes a moment later finds the token with an older epoch."""
    row = await hub.database.reads.fetchrow(_LOAD, client_id, _STANDING)
    if row is None:
        return None
    key, known_id, jwks, scopes, organisation_id, slug, locale, epoch, only = row
    return Program(key, known_id, jose.members(jwks), tuple(scopes), organisation_id, slug, locale, epoch, only)


async def issue(hub: Hub, form: Form, proofs: Sequence[str], pace: Pace, now: datetime | None = None) -> dict[str, Any]:
    """The answer of the token endpoint; OAuthProblem when there is no token. What costs nothing to tell is told first,
    then what a signature costs, then what the database costs."""
    at = now or datetime.now(UTC)
    settings = hub.settings
    endpoint = f"{settings.issuer}/oauth/token"
    assertion = _assertion(form, settings, at)
    if form.fields.get("grant_type") != "client_credentials":
        raise OAuthProblem("unsupported_grant_type", "Only client_credentials is offered here.")
    resource = _resource(form, settings)
    request = _request(endpoint, form)
    try:
        proof = open_proof(proofs, "POST", endpoint, at)
    except TokenError as problem:
        raise OAuthProblem(problem.error, problem.description) from None
    terms = Terms(settings.issuer, resource, proof.jkt, settings.token_seconds, at)
    program = await load_program(hub, assertion.client_id)
    server = TokenServer(terms, assertion, program, hub.keys.signing(at))
    status, body = core_answer(server, request)
    used = server.assertion.used
    if status != 200 or used is None:
        raise OAuthProblem(body["error"], body.get("error_description", "The request was refused."), status)
    pace(assertion.client_id)
    await _write(hub, server.tokens.claims, used, proof, at)
    return body


async def _write(hub: Hub, claims: Mapping[str, Any], used: Once, proof: Proof, now: datetime) -> None:
    both = (used, proof.once)
    keys = [each.key for each in both]
    row = await hub.database.reads.fetchrow(
        _ISSUE,
        keys,
        [each.near for each in both if each.near is not None],
        claims["jti"],
        claims["client_id"],
        claims["city"],
        claims["scope"],
        claims["aud"],
        now,
        datetime.fromtimestamp(claims["exp"], UTC),
    )
    fresh = set(row["fresh"])
    if len(fresh) == len(keys):
        return
    known = None if fresh else await hub.database.reads.fetchval(_KNOWN, [used.key, used.near or used.key])
    if used.key not in fresh and (fresh or known is not None):
        raise OAuthProblem("invalid_client", _USED_ASSERTION)
    raise OAuthProblem("invalid_dpop_proof", _USED_PROOF)


def _request(endpoint: str, form: Form) -> FormRequest:
    try:
        return FormRequest(endpoint, form.fields)
    except OAuth2Error:  # Authlib refuses http but on the loopback, and so does RFC 6749 section 3.2
        message = "This hub is not reached by https, so it issues no tokens: its operator sets WEGO_PUBLIC_URL."
        raise OAuthProblem("temporarily_unavailable", message, 503) from None


def _resource(form: Form, settings: Settings) -> str:
    if not form.resources:
        return settings.resource
    if form.resources != (settings.resource,):
        raise OAuthProblem("invalid_target", "Ask for one resource, and one that this server knows.")
    return settings.resource


def _assertion(form: Form, settings: Settings, now: datetime) -> Assertion:
    try:
        return open_assertion(form.fields, settings.issuer, now.timestamp())
    except OAuth2Error as problem:
        raise _from_authlib(problem) from None


def _from_authlib(problem: OAuth2Error) -> OAuthProblem:
    return OAuthProblem(problem.error or "invalid_request", problem.description or "The request was refused.")


async def authenticate(hub: Hub, form: Form, endpoint: str, pace: Pace, now: datetime) -> tuple[Program, Once]:
    """Authenticate a program at another endpoint by its assertion, which is still to be used up."""
    settings = hub.settings
    assertion = _assertion(form, settings, now)
    request = _request(f"{settings.issuer}/oauth/{endpoint}", form)
    program = await load_program(hub, assertion.client_id)
    terms = Terms(settings.issuer, settings.resource, "", settings.token_seconds, now)
    server = TokenServer(terms, assertion, program, hub.keys.signing(now))
    try:
        server.authenticate_client(request, [METHOD], endpoint)
    except OAuth2Error as problem:
        raise _from_authlib(problem) from None
    except (ValueError, RecursionError):
        raise OAuthProblem("invalid_request", "The request cannot be read.") from None
    if program is None or server.assertion.used is None:
        raise OAuthProblem("invalid_client", "The program is unknown, or may not get tokens now.")
    pace(assertion.client_id)
    return program, server.assertion.used


async def _spend(db: Session, used: Once) -> None:
    if (await db.execute(_SPEND, {"key": used.key, "near": used.near or used.key})).first() is None:
        raise OAuthProblem("invalid_client", _USED_ASSERTION)


async def revoke(hub: Hub, verifier: Verifier, form: Form, pace: Pace, now: datetime | None = None) -> None:
    """Revoke a token of the program that asks (RFC 7009). A token of somebody else, or none at all, changes
    nothing and is told to nobody."""
    at = now or datetime.now(UTC)
    program, used = await authenticate(hub, form, "revoke", pace, at)
    async with hub.database.session() as db:
        await _spend(db, used)
        claims = _claims(verifier, form, at)
        if claims is None or claims["client_id"] != program.client_id:
            return
        revoked = await db.execute(
            update(OAuthToken)
            .where(col(OAuthToken.jti) == claims["jti"], col(OAuthToken.revoked_at).is_(None))
            .values(revoked_at=at)
            .returning(col(OAuthToken.jti))
        )
        if revoked.first() is not None:
            await touch_access(db)  # every reader of this token sees another epoch at his next request
            actor = Actor(
                ActorKind.PROGRAM, program.client_id, posts=(Post(Role.PROGRAM, organisation(program.organisation_id)),)
            )
            await audit.record(
                db,
                actor,
                Event.TOKEN_REVOKED,
                Subject.CLIENT,
                program.key,
                place=program.organisation_id,
                jti=claims["jti"],
            )  # fmt: skip


async def introspect(
    hub: Hub, verifier: Verifier, form: Form, pace: Pace, now: datetime | None = None
) -> dict[str, Any]:
    """What a token is worth now (RFC 7662). A program learns about its own tokens; of others it learns
    nothing."""
    at = now or datetime.now(UTC)
    program, used = await authenticate(hub, form, "introspect", pace, at)
    async with hub.database.session() as db:
        await _spend(db, used)
        claims = _claims(verifier, form, at)
        if claims is None or claims["client_id"] != program.client_id:
            return {"active": False}
        alive = text("""
            SELECT t.issued_at, m.status, m.not_before FROM oauth_token t
            JOIN membership m ON m.organisation_id = t.organisation_id WHERE t.jti = :jti AND t.revoked_at IS NULL
        """)
        row = (await db.execute(alive, {"jti": claims["jti"]})).one_or_none()
    if row is None or not in_standing(row.status, row.not_before, row.issued_at):
        return {"active": False}
    shown = ("iss", "sub", "aud", "client_id", "member", "scope", "exp", "iat", "nbf", "jti", "cnf")
    return {"active": True, "token_type": "DPoP", **{name: claims[name] for name in shown if name in claims}}


def _claims(verifier: Verifier, form: Form, now: datetime) -> Mapping[str, Any] | None:
    token = form.fields.get("token")
    if not token:
        raise OAuthProblem("invalid_request", "The parameter token is missing.")
    try:
        return verifier.claims(token, now)
    except TokenError:
        return None


async def issue_for_person(
    db: Session, actor: Actor, settings: Settings, key: RingKey, email: str, *, now: datetime | None = None
) -> dict[str, Any]:
    """A token for a person, with a fresh key of its own: for the operator at the server only. It is
    audited."""
    if actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed("Only the operator of the hub issues tokens for people.")
    at = now or datetime.now(UTC)
    # The epoch is read first: a change of rights in between makes the token older than the change.
    epoch = (await db.execute(select(col(AccessEpoch.seq)))).scalar_one()
    usable = 0 < len(email) <= 320 and email.isprintable()
    person = await people.by_email(db, email) if usable else None
    if person is None:
        raise NotFound("No person with this address is known here.")
    bearer = await people.actor_of(db, person.id)
    own = jose.new_key()
    terms = Terms(settings.issuer, settings.resource, own.thumbprint(), settings.token_seconds, at)
    claims = {
        **base_claims(terms, str(new_id())),
        "sub": str(person.id),
        "client_id": OPERATOR_CLIENT,
        "scope": "",
        "posts": [claim_of(post) for post in bearer.posts],
        "locale": person.locale,
        "epoch": epoch,
    }
    await _keep(db, claims, at)
    facts = {"jti": claims["jti"], "expires": claims["exp"]}
    await audit.record(db, actor, Event.TOKEN_ISSUED, Subject.PERSON, person.id, **facts)
    token = sign_token(claims, key)
    return {**_answer(token, settings), "dpop_jwk": jose.private_jwk(own)}


def _answer(token: str, settings: Settings) -> dict[str, Any]:
    return {"access_token": token, "token_type": "DPoP", "expires_in": settings.token_seconds, "scope": ""}


async def _keep(db: Session, claims: Mapping[str, Any], now: datetime) -> None:
    await db.execute(
        insert(OAuthToken).values(
            jti=claims["jti"],
            client_id=claims["client_id"],
            subject=claims["sub"],
            scope=claims["scope"],
            resource=claims["aud"],
            issued_at=now,
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    )
