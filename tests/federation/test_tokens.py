"""What programs and people get, how it ends, and what nobody gets."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from federation_make import (
    ISSUER,
    RESOURCE,
    TOKEN_URL,
    Caller,
    Station,
    column,
    credential_of,
    make_caller,
    make_person,
    make_station,
)
from sqlalchemy import text, update
from sqlmodel import col

from federation.jose import jose
from federation.oauth import clients, jobs, tokens
from federation.oauth.actors import reload
from members.people.models import RoleGrant
from members.people.people import touch_access
from members.register.models import Membership, MembershipStatus
from wego.core import audit
from wego.core.access import NOBODY, ActorKind, Post, Role, organisation, system
from wego.core.db import Database
from wego.core.errors import NotAllowed, NotFound


async def stand(station: Station, caller: Caller, status: MembershipStatus) -> None:
    """Give the city a standing, as the services of membership do."""
    async with station.hub.database.session() as db:
        held = MembershipStatus.FULL if status is MembershipStatus.SUSPENDED else None
        change: dict[str, Any] = {"status": status, "since": datetime.now(UTC), "before_hold": held}
        if status is MembershipStatus.FULL:
            change["not_before"] = datetime.now(UTC)
        await db.execute(update(Membership).where(col(Membership.organisation_id) == caller.city_id).values(**change))
        await touch_access(db)


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
    credential = credential_of(station, caller, token)
    async with station.hub.database.session() as db:
        actor = await reload(db, credential)
    assert actor is not None
    assert (actor.subject, actor.scopes) == (caller.client_id, frozenset({"graphql:query", "catalog:read"}))
    assert (credential.epoch, credential_of(station, caller, token).epoch) == (1, 2)


async def test_narrowed_scopes_narrow_the_tokens_that_are_out(station: Station, caller: Caller) -> None:
    token = await caller.token(station)
    async with station.hub.database.session() as db:
        await db.execute(text("UPDATE oauth_client SET scopes = '{catalog:read}'"))
        await touch_access(db)
        actor = await reload(db, credential_of(station, caller, token))
    assert actor is not None
    assert actor.scopes == {"catalog:read"}


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
    actor = credential_of(station, bearer, issued["access_token"]).actor
    assert (actor.kind, actor.person_id, actor.scopes) == (ActorKind.PERSON, person.id, None)
    assert actor.posts == (
        Post(Role.OFFICER),
        Post(Role.CIO, organisation(caller.city_id)),
        Post(Role.HEAD, organisation(caller.city_id)),
    )
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
        actor = await reload(db, credential_of(station, bearer, issued["access_token"]))
    assert actor is not None
    assert actor.posts == (Post(Role.CIO, organisation(caller.city_id), active=False),)
    await stand(station, caller, MembershipStatus.FULL)
    async with hub.database.session() as db:
        actor = await reload(db, credential_of(station, bearer, issued["access_token"]))
        assert actor is not None
        assert actor.posts == (
            Post(Role.CIO, organisation(caller.city_id), active=False),
        )  # the old token revives nothing
        await db.execute(text("UPDATE oauth_token SET revoked_at = now()"))
        assert await reload(db, credential_of(station, bearer, issued["access_token"])) is None
    assert str(person.id) == actor.subject


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


async def test_a_batch_of_the_purge_reads_no_more_than_itself(station: Station) -> None:
    """However large the tables are: rows are found by an index and deleted by their place."""
    async with station.hub.database.session() as db:
        await db.execute(
            text("""
            INSERT INTO oauth_replay SELECT int4send(n / 100) || sha256(n::text::bytea) FROM generate_series(1, 20000) n
        """)
        )
        await db.execute(
            text("""
            INSERT INTO oauth_token (jti, client_id, subject, scope, resource, issued_at, expires_at)
            SELECT n::text, 'c', 'c', '', '', to_timestamp(n), to_timestamp(n) FROM generate_series(1, 20000) n
        """)
        )
        await db.execute(text("ANALYZE oauth_replay, oauth_token"))
        for statement, before in (
            (jobs._PURGE_REPLAY, (50).to_bytes(4, "big")),
            (jobs._PURGE_TOKENS, datetime.fromtimestamp(5000, UTC)),
        ):
            explained = await db.execute(text(f"EXPLAIN {statement.text}"), {"before": before, "batch": 100})
            plan = "\n".join(explained.scalars())
            assert "Seq Scan on oauth_replay" not in plan
            assert "Seq Scan on oauth_token" not in plan
            assert "Tid Scan" in plan


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
