"""Preparing a database: migrations, and the words of the fixed vocabularies in every language."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain

import orjson
import psycopg
from psycopg import sql

from members.register import places
from wego import migrations, packages, postgres, roles
from wego.core.settings import Settings

Term = tuple[str, str, int, dict[str, str]]  # scheme, code, position, labels by locale
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


class Unready(Exception):
    """Why a database is not one that this version works with; the hint says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def prepare(owner: str, hub: str | None = None, *, migrate: bool = True) -> None:
    """Migrate to the newest version when needed, bring the words of the vocabularies and what is stored of names up to
    date, and see to the role that serves. One process at a time. Without `migrate`, a database of another version is
    Unready, and an empty one stays empty."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    serving = hub if hub != owner else None
    with psycopg.connect(owner, autocommit=True, connect_timeout=10) as connection:
        _check_version(connection, migrate=migrate)
        if _is_ready(connection, serving):
            return
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        if _version(connection) != migrations.head():
            migrations.upgrade(owner)
        if _words_on_file(connection) != words_mark():
            load_terms(connection)
        places.refresh(connection)
        if serving is not None:
            roles.prepare_role(connection, serving)


def _check_version(connection: psycopg.Connection, *, migrate: bool) -> None:
    version = _version(connection)
    if version is not None and not migrations.is_known(version):
        raise Unready(f"The database is of a newer version of the hub ({version}).", "Update this installation.")
    if migrate or version == migrations.head():
        return
    if version is None:
        raise Unready("There is no hub in this database yet.", "`wego migrate` makes one, `wego demo` fills it too.")
    raise Unready(f"The database is of an older version of the hub ({version}).", "`wego migrate` renews it.")


def _is_ready(connection: psycopg.Connection, hub: str | None) -> bool:
    current = _version(connection) == migrations.head() and _words_on_file(connection) == words_mark()
    return current and places.are_current(connection) and (hub is None or roles.is_ready(connection, hub))


def _version(connection: psycopg.Connection) -> str | None:
    """The version of the database; None when nothing of the hub is there."""
    if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
        return None
    found = connection.execute("select version_num from alembic_version").fetchone()
    return str(found[0]) if found else None


def _terms() -> Iterator[Term]:
    """Every word of every vocabulary."""
    return chain.from_iterable(room.terms() for room in packages.brought("terms"))


def words_mark() -> str:
    """The digest of all words and labels: kept as the comment of their table, it tells whether they have changed."""
    return sha256(orjson.dumps(list(_terms()), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _words_on_file(connection: psycopg.Connection) -> str | None:
    found = connection.execute("select obj_description('term'::regclass, 'pg_class')").fetchone()
    return found[0] if found else None


def load_terms(connection: psycopg.Connection) -> None:
    """Write every word of the vocabularies and its labels, replacing older labels; what is no word of theirs any more
    is retired."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("update term set retired = true")
        for scheme, code, position, labels in _terms():
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
        cursor.execute(sql.SQL("comment on table term is {}").format(sql.Literal(words_mark())))
