"""`wego practices`: case studies at a terminal, from and to Markdown files.

The commands call the services that the API calls, as the actor "operator", and are in the log like every other act.
A file is one text in one language: `# Title`, the summary, then `## key: Heading` and the body of each section.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from i18n.content import comparison, documents
from i18n.language.origins import Origin
from members.people import people
from practices.cases import files, overview, practices
from practices.cases.models import PracticeStatus
from practices.cases.practices import Change
from practices.cases.reach import by_slug
from practices.reviews import reviews
from wego.cli.base import OPERATOR, Json, ask, fail
from wego.core.access import Actor
from wego.core.db import Session
from wego.core.errors import Refusal
from wego.core.forms import found

app = typer.Typer(no_args_is_help=True, help="Case studies: write, translate, review, publish.")

Slug = Annotated[str, typer.Argument(help="The practice, by its slug or as CITY/SLUG.")]
TextFile = Annotated[Path, typer.Argument(help="A Markdown file: # Title, summary, ## key: Heading.", dir_okay=False)]
FactsFile = Annotated[Path | None, typer.Option("--facts", help="A practice.toml with the facts.", dir_okay=False)]
Conflict = Annotated[str, typer.Option(help="A conflict of interest, in words; absent for none.")]
Acting = Annotated[str, typer.Option("--as", help="The e-mail address of the person who reviews.")]


def _text(path: Path) -> documents.Draft:
    try:
        return files.parse(_read(path), path.name)
    except Refusal as refusal:
        fail(refusal.message.format(**refusal.params), "`wego practices show SLUG` prints one that is right.")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {error}", "Give a text file in UTF-8.")


def _facts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return files.facts_in(tomllib.loads(_read(path)))
    except tomllib.TOMLDecodeError as error:
        fail(f"{path} is not TOML: {error}")


async def _state(db: Session, key: UUID, hints: Any = ()) -> dict[str, Any]:
    shown = await overview.line(db, key)
    advice = [f"{hint.place}: {hint.code} ({hint.words}/{hint.budget})" for hint in hints]
    return shown | ({"hints": advice} if advice else {})


async def _person(db: Session, email: str) -> Actor:
    return await people.actor_of(db, found(await people.by_email(db, email)).id)


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


@app.command()
def draft(
    file: TextFile,
    city: Annotated[str, typer.Option(help="For which city (slug).")],
    locale: Annotated[str, typer.Option(help="The language of the text (BCP 47).")],
    facts: FactsFile = None,
    slug: Annotated[str, typer.Option(help="Its name in addresses; else made of the title.")] = "",
    as_json: Json = False,
) -> None:
    """Draft a practice from a file."""
    text, given = _text(file), _facts(facts)

    async def work(db: Session) -> dict[str, Any]:
        made = await practices.create(db, OPERATOR, locale, text, given, city=city, slug=slug or None)
        return await _state(db, made.practice.id, made.hints)

    ask(work, as_json)


@app.command()
def revise(
    slug: Slug,
    file: TextFile,
    facts: FactsFile = None,
    minor: Annotated[bool, typer.Option("--minor", help="Translations of what changes are still right.")] = False,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: Json = False,
) -> None:
    """Write the next revision of a practice from a file; sections that the file lacks stay."""
    text, given = _text(file), _facts(facts)

    async def work(db: Session) -> dict[str, Any]:
        change = Change(text.title, text.summary, text.sections, minor=minor, note=note)
        made = await practices.revise(db, OPERATOR, await by_slug(db, OPERATOR, slug), change, given)
        return await _state(db, made.practice.id, made.hints)

    ask(work, as_json)


@app.command()
def translate(
    slug: Slug,
    file: TextFile,
    locale: Annotated[str, typer.Option(help="The language of the file (BCP 47).")],
    origin: Annotated[Origin, typer.Option(help="Who translated.")] = Origin.HUMAN,
    as_json: Json = False,
) -> None:
    """Translate a practice from a file, whole or in part."""
    text = files.as_translation(_text(file))

    async def work(db: Session) -> list[dict[str, Any]]:
        key = await by_slug(db, OPERATOR, slug)
        await practices.translate(db, OPERATOR, key, locale, text, origin=origin)
        return overview.progress(await comparison.status(db, key))

    ask(work, as_json)


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
        return await _state(db, made.practice.id, made.hints)

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
        return await _state(db, key)

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
        return await _state(db, key)

    ask(work, as_json)


@app.command()
def accept(slug: Slug, reviewer: Acting, conflict: Conflict = "", as_json: Json = False) -> None:
    """Accept a practice, in the name of its reviewer."""

    async def work(db: Session) -> dict[str, Any]:
        key = await by_slug(db, OPERATOR, slug)
        await reviews.accept(db, await _person(db, reviewer), key, conflict=conflict)
        return await _state(db, key)

    ask(work, as_json)


@app.command()
def publish(slug: Slug, as_json: Json = False) -> None:
    """Publish a practice."""

    async def work(db: Session) -> dict[str, Any]:
        return await _state(db, (await practices.publish(db, OPERATOR, await by_slug(db, OPERATOR, slug))).id)

    ask(work, as_json)


@app.command()
def archive(slug: Slug, reason: Annotated[str, typer.Option(help="Why. Mandatory.")], as_json: Json = False) -> None:
    """Take a published practice out of sight."""

    async def work(db: Session) -> dict[str, Any]:
        return await _state(db, (await practices.archive(db, OPERATOR, await by_slug(db, OPERATOR, slug), reason)).id)

    ask(work, as_json)
