"""Every step up and down, on the wheel's PostgreSQL and on one found on the machine; models and migrations agree."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from federation.replay import once
from wego import migrations
from wego.core import postgres
from wego.setup import prepare

FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


def servers() -> list[object]:
    """One parameter per kind of server: the wheel's, and the newest other one on this machine."""
    found = postgres.providers()
    wheel = [each for each in found if each.name is postgres.Source.EMBEDDED][:1]
    system = [each for each in found if each.name in (postgres.Source.PATH, postgres.Source.SYSTEM)][:1]
    reason = "no PostgreSQL besides the wheel's is installed here"
    return [pytest.param(each.bin, id=f"{each.name}-{each.version}") for each in (*wheel, *system)] + (
        [] if system else [pytest.param(None, id="system", marks=pytest.mark.skip(reason=reason))]
    )


@pytest.fixture(params=servers())
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="wego-mig-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    with postgres.attach(home, binaries=request.param, tuning=FAST) as server:
        yield server.url
        postgres.stop(home)
    shutil.rmtree(home, ignore_errors=True)


def steps() -> list[str]:
    script = ScriptDirectory.from_config(migrations.config("postgresql://unused"))
    return [each.revision for each in script.walk_revisions()][::-1]


def test_every_step_goes_up_and_down_and_up_again(url: str):
    for before, step in zip(["base", *steps()], steps(), strict=False):
        migrations.upgrade(url, step)
        migrations.downgrade(url, before)
        migrations.upgrade(url, step)
    migrations.downgrade(url, "base")
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace "
            "and c.relname not like 'alembic_version%'"
        ).fetchall()
    assert left == []


def test_what_was_used_before_0007_stays_used(url: str):
    ends = datetime(2026, 11, 25, 4, 0, 0, 500_000, tzinfo=UTC)
    used = hashlib.sha256(b"dpop:key:jti").digest()
    every = steps()
    migrations.upgrade(url, every[every.index("0007") - 1])
    with psycopg.connect(url) as connection:
        connection.execute("insert into oauth_replay (digest, expires_at) values (%s, %s)", (used, ends))
    migrations.upgrade(url, "0007")
    with psycopg.connect(url) as connection:
        kept = connection.execute("select key from oauth_replay").fetchall()
    assert kept == [(once("dpop", "key", "jti", ends.timestamp(), 65).key,)]


def test_models_and_migrations_agree(url: str):
    migrations.upgrade(url)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: not (kind == "table" and str(name).startswith("procrastinate_")),
            },
        )
        assert compare_metadata(context, migrations.metadata()) == []
    engine.dispose()


def test_preparing_twice_changes_nothing_and_loads_every_label(url: str):
    prepare(url)
    prepare(url)
    with psycopg.connect(url) as connection:
        counted = connection.execute(
            "select scheme, count(distinct code), count(*) from term_label group by scheme order by scheme"
        ).fetchall()
    assert {row[0] for row in counted} >= {"country", "region", "sdg", "theme"}
    assert all(labels == 16 * codes for _, codes, labels in counted)


def test_the_log_refuses_to_be_changed(url: str):
    prepare(url)
    for statement in ("update audit_entry set actor = 'x'", "delete from audit_entry", "truncate audit_entry"):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)
