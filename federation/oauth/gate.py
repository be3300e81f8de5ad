"""The gate: what must hold in the database for a credential, asked in the same statement as the answer.

Binding texts: RFC 9449 section 11.1 (a proof is used once), federation.md 5.3 and 5.6. The tables of tokens and proofs
are known to this package only: whoever reads puts `gate_of(credential)` into his statement and gives the row to
`admit`. Two things are asked. Is the proof unused: its key is inserted, and of requests with one proof that come at the
same moment to any worker the index lets one through. Have rights changed since the token was issued: the access epoch.
Revoking a token raises the epoch too, so a revoked one is found by the look-up that follows, and no row of
`oauth_token` is read for each request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from federation.jose.proofs import TokenError
from federation.oauth.actors import reload
from federation.oauth.verifier import Credential
from wego.core.access import Actor
from wego.core.db import Database
from wego.core.reads.plans import Gate

# {0}: the key of the proof.
GATE_CTES = "gate as (insert into oauth_replay (key) values ({0}::bytea) on conflict do nothing returning 1)"
# {1}: the key that the same jti has in the span behind the edge that is near; three proofs of four are near none.
GATE_CTES_NEAR = (
    "gate as (insert into oauth_replay (key) select {0}::bytea "
    "where not exists (select 1 from oauth_replay where key = {1}::bytea) on conflict do nothing returning 1)"
)
GATE_COLUMNS = "(select count(*) from gate) as fresh, (select seq from access_epoch) as epoch"


def gate_of(credential: Credential) -> Gate:
    """What is asked for this credential, as part of the statement that reads."""
    once = credential.once
    if once.near is None:
        return Gate(GATE_CTES, GATE_COLUMNS, (once.key,))
    return Gate(GATE_CTES_NEAR, GATE_COLUMNS, (once.key, once.near))


async def admit(database: Database, credential: Credential, said: Mapping[str, Any]) -> Actor:
    """The actor as of now, by what the gate said; TokenError when the proof was used or the right has ended. Where the
    actor is another than the credential's, what was read for that one is not to be given out."""
    if not said["fresh"]:
        raise TokenError("invalid_dpop_proof", "The proof was used before: make a new one for each request.")
    if said["epoch"] == credential.epoch:
        return credential.actor
    async with database.session() as db:
        actor = await reload(db, credential)
    if actor is None:
        raise TokenError("invalid_token", "The right to use this token has ended.")
    return actor
