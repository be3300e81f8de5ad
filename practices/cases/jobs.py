"""What happens to practices by the clock: an embargo ends, and whoever follows the log is told."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from wego.core import access, audit
from wego.core.audit import Event, Happening, Subject
from wego.core.db import Database
from wego.core.jobs import job

CLOCK = access.system("clock")
BATCH = 500
FAR = "7 days"  # how far back is looked: a worker that was away for longer is told of by readiness long before

# Whose last entry that says who reads it says so of members: nobody told yet that everybody may.
_OPENED = text(f"""
    SELECT p.id, p.city_id, p.public_from FROM practice p
    WHERE p.public_from BETWEEN CAST(:now AS timestamptz) - interval '{FAR}' AND CAST(:now AS timestamptz)
      AND p.status = 'published' AND p.visibility = 'embargo' AND 'members' = (
        SELECT e.decided->'readers'->>'after' FROM audit_entry e
        WHERE e.subject_id = p.id AND e.decided ? 'readers' ORDER BY e.index DESC LIMIT 1)
    ORDER BY p.public_from, p.id LIMIT {BATCH} FOR UPDATE OF p SKIP LOCKED
""")


@job("practices.tell_opened", cron="* * * * *")
async def tell_opened(database: Database, now: str | None = None) -> None:
    """Tell of each embargo that ended that everybody reads the practice now, once."""
    at = datetime.fromisoformat(now) if now else datetime.now(UTC)
    async with database.session() as db:
        rows = (await db.execute(_OPENED, {"now": at})).all()
        told = [
            Happening(
                Event.PRACTICE_OPENED, Subject.PRACTICE, row.id, {}, row.public_from,
                decided={"readers": ("members", "public")}, place=row.city_id,
            )
            for row in rows
        ]  # fmt: skip
        await audit.record_all(db, CLOCK, told)
