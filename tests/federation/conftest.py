"""A hub without a server: once per run for attacks, which change nothing, and fresh for what does."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

# The builders lie beside the tests; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from federation_make import Caller, Station, make_caller, make_station  # noqa: E402 -- the path comes first

from wego import postgres  # noqa: E402 -- likewise
from wego.core.db import Database  # noqa: E402 -- likewise


@pytest.fixture
async def station(database: Database, tmp_path: Path) -> AsyncIterator[Station]:
    made = await make_station(database, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def caller(station: Station) -> Caller:
    return await make_caller(station, "seoul")


@pytest.fixture(scope="session")
async def besieged(cluster: Any, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Station]:
    """One hub for all attacks of the table."""
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database besieged template {template} strategy file_copy")
    database = await Database(postgres.as_hub(cluster.url_of("besieged"))).open()
    made = await make_station(database, tmp_path_factory.mktemp("besieged"))
    yield made
    await made.close()
    await database.close()
