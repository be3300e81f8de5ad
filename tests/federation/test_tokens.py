"""What programs and people get, how it ends, and what nobody gets."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx2
import pytest
from federation_make import (
    ISSUER,
    RESOURCE,
    TOKEN_URL,
    Caller,
    Hub,
    Station,
    forged,
    make_caller,
    make_person,
    make_station,
    unique,
)
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlmodel import col
from starlette.applications import Starlette

from federation import clients, jobs, jose, replay, tokens
from federation.actors import reload
from federation.proofs import TokenError
from federation.routes import address_of, routes
from federation.verifier import Verifier
from members.models import Membership, MembershipStatus, RoleGrant
from members.people import touch_access
from wego.core import audit
from wego.core.access import NOBODY, ActorKind, Post, Role, system
from wego.core.db import Database
from wego.core.errors import NotAllowed, NotFound, RateLimited


async def stand(station: Station, caller: Caller, status: MembershipStatus) -> None:
    """Give the city a standing, as the services of membership do."""
    async with station.hub.database.session() as db:
        held = MembershipStatus.FULL if status is MembershipStatus.SUSPENDED else None
        change: dict[str, Any] = {"status": status, "since": datetime.now(UTC), "before_hold": held}
        if status is MembershipStatus.FULL:
            change["not_before"] = datetime.now(UTC)
        await db.execute(update(Membership).where(col(Membership.city_id) == caller.city_id).values(**change))
        await touch_access(db)


async def column(station: Station, sql: str, **values: Any) -> list[Any]:
    async with station.hub.database.session() as db:
        return list((await db.execute(text(sql), values)).scalars())


async def test_a_stranger_gets_no_token(station: Station, caller: Caller) -> None:
    before = await station.state()
    stranger = Caller("nobody-1", jose.new_key(), "x", caller.city_id, caller.row)
    answer = await stranger.get(station)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    assert await station.state() == before


async def test_a_stranger_learns_nothing_about_tokens_and_ends_none(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    other = await make_caller(station, "moscow")
    for sent in ({"token": token}, {"token": token, "client_id": other.client_id}):
        for endpoint in ("introspect", "revoke"):
            answer = await station.http.post(f"/oauth/{endpoint}", data=sent)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    asked = await station.http.post("/oauth/introspect", data={**other.form(), "token": token})
    assert (asked.status_code, asked.json()) == (200, {"active": False})
    ended = await station.http.post("/oauth/revoke", data={**other.form(), "token": token})
    assert (ended.status_code, ended.content) == (200, b"")
    assert (await caller.read(station, token)).status_code == 200


async def test_nobody_but_the_operator_issues_tokens_for_people(station: Station, caller: Caller) -> None:
    hub = station.hub
    async with hub.database.session() as db:
        await make_person(db, "cio@seoul.demo", (Role.CIO, caller.city_id))
        with pytest.raises(NotAllowed):
            await tokens.issue_for_person(db, NOBODY, hub.settings, hub.keys.signing(), "cio@seoul.demo")
        for unknown in ("nobody@seoul.demo", "", "a\x00b", "x" * 400):
            with pytest.raises(NotFound):
                await tokens.issue_for_person(db, system("cli"), hub.settings, hub.keys.signing(), unknown)


@pytest.mark.parametrize("status", list(MembershipStatus))
async def test_only_members_in_good_standing_get_tokens(besieged: Station, status: MembershipStatus) -> None:
    caller = await make_caller(besieged, f"city-{status.value.replace('_', '-')}", status)
    answer = await caller.get(besieged)
    good = {"associate", "full", "friendship", "corporate", "resigning"}
    assert (answer.status_code == 200) == (status.value in good)
    if answer.status_code != 200:
        assert answer.json()["error"] == "invalid_client"


async def test_a_program_gets_a_bound_token_and_reads_with_it(station: Station, caller: Caller) -> None:
    answer = await caller.get(station)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("DPoP", 300)
    header, payload = jose.parts(body["access_token"])
    claims = jose.members(payload)
    assert header == {"typ": "at+jwt", "alg": "ES256", "kid": station.hub.keys.signing().kid}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, RESOURCE, caller.client_id)
    assert (claims["member"], claims["city"]) == (f"{ISSUER}/e/seoul", str(caller.city_id))
    assert claims["cnf"] == {"jkt": caller.dpop.thumbprint()}
    assert (claims["exp"] - claims["iat"], claims["epoch"], len(body["access_token"]) < 2048) == (300, 1, True)
    assert (await caller.read(station, body["access_token"])).json() == {"actor": caller.client_id}


async def test_a_token_without_a_wish_may_only_read(station: Station, caller: Caller) -> None:
    answer = await caller.get(station, resource=None)
    assert answer.json()["scope"] == "graphql:query catalog:read"
    wished = await caller.get(station, scope="graphql:mutate graphql:query graphql:mutate")
    assert wished.json()["scope"] == "graphql:mutate graphql:query"
    empty = await caller.get(station, scope="")
    assert empty.json()["scope"] == "graphql:query catalog:read"


async def test_fifty_requests_with_one_assertion_get_one_token(station: Station, caller: Caller) -> None:
    form = caller.form()
    answers = await asyncio.gather(
        *(station.http.post("/oauth/token", data=form, headers={"DPoP": caller.proof()}) for _ in range(50))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"invalid_client"}
    assert await column(station, "SELECT count(*) FROM oauth_token") == [1]


async def test_fifty_requests_with_one_proof_get_one_token(station: Station, caller: Caller) -> None:
    proof = caller.proof()
    answers = await asyncio.gather(
        *(station.http.post("/oauth/token", data=caller.form(), headers={"DPoP": proof}) for _ in range(50))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"invalid_dpop_proof"}
    assert await column(station, "SELECT count(*) FROM oauth_token") == [1]


async def test_replays_are_seen_by_every_process(station: Station, caller: Caller, tmp_path: Path) -> None:
    database = await Database(station.hub.database.url).open()
    twin = await make_station(database, station.hub.settings.home)
    try:
        assert twin.hub.keys.jwks() == station.hub.keys.jwks()
        form, proof = caller.form(), caller.proof()
        answers = await asyncio.gather(
            *(
                at.http.post("/oauth/token", data=form, headers={"DPoP": proof})
                for at in (station, twin)
                for _ in range(5)
            )
        )
        assert sorted(a.status_code for a in answers) == [200] + [400] * 9
        token = next(a.json()["access_token"] for a in answers if a.status_code == 200)
        shown = {"Authorization": f"DPoP {token}", "DPoP": caller.proof(RESOURCE, token)}
        reads = [await at.http.post("/graphql", headers=shown) for at in (twin, station)]
        assert [read.status_code for read in reads] == [200, 401]
    finally:
        await twin.close()
        await database.close()


async def test_a_program_asks_about_its_tokens_and_ends_them(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    told = (await station.http.post("/oauth/introspect", data={**caller.form(), "token": token})).json()
    assert told["active"] is True
    assert (told["client_id"], told["token_type"], told["aud"]) == (caller.client_id, "DPoP", RESOURCE)
    for _ in range(2):
        ended = await station.http.post("/oauth/revoke", data={**caller.form(), "token": token})
        assert (ended.status_code, ended.headers["cache-control"]) == (200, "no-store")
    assert (await caller.read(station, token)).status_code == 401
    after = await station.http.post("/oauth/introspect", data={**caller.form(), "token": token})
    assert after.json() == {"active": False}
    events = await column(station, "SELECT event FROM audit_entry WHERE event = 'token.revoked'")
    assert events == ["token.revoked"]
    for sent in ({"token": "garbage"}, {"token": token + "x", "token_type_hint": "refresh_token"}):
        assert (await station.http.post("/oauth/revoke", data={**caller.form(), **sent})).status_code == 200
    missing = await station.http.post("/oauth/revoke", data=caller.form())
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")


async def test_suspension_ends_tokens_and_reinstatement_revives_none(station: Station, caller: Caller) -> None:
    old = await caller.token(station)
    assert (await caller.read(station, old)).status_code == 200
    await stand(station, caller, MembershipStatus.SUSPENDED)
    assert (await caller.get(station)).json()["error"] == "invalid_client"
    refused = await caller.read(station, old)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    await stand(station, caller, MembershipStatus.FULL)
    assert (await caller.read(station, old)).status_code == 401
    fresh = await make_station(station.hub.database, station.hub.settings.home)  # another process, no memory
    assert (await caller.read(fresh, old)).status_code == 401
    assert (await caller.read(fresh, await caller.token(fresh))).status_code == 200
    await fresh.close()


async def test_a_suspension_in_the_middle_of_a_token_request_wins(station: Station, caller: Caller) -> None:
    """The token that slips through has the epoch of before, so its first use finds the suspension."""
    program = await tokens.load_program(station.hub, caller.client_id)
    await stand(station, caller, MembershipStatus.SUSPENDED)
    original, tokens.load_program = tokens.load_program, _always(program)
    try:
        slipped = await caller.token(station)
    finally:
        tokens.load_program = original
    assert (await caller.read(station, slipped)).status_code == 401


def _always(program: Any) -> Any:
    async def load(*_: object) -> Any:
        return program

    return load


async def test_revoking_a_program_ends_its_tokens(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    async with station.hub.database.session() as db:
        await clients.revoke_client(db, system("test"), caller.row)
    assert (await caller.get(station)).json()["error"] == "invalid_client"
    assert (await caller.read(station, token)).status_code == 401


async def test_a_change_of_rights_elsewhere_is_looked_up_once(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    async with station.hub.database.session() as db:
        await touch_access(db)
    credential = _credential(station, caller, token)
    async with station.hub.database.session() as db:
        actor = await reload(db, credential)
    assert actor is not None
    assert (actor.subject, actor.scopes) == (caller.client_id, frozenset({"graphql:query", "catalog:read"}))
    assert (credential.epoch, _credential(station, caller, token).epoch) == (1, 2)


async def test_narrowed_scopes_narrow_the_tokens_that_are_out(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    async with station.hub.database.session() as db:
        await db.execute(text("UPDATE oauth_client SET scopes = '{catalog:read}'"))
        await touch_access(db)
        actor = await reload(db, _credential(station, caller, token))
    assert actor is not None
    assert actor.scopes == {"catalog:read"}


def _credential(station: Station, caller: Caller, token: str) -> Any:
    sent = {b"authorization": f"DPoP {token}".encode(), b"dpop": caller.proof(RESOURCE, token).encode()}
    credential = station.verifier.authenticate(sent.items(), "POST", RESOURCE)
    assert credential is not None
    return credential


async def test_the_operator_gets_a_token_for_a_person(station: Station, caller: Caller) -> None:
    hub = station.hub
    async with hub.database.session() as db:
        person = await make_person(
            db, "Secretariat@wego.demo", (Role.OFFICER, None), (Role.CIO, caller.city_id), (Role.HEAD, caller.city_id)
        )
        issued = await tokens.issue_for_person(
            db, system("cli"), hub.settings, hub.keys.signing(), "secretariat@WEGO.demo"
        )
    bearer = Caller("", jose.new_key(), "", caller.city_id, caller.row, dpop=jose.private_key(issued["dpop_jwk"]))
    assert (await bearer.read(station, issued["access_token"])).json() == {"actor": str(person.id)}
    actor = _credential(station, bearer, issued["access_token"]).actor
    assert (actor.kind, actor.person_id, actor.scopes) == (ActorKind.PERSON, person.id, None)
    assert actor.posts == (Post(Role.OFFICER), Post(Role.CIO, caller.city_id), Post(Role.HEAD, caller.city_id))
    facts = await column(station, "SELECT facts::text FROM audit_entry WHERE event = 'token.issued'")
    assert len(facts) == 1
    assert "secretariat" not in facts[0].lower()


async def test_a_person_keeps_only_the_rights_of_now(station: Station, caller: Caller) -> None:
    hub = station.hub
    async with hub.database.session() as db:
        person = await make_person(db, "cio@seoul.demo", (Role.CIO, caller.city_id), (Role.OFFICER, None))
        key = hub.keys.signing()
        issued = await tokens.issue_for_person(db, system("cli"), hub.settings, key, "cio@seoul.demo")
    bearer = Caller("", jose.new_key(), "", caller.city_id, caller.row, dpop=jose.private_key(issued["dpop_jwk"]))
    await stand(station, caller, MembershipStatus.SUSPENDED)
    async with hub.database.session() as db:
        ended = update(RoleGrant).where(col(RoleGrant.role) == Role.OFFICER)
        await db.execute(ended.values(revoked_at=datetime.now(UTC)))
    async with hub.database.session() as db:
        actor = await reload(db, _credential(station, bearer, issued["access_token"]))
    assert actor is not None
    assert actor.posts == (Post(Role.CIO, caller.city_id, active=False),)
    await stand(station, caller, MembershipStatus.FULL)
    async with hub.database.session() as db:
        actor = await reload(db, _credential(station, bearer, issued["access_token"]))
        assert actor is not None
        assert actor.posts == (Post(Role.CIO, caller.city_id, active=False),)  # the old token revives nothing
        await db.execute(text("UPDATE oauth_token SET revoked_at = now()"))
        assert await reload(db, _credential(station, bearer, issued["access_token"])) is None
    assert str(person.id) == actor.subject


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
    before = _credential(station, caller, token)
    again, foreign = _credential(station, caller, token), _credential(station, caller, other)
    assert before.identity == again.identity
    assert hash(before.identity) == hash(again.identity)
    assert before.identity != foreign.identity
    async with station.hub.database.session() as db:
        await db.execute(text("UPDATE oauth_client SET scopes = '{catalog:read}'"))
        await touch_access(db)
        narrowed = await reload(db, before)
    after = _credential(station, caller, token)
    assert after.actor == narrowed
    assert before.identity != after.identity


async def test_a_jti_is_used_once_whatever_time_is_signed_with_it(station: Station, caller: Caller) -> None:
    """A key that begins with a time must not make a used jti fresh under another time that is good as well."""
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


@given(st.integers(0, 253402300799), st.integers(-125, 125), st.floats(0, 0.999))
def test_whatever_is_good_at_one_moment_is_found_by_one_of_two_keys(ends: int, apart: int, part: float) -> None:
    first, second = replay.once("k", "i", "j", ends + part), replay.once("k", "i", "j", max(ends + apart, 0))
    assert first.key in (second.key, second.near)
    assert second.key in (first.key, first.near)
    assert len(first.key) == 32
    other = replay.once("k", "i", "J", ends)
    assert {first.key, first.near}.isdisjoint({other.key, other.near})


@given(st.integers(1, 253402300000), st.integers(0, 300))
def test_the_purge_reaches_nothing_that_is_still_good(ends: int, later: int) -> None:
    key = replay.once("k", "i", "j", ends).key
    assert key >= replay.first_after(datetime.fromtimestamp(max(ends - later, 0), UTC))
    assert (key < replay.first_after(datetime.fromtimestamp(ends + later, UTC))) <= (later > 0)
    assert key < replay.first_after(datetime.fromtimestamp(ends, UTC) + timedelta(seconds=256))


async def test_used_proofs_and_ended_tokens_are_cleared_away(station: Station, caller: Caller) -> None:
    for _ in range(3):
        await caller.read(station, await caller.token(station))
    assert await column(station, "SELECT count(*) FROM oauth_replay") == [9]
    database = station.hub.database
    soon = datetime.now(UTC) + timedelta(minutes=10)
    await jobs.purge(database, now=soon.isoformat())  # a clock that jumped: nothing that could matter is gone
    assert await column(station, "SELECT count(*) FROM oauth_replay") == [9]
    later = datetime.now(UTC) + timedelta(minutes=25)
    await jobs.purge(database, now=later.isoformat())
    assert await column(station, "SELECT count(*) FROM oauth_replay") == [0]
    assert await column(station, "SELECT count(*) FROM oauth_token") == [0]
    facts = await column(station, "SELECT facts FROM audit_entry WHERE event = 'token.issued'")
    assert [(f["tokens"], f["client"], len(f["jti_sha256"])) for f in facts] == [(3, caller.client_id, 64)]
    async with database.session() as db:
        assert (await audit.verify(db)).faults == ()


async def test_purging_goes_in_batches(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    async with station.hub.database.session() as db:
        await db.execute(
            text("INSERT INTO oauth_replay SELECT int4send(7) || sha256(n::text::bytea) FROM generate_series(1, 7) n")
        )
    await jobs.purge(station.hub.database, now=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert await column(station, "SELECT count(*) FROM oauth_replay") == [0]


async def test_no_secret_is_ever_logged(
    station: Station, caller: Caller, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    form, proof = caller.form(scope="graphql:query"), caller.proof()
    answer = await station.http.post("/oauth/token", data=form, headers={"DPoP": proof})
    token = answer.json()["access_token"]
    await caller.read(station, token)
    await station.http.post("/oauth/introspect", data={**caller.form(), "token": token})
    await station.http.post("/oauth/revoke", data={**caller.form(), "token": token})
    await station.http.post("/oauth/token", data=form, headers={"DPoP": proof})
    refused = caller.assertion(jose.new_key())
    await station.http.post("/oauth/token", data=caller.form(client_assertion=refused), headers={"DPoP": proof})
    private = [str(jose.private_jwk(key)["d"]) for key in (caller.key, caller.dpop)]
    hub_private = [str(jose.private_jwk(key.private)["d"]) for key in [station.hub.keys.signing()] if key.private]
    told = caplog.text + "".join(repr(vars(record)) for record in caplog.records) + "".join(capfd.readouterr())
    for secret in (token, form["client_assertion"], proof, refused, *private, *hub_private):
        assert secret not in told
        assert secret.rpartition(".")[2] not in told


async def test_a_database_that_only_reads_gives_503_and_nothing_half_done(station: Station, caller: Caller) -> None:
    database = station.hub.database
    name = database.url.split("?")[0].rsplit("/", 1)[1]
    async with database.session() as db:
        await db.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    await database.engine.dispose()
    database.reads.forget()
    answer = await caller.get(station)
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("2", "no-store")
    assert await column(station, "SELECT count(*) FROM oauth_token") == [0]
    assert await column(station, "SELECT count(*) FROM oauth_replay") == [0]


async def test_a_database_that_is_locked_or_away_gives_503(station: Station, caller: Caller) -> None:
    hub = station.hub
    away = await make_station(hub.database, hub.settings.home)
    away.hub.database = await Database(hub.database.url).open()
    await away.hub.database.close()
    for endpoint in ("token", "revoke", "introspect"):
        sent = {"data": {**caller.form(), "token": "x"}, "headers": {"DPoP": caller.proof()}}
        answer = await away.http.post(f"/oauth/{endpoint}", **sent)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    await away.close()
    async with hub.database.session() as db:
        await db.execute(text("LOCK TABLE oauth_token IN ACCESS EXCLUSIVE MODE"))
        waiting = asyncio.create_task(caller.get(station))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    assert (await waiting).status_code == 200


async def test_a_hub_that_is_not_reached_by_https_says_so(station: Station, caller: Caller) -> None:
    plain = Hub(replace(station.hub.settings, public_url="http://hub.example"), station.hub.database, station.hub.keys)
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(plain)))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        proof = caller.proof("http://hub.example/oauth/token")
        sent = caller.form(client_assertion=caller.assertion(aud="http://hub.example"), resource=None)
        for endpoint in ("token", "revoke"):
            answer = await http.post(f"/oauth/{endpoint}", data=sent, headers={"DPoP": proof})
            assert (answer.status_code, "WEGO_PUBLIC_URL" in answer.text) == (503, True)


class Counting:
    """Lets as much of each purpose through as it says, and remembers who was counted."""

    def __init__(self, **most: int) -> None:
        self.most, self.taken = most, Counter[tuple[str, str]]()

    def wait(self, purpose: str, caller: str, amount: int = 1) -> float:
        if self.taken[purpose, caller] >= self.most.get(purpose, 1000):
            return 7.5
        self.taken[purpose, caller] += amount
        return 0.0


@asynccontextmanager
async def counted(station: Station, rates: Counting, address: str = "192.0.2.7") -> AsyncIterator[httpx2.AsyncClient]:
    """The endpoints under these rates, asked from this address."""
    hub = Hub(station.hub.settings, station.hub.database, station.hub.keys)
    hub.rates = rates  # type: ignore[attr-defined]  # what the running hub has besides
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(hub)), client=(address, 7))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        yield http


def ask_with(caller: Caller, **form: Any) -> dict[str, Any]:
    return {"url": "/oauth/token", "data": caller.form(**form), "headers": {"DPoP": caller.proof()}}


async def test_who_asks_too_often_waits(station: Station, caller: Caller) -> None:
    async with counted(station, Counting(token=1)) as http:
        first, second = [await http.post(**ask_with(caller)) for _ in range(2)]
    assert first.status_code == 200
    assert (second.status_code, second.headers["retry-after"]) == (429, "8")


async def test_who_guesses_is_slowed_down_and_the_program_that_he_names_is_not(
    station: Station, caller: Caller
) -> None:
    rates = Counting(guess=3)
    before = await station.state()
    bad = [
        {"client_assertion": caller.assertion(jose.new_key())},
        {"client_assertion": caller.assertion(sub="nobody", iss="nobody")},
        {"client_assertion": caller.assertion(aud="https://other.example")},
    ]
    async with counted(station, rates) as http:
        answers = [await http.post(**ask_with(caller, **form)) for form in bad]
        assert [each.status_code for each in answers] == [400] * 3
        forwarded = {"X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1", "X-Real-IP": "198.51.100.1"}
        for headers in ({}, forwarded):
            sent = ask_with(caller, **bad[0])
            refused = await http.post(**{**sent, "headers": {**sent["headers"], **headers}})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "8")
    assert await station.state() == before
    async with counted(station, rates, "198.51.100.9") as http:
        assert (await http.post(**ask_with(caller))).status_code == 200
    assert set(rates.taken) == {
        ("token", "ip:192.0.2.7"), ("guess", "ip:192.0.2.7"), ("token", "ip:198.51.100.9"),
        ("guess", "ip:198.51.100.9"), ("token", f"program:{caller.client_id}"),
    }  # fmt: skip
    assert rates.taken["guess", "ip:198.51.100.9"] == 0


async def test_a_program_is_counted_by_its_key_wherever_it_asks_from(station: Station, caller: Caller) -> None:
    rates = Counting(token=2)
    statuses = []
    for number in range(3):
        async with counted(station, rates, f"192.0.2.{number}") as http:
            statuses.append((await http.post(**ask_with(caller))).status_code)
    assert statuses == [200, 200, 429]
    assert await column(station, "SELECT count(*) FROM oauth_token") == [2]


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ({"client": ("192.0.2.7", 1)}, "192.0.2.7"),
        ({"client": ("192.0.2.7", 1), "wego.client": "198.51.100.1"}, "198.51.100.1"),
        ({"client": ("2001:db8:1:2:aaaa::1", 1)}, "2001:db8:1:2::/64"),
        ({"client": ("2001:db8:1:2:bbbb::9", 1)}, "2001:db8:1:2::/64"),
        ({"client": ("::ffff:192.0.2.7", 1)}, "192.0.2.7"),
        ({"client": ("fe80::1%eth0", 1)}, "fe80::/64"),
        ({"client": None}, ""),
        ({}, ""),
        ({"client": ("testclient", 1)}, "testclient"),
    ],
)
def test_a_network_of_one_owner_is_one_caller(scope: dict[str, Any], name: str) -> None:
    assert address_of(scope) == name


class Broken:
    """A pool whose every statement ends in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def fetchrow(self, *_: object, **__: object) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), "2"),
        (asyncpg.DeadlockDetectedError("deadlock detected"), "2"),
        (asyncpg.TooManyConnectionsError("sorry"), "2"),
        (OSError("no route"), "2"),
        (RateLimited("The hub is busy; try again in {seconds} seconds.", seconds=5), "5"),
    ],
)
async def test_whatever_the_database_says_is_told_as_503(
    station: Station, caller: Caller, error: Exception, retry: str
) -> None:
    hub = Hub(station.hub.settings, SimpleNamespace(reads=Broken(error)), station.hub.keys)  # type: ignore[arg-type]
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(hub)))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        answer = await http.post(**ask_with(caller))
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == retry


