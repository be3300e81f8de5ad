"""What happens by the clock: used proofs and ended tokens are cleared away, keys take turns.

Binding text: federation.md 5.6 and 5.8. The tables of replay and tokens stay as small as the traffic of the last half
hour: a proof is one row of some 145 bytes (68 of the table, 76 of its index), a token one of 256 and two of 145, and
they go 12 to 31 minutes after they end. What is deleted of the tokens is summed up in the audit log in the same
transaction: who got how many, and one hash over their identifiers, so that the log still answers whether a token was
issued by us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import text

from federation.jose.keys import open_keys
from federation.jose.replay import first_after
from wego.core import audit
from wego.core.access import system
from wego.core.audit import Event, Happening, Subject
from wego.core.db import Database
from wego.core.jobs import job
from wego.core.settings import from_environment

# A clock that jumps ten minutes ahead and back again must not make a used proof fresh.
MARGIN = timedelta(minutes=12)
BATCH = 5000

# The rows of a batch are named by their place (ctid): by their key, PostgreSQL reads the whole table for each batch.
_PURGE_REPLAY = text("""
    DELETE FROM oauth_replay WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM oauth_replay WHERE key < :before ORDER BY key LIMIT :batch FOR UPDATE SKIP LOCKED))
""")
_PURGE_TOKENS = text("""
    WITH gone AS (
        DELETE FROM oauth_token WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM oauth_token WHERE expires_at < :before ORDER BY expires_at LIMIT :batch
            FOR UPDATE SKIP LOCKED))
        RETURNING jti, client_id, scope, issued_at)
    SELECT g.jti, g.client_id, g.scope, g.issued_at, c.id, c.organisation_id
    FROM gone g LEFT JOIN oauth_client c ON c.client_id = g.client_id
    ORDER BY g.client_id, g.jti
""")


@job("federation.purge", cron="*/10 * * * *")
async def purge(database: Database, now: str | None = None) -> None:
    """Delete used proofs and tokens whose time is over, in small transactions."""
    before = (datetime.fromisoformat(now) if now else datetime.now(UTC)) - MARGIN
    while await _purge_replay(database, before) == BATCH:
        pass
    while await _purge_tokens(database, before) == BATCH:
        pass


async def _purge_replay(database: Database, before: datetime) -> int:
    async with database.session() as db:
        done: Any = await db.execute(_PURGE_REPLAY, {"before": first_after(before), "batch": BATCH})
        return int(done.rowcount)


async def _purge_tokens(database: Database, before: datetime) -> int:
    async with database.session() as db:
        rows = (await db.execute(_PURGE_TOKENS, {"before": before, "batch": BATCH})).all()
        await audit.record_all(db, system("oauth"), list(_summaries(rows)))
        return len(rows)


def _summaries(rows: Iterable[Any]) -> Iterable[Happening]:
    """One entry per program; tokens of people were told one by one when the operator issued them."""
    for client_id, group in groupby(rows, key=lambda row: row.client_id):
        tokens = list(group)
        if tokens[0].id is None:
            continue
        facts = {
            "client": client_id,
            "tokens": len(tokens),
            "scopes": sorted({scope for row in tokens for scope in row.scope.split()}),
            "first": min(row.issued_at for row in tokens).isoformat(),
            "last": max(row.issued_at for row in tokens).isoformat(),
            "jti_sha256": hashlib.sha256("\n".join(row.jti for row in tokens).encode()).hexdigest(),
        }
        yield Happening(Event.TOKEN_ISSUED, Subject.CLIENT, tokens[0].id, facts, place=tokens[0].organisation_id)


@job("federation.rotate_keys", cron="17 3 * * *")
async def rotate_keys(database: Database, now: str | None = None) -> None:
    """Publish the next signing key when the turn of the present one ends, and forget private keys of the
    past."""
    at = datetime.fromisoformat(now) if now else datetime.now(UTC)
    ring = await open_keys(from_environment(), database, watch=False)
    await ring.rotate_when_due(at)
    await ring.forget_retired(at)
