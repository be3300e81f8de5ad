"""One throwaway PostgreSQL per run, migrated once; a transaction that is rolled back per test, or a clone.

Tests connect as the role that serves, so that a missing grant fails them; `owner_url` is for what the owner may do.

`db` is a session inside an outer transaction: fast, and whatever a test commits is only a savepoint. `database` is a
fresh clone of the migrated template for tests that need real commits. WEGO_TEST_PG_BIN chooses another PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from wego import postgres
from wego.core.db import Database
from wego.setup import prepare

# Builders that several folders use lie beside this file; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent)]

OWNER: list[str] = []  # how the owner reaches the run's cluster


def owner_url(url: str) -> str:
    """The same database as its owner reaches it: for what the hub's own role must not do."""
    head, mark, query = OWNER[-1].partition("?")
    name = url.partition("?")[0].rsplit("/", 1)[1]
    return f"{head.rsplit('/', 1)[0]}/{name}{mark}{query}"


SHARED = Path(__file__).parents[2] / "shared"
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "synchronous_commit": "off"}


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real inputs beside the project; what needs it skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real inputs (../shared) is absent")
    return SHARED


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Attachment]:
    """A PostgreSQL of this run, in memory where there is room."""
    shm = Path("/dev/shm")
    home = Path(tempfile.mkdtemp(prefix="wego-test-", dir=shm if os.access(shm, os.W_OK) else None))
    binaries = os.environ.get("WEGO_TEST_PG_BIN")
    try:
        with postgres.attach(home, binaries=Path(binaries) if binaries else None, tuning=FAST) as server:
            OWNER.append(server.admin_url)
            yield server
            postgres.stop(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(cluster: postgres.Attachment) -> str:
    """A migrated database that is only ever copied."""
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute("create database template_wego")
    owner = cluster.url_of("template_wego")
    prepare(owner, postgres.as_hub(owner))
    return "template_wego"


def clone(cluster: postgres.Attachment, template: str) -> str:
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy")
    return postgres.as_hub(cluster.url_of(name))


def drop(cluster: postgres.Attachment, url: str) -> None:
    name = url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@asynccontextmanager
async def copy_of(cluster: postgres.Attachment, template: str) -> AsyncIterator[Database]:
    """A copy of a database, open; dropped at the end."""
    url = clone(cluster, template)
    database = await Database(url).open()
    try:
        yield database
    finally:
        await database.close()
        drop(cluster, url)


async def filled(
    cluster: postgres.Attachment, template: str, *seeds: Callable[[AsyncSession], Awaitable[object]]
) -> str:
    """The name of a copy into which the seeds have written, to be copied itself."""
    url = clone(cluster, template)
    database = await Database(url).open()
    async with database.session() as db:
        for seed in seeds:
            await seed(db)
    await database.close()
    return url.split("?")[0].rsplit("/", 1)[1]


@pytest.fixture(scope="session")
async def rolled(cluster: postgres.Attachment, template: str) -> AsyncIterator[Database]:
    """The database of all tests that roll back."""
    async with copy_of(cluster, template) as database:
        yield database


@pytest.fixture
async def db(rolled: Database) -> AsyncIterator[AsyncSession]:
    async with rolled.engine.connect() as connection:
        outer = await connection.begin()
        async with AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        await outer.rollback()


@pytest.fixture
async def database(cluster: postgres.Attachment, template: str) -> AsyncIterator[Database]:
    async with copy_of(cluster, template) as opened:
        yield opened
