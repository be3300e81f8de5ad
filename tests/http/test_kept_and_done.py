"""What requests leave behind in memory, and how much the smallest of them can make the hub do: classes 1 and 2 of the
attacks, each case a kind of request and not one request."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import orjson
import pytest
from http_make import Seeded, Station, codes, fresh_station

from wego.core.cache import total_bytes

MIB = 2**20
STRICT = {"accept": "application/graphql-response+json", "content-type": "application/json"}


def body(query: str, variables: Any = None, **more: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables, **more}).encode()  # orjson returns its whole buffer


def numbered(query: str) -> Callable[[int], tuple[bytes, dict[str, str]]]:
    return lambda n: (body(query.replace("§", str(n))), {})


# what is sent again and again, each time a little different
PADDED: dict[str, Callable[[int], tuple[bytes, dict[str, str]]]] = {
    "padding in variables": lambda n: (body("{__typename}", {"x": f"{n}" + "x" * 110_000}), {}),
    "padding in extensions": lambda n: (body("{__typename}", None, extensions={"x": f"{n}" + "x" * 110_000}), {}),
    "padding in unknown members": lambda n: (body("{__typename}", None, more=f"{n}" + "x" * 110_000), {}),
    "white space": lambda n: (b" " * (110_000 + n) + body("{__typename}"), {}),
    "a long comment": lambda n: (body("{__typename} #" + f"{n}" + "x" * 60_000), {}),
    "a longer comment": lambda n: (body("{__typename} #" + f"{n}" + "x" * 110_000), {}),
    "a long name": lambda n: (body(f"query Q{n}{'x' * 60_000} {{__typename}}"), {}),
    "a name of the operation": lambda n: (body("query Q {__typename}", None, operationName=f"{n}" + "x" * 110_000), {}),
    "small documents": numbered('{ a§: city(slug: "seoul") { slug name { text } } }'),
    "large documents": lambda n: (
        body("{" + " ".join(f'a{n}x{i}: city(slug: "s") {{ slug }}' for i in range(60)) + "}"), {}),
    "refused documents": numbered("{ nope§ }"),
    "values": lambda n: (body("query($s: String!) { city(slug: $s) { slug } }", {"s": f"no-{n}"}), {}),
    "long values": lambda n: (body("query($s: String!) { city(slug: $s) { slug } }", {"s": f"{n}" * 2_000}), {}),
    "languages": lambda n: (
        body("query($l: [LanguageTag!]) { city(slug: \"seoul\") { name(locales: $l) { text } } }",
             {"l": [f"x-{n}-{i}" if i % 2 else "ko" for i in range(20)]}), {}),
    "Accept-Language": lambda n: (body("{__typename}"), {"accept-language": f"a{n % 9}-x-{n}" + ",ko" * 20_000}),
    "Accept": lambda n: (body("{__typename}"), {"accept": f"text/x{n}" + ",text/y" * 20_000}),
    "Authorization": lambda n: (body("{__typename}"), {"authorization": f"DPoP {n}" + "x" * 60_000, "dpop": "y" * 9}),
    "proofs": lambda n: (body("{__typename}"), {"authorization": f"DPoP a{n}.b.c", "dpop": f"{n}{'z' * 7_000}.b.c"}),
    "hashes": lambda n: (
        body("{__typename}", {"n": n}, extensions={"persistedQuery": {"version": 1, "sha256Hash": f"{n:064x}"}}), {}),
    "batches": lambda n: (orjson.dumps([{"query": f"{{ a{n}: __typename }}"}] * 20), {}),
    "introspection": numbered('{ a§: __type(name: "City") { name fields { name type { name kind } } } }'),
    "pages": lambda n: (body("query($n: Int, $a: String) { cities(first: $n, after: $a) { nodes { slug } } }",
                             {"n": n % 100 + 1, "a": None if n % 2 else "W10"}), {}),
}  # fmt: skip


async def send(station: Station, content: bytes, headers: dict[str, str]) -> httpx2.Response:
    sent = {"content-type": "application/json", **headers}
    return await station.http.post("/graphql", content=content, headers=sent)


@pytest.fixture(scope="module")
async def keeping(seeded: Seeded) -> Any:
    """A hub that keeps answers, as in life, after what is made once was made. Its memory is watched from the start,
    so that what goes to make room is counted too."""
    tracemalloc.start()
    try:
        async with fresh_station(seeded, cache_mb=4, requests_per_minute=0) as station:
            for make in PADDED.values():
                for number in range(5):
                    await send(station, *make(20_000_000 + number))
            yield station
    finally:
        tracemalloc.stop()


def in_use() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("kind", list(PADDED))
async def test_what_requests_leave_behind_is_within_the_budgets(keeping: Station, kind: str):
    make = PADDED[kind]
    used, charged = in_use(), total_bytes()
    for number in range(60):
        answer = await send(keeping, *make(number))
        assert answer.status_code < 500, answer.text[:300]
    del answer
    used, charged = in_use() - used, total_bytes() - charged
    assert used < max(charged, 0) * 1.5 + 2 * MIB, "what is kept is charged for"


async def test_no_plan_holds_on_to_the_request_it_was_compiled_for(keeping: Station):
    """A closure over the compiler would keep the variables of its first request for as long as the plan is kept."""
    from weakref import ref

    runs: list[Any] = []
    engine = keeping.hub.engine
    make = engine.run_of

    def remember(*given: Any) -> Any:
        run = make(*given)
        runs.append(ref(run))
        return run

    engine.run_of = remember  # type: ignore[method-assign]  # only watched
    try:
        for query in EVERY_KIND_OF_FIELD:
            answer = await send(keeping, body(query, {"n": 3, "s": "seoul", "l": ["ko"], "c": ["KR"]}), {})
            assert "data" in answer.json(), answer.text
    finally:
        engine.run_of = make  # type: ignore[method-assign]  # as it was
    gc.collect()
    assert runs
    assert [each() for each in runs if each() is not None] == []


EVERY_KIND_OF_FIELD = [
    """query($n: Int, $c: [String!]) {
      cities(first: $n, filter: {country: $c, nameContains: "s"}) { totalCount nodes { slug } } }""",
    """query($s: String!, $l: [LanguageTag!]) { city(slug: $s) { name(locales: $l) { text isFallback }
      practices(first: 2) { edges { cursor node { title(locales: $l) { text } sections { body { text } } } }
                            pageInfo { endCursor } } } }""",
    "query($n: Int) { practices(last: $n) { nodes { versions { number changes { change } } } } }",
    '{ node(id: "x") { id } nodes(ids: ["y"]) { id } }',
]


# ── what is done ──────────────────────────────────────────────────────────────────────────────────────────────────


def aliases(count: int, selection: str) -> str:
    """The selection many times under other names; § is the number."""
    return " ".join(f"a{n}: {selection.replace('§', str(n))}" for n in range(count))


TYPE = "type { name ofType { name } }"
FIELDS = f"fields(includeDeprecated: true) {{ name args {{ name {TYPE} }} {TYPE} }}"
PRACTICES = 'practices(first: 1, filter: {titleContains: "q§"}) { totalCount }'
CITIES = 'cities(first: 1, filter: {nameContains: "q§"}) { totalCount }'
ACCEPT = 'acceptInvitation(input: {secret: "s§"}) { problems { code } }'
DEAR = {
    "introspection by aliases": "{" + aliases(60, "__schema { types { name " + FIELDS + " } }") + "}",
    "types by aliases": "{" + aliases(300, '__type(name: "Practice") { ' + FIELDS + " }") + "}",
    "lists by aliases inside": "{ __schema { types {" + aliases(300, FIELDS) + "} } }",
    "texts looked for": "{" + aliases(100, PRACTICES) + "}",
    "names looked for": "{" + aliases(100, CITIES) + "}",
    "a hundred mutations": "mutation {" + aliases(100, ACCEPT) + "}",
}


@pytest.mark.parametrize("what", list(DEAR))
async def test_what_would_be_dear_is_refused_before_anything_is_done(standing: Station, what: str):
    answer = await standing.http.post("/graphql", content=body(DEAR[what]), headers=STRICT)
    assert (answer.status_code, codes(answer)) == (400, {"COST_EXCEEDED"}), answer.text[:300]
    assert 'desc="0 statements"' in answer.headers["server-timing"]


async def test_the_standard_introspection_of_tools_is_answered_and_kept(standing: Station):
    from graphql import get_introspection_query

    query = get_introspection_query(specified_by_url=True, input_value_deprecation=True, directive_is_repeatable=True)
    first, second = [await standing.http.post("/graphql", content=body(query), headers=STRICT) for _ in range(2)]
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["data"]["__schema"]["types"]


@pytest.mark.parametrize("length", [201, 10_000])
async def test_a_text_to_look_for_is_short(standing: Station, length: int):
    for root, name in (("practices", "titleContains"), ("cities", "nameContains")):
        query = f"query($s: String) {{ {root}(first: 1, filter: {{{name}: $s}}) {{ totalCount }} }}"
        content = body(query, {"s": "x" * length})
        answer = await standing.http.post("/graphql", content=content, headers=STRICT)
        assert (answer.status_code, codes(answer)) == (400, {"INVALID"}), answer.text[:300]


async def test_each_mutation_counts(seeded: Seeded):
    async with fresh_station(seeded, mutations_per_minute=10) as station:
        five = "mutation {" + aliases(5, ACCEPT) + "}"
        answers = [await station.http.post("/graphql", content=body(five), headers=STRICT) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0


async def test_tries_to_accept_an_invitation_are_counted_by_address(seeded: Seeded):
    async with fresh_station(seeded, guesses_per_minute=10) as station:
        five = body("mutation {" + aliases(5, ACCEPT) + "}")
        answers = [await station.http.post("/graphql", content=five, headers=STRICT) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]


async def test_cost_that_is_spent_is_told_and_others_go_on(seeded: Seeded):
    query = body("{ cities(first: 100) { nodes { practices(first: 50) { nodes { slug } } } } }")
    async with fresh_station(seeded, cost_per_minute=12_000) as station:
        answers = [await station.http.post("/graphql", content=query, headers=STRICT) for _ in range(4)]
        assert answers[0].status_code == 200
        assert answers[-1].status_code == 429
        assert codes(answers[-1]) == {"RATE_LIMITED"}
        caller = await station.program("seoul")
        assert (await station.ask("{viewer{kind}}", caller=caller)).status_code == 200


async def test_a_large_body_is_for_who_has_a_token(standing: Station):
    large = body("{__typename}", {"x": "x" * 2_000_000})
    answer = await standing.http.post("/graphql", content=large, headers=STRICT)
    assert (answer.status_code, codes(answer)) == (413, {"INVALID"})
    caller = await standing.program("seoul")
    answer = await standing.http.post("/graphql", content=large, headers={**STRICT, **caller.headers()})
    assert answer.status_code == 200
    read = False

    async def watched() -> Any:
        nonlocal read
        read = True
        yield large

    headers = {**STRICT, "authorization": "DPoP a.b.c", "dpop": "x"}
    answer = await standing.http.post("/graphql", content=watched(), headers=headers)
    assert answer.status_code == 401


def _values(count: int) -> Iterator[Any]:
    yield {"x": list(range(count))}
    yield {f"k{n}": n for n in range(count)}
    yield {"x": [[n] for n in range(count // 2)]}


async def test_variables_hold_a_bounded_number_of_values(standing: Station):
    for variables in _values(1_100):
        answer = await standing.http.post("/graphql", content=body("{__typename}", variables), headers=STRICT)
        assert (answer.status_code, codes(answer)) == (400, {"COST_EXCEEDED"})
    for variables in _values(400):
        assert (
            await standing.http.post("/graphql", content=body("{__typename}", variables), headers=STRICT)
        ).is_success


async def test_an_answer_is_bounded_in_bytes(seeded: Seeded):
    from dataclasses import replace

    async with fresh_station(seeded) as station:
        station.hub.engine.limits = replace(station.hub.engine.limits, answer=20_000)
        query = "{ practices(first: 100) { nodes { sections { body { text } html { text } } } } }"
        answer = await station.http.post("/graphql", content=body(query), headers=STRICT)
        assert (answer.status_code, codes(answer)) == (400, {"COST_EXCEEDED"})
        assert (await station.ask("{ practices(first: 5) { nodes { slug } } }")).json()["data"]
