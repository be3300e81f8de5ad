"""Rights have changed since a token was issued: what is its bearer now?

Binding text: federation.md 5.3 (suspension). A token says the access epoch of its issue. When the present
epoch is another one, the read asks here: program or person, posts, and the standing of the city are read
anew, in one statement. The answer is kept with the verified token, so that it is asked once per token and
epoch; a refusal stays, because reinstating a member revives no token.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text

from federation.oauth.verifier import Credential, Verified
from members.register.models import ACTIVE, BODIES, MembershipStatus, OrganisationKind
from wego.core.access import Actor, ActorKind, Place, PlaceKind, Post, Role, organisation
from wego.core.db import Session

_PROGRAM = text("""
    SELECT e.seq, t.issued_at, c.organisation_id, c.scopes, m.status, m.not_before
    FROM access_epoch e
    LEFT JOIN oauth_token t ON t.jti = :jti AND t.revoked_at IS NULL
    LEFT JOIN oauth_client c ON c.client_id = t.client_id AND c.client_id = :subject AND c.revoked_at IS NULL
    LEFT JOIN membership m ON m.organisation_id = c.organisation_id
""")

_PERSON = text("""
    SELECT e.seq, t.issued_at, p.id, p.locale, g.role, g.organisation_id, o.kind, m.status, m.not_before
    FROM access_epoch e
    LEFT JOIN oauth_token t ON t.jti = :jti AND t.revoked_at IS NULL
    LEFT JOIN person p ON p.id = :person AND t.subject = :subject
    LEFT JOIN role_grant g ON g.person_id = p.id AND g.revoked_at IS NULL
    LEFT JOIN organisation o ON o.id = g.organisation_id
    LEFT JOIN membership m ON m.organisation_id = g.organisation_id
    ORDER BY g.granted_at, g.id
""")


async def reload(db: Session, credential: Credential) -> Actor | None:
    """The actor of a credential as of now; None when the token must be refused."""
    known = credential.verified
    if known.refused:
        return None
    person = known.actor.kind is ActorKind.PERSON
    values = {"jti": known.jti, "subject": known.actor.subject, "person": known.actor.person_id}
    if not person:
        del values["person"]
    rows = (await db.execute(_PERSON if person else _PROGRAM, values)).all()
    actor = (_person if person else _program)(known, rows)
    if actor is None or not rows:
        known.refused = True
        return None
    known.actor, known.epoch = actor, rows[0].seq
    return actor


def _program(known: Verified, rows: Iterable[Any]) -> Actor | None:
    row = next(iter(rows), None)
    if row is None or row.issued_at is None or row.organisation_id is None:
        return None
    if row.organisation_id != known.actor.posts[0].place.id:
        return None
    if not in_standing(row.status, row.not_before, row.issued_at):
        return None
    return replace(known.actor, scopes=known.scope & frozenset(row.scopes))


def _person(known: Verified, rows: Iterable[Any]) -> Actor | None:
    found = list(rows)
    if not found or found[0].issued_at is None or found[0].id is None:
        return None
    posts = tuple(_post(row) for row in found if row.role is not None)
    return replace(known.actor, posts=posts, locale=found[0].locale)


def _post(row: Any) -> Post:
    if row.organisation_id is None:
        return Post(Role(row.role))
    if OrganisationKind(row.kind) in BODIES:
        return Post(Role(row.role), Place(PlaceKind.BODY, row.organisation_id))
    active = in_standing(row.status, row.not_before, row.issued_at)
    return Post(Role(row.role), organisation(row.organisation_id), active)


def in_standing(status: str | None, not_before: datetime | None, issued: datetime) -> bool:
    """Whether a token of this time may use the rights of a member: the city is in good standing, and the
    token is not from before its suspension."""
    if status is None or not_before is None or MembershipStatus(status) not in ACTIVE:
        return False
    return issued >= not_before
