"""Who is there meanwhile: another reader, a health check, a program that needs a token, an officer who suspends.

Each comes from an address of his own, asks at a steady pace whatever happened to the question before, and counts from
the moment in which he wanted to ask; so a hub that stands still is seen in every question that it kept waiting.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.abuse.target import WEGO, environment
from benchmarks.abuse.wire import Answer, Line, graphql, request
from federation.client import assertion, proof
from federation.jose import jose

OFFICER = "secretariat@wego.demo"
LONGEST = 10.0  # seconds that a witness waits
TOKEN_LIFE = 200.0
READS = (
    "query($n:Int){practices(first:$n){nodes{slug title{text} city{slug name{text}}}}}",
    'query($n:Int){practices(first:$n,filter:{themes:["2020.mobility"]}){nodes{slug title{text}}}}',
    "query($n:Int){cities(first:$n){nodes{slug name{text} practices(first:3){nodes{slug}}}}}",
)


@dataclass
class Times:
    """How long each question took, in milliseconds, and what went wrong."""

    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def at(self, share: float) -> float:
        """A quantile; a question without an answer counts as one that took the longest time."""
        ordered = sorted([*self.took, *(LONGEST * 1000 for _ in self.wrong)])
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def extend(self, other: Times) -> None:
        self.took += other.took
        self.wrong += other.wrong


@dataclass
class Witness:
    """A question, how often it is asked, and what its p99 may be."""

    name: str
    every: float
    limit: float
    ask: Callable[[int], Awaitable[None]]
    afterwards: Callable[[], Awaitable[None]] | None = None  # not timed; the next question waits for it
    times: Times = field(default_factory=Times)

    async def watch(self, seconds: float) -> None:
        began = time.monotonic()
        number, running = 0, set()
        while (wait := began + number * self.every - time.monotonic()) < LONGEST and number * self.every < seconds:
            if wait > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._once(number))
            running.add(task)
            task.add_done_callback(running.discard)
            number += 1
            if self.afterwards is not None:
                await task
                await self._undo(self.afterwards)
        await asyncio.gather(*running)

    async def _once(self, number: int) -> None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(LONGEST):
                await self.ask(number)
        except Unanswered as error:
            self.times.wrong.append(str(error))
        except (OSError, EOFError, TimeoutError) as error:
            self.times.wrong.append(type(error).__name__)
        else:
            self.times.took.append((time.perf_counter() - began) * 1000)

    async def _undo(self, afterwards: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(LONGEST):
                await afterwards()
        except (Unanswered, OSError, EOFError, TimeoutError) as error:
            self.times.wrong.append(f"afterwards: {type(error).__name__} {error}")


class Unanswered(Exception):
    """An answer that is not the one that was due."""


def _good(answer: Answer, what: Callable[[Any], object] = bool) -> Any:
    told = json.loads(answer.body) if answer.body[:1] in b"{[" else answer.body
    if answer.status != 200 or not what(told):
        raise Unanswered(f"{answer.status} {answer.body[:160].decode(errors='replace')}")
    return told


def token_request(registration: Mapping[str, Any], key: Any) -> bytes:
    """A program's request for a token."""
    issuer = registration["issuer"]
    own = jose.private_key(registration["jwk"])
    form = {
        "grant_type": "client_credentials", "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion(own, registration["jwk"]["kid"], registration["client_id"], issuer),
    }  # fmt: skip
    headers = {"dpop": proof(key, "POST", f"{issuer}/oauth/token")}
    return request("POST", "/oauth/token", urlencode(form).encode(), headers, kind="application/x-www-form-urlencoded")


class Officer:
    """The secretariat: suspends a city and takes it back. Only the suspension is timed."""

    def __init__(self, home: Path, port: int) -> None:
        self._home, self._port = home, port
        self._token: dict[str, Any] = {}
        self._until = 0.0
        self._key: Any = None
        self.city = ""

    async def renew(self) -> None:
        """A token as an operator hands it out, on the command line; not part of what is timed."""
        if time.monotonic() < self._until:
            return
        command = [str(WEGO), "token", "--person", OFFICER]
        made = await asyncio.to_thread(
            subprocess.run,
            command,
            env=environment(self._home, self._port),
            capture_output=True,
            check=True,
            timeout=90,
        )
        self._token = json.loads(made.stdout)
        self._key = jose.private_key(self._token["dpop_jwk"])
        self._until = time.monotonic() + TOKEN_LIFE

    def asking(self, query: str) -> bytes:
        resource = f"http://127.0.0.1:{self._port}/graphql"
        token = self._token["access_token"]
        headers = {"authorization": f"DPoP {token}", "dpop": proof(self._key, "POST", resource, token)}
        return graphql(query, headers=headers)

    async def choose(self, line: Line) -> None:
        """A full member that no attacker speaks for."""
        taken = {path.stem for path in (self._home / "demo" / "clients").glob("*.json")}
        told = _good(await line.ask(graphql("{cities(first:100){nodes{slug membership{status}}}}")))
        self.city = next(
            city["slug"] for city in reversed(told["data"]["cities"]["nodes"])
            if city["slug"] not in taken and (city["membership"] or {}).get("status") in ("FULL", "ASSOCIATE")
        )  # fmt: skip

    async def act(self, line: Line, verb: str) -> None:
        given = f'input:{{city:"{self.city}",reason:"A trial."}}'
        answer = await line.ask(self.asking(f"mutation{{{verb}({given}){{problems{{code message}}}}}}"))
        _good(answer, lambda told: "errors" not in told and told["data"][verb]["problems"] == [])


def witnesses(port: int, home: Path, officer: Officer | None) -> list[Witness]:
    """All of them, with the targets of issue 6, section 2."""
    registration = json.loads(sorted((home / "demo" / "clients").glob("*.json"))[-1].read_text())
    lines: dict[str, list[Line]] = {}
    key = jose.new_key()

    async def on_a_line(name: str, source: str, raw: bytes) -> Answer:
        """On a connection that is kept; one that is busy is not waited for."""
        idle = lines.setdefault(name, [])
        line = idle.pop() if idle else Line(port, source)
        answer = await line.ask(raw, LONGEST)
        idle.append(line)
        return answer

    async def read(number: int) -> None:
        raw = graphql(READS[number % 3], {"n": 5 + number % 12}, {"accept-language": ("en", "ko", "ar")[number % 3]})
        _good(await on_a_line("reader", "127.77.0.1", raw), lambda told: "errors" not in told)

    async def health(_number: int) -> None:
        line = Line(port, "127.77.0.2")
        _good(await line.ask(request("GET", "/health/live", headers={"connection": "close"}), LONGEST))
        line.close()

    async def token(_number: int) -> None:
        raw = token_request(registration, key)
        _good(await on_a_line("token", "127.77.0.3", raw), lambda told: "access_token" in told)

    found = [
        Witness("reader", 0.05, 100, read), Witness("health", 0.1, 50, health), Witness("token", 0.5, 200, token),
    ]  # fmt: skip
    if officer is not None:
        found.append(_suspending(port, officer))
    return found


def _suspending(port: int, officer: Officer) -> Witness:
    async def act(verb: str) -> None:
        line = Line(port, "127.77.0.4")
        await officer.act(line, verb)
        line.close()

    async def suspend(_number: int) -> None:
        await act("suspendMember")

    async def reinstate() -> None:
        await officer.renew()
        await act("reinstateMember")

    return Witness("officer", 2.5, 1000, suspend, reinstate)
