"""Connections that are held, dripped into, not read from, or opened without end (issue 6, section 1)."""

from __future__ import annotations

import asyncio

from benchmarks.abuse.attacks import attack
from benchmarks.abuse.wire import Attacker, graphql, read_answer, request

LARGE = "{practices(first:100){nodes{title{text} summary{text} sections{heading{text} body{text}}}}}"


async def _held(one: Attacker, sent: bytes) -> None:
    """Open, send, and stay as long as one is let."""
    while not one.over:
        async with one.opened() as (reader, writer):
            writer.write(sent)
            async with asyncio.timeout(one.left + 0.1):
                await reader.read()
            one.seen["let go"] += 1
            await one.rest(0.2)


@attack("idle", "connections that say nothing", attackers=300)
async def _idle(one: Attacker) -> None:
    await _held(one, b"")


@attack("heads-unfinished", "heads that never end", attackers=200)
async def _heads(one: Attacker) -> None:
    await _held(one, b"POST /graphql HTTP/1.1\r\nhost: hub.example\r\nx-pad: " + b"y" * 12_000)


@attack("bodies-unfinished", "bodies of 4 MB of which the last byte does not come", attackers=60)
async def _bodies(one: Attacker) -> None:
    whole = request("POST", "/graphql", b"x" * (4 * 2**20))
    await _held(one, whole[:-1])


@attack("bodies-announced", "bodies of 8 MB that are announced and never sent", attackers=200)
async def _announced(one: Attacker) -> None:
    head = "POST /{} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 8000000\r\n\r\n"
    await _held(one, head.format(("graphql", "oauth/token")[one.number % 2]).encode())


@attack("one-address", "one address that opens all the connections it is given", attackers=400)
async def _one_address(one: Attacker) -> None:
    while not one.over:
        async with one.opened("127.9.9.9") as (reader, _):
            async with asyncio.timeout(one.left + 0.1):
                await reader.read()
            await one.rest(0.2)


async def _dripped(one: Attacker, head: bytes, drop: bytes) -> None:
    while not one.over:
        async with one.opened() as (reader, writer):
            writer.write(head)
            while not one.over and not reader.at_eof() and not writer.is_closing():
                writer.write(drop)
                await one.rest(0.5)
            one.seen["let go"] += not one.over


@attack("heads-dripped", "heads that grow by one header in half a second", attackers=100)
async def _heads_dripped(one: Attacker) -> None:
    await _dripped(one, b"GET / HTTP/1.1\r\nhost: h\r\n", b"x-a: b\r\n")


@attack("bodies-dripped", "bodies that grow by one byte in half a second", attackers=100)
async def _bodies_dripped(one: Attacker) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"
    await _dripped(one, head, b" ")


@attack("chunks-dripped", "chunks of one byte with an extension of 1 KB", attackers=50)
async def _chunks(one: Attacker) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    await _dripped(one, head, b"1;" + b"x" * 1_000 + b"\r\n \r\n")


@attack("readers-slow", "large answers that are asked for and not read", attackers=100)
async def _slow_readers(one: Attacker) -> None:
    asked = graphql(LARGE) + request("GET", "/schema.graphql")
    while not one.over:
        async with one.opened() as (reader, writer):
            writer.transport.pause_reading()
            for _ in range(20):
                writer.write(asked)
            await one.rest(min(20.0, one.left))
            assert reader is not None


@attack("pipelined", "a hundred requests in one breath, answers read afterwards", attackers=20)
async def _pipelined(one: Attacker) -> None:
    while not one.over:
        async with one.opened() as (reader, writer):
            writer.write(
                b"".join(graphql("{practices(first:9){nodes{slug}}}", {"u": one.unique()}) for _ in range(100))
            )
            async with asyncio.timeout(one.left + 1):
                for _ in range(100):
                    one.note(await read_answer(reader))


@attack("connections-fast", "connections that are opened, ask once, and are torn down")
async def _fast(one: Attacker) -> None:
    while not one.over:
        one.unique()
        source = f"127.{one.turn % 200 + 20}.{one.turn // 200 % 200 + 1}.{one.number + 1}"
        async with one.opened(source) as (reader, writer):
            writer.write(request("GET", "/health/live"))
            one.note(await asyncio.wait_for(read_answer(reader), one.left + 1))


@attack("hang-ups", "requests whose sender hangs up before the answer")
async def _hang_ups(one: Attacker) -> None:
    asked = "query Q%s{practices(first:100){totalCount nodes{title{text} summary{text} city{name{text}}}}}"
    while not one.over:
        async with one.opened() as (_, writer):
            writer.write(graphql(asked % one.unique()))
            await one.rest(0.01)
            one.seen["hung up"] += 1


@attack("upgrades", "upgrades to protocols that are not spoken here")
async def _upgrades(one: Attacker) -> None:
    while not one.over:
        async with one.opened() as (reader, writer):
            kind = ("websocket", "h2c", "TLS/1.0")[one.number % 3]
            headers = {"connection": "upgrade", "upgrade": kind, "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="}
            writer.write(request("GET", "/graphql?query={__typename}", headers=headers))
            one.note(await asyncio.wait_for(read_answer(reader), one.left + 1))


@attack("garbage", "bytes that are no HTTP")
async def _garbage(one: Attacker) -> None:
    while not one.over:
        async with one.opened() as (reader, writer):
            writer.write(b"\x16\x03\x01\x02\x00\x01\x00" + b"\xff" * 4_000 + b"\r\n\r\n")
            one.note(await asyncio.wait_for(read_answer(reader), one.left + 1))
