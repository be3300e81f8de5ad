"""What the role that serves may do in the database: enough to serve, and nothing that would rewrite the log.

Run by the owner after each migration, so a new table is granted with the migration that brings it. The log is only
read; entries and checkpoints come through functions that run with the owner's rights (migration 0005), and so does the
erasure of drafts (migration 0020), whose blocks are append-only as well.
"""

from __future__ import annotations

import hashlib
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from wego.postgres.roles import HUB

# Written by migrations and by the functions of the log only.
READ_ONLY = (
    "alembic_version", "audit_entry", "audit_state", "audit_checkpoint", "audit_word", "term", "term_label",
)  # fmt: skip
_APPEND = "wego_audit_append"

_TABLES = """
    SELECT c.relname, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'append_only')
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
"""
_FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND (p.proname LIKE 'wego\\_audit\\_%' OR p.prosecdef)
"""
_READY = """
    SELECT EXISTS (
        SELECT FROM pg_proc p, pg_roles r
        WHERE r.rolname = %(role)s AND p.pronamespace = current_schema()::regnamespace AND p.proname = %(function)s
          AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
          AND (r.rolname <> %(ours)s OR shobj_description(r.oid, 'pg_authid') = %(mark)s))
"""


def user_of(url: str) -> tuple[str, str]:
    """The role and the password of an address."""
    parts = urlsplit(url)
    return unquote(parts.username or ""), unquote(parts.password or "")


def is_ready(connection: psycopg.Connection, hub: str) -> bool:
    """Whether the role of this address is there, with its password and its grants."""
    role, word = user_of(hub)
    values = {"role": role, "function": _APPEND, "ours": HUB, "mark": _mark(word)}
    return connection.execute(_READY, values).fetchone() == (True,)


def prepare_role(connection: psycopg.Connection, hub: str) -> None:
    """Make the embedded server's role where it is missing, and grant what serving needs."""
    role, word = user_of(hub)
    with connection.transaction():
        if role == HUB:
            _make(connection, word)
        _grant(connection, role)


def _mark(word: str) -> str:
    """A comment on the role says which password it was given: that of a restored cluster may be another one."""
    return "the hub serves with this role; " + hashlib.sha256(word.encode()).hexdigest()


def _make(connection: psycopg.Connection, word: str) -> None:
    name = sql.Identifier(HUB)
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (HUB,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    limits = sql.SQL(
        "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
    ).format(name, sql.Literal(word))
    connection.execute(limits)
    connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(_mark(word))))


def _grant(connection: psycopg.Connection, role: str) -> None:
    found = connection.execute("SELECT current_schema()").fetchone()
    assert found is not None
    schema, name = sql.Identifier(found[0]), sql.Identifier(role)
    for text in (
        "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    ):
        connection.execute(sql.SQL(text).format(schema=schema, role=name))
    for table, append_only in connection.execute(_TABLES).fetchall():
        rights = "SELECT" if table in READ_ONLY else "SELECT, INSERT" if append_only else None
        connection.execute(
            sql.SQL("GRANT {rights} ON {table} TO {role}").format(
                rights=sql.SQL(rights or "SELECT, INSERT, UPDATE, DELETE"), table=sql.Identifier(table), role=name
            )
        )
    for (function,) in connection.execute(_FUNCTIONS).fetchall():
        connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {function} TO {role}").format(
            function=sql.SQL(function), role=name
        ))  # fmt: skip
