"""Erasing the words of entries, while the log stays provable.

The word and its salt go; the entry keeps the hash, from which nothing can be guessed without the salt. An entry tells
which words were erased, for which reason (a code), so that a word that merely vanished is found by `verify`. The same
words in the timeline of a membership go along. Only the owner of the tables can erase: the hub's own role cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from wego.core.access import Actor
from wego.core.audit.entries import Event, Happening
from wego.core.audit.log import record_all
from wego.core.db import Session

BATCH = 10_000

_WHICH = """
    SELECT e.index FROM audit_entry e WHERE e.index IN (SELECT entry FROM audit_word)
      AND (CAST(:index AS bigint) IS NULL OR e.index = CAST(:index AS bigint))
      AND (CAST(:subject AS uuid) IS NULL OR e.subject_id = CAST(:subject AS uuid))
      AND (CAST(:before AS timestamptz) IS NULL OR e.at < CAST(:before AS timestamptz))
    ORDER BY e.index LIMIT :batch
"""
_ERASE = text(f"""
    WITH chosen AS ({_WHICH}),
    gone AS (DELETE FROM audit_word w USING chosen c WHERE w.entry = c.index RETURNING w.entry, w.field, w.text),
    lost AS (
        SELECT e.subject_id, g.field, g.text FROM gone g JOIN audit_entry e ON e.index = g.entry
        WHERE e.subject_type IN ('City', 'Organisation')),
    steps AS (
        UPDATE membership_step s
        SET reason = CASE WHEN (s.organisation_id, 'reason', s.reason) IN (TABLE lost) THEN '' ELSE s.reason END,
            reference = CASE WHEN (s.organisation_id, 'reference', s.reference) IN (TABLE lost)
                        THEN '' ELSE s.reference END
        WHERE (s.organisation_id, 'reason', s.reason) IN (TABLE lost)
           OR (s.organisation_id, 'reference', s.reference) IN (TABLE lost))
    SELECT e.index AS entry, e.subject_type, e.subject_id, e.place_id, array_agg(g.field ORDER BY g.field) AS fields
    FROM gone g JOIN audit_entry e ON e.index = g.entry GROUP BY e.index ORDER BY e.index
""")


@dataclass(frozen=True)
class Chosen:
    """Whose words go: of one entry, of all entries about a subject, of all before a moment; all that is given holds."""

    index: int | None = None
    subject: str | None = None
    before: datetime | None = None


async def erase(db: Session, actor: Actor, chosen: Chosen, cause: str) -> Sequence[tuple[int, Sequence[str]]]:
    """Erase, and tell it; which entries lost which words. At most BATCH entries at once."""
    values: dict[str, Any] = {
        "index": chosen.index, "subject": chosen.subject, "before": chosen.before, "batch": BATCH,
    }  # fmt: skip
    rows = (await db.execute(_ERASE, values)).all()
    await record_all(
        db, actor,
        [
            Happening(
                Event.WORDS_ERASED, row.subject_type, row.subject_id,
                {"entry": row.entry, "fields": list(row.fields), "cause": cause}, place=row.place_id,
            )
            for row in rows
        ],
    )  # fmt: skip
    return [(row.entry, row.fields) for row in rows]
