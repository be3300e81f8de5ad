"""The list of attacks. Each is a coroutine of one attacker that goes on until its time is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.abuse.wire import Attacker

Run = Callable[[Attacker], Awaitable[None]]
Make = Callable[[Attacker], bytes]


@dataclass(frozen=True)
class Attack:
    """What is done, by how many at once."""

    name: str
    words: str
    run: Run
    attackers: int = 20


ATTACKS: dict[str, Attack] = {}
EVERYTHING = "everything-at-once"


def attack(name: str, words: str, attackers: int = 20) -> Callable[[Run], Run]:
    """Name a coroutine as an attack."""

    def register(run: Run) -> Run:
        ATTACKS[name] = Attack(name, words, run, attackers)
        return run

    return register


def asks(name: str, words: str, attackers: int = 20) -> Callable[[Make], Make]:
    """Name a function that makes requests: each attacker sends one after the other on a connection that stays."""

    def register(make: Make) -> Make:
        async def run(one: Attacker) -> None:
            line = one.line()
            try:
                while not one.over:
                    await ask_once(one, line.ask, make(one))
            finally:
                line.close()

        ATTACKS[name] = Attack(name, words, run, attackers)
        return make

    return register


async def ask_once(one: Attacker, ask: Callable[[bytes, float], Awaitable[object]], raw: bytes) -> None:
    """One request; whatever comes of it is counted. Who is told to wait goes on all the same, but does not spin."""
    try:
        answer = await ask(raw, max(0.1, one.left + 1))
    except (OSError, EOFError, TimeoutError) as error:
        one.failed(error)
        await one.rest(0.02)
    else:
        one.note(answer)  # type: ignore[arg-type]
