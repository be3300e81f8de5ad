"""GraphQL over HTTP: the audits of `graphql-http` against a real server, and what they do not ask.

Binding texts: GraphQL over HTTP (draft), RFC 9110. What a stranger cannot do comes first: be served what he did not
ask for properly.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import httpx2
import pytest
from http_make import Seeded, Station, codes, fresh_station
from http_server import served

AUDITS = Path(__file__).parent / "audits"
GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
ASK = b'{"query":"{__typename}"}'
SEND = {"content-type": JSON}


async def post(station: Station, content: Any = ASK, **headers: str) -> httpx2.Response:
    sent = SEND | {name.replace("_", "-"): value for name, value in headers.items()}
    return await station.http.post("/graphql", content=content, headers=sent)


# ── the 61 audits ─────────────────────────────────────────────────────────────────────────────────────────────────


async def run(*command: str, folder: Path, seconds: float) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, "", f"{command[0]} took longer than {seconds} s"
    return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture(scope="session")
async def auditor() -> Path:
    """A folder outside the tree where the npm package is installed as its lock says."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("the audits need node and npm, which are not on this machine")
    lock = (AUDITS / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "wego-hub" / f"audits-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(AUDITS / name, folder / name)
        code, _, err = await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder, seconds=120)
        if code:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"npm cannot install the audits here: {err.strip().splitlines()[-1:]}")
    shutil.copy(AUDITS / "run.mjs", folder / "run.mjs")
    return folder


async def test_all_audits_of_graphql_over_http_pass(seeded: Seeded, auditor: Path):
    with seeded.clone() as url:
        async with served(seeded, url, cache_mb=8) as address:
            code, out, err = await run("node", "run.mjs", f"{address}/graphql", folder=auditor, seconds=60)
    assert code == 0, err
    results = json.loads(out)
    assert [each for each in results if each["status"] != "ok"] == []
    assert len(results) == 61


# ── what is not served ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql",
        "application/jsonp", "application/json+x", "", "application/json; charset=latin1",
        "application/json;charset=utf-16",
    ],
)  # fmt: skip
async def test_only_json_in_utf8_is_read(standing: Station, kind: str):
    """A foreign page can send the simple types without asking first; none of them is served."""
    before = standing.fingerprint()
    mutation = b'{"query":"mutation{suspendMember(input:{city:\\"seoul\\",reason:\\"x\\"}){problems{code}}}"}'
    answer = await post(standing, mutation, content_type=kind)
    assert answer.status_code == 415
    assert codes(answer) == {"INVALID"}
    assert standing.fingerprint() == before


