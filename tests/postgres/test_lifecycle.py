"""Start, share, stop: what a client of the embedded PostgreSQL sees."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psycopg
import pytest
from postgres_make import FAST, Client, ask, attach, is_alive, processes_of, wait_until

from wego import postgres
from wego.postgres.server import rotate


async def _ask_asyncpg(url: str) -> object:
    db = await asyncpg.connect(url)
    try:
        return await db.fetchval("SELECT current_database() || current_user")
    finally:
        await db.close()


def test_the_first_start_makes_a_database_that_asyncpg_psycopg_and_psql_can_use(home: Path) -> None:
    with attach(home) as server:
        assert ask(server.url, "SELECT current_database() || current_user") == "wegowego"
        assert asyncio.run(_ask_asyncpg(server.url)) == "wegowego"
        psql = [server.provider.program("psql"), "-XAtc", "SELECT current_database()", server.url]
        assert subprocess.run(psql, capture_output=True, text=True, check=True).stdout == "wego\n"
        assert ask(server.admin_url, "SELECT current_database()") == "postgres"


def test_a_port_in_the_environment_does_not_lead_astray(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere", "PGDATA": "/nowhere", "LC_ALL": "xx_XX"}.items():
        monkeypatch.setenv(name, value)
    with attach(home) as server:
        assert ask(server.url, "SELECT 1") == 1
        assert asyncio.run(_ask_asyncpg(server.url)) == "wegowego"


def test_the_server_is_set_up_as_promised(home: Path) -> None:
    wanted = {
        "data_checksums": "on", "server_encoding": "UTF8", "listen_addresses": "",
        "TimeZone": "UTC", "jit": "off",
        "shared_buffers": "128MB", "max_connections": "100", "synchronous_commit": "on", "fsync": "off",
    }  # fmt: skip
    with attach(home) as server:
        assert {name: ask(server.url, f"SHOW {name}") for name in wanted} == wanted
        assert ask(server.url, "SELECT lower('ПРИВЕТ')") == "привет"
        for path in (home / "password", home / "server.json", home / "clients"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "cluster" / "socket").stat().st_mode) == 0o700
        assert "password" not in repr(server)


def test_a_wrong_password_is_refused(home: Path) -> None:
    with (
        attach(home) as server,
        pytest.raises(psycopg.OperationalError, match="password authentication failed"),
    ):
        ask(server.url.replace(server.password, "guess"), "SELECT 1")


def test_a_second_start_finds_what_the_first_one_wrote(home: Path) -> None:
    with attach(home) as server:
        ask(server.url, "CREATE TABLE notes AS SELECT 7 AS n")
        url = server.url
    assert postgres.stop(home)
    with attach(home) as server:
        assert server.url == url
        assert ask(server.url, "SELECT n FROM notes") == 7


def test_six_processes_at_once_share_one_server(client: Callable[..., Client], home: Path) -> None:
    answers = {one.answer() for one in [client() for _ in range(6)]}
    assert len(answers) == 1
    assert sum("postgres.keeper" in words for words in processes_of(home).values()) == 1


def test_nothing_is_left_running_after_the_grace_time(home: Path) -> None:
    first, second = attach(home), attach(home)
    pid = postgres.status(home).pid
    first.close()
    assert ask(second.url, "SELECT 1") == 1
    second.close()
    second.close()  # twice is no harm
    wait_until(lambda: not processes_of(home))
    assert pid
    assert not is_alive(pid)
    assert not postgres.status(home).running
    assert not list((home / "cluster" / "socket").iterdir())


def test_a_client_that_comes_within_the_grace_time_finds_the_same_server(home: Path) -> None:
    attach(home, grace=30).close()
    pid = postgres.status(home).pid
    with attach(home):
        assert postgres.status(home).pid == pid


def test_stop_ends_the_server_though_clients_are_attached_and_ensure_brings_it_back(home: Path) -> None:
    with attach(home) as server:
        url, pid = server.url, postgres.status(home).pid
        assert postgres.stop(home)
        assert pid
        assert not is_alive(pid)
        assert not postgres.stop(home)
        assert postgres.status(home).clients
        server.ensure()
        assert server.url == url
        assert ask(url, "SELECT 1") == 1
    with pytest.raises(postgres.PostgresError, match="closed"):
        server.ensure()


def test_sigterm_to_the_keeper_stops_the_server(home: Path) -> None:
    with attach(home):
        now = postgres.status(home)
        assert now.keeper_pid
        os.kill(now.keeper_pid, signal.SIGTERM)
        wait_until(lambda: not processes_of(home))


def test_status_makes_and_starts_nothing(home: Path) -> None:
    assert not postgres.status(home).running
    assert not home.exists()


def test_status_tells_who_runs_and_for_whom(home: Path) -> None:
    with attach(home) as server:
        now = postgres.status(home)
        assert (now.running, now.clients, now.url, now.version) == (
            True,
            True,
            server.url,
            server.provider.version,
        )
        assert now.pid
        assert now.keeper_pid
        assert is_alive(now.pid)
        assert is_alive(now.keeper_pid)
        assert now.uptime is not None
        assert now.uptime >= 0


def test_a_forked_child_keeps_the_server(home: Path) -> None:
    server = attach(home)
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        server.close()
        assert postgres.status(home).clients
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert not postgres.status(home).clients


def test_an_initdb_that_failed_half_way_is_begun_anew(home: Path) -> None:
    draft = home / "cluster" / "data.new"
    (draft / "base").mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with attach(home) as server:
        assert ask(server.url, "SELECT 1") == 1
        assert not draft.exists()


def test_a_lost_password_file_is_no_lost_cluster(home: Path) -> None:
    attach(home).close()
    assert postgres.stop(home)
    old = (home / "password").read_text()
    (home / "password").unlink()
    with attach(home) as server:
        assert ask(server.url, "SELECT 1") == 1
        assert server.password != old.strip()


@pytest.mark.parametrize("name", ["long" * 40, "a name, with 한글 & 'quotes'"])
def test_a_home_whose_name_is_too_long_or_odd_for_a_socket_works(folder: Path, name: str) -> None:
    with attach(folder / name) as server:
        assert ask(server.url, "SELECT 1") == 1
        assert asyncio.run(_ask_asyncpg(server.url)) == "wegowego"
        place = Path(server.host)
        assert place.is_relative_to("/tmp")
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert postgres.stop(folder / name)
    assert not place.exists()


@pytest.mark.parametrize("tuning", [{"data_directory": "/"}, {"work mem": "1MB"}, {"listen_addresses": "*"}])
def test_a_setting_that_would_pull_the_server_away_is_refused(home: Path, tuning: dict[str, str]) -> None:
    with pytest.raises(postgres.PostgresError):
        attach(home, tuning=tuning)
    assert not home.exists()


def test_an_unknown_setting_is_a_clear_refusal(home: Path) -> None:
    attach(home).close()
    postgres.stop(home)
    with pytest.raises(postgres.PostgresError, match="nonsense") as refusal:
        attach(home, tuning={**FAST, "nonsense": "1"})
    assert "tuning" in refusal.value.hint


def test_a_removed_home_ends_its_server(home: Path) -> None:
    attach(home, grace=600).close()
    home.rename(home.with_name("gone"))
    wait_until(lambda: not processes_of(home.parent))


def test_a_home_that_is_a_file_is_a_clear_refusal(home: Path) -> None:
    home.write_text("")
    with pytest.raises(postgres.PostgresError, match="cannot use"):
        attach(home)


def test_a_log_that_grew_is_put_aside_once(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old" * 10)
        rotate(log, limit=20)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "postgres.log.1").read_bytes() == b"old" * 10
