"""One network for all that only read, with the naive interpreter beside it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

# The builders lie beside the tests; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent)]

from naive import Session  # noqa: E402 -- the path comes first
from operations import Pools, fill_pools  # noqa: E402 -- likewise
from reads_make import NAMED, Network, make_network  # noqa: E402 -- likewise
from wego.core.db import Database  # noqa: E402 -- likewise


@pytest.fixture(scope="session")
async def network(cluster: Any, template: str) -> AsyncIterator[Network]:
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database network template {template} strategy file_copy")
    database = await Database(cluster.url_of("network")).open()
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
