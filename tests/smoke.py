"""`make smoke`: start the demonstration in a fresh folder as a user would, ask it, end it, look that nothing stays."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

WEGO = Path(sys.executable).parent / "wego"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(url: str, query: str, language: str = "ko") -> tuple[dict[str, object], str]:
    request = urllib.request.Request(
        url + "/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json", "accept-language": language},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response), response.headers.get("server-timing", "")


def wait_until_ready(url: str, process: subprocess.Popen[bytes], seconds: float) -> float:
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if process.poll() is not None:
            raise SystemExit(f"the demonstration ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url + "/health/ready", timeout=1):
                return time.monotonic() - started
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the demonstration did not get ready")


def command(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([WEGO, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise SystemExit(f"wego {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = os.environ | {"WEGO_HOME": folder + "/home", "PORT": str(port), "WEGO_PORT": str(port)}
        for label in ("first start", "second start"):
            process = subprocess.Popen([WEGO, "demo"], env=environment, stdout=subprocess.DEVNULL)
            try:
                print(f"{label}: ready after {wait_until_ready(url, process, 120):.1f} s")
                check(url, environment)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(20)
        print(command(environment, "audit", "verify").splitlines()[0])
        command(environment, "db", "stop")
    print("smoke: good")


def check(url: str, environment: dict[str, str]) -> None:
    answer, timing = ask(url, "{practices(first:3){totalCount nodes{title{text locale}}} cities(first:1){totalCount}}")
    data = answer["data"]
    assert isinstance(data, dict), answer
    assert data["cities"]["totalCount"] >= 200, answer
    assert all(node["title"]["locale"] == "ko" for node in data["practices"]["nodes"]), answer
    assert "1 statements" in timing or "0 statements" in timing, timing
    with urllib.request.urlopen(urllib.request.Request(url + "/ar/"), timeout=10) as page:
        assert 'dir="rtl"' in page.read().decode()
    client = Path(environment["WEGO_HOME"]) / "demo" / "clients" / "seoul.json"
    told = json.loads(command(environment, "query", "--client", str(client), "{viewer{scopes}}"))
    assert told["data"]["viewer"]["scopes"], told


if __name__ == "__main__":
    main()
