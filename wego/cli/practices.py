"""`wego practices`: case studies at a terminal.

The commands call the services that the API calls, as the actor "operator", and are in the log like every other act.
Those that take a file are in `writing.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import typer

from i18n.content import comparison
from members.people import people
from practices.cases import archives, drafts, files, names, overview, practices
from practices.cases.models import PracticeStatus
from practices.cases.reach import by_slug
from practices.reviews import reviews
from wego.cli import writing
from wego.cli.base import OPERATOR, Json, agreed, ask, done, fail
from wego.cli.writing import Slug, Yes, state
from wego.core.access import Actor, Means
from wego.core.db import Session
from wego.core.forms import found

app = typer.Typer(name="practices", no_args_is_help=True, help="Case studies: write, translate, review, publish.")

Conflict = Annotated[str, typer.Option(help="A conflict of interest, in words; absent for none.")]
Acting = Annotated[str, typer.Option("--as", help="The e-mail address of the person who reviews.")]


async def _person(db: Session, email: str) -> Actor:
    known = await people.actor_of(db, found(await people.by_email(db, email)).id)
    return replace(known, means=Means.TERMINAL)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("list")
def list_practices(
    city: Annotated[str, typer.Option(help="Only of this city (slug).")] = "",
    status: Annotated[list[PracticeStatus] | None, typer.Option(help="Only in this state; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List practices, the newest first."""
    ask(lambda db: overview.lines(db, city=city, statuses=status or (), limit=limit), as_json)


@app.command()
def show(
    slug: Slug,
    locale: Annotated[str, typer.Option(help="In this language; absent for the original.")] = "",
    as_json: Json = False,
) -> None:
    """Print a practice as its Markdown file, or with --json as data."""

    async def work(db: Session) -> Any:
        draft = await overview.reading(db, await by_slug(db, OPERATOR, slug), locale)
        return overview.as_data(draft) if as_json else files.as_text(draft)

    ask(work, as_json)


@app.command()
def status(slug: Slug, as_json: Json = False) -> None:
    """Show how far each translation is."""

    async def work(db: Session) -> list[dict[str, Any]]:
        return overview.progress(await comparison.status(db, await by_slug(db, OPERATOR, slug)))

    ask(work, as_json)


@app.command()
def history(slug: Slug, as_json: Json = False) -> None:
    """Show the revisions of a practice."""

    async def work(db: Session) -> list[dict[str, Any]]:
        return overview.revisions(await practices.versions(db, OPERATOR, await by_slug(db, OPERATOR, slug)))

    ask(work, as_json)


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

for command in (writing.draft, writing.revise, writing.translate):
    app.command()(command)


@app.command()
def release(
    slug: Slug,
    locale: Annotated[str, typer.Option(help="The language of the translation (BCP 47).")],
    as_json: Json = False,
) -> None:
    """Make live what waits of a translation of a published practice."""

    async def work(db: Session) -> list[dict[str, Any]]:
        key = await by_slug(db, OPERATOR, slug)
        await practices.release_translation(db, OPERATOR, key, locale)
        return overview.progress(await comparison.status(db, key))

    ask(work, as_json)


# ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def submit(slug: Slug, as_json: Json = False) -> None:
    """Hand a practice in for review."""

    async def work(db: Session) -> dict[str, Any]:
        made = await reviews.submit(db, OPERATOR, await by_slug(db, OPERATOR, slug))
        return await state(db, made.practice.id, made.hints)

    ask(work, as_json)


@app.command()
def withdraw(slug: Slug, as_json: Json = False) -> None:
    """Take a practice back from review: it is a draft of its city again."""

    async def work(db: Session) -> dict[str, Any]:
        return await state(db, (await reviews.withdraw(db, OPERATOR, await by_slug(db, OPERATOR, slug))).id)

    ask(work, as_json)


