"""The big list of naughty strings through every text field of every mutation: identical back, or refused; never 5xx.

The fields come from the schema, so that a new one is tried without a line here. Every field gets every string that
means particular harm, and its share of all others, another share for each field; WEGO_TEST_FULL=1 gives it all.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from access_world import DRAFTING, SENT, Inputs, Rehearsal, World, make_world
from graphql import get_nullable_type, is_enum_type, is_input_object_type, is_list_type, is_non_null_type
from http_make import Seeded, Station, codes, fresh_station

from wego.schema import mutations, schema

FULL = os.environ.get("WEGO_TEST_FULL", "") not in ("", "0")
SHARE = 1 if FULL else 60
BATCH = 60  # mutations in one request
# Through every field, whatever its share.
HARMFUL = [
    "\x00", "a\x00b", "\ud800", "\u202e", "\x1b[31m", "\u2028", "\U0010ffff", "'", "\\", "{limit}", "%s", " ", "\n", "",
    "x" * 20_000, "NaN", "2024-13-45", "en-US-x-" + "a" * 300, "UGVyc29uOng", "https://[::1",
]  # fmt: skip
# Beside the list, by shares.
MORE = [
    "\udfff\ud800", "\u2066x", "\x7f", "\ufeff", "\ufffe", '"', "$$", "%", "{", "{0}", "{}",
    "${x}", "{{7*7}}", "<script>", "]]>",
    "'; drop table city; --", "\r\n", "\t", "x" * 200_000, "é" * 5_000, "👩‍👩‍👧‍👦" * 200,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "١٢٣", "null", "../../etc/passwd", "-1", "1e999",
    "0000-00-00", "9999-12-31T23:59:60+99:99", "QWxsOjEyMw==", "javascript:alert(1)", "https://a@b:99999999",
    "[x](javascript:alert(1))", "![x](data:text/html,x)", "<img src=x onerror=y>",
]  # fmt: skip
EXAMPLES = {
    "String": "x", "ID": "x", "LanguageTag": "en", "Int": 1, "Float": 1.5, "Boolean": True, "Date": "2024-01-01",
    "DateTime": "2024-01-01T00:00:00Z",
}  # fmt: skip
TEXTS = frozenset({"String", "ID", "LanguageTag", "Date", "DateTime"})
SECRETARIAT = frozenset(
    {
        "startApplicationCheck", "requestApplicationChanges", "acceptApplication", "declineApplication", "admitMember",
        "suspendMember", "reinstateMember", "registerCity", "updateCity", "assignReviewer",
    }
)  # fmt: skip


@pytest.fixture(scope="session")
def naughty(shared: Path) -> list[str]:
    strings: list[str] = json.loads((shared / "data" / "vectors" / "blns" / "blns.json").read_text("utf-8"))
    assert len(strings) > 400
    return strings


@pytest.fixture(scope="module")
async def world(seeded: Seeded) -> AsyncIterator[tuple[World, Inputs]]:
    """A prepared hub on which every write is done whole but for its commit."""
    async with fresh_station(seeded, max_body_kb=64 * 1024) as station:
        yield await make_world(station)


def fields(
    kind: Any, path: tuple[str | int, ...] = (), seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str | int, ...]]:
    """The paths of all text fields of an input."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        yield from fields(inner.of_type, (*path, 0), seen)
    elif is_input_object_type(inner):
        for name, field in inner.fields.items() if inner.name not in seen else ():
            yield from fields(field.type, (*path, name), seen | {inner.name})
    elif inner.name in TEXTS:
        yield path


