"""`wego audit …`: the log of what happened, and the proof that nobody changed it."""

from __future__ import annotations

from typing import Annotated

import typer

from wego.cli.base import Json, ask, emit, opened, run, settings
from wego.core import audit as log
from wego.core.db import Session

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def verify(as_json: Json = False) -> None:
    """Recompute the log; exit code 1 and every fault when an entry was changed, removed or reordered."""
    from wego.checkpoints import kept

    async def check() -> log.Verdict:
        knobs = settings()
        async with opened(knobs) as database, database.session() as db:
            return await log.verify(db, kept(knobs.home))

    found = run(check())
    faults = [{"index": fault.index, "what": fault.what} for fault in found.faults]
    emit({"entries": found.size, "root": found.root.hex(), "good": not faults, "faults": faults}, as_json)
    if faults:
        raise typer.Exit(1)


@app.command()
def checkpoint() -> None:
    """Sign the present size and root, in the database and in a file beside it."""
    from wego.checkpoints import sign

    async def write() -> str:
        knobs = settings()
        async with opened(knobs) as database, database.session() as db:
            return await sign(db, knobs)

    typer.echo(run(write()), nl=False)


@app.command()
def show(
    limit: Annotated[int, typer.Option(help="How many entries, newest first.")] = 20,
    city: Annotated[str, typer.Option(help="Only what happened to this city (its slug).")] = "",
    as_json: Json = False,
) -> None:
    """Print the newest entries: who did what and when."""
    from sqlalchemy import select
    from sqlmodel import col

    from members.models import City
    from wego.core.models import AuditEntry

    async def read(db: Session) -> list[dict[str, object]]:
        query = select(AuditEntry).order_by(col(AuditEntry.index).desc()).limit(limit)
        if city:
            query = query.where(col(AuditEntry.subject_id).in_(select(col(City.id)).where(col(City.slug) == city)))
        entries = (await db.execute(query)).scalars().all()
        return [
            {"index": e.index, "at": e.at.isoformat(), "event": e.event, "actor": e.actor,
             "subject": f"{e.subject_type}:{e.subject_id}", "facts": e.facts}
            for e in entries
        ]  # fmt: skip

    ask(read, as_json)
