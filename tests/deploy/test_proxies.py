"""The proxy configurations in `deploy/`, tried with the real programs where they are installed."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wego.core.settings import Settings
from wego.serving.guests import Bounds

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
CADDY = shutil.which("caddy")
SEEN: list[dict[str, str]] = []


class Behind(BaseHTTPRequestHandler):
    """Stands for the hub: writes down what reaches it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        SEEN.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def behind() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def nginx(behind: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """nginx with the file on another port, in front of `behind`."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    text = (DEPLOY / "nginx.conf").read_text()
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{behind}").replace("listen 8443", f"listen 127.0.0.1:{port}")
    text = text.replace("/var/log/nginx/hub.log", str(folder / "hub.log"))
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {folder / name};\n" for name in names)
    text = text.replace("http {", f"http {{\n{paths}", 1)
    text = ("user root;\n" if os.geteuid() == 0 else "") + text  # it keeps large bodies in this folder
    text = f"pid {folder / 'pid'};\nerror_log {folder / 'error.log'};\ndaemon off;\n{text}"
    file = folder / "nginx.conf"
    file.write_text(text)
    checked = subprocess.run([NGINX, "-t", "-c", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen([NGINX, "-c", str(file)], stderr=subprocess.DEVNULL)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the proxy did not start")


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
    SEEN.clear()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"host": "hub.example", **named})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except ConnectionError:
        return 0
    finally:
        connection.close()


def test_what_the_client_says_of_his_address_does_not_arrive(nginx: int):
    sent = {"x_forwarded_for": "6.6.6.6", "forwarded": "for=6.6.6.6", "upgrade": "h2c", "connection": "upgrade"}
    assert ask(nginx, "GET", "/graphql?query=x", **sent) == 200
    assert SEEN[0]["x-forwarded-for"] == "127.0.0.1"
    assert "6.6.6.6" not in str(SEEN[0])
    assert "upgrade" not in SEEN[0]
    assert SEEN[0]["host"] == "hub.example", "a DPoP proof names the address"


def test_the_token_and_its_proof_arrive(nginx: int):
    assert ask(nginx, "POST", "/graphql", b"{}", authorization="DPoP x.y.z", dpop="a.b.c" * 300) == 200
    assert SEEN[0]["authorization"] == "DPoP x.y.z"
    assert len(SEEN[0]["dpop"]) == 1500


def test_what_is_too_large_does_not_arrive(nginx: int):
    assert ask(nginx, "POST", "/graphql", b"x" * (9 * 2**20)) in (413, 0)
    assert ask(nginx, "GET", "/" + "x" * 20_000) == 414
    assert ask(nginx, "GET", "/", cookie="x" * 20_000) == 400
    assert SEEN == []
    assert ask(nginx, "POST", "/graphql", b"x" * (7 * 2**20)) == 200


@pytest.mark.parametrize("path", ["/metrics", "/health/ready"])
def test_what_is_for_the_operator_stays_inside(nginx: int, path: str):
    assert ask(nginx, "GET", path) == 404
    assert SEEN == []


def test_a_flood_of_one_address_is_slowed_down(nginx: int):
    with ThreadPoolExecutor(40) as pool:
        found = set(pool.map(lambda _: ask(nginx, "GET", "/health/live"), range(400)))
    assert found == {200, 429}


def test_the_file_of_caddy_is_good(tmp_path: Path):
    if CADDY is None:
        pytest.skip("caddy is not installed")
    command = [CADDY, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr


def test_the_files_hold_the_limits_of_the_hub():
    """The proxies hang up on the hub, not the hub on them; what one lets through the other takes."""
    bounds, settings = Bounds(), Settings()
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    for text in (nginx, caddy):
        keep = re.search(r"keepalive(?:_timeout)? (\d+)s;?\s+#", text[text.index("8000") :]) or re.search(
            r"keepalive (\d+)s", text
        )
        assert keep is not None
        assert int(keep[1]) < bounds.idle_seconds
    assert f"client_max_body_size        {settings.max_body_kb // 1024}m;" in nginx
    assert f"max_size {settings.max_body_kb // 1024}MB" in caddy
    assert f"max_header_size {bounds.head_bytes // 1024}KB" in caddy
    assert "large_client_header_buffers 4 4k;" in nginx
    assert f"client_header_timeout       {bounds.head_seconds:.0f}s;" in nginx
    assert f"read_header {bounds.head_seconds:.0f}s" in caddy
    assert f"limit_conn connections {bounds.of_one_address};" in nginx
