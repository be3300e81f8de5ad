"""The place of an organisation in lists by name: one sort key for each language of the hub, made of the name that a
reader of this language sees.

They are written with the names, and again when the hub starts where they are not of the present kind: another version
of the rules, a new language, or an organisation that came into the table by another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.dialects.postgresql import insert

from i18n.language.collation import VERSION, sort_key
from i18n.language.locales import DEFAULT, LOCALES, reading_list
from members.register.models import OrganisationPlace
from wego.core.db import Session

COLUMNS = ("organisation_id", "locale", "key", "version")
_STALE = """
    select c.id, (select jsonb_object_agg(n.locale, n.name) from organisation_name n where n.organisation_id = c.id)
    from organisation c where (
        select count(*) from organisation_place p where p.organisation_id = c.id and p.version = %s
    ) <> %s
"""
_WRITE = """
    insert into organisation_place (organisation_id, locale, key, version)
    values (%(organisation_id)s, %(locale)s, %(key)s, %(version)s)
    on conflict (organisation_id, locale) do update set key = excluded.key, version = excluded.version
"""


def rows(key: UUID, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The places of an organisation with these names, one for each language."""
    for locale in LOCALES:
        wanted = reading_list((locale, DEFAULT)).tags
        shown = next((names[tag] for tag in wanted if tag in names), "")
        yield dict(zip(COLUMNS, (key, locale, sort_key(locale, shown), VERSION), strict=True))


async def write(db: Session, key: UUID, names: Mapping[str, str]) -> None:
    """Put an organisation in its places, in the transaction that names it."""
    query = insert(OrganisationPlace)
    fresh = {"key": query.excluded.key, "version": query.excluded.version}
    merge = query.on_conflict_do_update(index_elements=["organisation_id", "locale"], set_=fresh)
    await db.execute(merge, list(rows(key, names)))


def are_current(connection: psycopg.Connection) -> bool:
    """Whether every organisation stands in its places."""
    return connection.execute(f"select not exists ({_STALE})", (VERSION, len(LOCALES))).fetchone() == (True,)


def refresh(connection: psycopg.Connection) -> int:
    """Write the places that are not of the present kind; of how many organisations."""
    stale = connection.execute(_STALE, (VERSION, len(LOCALES))).fetchall()
    if stale:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(_WRITE, [row for key, names in stale for row in rows(key, names or {})])
    return len(stale)
