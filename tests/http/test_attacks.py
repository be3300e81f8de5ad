"""The attack list over HTTP (attacks.md: GraphQL, Operations): each with its status, its code, and nothing changed.

The suite is a table. What asks for too much is told the limit; what is wrong is told so; nothing answers 5xx.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from http_make import Seeded, Station, codes, errors, fresh_station

STRICT = {"accept": "application/graphql-response+json"}
COST, INVALID = "COST_EXCEEDED", "INVALID"
MANY = 10**9


def nested(levels: int) -> str:
    """City, its practices, their city, and so on."""
    return '{city(slug:"seoul"){' + "practices(first:1){nodes{city{" * levels + "slug" + "}}}" * levels + "}}"


def aliases(number: int, field: str = "slug") -> str:
    return " ".join(f"a{each}: {field}" for each in range(number))


def layers(depth: int, width: int) -> str:
    """Fragments that each spread the next several times under aliases: a small text, width^depth fields."""
    parts = [
        f"fragment F{level} on City {{ "
        + " ".join(
            f"a{each}: practices(first: 100) {{ nodes {{ city {{ ...F{level + 1} }} }} }}" for each in range(width)
        )
        + " }"
        for level in range(depth)
    ]
    return f'{{city(slug:"seoul"){{...F0}}}} {" ".join(parts)} fragment F{depth} on City {{ slug }}'


def nested_object(levels: int) -> Any:
    return {"a": nested_object(levels - 1)} if levels else 1


def introspection(levels: int) -> str:
    return "{__schema{types{" + "fields{type{" * levels + "name" + "}}" * levels + "}}}"


def cursor(payload: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")


DEEP_LIST = "[" * 200 + "]" * 200
DEEP_OBJECT = "{a:" * 200 + "1" + "}" * 200

SPREADS = "{cities(first:100){nodes{" + "...F " * 500 + "}}} fragment F on City {"
INLINE = " ".join(f"... on City {{ i{each}: slug }}" for each in range(101))
THREE = " ".join(
    f"fragment {name.upper()} on City {{ {' '.join(f'{name}{each}: slug' for each in range(60))} }}" for name in "abc"
)
PAGES = "{cities(first:100){nodes{practices(first:100){nodes{city{practices(first:100){nodes{slug}}}}}}}}"

# what                       the operation                                                    its code
TABLE: dict[str, tuple[str, str]] = {
    "depth":                  (nested(30), COST),
    "depth far":              ("{" + "city(slug:\"seoul\"){country{" * 900 + "code" + "}}" * 900 + "}", COST),
    "braces only":            ("{" * 3_900, INVALID),
    "aliases":                ("{city(slug:\"seoul\"){" + aliases(101) + "}}", COST),
    "aliases of roots":       ("{" + aliases(101, "viewer{kind}") + "}", COST),
    "aliases in a fragment":  ("{city(slug:\"seoul\"){...F}} fragment F on City {" + aliases(101) + "}", COST),
    "aliases in fragments":   ("{city(slug:\"seoul\"){...A ...B ...C}} " + THREE, COST),
    "aliases inline":         ("{city(slug:\"seoul\"){" + INLINE + "}}", COST),
    "tokens":                 ("{" + "__typename " * 4_000 + "}", COST),
    "pages in pages":         (PAGES, COST),
    "layers of fragments":    (layers(5, 3), COST),
    "500 spreads":            (SPREADS + aliases(60, "practices(first:100){nodes{slug}}") + "}", COST),
    "page of 10^9":           (f"{{cities(first:{MANY}){{nodes{{slug}}}}}}", INVALID),
    "page of -1":             ("{cities(first:-1){nodes{slug}}}", INVALID),
    "last of 10^9":           (f"{{cities(last:{MANY}){{nodes{{slug}}}}}}", INVALID),
    "first and last":         ("{cities(first:1,last:1){nodes{slug}}}", INVALID),
    "an int too large":       ("{cities(first:99999999999999999999){nodes{slug}}}", INVALID),
    "a float for an int":     ("{cities(first:1e9){nodes{slug}}}", INVALID),
    "an int of 60,000 digits":("{cities(first:" + "9" * 60_000 + "){nodes{slug}}}", INVALID),
    "fragment cycle":         ("{viewer{...A}} fragment A on Viewer {...B} fragment B on Viewer {...A}", INVALID),
    "fragment of itself":     ("{...Q} fragment Q on Query {...Q}", INVALID),
    "unknown field":          ("{citty(slug:\"seoul\"){slug}}", INVALID),
    "unknown argument":       ("{city(slugg:\"seoul\"){slug}}", INVALID),
    "unknown type":           ("query($a:Citty){city(slug:\"seoul\"){slug}}", INVALID),
    "unknown enum value":     ("{cities(first:1,orderBy:{field:NAMEE}){nodes{slug}}}", INVALID),
    "unknown directive":      ("{__typename @incluude(if:true)}", INVALID),
    "deep introspection":     (introspection(40), COST),
    "circular introspection": ("{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}", COST),
    "subscription":           ("subscription{cities(first:1){nodes{slug}}}", INVALID),
    "a deep list":            ("{nodes(ids:" + DEEP_LIST + "){id}}", COST),
    "a deep object":          ("{cities(first:1,filter:" + DEEP_OBJECT + "){nodes{slug}}}", COST),
    "deferred":               ("{... @defer {cities(first:1){nodes{slug}}}}", INVALID),
    "an alias too long":      ("{city(slug:\"seoul\"){" + "a" * 64 + ":slug}}", INVALID),
    "a very long alias":      ("{cities(first:1){" + "é" * 3 + "nodes{slug}}}", INVALID),
    "too many ids":           ("{nodes(ids:[" + ",".join(['"x"'] * 101) + "]){id}}", INVALID),
    "a colliding name":       ("{city(slug:\"seoul\"){slug slug: id}}", INVALID),
}  # fmt: skip


@pytest.mark.parametrize("attack", list(TABLE))
@pytest.mark.parametrize("who", ["nobody", "officer"])
async def test_a_document_that_asks_for_too_much_or_wrongly_is_refused(standing: Station, attack: str, who: str):
    query, code = TABLE[attack]
    caller = await standing.person("secretariat@wego.demo") if who == "officer" else None
    before = standing.fingerprint()
    answer = await standing.ask(query, caller=caller, headers=STRICT)
    assert answer.status_code == 400, answer.text[:500]
    assert codes(answer) == {code}, answer.text[:500]
    assert "did you mean" not in answer.text.lower()
    assert len(answer.content) < 20_000
    if code == COST or attack.startswith(("page of", "last of", "too many")):
        assert any(character.isdigit() for _, message in errors(answer) for character in message), answer.text
    assert standing.fingerprint() == before


FIRST = "query Q($v:Int){cities(first:$v){nodes{slug}}}"
FILTER = "query Q($v:CityFilter){cities(first:1,filter:$v){totalCount}}"
COUNTRIES = "query Q($v:[String!]){cities(first:1,filter:{country:$v}){totalCount}}"
POPULATION = "query Q($v:Int){cities(first:1,filter:{populationMin:$v}){totalCount}}"
NAME = "query Q($v:String){cities(first:1,filter:{nameContains:$v}){totalCount}}"
LANGUAGES = 'query Q($v:[LanguageTag!]){city(slug:"seoul"){name(locales:$v){text}}}'

VARIABLES: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "a list of 10^4 ids":     ("query Q($v:[ID!]!){nodes(ids:$v){id}}", {"v": ["x"] * 10_000}, {COST, INVALID}),
    "a long text":            ("query Q($v:String!){city(slug:$v){slug}}", {"v": "x" * 900_000}, {COST, INVALID, ""}),
    "a long filter":          (COUNTRIES, {"v": ["KR"] * 5_000}, {COST, INVALID}),
    "a page by variable":     (FIRST, {"v": MANY}, {INVALID}),
    "a negative page":        (FIRST, {"v": -1}, {INVALID}),
    "a page beyond 32 bits":  (FIRST, {"v": 2**40}, {INVALID}),
    "a page of NaN":          (FIRST, {"v": "NaN"}, {INVALID}),
    "a nested object":        (FILTER, {"v": {"country": [["KR"]]}}, {INVALID}),
    "a prototype":            (FILTER, {"v": {"__proto__": 1}}, {INVALID}),
    "a deep variable":        (FILTER, {"v": nested_object(90)}, {INVALID}),
    "the largest number":     (POPULATION, {"v": 2**31 - 1}, {""}),
    "the smallest number":    (POPULATION, {"v": -(2**31)}, {""}),
    "NUL in a filter":        (NAME, {"v": "\x00"}, {INVALID, ""}),
    "wildcards in a filter":  (NAME, {"v": "%_\\%"}, {""}),
    "NUL in a slug":          ("query Q($v:String!){city(slug:$v){slug}}", {"v": "seoul\x00"}, {INVALID, ""}),
    "NUL in an id":           ("query Q($v:ID!){node(id:$v){id}}", {"v": "\x00"}, {INVALID, ""}),
    "an id of another kind":  ("query Q($v:ID!){node(id:$v){id}}", {"v": base64.b64encode(b"Role:1").decode()}, {""}),
    "SQL in a slug":          ("query Q($v:String!){practice(slug:$v){id}}", {"v": "' or 1=1; drop table x; --"}, {""}),
    "no language":            (LANGUAGES, {"v": ["not a tag", "x" * 500]}, {INVALID}),
    "10^4 languages":         (LANGUAGES, {"v": ["ko"] * 10_000}, {COST, INVALID, ""}),
    "NUL in a language":      (LANGUAGES, {"v": ["ko\x00"]}, {INVALID}),
    "unknown variables":      ("{__typename}", {"v": "x" * 100_000}, {""}),
}  # fmt: skip


@pytest.mark.parametrize("attack", list(VARIABLES))
async def test_no_variable_breaks_anything(standing: Station, attack: str):
    query, variables, expected = VARIABLES[attack]
    answer = await standing.ask(query, variables, headers=STRICT)
    assert answer.status_code in ((200, 400, 413) if "" in expected else (400, 413)), answer.text[:300]
    assert (codes(answer) or {""}) <= expected, answer.text[:300]
    assert len(answer.content) < 20_000


FORGED = [
    "", "x", "=====", "\x00", "x" * 10_000, cursor([]), cursor({}), cursor(None), cursor(1), cursor(["x", "y", "z"]),
    cursor([None, None]), cursor([[1], [2]]), cursor(["Seoul", "not a key"]),
    cursor(["a" * 100_000, 1]), cursor([1e999, 1]),
    cursor(["' or 1=1 --", "00000000-0000-0000-0000-000000000000"]), cursor(["\x00",
    "00000000-0000-0000-0000-000000000000"]),
]  # fmt: skip


@pytest.mark.parametrize("forged", FORGED, ids=range(len(FORGED)))
async def test_a_forged_cursor_is_refused_or_finds_a_place(standing: Station, forged: str):
    for query in (
        "query Q($c:String){cities(first:2,after:$c){nodes{slug}}}",
        "query Q($c:String){cities(last:2,before:$c){nodes{slug}}}",
        "query Q($c:String){cities(first:2,after:$c,orderBy:{field:POPULATION}){nodes{slug}}}",
        "query Q($c:String){practices(first:2,after:$c){nodes{slug}}}",
    ):
        answer = await standing.ask(query, {"c": forged}, headers=STRICT)
        assert answer.status_code in (200, 400, 413), answer.text
        assert codes(answer) <= {INVALID}


async def test_a_cursor_of_one_order_opens_nothing_of_another(standing: Station):
    asked = await standing.data("{cities(first:1){pageInfo{endCursor}}}")
    taken = asked["cities"]["pageInfo"]["endCursor"]
    for query in (
        "query Q($c:String){cities(first:2,after:$c,orderBy:{field:POPULATION}){nodes{slug}}}",
        "query Q($c:String){practices(first:2,after:$c){nodes{slug}}}",
    ):
        answer = await standing.ask(query, {"c": taken}, headers=STRICT)
        assert answer.status_code in (200, 400, 413)
        assert codes(answer) <= {INVALID}


async def test_what_goes_wrong_inside_is_told_to_nobody(seeded: Seeded, monkeypatch: pytest.MonkeyPatch):
    """Error masking: no message, path, statement or trace of the inside."""
    async with fresh_station(seeded) as station:

        async def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("password=hunter2 in select * from secret")

        monkeypatch.setattr(station.hub.engine, "query", fail)
        answer = await station.ask("{cities(first:1){totalCount}}")
    assert answer.status_code == 500
    assert answer.json() == {
        "errors": [{"message": "Something went wrong inside.", "extensions": {"code": "INTERNAL"}}]
    }


async def test_nobody_reads_what_is_for_members_or_the_secretariat(standing: Station):
    """Fields with personal data, drafts, files of applications: they do not exist for a stranger."""
    drafts = standing.sql("select slug from practice where status in ('draft', 'submitted', 'under_review')")
    assert drafts
    for (slug,) in drafts:
        assert (await standing.data("query Q($s:String!){practice(slug:$s){id}}", {"s": slug}))["practice"] is None
    person = standing.person_id("secretariat@wego.demo")
    application = standing.id_of("Application", "select id from application limit 1")
    asked = await standing.data("query Q($i:[ID!]!){nodes(ids:$i){id __typename}}", {"i": [person, application]})
    assert asked["nodes"] == [None, None]
    for root in ("applications", "people", "invitations"):
        answer = await standing.ask(f"{{{root}(first:5){{totalCount}}}}")
        told = (answer.json().get("data") or {}).get(root)
        assert not told or told["totalCount"] == 0, root


async def test_one_who_asks_too_often_is_told_when_to_come_again_and_others_are_served(seeded: Seeded):
    async with fresh_station(seeded, requests_per_minute=5) as station:
        answers = [await station.ask("{viewer{kind}}", headers={"accept-language": "fr"}) for _ in range(6)]
        assert [each.status_code for each in answers] == [200] * 5 + [429]
        refused = answers[-1]
        assert codes(refused) == {"RATE_LIMITED"}
        assert int(refused.headers["retry-after"]) == 12
        english = "Too many requests"
        assert english not in errors(refused)[0][1]
        seoul, chengdu = await station.program("seoul"), await station.program("chengdu")
        for _ in range(5):
            assert (await station.ask("{viewer{kind}}", caller=seoul)).status_code == 200
        assert (await station.ask("{viewer{kind}}", caller=seoul)).status_code == 429
        assert (await station.ask("{viewer{kind}}", caller=chengdu)).status_code == 200


async def test_one_who_guesses_at_tokens_is_slowed_down_too(seeded: Seeded):
    async with fresh_station(seeded, requests_per_minute=5) as station:
        guess = {"authorization": "DPoP abc.def.ghi", "dpop": "x"}
        answers = [await station.ask("{viewer{kind}}", headers=guess) for _ in range(6)]
        assert [each.status_code for each in answers] == [401] * 5 + [429]


async def test_the_table_of_used_proofs_is_purged_of_what_has_ended(station: Station):
    from federation.oauth.jobs import purge

    caller = await station.program("seoul")
    for _ in range(20):
        assert (await station.ask("{viewer{kind}}", caller=caller)).status_code == 200
    assert station.sql("select count(*) from oauth_replay")[0][0] >= 20
    await purge(station.hub.database)
    assert station.sql("select count(*) from oauth_replay")[0][0] >= 20, "what is still good must stay"
    await purge(station.hub.database, (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert station.sql("select count(*) from oauth_replay") == [(0,)]


async def test_a_key_for_repeats_belongs_to_its_client_and_its_body(station: Station):
    officer, auditor = await station.person("secretariat@wego.demo"), await station.person("auditor@wego.demo")
    suspend = 'mutation{suspendMember(input:{city:"seoul",reason:"A test."}){problems{code} city{slug}}}'
    repeat = {"idempotency-key": "one"}
    first = await station.ask(suspend, caller=officer, headers=repeat)
    assert codes(first) == set()
    before = station.fingerprint()
    again = await station.ask(suspend, caller=officer, headers=repeat)
    assert again.content == first.content
    other = await station.ask(suspend.replace("seoul", "moscow"), caller=officer, headers=repeat)
    assert codes(other) == {"CONFLICT"}
    stranger = await station.ask(suspend, caller=auditor, headers=repeat)
    assert codes(stranger) == {"NOT_ALLOWED"}
    for key in ("", "x" * 256, "\x7f"):
        refused = await station.ask(suspend, caller=officer, headers={"idempotency-key": key})
        assert codes(refused) == {INVALID}, key
    assert station.fingerprint() == before


async def test_mutations_beside_a_refused_one_stay_and_their_number_is_bounded(station: Station):
    officer = await station.person("secretariat@wego.demo")
    one = 'input:{city:"%s",reason:"A test."}){problems{code}}'
    query = (
        "mutation{"
        + "a:suspendMember("
        + one % "seoul"
        + " b:suspendMember("
        + one % "nowhere"
        + " c:suspendMember("
        + one % "moscow"
        + "}"
    )
    told = (await station.ask(query, caller=officer)).json()["data"]
    assert [told[name]["problems"] for name in "abc"] == [[], [{"code": "NOT_FOUND"}], []]
    before = station.fingerprint()
    many = "mutation{" + " ".join(f"a{each}:suspendMember(" + one % "chengdu" for each in range(101)) + "}"
    answer = await station.ask(many, caller=officer, headers=STRICT)
    assert codes(answer) == {COST}
    assert station.fingerprint() == before


async def test_no_secret_is_written_to_the_log(station: Station, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    caller = await station.program("seoul")
    answers: list[httpx2.Response] = [
        await station.ask("{viewer{kind}}", caller=caller),
        await station.ask("{viewer{kind}}", headers=caller.headers() | {"dpop": "spoiled"}),
        await station.http.get(f"/graphql?access_token={caller.token}"),
    ]
    assert [each.status_code for each in answers] == [200, 401, 400]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx2", "httpcore2"))]
    assert not any(caller.token in text or caller.token.rsplit(".", 1)[1] in text for text in ours)
