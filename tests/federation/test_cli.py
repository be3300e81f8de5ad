"""`wego token` and `wego query` against a hub on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import typer
import uvicorn
from click.testing import Result
from federation_make import Hub, make_city, make_person
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from typer.testing import CliRunner

from federation.jose import jose
from federation.jose.keys import open_keys
from federation.oauth import clients
from federation.oauth.routes import routes
from federation.oauth.seed import seed
from federation.oauth.verifier import Verifier
from wego.cli import programs, tokens
from wego.core.access import Role
from wego.core.db import Database
from wego.core.settings import Settings

app = typer.Typer()
app.command()(tokens.token)
app.command()(tokens.query)
app.add_typer(programs.app, name="programs")


async def wego(*words: object, stdin: str | None = None) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, [str(word) for word in words], input=stdin)


@pytest.fixture
async def hub(
    database: Database, tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hub]:
    settings = Settings(home=tmp_path, port=unused_tcp_port)
    monkeypatch.setenv("WEGO_HOME", str(tmp_path))
    monkeypatch.setenv("WEGO_PORT", str(unused_tcp_port))
    monkeypatch.setenv("WEGO_DATABASE_URL", database.url)
    made = Hub(settings, database, await open_keys(settings, database, watch=False))
    async with database.session() as db:
        city = await make_city(db, "seoul")
        await make_person(db, "cio@seoul.demo", (Role.CIO, city.id))
        await seed(db, tmp_path, settings.issuer)
    graphql = Route("/graphql", _graphql(made), methods=["POST"])
    config = uvicorn.Config(
        Starlette(routes=[*routes(made), graphql]), port=unused_tcp_port, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # older versions have it
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield made
    server.should_exit = True
    await serving


def _graphql(hub: Hub) -> Any:
    verifier = Verifier(hub.settings, hub.keys)

    async def endpoint(request: Request) -> JSONResponse:
        credential = verifier.authenticate(request.scope["headers"], "POST", hub.settings.resource)
        body = await request.json()
        said = (
            {"kind": credential.actor.kind if credential else "anonymous", "scope": sorted(credential.scope)}
            if (credential)
            else {"kind": "anonymous"}
        )
        data: dict[str, Any] = {**said, "language": request.headers.get("accept-language"), **body["variables"]}
        if "fail" in body["query"]:
            return JSONResponse({"errors": [{"message": "no"}]}, 400)
        return JSONResponse({"data": {"it": {**data, "problems": ["x"] if "refuse" in body["query"] else []}}})

    return endpoint


async def test_a_program_gets_a_token(hub: Hub) -> None:
    file = hub.settings.home / "demo/clients/seoul.json"
    got = await wego("token", "--client", file, "--scope", "graphql:query catalog:read")
    assert got.exit_code == 0, got.output
    answer = json.loads(got.output)
    assert (answer["token_type"], answer["scope"]) == ("DPoP", "graphql:query catalog:read")
    assert "d" in answer["dpop_jwk"]
    refused = await wego("token", "--client", file, "--scope", "admin:all")
    assert (refused.exit_code, "invalid_scope" in refused.output) == (2, True)
    assert (await wego("token", "--client", file, "--resource", "https://other.example")).exit_code == 2


async def test_a_person_gets_a_token_on_the_server(hub: Hub) -> None:
    got = await wego("token", "--person", "cio@seoul.demo")
    assert got.exit_code == 0, got.output
    assert json.loads(got.output)["expires_in"] == 300
    async with hub.database.session() as db:
        told = await db.execute(text("SELECT actor FROM audit_entry WHERE event = 'token.issued'"))
    assert told.scalars().all() == ["operator"]
    unknown = await wego("token", "--person", "nobody@seoul.demo")
    assert (unknown.exit_code, "No person with this address" in unknown.output) == (1, True)


async def test_whoever_asks_gets_his_answer(hub: Hub, tmp_path: Path) -> None:
    file = hub.settings.home / "demo/clients/seoul.json"
    anonymous = await wego("query", "{ it }", "--locale", "ko")
    assert json.loads(anonymous.output)["data"]["it"] == {"kind": "anonymous", "language": "ko", "problems": []}
    program = await wego("query", "--client", file, "--variables", '{"a": 1}', "-", stdin="{ it }")
    assert program.exit_code == 0, program.output
    said = json.loads(program.output)["data"]["it"]
    assert (said["kind"], said["a"], "graphql:mutate" in said["scope"]) == ("program", 1, True)
    narrow = await wego("query", "--client", file, "--scope", "catalog:read", "{ it }")
    assert json.loads(narrow.output)["data"]["it"]["scope"] == ["catalog:read"]
    (tmp_path / "q.graphql").write_text("{ it }")
    person = await wego("query", "--person", "cio@seoul.demo", tmp_path / "q.graphql")
    assert json.loads(person.output)["data"]["it"]["kind"] == "person"


async def test_exit_codes_tell_what_happened(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await wego("query", "{ fail }")).exit_code == 1
    assert (await wego("query", "mutation { refuse }")).exit_code == 1
    for words in (
        ("query", "nothing"),
        ("query", "{ it }", "--variables", "{"),
        ("query", "{ it }", "--variables", "[]"),
        ("query", "{ it }", "--anonymous", "--person", "x"),
        ("query", "{ it }", "--client", "absent.json"),
        ("token",),
        ("token", "--client", "absent.json"),
        ("token", "--client", "a.json", "--person", "x"),
        ("token", "--person", "x", "--scope", "y"),
    ):
        got = await wego(*words)
        assert got.exit_code == 2, (words, got.output)
        assert "Traceback" not in got.output
    monkeypatch.setenv("WEGO_PORT", "9")
    away = await wego("query", "{ it }")
    assert (away.exit_code, "Does the hub run there" in away.output) == (2, True)


async def test_a_query_is_explained_by_its_statement_and_plan_for_who_asks(hub: Hub) -> None:
    """Against the database alone: nothing is asked of the hub."""
    text = '{ cities(filter: {country: ["KR"]}) { nodes { slug } totalCount } }'
    told = await wego("query", text, "--explain")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("-- cost: ")
    assert " = ['KR']\n" in told.stdout
    statement, plan = told.stdout.split(";\n\n")
    assert statement.splitlines()[-1].startswith("select ")
    assert "Scan" in plan
    assert "membership" in plan, "a stranger sees listed members only"
    officer = await wego("query", text, "--explain", "--person", "cio@seoul.demo")
    assert officer.exit_code == 0, officer.output
    assert officer.stdout.count("$") > told.stdout.count("$"), "his own city is one more value"
    nothing = await wego("query", "{ __typename }", "--explain")
    assert (nothing.exit_code, nothing.stdout.count("\n")) == (0, 2)


async def test_what_cannot_be_explained_is_said(hub: Hub, tmp_path: Path) -> None:
    key = tmp_path / "demo" / "clients" / "seoul.json"
    for words, part in (
        (("mutation { __typename }", "--explain"), "Only a query"),
        (("{ nothing }", "--explain"), "Cannot query field"),
        (("{ cities { nodes { slug } } }", "--explain", "--client", key), "--person"),
        (('{ practices(filter: {country: ["kr"]}) { totalCount } }', "--explain"), "kr"),
        (("{ __typename }", "--explain", "--person", "nobody@seoul.demo"), "NOT_FOUND"),
    ):
        told = await wego("query", *words)
        assert told.exit_code != 0, words
        assert part in told.stderr, told.output
        assert not isinstance(told.exception, (AssertionError, KeyError, TypeError))


async def test_a_program_is_registered_used_and_revoked_at_a_terminal(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    made = await wego("programs", "register", "seoul", "--name", "Night job", "--new-key", file, "--json")
    assert made.exit_code == 0, made.output
    told = json.loads(made.output)
    assert file.stat().st_mode & 0o777 == 0o600
    assert (told["key_file"], told["scope"]) == (str(file), " ".join(clients.DEFAULT_SCOPES))
    assert (await wego("token", "--client", file)).exit_code == 0
    again = await wego("programs", "register", "seoul", "--name", "Night job", "--new-key", file)
    assert (again.exit_code, "never written over" in again.output) == (1, True)
    (newest, *_) = json.loads((await wego("programs", "list", "--city", "seoul", "--json")).output)
    assert (newest["client_id"], newest["name"], newest["revoked_at"]) == (told["client_id"], "Night job", None)
    assert (await wego("programs", "revoke", told["client_id"], "--json")).exit_code == 0
    refused = await wego("token", "--client", file)
    assert (refused.exit_code, "invalid_client" in refused.output) == (2, True)
    assert (await wego("programs", "revoke", told["client_id"])).exit_code == 1


async def test_only_public_keys_are_sent_to_register_a_program(hub: Hub, tmp_path: Path) -> None:
    key, file = jose.new_key(), tmp_path / "public.json"
    file.write_text(json.dumps(jose.public_jwk(key)))
    scopes = ("--scope", "graphql:query", "--scope", "catalog:read")
    made = await wego("programs", "register", "seoul", "--name", "Ours", "--keys", file, *scopes, "--json")
    assert json.loads(made.output)["scope"] == "graphql:query catalog:read"
    for wrong in ('{"kty": "oct", "k": "AAAA"}', "[]", "{", '{"keys": []}'):
        file.write_text(wrong)
        assert (await wego("programs", "register", "seoul", "--name", "Ours", "--keys", file)).exit_code == 1
    assert (await wego("programs", "register", "seoul", "--name", "Ours")).exit_code == 2
    assert (await wego("programs", "register", "nowhere", "--name", "Ours", "--new-key", tmp_path / "n")).exit_code == 1
    assert not (tmp_path / "n").exists()
    (tmp_path / "file").touch()
    nowhere = await wego("programs", "register", "seoul", "--name", "Lost", "--new-key", tmp_path / "file" / "key")
    assert (nowhere.exit_code, "cannot be written" in nowhere.output) == (1, True)
    assert "Lost" not in (await wego("programs", "list", "--json")).output
