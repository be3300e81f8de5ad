"""A hub of an earlier version is brought to the newest one, and its log is as good as it was.

`upgrade/demonstration-0009.sql.xz` is what the demonstration of the version with migration 0009 wrote, with words that
were erased and a checkpoint that it signed (`upgrade/checkpoints.jsonl`). The log is proved before the upgrade by the
rules of that time, which stand here as they were, and after it by those of today.
"""

from __future__ import annotations

import lzma
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
import rfc8785

from wego import migrations, postgres
from wego.core import audit
from wego.core.access import Means, system
from wego.core.audit import Event, Subject, Tree, leaf_hash, verify
from wego.core.audit.trust import Report, prove
from wego.core.audit.words import Chosen, erase
from wego.core.db import Database
from wego.core.ids import new_id
from wego.core.settings import Settings
from wego.setup import prepare

HERE = Path(__file__).parent / "upgrade"
KEY = "127.0.0.1:8777/audit+d30f8eec+AT7h7h7c0Z6XKJ7nXiQXpLt6SOhTxiL3QIR96KZ8ZMkL"


@pytest.fixture
def empty(cluster: postgres.Attachment) -> Iterator[str]:
    """A database without a table, as its owner reaches it."""
    name = f"upgrade_{new_id().hex[-12:]}"
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield cluster.url_of(name)
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def load(url: str, dump: Path) -> None:
    """What `pg_dump --data-only` wrote; without triggers, because the log refuses to be written by anybody."""
    lines = iter(lzma.decompress(dump.read_bytes()).decode().splitlines(keepends=True))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        for line in lines:
            if line.startswith("COPY "):
                cursor.execute(f"delete from {line.split()[1]}")  # what migrations and lists filled by themselves
                with cursor.copy(line.rstrip().rstrip(";")) as copy:
                    for row in iter(lines.__next__, "\\.\n"):
                        copy.write(row)


def old_leaf(row: Any) -> bytes:
    """The leaf of an entry as versions up to 0009 made it."""
    index, at, event, actor, kind, key, facts, version, words = row
    said = {
        "index": index, "at": at.isoformat(timespec="microseconds"), "event": event, "actor": actor,
        "subject": {"type": kind, "id": str(key)}, "facts": facts,
    }  # fmt: skip
    return leaf_hash(rfc8785.dumps(said if version == 1 else said | {"version": version, "words": words}))


def proved_by_old_rules(url: str, columns: str = "version, word_hashes") -> Tree:
    """Every leaf and the root, as they stand in a database of an earlier version."""
    tree = Tree()
    with psycopg.connect(url) as connection:
        connection.execute("set timezone to 'UTC'")
        rows = connection.execute(
            f"select index, at, event, actor, subject_type, subject_id, facts, {columns}, leaf_hash "
            "from audit_entry order by index"
        )
        for *row, leaf in rows:
            assert old_leaf(row) == leaf
            tree.append(leaf)
        assert connection.execute("select size, root from audit_state").fetchone() == (tree.size, tree.root)
    return tree


async def opened(url: str) -> Database:
    return await Database(url).open()


async def proof(database: Database, home: Path) -> Report:
    async with database.session() as db:
        return await prove(db, Settings(home=home), [KEY])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "audit").mkdir()
    shutil.copy(HERE / "checkpoints.jsonl", tmp_path / "audit" / "checkpoints.jsonl")
    return tmp_path


async def test_a_demonstration_of_0009_is_migrated_and_its_log_is_as_good_as_before(empty: str, home: Path):
    migrations.upgrade(empty, "0009")
    load(empty, HERE / "demonstration-0009.sql.xz")
    before = proved_by_old_rules(empty)
    assert before.size > 1_000
    signed = [orjson.loads(line) for line in (home / "audit" / "checkpoints.jsonl").read_bytes().splitlines()]
    assert before.size > signed[-1]["size"] > 1_000, "some of it was signed, some was not yet"

    prepare(empty, postgres.as_hub(empty))  # what `wego migrate` does

    database = await opened(empty)
    try:
        report = await proof(database, home)
        assert report.faults == ()
        assert (report.verdict.size, report.verdict.root) == (before.size, before.root)
        assert report.signed == signed[-1]["size"]
        assert report.verdict.erased > 0
        hub = await opened(postgres.as_hub(empty))
        async with hub.session() as db:  # what is written now has the newest form, and what was is not told again
            actor = system("test", Means.TERMINAL)
            await audit.record(db, actor, Event.CITY_UPDATED, Subject.CITY, new_id(), words={"reason": "why"})
        await hub.close()
        async with database.session() as db:
            erased = await erase(db, system("test"), Chosen(index=before.size), "test")
            erased = [*erased, *await erase(db, system("test"), Chosen(index=_with_words(empty)), "test")]
        assert len(erased) == 2
        report = await proof(database, home)
        assert report.faults == ()
        assert report.verdict.size == before.size + 3
    finally:
        await database.close()
    with psycopg.connect(empty) as connection:
        assert connection.execute("select position from audit_listener where name = ''").fetchone() == (before.size,)
        assert connection.execute("select version, count(*) from audit_entry group by 1 order by 1").fetchall() == [
            (2, before.size), (3, 3),
        ]  # fmt: skip


def _with_words(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select min(entry) from audit_word").fetchone()
    assert row is not None
    return int(row[0])


async def test_entries_of_the_first_form_are_good_in_every_later_version(empty: str):
    """They were written by versions up to 0004, with their words among the facts."""
    migrations.upgrade(empty, "0004")
    tree = Tree()
    with psycopg.connect(empty) as connection:
        connection.execute("set timezone to 'UTC'")
        for index in range(7):
            values = (
                index, f"2026-01-0{index + 1}T00:00:00.000001+00:00", "member.suspended", "seed", "City", new_id(),
                orjson.dumps({"reason": "Nobody answered. 무응답"}).decode(),
            )  # fmt: skip
            row = connection.execute(
                "select %s::bigint, %s::timestamptz, %s::text, %s::text, %s::text, %s::uuid, %s::jsonb, 1, null::jsonb",
                values,
            ).fetchone()
            tree.append(old_leaf(row))
            connection.execute(
                "insert into audit_entry (index, at, event, actor, subject_type, subject_id, facts, leaf_hash) "
                "values (%s, %s, %s, %s, %s, %s, %s, %s)", (*values, old_leaf(row)),
            )  # fmt: skip
        connection.execute(
            "update audit_state set size = %s, root = %s, frontier = %s",
            (tree.size, tree.root, b"".join(tree.frontier or [])),
        )
    assert proved_by_old_rules(empty, "1, null::jsonb").size == 7
    prepare(empty, postgres.as_hub(empty))
    database = await opened(empty)
    try:
        async with database.session() as db:
            await audit.record(db, system("test"), Event.CITY_UPDATED, Subject.CITY, new_id())
        async with database.session() as db:
            verdict = await verify(db)
        assert (verdict.faults, verdict.size) == ((), 8)
    finally:
        await database.close()
