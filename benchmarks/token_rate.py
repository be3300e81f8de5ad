"""How many tokens one core issues: the whole token endpoint through its ASGI app, beside the raw signature rate.

    python -m benchmarks.token_rate [seconds]

Runs against a throwaway PostgreSQL with production settings. Assertions and proofs are made beforehand, because a
program's own work is not the hub's. Printed: requests per second at concurrency 1 and 16 (one process, which waits for
PostgreSQL on the other core), requests per CPU second of the hub's process, the raw ES256 signature rate of
`cryptography`, and what verifying a token and proof costs a read.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette

from federation.client import assertion, proof
from federation.jose import jose
from federation.jose.keys import KeyRing, open_keys
from federation.oauth import clients
from federation.oauth.routes import routes
from federation.oauth.verifier import Verifier
from members.register.models import Membership, MembershipKind, MembershipStatus, Organisation, OrganisationKind, Region
from wego import postgres
from wego.core.access import system
from wego.core.db import Database
from wego.core.settings import Settings
from wego.setup import prepare

ISSUER = "https://hub.example"
TOKEN_URL = f"{ISSUER}/oauth/token"
ROUNDS = 5


@dataclass
class Hub:
    settings: Settings
    database: Database
    keys: KeyRing


@dataclass
class Program:
    client_id: str
    key: jose.PublicKey
    kid: str
    dpop: jose.PublicKey

    def request(self) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        form = {
            "grant_type": "client_credentials", "client_assertion_type": jose.ASSERTION_TYPE,
            "client_assertion": assertion(self.key, self.kid, self.client_id, ISSUER), "scope": "graphql:query",
        }  # fmt: skip
        headers = [
            (b"host", b"hub.example"), (b"content-type", b"application/x-www-form-urlencoded"),
            (b"dpop", proof(self.dpop, "POST", TOKEN_URL).encode()),
        ]  # fmt: skip
        return urlencode(form).encode(), headers


async def call(app: Any, body: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """One request through the ASGI app, without a client library in the way."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/oauth/token", "raw_path": b"/oauth/token", "query_string": b"",
        "headers": headers, "scheme": "https", "server": ("hub.example", 443), "client": ("127.0.0.1", 1),
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    answer = b"".join(message.get("body", b"") for message in sent)
    if sent[0]["status"] != 200:
        raise RuntimeError(answer.decode())
    return answer


async def tokens_per_second(app: Any, program: Program, concurrency: int, seconds: float) -> tuple[float, float]:
    """Requests per second by the wall and by the CPU of this process."""
    prepared = [program.request() for _ in range(int(1500 * seconds))]
    wall, cpu, done = time.perf_counter(), time.process_time(), 0
    until = wall + seconds

    async def worker() -> None:
        nonlocal done
        while prepared and time.perf_counter() < until:
            await call(app, *prepared.pop())
            done += 1

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return done / (time.perf_counter() - wall), done / (time.process_time() - cpu)


def rate(work: Any, seconds: float) -> float:
    """Calls per CPU second."""
    done, cpu = 0, time.process_time()
    until = cpu + seconds
    while time.process_time() < until:
        for _ in range(20):
            work()
        done += 20
    return done / (time.process_time() - cpu)


async def make_program(database: Database) -> Program:
    async with database.session() as db:
        city = Organisation(
            kind=OrganisationKind.CITY, slug="seoul", sort_name="Seoul", endonym_locale="ko", country="KR",
            languages=["ko"], region=Region.EAST_ASIA,
        )  # fmt: skip
        db.add(city)
        await db.flush()
        db.add(Membership(organisation_id=city.id, kind=MembershipKind.CITY, status=MembershipStatus.FULL))
        key = jose.new_key()
        jwks = {"keys": [jose.public_jwk(key, kid="bench")]}
        client = await clients.register_client(db, system("bench"), city, "Benchmark", jwks)
    return Program(client.client_id, key, "bench", jose.new_key())


async def measure(url: str, home: Path, seconds: float) -> None:
    settings = Settings(home=home, public_url=ISSUER)
    database = await Database(url).open()
    hub = Hub(settings, database, await open_keys(settings, database, watch=False))
    app = Starlette(routes=routes(hub))
    program = await make_program(database)
    raw_key = ec.generate_private_key(ec.SECP256R1())
    text = secrets.token_bytes(600)
    raw, found = [], {1: [], 16: []}  # type: tuple[list[float], dict[int, list[tuple[float, float]]]]
    for _ in range(ROUNDS):
        raw.append(rate(lambda: raw_key.sign(text, ec.ECDSA(hashes.SHA256())), seconds / 4))
        for concurrency, results in found.items():
            results.append(await tokens_per_second(app, program, concurrency, seconds))
    signatures = statistics.median(raw)
    print(f"raw ES256 signatures          {signatures:10,.0f} /CPU s")
    for concurrency, results in found.items():
        wall, cpu = (statistics.median(column) for column in zip(*results, strict=True))
        print(
            f"POST /oauth/token, {concurrency:2} at once {wall:10,.0f} /s    {cpu:7,.0f} /CPU s"
            f"    1 : {signatures / cpu:.0f} signatures"
        )
    await _measure_reads(app, program, hub, seconds)
    await database.close()


async def _measure_reads(app: Any, program: Program, hub: Hub, seconds: float) -> None:
    token = json.loads(await call(app, *program.request()))["access_token"]
    verifier = Verifier(hub.settings, hub.keys)
    shown = [
        [(b"authorization", f"DPoP {token}".encode()),
         (b"dpop", proof(program.dpop, "POST", hub.settings.resource, token).encode())]
        for _ in range(200)
    ]  # fmt: skip
    turn = iter(range(10**9))
    warm = rate(lambda: verifier.authenticate(shown[next(turn) % 200], "POST", hub.settings.resource), seconds / 2)

    def cold() -> None:
        Verifier(hub.settings, hub.keys).authenticate(shown[next(turn) % 200], "POST", hub.settings.resource)

    print(
        f"token and proof of a read     {warm:10,.0f} /CPU s (token seen before), {rate(cold, seconds / 2):,.0f} (new)"
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    with tempfile.TemporaryDirectory(prefix="wego-bench-") as folder:
        home = Path(folder)
        with postgres.attach(home) as server:
            with psycopg.connect(server.admin_url, autocommit=True) as connection:
                connection.execute("create database token_rate")
            url = server.url_of("token_rate")
            prepare(url)
            print("\n## Token endpoint beside the raw signature rate\n\n```")
            asyncio.run(measure(url, home, seconds))
            print("```")
        postgres.stop(home)


if __name__ == "__main__":
    main()
