"""What an operator runs into: no database, another version of it, one that is away, words that have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psycopg
import pytest
import typer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from wego import migrations, setup
from wego.cli.main import _add_rooms, app
from wego.core.db import Database, is_away
from wego.core.statements import Unreachable
from wego.core.traces import traced

from .conftest import owner_url

NOWHERE = "postgresql://hub:secret@127.0.0.1:1/nothing"
MAKING = {"demo", "seed", "serve", "migrate", "db start", "db restore"}  # these say that they make one
HARMLESS = {
    "schema",
    "doctor",
    "db status",
    "db stop",
    "query",
    "token",
}  # ask no database, or look whether there is one


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


@pytest.fixture(scope="module")
def root() -> Any:
    if not any(each.typer_instance and each.typer_instance.info.name == "members" for each in app.registered_groups):
        _add_rooms()
    return typer.main.get_command(app)


def words_for(name: str, command: Any, some: Path) -> list[str]:
    """A call of a command with whatever it needs."""
    words = name.split()
    for each in command.params:
        if each.required:
            kind = each.type_descriptor.annotation
            value = str(some) if kind is Path else "1" if kind is int else "x"
            if isinstance(kind, type) and issubclass(kind, Enum):
                value = str(next(iter(kind)).value)
            words += [each.opts[0], value] if each.opts[0].startswith("-") else [value]
    return words


def ran(words: list[str]) -> Any:
    done = CliRunner().invoke(app, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), (words, done.exception)
    return done


def test_no_command_makes_a_database_by_accident(root: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home, some = tmp_path / "home", tmp_path / "some"
    some.write_text("{}")
    monkeypatch.setenv("WEGO_HOME", str(home))
    monkeypatch.delenv("WEGO_DATABASE_URL", raising=False)
    told = {}
    for name, command in _commands(root):
        if name not in MAKING:
            done = ran(words_for(name, command, some))
            assert not home.exists(), f"{name} made {sorted(home.iterdir())}"
            told[name] = done.stderr
    assert len(told) > 40
    refused = {name for name, words in told.items() if f"There is no hub in {home}." in words}
    # The others ask no database, or refuse what they were given before they do.
    assert {
        "members list",
        "practices list",
        "audit verify",
        "audit key",
        "keys replace",
        "db url",
        "worker",
    } <= refused


def test_a_database_that_is_away_is_told_in_a_sentence_by_every_command(
    root: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    some = tmp_path / "some"
    some.write_text("{}")
    for name, value in {"HOME": str(tmp_path / "home"), "DATABASE_URL": NOWHERE, "SERVER_TIMING": "0"}.items():
        monkeypatch.setenv(f"WEGO_{name}", value)
    told = {}
    for name, command in _commands(root):
        if name != "serve":  # waits for it, and exports its settings: tests/e2e/test_stops.py
            words = words_for(name, command, some)
            done = ran([*words, "--no-serve"] if name == "demo" else words)
            told[name] = done.stderr
            assert "secret" not in done.stderr
            assert len(done.stderr.splitlines()) <= 6, done.stderr
    away = {name for name, words in told.items() if words.startswith("The database cannot be reached: ")}
    assert {"members list", "practices list", "audit verify", "keys replace", "migrate", "demo", "worker"} <= away


@pytest.fixture
def versioned(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WEGO_HOME", str(tmp_path))
    monkeypatch.setenv("WEGO_DATABASE_URL", database.url)
    monkeypatch.setenv("WEGO_MIGRATION_URL", owner_url(database.url))
    return owner_url(database.url)


def _set(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


async def test_a_database_of_another_version_is_neither_used_nor_changed(root: Any, versioned: str):
    for version, hint in (("0001", "`wego migrate` renews it."), ("9999", "Update this installation.")):
        _set(versioned, f"update alembic_version set version_num = '{version}'")
        done = await asyncio.to_thread(ran, ["members", "list"])
        assert (done.exit_code, version in done.stderr, hint in done.stderr) == (1, True, True)
    done = await asyncio.to_thread(ran, ["migrate"])
    assert (done.exit_code, "of a newer version" in done.stderr) == (1, True)
    _set(versioned, f"update alembic_version set version_num = '{migrations.head()}'")
    assert (await asyncio.to_thread(ran, ["members", "list"])).exit_code == 0


async def test_an_empty_database_stays_empty(root: Any, versioned: str):
    _set(versioned, "drop table alembic_version")
    done = await asyncio.to_thread(ran, ["members", "list"])
    assert (done.exit_code, done.stderr.splitlines()[0]) == (1, "There is no hub in this database yet.")


def test_words_that_have_changed_reach_a_database_that_is_there(database: Database, monkeypatch: pytest.MonkeyPatch):
    url = owner_url(database.url)
    words = list(setup._terms())
    scheme, code, position, labels = words[0]
    changed = [(scheme, code, position, {**labels, "en": "Renamed"}), *words[2:], (scheme, "brand-new", 9, labels)]
    loaded: list[int] = []
    whole = setup.load_terms
    monkeypatch.setattr(setup, "load_terms", lambda connection: (loaded.append(1), whole(connection)))
    setup.prepare(url)
    assert loaded == []
    monkeypatch.setattr(setup, "_terms", lambda: iter(changed))
    setup.prepare(url)
    setup.prepare(url)
    assert loaded == [1]
    with psycopg.connect(url) as connection:
        label = "select label from term_label where scheme = %s and code = %s and locale = 'en'"
        assert connection.execute(label, (scheme, code)).fetchone() == ("Renamed",)
        assert connection.execute(label, (scheme, "brand-new")).fetchone() == (labels["en"],)
        gone = "select retired from term where scheme = %s and code = %s"
        assert connection.execute(gone, words[1][:2]).fetchone() == (True,)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (Unreachable("no route"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (asyncpg.CannotConnectNowError("starting"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("the server expects 1 argument for this query, 2 were passed"), False),
        (asyncpg.InterfaceError("cannot perform operation: another operation is in progress"), False),
        (asyncpg.UndefinedColumnError("no such column"), False),
        (FileNotFoundError(2, "No such file", "/keys/audit.key"), False),
        (PermissionError(13, "Permission denied", "/keys"), False),
        (ValueError("what"), False),
    ],
)
def test_what_is_our_own_mistake_is_no_database_that_is_away(error: Exception, away: bool):
    assert is_away(error) is away
    wrapped = DBAPIError("select 1", {}, Exception(), hide_parameters=True)
    wrapped.orig.__cause__ = error
    assert is_away(wrapped) is away


async def test_a_database_without_a_socket_is_unreachable(tmp_path: Path):
    with pytest.raises(Unreachable):
        await Database(f"postgresql://hub@/hub?host={tmp_path}").open()


async def test_an_error_is_written_down_with_its_frames_and_without_what_people_wrote(database: Database):
    wrote = "@".join(("kim", "example.org"))
    with pytest.raises(DBAPIError) as raised:
        async with database.session() as db:
            await db.execute(text("select cast(:given as int)"), {"given": wrote})
    told = traced(raised.value)
    assert "in test_an_error_is_written_down" in told
    assert "sqlalchemy" in told
    assert wrote not in told
    with pytest.raises(ValueError, match="outer") as plain:
        try:
            orjson.loads(b"{")
        except orjson.JSONDecodeError as inner:
            raise ValueError("outer") from inner
    told = traced(plain.value)
    assert told.index("JSONDecodeError") < told.index("which led to:") < told.index("ValueError: outer")
