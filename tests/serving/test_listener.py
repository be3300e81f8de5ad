"""Who stands at the door is taken in, also when the loop is busy and a crowd came first."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import pytest
import uvloop

from wego.serving import listener
from wego.serving.listener import AT_ONCE, Listener


class Greeting(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        transport.write(b"hello")
        transport.close()


def bound() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_crowd_is_taken_in_within_a_few_turns_of_the_loop(run: Any):
    async def crowd() -> int:
        sock = bound()
        door = Listener(sock, Greeting, 1_024)
        guests = []
        for _ in range(3 * AT_ONCE):
            guest = socket.socket()
            guest.setblocking(False)
            guest.connect_ex(sock.getsockname())
            guests.append(guest)
        for _ in range(12):
            await asyncio.sleep(0.005)
        greeted = 0
        for guest in guests:
            guest.setblocking(True)
            guest.settimeout(2)
            greeted += guest.recv(5) == b"hello"
            guest.close()
        door.close()
        await door.wait_closed()
        return greeted

    assert run(crowd()) == 3 * AT_ONCE


async def test_without_a_free_descriptor_it_pauses_and_goes_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listener, "PAUSE", 0.05)
    sock, taken = bound(), []

    class Full:
        def __getattr__(self, name: str) -> Any:
            return getattr(sock, name)

        def accept(self) -> Any:
            taken.append(1)
            if len(taken) < 3:
                raise OSError(errno.EMFILE, "too many open files")
            return sock.accept()

    door = Listener(Full(), Greeting, 16)  # type: ignore[arg-type]  # as far as it is used here
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    assert await asyncio.wait_for(reader.read(), 2) == b"hello"
    writer.close()
    door.close()
    assert len(taken) >= 3
