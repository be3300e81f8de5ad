"""Programs are registered by who leads the city, and by nobody else; the demonstration has eight."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from federation_make import ISSUER, RESOURCE, Station, make_city
from joserfc.jwk import ECKey
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from federation.client import HubClient, HubError
from federation.jose import jose
from federation.oauth import clients
from federation.oauth.clients import register_client, revoke_client
from federation.oauth.models import OAuthClient
from federation.oauth.seed import CITIES, seed
from wego.core import audit
from wego.core.access import NOBODY, SECRETARIAT, Actor, ActorKind, Post, Role, organisation, system
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn

ROOT = Path(__file__).parents[2]
ASSIGNING = {Role.HEAD, Role.CIO, Role.OFFICER}


def jwks(**more: Any) -> dict[str, Any]:
    return {"keys": [{**jose.public_jwk(jose.new_key()), **more}]}


async def test_a_stranger_registers_and_revokes_nothing(db: AsyncSession) -> None:
    city, other = await make_city(db, "seoul"), await make_city(db, "moscow")
    client = await register_client(db, system("test"), city, "A program", jwks())
    stranger = Actor(ActorKind.PERSON, "s", posts=(Post(Role.HEAD, organisation(other.id)),))
    for actor, refusal in ((NOBODY, NotSignedIn), (stranger, NotAllowed)):
        with pytest.raises(refusal):
            await register_client(db, actor, city, "x", jwks())
        with pytest.raises(NotFound):
            await revoke_client(db, actor, client.id)


@pytest.mark.parametrize("role", list(Role))
async def test_who_may_register_a_program(db: AsyncSession, role: Role) -> None:
    city = await make_city(db, "seoul")
    secretariat = role in {Role.OFFICER, Role.SECRETARIAT_EDITOR, Role.AUDITOR}
    actor = Actor(
        ActorKind.PERSON, str(UUID(int=1)), posts=(Post(role, SECRETARIAT if secretariat else organisation(city.id)),)
    )
    if role in ASSIGNING:
        client = await register_client(db, actor, city, "A program", jwks())
        assert (await revoke_client(db, actor, client.id)).revoked_at is not None
    else:
        with pytest.raises(NotAllowed):
            await register_client(db, actor, city, "A program", jwks())


async def test_a_program_of_a_city_cannot_register_another(db: AsyncSession) -> None:
    city = await make_city(db, "seoul")
    program = Actor(
        ActorKind.PROGRAM,
        "seoul-1",
        posts=(Post(Role.PROGRAM, organisation(city.id)),),
        scopes=frozenset({"graphql:mutate"}),
    )
    with pytest.raises(NotAllowed):
        await register_client(db, program, city, "A program", jwks())


async def test_a_program_is_kept_with_its_public_key_only(db: AsyncSession) -> None:
    city = await make_city(db, "seoul")
    client = await register_client(db, system("test"), city, "  A program  ", jwks(alg="ES256", x5t="x", more=1))
    assert client.client_id.startswith("seoul-")
    assert client.name == "A program"
    (key,) = client.jwks["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use"}
    assert await clients.by_client_id(db, client.client_id) is client
    with pytest.raises(NotFound):
        await clients.by_client_id(db, "nobody")
    await audit.append(db)
    entry = (await db.execute(text("SELECT event, facts->>'client' FROM audit_entry"))).one()
    assert tuple(entry) == ("client.registered", client.client_id)


SAME = jose.public_jwk(jose.new_key())


@pytest.mark.parametrize(
    "bad",
    [
        {"jwks": {}}, {"jwks": {"keys": []}}, {"jwks": {"keys": {}}}, {"jwks": {"keys": [7]}},
        {"jwks": {"keys": [SAME, SAME]}}, {"jwks": {"keys": [SAME] * 9}}, {"jwks": jwks(kid="")},
        {"jwks": jwks(kid="é")}, {"jwks": jwks(kid=7)}, {"jwks": jwks(kid="k" * 300)}, {"jwks": jwks(use="enc")},
        {"jwks": {"keys": [jose.private_jwk(jose.new_key())]}},
        {"jwks": {"keys": [ECKey.generate_key("P-384").as_dict(private=False)]}},
        {"name": ""}, {"name": " "}, {"name": "x" * 121}, {"name": "a\x00b"}, {"name": "a\u202eb"}, {"name": "\ud800"},
        {"scopes": ()}, {"scopes": ("admin:all",)}, {"scopes": ("graphql:query", "")},
    ],
)  # fmt: skip
async def test_a_registration_that_cannot_be_is_refused(db: AsyncSession, bad: dict[str, Any]) -> None:
    city = await make_city(db, "seoul")
    good: dict[str, Any] = {"name": "A program", "jwks": jwks(), **bad}
    with pytest.raises(Invalid) as refused:
        await register_client(db, system("test"), city, good.pop("name"), good.pop("jwks"), **good)
    assert refused.value.path[0] == "input"
    assert (await db.execute(select(OAuthClient))).first() is None


async def test_a_program_is_revoked_once(db: AsyncSession) -> None:
    city = await make_city(db, "seoul")
    client = await register_client(db, system("test"), city, "A program", jwks())
    before = (await db.execute(text("SELECT seq FROM access_epoch"))).scalar_one()
    await revoke_client(db, system("test"), client.id)
    await audit.append(db)
    assert (await db.execute(text("SELECT seq FROM access_epoch"))).scalar_one() == before + 1
    with pytest.raises(Conflict):
        await revoke_client(db, system("test"), client.id)


async def test_the_demonstration_programs_are_made_once(db: AsyncSession, tmp_path: Path) -> None:
    for slug in CITIES[:3]:
        await make_city(db, slug)
    written = await seed(db, tmp_path, "http://127.0.0.1:8000")
    assert [path.name for path in written] == ["seoul.json", "barcelona.json", "chengdu.json"]
    first = [path.read_text() for path in written]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    assert json.loads(first[0]).keys() == {"issuer", "client_id", "jwk", "resource", "scope"}
    await seed(db, tmp_path, "http://127.0.0.1:8000")
    assert [path.read_text() for path in written] == first
    await seed(db, tmp_path, "http://127.0.0.1:9000")  # the port moved: the same programs
    moved = json.loads(written[0].read_text())
    assert (moved["issuer"], moved["resource"]) == ("http://127.0.0.1:9000", "http://127.0.0.1:9000/graphql")
    assert moved["client_id"] == json.loads(first[0])["client_id"]
    written[0].unlink()
    written[1].write_text("garbage")
    written[2].chmod(0o644)
    await seed(db, tmp_path, "http://127.0.0.1:8000")
    ids = [json.loads(path.read_text())["client_id"] for path in written]
    assert [new == json.loads(old)["client_id"] for new, old in zip(ids, first, strict=True)] == [False, False, True]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    revoked = await db.execute(text("SELECT count(*) FROM oauth_client WHERE revoked_at IS NOT NULL"))
    assert revoked.scalar_one() == 2


class Bridge(httpx2.BaseTransport):
    """Lets the synchronous client talk to the app of a test in its own thread and loop."""

    def __init__(self, station: Station, loop: Any) -> None:
        self._station, self._loop = station, loop
        self.seen: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        import asyncio

        self.seen.append(request)
        sent = {"content": request.read(), "headers": dict(request.headers)}
        work = self._station.http.request(request.method, str(request.url), **sent)
        answer = asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
async def registration(station: Station) -> AsyncIterator[dict[str, Any]]:
    async with station.hub.database.session() as db:
        await make_city(db, "seoul")
        (path,) = await seed(db, station.hub.settings.home, ISSUER)
    return json.loads(path.read_text())


async def test_a_developer_uses_the_library(station: Station, registration: dict[str, Any]) -> None:
    import asyncio

    bridge = Bridge(station, asyncio.get_running_loop())
    hub = HubClient(registration, transport=bridge)

    def program() -> list[Any]:
        answer = hub.token("graphql:query")
        with httpx2.Client(transport=bridge, auth=hub.auth("catalog:read")) as http:
            reads = [http.post(hub.resource).json() for _ in range(3)]
        return [answer["token_type"], answer["scope"], sorted(answer), reads]

    kind, scope, names, reads = await asyncio.to_thread(program)
    assert (kind, scope) == ("DPoP", "graphql:query")
    assert names == ["access_token", "dpop_jwk", "expires_in", "scope", "token_type"]
    assert reads == [{"actor": registration["client_id"]}] * 3
    asked = [request.url.path for request in bridge.seen]
    assert asked.count("/oauth/token") == 2  # the second for three requests
    assert asked.count("/.well-known/oauth-authorization-server") == 1
    assert hub.resource == RESOURCE


def test_the_library_stands_on_two_packages_only() -> None:
    """A city's developer copies two files and needs httpx2 and joserfc."""
    code = "import sys, federation.client; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"authlib", "sqlalchemy", "members", "wego", "asyncpg"}.isdisjoint(done.stdout.split())


async def test_the_library_says_what_is_wrong(station: Station, registration: dict[str, Any], tmp_path: Path) -> None:
    import asyncio

    bridge = Bridge(station, asyncio.get_running_loop())
    with pytest.raises(HubError, match="invalid_scope"):
        await asyncio.to_thread(HubClient(registration, transport=bridge).token, "admin:all")
    elsewhere = HubClient({**registration, "issuer": "https://other.example"}, transport=bridge)
    with pytest.raises(HubError, match="another issuer"):
        await asyncio.to_thread(elsewhere.token)
    for broken in ({}, {**registration, "jwk": {}}, {**registration, "jwk": None}, [], 7):
        with pytest.raises(HubError, match="needs issuer"):
            HubClient(broken)  # type: ignore[arg-type]  # what a file may hold
    file = tmp_path / "x.json"
    for content, message in ((None, "cannot be read"), ("{", "not JSON"), ("{}", "needs issuer")):
        if content is not None:
            file.write_text(content)
        with pytest.raises(HubError, match=message):
            HubClient.from_file(file)
