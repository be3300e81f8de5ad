"""What happens to members at night: a notice period that is over ends the membership.

Binding text: design/domain.md section 5.2 (resigning → resigned).
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from members.membership import membership
from members.register.models import Membership, MembershipStatus
from wego.core import access
from wego.core.db import Database
from wego.core.errors import Conflict
from wego.core.jobs import job

NIGHT = access.system("nightly job")


@job("members.end_notices", cron="15 1 * * *")
async def end_notices(database: Database, now: datetime | None = None) -> None:
    """End every membership whose notice period is over; one transaction each, so that none holds up another."""
    at = now or datetime.now(UTC)
    for key in await _due(database, at):
        try:
            async with database.session() as db:
                await membership.end_notice(db, NIGHT, key, now=at)
        except Conflict:  # somebody else was faster, or the notice was answered meanwhile: nothing is left to do
            continue


async def _due(database: Database, at: datetime) -> list[UUID]:
    query = select(col(Membership.organisation_id)).where(
        col(Membership.ends_on) <= at.date(),
        col(Membership.status).in_([MembershipStatus.RESIGNING, MembershipStatus.SUSPENDED]),
    )
    async with database.session() as db:
        return list((await db.execute(query.order_by(col(Membership.organisation_id)))).scalars())
