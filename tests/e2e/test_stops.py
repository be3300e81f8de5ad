"""The hub as a process: it stops in time whatever is away or slow, starts only when it can, and says so.

Only processes of this module's own home are stopped or killed, by their pid.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from e2e_make import WEGO, Demo, is_alive, wait_until

from federation.client import assertion, proof
from federation.jose import jose
from wego import postgres

STOP_SECONDS = 10.0
PAGE = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"
ASKED = b"GET /graphql?query=%7Bcities(first:3)%7BtotalCount%7D%7D HTTP/1.1\r\nhost: h\r\n\r\n"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    shm = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="wego-stops-", dir=shm if os.access(shm, os.W_OK) else None))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[Demo]:
    """A migrated home without any data; its server is kept by this module, so that each start is a quick one."""
    made = Demo(folder / "home")
    with postgres.attach(made.home):
        yield made
        made.end()
    postgres.stop(made.home)


def servers(demo: Demo) -> list[int]:
    """The postmaster and its children."""
    postmaster = demo.json("db", "status", "--json")["pid"]
    return [postmaster, *_children(postmaster)]


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def send(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def stopped(demo: Demo) -> Iterator[None]:
    """The database says nothing any more, as on a machine that hangs."""
    pids = servers(demo)
    send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        send(pids, signal.SIGCONT)


def start(demo: Demo, *words: str) -> None:
    """Start it; what a test that failed left running is ended first."""
    if demo.process is not None and demo.process.poll() is None:
        demo.process.kill()
        demo.process.wait()
    demo.start(*words)


def stop(demo: Demo, number: int = signal.SIGTERM, again: float | None = None) -> float:
    """How long the process took to end."""
    assert demo.process is not None
    began = time.monotonic()
    demo.process.send_signal(number)
    if again is not None:
        time.sleep(again)
        began = time.monotonic()
        demo.process.send_signal(number)
    try:
        demo.process.wait(40)
    except subprocess.TimeoutExpired:
        demo.process.kill()
        demo.process.wait()
    return time.monotonic() - began


def connected(demo: Demo, sent: bytes) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", demo.port), 5)
    made.sendall(sent)
    return made


# ── it stops ──────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def peace(_demo: Demo) -> Iterator[None]:
    yield


@contextlib.contextmanager
def asked_of_a_stopped_database(demo: Demo) -> Iterator[None]:
    with stopped(demo), contextlib.closing(connected(demo, ASKED)), contextlib.closing(connected(demo, ASKED)):
        time.sleep(0.3)
        yield


@contextlib.contextmanager
def killed_database(demo: Demo) -> Iterator[None]:
    send(servers(demo), signal.SIGKILL)
    yield
    wait_until(lambda: demo.json("db", "status", "--json")["running"], 40, "the server came back")


@contextlib.contextmanager
def running_statement(demo: Demo) -> Iterator[None]:
    """A read that waits for a lock, and one that waits for nothing but time."""
    with psycopg.connect(demo.run("db", "url").strip()) as connection:
        connection.execute("lock table city in access exclusive mode")
        with (
            contextlib.closing(connected(demo, ASKED)),
            contextlib.closing(connected(demo, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")),
        ):
            time.sleep(0.3)
            yield


@contextlib.contextmanager
def dripping_clients(demo: Demo) -> Iterator[None]:
    head = b"POST /graphql HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(contextlib.closing(connected(demo, sent))) for sent in (head, b"GET / HT", b"")]
        over = threading.Event()

        def drip() -> None:
            while not over.wait(0.2):
                for end in ends[:2]:
                    with contextlib.suppress(OSError):
                        end.sendall(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextlib.contextmanager
def reader_who_does_not_read(demo: Demo) -> Iterator[None]:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    made.connect(("127.0.0.1", demo.port))
    with contextlib.closing(made):
        made.sendall(b"GET /schema.graphql HTTP/1.1\r\nhost: h\r\n\r\n" * 60)
        time.sleep(0.5)
        yield


TROUBLES = [
    peace, asked_of_a_stopped_database, killed_database, running_statement, dripping_clients, reader_who_does_not_read,
]  # fmt: skip


@pytest.mark.parametrize(
    ("trouble", "workers"),
    [*((trouble, 1) for trouble in TROUBLES), (asked_of_a_stopped_database, 2)],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_it_stops_in_time(home: Demo, trouble: Callable[[Demo], Any], workers: int):
    start(home, "serve", "--workers", str(workers))
    with trouble(home):
        seconds = stop(home)
    print(f"{trouble.__name__}, {workers} workers: {seconds:.1f} s")
    assert seconds < STOP_SECONDS
    assert home.process is not None
    assert home.process.returncode in (0, 128 + signal.SIGTERM, -signal.SIGTERM)


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGTERM, 1), (signal.SIGINT, 2)])
def test_told_twice_it_stops_at_once(home: Demo, number: int, workers: int):
    start(home, "serve", "--workers", str(workers))
    with asked_of_a_stopped_database(home):
        assert stop(home, number, again=0.4) < 1.0


def test_workers_end_when_their_supervisor_is_killed(home: Demo):
    start(home, "serve", "--workers", "2")
    assert home.process is not None
    workers = _children(home.process.pid)
    assert len(workers) >= 2
    home.process.kill()
    home.process.wait()
    wait_until(lambda: not any(map(is_alive, workers)), STOP_SECONDS + 2, "the end of the workers")


def test_a_worker_that_is_killed_is_replaced(home: Demo):
    start(home, "serve", "--workers", "2")
    assert home.process is not None
    before = {pid for pid in _children(home.process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: len(set(_children(home.process.pid)) - before) >= 1, 20, "another worker")  # type: ignore[union-attr]
    wait_until(lambda: home.status("/health/ready") == 200, 20, "an answer")
    assert stop(home) < STOP_SECONDS


# ── it degrades ───────────────────────────────────────────────────────────────────────────────────────────────────


def ask(demo: Demo, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes, float]:
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read(), time.monotonic() - began
    finally:
        connection.close()


FORM = "application/x-www-form-urlencoded"
KEY = jose.new_key()
CLIENT = "urn:uuid:0190b3c4-0000-7000-8000-000000000000"


def token_form(issuer: str) -> bytes:
    """A form of which only the database can say that the client is not there."""
    return urlencode({
        "grant_type": "client_credentials", "client_assertion_type": jose.ASSERTION_TYPE, "token": "x",
        "client_assertion": assertion(KEY, "k", CLIENT, issuer),
    }).encode()  # fmt: skip


@pytest.fixture(scope="class")
def away(home: Demo) -> Iterator[Demo]:
    """A hub whose database hangs."""
    start(home, "serve")
    assert home.status("/en/") == 200
    with stopped(home):
        yield home
    wait_until(lambda: home.status("/health/ready") == 200, 30, "the way back")
    assert home.status("/en/") == 200
    assert ask(home, "GET", "/graphql?query=%7Bcities(first:1)%7BtotalCount%7D%7D")[0] == 200
    assert stop(home) < STOP_SECONDS


class TestAway:
    """One hub whose database hangs, asked in every way."""

    @pytest.mark.parametrize(
        ("method", "path", "body", "kind", "code"),
        [
            ("GET", "/en/cities", None, "text/html", "<h1>"),
            ("HEAD", "/en/members", None, "text/html", ""),
            ("GET", "/health/ready", None, "application/json", '"database","status":"failing"'),
            ("GET", "/graphql?query=%7Bcities(first:2)%7BtotalCount%7D%7D", None, "application/json", "UNAVAILABLE"),
            ("POST", "/graphql", b'{"query":"{practices(first:2){totalCount}}"}', "application/json", "UNAVAILABLE"),
            ("POST", "/oauth/token", None, "application/json", "temporarily_unavailable"),
            ("POST", "/oauth/introspect", None, "application/json", "temporarily_unavailable"),
            ("POST", "/oauth/revoke", None, "application/json", "temporarily_unavailable"),
        ],
    )
    def test_every_route_says_in_its_own_form_that_it_cannot(
        self, away: Demo, method: str, path: str, body: bytes | None, kind: str, code: str
    ):
        headers = {"content_type": "application/json"} if body else {}
        if path.startswith("/oauth"):
            body = token_form(away.url)
            headers = {"content_type": FORM, "dpop": proof(KEY, "POST", f"{away.url}{path}")}
        status, told, text, seconds = ask(away, method, path, body, **headers)
        assert status == 503
        assert told.get_content_type() == kind
        assert int(told["retry-after"]) > 0
        assert code in text.decode()
        assert seconds < 12, "in bounded time"
        assert b"Traceback" not in text
        assert b"postgres" not in text.lower()

    @pytest.mark.parametrize(
        "path",
        ["/health", "/health/live", "/schema.graphql", "/static/app.css", "/oauth/jwks",
         "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/graphql"],
    )  # fmt: skip
    def test_what_needs_no_database_goes_on(self, away: Demo, path: str):
        status, _, _, seconds = ask(away, "GET", path)
        assert status == 200
        assert seconds < 1

    def test_readiness_answers_within_two_seconds(self, away: Demo):
        assert ask(away, "GET", "/health/ready")[3] < 2.0


# ── it starts ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("words", [("serve",), ("serve", "--workers", "2"), ("demo",)], ids=" ".join)
def test_a_port_in_use_is_found_before_anything_is_started_or_said(folder: Path, words: tuple[str, ...]):
    demo = Demo(folder / f"taken-{len(words)}-{words[0]}")
    with socket.socket() as other:
        other.bind(("127.0.0.1", demo.port))
        other.listen()
        said = demo.run(*words, code=1)
    assert f"Port {demo.port} is in use" in said
    assert "runs at" not in said
    assert "Traceback" not in said
    assert not (demo.home / "cluster").exists()


def test_that_it_runs_is_said_when_it_listens(home: Demo):
    log = home.home.parent / f"{home.home.name}.log"
    log.write_bytes(b"")
    with log.open("ab") as out:
        home.process = subprocess.Popen([WEGO, "serve"], env=home.environment, stdout=out, stderr=out)
    wait_until(lambda: b"The hub runs at" in log.read_bytes(), 60, "the word")
    assert home.status("/health/live") == 200, "the first question after it is answered"
    assert stop(home) < STOP_SECONDS


def test_a_database_that_is_away_is_waited_for_and_then_told(folder: Path):
    demo = Demo(folder / "no-database")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # takes connections and never says a word
        port = silent.getsockname()[1]
        env = demo.environment | {"WEGO_DATABASE_URL": f"postgresql://u:secret@127.0.0.1:{port}/x"}
        began, soon = time.monotonic(), env | {"WEGO_START_SECONDS": "2"}
        done = subprocess.run(
            [WEGO, "serve"],
            env=soon,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert time.monotonic() - began < 20
        assert done.returncode == 1
        assert "does not answer yet" in done.stderr
        assert "did not answer within 2 s" in done.stderr
        assert "secret" not in done.stderr
        assert "Traceback" not in done.stderr
        waiting = subprocess.Popen([WEGO, "serve"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)
        began = time.monotonic()
        waiting.terminate()
        waiting.wait(20)
        assert time.monotonic() - began < STOP_SECONDS


def test_a_database_that_comes_later_is_found(folder: Path, home: Demo):
    """The database listens a few seconds after the hub was started: through a door of our own that opens late."""
    demo = Demo(folder / "late")
    with postgres.attach(folder / "late-server") as server, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        door = probe.getsockname()[1]
        url = server.url.partition("?")[0].replace("@/", f"@127.0.0.1:{door}/")
        log = folder / "late.log"
        with log.open("ab") as out:
            demo.process = subprocess.Popen(
                [WEGO, "serve"], env=demo.environment | {"WEGO_DATABASE_URL": url}, stdout=out, stderr=out
            )
        wait_until(lambda: b"does not answer yet" in log.read_bytes(), 30, "the word")
        probe.close()
        with Door(door, server.host) as opened:
            wait_until(lambda: demo.status("/health/ready") == 200, 40, "the start")
            opened.block()  # a network that swallows everything
            time.sleep(0.2)
            with contextlib.closing(connected(demo, ASKED)):
                assert stop(demo) < STOP_SECONDS
    postgres.stop(folder / "late-server")


class Door:
    """A TCP relay to the socket of PostgreSQL in a folder, which can be made to swallow everything."""

    def __init__(self, port: int, folder: str) -> None:
        self._target = f"{folder}/.s.PGSQL.5432"
        self._blocked = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def block(self) -> None:
        self._blocked.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._target)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if not self._blocked.is_set():
                    target.sendall(data)


# ── it counts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_figures_of_all_workers_are_told_to_who_has_the_token(home: Demo, monkeypatch: pytest.MonkeyPatch):
    token = "a token of the operator"
    home.home.mkdir(exist_ok=True)
    before = dict(home.environment)
    monkeypatch.setattr(Demo, "environment", property(lambda _: before | {"WEGO_METRICS_TOKEN": token}))
    start(home, "serve", "--workers", "2")
    for _ in range(60):
        assert ask(home, "GET", "/nothing-here")[0] == 404  # each on a connection of its own, so by either worker
    assert ask(home, "GET", "/metrics")[0] == 401
    assert ask(home, "GET", "/metrics", authorization="Bearer wrong")[0] == 401

    def counted() -> bool:
        status, _, text, _ = ask(home, "GET", "/metrics", authorization=f"Bearer {token}")
        assert status == 200
        return b'wego_http_answers_total{route="other",status="404"} 60.0' in text and b"wego_processes 2.0" in text

    wait_until(counted, 10, "the sum over both workers")
    assert len(list((home.home / "metrics").glob("*.json"))) == 2
    told = json.loads(ask(home, "GET", "/health/ready")[2])
    assert told["status"] == "ok"
    assert stop(home) < STOP_SECONDS


def test_without_a_token_there_are_no_figures(home: Demo):
    start(home, "serve")
    assert ask(home, "GET", "/metrics")[0] == 404
    assert stop(home) < STOP_SECONDS
