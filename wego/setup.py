"""Preparing a database: migrations, and the words of the fixed vocabularies in every language."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg

from members.terms import terms as member_terms
from practices.terms import terms as practice_terms
from wego import migrations

Terms = Iterator[tuple[str, str, int, dict[str, str]]]
LOCK = 0x5EC0DE  # any number, the same in every process


def prepare(url: str) -> None:
    """Migrate to the newest version when needed, and load the vocabularies. One process at a time."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with psycopg.connect(url, autocommit=True) as connection:
        if _is_current(connection):
            return
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        if not _is_current(connection):
            migrations.upgrade(url)
            load_terms(connection)


def _is_current(connection: psycopg.Connection) -> bool:
    if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
        return False
    return connection.execute("select version_num from alembic_version").fetchone() == (migrations.head(),)


def load_terms(connection: psycopg.Connection) -> None:
    """Write every word of the vocabularies and its labels, replacing older labels."""
    with connection.transaction(), connection.cursor() as cursor:
        for scheme, code, position, labels in (*member_terms(), *practice_terms()):
            cursor.execute(
                "insert into term (id, scheme, code, position) values (gen_random_uuid(), %s, %s, %s) "
                "on conflict (scheme, code) do update set position = excluded.position",
                (scheme, code, position),
            )
            cursor.executemany(
                "insert into term_label (scheme, code, locale, label) values (%s, %s, %s, %s) "
                "on conflict (scheme, code, locale) do update set label = excluded.label",
                [(scheme, code, locale, label) for locale, label in labels.items()],
            )
