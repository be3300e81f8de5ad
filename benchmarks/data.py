"""The data of a run: an embedded PostgreSQL with its durable settings, real cities, and samples by the thousand."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from federation.oauth import seed as programs
from members.demo import seed as cities
from practices.demo.seed import fill
from wego import postgres
from wego.core.db import Database
from wego.setup import prepare

HERE = Path(__file__).parent
SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "work_mem", "jit")
SIZES = {
    "cities": "select count(*) from city",
    "practices": "select count(*) from practice",
    "practices that everybody may see": "select count(*) from practice where public_from <= now()",
    "readings (one for each language of a practice)": "select count(*) from content_reading",
    "sections": "select count(*) from content_section",
    "bytes of text of one reading, mean": (
        "select (select sum(octet_length(title) + octet_length(summary)) from content_reading) "
        "/ (select count(*) from content_reading) + (select sum(octet_length(heading) + octet_length(body)) "
        "from content_section) / (select count(*) from content_reading)"
    ),
    "database": "select pg_size_pretty(pg_database_size(current_database()))",
}


@dataclass(frozen=True)
class Facts:
    """What the report says of the data and the server they are in."""

    sizes: dict[str, str]
    settings: dict[str, str]
    samples: list[tuple[str, str]]
    seconds: float


def load(url: str, home: Path, practices: int, issuer: str, slugs: int) -> Facts:
    """Fill the database as far as it is not filled, and lay out what the peer serves."""
    started = time.monotonic()
    prepare(url)
    asyncio.run(_seed(url, home, practices, issuer))
    with psycopg.connect(url, autocommit=True) as connection:
        if not _laid_out(connection):
            connection.execute("vacuum (analyze)")
            connection.execute((HERE / "postgraphile.sql").read_text())
            connection.execute("vacuum (analyze) pgl.city, pgl.city_name, pgl.practice, pgl.reading, pgl.section")
            connection.execute("checkpoint")
            connection.execute(f"comment on schema pgl is '{_mark(connection)}'")
        sizes = {name: str(_one(connection, sql)) for name, sql in SIZES.items()}
        settings = {name: str(_one(connection, f"show {name}")) for name in SETTINGS}
        chosen = connection.execute(
            "select slug, original_locale from practice where public_from <= now() order by md5(slug) limit %s",
            (slugs,),
        ).fetchall()
    return Facts(sizes, settings, [(row[0], row[1]) for row in chosen], time.monotonic() - started)


async def _seed(url: str, home: Path, practices: int, issuer: str) -> None:
    database = Database(url)
    try:
        async with database.session() as db:
            await cities.seed(db)
        async with database.session() as db:
            await programs.seed(db, home, issuer)
        await fill(database, practices)
    finally:
        await database.close()


def _laid_out(connection: psycopg.Connection) -> bool:
    """Whether the peer's schema is there and belongs to these data and to this file."""
    made = "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'pgl'"
    row = connection.execute(made).fetchone()
    return row == (_mark(connection),)


def _mark(connection: psycopg.Connection) -> str:
    made_by = hashlib.sha256((HERE / "postgraphile.sql").read_bytes()).hexdigest()[:16]
    return f"{_one(connection, SIZES['practices'])} practices, by {made_by}"


def _one(connection: psycopg.Connection, sql: str) -> object:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0]


def address(server: postgres.Attachment) -> str:
    """The database as node's `pg` reads it: a socket folder goes into the query, the password is quoted."""
    where = f"/wego?host={quote(server.host, safe='/')}&port={server.port}"
    return f"postgresql://wego:{quote(server.password, safe='')}@{where}"
