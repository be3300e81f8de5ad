"""Load: wrk where it is installed (`apt-get install wrk`, `brew install wrk`), else a small client of our own.

While the load runs, a second client asks ten times a second and compares contents; afterwards the bytes that came are
compared with those of the right answers, so that errors dressed as answers are seen (performance.md, point 10).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
TOLERANCE = 0.03
PROBE_EVERY = 0.1


@dataclass(frozen=True)
class Target:
    """What is asked of one server: request bodies in turn (none: GET), and headers sent with each."""

    port: int
    path: str
    bodies: tuple[bytes, ...] = ()
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)


@dataclass(frozen=True)
class Shot:
    """One run of load."""

    rate: float
    p50: float  # milliseconds
    p99: float
    slowest: float
    requests: int
    wrong: list[str] = field(default_factory=list)


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def ask(target: Target, body: bytes | None, extra: Sequence[tuple[str, str]] = ()) -> tuple[int, bytes, int]:
    """One request on a connection of its own: status, body, and the bytes that came with headers."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=10)
    try:
        connection.request("POST" if body is not None else "GET", target.path, body, dict([*target.headers, *extra]))
        answer = connection.getresponse()
        content = answer.read()
        version = "HTTP/1.1" if answer.version == 11 else "HTTP/1.0"
        head = len(f"{version} {answer.status} {answer.reason}\r\n") + sum(
            len(name) + len(value) + 4 for name, value in answer.getheaders()
        )
        return answer.status, content, head + 2 + len(content)
    finally:
        connection.close()


def shoot(
    target: Target, concurrency: int, seconds: float, size: float, right: Callable[[int, bytes], bool], *,
    proofs: Sequence[str] = (),
) -> Shot:  # fmt: skip
    """Load for some seconds. `size` is the mean length of a right answer with its headers; `right` says whether the
    answer to a body (by its number) is right. With `proofs` each request carries one, and the run ends with them."""
    probe = None if proofs else _Probe(target, right)
    with probe or _Nothing():
        found = (_wrk if has_wrk() else _own)(target, concurrency, seconds, proofs)
    wrong = list(found.wrong) + (probe.wrong if probe else [])
    if found.requests and abs(found.bytes / found.requests / size - 1) > TOLERANCE and found.requests > 50:
        wrong.append(f"{found.bytes / found.requests:.0f} bytes for an answer instead of {size:.0f}")
    rate = found.requests / found.seconds if found.seconds else 0.0
    return Shot(rate, found.p50, found.p99, found.slowest, found.requests, wrong)


@dataclass
class _Found:
    requests: int
    bytes: int
    seconds: float
    p50: float
    p99: float
    slowest: float
    wrong: list[str] = field(default_factory=list)


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class _Probe:
    """A second client beside the load that compares contents."""

    def __init__(self, target: Target, right: Callable[[int, bytes], bool]) -> None:
        self.target, self.right, self.wrong = target, right, []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._over.wait(PROBE_EVERY):
            bodies = self.target.bodies
            index = number % len(bodies) if bodies else 0
            try:
                status, content, _ = ask(self.target, bodies[index] if bodies else None)
                if status != 200 or not self.right(index, content):
                    self.wrong.append(f"{status}: {content[:120]!r}")
            except OSError as error:
                self.wrong.append(type(error).__name__)
            number += 1


# ── wrk ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wrk(target: Target, concurrency: int, seconds: float, proofs: Sequence[str]) -> _Found:
    with tempfile.TemporaryDirectory(prefix="wego-load-") as folder:
        env = dict(os.environ)
        for name, lines in (
            ("LOAD_HEADERS", [f"{key}: {value}" for key, value in target.headers]),
            ("LOAD_BODIES", [body.decode() for body in target.bodies]),
            ("LOAD_PROOFS", list(proofs)),
        ):
            if lines:
                path = Path(folder) / name
                path.write_text("\n".join(lines) + "\n")
                env[name] = str(path)
        url = f"http://127.0.0.1:{target.port}{target.path}"
        command = [
            "wrk", "-t1", f"-c{concurrency}", f"-d{max(1, round(seconds))}s", "--timeout", "10s",
            "-s", str(HERE / "load.lua"), "--latency", url,
        ]  # fmt: skip
        said = subprocess.run(command, env=env, capture_output=True, text=True, timeout=seconds + 60, check=False)
    line = next((line for line in said.stdout.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        return _Found(0, 0, 0, 0, 0, 0, [f"wrk said nothing: {said.stderr[-200:]}"])
    told = json.loads(line.removeprefix("RESULT "))
    kinds = (("status", "bad statuses"), ("other", "broken connections"))
    wrong = [f"{told[name]} {words}" for name, words in kinds if told[name]]
    p50, p99, slowest = (told[name] / 1000 for name in ("p50", "p99", "max"))
    return _Found(told["requests"], told["bytes"], told["micros"] / 1e6, p50, p99, slowest, wrong)


# ── our own ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _own(target: Target, concurrency: int, seconds: float, proofs: Sequence[str]) -> _Found:
    return asyncio.run(_Clients(target, proofs).run(concurrency, seconds))


class _Clients:
    """Connections that each send the next request when the answer is there. It shares the machine with the servers
    and is slower than wrk: its figures are not to be compared with those of wrk."""

    def __init__(self, target: Target, proofs: Sequence[str]) -> None:
        head = f"{'POST' if target.bodies else 'GET'} {target.path} HTTP/1.1\r\nhost: 127.0.0.1:{target.port}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in target.headers)
        bodies = target.bodies or (b"",)
        extra = [f"dpop: {proof}\r\n" for proof in proofs] or [""] * len(bodies)
        self.requests = [
            f"{head}{line}content-length: {len(body)}\r\n\r\n".encode() + body
            for line, body in zip(extra, _repeated(bodies, len(extra)), strict=True)
        ]
        self.once, self.port, self.at = bool(proofs), target.port, 0
        self.times: list[float] = []
        self.bytes = 0
        self.bad = 0

    async def run(self, concurrency: int, seconds: float) -> _Found:
        began = time.perf_counter()
        await asyncio.gather(*(self._client(began + seconds) for _ in range(concurrency)))
        spent = time.perf_counter() - began
        cuts = statistics.quantiles(self.times, n=100) if len(self.times) > 1 else [0.0] * 99
        wrong = [f"{self.bad} bad statuses"] if self.bad else []
        slowest = max(self.times, default=0)
        return _Found(len(self.times), self.bytes, spent, cuts[49] * 1000, cuts[98] * 1000, slowest * 1000, wrong)

    async def _client(self, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < until and not (self.once and self.at >= len(self.requests)):
            request = self.requests[self.at % len(self.requests)]
            self.at += 1
            sent = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            self.times.append(time.perf_counter() - sent)
            self.bytes += len(head) + length
            self.bad += not head.startswith(b"HTTP/1.1 200")
        writer.close()


def _repeated(bodies: Sequence[bytes], count: int) -> list[bytes]:
    return [bodies[number % len(bodies)] for number in range(count)]
