"""The server that faces the net, asked by sockets that keep to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from wego.client_address import networks
from wego.serving.guests import Bounds, Guests
from wego.serving.server import HubConfig, HubServer

SHORT = Bounds(
    connections=30, of_one_address=10, head_seconds=0.8, body_seconds=0.8, idle_seconds=0.8, leave_seconds=0.8,
    body_bytes=1_000_000, bodies_bytes=3_000_000, answer_seconds=0.8, answers_bytes=20_000_000,
)  # fmt: skip
GET = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"
LARGE = 8_000_000
SEEN: list[dict[str, Any]] = []


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Says what it heard: the body's length, and everything of the head."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            SEEN.append({"path": scope["path"], "ended": True})
            return
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    SEEN.append({"path": scope["path"], "headers": list(scope["headers"]), "client": scope.get("wego.client")})
    if scope["path"] == "/slow":
        await asyncio.sleep(0.4)
    answer = b"z" * LARGE if scope["path"] == "/large" else f"{scope['path']} {len(body)}".encode()
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def made(_guests: Guests) -> Any:
    return application


class Server:
    """A server on a free port."""

    def __init__(self, server: HubServer, port: int) -> None:
        self.server, self.port = server, port
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def guests(self) -> Any:
        return self.server.guests

    async def open(self, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ends = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        self._writers.append(ends[1])
        return ends

    async def hang_up(self) -> None:
        """End every connection of the test."""
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def empty(self) -> None:
        """Wait until nobody is connected; a refusal lingers for a second."""
        async with asyncio.timeout(4):
            while self.guests.all:
                await asyncio.sleep(0.05)

    async def say(self, *parts: bytes, source: str = "127.0.0.1", pause: float = 0.0, wait: float = 4.0) -> bytes:
        """Send, and read until the other side ends; b'' when it ended without a word."""
        reader, writer = await self.open(source)
        try:
            for part in parts:
                with contextlib.suppress(ConnectionError):
                    writer.write(part)
                    await writer.drain()
                await asyncio.sleep(pause)
            async with asyncio.timeout(wait):
                return await _all(reader)
        finally:
            writer.transport.abort()


async def _all(reader: asyncio.StreamReader) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65_536):
            found += part
    return found


@contextlib.asynccontextmanager
async def serving(bounds: Bounds) -> AsyncIterator[Server]:
    SEEN.clear()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = HubConfig("unused", bounds)
    config.app, config.factory = made, True
    server = HubServer(config)
    task = asyncio.create_task(server._serve([sock]))
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    asked = Server(server, sock.getsockname()[1])
    try:
        yield asked
    finally:
        await asked.hang_up()
        server.should_exit = True
        await asyncio.wait_for(task, 10)


@pytest.fixture
async def short() -> AsyncIterator[Server]:
    async with serving(SHORT) as made:
        yield made


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", 0),
        (b"GET / HT", 408),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx-a: b", 408),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n12345", 408),
        (b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\n123", 408),
    ],
    ids=["nothing", "line", "head", "body", "chunk"],
)
async def test_what_is_never_finished_is_ended(short: Server, sent: bytes, expected: int):
    began = time.monotonic()
    answer = await short.say(sent)
    assert status(answer) == expected
    assert time.monotonic() - began < 3.5
    await short.empty()


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nhost: h\r\n", b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 900000\r\n\r\n"]
)
async def test_dripping_does_not_prolong_it(short: Server, head: bytes):
    drops = [b"a: b\r\n"] * 20 if head.startswith(b"GET") else [b"x"] * 20
    began = time.monotonic()
    assert status(await short.say(head, *drops, pause=0.15)) in (0, 408)
    assert 408 in [int(reason) for reason in short.guests.refused if reason.isdigit()]
    assert time.monotonic() - began < 6


async def test_an_idle_connection_is_closed_without_a_word(short: Server):
    answer = await short.say(GET)
    assert answer.count(b"HTTP/1.1") == 1
    assert status(answer) == 200


async def test_a_connection_in_use_stays(short: Server):
    reader, writer = await short.open()
    for _ in range(6):
        writer.write(GET)
        assert b"200" in await reader.readuntil(b"/ 0")
        await asyncio.sleep(0.3)
    writer.close()


async def test_who_does_not_read_his_answer_is_given_up(short: Server):
    reader, writer = await short.open()
    writer.transport.pause_reading()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer.write(GET.replace(b"/ ", b"/large ", 1))
    async with asyncio.timeout(8 + LARGE / SHORT.answer_rate):
        while not short.guests.refused["slow_reader"] and len(short.guests.all):
            for connection in list(short.guests.all):  # as if the time that its size buys were over
                connection.stuck_until = min(connection.stuck_until, asyncio.get_running_loop().time() + 0.5)
            await asyncio.sleep(0.1)
    assert short.guests.refused["slow_reader"] == 1
    assert reader is not None


async def test_answers_that_wait_for_their_readers_are_bounded_in_sum(short: Server):
    ends = [await short.open() for _ in range(6)]
    for _, writer in ends:
        writer.transport.pause_reading()
        writer.write(GET.replace(b"/ ", b"/large ", 1))
    async with asyncio.timeout(6):
        while not short.guests.refused["slow_reader"]:
            await asyncio.sleep(0.1)


# ── size ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 2_000_000, 431),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 2_000_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 17_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: h\r\n" + b"".join(b"x%d: y\r\n" % each for each in range(150)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: h\r\n" + b"".join(b"x%d: y\r\n" % each for each in range(50_000)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: h\r\n" + b"y" * 2_000_000, 431),
        (b"GET /" + b"y" * 2_000_000 + b" HTTP/1.1\r\nhost: h\r\n\r\n", 414),
        (b"GET /" + b"y" * 17_000 + b" HTTP/1.1\r\nhost: h\r\n\r\n", 414),
        (b"GET /" + b"y" * 2_000_000, 414),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999999999999999\r\n\r\n", 400),
    ],
)
async def test_what_is_too_large_is_refused(short: Server, sent: bytes, expected: int):
    answer = await short.say(sent)
    assert status(answer) == expected
    assert b"application/problem+json" in answer
    assert b"connection: close" in answer
    assert not SEEN, "the application never hears of it"


async def test_a_head_below_the_limits_is_served(short: Server):
    head = b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n" + b"".join(b"x%d: y\r\n" % each for each in range(90))
    assert status(await short.say(head + b"z: " + b"y" * 12_000 + b"\r\n\r\n")) == 200


async def test_chunks_and_their_extensions_end_somewhere(short: Server):
    head = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
    endless = (b"1;" + b"x" * 4_000 + b"\r\ny\r\n") * 1_000
    assert status(await short.say(head, endless)) == 413


async def test_trailers_are_no_headers_and_end_somewhere(short: Server):
    head = b"POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"
    assert status(await short.say(head + b"authorization: forged\r\n\r\n")) == 200
    await asyncio.sleep(0)
    assert b"authorization" not in dict(SEEN[-1]["headers"])
    assert status(await short.say(head + b"x: " + b"y" * 4_000_000)) == 413


async def test_bodies_are_bounded_in_sum_and_small_ones_pass(short: Server):
    large = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 900000\r\n\r\n" + b"x" * 899_999
    ends = [await short.open() for _ in range(6)]
    for _, writer in ends:
        writer.write(large)
        await writer.drain()
    small = b"POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello"
    assert (await short.say(small)).endswith(b"/ 5")
    answers = await asyncio.gather(*(_all(reader) for reader, _ in ends))
    assert 503 in [status(answer) for answer in answers]
    assert short.guests.bodies == 0


async def test_a_large_body_is_read_whole(short: Server):
    sent = b"POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000
    assert (await short.say(sent)).endswith(b"/ 1000000")


# ── number ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_one_address_has_its_share_and_no_more(short: Server):
    for _ in range(10):
        await short.open()
    await asyncio.sleep(0.1)
    answer = await short.say(GET)
    assert status(answer) == 503
    assert b"retry-after" in answer
    assert status(await short.say(GET.replace(b"host", b"connection: close\r\nhost"), source="127.0.0.2")) == 200


async def test_a_crowd_cannot_lock_the_others_out():
    async with serving(replace(SHORT, head_seconds=20.0)) as server:
        for each in range(30):
            await server.open(f"127.0.0.{each // 8 + 10}")
        await asyncio.sleep(0.1)
        assert len(server.guests.all) == 30
        answer = await server.say(GET.replace(b"host", b"connection: close\r\nhost"), source="127.0.0.99")
        assert status(answer) == 200
        assert server.guests.refused["evicted"] == 1


async def test_a_proxy_stands_for_many():
    async with serving(replace(SHORT, trusted=networks("127.0.0.5"))) as server:
        for _ in range(15):
            await server.open("127.0.0.5")
        sent = b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6, 198.51.100.7\r\n\r\n"
        assert status(await server.say(sent, source="127.0.0.5")) == 200
        assert SEEN[-1]["client"] == "198.51.100.7"
        assert status(await server.say(sent, source="127.0.0.6")) == 200
        assert SEEN[-1]["client"] == "127.0.0.6"


async def test_requests_sent_ahead_are_answered_in_order_and_bounded(short: Server):
    few = b"".join(b"GET /%d HTTP/1.1\r\nhost: h\r\n\r\n" % each for each in range(6))
    answer = await short.say(few)
    assert [int(each.split(b" ")[0]) for each in answer.split(b"\r\n\r\n/")[1:]] == list(range(6))
    many = b"GET /slow HTTP/1.1\r\nhost: h\r\n\r\n" + GET * 2_000
    answer = await short.say(many)
    assert status(answer) == 200
    assert answer.count(b"HTTP/1.1") <= SHORT.pipelined + 2
    assert short.guests.refused["429"] == 1


# ── what two might read in two ways ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5, 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: +5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0x5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n",
        b"GET / HTTP/1.1\r\nhost: h\r\nx: y\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: h\r\nx: a\nb: c\r\n\r\n",
        b"GET / HTTP/1.1\nhost: h\n\n",
        b"GET / HTTP/1.1\r\nhost: h\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: h\r\nx: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: h\r\nbad name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: h\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: y\r\n\r\n",
        b"GET / HTTP/1.2.3\r\nhost: h\r\n\r\n",
        b"GET / HTTP/2.0\r\nhost: h\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT h:443 HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 40,
    ],
)
async def test_what_can_be_read_in_two_ways_is_refused(short: Server, sent: bytes):
    answer = await short.say(sent + b"GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n")
    assert status(answer) == 400, answer
    assert not [each for each in SEEN if each["path"] == "/smuggled"]


@pytest.mark.parametrize("kind", ["websocket", "h2c"])
async def test_no_other_protocol_is_spoken(short: Server, kind: str):
    sent = f"GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: {kind}\r\n\r\n".encode()
    answer = await short.say(sent + b"GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n")
    assert status(answer) == 200
    assert not [each for each in SEEN if each["path"] == "/smuggled"]


async def test_an_answer_under_way_is_not_replaced_by_a_later_refusal(short: Server):
    answer = await short.say(b"GET /slow HTTP/1.1\r\nhost: h\r\n\r\n" + b"GARBAGE\r\n\r\n")
    assert status(answer) == 200
    assert answer.endswith(b"/slow 0")
    assert answer.count(b"HTTP/1.1") == 1


async def test_continue_is_said_only_when_the_body_is_wanted(short: Server):
    head = b"POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    assert status(await short.say(head % 2_000_000)) == 413
    assert status(await short.say(head % 5 + b"hello")) == 100


async def test_old_clients_are_served(short: Server):
    assert status(await short.say(b"GET / HTTP/1.0\r\n\r\n")) == 200


async def test_nothing_is_left_over(short: Server):
    for sent in (GET, b"GARBAGE\r\n\r\n", b"", b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhe"):
        await short.say(sent)
    await short.empty()
    assert not short.guests.by_address
    assert not short.server.server_state.connections
    assert short.guests.bodies == 0
