"""The role that serves: what it must not be able to do to the log, the tables and the server."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import psycopg
import pytest

from wego import postgres
from wego.core import audit
from wego.core.access import system
from wego.core.audit import Event, Subject
from wego.core.db import Database
from wego.core.ids import new_id
from wego.setup import prepare

from ..conftest import owner_url

LOG = ("audit_entry", "audit_state", "audit_checkpoint", "audit_word")
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError)


def attempts() -> list[str]:
    each = (
        "delete from {t}", "truncate {t}", "drop table {t}", "alter table {t} disable trigger all",
        "alter table {t} add column x int", "alter table {t} owner to current_user", "create index on {t} ((1))",
        "create trigger x before insert on {t} for each row execute function wego_refuse_change()",
        "create rule x as on insert to {t} do instead nothing", 
        "insert into {t} select * from {t}", "begin; lock table {t} in share mode; commit",
    )  # fmt: skip
    written = {"audit_entry": "actor = 'x'", "audit_state": "size = 0", "audit_checkpoint": "note = ''",
               "audit_word": "text = ''"}  # fmt: skip
    return [text.format(t=table) for table in LOG for text in each] + [
        f"update {table} set {what}" for table, what in written.items()
    ]


SERVER = (
    "set session_replication_role = replica",
    "alter table membership_step disable trigger all",
    "update membership_step set reason = 'x'",
    "delete from content_block",
    "drop function wego_refuse_change() cascade",
    "create or replace function wego_refuse_change() returns trigger language plpgsql as 'begin return null; end'",
    "alter function wego_audit_signed(bigint, bytea, text) owner to current_user",
    "alter function wego_audit_signed(bigint, bytea, text) set search_path = pg_temp",
    "create table mine (x int)",
    "create function mine() returns int language sql as 'select 1'",
    "create schema mine",
    "create extension pg_stat_statements",
    "create role other superuser",
    "alter role current_user superuser",
    "set role wego",
    "grant wego to current_user",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/wego-out'",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "select rolpassword from pg_authid",
    "alter system set fsync = off",
    "select pg_switch_wal()",
    "create database other",
    "drop database current_database_of_nobody",
    "update alembic_version set version_num = '0001'",
    "delete from term_label",
)


@pytest.mark.parametrize("statement", [*attempts(), *SERVER])
async def test_the_hubs_role_can_do_nothing_to_the_log_or_the_server(database: Database, statement: str) -> None:
    async with database.session() as db:
        await audit.record(
            db, system("test"), Event.KEY_ROTATED, Subject.TOKEN_KEY, new_id(), words={"reason": "a word"}
        )
    connection = await asyncpg.connect(database.url)
    try:
        if statement.startswith("drop database"):
            with pytest.raises((*REFUSED, asyncpg.InvalidCatalogNameError)):
                await connection.execute(statement)
        else:
            with pytest.raises(REFUSED):
                await connection.execute(statement)
    finally:
        await connection.close()
    async with database.session() as db:
        assert (await audit.verify(db)).faults == ()


async def test_the_hubs_role_can_give_itself_nothing(database: Database) -> None:
    """A GRANT without the right to grant is a warning and no error, so the rights themselves are looked at."""
    connection = await asyncpg.connect(database.url)
    for table in LOG:
        await connection.execute(f"grant all on {table} to current_user")
        rights = await connection.fetchval(
            "select array_agg(r) from unnest(array['insert', 'update', 'delete', 'truncate', 'trigger']) r "
            "where has_table_privilege($1, r)", table,
        )  # fmt: skip
        assert rights is None
    await connection.close()


async def test_the_hubs_role_owns_nothing_and_is_nobody(database: Database) -> None:
    async with database.session() as db:
        raw = await db.connection()
        row = (
            await raw.exec_driver_sql(
                "select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls, current_user, "
                "(select count(*) from pg_class c where c.relowner = r.oid), "
                "(select count(*) from pg_auth_members m where m.member = r.oid) "
                "from pg_roles r where rolname = current_user"
            )
        ).one()
    assert tuple(row) == (False, "wego_hub", 0, 0)


async def test_a_name_that_the_hub_puts_before_ours_changes_nothing(database: Database) -> None:
    """A function that runs with the owner's rights must not be talked into somebody else's table."""
    connection = await asyncpg.connect(database.url)
    await connection.execute("create temp table audit_state (size bigint, root bytea, frontier bytea)")
    await connection.execute("create temp table access_epoch (seq bigint)")
    await connection.execute("set search_path = pg_temp, public")
    await connection.execute(
        "select wego_audit_append(false, 1000, true, array[now()], array['key.rotated'], array['x'], array['Thing'], "
        "array[gen_random_uuid()], array['{}'], array['{}'], array[''::bytea], array[''::bytea], "
        "array['{}'], array['{}'], array[null::uuid], "
        "'{}'::int[], '{}'::text[], '{}'::bytea[], '{}'::text[])"
    )
    assert await connection.fetchval("select count(*) from pg_temp.audit_state") == 0
    assert await connection.fetchval("select size from public.audit_state") == 1
    await connection.close()


def test_the_role_is_made_in_an_old_folder_and_its_password_is_mended(tmp_path: Path) -> None:
    """A folder from before has no such role; a cluster that was brought from elsewhere has another password."""
    with postgres.attach(tmp_path / "home", tuning={"fsync": "off"}, grace=0) as held:
        owner, hub = held.url, postgres.as_hub(held.url)
        prepare(owner)
        with pytest.raises(psycopg.OperationalError), psycopg.connect(hub):
            pass
        prepare(owner, hub)
        with psycopg.connect(hub) as connection:
            assert connection.execute("select count(*) from audit_entry").fetchone() == (0,)
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("alter role wego_hub password 'another'")
            connection.execute("comment on role wego_hub is 'of another cluster'")
            connection.execute("drop owned by wego_hub")
        prepare(owner, hub)
        with psycopg.connect(hub) as connection:
            assert connection.execute("select count(*) from audit_entry").fetchone() == (0,)
        assert held.password not in hub
        postgres.stop(tmp_path / "home")


def test_the_owners_address_is_never_that_of_the_hub(database: Database) -> None:
    assert owner_url(database.url) != database.url
    assert postgres.as_hub(owner_url(database.url)) == database.url
    with pytest.raises(ValueError, match="owner"):
        postgres.as_hub(database.url)
