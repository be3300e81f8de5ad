"""Practices in plain rows, for an operator at a terminal; what the world reads goes through the read engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from i18n.content import documents
from i18n.content.comparison import LocaleStatus
from i18n.content.documents import Draft, Section
from i18n.content.models import ContentReading, ContentRevision, ContentSection
from members.register.models import Organisation
from practices.cases.models import Practice, PracticeStatus
from wego.core.db import Session
from wego.core.forms import found


def _query() -> Any:
    return (
        select(
            col(Practice.slug), col(Organisation.slug).label("city"), col(Practice.status), col(Practice.visibility),
            col(Practice.original_locale), col(Practice.published_at), col(ContentReading.title),
        )
        .join(Organisation, col(Organisation.id) == col(Practice.city_id))
        .join(
            ContentReading,
            (col(ContentReading.document_id) == col(Practice.id))
            & (col(ContentReading.locale) == col(Practice.original_locale)),
        )
    )  # fmt: skip


def _plain(row: Any) -> dict[str, Any]:
    at = row.published_at
    return {
        "slug": row.slug, "city": row.city, "status": row.status, "visibility": row.visibility,
        "locale": row.original_locale, "published": at.isoformat(timespec="seconds") if at else None,
        "title": row.title,
    }  # fmt: skip


async def lines(
    db: Session, *, city: str = "", statuses: Sequence[PracticeStatus] = (), limit: int = 50
) -> list[dict[str, Any]]:
    """Practices, the newest first."""
    query = _query().order_by(col(Practice.sorted_at).desc(), col(Practice.id).desc()).limit(limit)
    if city:
        query = query.where(col(Organisation.slug) == city)
    if statuses:
        query = query.where(col(Practice.status).in_(statuses))
    return [_plain(row) for row in await db.execute(query)]


async def line(db: Session, key: UUID) -> dict[str, Any]:
    """One practice."""
    return _plain((await db.execute(_query().where(col(Practice.id) == key))).one())


async def reading(db: Session, key: UUID, locale: str = "") -> Draft:
    """The text of a practice in one language; the original where none is named."""
    if not locale:
        return await documents.written(db, key)
    tag = documents.locale_tag(locale, ("locale",))
    short = found(await db.get(ContentReading, (key, tag)))
    query = (
        select(ContentSection)
        .where(col(ContentSection.document_id) == key, col(ContentSection.locale) == tag)
        .order_by(col(ContentSection.position))
    )
    sections = (await db.execute(query)).scalars()
    return Draft(short.title, short.summary, tuple(Section(each.key, each.heading, each.body) for each in sections))


def as_data(draft: Draft) -> dict[str, Any]:
    return {"title": draft.title, "summary": draft.summary, "sections": [vars(section) for section in draft.sections]}


def progress(states: Sequence[LocaleStatus]) -> list[dict[str, Any]]:
    """How far each translation is."""
    return [
        {
            "locale": each.locale, "status": each.status, "origin": each.origin,
            "percent": each.percent_complete, "stale": len(each.stale_blocks), "missing": len(each.missing_blocks),
        }
        for each in states
    ]  # fmt: skip


def revisions(found: Sequence[ContentRevision]) -> list[dict[str, Any]]:
    """The revisions of a practice, oldest first."""
    return [
        {
            "number": each.number, "minor": each.minor, "note": each.note,
            "written": each.created_at.isoformat(timespec="seconds"),
            "published": each.published_at.isoformat(timespec="seconds") if each.published_at else None,
        }
        for each in found
    ]  # fmt: skip
