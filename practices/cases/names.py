"""The names of case studies: another one for the same practice, to which the old one goes on leading.

Who was shown a name is kept with it (`FormerSlug`); the others do not learn that there was one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from practices.cases import life, slugs
from practices.cases.life import Verb
from practices.cases.models import Practice, PracticeStatus
from practices.cases.reach import reach
from practices.cases.telling import standing, tell
from wego.core.access import Actor
from wego.core.db import Session
from wego.core.errors import Conflict


async def rename(db: Session, actor: Actor, key: UUID, slug: str, *, now: datetime | None = None) -> Practice:
    """Give a practice another name in addresses. Names that it had stay its own, so it can take one back."""
    practice, step = await reach(db, actor, key, Verb.RENAME)
    slugs.wished(slug)
    if slug == practice.slug:
        return practice
    if await slugs.free_slug(db, slug, practice.city_id, actor, but=key) != slug:
        raise Conflict("Another practice has this name.", path=("input", "slug"))
    was, at = standing(practice, now), now or datetime.now(UTC)
    await slugs.rename(db, practice, slug, was, at)
    life.settle(practice, at)
    await tell(db, actor, step, practice, was, at, live=practice.status is PracticeStatus.PUBLISHED)
    return practice
