"""Preparing a database: migrations, and the words of the fixed vocabularies in every language."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import psycopg

from members.register import places
from wego import migrations, packages, postgres, roles
from wego.core.settings import Settings

Terms = Iterator[tuple[str, str, int, dict[str, str]]]
LOCK = 0x5EC0DE  # any number, the same in every process


@dataclass(frozen=True, slots=True)
class Addresses:
    """Two ways to one database: as the role that serves, and as the owner of the tables, who migrates."""

    hub: str
    owner: str


def addresses(settings: Settings, held: postgres.Attachment | None) -> Addresses:
    """The addresses of the embedded database that is held, or those of the settings. With one address alone, the
    hub serves as the owner, and `wego doctor` says so."""
    if held is not None:
        return Addresses(postgres.as_hub(held.url), held.url)
    return Addresses(settings.database_url, settings.migration_url or settings.database_url)


def prepare(owner: str, hub: str | None = None) -> None:
    """Migrate to the newest version when needed, load the vocabularies, put cities in their places, and see to the role
    that serves. One process at a time."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    serving = hub if hub != owner else None
    with psycopg.connect(owner, autocommit=True) as connection:
        if _is_ready(connection, serving):
            return
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        if not _is_current(connection):
            migrations.upgrade(owner)
            load_terms(connection)
        elif _is_ready(connection, serving):
            return
        places.refresh(connection)
        if serving is not None:
            roles.prepare_role(connection, serving)


def _is_ready(connection: psycopg.Connection, hub: str | None) -> bool:
    there = _is_current(connection) and places.are_current(connection)
    return there and (hub is None or roles.is_ready(connection, hub))


def _is_current(connection: psycopg.Connection) -> bool:
    if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
        return False
    return connection.execute("select version_num from alembic_version").fetchone() == (migrations.head(),)


def load_terms(connection: psycopg.Connection) -> None:
    """Write every word of the vocabularies and its labels, replacing older labels; what is no word of theirs any more
    is retired."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("update term set retired = true")
        for scheme, code, position, labels in chain.from_iterable(room.terms() for room in packages.brought("terms")):
            cursor.execute(
                "insert into term (id, scheme, code, position) values (gen_random_uuid(), %s, %s, %s) "
                "on conflict (scheme, code) do update set position = excluded.position, retired = false",
                (scheme, code, position),
            )
            cursor.executemany(
                "insert into term_label (scheme, code, locale, label) values (%s, %s, %s, %s) "
                "on conflict (scheme, code, locale) do update set label = excluded.label",
                [(scheme, code, locale, label) for locale, label in labels.items()],
            )