async def test_a_mistake_of_ours_is_not_told_as_an_outage(station: Station, caller: Caller) -> None:
    broken = SimpleNamespace(reads=Broken(asyncpg.UndefinedColumnError("no such column")))
    hub = Hub(station.hub.settings, broken, station.hub.keys)  # type: ignore[arg-type]
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(hub)))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        with pytest.raises(asyncpg.UndefinedColumnError):
            await http.post(**ask_with(caller))


async def test_the_token_endpoint_tells_what_is_wrong_in_fixed_sentences(station: Station, caller: Caller) -> None:
    told = {}
    for name, assertion in {
        "kid": caller.assertion(header={"kid": None}),
        "kid of another kind": caller.assertion(header={"kid": "é"}),
        "alg": caller.assertion(header={"alg": "RS256"}),
        "alg of another key": caller.assertion(header={"alg": "Ed25519"}),
        "jti": caller.assertion(jti=None),
        "jti of another kind": caller.assertion(jti="서울"),
        "unknown kid": caller.assertion(header={"kid": "other"}),
        "signature": caller.assertion(jose.new_key()),
        "exp": caller.assertion(exp=None),
        "type": caller.assertion(header={"typ": "at+jwt"}),
    }.items():
        answer = await caller.get(station, client_assertion=assertion)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
        told[name] = answer.json()["error_description"]
    for name, proof in {
        "proof jti": caller.proof(jti=None),
        "proof alg": caller.proof(header={"alg": "PS256"}),
        "proof jwk": caller.proof(header={"jwk": None}),
        "proof iat": caller.proof(iat=None),
        "proof htu": caller.proof(htu="https://other.example"),
    }.items():
        answer = await station.http.post("/oauth/token", data=caller.form(), headers={"DPoP": proof})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
        told[name] = answer.json()["error_description"]
    assert len(set(told.values())) == len(told) - 1, told
    assert (
        told["alg"] == told["proof alg"] == "The algorithm of the signature is not accepted here: use ES256 or Ed25519."
    )
    assert told["kid"] == "The assertion has no kid."
    assert told["jti"] == "The assertion has no jti."
    assert told["proof jti"] == "The proof has no jti."


