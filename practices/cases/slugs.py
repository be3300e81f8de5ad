"""Names of practices in addresses: readable, and telling nothing that their reader may not know.

A name belongs to its city alone. What others hide takes none away, so nobody learns from a name that he cannot have.
When a practice is opened to others, it gets one that none of those has that they see, and none that was made of a title
which they never saw.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, union
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col

from i18n.content.documents import Titled
from practices.cases.facts import Visibility
from practices.cases.models import FormerSlug, Practice, PracticeStatus
from practices.cases.telling import Standing
from wego.core.access import Actor, Permission
from wego.core.db import Session
from wego.core.errors import Invalid
from wego.core.ids import new_id

MOST_SLUG = 60
MOST_NUMBERED = 100  # names that differ by a number alone; those that follow get a part of a key
# Letters that NFKD does not take apart.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "ı": "i",
    }
)


def slug_of(title: str, key: UUID) -> str:
    """The name of a practice in addresses: ASCII from its title, or from its key where the title has too
    little."""
    plain = unicodedata.normalize("NFKD", title.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) > MOST_SLUG:
        slug = slug[:MOST_SLUG].rpartition("-")[0] or slug[:MOST_SLUG]
    return slug if sum(map(str.isalpha, slug)) >= 3 else f"practice-{key.hex[-12:]}"


def wished(slug: str | None) -> str | None:
    if slug is not None and (len(slug) > MOST_SLUG or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)):
        raise Invalid(
            "Use at most {limit} lower case letters, digits and hyphens.", path=("input", "slug"), limit=MOST_SLUG
        )
    return slug


async def free_slug(
    db: Session, wanted: str, city_id: UUID, actor: Actor | None = None, *, but: UUID | None = None
) -> str:
    """A name that no other practice has, or had, of those that the city sees: its own, what is published for members,
    and what the actor may read besides. What others hide takes no name away, so a name tells nothing of it. Those who
    look for the same name at once take turns."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"practice {wanted}", 0))))
    own = [city_id, *(actor.places_with(Permission.PRACTICE_READ) if actor else ())]
    seen = col(Practice.city_id).in_(own) | (
        (col(Practice.status) == PracticeStatus.PUBLISHED) & (col(Practice.visibility) != Visibility.PRIVATE)
    )
    numbered = [wanted, *(f"{wanted}-{number}" for number in range(2, MOST_NUMBERED))]
    present = select(col(Practice.slug)).where(col(Practice.slug).in_(numbered), seen)
    shown = col(Practice.city_id).in_(own) | col(FormerSlug.shown_to_members) | col(FormerSlug.shown_to_public)
    former = (
        select(col(FormerSlug.slug))
        .join(Practice, col(Practice.id) == col(FormerSlug.practice_id))
        .where(col(FormerSlug.slug).in_(numbered), shown)
    )
    others = [query if but is None else query.where(col(Practice.id) != but) for query in (present, former)]
    taken = set((await db.execute(union(*others))).scalars())
    return next((name for name in numbered if name not in taken), f"{wanted}-{new_id().hex[-12:]}")


async def rename(db: Session, practice: Practice, slug: str, was: Standing, at: datetime) -> None:
    """Give a practice another name, and keep the one it had for those who were shown it; `was` is its standing before
    what is done now."""
    public = was["readers"] == "public"
    kept = upsert(FormerSlug).values(
        practice_id=practice.id, slug=practice.slug, until=at, shown_to_public=public,
        shown_to_members=public or was["readers"] == "members",
    )  # fmt: skip
    wider = {
        name: or_(col(getattr(FormerSlug, name)), kept.excluded[name])
        for name in ("shown_to_members", "shown_to_public")
    }
    await db.execute(
        kept.on_conflict_do_update(
            index_elements=["practice_id", "slug"],
            set_={**wider, "until": at},
        )
    )
    practice.slug = slug


def telling_nothing(practice: Practice, present: str, earlier: Sequence[Titled], at: datetime) -> str:
    """The name in addresses, or another where it was made of an earlier title that the readers of now never saw."""
    hidden: set[str] = set()
    known = {slug_of(present, practice.id)}
    for title, members_from, public_from in earlier:
        since = members_from if practice.visibility is Visibility.MEMBERS else public_from
        read = since is not None and since <= at
        (known if read else hidden).add(slug_of(title, practice.id))
    names = {practice.slug, re.sub(r"-[0-9]+$", "", practice.slug)}
    return slug_of(present, practice.id) if names & (hidden - known) else practice.slug
