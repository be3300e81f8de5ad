"""The log: a Merkle tree as RFC 6962 defines it, one order for all writers, and everything that gives a forger away.

Binding texts: RFC 6962 section 2.1, attacks.md (Audit and evidence). What nobody can do comes first.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from wego.core import audit
from wego.core.access import Actor, ActorKind, Means, Permission, Post, Role, organisation, system
from wego.core.audit import EMPTY_ROOT, Event, Subject, Tree, leaf_hash, node_hash, verify
from wego.core.audit.checkpoints import kept, sign
from wego.core.audit.entries import acting, canonical
from wego.core.audit.proof import ENTRIES
from wego.core.db import Database, Session
from wego.core.ids import new_id
from wego.core.settings import Settings

from ..conftest import owner_url

ACTOR = system("test")


async def write(database: Database, *words: str) -> None:
    async with database.session() as db:
        for word in words:
            await audit.record(db, ACTOR, Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id(), word=word)


async def check(database: Database, known: list[tuple[int, bytes]] | None = None) -> audit.Verdict:
    async with database.session() as db:
        return await verify(db, known or [])


def forge(database: Database, *statements: str) -> None:
    """What an administrator of the database can do: without triggers."""
    with psycopg.connect(owner_url(database.url), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


# ── what nobody can do ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entry set facts = '{}'", "delete from audit_entry", "truncate audit_entry",
        "update audit_checkpoint set root = '\\x00'", "delete from audit_checkpoint", "truncate audit_checkpoint",
    ],
)  # fmt: skip
async def test_the_log_refuses_to_be_changed(database: Database, statement: str):
    await write(database, "one", "two")
    with psycopg.connect(owner_url(database.url), autocommit=True) as owner:
        owner.execute("insert into audit_checkpoint (size, root, note) values (1, '\\x00', 'a test')")
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.session() as db:
            await db.execute(text(statement))
    with psycopg.connect(database.url) as connection:
        assert connection.execute("select count(*) from audit_entry").fetchone() == (2,)
        assert connection.execute("select count(*) from audit_state").fetchone() == (1,)
        assert connection.execute("select count(*) from audit_checkpoint").fetchone() == (1,)


@pytest.mark.parametrize(
    ("forgery", "index", "what"),
    [
        ("update audit_entry set facts = jsonb_build_object('word', 'forged') where index = 2", 2, "not the one"),
        ("update audit_entry set actor = 'somebody else' where index = 2", 2, "not the one"),
        ("update audit_entry set at = at + interval '1 microsecond' where index = 2", 2, "not the one"),
        ("update audit_entry set event = 'city.registered' where index = 2", 2, "not the one"),
        ("update audit_entry set event = 'never.happened' where index = 2", 2, "not the one"),
        ("update audit_entry set subject_id = gen_random_uuid() where index = 2", 2, "not the one"),
        ("update audit_entry set leaf_hash = '\\x00' where index = 2", 2, "not the one"),
        ("delete from audit_entry where index = 2", 2, "missing"),
        ("delete from audit_entry where index = 0", 0, "missing"),
        ("delete from audit_entry where index = 4", None, "size or root"),
        ("delete from audit_entry", None, "size or root"),
        ("update audit_state set size = 4", None, "size or root"),
        ("update audit_state set root = '\\x00'", None, "size or root"),
        ("delete from audit_state", None, "size or root"),
    ],
)
async def test_what_was_forged_is_found(database: Database, forgery: str, index: int | None, what: str):
    await write(database, "one", "two", "three", "four", "five")
    assert (await check(database)).faults == ()
    forge(database, forgery)
    faults = (await check(database)).faults
    assert any(fault.index == index and what in fault.what for fault in faults), faults


async def test_entries_that_changed_places_are_found(database: Database):
    await write(database, "one", "two", "three")
    forge(
        database,
        "update audit_entry set index = 9 where index = 1",
        "update audit_entry set index = 1 where index = 2",
        "update audit_entry set index = 2 where index = 9",
    )
    assert {fault.index for fault in (await check(database)).faults} >= {1, 2}


async def rewrite(database: Database, size: int | None = None) -> None:
    """A forger who knows how the log is made: changes a fact and computes leaf, root and frontier anew."""
    forge(
        database, "update audit_entry set facts = jsonb_build_object('word', 'forged') where index = 1",
        *([f"delete from audit_entry where index >= {size}"] if size is not None else []),
    )  # fmt: skip
    async with database.session() as db:
        tree, leaves = Tree(), []
        for row in (await db.execute(ENTRIES)).all():
            leaves.append(leaf_hash(canonical(row)))
            tree.append(leaves[-1])
    forge(
        database,
        *(f"update audit_entry set leaf_hash = '\\x{leaf.hex()}' where index = {at}" for at, leaf in enumerate(leaves)),
        f"update audit_state set size = {tree.size}, root = '\\x{tree.root.hex()}', "
        f"frontier = '\\x{b''.join(tree.frontier or []).hex()}'",
    )


async def test_a_log_that_was_written_anew_is_found_by_its_checkpoints_alone(database: Database, tmp_path: Path):
    settings = Settings(home=tmp_path)
    await write(database, "one", "two", "three")
    await sign(database, settings)
    await write(database, "four", "five")
    assert (await check(database, list(kept(tmp_path)))).faults == ()

    await rewrite(database)
    faults = (await check(database)).faults
    assert [fault.index for fault in faults] == [2]  # the third entry completes what was signed
    assert "checkpoint" in faults[0].what

    forge(database, "delete from audit_checkpoint")
    assert (await check(database)).faults == ()  # the database alone cannot tell any more
    faults = (await check(database, list(kept(tmp_path)))).faults
    assert [fault.index for fault in faults] == [2]  # the file beside it can


async def test_a_log_that_was_cut_below_a_checkpoint_is_found(database: Database, tmp_path: Path):
    await write(database, "one", "two", "three")
    await sign(database, Settings(home=tmp_path))
    forge(database, "delete from audit_checkpoint")
    await rewrite(database, size=2)
    assert (await check(database)).faults == ()
    faults = (await check(database, list(kept(tmp_path)))).faults
    assert any("signed 3 entries" in fault.what for fault in faults)


async def test_two_checkpoints_of_one_size_with_different_roots_are_found(database: Database, tmp_path: Path):
    """A forked view: what one was shown is not what the other was shown."""
    await write(database, "one", "two")
    await sign(database, Settings(home=tmp_path))
    (size, root), *_ = kept(tmp_path)
    faults = (await check(database, [(size, root), (size, hashlib.sha256(b"another").digest())])).faults
    assert [fault.index for fault in faults] == [1]


# ── the tree ──────────────────────────────────────────────────────────────────────────────────────────────────────


def merkle_tree_hash(entries: list[bytes]) -> bytes:
    """MTH(D[n]) word for word as RFC 6962 section 2.1 defines it."""
    n = len(entries)
    if n == 0:
        return hashlib.sha256(b"").digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < n:
        k *= 2
    return hashlib.sha256(b"\x01" + merkle_tree_hash(entries[:k]) + merkle_tree_hash(entries[k:])).digest()


def test_the_tree_is_that_of_rfc_6962_at_every_size():
    tree, entries = Tree(), []
    for size in range(70):
        assert tree.size == size
        assert tree.root == merkle_tree_hash(entries)
        assert len(tree.frontier or []) == size.bit_count()
        entries.append(f"entry {size}".encode())
        tree.append(leaf_hash(entries[-1]))
    assert node_hash(b"a", b"b") == hashlib.sha256(b"\x01ab").digest()
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_tree_goes_on_from_its_frontier():
    for size in range(1, 40):
        whole = Tree()
        for number in range(size):
            whole.append(leaf_hash(bytes([number])))
        continued = Tree(whole.size, list(whole.frontier or []))
        continued.append(leaf_hash(b"next"))
        whole.append(leaf_hash(b"next"))
        assert continued.root == whole.root


async def test_root_and_frontier_in_the_database_are_those_of_the_entries(database: Database):
    for number in range(9):
        await write(database, f"word-{number}")
        verdict = await check(database)
        assert verdict.faults == ()
        assert verdict.size == number + 1


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_rolled_back_leaves_no_entry(database: Database):
    await write(database, "one")
    before = await check(database)

    async def fail(db: Session) -> None:
        await audit.record(db, ACTOR, Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id(), word="never")
        raise RuntimeError("after the entry")

    with pytest.raises(RuntimeError):
        async with database.session() as db:
            await fail(db)
    assert await check(database) == before
    await write(database, "two")
    assert (await check(database)).size == 2


async def test_writers_at_the_same_time_keep_one_order(database: Database):
    async def several(name: int) -> None:
        for number in range(5):
            async with database.session() as db:
                await audit.record(
                    db, ACTOR, Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id(), writer=name, number=number
                )
                await asyncio.sleep(0.001)
                await audit.record(
                    db, ACTOR, Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id(), writer=name, number=number
                )

    await asyncio.gather(*(several(name) for name in range(8)))
    verdict = await check(database)
    assert (verdict.size, verdict.faults) == (80, ())
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "select facts->>'writer', facts->>'number' from audit_entry order by index"
        ).fetchall()
    assert rows[::2] == rows[1::2]  # what one transaction told stands together


async def test_facts_come_back_as_they_were_told(database: Database):
    facts: dict[str, Any] = {
        "list": [1, None, True, "pt-BR"], "nested": {"b": 1, "a": [""]}, "big": 2**53 - 1, "kid": str(new_id()),
        "at": "2026-03-01T12:00:00+00:00", "scopes": ["graphql:query"], "date": "2026-03-01",
    }  # fmt: skip
    async with database.session() as db:
        await audit.record(db, ACTOR, Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id(), **facts)
    async with database.session() as db:
        assert (await db.execute(text("select facts from audit_entry"))).scalar_one() == facts
    assert (await check(database)).faults == ()


async def test_a_checkpoint_is_a_signed_note_in_the_database_and_in_a_file(database: Database, tmp_path: Path):
    settings = Settings(home=tmp_path, public_url="https://hub.example")
    await write(database, "one")
    first = await sign(database, settings)
    await write(database, "two")
    await sign(database, settings)
    origin, size, root, blank, signature = first.splitlines()
    assert (origin, size, blank) == ("hub.example/audit", "1", "")
    assert signature.startswith("— hub.example/audit ")
    assert [each[0] for each in kept(tmp_path)] == [1, 2]
    lines = (tmp_path / "audit" / "checkpoints.jsonl").read_bytes().splitlines()
    assert orjson.loads(lines[0])["note"] == first
    assert (tmp_path / "keys" / "audit.key").stat().st_mode & 0o077 == 0
    assert root
    assert (await check(database, list(kept(tmp_path)))).faults == ()


async def test_a_log_of_thousands_is_verified_in_batches(database: Database):
    happenings = [audit.Happening(Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id(), {"n": n}) for n in range(2500)]
    async with database.session() as db:
        await audit.record_all(db, ACTOR, happenings)
    verdict = await check(database)
    assert (verdict.size, verdict.faults) == (2500, ())


# ── the third form ────────────────────────────────────────────────────────────────────────────────────────────────

HERE, THERE = UUID(int=1), UUID(int=2)


def person(*posts: Post, means: Means = Means.API) -> Actor:
    return Actor(ActorKind.PERSON, str(UUID(int=9)), UUID(int=9), posts, means=means)


OFFICER, CIO, EDITOR = Post(Role.OFFICER), Post(Role.CIO, organisation(HERE)), Post(Role.EDITOR, organisation(HERE))
ORGANISATION = {"kind": "organisation", "id": str(HERE)}
OFFICE = {"kind": "secretariat", "id": ""}


@pytest.mark.parametrize(
    ("posts", "under", "place", "role", "told"),
    [
        ((CIO,), Permission.PRACTICE_PUBLISH, HERE, "cio", ORGANISATION),
        ((EDITOR, CIO), Permission.PRACTICE_WRITE, HERE, "cio", ORGANISATION),
        ((EDITOR, OFFICER), Permission.PRACTICE_PUBLISH, HERE, "officer", OFFICE),
        ((EDITOR, OFFICER), Permission.PRACTICE_WRITE, HERE, "editor", ORGANISATION),
        ((OFFICER, CIO), Permission.MEMBERSHIP_DECIDE, THERE, "officer", OFFICE),
        ((CIO,), Permission.PRACTICE_REVIEW, THERE, "cio", ORGANISATION),  # a reviewer comes from elsewhere
        ((Post(Role.EDITOR, organisation(HERE), active=False),), None, HERE, "editor", ORGANISATION),
        ((), None, HERE, None, None),
    ],
)
def test_an_entry_says_by_which_post_and_for_whom_the_actor_acted(
    posts: tuple[Post, ...], under: Permission | None, place: UUID, role: str | None, told: dict[str, str] | None
):
    happening = audit.Happening(Event.CITY_UPDATED, Subject.CITY, place, {}, place=place, under=under)
    said = acting(person(*posts, means=Means.PAGE), happening)
    assert said == {"kind": "person", "role": role, "for": told, "means": "page"}


def test_who_writes_down_the_decision_of_a_body_acts_for_it():
    happening = audit.Happening(Event.MEMBER_SUSPENDED, Subject.CITY, HERE, {}, place=HERE, body="executive_committee")
    assert acting(person(OFFICER), happening)["for"] == {"kind": "body", "id": "executive_committee"}


def test_a_person_is_told_by_his_key_alone_and_a_subject_is_one_of_the_set():
    happening = audit.Happening(Event.CITY_UPDATED, Subject.CITY, HERE, {})
    with pytest.raises(ValueError, match="by his key"):
        acting(Actor(ActorKind.PERSON, "somebody@city.example"), happening)
    with pytest.raises(ValueError, match="Thing"):
        audit.Happening(Event.CITY_UPDATED, "Thing", HERE, {})  # type: ignore[arg-type]  # that is the test
    with pytest.raises(ValueError, match="fact"):
        audit.Happening(Event.CITY_UPDATED, Subject.CITY, HERE, {}, decided={"name": ("Seoul city", None)})


async def test_the_leaf_of_an_entry_is_the_canonical_json_of_all_that_it_says(database: Database):
    async with database.session() as db:
        await audit.record(
            db, person(CIO), Event.ROLE_ASSIGNED, Subject.PERSON, THERE, place=HERE, under=Permission.ROLE_ASSIGN,
            decided={"role": (None, "editor")}, words={"reason": "why"}, b=1, a=2,
        )  # fmt: skip
    async with database.session() as db:
        row = (await db.execute(ENTRIES)).one()
    said = json.loads(canonical(row))
    assert list(said) == sorted(said)
    assert said["actor"] == {
        "kind": "person", "id": str(UUID(int=9)), "role": "cio", "for": ORGANISATION, "means": "api",
    }  # fmt: skip
    assert (said["decided"], said["place"]) == ({"role": {"before": None, "after": "editor"}}, str(HERE))
    assert (said["subject"], said["version"], said["index"]) == ({"id": str(THERE), "type": "Person"}, 3, 0)
    assert leaf_hash(canonical(row)) == row.leaf_hash


@pytest.mark.parametrize(
    "change",
    [
        "acting = jsonb_set(acting, '{role}', '\"head\"')", "acting = acting - 'means'", "acting = acting - 'for'",
        "acting = jsonb_set(acting, '{for,id}', '\"x\"')", "decided = '{}'",
        "decided = jsonb_set(decided, '{role,after}', '1')",
        "place_id = null", "place_id = gen_random_uuid()", "version = 2", "version = 1", "subject_type = 'City'",
        "actor = 'somebody'",
    ],
)  # fmt: skip
async def test_whoever_changes_what_an_entry_says_is_found(database: Database, change: str):
    async with database.session() as db:
        await audit.record(
            db, person(CIO), Event.ROLE_ASSIGNED, Subject.PERSON, THERE, place=HERE, under=Permission.ROLE_ASSIGN,
            decided={"role": (None, "editor")},
        )  # fmt: skip
    with psycopg.connect(owner_url(database.url), autocommit=True) as owner:
        owner.execute("alter table audit_entry disable trigger all")
        owner.execute(f"update audit_entry set {change}")
    async with database.session() as db:
        assert 0 in [fault.index for fault in (await verify(db)).faults]
