"""What is kept of tokens and proofs between requests, and what is asked each time all the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from federation_make import (
    RESOURCE,
    TOKEN_URL,
    Caller,
    Station,
    column,
    credential_of,
    make_station,
    unique,
)
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from federation.jose import jose, proofs, replay
from federation.jose.proofs import TokenError
from federation.oauth import server
from federation.oauth.actors import reload
from federation.oauth.verifier import Verifier
from members.people.people import touch_access
from wego.core import audit


def _shown(caller: Caller, token: str, scheme: str = "DPoP ") -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"{scheme}{token}".encode()), (b"dpop", caller.proof(RESOURCE, token).encode())]


async def test_verified_tokens_are_remembered_within_bounds(station: Station, caller: Caller) -> None:
    small = Verifier(station.hub.settings, station.hub.keys, most_bytes=30_000)
    issued = [await caller.token(station) for _ in range(20)]

    def verified(token: str, scheme: str = "DPoP ", **late: Any) -> Any:
        credential = small.authenticate(_shown(caller, token, scheme), "POST", RESOURCE, **late)
        assert credential is not None
        return credential.verified

    first = verified(issued[0])
    assert verified(issued[0]) is first
    assert first.proof_key is verified(issued[0]).proof_key
    for token in issued[1:]:
        verified(token)
    assert 3 < len(small._seen) < 12
    assert small._seen.bytes <= 30_000
    assert verified(issued[0]) is not first
    before = small._seen.bytes
    for odd in ("dpop ", "DPOP ", "DPoP  ", "DPoP" + " " * 5000):  # endless spellings of one token are not kept
        assert verified(issued[1], odd).jti
    assert small._seen.bytes == before
    with pytest.raises(TokenError, match="expired"):
        small.authenticate(_shown(caller, issued[0]), "POST", RESOURCE, datetime.now(UTC) + timedelta(seconds=306))


async def test_a_token_that_is_remembered_still_needs_its_own_proof(station: Station, caller: Caller) -> None:
    """All that is kept is what cannot change: each proof is checked anew, and against the one token that it names."""
    first, second = await caller.token(station), await caller.token(station)
    for token in (first, second):
        assert (await caller.read(station, token)).status_code == 200
    thief = jose.new_key()
    for proof in (
        caller.proof(RESOURCE, second),
        caller.proof(RESOURCE),
        caller.proof(RESOURCE, first, key=thief),
        caller.proof(RESOURCE, first, header={"jwk": jose.public_jwk(thief)}),
        caller.proof(RESOURCE, first)[:-2] + "AA",
        caller.proof(RESOURCE, first, method="GET"),
        caller.proof(TOKEN_URL, first),
        caller.proof(RESOURCE, first, iat=1),
    ):
        sent = {"Authorization": f"DPoP {first}", "DPoP": proof}
        answer = await station.http.post("/graphql", headers=sent)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_dpop_proof")
    assert (await caller.read(station, first)).status_code == 200


async def test_credentials_of_one_identity_have_one_actor(station: Station, caller: Caller) -> None:
    token, other = await caller.token(station), await caller.token(station)
    before = credential_of(station, caller, token)
    again, foreign = credential_of(station, caller, token), credential_of(station, caller, other)
    assert before.identity == again.identity
    assert hash(before.identity) == hash(again.identity)
    assert before.identity != foreign.identity
    async with station.hub.database.session() as db:
        await db.execute(text("UPDATE oauth_client SET scopes = '{catalog:read}'"))
        await touch_access(db)
        await audit.append(db)
        narrowed = await reload(db, before)
    after = credential_of(station, caller, token)
    assert after.actor == narrowed
    assert before.identity != after.identity


async def test_a_jti_is_used_once_whatever_time_is_signed_with_it(
    station: Station, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that begins with a time must not make a used jti fresh under another time that is good as well: tried with
    an edge between two spans at the very moment."""
    real = replay.once
    edge = replay.SPAN - int(time.time()) % replay.SPAN  # moves the edge to now

    def moved(kind: str, issuer: str, jti: str, ends: float, life: float) -> replay.Once:
        return real(kind, issuer, jti, ends + edge - 30, life)

    for place in (proofs, server):
        monkeypatch.setattr(place, "once", moved)
    token, now = await caller.token(station), int(datetime.now(UTC).timestamp())
    for ages in ((50, 0), (0, 50), (0, 0), (25, -3), (-3, 58)):
        jti = unique()
        read = [await caller.read(station, token, jti=jti, iat=now - age) for age in ages]
        assert [each.status_code for each in read] == [200, 401], ages
    for lives in ((10, 115), (115, 10), (60, 60)):
        jti = unique()
        got = [
            await caller.get(station, client_assertion=caller.assertion(jti=jti, iat=now, exp=now + life))
            for life in lives
        ]
        assert [each.status_code for each in got] == [200, 400], lives


@given(st.integers(0, 253402300799), st.sampled_from([65, 125]), st.floats(-1, 1), st.floats(0, 0.999))
def test_whatever_is_good_at_one_moment_is_found(ends: int, life: int, apart: float, part: float) -> None:
    first = replay.once("k", "i", "j", ends + part, life)
    second = replay.once("k", "i", "j", max(ends + part + apart * life, 0), life)
    assert first.key in (second.key, second.near)
    assert second.key in (first.key, first.near)
    assert len(first.key) == 32
    other = replay.once("k", "i", "J", ends, life)
    assert {first.key, first.near}.isdisjoint({other.key, other.near} - {None})


@given(st.integers(1, 253402300000), st.integers(0, 600))
def test_the_purge_reaches_nothing_that_is_still_good(ends: int, later: int) -> None:
    key = replay.once("k", "i", "j", ends, 65).key
    assert key >= replay.first_after(datetime.fromtimestamp(max(ends - later, 0), UTC))
    assert (key < replay.first_after(datetime.fromtimestamp(ends + later, UTC))) <= (later > 0)
    assert key < replay.first_after(datetime.fromtimestamp(ends, UTC) + timedelta(seconds=replay.SPAN))


async def test_the_end_of_one_token_ends_no_other(station: Station, caller: Caller) -> None:
    """Revoking raises the epoch for all; whoever is not meant is looked up once and goes on."""
    ended, other = await caller.token(station), await caller.token(station)
    for token in (ended, other):
        assert (await caller.read(station, token)).status_code == 200
    form = {**caller.form(), "token": ended}
    assert (await station.http.post("/oauth/revoke", data=form)).status_code == 200
    assert await column(station, "SELECT seq FROM access_epoch") == [2]
    assert (await caller.read(station, ended)).status_code == 401
    assert (await caller.read(station, ended)).status_code == 401
    assert (await caller.read(station, other)).status_code == 200
    form = {**caller.form(), "token": ended}
    assert (await station.http.post("/oauth/revoke", data=form)).status_code == 200
    assert await column(station, "SELECT seq FROM access_epoch") == [2]  # once is enough
    fresh = await make_station(station.hub.database, station.hub.settings.home)  # a process without memory
    assert (await caller.read(fresh, ended)).status_code == 401
    assert (await caller.read(fresh, other)).status_code == 200
    await fresh.close()
