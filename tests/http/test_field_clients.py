"""What clients of the field expect: batches, persisted documents, other origins, status codes, places of errors."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx2
import orjson
import pytest
from http_make import Seeded, Station, codes, fresh_station

from federation.oauth import documents
from federation.oauth.clients import by_client_id
from wego.api.request import MOST_BATCH
from wego.core.access import system

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
SEND = {"content-type": JSON}
SLUGS = "query Q($n: Int) { cities(first: $n) { nodes { slug } } }"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}


async def post(station: Station, body: Any, **headers: str) -> httpx2.Response:
    sent = {**SEND, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await station.http.post("/graphql", content=orjson.dumps(body), headers=sent)


# ── status codes ──────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "a page too large": ("{cities(first:101){nodes{slug}}}", "INVALID"),
    "too dear": (
        "{cities(first:100){nodes{practices(first:100){nodes{city{practices{nodes{slug}}}}}}}}",
        "COST_EXCEEDED",
    ),
    "an unknown field": ("{nope}", "INVALID"),
    "no document": ("{", "INVALID"),
}


@pytest.mark.parametrize("what", list(REFUSED))
async def test_under_plain_json_a_refusal_is_200_with_errors_and_a_status_only_where_it_is_understood(
    standing: Station, what: str
):
    query, code = REFUSED[what]
    for accept, status in ((JSON, 200), ("*/*", 200), (GRAPHQL, 400)):
        answer = await post(standing, {"query": query}, accept=accept)
        assert (answer.status_code, codes(answer)) == (status, {code}), accept
        assert "data" not in answer.json()


async def test_a_token_that_is_not_good_and_haste_have_their_status_for_everybody(seeded: Seeded):
    async with fresh_station(seeded, requests_per_minute=2) as station:
        assert (await post(station, {"query": "{__typename}"}, authorization="DPoP x", dpop="y")).status_code == 401
        for _ in range(2):
            last = await post(station, {"query": "{viewer{kind}}"})
        assert (last.status_code, codes(last)) == (429, {"RATE_LIMITED"})


async def test_a_refusal_says_at_which_place_of_the_document_it_arose(standing: Station):
    answer = await post(standing, {"query": "{ viewer { kind }\n  cities(first: 101) { nodes { slug } }\n}"})
    assert answer.json()["errors"][0]["locations"] == [{"line": 2, "column": 3}]
    deep = "{\n cities(first: 2) { nodes {\n  practices(last: -1) { nodes { slug } } } } }"
    assert (await post(standing, {"query": deep})).json()["errors"][0]["locations"] == [{"line": 3, "column": 3}]


# ── batches ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_batch_is_answered_in_its_order_and_each_for_itself(standing: Station):
    body = [
        {"query": SLUGS, "variables": {"n": 1}}, {"query": "{nope}"}, {"query": "{__typename}"},
        {"query": "{cities(first:101){nodes{slug}}}"}, {"query": SLUGS, "variables": {"n": 2}},
    ]  # fmt: skip
    for accept in (JSON, GRAPHQL):
        answer = await post(standing, body, accept=accept)
        assert answer.status_code == 200
        told = answer.json()
        assert [len(each["data"]["cities"]["nodes"]) for each in (told[0], told[4])] == [1, 2]
        assert told[1]["errors"][0]["extensions"]["code"] == told[3]["errors"][0]["extensions"]["code"] == "INVALID"
        assert told[2] == {"data": {"__typename": "Query"}}
    assert (await post(standing, [{"query": "{__typename}"}])).json() == [{"data": {"__typename": "Query"}}]


async def test_a_batch_has_one_limit_of_cost_and_of_number(standing: Station):
    dear = "{cities(first:100){nodes{practices(first:60){nodes{slug}}}}}"
    assert "data" in (await post(standing, {"query": dear})).json()
    told = (await post(standing, [{"query": dear}] * 5)).json()
    assert "data" in told[0]
    assert told[-1]["errors"][0]["extensions"]["code"] == "COST_EXCEEDED"
    answer = await post(standing, [{"query": "{__typename}"}] * (MOST_BATCH + 1), accept=GRAPHQL)
    assert (answer.status_code, codes(answer)) == (400, {"COST_EXCEEDED"})


async def test_one_proof_is_good_for_one_batch_and_for_no_second(standing: Station):
    caller = await standing.program("seoul")
    headers = {**SEND, **caller.headers()}
    body = orjson.dumps(
        [{"query": "{viewer{kind}}"}, {"query": SLUGS, "variables": {"n": 3}}, {"query": "{viewer{kind}}"}]
    )
    for _ in range(3):  # the third is prepared
        fresh = {**SEND, **caller.headers()}
        answer = await standing.http.post("/graphql", content=body, headers=fresh)
        assert [each["data"]["viewer"]["kind"] for each in answer.json()[::2]] == ["PROGRAM", "PROGRAM"]
        assert (await standing.http.post("/graphql", content=body, headers=fresh)).status_code == 401
    assert (await standing.http.post("/graphql", content=body, headers=headers)).status_code == 200


async def test_a_batch_that_begins_with_a_mistake_still_asks_the_gate(standing: Station):
    caller = await standing.program("seoul")
    headers = {**SEND, **caller.headers()}
    body = orjson.dumps([{"query": "{nope}"}, {"query": "{viewer{kind}}"}])
    assert (await standing.http.post("/graphql", content=body, headers=headers)).status_code == 200
    again = await standing.http.post("/graphql", content=body, headers=headers)
    assert again.status_code == 401


# ── persisted documents ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_document_is_sent_once_and_named_by_its_hash_from_then_on(seeded: Seeded, method: str):
    async def ask(station: Station, **given: Any) -> httpx2.Response:
        if method == "POST":
            return await post(station, {**given, "variables": {"n": 2}})
        params = {"variables": '{"n":2}', "extensions": orjson.dumps(given["extensions"]).decode()}
        return await station.http.get(
            "/graphql", params=params | ({"query": given["query"]} if "query" in given else {})
        )

    async with fresh_station(seeded) as station:
        unknown = await ask(station, extensions=persisted(SLUGS))
        assert (unknown.status_code, codes(unknown)) == (200, {"PERSISTED_QUERY_NOT_FOUND"})
        assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
        told = await ask(station, query=SLUGS, extensions=persisted(SLUGS))
        named = await ask(station, extensions=persisted(SLUGS))
        assert len(told.json()["data"]["cities"]["nodes"]) == 2
        assert named.json() == told.json()


async def test_a_hash_of_another_text_is_refused_and_remembered_for_nobody(standing: Station):
    other = "{ viewer { kind } }"
    answer = await post(standing, {"query": "{ __typename }", "extensions": persisted(other)})
    assert codes(answer) == {"INVALID"}
    assert codes(await post(standing, {"extensions": persisted(other)})) == {"PERSISTED_QUERY_NOT_FOUND"}


@pytest.mark.parametrize(
    "told", [1, {}, {"version": 2, "sha256Hash": "a" * 64}, {"version": 1}, {"version": 1, "sha256Hash": "A" * 64},
             {"version": 1, "sha256Hash": "a" * 63}, {"version": 1, "sha256Hash": ["a"] * 64}]
)  # fmt: skip
async def test_what_names_no_document_is_invalid(standing: Station, told: Any):
    assert codes(await post(standing, {"extensions": {"persistedQuery": told}})) == {"INVALID"}


async def test_a_document_that_is_wrong_is_not_remembered(standing: Station):
    assert codes(await post(standing, {"query": "{nope}", "extensions": persisted("{nope}")})) == {"INVALID"}
    assert codes(await post(standing, {"extensions": persisted("{nope}")})) == {"PERSISTED_QUERY_NOT_FOUND"}


async def test_registered_documents_are_for_their_program_and_may_be_all_that_it_runs(station: Station):
    trusted = "query Trusted { viewer { kind } }"
    registration = orjson.loads((station.seeded.home / "demo" / "clients" / "seoul.json").read_bytes())

    async def register(*texts: str, only: bool | None = None) -> None:
        async with station.hub.database.session() as db:
            client = await by_client_id(db, registration["client_id"])
            await documents.register(db, system("test"), client, texts, only=only)

    await register(trusted)
    seoul, chengdu = await station.program("seoul"), await station.program("chengdu")
    body = {"extensions": persisted(trusted)}
    assert codes(await post(station, body)) == {"PERSISTED_QUERY_NOT_FOUND"}
    assert codes(await post(station, body, **chengdu.headers())) == {"PERSISTED_QUERY_NOT_FOUND"}
    assert (await post(station, body, **seoul.headers())).json() == {"data": {"viewer": {"kind": "PROGRAM"}}}
    assert "data" in (await post(station, {"query": "{viewer{kind}}"}, **seoul.headers())).json()

    await register(only=True)
    seoul = await station.program("seoul")  # the rule travels in the token
    assert codes(await post(station, {"query": "{viewer{kind}}"}, **seoul.headers())) == {"NOT_ALLOWED"}
    for _ in range(2):
        for allowed in (body, {"query": trusted}):
            assert "data" in (await post(station, allowed, **seoul.headers())).json()


# ── pages of other origins ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_of_any_origin_may_read_what_is_public(standing: Station):
    asked = {"origin": "https://example.org", "access-control-request-method": "POST",
             "access-control-request-headers": "content-type"}  # fmt: skip
    before = await standing.http.options("/graphql", headers=asked)
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == "*"
    assert "POST" in before.headers["access-control-allow-methods"]
    assert "content-type" in before.headers["access-control-allow-headers"]
    for answer in (
        await post(standing, {"query": "{__typename}"}, origin="https://example.org"),
        await post(standing, {"query": "{nope}"}, origin="null"),
        await standing.http.get(
            "/graphql", params={"query": "{__typename}"}, headers={"origin": "https://example.org"}
        ),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


async def test_no_page_of_another_origin_can_send_a_token(standing: Station):
    before = await standing.http.options("/graphql", headers={"origin": "https://example.org"})
    allowed = before.headers["access-control-allow-headers"].lower()
    assert "authorization" not in allowed
    assert "dpop" not in allowed
    assert "*" not in allowed
