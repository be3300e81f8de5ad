"""kill -9 of everyone concerned. Only processes that a test has started itself are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from postgres_make import (
    FAST,
    ROOT,
    Client,
    ask,
    attach,
    is_alive,
    keeper_of,
    kill,
    processes_of,
    wait_until,
)

from wego import postgres


def _log(home: Path) -> str:
    return (home / "log" / "postgres.log").read_text()


def test_a_killed_client_lets_go(client: Callable[..., Client], home: Path) -> None:
    one, other = client(), client()
    _, pid = one.answer()
    other.answer()
    one.kill()
    assert is_alive(pid)
    other.kill()
    wait_until(lambda: not processes_of(home))
    assert "database system is shut down" in _log(home)


def test_a_killed_postmaster_comes_back_with_every_acknowledged_row(home: Path) -> None:
    with attach(home, tuning={}) as server:
        ask(server.url, "CREATE TABLE notes (n int)")
        acknowledged = 0
        with psycopg.connect(server.url, autocommit=True) as db:
            for acknowledged in range(1, 101):
                db.execute("INSERT INTO notes VALUES (%s)", [acknowledged])
            pid = postgres.status(home).pid
            kill(pid)
            with pytest.raises(psycopg.OperationalError):
                while True:
                    db.execute("INSERT INTO notes VALUES (0)")
        wait_until(lambda: postgres.status(home).pid not in (None, pid))
        assert ask(server.url, "SELECT count(*) FROM notes WHERE n > 0") == acknowledged


def _burn(url: str) -> None:
    """A backend that looks at nothing: it does not notice at once that its postmaster is gone."""
    with pytest.raises(psycopg.Error), psycopg.connect(url) as db:
        db.execute("SELECT count(*) FROM generate_series(1, 400000) a, generate_series(1, 400000) b")


def test_a_postmaster_killed_below_a_busy_backend_comes_back(home: Path) -> None:
    with attach(home) as server:
        busy = threading.Thread(target=_burn, args=[server.url])
        busy.start()
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        active = f"SELECT count(*) {others} AND query LIKE '%%400000%%'"
        wait_until(lambda: ask(server.url, active))
        pid = postgres.status(home).pid
        kill(pid)
        wait_until(lambda: postgres.status(home).pid not in (None, pid))
        assert ask(server.url, "SELECT 1") == 1
        busy.join()


def test_a_killed_keeper_takes_the_server_down_cleanly_and_the_next_client_starts_a_new_one(
    home: Path,
) -> None:
    with attach(home) as server:
        ask(server.url, "CREATE TABLE notes AS SELECT 7 AS n")
        old = postgres.status(home)
        kill(old.keeper_pid)
        with attach(home) as second:
            new = postgres.status(home)
            assert new.keeper_pid != old.keeper_pid
            assert new.pid != old.pid
            assert second.url == server.url
            assert ask(second.url, "SELECT n FROM notes") == 7
        assert old.pid
        assert not is_alive(old.pid)
        assert "database system was shut down at" in _log(home)
        assert "not properly shut down" not in _log(home)


def test_a_client_that_was_there_can_bring_the_server_back_itself(home: Path) -> None:
    with attach(home) as server:
        kill(postgres.status(home).keeper_pid)
        server.ensure()
        assert ask(server.url, "SELECT 1") == 1


def test_keeper_and_postmaster_killed_together_are_replaced(home: Path) -> None:
    with attach(home, tuning={}) as server:
        ask(server.url, "CREATE TABLE notes AS SELECT 7 AS n")
        old = postgres.status(home)
        kill(old.keeper_pid)
        kill(old.pid)
        server.ensure()
        assert ask(server.url, "SELECT n FROM notes") == 7


def test_a_keeper_killed_during_initdb_leaves_nothing_that_counts(client: Callable[..., Client], home: Path) -> None:
    first = client()
    wait_until((home / "cluster" / "data.new" / "PG_VERSION").exists)
    kill(keeper_of(home))
    url, _ = first.answer()  # it launches a second keeper, which begins anew
    assert ask(url, "SELECT 1") == 1


def test_a_pid_file_that_names_a_stranger_neither_blocks_nor_hurts_him(home: Path) -> None:
    attach(home).close()
    assert postgres.stop(home)
    stranger = subprocess.Popen(["sleep", "600"], cwd=home / "cluster" / "data")
    try:
        lines = f"{stranger.pid}\n{home}/cluster/data\n1\n5432\n{home}/cluster/socket\n\n 1 1\nready   \n"
        (home / "cluster" / "data" / "postmaster.pid").write_text(lines)
        (home / "cluster" / "socket" / ".s.PGSQL.5432.lock").write_text(lines)
        with attach(home) as server:
            assert ask(server.url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_keeps_falling_is_given_up_with_a_reason(home: Path) -> None:
    attach(home).close()
    assert postgres.stop(home)
    (home / "cluster" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(postgres.PostgresError, match="pg_control"):
        attach(home)
    assert not processes_of(home)


def test_a_killed_keeper_takes_the_server_down_where_the_kernel_has_no_leash(home: Path) -> None:
    """As on macOS: a watchdog in place of the leash, and nothing to be read in /proc."""
    order = {"attempt": "elsewhere", "grace": 60, "binaries": None, "tuning": FAST}
    code = (
        "import sys; from pathlib import Path; from wego.postgres import port, keeper, home; port.LINUX = False; "
        f"keeper.keep(Path(sys.argv[1]), home.Order(**{order!r}))  # postgres.keeper"
    )
    attach(home).close()
    assert postgres.stop(home)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    subprocess.run([sys.executable, "-c", code, str(home)], check=True, env=env)
    wait_until(lambda: postgres.status(home).running)
    old = postgres.status(home)
    assert old.pid
    kill(old.keeper_pid)
    wait_until(lambda: not is_alive(old.pid or 0))
    assert "database system is shut down" in _log(home)
    with attach(home) as server:
        assert ask(server.url, "SELECT 1") == 1


def test_killing_a_starting_client_does_not_disturb_the_others(client: Callable[..., Client], home: Path) -> None:
    first = client(tuning=FAST)
    wait_until(lambda: keeper_of(home))
    others = [client() for _ in range(2)]
    first.kill()
    assert len({one.answer() for one in others}) == 1
    assert os.path.exists(home / "server.json")
