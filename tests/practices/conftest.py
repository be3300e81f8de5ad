"""A small world for services; the whole demonstration behind the whole schema for what the API shows."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

# The builders lie beside the tests; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent)]

from practices_make import World, make_world  # noqa: E402 -- likewise

from i18n.language.locales import reading_list  # noqa: E402 -- the path comes first
from members.demo import seed as members_seed  # noqa: E402 -- likewise
from members.people import people  # noqa: E402 -- likewise
from practices.demo import seed as practices_seed  # noqa: E402 -- likewise
from wego import postgres  # noqa: E402 -- likewise
from wego.core.access import NOBODY, Actor  # noqa: E402 -- likewise
from wego.core.db import Database, Session  # noqa: E402 -- likewise
from wego.core.reads.engine import Engine  # noqa: E402 -- likewise
from wego.core.writes import Writer  # noqa: E402 -- likewise
from wego.problems import words  # noqa: E402 -- likewise
from wego.schema import schema  # noqa: E402 -- likewise

from ..conftest import copy_of, filled  # noqa: E402 -- likewise

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
async def world(db: Session) -> World:
    return await make_world(db)


@pytest.fixture(scope="session")
async def told(cluster: postgres.Attachment, template: str) -> str:
    """A database with the whole demonstration, to be copied."""
    return await filled(cluster, template, members_seed.seed, practices_seed.seed)


@pytest.fixture(scope="session")
async def shown(cluster: postgres.Attachment, told: str) -> AsyncIterator[Database]:
    """The demonstration for tests that only read."""
    async with copy_of(cluster, told) as database:
        yield database


@pytest.fixture
async def demo(cluster: postgres.Attachment, told: str) -> AsyncIterator[Database]:
    """The demonstration for one test that writes."""
    async with copy_of(cluster, told) as database:
        yield database


def asker(database: Database) -> Ask:
    """Ask the whole schema: `await ask("cio@seoul.demo", "{ … }", locales=("ko",), variables={…})`."""
    engine = Engine(schema(), reading_of=reading_list)
    writer = Writer(engine, database, words)

    async def ask(
        who: str | Actor, text: str, locales: tuple[str, ...] = ("en",), variables: dict[str, Any] | None = None
    ) -> Any:
        actor = who if isinstance(who, Actor) else await actor_of(database, who)
        operation = engine.find(text, None, variables or {})
        run = engine.run_of(operation, actor, reading_list(locales))
        if operation.kind.value == "mutation":
            return orjson.loads(await writer.mutate(operation, run, locales[0]))
        answer = await engine.query(database.reads, operation, run, None)
        assert not answer.errors, answer.errors
        return orjson.loads(answer.data)

    return ask


async def actor_of(database: Database, email: str) -> Actor:
    if not email:
        return NOBODY
    async with database.session() as db:
        person = await people.by_email(db, email)
        assert person is not None, email
        return await people.actor_of(db, person.id)


@pytest.fixture
def look(shown: Database) -> Ask:
    return asker(shown)


@pytest.fixture
def ask(demo: Database) -> Ask:
    return asker(demo)
