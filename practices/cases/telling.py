"""What the log tells of a practice: each step with its event, and what of its standing it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from practices.cases.facts import Visibility
from practices.cases.life import Verb
from practices.cases.models import Practice, PracticeStatus
from wego.core import audit
from wego.core.access import Actor
from wego.core.audit import Subject
from wego.core.db import Session
from wego.core.machine import Step, To

Standing = Mapping[str, str]
NOTHING: Standing = {}  # of what was not there yet


def standing(practice: Practice, now: datetime | None = None) -> Standing:
    """Its state, for whom it is meant, and who reads it now beside those who work on it: its `city`, all `members`, or
    the `public`. Ask it before the step; what it is after the step, `tell` sees."""
    at, opens = now or datetime.now(UTC), practice.public_from
    shared = practice.status is PracticeStatus.PUBLISHED and practice.visibility is not Visibility.PRIVATE
    readers = "public" if opens is not None and opens <= at else "members" if shared else "city"
    return {"status": practice.status.value, "visibility": practice.visibility.value, "readers": readers}


async def tell(
    db: Session, actor: Actor, step: Step[PracticeStatus, Verb], practice: Practice, was: Standing, now: datetime, *,
    words: Mapping[str, str] | None = None, **facts: Any,
) -> None:  # fmt: skip
    """Tell a step that was taken, after `settle`."""
    present = NOTHING if step.target is To.GONE else standing(practice, now)
    await audit.record(
        db, actor, step.event, Subject.PRACTICE, practice.id, place=practice.city_id, under=step.who.permission,
        decided={name: (was.get(name), present.get(name)) for name in {**was, **present}
                 if was.get(name) != present.get(name)},
        words=words or {}, **facts,
    )  # fmt: skip
