"""What the tests over HTTP are built from: a seeded template, running hubs on clones of it, and callers with keys."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import psycopg

import federation.oauth.seed
import members.demo.seed
import practices.demo.seed
from federation.client import HubClient, proof
from federation.jose import jose
from federation.jose.keys import open_keys
from federation.oauth.tokens import issue_for_person
from members.people.models import Person, RoleGrant
from members.register.models import Organisation
from tests.conftest import owner_url
from wego import postgres
from wego.api.hub import Hub
from wego.app import create_app
from wego.core.access import Role, system
from wego.core.db import Database
from wego.core.ids import global_id
from wego.core.settings import Settings

ISSUER = "https://hub.test"
RESOURCE = f"{ISSUER}/graphql"
REFUSED = frozenset({"NOT_SIGNED_IN", "NOT_ALLOWED", "NOT_FOUND"})
# Written by every request with a token, before it is known what it asks.
GATE_TABLES = frozenset({"oauth_replay", "idempotent_answer"})


@dataclass(frozen=True)
class Seeded:
    """A database with the demonstration network, that is only ever copied, and the folder of its keys."""

    admin_url: str
    name: str
    home: Path

    def settings(self, **knobs: Any) -> Settings:
        usual = {"home": self.home, "public_url": ISSUER, "server_timing": True, "token_seconds": 3600, "cache_mb": 0}
        return Settings(**{**usual, **knobs})

    @contextmanager
    def clone(self) -> Iterator[str]:
        """The address of a copy, which is dropped at the end."""
        name = f"hub_{uuid4().hex[:12]}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f"create database {name} template {self.name} strategy file_copy")
        try:
            yield postgres.as_hub(url_of(self.admin_url, name))
        finally:
            with psycopg.connect(self.admin_url, autocommit=True) as connection:
                connection.execute(f"drop database {name} with (force)")


def url_of(url: str, name: str) -> str:
    head, mark, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{mark}{query}"


@contextmanager
def fresh_home(near: str) -> Iterator[Path]:
    """A folder for keys, in memory where there is room."""
    home = Path(tempfile.mkdtemp(prefix="wego-http-", dir=near if Path(near).is_dir() else None))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def make_seeded(admin_url: str, template: str, home: Path) -> Seeded:
    """Load the demonstration once; object editors and signing keys as well."""
    seeded = Seeded(admin_url, "template_demo", home)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f"create database {seeded.name} template {template} strategy file_copy")
    database = await Database(postgres.as_hub(url_of(admin_url, seeded.name))).open()
    try:
        for seed in (members.demo.seed.seed, practices.demo.seed.seed, _more_people):
            async with database.session() as db:
                await seed(db)
        async with database.session() as db:
            await federation.oauth.seed.seed(db, home, ISSUER)
        await (await open_keys(seeded.settings(), database, watch=False)).close()
    finally:
        await database.close()
    return seeded


async def _more_people(db: Any) -> None:
    """The demonstration has no object editors: each city with people gets one."""
    for slug in (*members.demo.seed.STAFFED, *members.demo.seed.APPLICANTS):
        city = await city_of(db, slug)
        person = Person(email=f"object_editor@{slug}.demo", name="Object editor")
        db.add(person)
        await db.flush()
        db.add(RoleGrant(person_id=person.id, role=Role.OBJECT_EDITOR, organisation_id=city.id, granted_by="test"))


async def city_of(db: Any, slug: str) -> Organisation:
    from sqlalchemy import select
    from sqlmodel import col

    found: Organisation = (await db.execute(select(Organisation).where(col(Organisation.slug) == slug))).scalar_one()
    return found


@dataclass
class Caller:
    """Somebody with a token and the key that it is bound to."""

    token: str
    key: Any
    name: str = ""

    def headers(self, method: str = "POST", url: str = RESOURCE, **other: str) -> dict[str, str]:
        return {
            "authorization": f"DPoP {self.token}", "dpop": proof(self.key, method, url, self.token), **other,
        }  # fmt: skip


@dataclass
class Station:
    """A hub that runs inside this process, on a database of its own."""

    app: Any
    hub: Hub
    url: str
    http: httpx2.AsyncClient
    seeded: Seeded
    callers: dict[str, Caller] = field(default_factory=dict)

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, caller: Caller | None = None,
        headers: Mapping[str, str] | None = None, **more: Any,
    ) -> httpx2.Response:  # fmt: skip
        """POST one operation."""
        body = orjson.dumps({"query": query, "variables": variables or {}, **more})
        sent = {"content-type": "application/json", **(caller.headers() if caller else {}), **(headers or {})}
        return await self.http.post("/graphql", content=body, headers=sent)

    async def data(self, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        answer = await self.ask(query, variables, **more)
        told = answer.json()
        assert answer.status_code == 200, answer.text
        assert "errors" not in told, answer.text
        return dict(told["data"])

    async def person(self, email: str) -> Caller:
        """A token as the operator hands it out to a demo person."""
        if email not in self.callers:
            async with self.hub.database.session() as db:
                told = await issue_for_person(
                    db, system("test"), self.hub.settings, self.hub.keys.signing(datetime.now(UTC)), email
                )
            self.callers[email] = Caller(told["access_token"], jose.private_key(told["dpop_jwk"]), email)
        return self.callers[email]

    def client(self, slug: str) -> HubClient:
        """The program of a demo city, as its developer would use it, through this process."""
        path = self.seeded.home / "demo" / "clients" / f"{slug}.json"
        registration = orjson.loads(path.read_bytes())
        return HubClient(registration, transport=Bridge(self.app, asyncio.get_running_loop()))

    async def program(
        self, slug: str, scope: str = "graphql:query graphql:mutate catalog:read catalog:write"
    ) -> Caller:
        told = await asyncio.to_thread(self.client(slug).token, scope)
        return Caller(told["access_token"], jose.private_key(told["dpop_jwk"]), f"program of {slug}")

    def fingerprint(self) -> dict[str, tuple[int, int]]:
        """Rows, and the newest transaction that wrote one, of every table: any change changes it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            tables = connection.execute(
                "select tablename from pg_tables where schemaname = 'public' and tablename not like 'procrastinate_%'"
            ).fetchall()
            wanted = sorted(name for (name,) in tables if name not in GATE_TABLES)
            sql = " union all ".join(
                f"select '{name}', count(*), coalesce(max(xmin::text::bigint), 0) from {name}" for name in wanted
            )
            return {name: (rows, newest) for name, rows, newest in connection.execute(sql).fetchall()}

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What somebody with all rights on the database does to it from outside."""
        with psycopg.connect(owner_url(self.url), autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def id_of(self, kind: str, statement: str, *values: object) -> str:
        """The global id of the thing that a statement finds."""
        found = self.sql(statement, *values)
        assert found, statement
        return global_id(kind, found[0][0])

    def city_id(self, slug: str) -> str:
        return self.id_of("City", "select id from organisation where slug = %s", slug)

    def person_id(self, email: str) -> str:
        return self.id_of("Person", "select id from person where email = %s", email)


class Bridge(httpx2.BaseTransport):
    """Lets the blocking client of `federation.client`, in a thread, speak to an application of this loop."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return asyncio.run_coroutine_threadsafe(self._send(request), self._loop).result(30)

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self._app)) as http:
            answer = await http.request(
                request.method, request.url, headers=dict(request.headers), content=request.read()
            )
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


@asynccontextmanager
async def running(seeded: Seeded, url: str, *, jobs: bool = False, **knobs: Any) -> AsyncIterator[Station]:
    """An application on a database, as long as the block."""
    settings = seeded.settings(**knobs)
    app = create_app(settings, url, jobs=jobs)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
            yield Station(app, app.state.hub, url, http, seeded)


@asynccontextmanager
async def fresh_station(seeded: Seeded, **knobs: Any) -> AsyncIterator[Station]:
    """An application on a copy of the demonstration."""
    with seeded.clone() as url:
        async with running(seeded, url, **knobs) as station:
            yield station


def errors(answer: httpx2.Response) -> list[tuple[str, str]]:
    """Codes and messages of an answer, of `errors` and of all `problems`."""
    told = answer.json()
    found = [(each["extensions"]["code"], each["message"]) for each in told.get("errors", [])]
    for payload in (told.get("data") or {}).values():
        if isinstance(payload, dict):
            found += [(each.get("code", ""), each.get("message", "")) for each in payload.get("problems") or []]
    return found


def codes(answer: httpx2.Response) -> set[str]:
    return {code for code, _ in errors(answer)}
