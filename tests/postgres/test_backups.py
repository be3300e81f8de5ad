"""Backup and restore of the embedded database."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_make import ask, attach

from wego import postgres


@pytest.fixture
def server(home: Path) -> Iterator[postgres.Attachment]:
    with attach(home) as held:
        ask(held.url, "CREATE EXTENSION pg_trgm")
        ask(held.url, "CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n text)")
        ask(held.url, "INSERT INTO notes (n) SELECT 'note ' || g FROM generate_series(1, 1000) g")
        yield held


def test_a_backup_comes_back_in_an_empty_home(server: postgres.Attachment, home: Path, folder: Path) -> None:
    target = postgres.backup(home, folder / "wego.dump")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    postgres.restore(folder / "other", target)
    with attach(folder / "other") as other:
        assert ask(other.url, "SELECT count(*) FROM notes WHERE n %% 'note 500'") > 0
        ask(other.url, "INSERT INTO notes (n) VALUES ('next')")
        assert ask(other.url, "SELECT max(id) FROM notes") == 1001


def test_a_restore_does_not_touch_what_is_there_unless_told(
    server: postgres.Attachment, home: Path, folder: Path
) -> None:
    target = postgres.backup(home, folder / "wego.dump")
    ask(server.url, "DELETE FROM notes")
    with pytest.raises(postgres.PostgresError, match="not empty"):
        postgres.restore(home, target)
    assert ask(server.url, "SELECT count(*) FROM notes") == 0


def test_replacing_ends_the_connections_and_swaps_the_database(
    server: postgres.Attachment, home: Path, folder: Path
) -> None:
    target = postgres.backup(home, folder / "wego.dump")
    ask(server.url, "DELETE FROM notes; CREATE TABLE later (n int)")
    with psycopg.connect(server.url) as looker:
        looker.execute("SELECT 1")
        postgres.restore(home, target, replace=True)
        with pytest.raises(psycopg.OperationalError):
            looker.execute("SELECT 1")
    assert ask(server.url, "SELECT count(*) FROM notes") == 1000
    assert ask(server.url, "SELECT to_regclass('later') IS NULL")
    names = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate"
    assert ask(server.url, names) == "postgres wego"


def test_a_broken_backup_changes_nothing(server: postgres.Attachment, home: Path, folder: Path) -> None:
    whole = postgres.backup(home, folder / "wego.dump").read_bytes()
    broken = folder / "broken.dump"
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(postgres.PostgresError, match="pg_restore failed"):
        postgres.restore(home, broken, replace=True)
    assert ask(server.url, "SELECT count(*) FROM notes") == 1000
    with pytest.raises(postgres.PostgresError, match="no backup"):
        postgres.restore(home, folder / "nothing.dump")


def test_a_backup_that_cannot_be_written_leaves_the_old_one(
    server: postgres.Attachment, home: Path, folder: Path
) -> None:
    with pytest.raises(postgres.PostgresError, match="cannot write"):
        postgres.backup(home, folder / "nowhere" / "wego.dump")
    target = folder / "wego.dump"
    target.write_text("yesterday's")
    ask(server.url, "UPDATE pg_database SET datallowconn = false WHERE datname = 'wego'")
    with pytest.raises(postgres.PostgresError, match="pg_dump failed"):
        postgres.backup(home, target)
    assert target.read_text() == "yesterday's"
    assert sorted(path.name for path in folder.iterdir()) == ["home", "wego.dump"]
