"""HTTP as bytes: connections from chosen addresses of this machine, and requests that no library would send."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

HOST = "127.0.0.1"
PATIENCE = 15.0  # seconds that an attacker waits for an answer
MOST_HEAD = 65_536


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes = b""
    closes: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class Line:
    """One connection that is opened when it is needed and opened again when it was closed."""

    def __init__(self, port: int, source: str) -> None:
        self.port, self.source = port, source
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ends(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._ends is None:
            reader, writer = await asyncio.open_connection(
                HOST, self.port, local_addr=(self.source, 0), limit=MOST_HEAD
            )
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends = reader, writer
        return self._ends

    async def ask(self, raw: bytes, patience: float = PATIENCE) -> Answer:
        """Send a request and read its answer; raises OSError, EOFError or TimeoutError, and is closed then."""
        try:
            async with asyncio.timeout(patience):
                reader, writer = await self.ends()
                writer.write(raw)
                # A server may refuse while we still send: so the answer is read at once.
                answer = await read_answer(reader, head=raw.startswith(b"HEAD "))
        except BaseException:
            self.close()
            raise
        if answer.closes:
            self.close()
        return answer

    def close(self) -> None:
        if self._ends is not None:
            self._ends[1].transport.abort()
            self._ends = None


async def read_answer(reader: asyncio.StreamReader, *, head: bool = False) -> Answer:
    """One answer off a connection."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError as error:
        raise EOFError("the head of the answer is too long") from error
    status = int(lines[0].split(" ", 2)[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    closes = headers.get("connection", "").lower() == "close"
    if head or status in (204, 304) or status < 200:
        return Answer(status, b"", closes, headers)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Answer(status, await _chunks(reader), closes, headers)
    if "content-length" in headers:
        return Answer(status, await reader.readexactly(int(headers["content-length"])), closes, headers)
    return Answer(status, await reader.read(), True, headers)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


def request(
    method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *, kind: str = ""
) -> bytes:
    """A whole request."""
    lines = [f"{method} {path} HTTP/1.1", "host: hub.example"]
    if body is not None:
        lines += [f"content-type: {kind or 'application/json'}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


def graphql(query: str, variables: object = None, headers: Mapping[str, str] | None = None, **more: object) -> bytes:
    """A GraphQL request."""
    given = {"query": query, **({"variables": variables} if variables is not None else {}), **more}
    return request("POST", "/graphql", orjson.dumps(given), headers)


@dataclass
class Attacker:
    """One of many who attack: where he comes from, until when he goes on, and what he was answered."""

    number: int
    port: int
    home: Path
    until: float
    seen: Counter[str] = field(default_factory=Counter)
    turn: int = 0

    @property
    def source(self) -> str:
        """An address of his own; a new one for each thousand of his turns would be seen as another."""
        return f"127.{1 + self.number // 200}.7.{1 + self.number % 200}"

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.until

    @property
    def left(self) -> float:
        return max(0.0, self.until - time.monotonic())

    def unique(self) -> str:
        """Something that nobody sent before in this run."""
        self.turn += 1
        return f"{self.number}x{self.turn}x{time.monotonic_ns() % 10**9}"

    def line(self, source: str | None = None) -> Line:
        return Line(self.port, source or self.source)

    def note(self, answer: Answer) -> None:
        self.seen[str(answer.status)] += 1

    def failed(self, error: BaseException) -> None:
        self.seen["closed" if isinstance(error, (EOFError, OSError)) else type(error).__name__] += 1

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, self.left))

    @contextlib.asynccontextmanager
    async def opened(self, source: str | None = None):  # type: ignore[no-untyped-def]
        """A bare connection: reader and writer; what goes wrong on it is counted and ends the block."""
        line = self.line(source)
        try:
            async with asyncio.timeout(PATIENCE):
                ends = await line.ends()
            yield ends
        except (OSError, EOFError, TimeoutError) as error:
            self.failed(error)
            await self.rest(0.05)
        finally:
            line.close()
