"""The real thing: `wego demo` as a process, the command line against it, and what survives kill -9.

The tests of this module go one after the other on one home; only processes of this home are ever killed, by their pid.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from e2e_make import Demo, is_alive, wait_until

FIRST: dict[str, float] = {}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="wego-e2e-", dir=shm if os.access(shm, os.W_OK) else None))
    made = Demo(folder / "home")
    try:
        FIRST["seconds"] = made.start()
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def running(demo: Demo) -> Demo:
    """The demo, started again where the test before ended it."""
    if demo.process is None or demo.process.poll() is not None or demo.status("/health/ready") != 200:
        demo.start()
    return demo


def client(demo: Demo, city: str = "seoul") -> str:
    return str(demo.home / "demo" / "clients" / f"{city}.json")


def pids(demo: Demo) -> tuple[int, int]:
    told = demo.json("db", "status", "--json")
    return told["pid"], told["keeper_pid"]


def invited(demo: Demo) -> set[str]:
    with psycopg.connect(demo.run("db", "url").strip()) as connection:
        return {email for (email,) in connection.execute("select email from invitation").fetchall()}


def invite(demo: Demo, email: str) -> None:
    told = demo.officer(
        f'invitePerson(input:{{email:"{email}",name:"A",role:EDITOR,city:"seoul"}}){{problems{{code}}}}'
    )
    assert told["invitePerson"]["problems"] == []


def test_the_first_start_serves_a_network(running: Demo, capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        print(f"\nfirst start: ready after {FIRST['seconds']:.1f} s")
    told = running.ask("{cities(first:1){totalCount} practices(first:3){totalCount nodes{title{text locale}}}}", "ko")
    assert told["data"]["cities"]["totalCount"] >= 200
    assert all(practice["title"]["locale"] == "ko" for practice in told["data"]["practices"]["nodes"])
    log = running.home.parent / "home.log"
    assert running.url in log.read_text()
    assert "wego audit verify" in log.read_text()


def test_the_keys_of_the_programs_are_for_their_owner_alone(running: Demo):
    files = sorted((running.home / "demo" / "clients").iterdir())
    assert len(files) >= 6
    for file in files:
        told = json.loads(file.read_text())
        assert {"issuer", "client_id", "jwk", "resource"} <= told.keys()
        assert told["jwk"]["d"]
        assert told["issuer"] == running.url
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_command_line_tells_of_members_and_practices(running: Demo):
    members: list[dict[str, Any]] = running.json("members", "list", "--json")
    assert len(members) >= 200
    assert any("seoul" in str(member.values()) for member in members)
    practices: list[dict[str, Any]] = running.json("practices", "list", "--json")
    assert len(practices) >= 24
    assert "mobile-seoul" in str(practices)


def test_the_log_is_verified(running: Demo):
    told = running.json("audit", "verify", "--json")
    assert told["good"] is True
    assert told["faults"] == []
    assert told["entries"] > 500


def test_a_program_gets_a_token_and_an_answer_in_one_command(running: Demo):
    token = running.json("token", "--client", client(running), "--scope", "graphql:query")
    assert {"access_token", "token_type", "dpop_jwk"} <= token.keys()
    assert token["token_type"] == "DPoP"
    told = running.json("query", "--client", client(running), "{viewer{kind scopes} practices(first:3){totalCount}}")
    assert told["data"]["viewer"]["kind"] == "PROGRAM"
    assert told["data"]["practices"]["totalCount"] > 10


def test_a_person_gets_a_token_from_the_operator_and_the_log_tells(running: Demo):
    token = running.json("token", "--person", "secretariat@wego.demo")
    assert {"access_token", "token_type", "dpop_jwk"} <= token.keys()
    newest = running.json("audit", "show", "--limit", "1", "--json")[0]
    assert (newest["event"], newest["actor"]) == ("token.issued", "operator")
    told = running.json(
        "query", "--person", "secretariat@wego.demo", "{applications(first:9){nodes{status city{slug}}}}"
    )
    assert len(told["data"]["applications"]["nodes"]) >= 3


def test_what_is_wrong_ends_a_command_with_words_and_a_code(running: Demo):
    running.run("query", "--client", client(running), "{nope}", code=1)
    assert "client" in running.run("token", code=2)
    running.run("query", "--client", "/nowhere.json", "{__typename}", code=2)
    running.run("members", "show", "there-is-no-such-city", code=1)
    running.run("token", "--person", "nobody@wego.demo", code=1)


def test_the_database_is_told_saved_and_diagnosed(running: Demo, tmp_path: Path):
    status = running.json("db", "status", "--json")
    assert status["running"] is True
    url = running.run("db", "url").strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from city").fetchone() != (0,)
    dump = tmp_path / "hub.dump"
    running.run("db", "backup", str(dump))
    assert dump.stat().st_size > 50_000
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    found = running.json("doctor", "--json")
    assert not [each for each in found if each["level"] == "error"]


def test_an_acknowledged_write_survives_the_end_of_postgres(running: Demo):
    invite(running, "before-postgres@test.example")
    postgres, _ = pids(running)
    running.kill(postgres)
    wait_until(lambda: not is_alive(postgres), 10)
    seconds = wait_until(lambda: running.status("/health/ready") == 200, 30, "the server came back and")
    print(f"after kill -9 of postgres: ready again after {seconds:.1f} s")
    assert "before-postgres@test.example" in invited(running)
    assert running.ask("{cities(first:1){totalCount}}")["data"]["cities"]["totalCount"] >= 200
    invite(running, "after-postgres@test.example")


def test_an_acknowledged_write_survives_the_end_of_the_keeper(running: Demo):
    invite(running, "before-keeper@test.example")
    _, keeper = pids(running)
    running.kill(keeper)

    def again() -> bool:
        told = running.json("db", "status", "--json")
        return bool(told["running"] and told["keeper_pid"] not in (None, keeper))

    wait_until(again, 40, "a new keeper")
    seconds = wait_until(lambda: running.status("/health/ready") == 200, 30, "the server came back and")
    print(f"after kill -9 of the keeper: ready again after {seconds:.1f} s more")
    assert "before-keeper@test.example" in invited(running)
    invite(running, "after-keeper@test.example")
    assert not is_alive(keeper)


def test_kill_of_the_server_leaves_nothing_running_and_loses_nothing(running: Demo, capsys: pytest.CaptureFixture[str]):
    invite(running, "before-server@test.example")
    assert running.process is not None
    running.kill(running.process.pid)
    running.process.wait()
    seconds = wait_until(lambda: not running.processes(), 40, "the end of everything")
    again = running.start()
    with capsys.disabled():
        print(
            f"\nafter kill -9 of the server nothing was left after {seconds:.1f} s; "
            f"second start: ready after {again:.1f} s"
        )
    assert {"before-server@test.example", "before-postgres@test.example", "before-keeper@test.example"} <= invited(
        running
    )
    assert running.json("audit", "verify", "--json")["good"] is True


def test_ctrl_c_ends_everything(running: Demo):
    assert running.process is not None
    children = running.processes()
    assert len(children) >= 2
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) in (0, 130, -signal.SIGINT)
    wait_until(lambda: not running.processes(), 30, "the end of everything")


def test_two_workers_serve_one_home(demo: Demo):
    if demo.process is not None and demo.process.poll() is None:
        demo.end()
    demo.start("serve", "--workers", "2")
    token = client(demo)
    for _ in range(3):
        assert demo.json("query", "--client", token, "{viewer{kind}}")["data"]["viewer"]["kind"] == "PROGRAM"
    assert demo.process is not None
    demo.process.send_signal(signal.SIGINT)
    demo.process.wait(20)
    wait_until(lambda: not demo.processes(), 30, "the end of everything")


def test_a_forged_entry_is_named_and_the_command_fails(running: Demo):
    with psycopg.connect(running.run("db", "url").strip(), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute('update audit_entry set facts = \'{"slug": "forged"}\' where index = 7')
    told = json.loads(running.run("audit", "verify", "--json", code=1))
    assert told["good"] is False
    assert 7 in [fault["index"] for fault in told["faults"]]
    assert "7" in running.run("audit", "verify", code=1)
