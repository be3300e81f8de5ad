"""How many connections there may be, and how much of their requests and answers is kept: the bounds of one process."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from wego.client_address import Networks

KIB, MIB = 1024, 2**20


@dataclass(frozen=True)
class Bounds:
    """What one connection, one address and one process may hold. Seconds and bytes."""

    connections: int = 1_000
    of_one_address: int = 100
    trusted: Networks = ()
    head_seconds: float = 10.0  # from the first byte (or the opening) to the end of a head
    body_seconds: float = 30.0  # from there to the end of the body, and more for what came already:
    body_rate: int = 64 * KIB  # so many bytes buy a second
    idle_seconds: float = 30.0  # between an answer and the next request
    leave_seconds: float = 5.0  # for what still comes after an answer that was given early
    head_bytes: int = 16 * KIB
    headers: int = 100
    pipelined: int = 8
    body_bytes: int = 8 * MIB  # of one request, before what the application allows is asked
    bodies_bytes: int = 64 * MIB  # of all requests that are not answered yet
    small_body: int = 64 * KIB  # is not refused for the sake of others
    answer_seconds: float = 15.0  # for the first bytes of an answer to be taken
    answer_rate: int = 16 * KIB  # bytes a second, at least, that a reader takes of the rest
    answers_bytes: int = 64 * MIB  # of all answers that wait for their readers


class Guest(Protocol):
    """A connection, as the count of them sees it."""

    address: str
    idle_since: float | None  # None while a request of it is being answered

    def leave(self) -> None:
        """End at once."""


class Guests:
    """All connections of a process, by address."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.all: set[Guest] = set()
        self.by_address: Counter[str] = Counter()
        self.bodies = 0  # bytes of bodies that are not answered yet
        self.refused: Counter[str] = Counter()  # why connections and requests were refused here, for the metrics

    def admit(self, guest: Guest, *, proxy: bool) -> str | None:
        """Count a connection in; else why not. A full house first lets go of who has been doing nothing for longest
        among those of the address that holds most, so that a crowd cannot lock the others out."""
        if not proxy and self.by_address[guest.address] >= self.bounds.of_one_address:
            return "address_full"
        if len(self.all) >= self.bounds.connections and not self._make_room(guest.address):
            return "full"
        self.all.add(guest)
        self.by_address[guest.address] += 1
        return None

    def left(self, guest: Guest) -> None:
        if guest in self.all:
            self.all.discard(guest)
            self.by_address[guest.address] -= 1
            if self.by_address[guest.address] <= 0:
                del self.by_address[guest.address]

    def figures(self) -> dict[str, float]:
        """For the metrics."""
        return {
            "connections": len(self.all), "connection_addresses": len(self.by_address),
            "request_body_bytes": self.bodies,
        }  # fmt: skip

    def _make_room(self, newcomer: str) -> bool:
        address, most = self.by_address.most_common(1)[0]
        if self.by_address[newcomer] >= most:
            address = newcomer
        idle = [guest for guest in self.all if guest.address == address and guest.idle_since is not None]
        if not idle:
            return False
        oldest = min(idle, key=lambda guest: guest.idle_since or 0.0)
        self.refused["evicted"] += 1
        self.left(oldest)
        oldest.leave()
        return True
