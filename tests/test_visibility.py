"""What may be seen is a table: every hidden thing, and every field of the schema, times everybody who could ask.

visibility.csv says who meets the word of each hidden thing (see visibility_world.py), visibility_fields.csv for whom
each field ever holds something. The whole schema is asked by everybody, from every row there is; what is seen and not
in the tables fails, what is in them and not seen fails too, and so does a type or field without a row.
Set WEGO_WRITE_VISIBILITY=1 to write the tables anew, and review the difference like a change of the rules.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import get_named_type
from sqlalchemy import text

sys.path[:0] = [str(Path(__file__).parent)]

from visibility_walk import fields_of, listing, selection, shown  # noqa: E402 -- the path comes first
from visibility_world import ACTORS, HOPEFUL, WISHER, World, build, canary  # noqa: E402 -- likewise

from i18n.language.locales import reading_list  # noqa: E402 -- likewise
from practices.cases import practices  # noqa: E402 -- likewise
from wego import postgres  # noqa: E402 -- likewise
from wego.core.access import Actor  # noqa: E402 -- likewise
from wego.core.db import Database  # noqa: E402 -- likewise
from wego.core.errors import NotFound  # noqa: E402 -- likewise
from wego.core.ids import global_id  # noqa: E402 -- likewise
from wego.core.reads.engine import Engine  # noqa: E402 -- likewise
from wego.core.reads.metadata import META, Edges, Many, One, table_of  # noqa: E402 -- likewise
from wego.core.reads.query import Limits  # noqa: E402 -- likewise
from wego.schema import schema  # noqa: E402 -- likewise

from .conftest import copy_of  # noqa: E402 -- likewise

HERE = Path(__file__).parent
THINGS, FIELDS = HERE / "visibility.csv", HERE / "visibility_fields.csv"
WORD = re.compile(r"zq([a-z]+)qz", re.IGNORECASE)
NODES = {"City": "city", "Organisation": "organisation", "Practice": "practice", "Person": "person",
         "Invitation": "invitation", "Application": "application", "Review": "review",
         "HistoryEvent": "history_event"}  # fmt: skip
GIVEN_ALONE = frozenset({"reviewer", "object_editor"})  # they see practices that were given to them to work on
WRITING = bool(os.environ.get("WEGO_WRITE_VISIBILITY"))

# Edges that show their thing to whoever sees what they hang on, each with its reason.
SEEN_WITH = {
    "CityCount.city": "a practice says whose it is, and those that are counted are seen",
    "Practice.city": "a practice says whose it is",
    "Viewer.person": "himself",
    "Viewer.posts": "his own",
}
# Types whose rows have no predicate of their own: they are seen with what they hang on.
PART_OF = {
    "ApplicationFile": "Application", "OrganisationName": "City", "TextBlock": "Practice or TextVersion",
    "TextSection": "Practice", "ReviewComment": "Review", "TranslatedSection": "Translation",
    "Term": "everybody", "Vocabulary": "everybody", "Change": "Changes",
    "Changes": "everybody: who sees what is asked in its own statement, of each thing, by the predicate of the thing",
}  # fmt: skip


@dataclass
class Stage:
    world: World
    engine: Engine
    database: Database
    ids: list[str]

    async def ask(self, actor: Actor, query: str) -> tuple[bytes, Any]:
        operation = self.engine.find(query, None, {})
        run = self.engine.run_of(operation, actor, reading_list(("en",)))
        answer = await self.engine.query(self.database.reads, operation, run, None)
        assert not answer.errors, answer.errors
        return answer.data, orjson.loads(answer.data)


@pytest.fixture(scope="session")
async def stage(cluster: postgres.Attachment, template: str) -> AsyncIterator[Stage]:
    async with copy_of(cluster, template) as database:
        async with database.session() as db:
            world = await build(db)
            ids = [
                global_id(kind, key)
                for kind, table in NODES.items()
                for key in (await db.execute(text(f"select id from {table}"))).scalars()
            ]
        limits = Limits(cost=10**9, depth=100, aliases=10_000, ids=1_000, fields=10**6)
        engine = Engine(schema(), reading_of=reading_list, limits=limits, max_tokens=10**6)
        yield Stage(world, engine, database, ids)


def documents(there: Stage) -> list[str]:
    """Everything that can be asked: each row by its id, each root, each name in an address, each filter."""
    known = there.engine.schema
    root: Any = known.query_type
    listed = " ".join(f'"{each}"' for each in there.ids)
    found = [f"{{ nodes(ids: [{listed}]) {{ ... on {kind} {selection(known.type_map[kind])} }} }}" for kind in NODES]
    found += [
        f"{{ {listing(name, definition)} }}"
        for name, definition in root.fields.items()
        if get_named_type(definition.type).name.endswith("Connection")
    ]
    found.append(f"{{ changes {selection(get_named_type(root.fields['changes'].type))} }}")
    found.append(f"{{ viewer {selection(get_named_type(root.fields['viewer'].type))} }}")
    words_of = selection(get_named_type(root.fields["vocabulary"].type))
    found.append(f'{{ vocabularies {words_of} vocabulary(scheme: "theme") {words_of} }}')
    words = [canary(word) for word in there.world.practices]
    named = " ".join(f'p{at}: practice(slug: "{word}") {{ __typename slug }}' for at, word in enumerate(words))
    hidden = f'city(slug: "{canary(HOPEFUL)}") {{ __typename slug }}'
    wishing = f'organisation(slug: "{canary(WISHER)}") {{ __typename slug }}'
    return [*found, f"{{ {named} {hidden} {wishing} }}"]


@pytest.fixture(scope="session")
async def seen(stage: Stage) -> dict[str, tuple[set[str], set[str]]]:
    """By actor: the words that he met, and the fields that held something."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    known = stage.engine.schema
    asked = documents(stage)
    for name in ACTORS:
        words: set[str] = set()
        fields: set[str] = set()
        for document in asked:
            raw, told = await stage.ask(stage.world.actors[name], document)
            words |= {word.lower() for word in WORD.findall(raw.decode())}
            shown(known, known.query_type, told, fields)
        found[name] = words, fields
    return found