@app.command("assign-reviewer")
def assign_reviewer(
    slug: Slug,
    reviewer: Annotated[str, typer.Argument(help="The e-mail address of a person of another city.")],
    conflict: Conflict = "",
    as_json: Json = False,
) -> None:
    """Give a practice to a reviewer of another city."""

    async def work(db: Session) -> dict[str, Any]:
        key, person = await by_slug(db, OPERATOR, slug), await _person(db, reviewer)
        assert person.person_id is not None  # actor_of knows people only
        await reviews.assign(db, OPERATOR, key, person.person_id, conflict=conflict)
        return await state(db, key)

    ask(work, as_json)


@app.command("request-changes")
def request_changes(
    slug: Slug,
    comment: Annotated[str, typer.Argument(help="What should change.")],
    reviewer: Acting,
    section: Annotated[str, typer.Option(help="Of which section; absent for the whole.")] = "",
    conflict: Conflict = "",
    as_json: Json = False,
) -> None:
    """Ask the city for changes, in the name of a reviewer."""

    async def work(db: Session) -> dict[str, Any]:
        key, person = await by_slug(db, OPERATOR, slug), await _person(db, reviewer)
        asked = [reviews.Comment(comment, section or None)]
        await reviews.request_changes(db, person, key, asked, conflict=conflict)
        return await state(db, key)

    ask(work, as_json)


@app.command()
def accept(slug: Slug, reviewer: Acting, conflict: Conflict = "", as_json: Json = False) -> None:
    """Accept a practice, in the name of its reviewer."""

    async def work(db: Session) -> dict[str, Any]:
        key = await by_slug(db, OPERATOR, slug)
        await reviews.accept(db, await _person(db, reviewer), key, conflict=conflict)
        return await state(db, key)

    ask(work, as_json)


@app.command()
def publish(slug: Slug, as_json: Json = False) -> None:
    """Publish a practice."""

    async def work(db: Session) -> dict[str, Any]:
        return await state(db, (await practices.publish(db, OPERATOR, await by_slug(db, OPERATOR, slug))).id)

    ask(work, as_json)


@app.command()
def archive(slug: Slug, reason: Annotated[str, typer.Option(help="Why. Mandatory.")], as_json: Json = False) -> None:
    """Take a published practice out of sight."""

    async def work(db: Session) -> dict[str, Any]:
        return await state(db, (await archives.archive(db, OPERATOR, await by_slug(db, OPERATOR, slug), reason)).id)

    ask(work, as_json)


@app.command()
def restore(slug: Slug, as_json: Json = False) -> None:
    """Bring an archived practice back for those for whom it was published."""

    async def work(db: Session) -> dict[str, Any]:
        return await state(db, (await archives.restore(db, OPERATOR, await by_slug(db, OPERATOR, slug))).id)

    ask(work, as_json)


@app.command()
def rename(
    slug: Slug, to: Annotated[str, typer.Argument(help="Its new name in addresses.")], as_json: Json = False
) -> None:
    """Give a practice another name in addresses, to which the old one goes on leading."""

    async def work(db: Session) -> dict[str, Any]:
        return await state(db, (await names.rename(db, OPERATOR, await by_slug(db, OPERATOR, slug), to)).id)

    ask(work, as_json)


@app.command()
def delete(slug: Slug, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a draft that was never handed in, with its texts and translations; this cannot be undone."""

    async def look(db: Session) -> tuple[UUID, dict[str, Any]]:
        key = await by_slug(db, OPERATOR, slug)
        return key, await overview.line(db, key)

    key, shown = done(look)
    if not agreed(f"Delete {shown['slug']} ({shown['title']}) for good?", yes=yes, as_json=as_json):
        fail("Nothing was deleted.")

    async def work(db: Session) -> dict[str, Any]:
        await drafts.delete(db, OPERATOR, key)
        return {"deleted": shown["slug"], "city": shown["city"], "title": shown["title"]}

    ask(work, as_json)
