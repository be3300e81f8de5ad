"""One network for all that only read, with the naive interpreter beside it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

# The builders lie beside the tests; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent)]

from naive_rows import Session  # noqa: E402 -- the path comes first
from pools import Pools, fill_pools  # noqa: E402 -- likewise
from reads_make import NAMED, READINGS, Asked, Network, make_engine, make_network  # noqa: E402 -- likewise

from wego import postgres  # noqa: E402 -- likewise
from wego.core.access import NOBODY, Actor  # noqa: E402 -- likewise
from wego.core.context import Reading  # noqa: E402 -- likewise
from wego.core.db import Database  # noqa: E402 -- likewise
from wego.core.reads.engine import Engine  # noqa: E402 -- likewise
from wego.schema import schema  # noqa: E402 -- likewise


@pytest.fixture(scope="session")
async def network(cluster: Any, template: str) -> AsyncIterator[Network]:
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database network template {template} strategy file_copy")
    database = await Database(postgres.as_hub(cluster.url_of("network"))).open()
    yield await make_network(database)
    await database.close()


@pytest.fixture(scope="session")
def naively(network: Network) -> Iterator[Session]:
    session = Session(network.database.url)
    yield session
    session.close()


@pytest.fixture(scope="session")
def pools(network: Network, naively: Session) -> Pools:
    return fill_pools(network.schema, naively.connection, NAMED)


@pytest.fixture
def engine() -> Engine:
    """With the limits of the hub."""
    return make_engine(schema())


@pytest.fixture
def ask(network: Network, engine: Engine) -> Asked:
    """Ask, as nobody unless said otherwise; the data, when nothing went wrong."""

    async def asked(
        text: str, actor: Actor = NOBODY, reading: Reading | None = None, engine: Engine = engine, **variables: Any
    ) -> Any:
        operation = engine.find(text, None, variables)
        run = engine.run_of(operation, actor, reading or READINGS["nobody's wish"])
        answer = await engine.query(network.database.reads, operation, run, None)
        assert answer.errors == []
        return orjson.loads(answer.data)

    return asked