def example(kind: Any) -> Any:
    """A smallest value of a type."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        return [example(inner.of_type)]
    if is_enum_type(inner):
        return next(iter(inner.values))
    if is_input_object_type(inner):
        return {name: example(field.type) for name, field in inner.fields.items() if is_non_null_type(field.type)}
    return EXAMPLES[inner.name]


def put(kind: Any, given: Any, path: tuple[str | int, ...], text: str) -> Any:
    """A copy of an input with this text at this place; what surrounds the place is made where it is absent."""
    if not path:
        return text
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        return [put(inner.of_type, given[0] if given else example(inner.of_type), path[1:], text)]
    whole = dict(given or example(kind))
    field = inner.fields[path[0]]
    return whole | {str(path[0]): put(field.type, whole.get(str(path[0])), path[1:], text)}


def input_type(mutation: str) -> Any:
    root = schema()._schema.mutation_type
    assert root is not None
    return root.fields[mutation].args["input"].type


async def caller_of(world: World, mutation: str) -> Any:
    if mutation in SECRETARIAT:
        return world.callers["officer"]
    if mutation in ("requestPracticeChanges", "acceptPractice"):
        return world.callers["assigned reviewer"]
    home = {"applyForMembership": DRAFTING, "submitApplication": DRAFTING, "withdrawApplication": SENT}.get(
        mutation, "seoul"
    )
    return await world.station.person(f"head@{home}.demo")


async def send(station: Station, mutation: str, inputs: list[Any], caller: Any) -> Any:
    kind = input_type(mutation)
    declared = ", ".join(f"$i{place}: {kind}" for place in range(len(inputs)))
    asked = " ".join(
        f"a{place}: {mutation}(input: $i{place}) {{ problems {{ code }} }}" for place in range(len(inputs))
    )
    variables = {f"i{place}": given for place, given in enumerate(inputs)}
    query = f"mutation M({declared}) {{ {asked} }}"
    body = json.dumps({"query": query, "variables": variables}).encode()  # also what orjson would not write
    headers = {"content-type": "application/json", **caller.headers()}
    return await station.http.post("/graphql", content=body, headers=headers)


def spoken(answer: Any) -> set[str]:
    return codes(answer) if answer.status_code < 500 else {str(answer.status_code)}


@pytest.mark.parametrize("mutation", sorted(mutations()))
async def test_no_string_in_any_text_field_breaks_anything(
    world: tuple[World, Inputs], naughty: list[str], mutation: str
):
    there, inputs = world
    station, kind, base = there.station, input_type(mutation), inputs.of(mutation, "seoul")
    caller = await caller_of(there, mutation)
    paths = list(fields(kind))
    assert paths, mutation
    tried = [
        (path, text)
        for place, path in enumerate(paths)
        for text in [*HARMFUL, *[*naughty, *MORE][place % SHARE :: SHARE]]
    ]  # fmt: skip
    writer, database, before = station.hub.writer, station.hub.database, station.fingerprint()
    writer.database = Rehearsal(database)  # type: ignore[assignment]  # it has what a write uses
    broken = []
    try:
        for start in range(0, len(tried), BATCH):
            some = tried[start : start + BATCH]
            answer = await send(station, mutation, [put(kind, base, *each) for each in some], caller)
            if answer.status_code == 200 and "errors" not in answer.json():
                continue
            for path, text in some:  # what cannot even be read refuses the whole request: one by one then
                answer = await send(station, mutation, [put(kind, base, path, text)], caller)
                if answer.status_code >= 500 or not codes(answer) <= _REFUSALS:
                    broken.append((path, text[:40], answer.status_code, spoken(answer)))
    finally:
        writer.database = database
    assert broken == []
    assert station.fingerprint() == before


_REFUSALS = frozenset({"INVALID", "NOT_FOUND", "CONFLICT", "NOT_ALLOWED", "COST_EXCEEDED"})


CREATE = """mutation C($i: CreatePracticeInput!) { createPractice(input: $i) { problems { code path } practice {
  title { text } summary { text } sections { key heading { text } body { text } } } } }"""
APPLY = """mutation A($i: ApplyForMembershipInput!) { applyForMembership(input: $i) { problems { code path }
  application { motivation { text } contactName } } }"""
INVITE = (
    """mutation I($i: InvitePersonInput!) { invitePerson(input: $i) { problems { code path } invitation { name } } }"""
)
UPDATE = """mutation U($i: UpdateCityInput!) { updateCity(input: $i) { problems { code path }
  city { names { text locale } } } }"""


async def back(station: Station, query: str, given: dict[str, Any], caller: Any) -> tuple[Any, list[Any]]:
    body = json.dumps({"query": query, "variables": {"i": given}}).encode()
    answer = await station.http.post(
        "/graphql", content=body, headers={"content-type": "application/json", **caller.headers()}
    )
    assert answer.status_code in (200, 400), answer.text
    told = answer.json()
    if "data" not in told or "errors" in told:
        assert codes(answer) <= {"INVALID"}
        return None, ["refused"]
    (payload,) = told["data"].values()
    assert {problem["code"] for problem in payload["problems"]} <= {"INVALID", "CONFLICT"}
    return payload, payload["problems"]


async def test_every_string_in_a_practice_comes_back_as_it_was_sent_or_is_refused(
    world: tuple[World, Inputs], naughty: list[str]
):
    station, refused = world[0].station, 0
    caller = await station.person("cio@seoul.demo")
    writer, database = station.hub.writer, station.hub.database
    writer.database = Rehearsal(database)  # type: ignore[assignment]  # it has what a write uses
    try:
        for text in [*naughty, *HARMFUL, *MORE]:
            section = {"key": "results", "heading": text, "body": text}
            given = {"city": "seoul", "originalLocale": "en", "title": text, "summary": text, "sections": [section]}
            payload, problems = await back(station, CREATE, given, caller)
            if problems:
                refused += 1
                given = {"city": "seoul", "originalLocale": "en", "title": "x", "summary": "x"} | {
                    "sections": [section | {"heading": "x"}]
                }
                payload, problems = await back(station, CREATE, given, caller)
            if not problems:
                made = payload["practice"]
                assert made["sections"][0]["body"]["text"] == text
                if given["title"] == text:
                    assert (
                        made["title"]["text"]
                        == made["summary"]["text"]
                        == made["sections"][0]["heading"]["text"]
                        == text
                    )
    finally:
        writer.database = database
    assert 0 < refused < len(naughty) / 2, refused


async def test_every_string_in_names_and_reasons_comes_back_as_it_was_sent_or_is_refused(
    world: tuple[World, Inputs], naughty: list[str]
):
    station = world[0].station
    officer, applicant = await station.person("secretariat@wego.demo"), await station.person(f"cio@{DRAFTING}.demo")
    writer, database = station.hub.writer, station.hub.database
    writer.database = Rehearsal(database)  # type: ignore[assignment]  # it has what a write uses
    same = 0
    try:
        for text in [*naughty, *HARMFUL, *MORE]:
            given = {"email": "a@b.example", "name": text, "role": "EDITOR", "city": "seoul"}
            payload, problems = await back(station, INVITE, given, officer)
            if not problems:
                same += 1
                assert payload["invitation"]["name"] == text
            payload, problems = await back(station, APPLY, {"city": DRAFTING, "motivation": text}, applicant)
            if not problems and text:
                assert payload["application"]["motivation"]["text"] == text
            payload, problems = await back(
                station, UPDATE, {"city": "seoul", "names": [{"locale": "eo", "name": text}]}, officer
            )
            if not problems and text:
                assert text in [name["text"] for name in payload["city"]["names"]]
    finally:
        writer.database = database
    assert same > len(naughty) / 2