def table(path: Path, found: dict[str, set[str]], rows: list[str]) -> dict[str, set[str]]:
    """Who may, by row: as the file says, or (when it is to be written) as it was found."""
    if WRITING:
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["", *ACTORS])
            writer.writerows([row, *("x" if row in found[name] else "" for name in ACTORS)] for row in rows)
    with path.open(newline="") as file:
        return {row[""]: {name for name in ACTORS if row[name]} for row in csv.DictReader(file)}


def by_row(found: dict[str, set[str]], rows: list[str]) -> dict[str, set[str]]:
    return {row: {name for name in ACTORS if row in found[name]} for row in rows}


def differences(told: dict[str, set[str]], met: dict[str, set[str]]) -> list[str]:
    return [
        f"{row}: seen against the table by {sorted(met[row] - may)}, not seen by {sorted(may - met[row])}"
        for row, may in told.items()
        if met[row] != may
    ]


async def test_nobody_meets_what_is_hidden_from_him(seen: dict[str, tuple[set[str], set[str]]], stage: Stage) -> None:
    met = {name: words for name, (words, _) in seen.items()}
    async with stage.database.session() as db:
        kept = {row for (row,) in await db.execute(text(_ALL_WORDS))}
    rows = sorted(kept)
    told = table(THINGS, met, rows)
    assert sorted(told) == rows, "every hidden thing has its row, and every row its thing"
    assert differences(told, by_row(met, rows)) == []


async def test_every_field_has_its_row_and_holds_something_for_those_it_names(
    seen: dict[str, tuple[set[str], set[str]]], stage: Stage
) -> None:
    found = {name: fields for name, (_, fields) in seen.items()}
    rows = fields_of(stage.engine.schema)
    told = table(FIELDS, found, rows)
    assert sorted(told) == sorted(rows), "every field has its row, and every row its field"
    assert differences(told, by_row(found, rows)) == []


async def test_counts_and_filters_tell_no_more_than_the_lists(
    seen: dict[str, tuple[set[str], set[str]]], stage: Stage
) -> None:
    """A count is that of the rows, and a text is found by who may read it only."""
    for name, (words, _) in seen.items():
        actor = stage.world.actors[name]
        _, told = await stage.ask(actor, _COUNTS)
        for root in told.values():
            assert root["totalCount"] == len(root["nodes"]), name
        for word in stage.world.practices:
            asked = f'practices(filter: {{titleContains: "{canary(word)}"}}) {{ totalCount }}'
            _, told = await stage.ask(actor, f"{{ {asked} }}")
            live = word not in {"pastprivate", "pastmembers", "pastembargo", "wasopen", "firstopen"}
            assert (told["practices"]["totalCount"] > 0) is (live and word in words), (name, word)
        held, _ = await stage.ask(actor, "{ people(filter: {role: [OFFICER]}) { totalCount } }")
        assert (b'"totalCount":0' in held) is (name not in {"officer", "auditor"}), name


