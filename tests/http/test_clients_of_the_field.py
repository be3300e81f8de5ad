"""What typed and caching clients (Relay, Apollo, code generators) ask of a schema, tried on the running hub."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLScalarType, is_object_type, is_specified_scalar_type
from http_make import Station, codes

from wego.core.scalars import NO_OFFSET, read_date, read_time
from wego.schema import schema

TYPES: dict[str, Any] = dict(schema()._schema.type_map)

# Each creation with the list in which the thing stands from then on.
CREATIONS: dict[str, tuple[str, str, str, str]] = {
    "createPractice": (
        '{originalLocale: "en", title: "A new tram", summary: "About a tram."}',
        "practice", "cio@seoul.demo", "practices(first: 1) { edges { cursor node { id } } }",
    ),
    "registerCity": (
        '{slug: "aachen", names: [{locale: "en", name: "Aachen"}, {locale: "de", name: "Aachen"}], endonymLocale: "de",'
        ' country: "DE", region: EUROPE, latitude: 50.77, longitude: 6.08, population: 249000, languages: ["de"],'
        ' timeZone: "Europe/Berlin"}',
        "city", "secretariat@wego.demo", "cities(first: 1) { edges { cursor node { id } } }",
    ),
    "invitePerson": (
        '{email: "new@seoul.demo", name: "Somebody new", role: CIO, city: "seoul"}',
        "invitation", "cio@seoul.demo", "invitations(first: 1) { edges { cursor node { id } } }",
    ),
}  # fmt: skip


def test_every_scalar_of_our_own_says_by_what_it_is_specified() -> None:
    ours = [each for each in TYPES.values() if isinstance(each, GraphQLScalarType)]
    ours = [each for each in ours if not is_specified_scalar_type(each)]
    assert {each.name for each in ours} >= {"Date", "DateTime", "LanguageTag"}
    for each in ours:
        assert (each.specified_by_url or "").startswith("https://"), each.name
        assert (each.description or "").endswith("."), each.name


def test_everything_that_stands_in_a_connection_can_be_fetched_again() -> None:
    node = TYPES["Node"]
    edges = {name: each for name, each in TYPES.items() if name.endswith("Edge") and is_object_type(each)}
    assert len(edges) >= 6
    for name, edge in edges.items():
        target = edge.fields["node"].type.of_type
        assert node in target.interfaces, f"the node of {name} is no Node"


async def test_every_node_of_a_connection_is_found_again_by_its_id(standing: Station) -> None:
    officer = await standing.person("secretariat@wego.demo")
    root = TYPES["Query"].fields
    lists = [name for name, each in root.items() if str(each.type).endswith("Connection!")]
    assert set(lists) >= {"cities", "history", "people", "practices", "applications"}
    for name in lists:
        told = await standing.data(f"{{{name}(first: 2) {{ edges {{ node {{ id __typename }} }} }}}}", caller=officer)
        for edge in told[name]["edges"]:
            again = await standing.data(
                "query($id: ID!) { node(id: $id) { id __typename } }", {"id": edge["node"]["id"]}, caller=officer
            )
            assert again["node"] == edge["node"], name


def test_a_payload_that_shows_a_thing_of_a_list_shows_its_edge() -> None:
    """A mutation that makes something says where it stands in lists, by the edge type of the connection."""
    for mutation, field in {
        "createPractice": "practiceEdge", "registerCity": "cityEdge", "applyForMembership": "applicationEdge",
        "invitePerson": "invitationEdge", "acceptInvitation": "personEdge",
    }.items():  # fmt: skip
        payload = TYPES["Mutation"].fields[mutation].type.of_type
        assert field in payload.fields, mutation
        thing = field.removesuffix("Edge")
        assert str(payload.fields[field].type) == f"{thing.capitalize()}Edge"


@pytest.mark.parametrize("mutation", CREATIONS)
async def test_the_edge_of_a_payload_is_the_edge_of_the_list(station: Station, mutation: str) -> None:
    given, thing, who, listed = CREATIONS[mutation]
    caller = await station.person(who)
    asked = f"mutation {{ {mutation}(input: {given}) {{ problems {{ code message }} {thing} {{ id }}"
    made = (await station.data(f"{asked} {thing}Edge {{ cursor node {{ id }} }} }} }}", caller=caller))[mutation]
    assert made["problems"] == []
    edge = made[f"{thing}Edge"]
    assert edge["node"] == made[thing]
    name = listed.partition("(")[0]
    every = listed.replace("first: 1", "first: 100")
    found = (await station.data(f"{{ {every} }}", caller=caller))[name]["edges"]
    assert edge in found
    at = found.index(edge)
    after = listed.replace("first: 1", f'first: 1, after: "{edge["cursor"]}"')
    following = (await station.data(f"{{ {after} }}", caller=caller))[name]["edges"]
    assert following == found[at + 1 : at + 2]


async def test_what_was_refused_has_no_edge(standing: Station) -> None:
    given = CREATIONS["createPractice"][0]
    asked = f"mutation {{ createPractice(input: {given}) {{ problems {{ code }} practiceEdge {{ cursor }} }} }}"
    told = (await standing.data(asked))["createPractice"]
    assert (told["problems"][0]["code"], told["practiceEdge"]) == ("NOT_SIGNED_IN", None)


# ── dates and times ───────────────────────────────────────────────────────────────────────────────────────────────

NO_DATES: list[Any] = [
    "2026-13-45", "2026", "2026-02", "2026-02-30", "20260201", "2026-W01-1", "2026-001", "0000-01-01", "10000-01-01",
    "-0001-01-01", "2026-01-01T00:00:00Z", " 2026-01-01", "2026-01-01\n", "٢٠٢٦-٠١-٠١", "", "today", 2026, 20260101,
    20260101.5, True, ["2026-01-01", "2026-01-02"], {"y": 2026}, "2026-1-1", "2026/01/01", "2026-01-01" * 9999,
]  # fmt: skip
NO_TIMES: list[Any] = [
    "2026", "2026-13-45T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T10", "2026-01-01T10:00",
    "2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2026-01-01T23:59:61Z", "2026-01-01T12:00:60Z",
    "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "20260101T000000Z",
    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "0000-12-31T23:59:59Z", "10000-01-01T00:00:00Z",
    "2026-01-01T00:00:00 Z", "2026-01-01T00:00:00ZZ", "٢٠٢٦-01-01T00:00:00Z", "", "now", 1767225600, 1.5, True,
    ["2026-01-01T00:00:00Z"] * 2, {}, "2026-01-01T00:00:00." + "9" * 5000 + "Z",
]  # fmt: skip


@pytest.mark.parametrize("value", NO_DATES, ids=lambda value: repr(value)[:24])
async def test_a_date_that_is_none_is_refused(standing: Station, value: Any) -> None:
    with pytest.raises(ValueError):
        read_date(value)
    answer = await standing.ask("query($d: Date) { history(filter: {since: $d}) { totalCount } }", {"d": value})
    assert answer.status_code in {200, 400}, answer.text
    assert codes(answer) == {"INVALID"}, answer.text


@pytest.mark.parametrize("value", NO_TIMES, ids=lambda value: repr(value)[:24])
async def test_a_moment_that_is_none_is_refused(standing: Station, value: Any) -> None:
    with pytest.raises(ValueError):
        read_time(value)
    asked = "query($t: DateTime) { practices(filter: {updatedAfter: $t}) { totalCount } }"
    answer = await standing.ask(asked, {"t": value})
    assert answer.status_code in {200, 400}, answer.text
    assert codes(answer) == {"INVALID"}, answer.text


async def test_numbers_in_a_document_are_no_dates(standing: Station) -> None:
    for literal in ("2026", "20260101", "1.5", "true", "{}", "X"):
        answer = await standing.ask(f"{{ history(filter: {{since: {literal}}}) {{ totalCount }} }}")
        assert codes(answer) == {"INVALID"}, answer.text


FIRST = datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-06-01T12:00:00Z", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01t12:00:00z", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01 12:00:00Z", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01T12:00:00.123456789Z", datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-06-01T12:00:00.5+05:45", datetime(2026, 6, 1, 6, 15, 0, 500000, tzinfo=UTC)),
        ("2026-06-01T12:00:00-00:00", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01T12:00:00+14:00", datetime(2026, 5, 31, 22, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T18:59:60.5-05:00", datetime(2017, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", FIRST),
        ("0001-01-01T00:00:00Z", FIRST),
        ("9999-12-31T23:59:59-23:59", LAST),
        ("9999-12-31T23:59:59.999999Z", LAST),
        ("9999-12-31T23:59:60Z", LAST),
        ("2026-06-01T12:00:00", datetime(2026, 6, 1, 12, tzinfo=UTC)),
    ],
)
async def test_a_moment_is_read_as_rfc_3339_says(standing: Station, value: str, moment: datetime) -> None:
    assert read_time(value) == moment
    assert (read_time(value).tzinfo is NO_OFFSET) == (value == "2026-06-01T12:00:00")
    asked = "query($t: DateTime) { practices(filter: {updatedAfter: $t}) { totalCount } }"
    assert isinstance((await standing.data(asked, {"t": value}))["practices"]["totalCount"], int)


async def test_an_embargo_at_the_edge_of_time_is_read_again(station: Station) -> None:
    caller = await station.person("cio@seoul.demo")
    for end, told in {
        "9999-12-31T23:59:59-23:59": "9999-12-31T23:59:59.999998+00:00",
        "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999998+00:00",
        "2099-01-01T00:00:00+09:00": "2098-12-31T15:00:00+00:00",
    }.items():
        made = await created(station, caller, visibility="EMBARGO", publishAt=end)
        assert (made["problems"], made["practice"]["publishAt"]) == ([], told)
        key = made["practice"]["id"]
        change = f'{{practice: "{key}", summary: "Another."}}'
        revise = f"mutation {{ revisePractice(input: {change}) {{ problems {{ code }} }} }}"
        assert (await station.data(revise, caller=caller))["revisePractice"]["problems"] == []
    refused = await created(station, caller, visibility="EMBARGO", publishAt="2099-01-01T00:00:00")
    assert {each["code"] for each in refused["problems"]} == {"INVALID"}


async def test_no_date_is_kept_that_is_told_as_infinity(station: Station) -> None:
    caller = await station.person("cio@seoul.demo")
    for edge in ("9999-12-31", "0001-01-01"):
        for fact in ("launchedOn", "endedOn"):
            refused = await created(station, caller, **{fact: edge})
            assert [each["code"] for each in refused["problems"]] == ["INVALID"], (fact, edge)
        asked = "query($d: Date) { history(filter: {until: $d}) { totalCount } }"
        assert (await station.data(asked, {"d": edge}))["history"]["totalCount"] >= 0
    kept = await created(station, caller, launchedOn="9999-12-30", endedOn="9999-12-30")
    assert (kept["problems"], kept["practice"]["launchedOn"]) == ([], "9999-12-30")


async def created(station: Station, caller: Any, **facts: str) -> dict[str, Any]:
    asked = """mutation($input: CreatePracticeInput!) { createPractice(input: $input) {
        problems { code message } practice { id publishAt launchedOn } } }"""
    given = {"originalLocale": "en", "title": f"T {sorted(facts.items())}", "summary": "S", **facts}
    told = await station.data(asked, {"input": given}, caller=caller)
    return dict(told["createPractice"])