@pytest.mark.parametrize(
    "kind",
    ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", 'application/json; Charset="UTF-8"'],
)
async def test_json_is_read_however_its_type_is_written(standing: Station, kind: str):
    answer = await post(standing, content_type=kind)
    assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.5", JSON),
        (f"text/html, {GRAPHQL};q=0.1", GRAPHQL),
        (f"{GRAPHQL};q=nonsense, {JSON};q=0.1", JSON),
        ("APPLICATION/JSON", JSON),
    ],
)
async def test_the_answer_has_the_type_that_is_wanted_most(standing: Station, accept: str | None, given: str):
    request = standing.http.build_request("POST", "/graphql", content=ASK, headers=SEND)
    request.headers.pop("accept", None)
    if accept is not None:
        request.headers["accept"] = accept
    answer = await standing.http.send(request)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{given}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/html", "image/*", f"{JSON};q=0", f"{GRAPHQL};q=0, text/plain", ";;;,,,", "x" * 100_000]
)
async def test_what_cannot_be_given_is_told(standing: Station, accept: str):
    answer = await post(standing, accept=accept)
    assert answer.status_code == 406
    assert codes(answer) == {"INVALID"}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
async def test_other_methods_are_refused_with_what_is_allowed(standing: Station, method: str):
    answer = await standing.http.request(method, "/graphql", content=ASK, headers=SEND)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"1", b'"{__typename}"', b"[]", b"[1]", b'[{"query":"{__typename}"},1]',
        b"\xff\xfe", b'{"query":"\xff"}',
        b'{"query":"\\ud800"}',
        b"[" * 100_000, b'{"query":' * 10_000, b'{"query":NaN}', b'\xef\xbb\xbf{"query":"{__typename}"}',
        b"{}", b'{"query":null}', b'{"query":""}', b'{"query":1}', b'{"query":["{__typename}"]}',
        b'{"Query":"{__typename}"}',
        b'{"query":"{__typename}","variables":[]}', b'{"query":"{__typename}","variables":"{}"}',
        b'{"query":"{__typename}","operationName":1}', b'{"query":"{__typename}","operationName":{}}',
        b'{"query":"{__typename}","extensions":[]}', b'{"query":"{__typename}","extensions":"x"}',
        b'{"query":"{__typename}","operationName":"Other"}', b'{"query":"{__typename} {__typename}"}',
        b'{"query":"query A{__typename} query B{__typename}"}', b'{"query":"fragment F on City{id}"}', b'{"query":"#"}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)  # fmt: skip
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_wrong_body_is_a_bad_request_and_never_more(standing: Station, body: bytes, accept: str):
    answer = await post(standing, body, accept=accept)
    assert answer.status_code == 400 or (accept == JSON and answer.status_code == 200)
    assert codes(answer) == {"INVALID"}
    assert "data" not in answer.json()


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_what_is_wrong_with_a_document_is_an_error_of_the_type_asked_for(standing: Station, accept: str):
    for query in ("{", "{nope}", "query($a:Nope){__typename}", "{city}", "{__typename}{__typename}"):
        answer = await standing.ask(query, headers={"accept": accept})
        assert answer.status_code == (400 if accept == GRAPHQL else 200), query
        assert codes(answer) == {"INVALID"}, query


async def test_a_body_beyond_the_limit_is_413_and_says_the_limit(seeded: Seeded):
    async with fresh_station(seeded, max_body_kb=2) as station:
        answer = await post(station, b'{"query":"{__typename}","extensions":{"x":"' + b"x" * 3000 + b'"}}')
        assert answer.status_code == 413
        assert codes(answer) == {"INVALID"}
        assert "2" in answer.text

        async def dripping() -> Any:
            for _ in range(100):
                yield b" " * 100

        assert (await post(station, dripping())).status_code == 413
        assert (await post(station, b" " * 2000 + ASK)).status_code == 200


# ── GET and HEAD ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_query_can_be_read_with_get(standing: Station):
    params = {"query": "query Q($n:Int){cities(first:$n){nodes{slug}}}", "variables": '{"n":1}', "operationName": "Q"}
    answer = await standing.http.get("/graphql", params=params)
    assert answer.status_code == 200
    assert len(answer.json()["data"]["cities"]["nodes"]) == 1


async def test_a_mutation_with_get_is_refused_and_changes_nothing(standing: Station):
    caller = await standing.person("secretariat@wego.demo")
    before = standing.fingerprint()
    query = 'mutation{suspendMember(input:{city:"seoul",reason:"x"}){problems{code}}}'
    for method in ("GET", "HEAD"):
        answer = await standing.http.request(
            method, "/graphql", params={"query": query}, headers=caller.headers(method)
        )
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"
    assert standing.fingerprint() == before


@pytest.mark.parametrize(
    "query",
    [
        "", "query=", "query=%7B", "query={__typename}&variables=[]", "query={__typename}&variables=nope",
        "query={__typename}&variables=%ff", "query=%ff%fe", "query={__typename}&extensions=1", "variables={}", "%00",
        "query={__typename}&operationName=%00", "&&&===", "query={__typename}&variables=%22" + "x" * 50_000,
    ],
    ids=lambda query: query[:30],
)  # fmt: skip
async def test_a_wrong_address_is_a_bad_request(standing: Station, query: str):
    answer = await standing.http.get(f"/graphql?{query}")
    assert answer.status_code in (200, 400)
    assert codes(answer) == {"INVALID"}


async def test_head_is_get_without_a_body(standing: Station):
    params = {"query": "{__typename}"}
    got, head = [await standing.http.request(method, "/graphql", params=params) for method in ("GET", "HEAD")]
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))


async def test_a_public_answer_is_revalidated_by_its_etag_until_something_changes(seeded: Seeded):
    async with fresh_station(seeded, cache_mb=8) as station:
        while not station.hub.answers.listening:
            await asyncio.sleep(0.01)
        params = {"query": '{city(slug:"seoul"){membership{status}}}'}
        first = await station.http.get("/graphql", params=params)
        assert first.headers["cache-control"] == "no-cache"
        tag = {"if-none-match": first.headers["etag"]}
        again = await station.http.get("/graphql", params=params, headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        assert '"0 statements"' in again.headers["server-timing"]
        weak = await station.http.get(
            "/graphql", params=params, headers={"if-none-match": f'"x", W/{tag["if-none-match"]}'}
        )
        assert weak.status_code == 304

        officer = await station.person("secretariat@wego.demo")
        done = await station.ask(
            'mutation{suspendMember(input:{city:"seoul",reason:"A test."}){problems{code}}}', caller=officer
        )
        assert codes(done) == set()
        fresh = await station.http.get("/graphql", params=params, headers=tag)
        assert fresh.status_code == 200
        assert fresh.json()["data"]["city"]["membership"]["status"] == "SUSPENDED"


async def test_what_somebody_asked_with_a_token_is_never_kept(seeded: Seeded):
    async with fresh_station(seeded, cache_mb=8) as station:
        caller = await station.person("cio@seoul.demo")
        answer = await station.ask("{viewer{kind}}", caller=caller)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
        assert (await station.ask("{viewer{kind}}")).json()["data"]["viewer"]["kind"] == "ANONYMOUS"


# ── headers and names that mean harm ──────────────────────────────────────────────────────────────────────────────


NAUGHTY_HEADERS = [
    "x" * 60_000, "en," * 20_000, "en;q=" + "9" * 5000, "en\x00ko", "../../../etc/passwd",
    "ko;q=NaN", "*;q=inf", ";;;", "😀",
    "en-" + "-".join(["aaaaaaaa"] * 500), "zh-Hant-CN-x-private1-private2", "' or 1=1 --",
    "%s%s%n", "{locale}", "\xff\xfe",
    "i-klingon, x-y, en-US-u-ca-buddhist", "ko_KR.UTF-8@x", "C", "POSIX",
]  # fmt: skip


@pytest.mark.parametrize("value", NAUGHTY_HEADERS, ids=range(len(NAUGHTY_HEADERS)))
async def test_no_language_that_is_asked_for_breaks_anything(standing: Station, value: str):
    raw = [(b"content-type", b"application/json"), (b"accept-language", value.encode("utf-8", "replace"))]
    query = b'{"query":"{cities(first:1){nodes{name{text locale}}} nope}"}'
    for body, status in ((b'{"query":"{cities(first:1){nodes{name{text locale}}}}"}', 200), (query, 200)):
        answer = await standing.http.post("/graphql", content=body, headers=raw)
        assert answer.status_code == status
        assert all("\n" not in text and "\r" not in text for text in answer.headers.values())


async def test_headers_that_are_sent_twice_are_not_two_answers(standing: Station):
    raw = [(b"content-type", b"text/plain"), (b"content-type", b"application/json"), (b"accept", b"text/html")]
    answer = await standing.http.post("/graphql", content=ASK, headers=[*raw, (b"accept", b"application/json")])
    assert answer.status_code in (200, 406, 415)
    caller = await standing.person("cio@seoul.demo")
    headers = caller.headers()
    twice = [(b"content-type", b"application/json"), (b"authorization", headers["authorization"].encode())] * 2
    answer = await standing.http.post("/graphql", content=ASK, headers=[*twice, (b"dpop", headers["dpop"].encode())])
    assert answer.status_code == 400
    headers = caller.headers()
    proofs = [(name.encode(), text.encode()) for name, text in headers.items()]
    answer = await standing.http.post(
        "/graphql",
        content=ASK,
        headers=[*proofs, (b"dpop", headers["dpop"].encode()), (b"content-type", b"application/json")],
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "name",
    ["'; drop table city; --", "\u202e", "\x00", "x" * 100_000, "__proto__", "😀", "Q\r\nSet-Cookie: a=b", "$1", "%s"],
)
async def test_no_name_of_an_operation_breaks_anything(standing: Station, name: str):
    answer = await standing.ask("query Q{__typename}", operationName=name, headers={"accept": GRAPHQL})
    assert answer.status_code == 400
    assert codes(answer) == {"INVALID"}
    assert "set-cookie" not in answer.headers
    assert len(answer.content) < 2000


async def test_every_answer_has_the_safe_headers(standing: Station):
    for path in ("/graphql", "/", "/schema.graphql", "/health/live", "/nothing-here", "/oauth/token"):
        answer = await standing.http.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert "default-src 'none'" in answer.headers["content-security-policy"], path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert "set-cookie" not in answer.headers, path


async def test_the_sdl_and_the_health_are_served(standing: Station):
    sdl = await standing.http.get("/schema.graphql")
    assert "type Query" in sdl.text
    assert (await standing.http.get("/health/live")).json() == {"status": "ok"}
    assert (await standing.http.get("/health/ready")).json()["status"] == "ok"
    assert (await standing.http.get("/metrics")).status_code == 404, "figures are for who has the operator's token"


async def test_a_kept_answer_is_no_answer_to_another_request(seeded: Seeded):
    """What is kept for one media type, language, method, caller or address is not given to another."""
    async with fresh_station(seeded, cache_mb=8) as station:
        while not station.hub.answers.listening:
            await asyncio.sleep(0.01)
        body = b'{"query":"{viewer{kind} cities(first:1){nodes{name{locale}}}}"}'
        first = await post(station, body, accept_language="ko")
        again = await post(station, body, accept_language="ko")
        assert first.content == again.content
        assert '"0 statements"' in again.headers["server-timing"]
        assert (await post(station, body, accept_language="fr")).json() != first.json()
        assert (
            (await post(station, body, accept_language="ko", accept=GRAPHQL))
            .headers["content-type"]
            .startswith(GRAPHQL)
        )
        assert (await post(station, body, accept_language="ko", accept="text/html")).status_code == 406
        assert (await post(station, body, accept_language="ko", content_type="text/plain")).status_code == 415
        assert (await station.http.put("/graphql", content=body, headers=SEND)).status_code == 405
        caller = await station.person("cio@seoul.demo")
        signed = await post(station, body, accept_language="ko", **caller.headers())
        assert signed.json()["data"]["viewer"]["kind"] == "PERSON"
        spoiled = await post(station, body, accept_language="ko", authorization="DPoP x.y.z")
        assert spoiled.status_code == 401
        leaked = await station.http.post("/graphql?access_token=x", content=body, headers=SEND)
        assert leaked.status_code == 400


async def test_a_mistake_of_ours_is_written_down_and_not_dressed_as_a_database_that_is_away(
    station: Station, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def broken(_text: str) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/keys/audit.key")

    monkeypatch.setattr(station.hub.engine, "load", broken)
    answer = await station.http.post("/graphql", json={"query": "{ __typename }"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (500, "INTERNAL")
    assert "in broken" in caplog.text
    assert "/keys/audit.key" in caplog.text
