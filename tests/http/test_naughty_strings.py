"""The big list of naughty strings through every text field of every mutation: identical back, or refused; never 5xx.

The fields come from the schema, so that a new one is tried without a line here. Every field gets every string that
means particular harm, and its share of all others, another share for each field; WEGO_TEST_FULL=1 gives it all.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from access_world import DRAFTING, SENT, Inputs, Rehearsal, World, make_world
from graphql import get_nullable_type, is_enum_type, is_input_object_type, is_list_type, is_non_null_type
from http_make import Seeded, Station, codes, fresh_station

from wego.schema import mutations, schema

FULL = os.environ.get("WEGO_TEST_FULL", "") not in ("", "0")
SHARE = 1 if FULL else 60
BATCH = 20  # mutations in one request: as many as one operation may ask for
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
FREE = frozenset({"String", "ID"})
TEXTS = FREE | frozenset({"LanguageTag", "Date", "DateTime"})
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
    async with fresh_station(seeded, max_body_kb=64 * 1024, requests_per_minute=0) as station:
        yield await make_world(station)


def fields(
    kind: Any, path: tuple[str | int, ...] = (), seen: frozenset[str] = frozenset()
) -> Iterator[tuple[tuple[str | int, ...], bool]]:
    """The paths of all text fields of an input, and whether any text can reach what is behind them."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        yield from fields(inner.of_type, (*path, 0), seen)
    elif is_input_object_type(inner):
        for name, field in inner.fields.items() if inner.name not in seen else ():
            yield from fields(field.type, (*path, name), seen | {inner.name})
    elif inner.name in TEXTS:
        yield path, inner.name in FREE


