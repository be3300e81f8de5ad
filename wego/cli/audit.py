"""`wego audit …`: the log of what happened, and the proof that nobody changed it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from wego.cli.base import OPERATOR, Json, ask, embedded, emit, fail, opened, run, settings
from wego.core.db import Session

app = typer.Typer(name="audit", no_args_is_help=True, help=__doc__)


@app.command()
def verify(
    key: Annotated[
        list[str], typer.Option(help="The log's verifier key as you keep it, or a file that holds it; also repeated.")
    ] = [],  # noqa: B006 -- typer's way to say "none"
    checkpoints: Annotated[list[Path], typer.Option(help="A copy of checkpoints.jsonl from before.")] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Recompute the log and check every signed checkpoint; exit code 1 and every fault when anything is wrong."""
    from wego.core.audit.trust import Report, prove

    async def check() -> Report:
        knobs = settings()
        async with opened(knobs) as database, database.session() as db:
            return await prove(db, knobs, [*key, *knobs.audit_key.split()], checkpoints)

    found = run(check())
    faults = [{"index": fault.index, "what": fault.what} for fault in found.faults]
    told = {
        "entries": found.verdict.size, "root": found.verdict.root.hex(), "signed": found.signed,
        "erased_words": found.verdict.erased, "good": not faults, "notices": list(found.notices), "faults": faults,
    }  # fmt: skip
    emit(told, as_json)
    if faults:
        raise typer.Exit(1)


@app.command()
def checkpoint() -> None:
    """Sign the present size and root, in the database and in a file beside it."""
    from wego.core.audit.checkpoints import sign
    from wego.core.audit.keyring import KeyProblem

    async def write() -> str:
        knobs = settings()
        async with opened(knobs) as database:
            return await sign(database, knobs)

    try:
        typer.echo(run(write()), nl=False)
    except KeyProblem as problem:
        fail(str(problem))


@app.command()
def key() -> None:
    """Print the log's verifier keys, the oldest first. Keep them on another machine."""
    from wego.core.audit.keyring import KeyProblem, public_keys, signer

    knobs = settings()
    if not knobs.database_url:
        embedded(knobs)  # the key of a folder that was named by mistake would be one that signs nothing
    try:
        signer(knobs)
    except KeyProblem as problem:
        typer.secho(str(problem), err=True, fg="red")
    for each in public_keys(knobs.home)[0]:
        typer.echo(str(each))


@app.command()
def show(
    limit: Annotated[int, typer.Option(help="How many entries, newest first.")] = 20,
    city: Annotated[
        str, typer.Option(help="Only what concerns this city (its slug): also its people, practices and programs.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Print the newest entries: who did what and when, as what and by which means, what it was before and is after, and
    the words that were not erased."""
    from sqlalchemy import select
    from sqlmodel import col

    from members.register.models import Organisation
    from wego.core.models import AuditEntry, AuditWord

    async def read(db: Session) -> list[dict[str, object]]:
        query = select(AuditEntry).order_by(col(AuditEntry.index).desc()).limit(limit)
        if city:
            key = select(col(Organisation.id)).where(col(Organisation.slug) == city).scalar_subquery()
            query = query.where((col(AuditEntry.subject_id) == key) | (col(AuditEntry.place_id) == key))
        entries = (await db.execute(query)).scalars().all()
        of = select(AuditWord).where(col(AuditWord.entry).in_([entry.index for entry in entries]))
        words: dict[int, dict[str, str]] = {}
        for word in (await db.execute(of)).scalars():
            words.setdefault(word.entry, {})[word.field] = word.text
        return [
            {"index": e.index, "at": e.at.isoformat(), "event": e.event, "actor": e.actor, "acting": e.acting,
             "subject": f"{e.subject_type}:{e.subject_id}", "decided": e.decided, "facts": e.facts,
             "words": {name: words.get(e.index, {}).get(name, "(erased)") for name in e.word_hashes}}
            for e in entries
        ]  # fmt: skip

    ask(read, as_json)


@app.command()
def erase(
    cause: Annotated[str, typer.Option(help="Why, as a code such as gdpr-17 or retention; it stands in the log.")],
    index: Annotated[int | None, typer.Argument(help="The entry whose words go.")] = None,
    subject: Annotated[str, typer.Option(help="All entries about this thing (its id).")] = "",
    before: Annotated[datetime | None, typer.Option(help="All entries from before this day.")] = None,
    as_json: Json = False,
) -> None:
    """Erase the words of entries, such as reasons; the log stays provable, and tells that they were erased."""
    from wego.core.audit.words import Chosen
    from wego.core.audit.words import erase as erase_words
    from wego.core.models import AuditEntry

    if index is None and not subject and before is None:
        fail("Say whose words go: an entry's index, --subject or --before.", code=2)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{0,39}", cause):
        fail("The cause is a code of letters, digits, dots and hyphens.", code=2)
    moment = before.replace(tzinfo=UTC) if before else None

    async def work() -> list[dict[str, Any]]:
        async with opened(settings(), owner=True) as database, database.session() as db:
            old = await db.get(AuditEntry, index) if index is not None else None
            if old is not None and old.version == 1:
                fail(f"Entry {index} is from before words lay beside the log: it cannot lose them and stay provable.")
            done = await erase_words(db, OPERATOR, Chosen(index, subject or None, moment), cause)
            return [{"index": entry, "words": ", ".join(fields)} for entry, fields in done]

    found = run(work())
    if not found and not as_json:
        typer.echo("Nothing to erase.", err=True)
    else:
        emit(found, as_json)


@app.command()
def listeners(as_json: Json = False) -> None:
    """Print who listens to the log and how far he is; "" is how far any worker has followed it."""
    from wego.core.audit.cursors import every

    ask(every, as_json)


@app.command()
def skip(name: Annotated[str, typer.Argument(help="The listener, as `wego audit listeners` names it.")]) -> None:
    """Move a listener that keeps failing past the entry at which it fails; the log tells it."""
    from wego.core.audit.cursors import skip as skip_entry

    async def work() -> int | None:
        async with opened(settings()) as database, database.session() as db:
            return await skip_entry(db, OPERATOR, name)

    entry = run(work())
    if entry is None:
        fail(f"{name} fails at no entry.", "`wego audit listeners` prints who listens, and who fails.")
    typer.echo(f"{name} goes on after entry {entry}.")
