"""The token endpoint under load, guesses, mistakes and a database that does not serve: what it says, and to whom."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx2
import psycopg
import pytest
from federation_make import (
    ISSUER,
    Caller,
    Hub,
    Station,
    column,
    forged,
    make_station,
)
from sqlalchemy import text
from starlette.applications import Starlette

from federation.jose import jose
from federation.oauth.routes import address_of, routes
from wego.core.db import Database
from wego.core.errors import RateLimited

from ..conftest import owner_url


async def test_a_database_that_only_reads_gives_503_and_nothing_half_done(station: Station, caller: Caller) -> None:
    database = station.hub.database
    name = database.url.split("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(owner_url(database.url), autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
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
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(hub, rates)), client=(address, 7))
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
        ("guess", "ip:198.51.100.9"), ("issue", f"program:{caller.client_id}"),
    }  # fmt: skip
    assert rates.taken["guess", "ip:198.51.100.9"] == 0


async def test_a_program_is_counted_by_its_key_wherever_it_asks_from(station: Station, caller: Caller) -> None:
    rates = Counting(issue=2)
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