def readable(text: str) -> bool:
    """Whether the text can be in JSON at all: a lone surrogate makes the whole request unreadable."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


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


async def send(station: Station, mutation: str, inputs: list[Any], caller: Any, more: str = "") -> Any:
    kind = input_type(mutation)
    declared = ", ".join(f"$i{place}: {kind}" for place in range(len(inputs)))
    asked = " ".join(
        f"a{place}: {mutation}(input: $i{place}) {{ problems {{ code }} {more} }}" for place in range(len(inputs))
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
        for place, (path, free) in enumerate(paths)
        for text in [*HARMFUL, *([*naughty, *MORE][place % SHARE :: SHARE] if free or FULL else [])]
    ]
    tried.sort(key=lambda each: (dict(paths)[each[0]] is False, not readable(each[1])))
    before, broken = station.fingerprint(), []
    async with rehearsed(station):
        for start in range(0, len(tried), BATCH):
            some = tried[start : start + BATCH]
            answer = await send(station, mutation, [put(kind, base, *each) for each in some], caller)
            if answer.status_code == 200 and "errors" not in answer.json():
                continue
            for path, text in some:  # what cannot even be read refuses the whole request: one by one then
                answer = await send(station, mutation, [put(kind, base, path, text)], caller)
                if answer.status_code >= 500 or not codes(answer) <= _REFUSALS:
                    broken.append((path, text[:40], answer.status_code, spoken(answer)))
    assert broken == []
    assert station.fingerprint() == before


_REFUSALS = frozenset({"INVALID", "NOT_FOUND", "CONFLICT", "NOT_ALLOWED", "COST_EXCEEDED"})


PRACTICE = "practice { title { text } summary { text } sections { key heading { text } body { text } } }"
Back = list[tuple[str, Any, list[Any]]]


@asynccontextmanager
async def rehearsed(station: Station) -> AsyncIterator[None]:
    """Every write in the block is done whole but for its commit."""
    writer, database = station.hub.writer, station.hub.database
    writer.database = Rehearsal(database)  # type: ignore[assignment]  # it has what a write uses
    try:
        yield
    finally:
        writer.database = database


async def back(
    station: Station, mutation: str, given: list[tuple[str, dict[str, Any]]], asked: str, caller: Any
) -> Back:
    """Each text with the payload of its mutation and its problems; refused as a whole: no payload."""
    found: Back = []
    for start in range(0, len(given), BATCH):
        some = given[start : start + BATCH]
        answer = await send(station, mutation, [each for _, each in some], caller, asked)
        if answer.status_code == 200 and "errors" not in answer.json():
            payloads = answer.json()["data"].values()
            found += [(text, made, made["problems"]) for (text, _), made in zip(some, payloads, strict=True)]
            continue
        for text, each in some:
            answer = await send(station, mutation, [each], caller, asked)
            assert answer.status_code in (200, 400), (text[:40], answer.text)
            told = (answer.json().get("data") or {}).get("a0")
            assert told or codes(answer) <= {"INVALID"}, (text[:40], answer.text)
            found.append((text, told, told["problems"] if told else ["refused"]))
    assert {each["code"] for _, made, wrong in found if made for each in wrong} <= {"INVALID", "CONFLICT"}
    return found


async def test_every_string_in_a_practice_comes_back_as_it_was_sent_or_is_refused(
    world: tuple[World, Inputs], naughty: list[str]
):
    station = world[0].station
    caller = await station.person("cio@seoul.demo")

    def draft(text: str, short: str) -> dict[str, Any]:
        section = {"key": "results", "heading": short, "body": text}
        return {"city": "seoul", "originalLocale": "en", "title": short, "summary": short, "sections": [section]}

    texts = sorted([*naughty, *HARMFUL, *MORE], key=readable)
    async with rehearsed(station):
        everywhere = await back(station, "createPractice", [(t, draft(t, t)) for t in texts], PRACTICE, caller)
        left = [text for text, _, wrong in everywhere if wrong]
        in_the_body = await back(station, "createPractice", [(t, draft(t, "x")) for t in left], PRACTICE, caller)
    for text, made, _ in (each for each in everywhere if not each[2]):
        whole = made["practice"]
        parts = [whole["title"], whole["summary"], whole["sections"][0]["heading"], whole["sections"][0]["body"]]
        assert [part["text"] for part in parts] == [text] * 4
    for text, made, _ in (each for each in in_the_body if not each[2]):
        assert made["practice"]["sections"][0]["body"]["text"] == text
    assert 0 < len(left) < len(texts) / 2


@pytest.mark.parametrize(
    ("mutation", "who", "asked", "given", "where"),
    [
        ("invitePerson", "secretariat@wego.demo", "invitation { name }",
         lambda text: {"email": "a@b.example", "name": text, "role": "EDITOR", "city": "seoul"},
         lambda made: [made["invitation"]["name"]]),
        ("applyForMembership", f"cio@{DRAFTING}.demo", "application { motivation { text } contactName }",
         lambda text: {"city": DRAFTING, "motivation": text},
         lambda made: [made["application"]["motivation"]["text"]] if made["application"]["motivation"] else [""]),
        ("updateCity", "secretariat@wego.demo", "city { names { text } }",
         lambda text: {"city": "seoul", "names": [{"locale": "eo", "name": text}]},
         lambda made: [name["text"] for name in made["city"]["names"]] + [""]),
        ("suspendMember", "secretariat@wego.demo", "city { timeline { reason { text } } }",
         lambda text: {"city": "seoul", "reason": text},
         lambda made: [step["reason"]["text"] for step in made["city"]["timeline"] if step["reason"]]),
    ],
)  # fmt: skip
async def test_every_string_in_names_and_reasons_comes_back_as_it_was_sent_or_is_refused(
    world: tuple[World, Inputs], naughty: list[str], mutation: str, who: str, asked: str, given: Any, where: Any
):
    station, texts = world[0].station, sorted([*naughty, *HARMFUL, *MORE], key=readable)
    async with rehearsed(station):
        found = await back(station, mutation, [(t, given(t)) for t in texts], asked, await station.person(who))
    kept = [(text, where(made)) for text, made, wrong in found if not wrong]
    assert [text for text, shown in kept if text not in shown] == []
    assert len(kept) > len(texts) / 2