async def test_what_is_not_sane_never_reaches_the_database(station: Station, caller: Caller) -> None:
    """Cheap refusals come first: a form, an assertion or a proof that cannot be right costs no statement."""
    hub = Hub(station.hub.settings, SimpleNamespace(reads=Broken(AssertionError())), station.hub.keys)  # type: ignore[arg-type]
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(hub)))
    huge = forged(caller.header(alg="RS256"), caller.claims(), signature=b"x" * 2048)
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        for sent in (
            ask_with(caller, grant_type="password"),
            ask_with(caller, resource="https://other.example"),
            ask_with(caller, client_assertion=caller.assertion(exp=1)),
            ask_with(caller, client_assertion=caller.assertion(header={"kid": None})),
            ask_with(caller, client_assertion=huge),
            ask_with(caller, client_assertion=forged(caller.header(), b'{"a":' + b"[" * 2000, caller.key)),
            {**ask_with(caller), "headers": {"DPoP": caller.proof(htm="GET")}},
            {**ask_with(caller), "headers": {}},
        ):
            assert (await http.post(**sent)).status_code == 400
        with pytest.raises(AssertionError):
            await http.post(**ask_with(caller))


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


async def test_the_world_finds_everything_by_metadata(station: Station) -> None:
    server = (await station.http.get("/.well-known/oauth-authorization-server")).json()
    assert server["issuer"] == ISSUER
    assert server["token_endpoint"] == TOKEN_URL
    assert server["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert server["dpop_signing_alg_values_supported"] == ["ES256", "Ed25519"]
    resource = (await station.http.get("/.well-known/oauth-protected-resource/graphql")).json()
    assert (resource["resource"], resource["authorization_servers"]) == (RESOURCE, [ISSUER])
    assert resource["dpop_bound_access_tokens_required"] is True
    jwks = await station.http.get("/oauth/jwks")
    assert jwks.headers["cache-control"] == "public, max-age=600"
    assert all(key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"} for key in jwks.json()["keys"])
    for endpoint in ("token", "revoke", "introspect"):
        assert (await station.http.get(f"/oauth/{endpoint}")).status_code == 405
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/graphql"):
        assert (await station.http.get(path)).headers["content-type"] == "application/json"


async def test_the_metadata_pass_authlibs_own_validator(station: Station) -> None:
    """Authlib calls the empty list of response types missing, though RFC 8414 asks only for an array: that one
    member is filled in before its other sixteen checks."""
    from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

    server = (await station.http.get("/.well-known/oauth-authorization-server")).json()
    AuthorizationServerMetadata({**server, "response_types_supported": ["none"]}).validate()