async def test_changes_tell_of_what_is_shown_and_of_all_that_follows_from_a_post(stage: Stage) -> None:
    """Who reads from the beginning gets, each once, what he could ask for by its id and of which the log tells, but for
    what was given to him alone."""
    async with stage.database.session() as db:
        rows = await db.execute(text("select distinct subject_type, subject_id from audit_entry"))
    told_of = {global_id(kind, key) for kind, key in rows}
    listed = " ".join(f'"{each}"' for each in stage.ids)
    for name in ACTORS:
        actor = stage.world.actors[name]
        _, told = await stage.ask(actor, f"{{ nodes(ids: [{listed}]) {{ __typename id }} }}")
        seen = {each["id"] for each in told["nodes"] if each and each["__typename"] in ("City", "Practice")}
        heard: list[str] = []
        page: dict[str, Any] = {"hasMore": True, "cursor": None}
        while page["hasMore"]:
            after = f'after: "{page["cursor"]}"' if page["cursor"] else "first: 50"
            _, told = await stage.ask(
                actor, f"{{ changes({after}) {{ items {{ thingId action }} cursor hasMore }} }}"
            )  # fmt: skip
            page = told["changes"]
            heard += [each["thingId"] for each in page["items"]]
            assert {each["action"] for each in page["items"]} <= {"APPEARED"}, name
        assert len(heard) == len(set(heard)), name
        assert set(heard) <= seen, name
        if name not in GIVEN_ALONE:
            assert set(heard) == seen & told_of, name


async def test_services_reach_what_the_reads_show(stage: Stage) -> None:
    """A service locates by the predicate of the read: the practice, and which of its versions."""
    for name in ACTORS:
        actor = stage.world.actors[name]
        for word, key in stage.world.practices.items():
            asked = f'{{ node(id: "{global_id("Practice", key)}") {{ ... on Practice {{ versions {{ number }} }} }} }}'
            _, told = await stage.ask(actor, asked)
            shown_now = None if told["node"] is None else [each["number"] for each in told["node"]["versions"]]
            async with stage.database.session() as db:
                try:
                    reached = [each.number for each in await practices.versions(db, actor, key)][::-1]
                except NotFound:
                    reached = None
            assert reached == shown_now, (name, word)


def test_every_type_with_an_id_is_walked_from_its_ids() -> None:
    """Elsewhere such rows are only touched, so a type that is missing here would not be looked at."""
    known = schema()._schema
    assert set(NODES) == {each.name for each in known.get_possible_types(known.type_map["Node"])}


def test_an_edge_without_a_predicate_has_its_reason() -> None:
    """Also of payloads: whatever a mutation hands back is asked for again as who did it sees it."""
    known: Any = schema()._schema
    open_edges, bare = set(), set()
    for gtype in known.type_map.values():
        if not hasattr(gtype, "fields") or gtype.name.startswith("__") or type(gtype).__name__ != "GraphQLObjectType":
            continue
        backing = gtype.extensions.get("strawberry-definition")
        declared = getattr(backing.origin, "__sql_table__", None) if backing else None
        if declared is not None and declared.visible is None:
            bare.add(gtype.name)
        for name, definition in gtype.fields.items():
            meta = (getattr(definition.extensions.get("strawberry-definition"), "metadata", None) or {}).get(META)
            if isinstance(meta, One | Many | Edges) and not meta.visible:
                open_edges.add(f"{gtype.name}.{name}")
                assert table_of(get_named_type(definition.type)).visible is not None, name
    assert open_edges == set(SEEN_WITH)
    assert bare == set(PART_OF)


_COUNTS = """{ practices(first: 100) { totalCount nodes { id } } cities(first: 100) { totalCount nodes { id } }
    organisations(first: 100) { totalCount nodes { id } }
    people(first: 100) { totalCount nodes { id } } invitations(first: 100) { totalCount nodes { id } }
    applications(first: 100) { totalCount nodes { id } } history(first: 100) { totalCount nodes { kind } } }"""
# Every word that is kept anywhere in the database.
_ALL_WORDS = """
    select distinct lower(found[1]) from (
        select text as kept from content_block union all select text from content_segment
        union all select note from content_revision union all select name from person
        union all select name from invitation union all select text from review_comment
        union all select conflict_declared from review union all select reason from membership_step
        union all select motivation from application union all select requested_changes::text from application
        union all select name from organisation_name union all select texts::text from history_event
        union all select contacts::text from practice
        union all select facts::text from audit_entry union all select text from audit_word
    ) everything, regexp_matches(kept, 'zq([a-z]+)qz', 'gi') found order by 1
"""
