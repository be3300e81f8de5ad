"""A program and its token, from the key file to the answer: what ends it ends it at the next request.

Binding texts: RFC 9449 section 7, RFC 6750, design/federation.md 5.3 and 5.6, attacks.md (Tokens, DPoP, Suspension,
Operations).
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import httpx2
import psycopg
import pytest
from http_make import ISSUER, RESOURCE, Bridge, Caller, Seeded, Station, codes, fresh_station, running

from federation.client import HubError, assertion, proof
from federation.jose import jose
from federation.jose.jose import token_hash

UNSIGNED = jose.encode64(b'{"alg":"none","typ":"at+jwt"}')
STRICT = {"accept": "application/graphql-response+json"}
VIEWER = "{viewer{kind scopes}}"
SUSPEND = 'mutation{suspendMember(input:{city:"seoul",reason:"A test."}){problems{code} city{membership{status}}}}'
REINSTATE = 'mutation{reinstateMember(input:{city:"seoul"}){problems{code} city{membership{status}}}}'


def statements(answer: httpx2.Response) -> int:
    found = re.search(r'desc="(\d+) statements"', answer.headers["server-timing"])
    assert found
    return int(found[1])


def refused(answer: httpx2.Response, error: str = "") -> None:
    assert answer.status_code == 401, answer.text
    assert codes(answer) == {"NOT_SIGNED_IN"}
    assert "data" not in answer.json()
    told = answer.headers["www-authenticate"]
    assert told.startswith("DPoP ")
    assert f'resource_metadata="{ISSUER}/.well-known/oauth-protected-resource/graphql"' in told
    if error:
        assert f'error="{error}"' in told
    assert answer.headers["cache-control"] == "no-store"


async def officer_says(station: Station, mutation: str) -> None:
    done = await station.ask(mutation, caller=await station.person("secretariat@wego.demo"))
    assert codes(done) == set(), done.text


def own_proof(caller: Caller, **changed: Any) -> str:
    """A proof of which some claims are not what they should be."""
    claims = {
        "jti": f"test-{time.monotonic_ns()}", "htm": "POST", "htu": RESOURCE, "iat": int(time.time()),
        "ath": token_hash(caller.token), **changed,
    }  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not None}
    return jose.sign({"typ": "dpop+jwt", "jwk": jose.public_jwk(caller.key)}, kept, caller.key)


# ── what does not work ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"ath": "AAAA"}, "invalid_dpop_proof"),
        ({"ath": None}, "invalid_dpop_proof"),
        ({"htm": "GET"}, "invalid_dpop_proof"),
        ({"htm": "post"}, "invalid_dpop_proof"),
        ({"htu": f"{ISSUER}/oauth/token"}, "invalid_dpop_proof"),
        ({"htu": "https://other.test/graphql"}, "invalid_dpop_proof"),
        ({"iat": 1}, "invalid_dpop_proof"),
        ({"iat": 2**40}, "invalid_dpop_proof"),
        ({"iat": None}, "invalid_dpop_proof"),
        ({"jti": None}, "invalid_dpop_proof"),
        ({"jti": "x" * 5000}, "invalid_dpop_proof"),
        ({"jti": ""}, "invalid_dpop_proof"),
    ],
)
async def test_a_proof_that_is_for_something_else_is_refused(standing: Station, changed: dict[str, Any], error: str):
    caller = await standing.program("seoul")
    before = standing.fingerprint()
    answer = await standing.ask(VIEWER, headers=caller.headers() | {"dpop": own_proof(caller, **changed)})
    refused(answer, error)
    assert standing.fingerprint() == before
    good = await standing.ask(VIEWER, headers=caller.headers() | {"dpop": own_proof(caller)})
    assert good.status_code == 200


async def test_a_proof_of_another_key_is_refused(standing: Station):
    caller = await standing.program("seoul")
    other = proof(jose.new_key(), "POST", RESOURCE, caller.token)
    refused(await standing.ask(VIEWER, headers=caller.headers() | {"dpop": other}), "invalid_dpop_proof")


async def test_a_token_without_a_proof_is_refused(standing: Station):
    caller = await standing.program("seoul")
    headers = {"authorization": caller.headers()["authorization"]}
    refused(await standing.ask(VIEWER, headers=headers), "invalid_dpop_proof")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic", "DPoP DPoP", ""])
async def test_other_schemes_than_dpop_are_refused(standing: Station, scheme: str):
    caller = await standing.program("seoul")
    answer = await standing.ask(VIEWER, headers=caller.headers() | {"authorization": f"{scheme} {caller.token}"})
    assert answer.status_code in (400, 401)
    assert answer.headers["www-authenticate"].startswith("DPoP ")
    assert "data" not in answer.json()


async def test_a_token_in_the_address_is_refused(standing: Station):
    caller = await standing.program("seoul")
    for name in ("access_token", "access%5Ftoken"):
        url = f"/graphql?query={{__typename}}&{name}={caller.token}"
        answer = await standing.http.get(url)
        assert answer.status_code == 400
        assert 'error="invalid_request"' in answer.headers["www-authenticate"]
        assert caller.token not in answer.text


@pytest.mark.parametrize("change", ["cut", "flipped", "swapped", "huge", "none"])
async def test_a_token_that_was_touched_is_refused(standing: Station, change: str):
    caller = await standing.program("seoul")
    head, body, signature = caller.token.split(".")
    touched = {
        "cut": caller.token[:-2],
        "flipped": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "swapped": f"{body}.{head}.{signature}",
        "huge": caller.token + "A" * 16_384,
        "none": f"{UNSIGNED}.{body}.",
    }[change]
    spoiled = Caller(touched, caller.key)
    before = standing.fingerprint()
    refused(await standing.ask(SUSPEND, caller=spoiled), "invalid_token")
    assert standing.fingerprint() == before


async def test_a_token_that_may_only_query_changes_nothing(standing: Station):
    caller = await standing.program("seoul", "graphql:query catalog:write")
    before = standing.fingerprint()
    answer = await standing.ask(SUSPEND, caller=caller, headers=STRICT)
    assert (answer.status_code, codes(answer)) == (403, {"NOT_ALLOWED"})
    assert "graphql:mutate" in answer.text
    assert standing.fingerprint() == before


async def test_a_token_that_may_only_change_reads_nothing(standing: Station):
    caller = await standing.program("seoul", "graphql:mutate")
    answer = await standing.ask(VIEWER, caller=caller, headers=STRICT)
    assert (answer.status_code, codes(answer)) == (403, {"NOT_ALLOWED"})


async def test_no_program_gets_more_than_it_was_registered_for(standing: Station):
    for scope in ("audit:read", "graphql:query audit:read", "everything", "graphql:query\nmutate"):
        with pytest.raises(HubError, match=r"invalid_scope|invalid_request"):
            await standing.program("seoul", scope)


async def test_a_proof_is_good_once_also_at_two_servers(seeded: Seeded):
    """Whoever overhears a request cannot send it again, to this process or to another on the same database."""
    with seeded.clone() as url:
        async with running(seeded, url) as one, running(seeded, url) as two:
            caller = await one.program("seoul")
            headers = caller.headers()
            assert (await one.ask(VIEWER, headers=headers)).status_code == 200
            refused(await one.ask(VIEWER, headers=headers), "invalid_dpop_proof")
            refused(await two.ask(VIEWER, headers=headers), "invalid_dpop_proof")
            headers = caller.headers()
            answers = await asyncio.gather(*(place.ask(VIEWER, headers=headers) for place in (one, two) * 10))
            assert sorted(each.status_code for each in answers) == [200] + [401] * 19


async def test_a_mutation_is_not_done_again_with_an_old_proof(station: Station):
    officer = await station.person("secretariat@wego.demo")
    headers = officer.headers()
    assert codes(await station.ask(SUSPEND, headers=headers)) == set()
    before = station.fingerprint()
    refused(await station.ask(REINSTATE, headers=headers), "invalid_dpop_proof")
    assert station.fingerprint() == before


# ── what works, and how it ends ───────────────────────────────────────────────────────────────────────────────────


PRACTICES = """query Q($n: Int) {
  practices(first: $n) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      slug title { text locale isFallback } summary { text locale isFallback }
      city { slug name { text locale } }
      themes { label { text locale } }
      sections { key heading { text locale } body { text locale } }
      indicators { code }
    }
  }
  viewer { kind scopes }
}"""


async def test_a_program_asks_with_its_own_key_and_gets_its_answer_from_one_statement(station: Station):
    caller = await station.program("chengdu", "graphql:query catalog:read")
    answer = await station.ask(PRACTICES, {"n": 20}, caller=caller, headers={"accept-language": "ko, en;q=0.5"})
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert told["viewer"] == {"kind": "PROGRAM", "scopes": ["catalog:read", "graphql:query"]}
    assert told["practices"]["totalCount"] > 10
    for practice in told["practices"]["nodes"]:
        assert practice["title"]["locale"] in ("ko", "en")
        assert practice["title"]["isFallback"] is (practice["title"]["locale"] != "ko")
        assert practice["city"]["name"]["text"]
    assert any(practice["title"]["locale"] == "ko" for practice in told["practices"]["nodes"])
    assert statements(answer) == 1


async def test_a_list_of_one_and_a_list_of_many_cost_the_same(standing: Station):
    caller = await standing.program("seoul")
    for number in (1, 25, 100):
        answer = await standing.ask(
            "query Q($n:Int){cities(first:$n){nodes{slug name{text}}}}", {"n": number}, caller=caller
        )
        assert len(answer.json()["data"]["cities"]["nodes"]) == number
        assert statements(answer) == 1


async def test_a_token_and_its_proofs_also_work_with_get(standing: Station):
    caller = await standing.program("seoul")
    answer = await standing.http.get("/graphql", params={"query": VIEWER}, headers=caller.headers("GET"))
    assert answer.json()["data"]["viewer"]["kind"] == "PROGRAM"
    refused(await standing.http.get("/graphql", params={"query": VIEWER}, headers=caller.headers("POST")))


async def revoke(station: Station, slug: str, token: str) -> httpx2.Response:
    client = station.client(slug)
    form = {
        "client_assertion_type": jose.ASSERTION_TYPE, "token": token,
        "client_assertion": assertion(client._key, client._kid, client.client_id, ISSUER),
    }  # fmt: skip
    return await station.http.post("/oauth/revoke", data=form)


async def test_a_revoked_token_ends_at_once_and_only_by_its_owner(station: Station):
    caller, other = await station.program("seoul"), await station.program("barcelona")
    assert (await revoke(station, "barcelona", caller.token)).status_code == 200
    assert (await station.ask(VIEWER, caller=caller)).status_code == 200
    assert (await revoke(station, "seoul", caller.token)).status_code == 200
    refused(await station.ask(VIEWER, caller=caller), "invalid_token")
    refused(await station.ask(SUSPEND, caller=caller), "invalid_token")
    assert (await station.ask(VIEWER, caller=other)).status_code == 200


async def test_a_suspension_acts_on_the_next_request_and_reinstating_revives_nothing(station: Station):
    caller, other = await station.program("seoul"), await station.program("barcelona")
    assert statements(await station.ask(VIEWER, caller=caller)) == 1
    await officer_says(station, SUSPEND)
    refused(await station.ask(VIEWER, caller=caller), "invalid_token")
    refused(await station.ask("mutation{__typename}", caller=caller), "invalid_token")
    with pytest.raises(HubError, match="invalid_client"):
        await station.program("seoul")
    spared = await station.ask(VIEWER, caller=other)
    assert spared.status_code == 200
    assert statements(await station.ask(VIEWER, caller=other)) == 1

    await asyncio.sleep(1.1)  # tokens tell their time in whole seconds
    await officer_says(station, REINSTATE)
    refused(await station.ask(VIEWER, caller=caller), "invalid_token")
    await asyncio.sleep(1.1)
    renewed = await station.program("seoul")
    assert (await station.ask(VIEWER, caller=renewed)).status_code == 200
    refused(await station.ask(VIEWER, caller=caller), "invalid_token")


async def test_a_suspension_reaches_a_token_that_another_server_remembers(seeded: Seeded):
    with seeded.clone() as url:
        async with running(seeded, url) as one, running(seeded, url) as two:
            caller = await one.program("seoul")
            assert (await two.ask(VIEWER, caller=caller)).status_code == 200
            await officer_says(one, SUSPEND)
            refused(await two.ask(VIEWER, caller=caller), "invalid_token")


async def test_a_role_that_ends_is_gone_from_a_living_token(station: Station):
    cio = await station.person("cio@seoul.demo")
    invite = 'mutation{invitePerson(input:{email:"a@b.example",name:"A",role:EDITOR,city:"seoul"}){problems{code}}}'
    assert codes(await station.ask(invite, caller=cio)) == set()
    officer = await station.person("secretariat@wego.demo")
    end = 'mutation R($p:ID!){revokeRole(input:{person:$p,role:CIO,city:"seoul"}){problems{code message}}}'
    done = await station.ask(end, {"p": station.person_id("cio@seoul.demo")}, caller=officer)
    assert codes(done) == set(), done.text
    before = station.fingerprint()
    assert codes(await station.ask(invite, caller=cio)) == {"NOT_ALLOWED"}
    assert station.fingerprint() == before


# ── when the database is away ─────────────────────────────────────────────────────────────────────────────────────


class Refusing:
    """Keeps everybody out of one database, and ends who is in."""

    def __init__(self, station: Station) -> None:
        self.admin, self.name = station.seeded.admin_url, station.url.partition("?")[0].rsplit("/", 1)[1]

    def __enter__(self) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f"alter database {self.name} allow_connections false")
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (self.name,)
            )

    def __exit__(self, *_: object) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f"alter database {self.name} allow_connections true")


async def test_without_the_database_everything_says_so_and_nothing_is_half_done(station: Station):
    officer, program = await station.person("secretariat@wego.demo"), await station.program("seoul")
    before = station.fingerprint()
    with Refusing(station):
        for query, caller in (
            (VIEWER, program),
            (VIEWER, officer),
            (SUSPEND, officer),
            ("{cities(first:1){totalCount}}", None),
        ):
            answer = await station.ask(query, caller=caller)
            assert answer.status_code == 503, answer.text
            assert codes(answer) == {"UNAVAILABLE"}
            assert "postgres" not in answer.text.lower()
        assert (await station.http.get("/health/ready")).status_code == 503
        assert (await station.http.get("/health/live")).status_code == 200
        with pytest.raises(HubError, match="temporarily_unavailable"):
            await station.program("seoul")
        assert (await station.http.get("/.well-known/oauth-authorization-server")).status_code == 200
    assert station.fingerprint() == before
    assert (await station.ask(VIEWER, caller=program)).status_code == 200
    assert codes(await station.ask(SUSPEND, caller=officer)) == set()
    assert (await station.http.get("/health/ready")).status_code == 200


async def test_a_database_that_cannot_be_written_says_so(station: Station):
    officer = await station.person("secretariat@wego.demo")
    before = station.fingerprint()
    name = station.url.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(station.seeded.admin_url, autocommit=True) as connection:
        connection.execute(f"alter database {name} set default_transaction_read_only = on")
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        try:
            for _ in range(3):
                answer = await station.ask(SUSPEND, caller=officer)
                assert answer.status_code == 503, answer.text
            assert await served_again(station)
        finally:
            connection.execute(f"alter database {name} reset default_transaction_read_only")
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
    assert station.fingerprint() == before
    assert await served_again(station)
    assert codes(await station.ask(SUSPEND, caller=officer)) == set()


async def served_again(station: Station) -> bool:
    """Connections that were cut are found out by the first request on them."""
    answers = [await station.ask("{cities(first:1){totalCount}}") for _ in range(3)]
    return answers[-1].status_code == 200 and {each.status_code for each in answers} <= {200, 503}


async def test_a_bridge_hands_on_what_the_server_says(standing: Station):
    """The builder itself: status, headers and body come through."""
    with httpx2.Client(transport=Bridge(standing.app, asyncio.get_running_loop())) as http:
        answer = await asyncio.to_thread(http.get, f"{ISSUER}/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_the_station_of_tests_can_be_set(seeded: Seeded):
    async with fresh_station(seeded, server_timing=False) as station:
        assert "server-timing" not in (await station.ask("{__typename}")).headers
