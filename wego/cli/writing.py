"""`wego practices draft | revise | translate`: case studies from Markdown files.

A file is one text in one language: `# Title`, the summary, then `## key: Heading` and the body of each section. What it
would change is shown before it is done, and asked at a terminal; a file that changes nothing makes no version.
"""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from i18n.content import comparison
from i18n.language.origins import Origin
from practices.cases import files, overview, practices, proposals
from practices.cases.files import TextFile
from practices.cases.proposals import Proposal
from practices.cases.reach import by_slug
from wego.cli.base import OPERATOR, Json, agreed, ask, done, emit, fail, refused, text_of
from wego.core.db import Session
from wego.core.errors import Conflict, Refusal

Slug = Annotated[str, typer.Argument(help="The practice, by its slug or as CITY/SLUG.")]
Text = Annotated[Path, typer.Argument(help="A Markdown file: # Title, summary, ## key: Heading.", dir_okay=False)]
FactsFile = Annotated[Path | None, typer.Option("--facts", help="A practice.toml with the facts.", dir_okay=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask at a terminal.")]
Preview = Callable[[Session], Awaitable[Proposal]]


def _text(path: Path) -> TextFile:
    try:
        return files.read(text_of(path), path.name)
    except Refusal as refusal:
        refused(refusal)
        fail("Nothing was written.", "`wego practices show SLUG` prints a file that is right.")


def _facts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return files.facts_in(tomllib.loads(text_of(path)))
    except tomllib.TOMLDecodeError as error:
        fail(f"{path} is not TOML: {error}")
    except Refusal as refusal:
        refused(refusal)
        fail(f"{path} holds what is no fact.")


async def state(db: Session, key: UUID, hints: Any = ()) -> dict[str, Any]:
    shown = await overview.line(db, key)
    advice = [f"{hint.place}: {hint.code} ({hint.words}/{hint.budget})" for hint in hints]
    return shown | ({"hints": advice} if advice else {})


def draft(
    file: Text,
    city: Annotated[str, typer.Option(help="For which city (slug).")],
    locale: Annotated[str, typer.Option(help="The language of the text (BCP 47).")],
    facts: FactsFile = None,
    slug: Annotated[str, typer.Option(help="Its name in addresses; else made of the title.")] = "",
    as_json: Json = False,
) -> None:
    """Draft a practice from a file."""
    text, given = _text(file).draft, _facts(facts)

    async def work(db: Session) -> dict[str, Any]:
        made = await practices.create(db, OPERATOR, locale, text, given, city=city, slug=slug or None)
        return await state(db, made.practice.id, made.hints)

    ask(work, as_json)


def revise(
    slug: Slug,
    file: Text,
    facts: FactsFile = None,
    remove: Annotated[list[str] | None, typer.Option(help="Take this section out (key); repeatable.")] = None,
    minor: Annotated[bool, typer.Option("--minor", help="Translations of what changes are still right.")] = False,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Write the next revision of a practice from a file; sections that the file lacks stay."""
    text, given, removed = _text(file), _facts(facts), tuple(remove or ())

    async def preview(db: Session) -> Proposal:
        return await proposals.revision(db, OPERATOR, await by_slug(db, OPERATOR, slug), text, given, removed)

    async def work(db: Session, proposal: Proposal) -> dict[str, Any]:
        change = proposal.change(removed, minor=minor, note=note)
        made = await practices.revise(db, OPERATOR, await by_slug(db, OPERATOR, slug), change, given)
        return await state(db, made.practice.id, made.hints)

    _shown_first(preview, work, dry_run=dry_run, yes=yes, as_json=as_json)


def translate(
    slug: Slug,
    file: Text,
    locale: Annotated[str, typer.Option(help="The language of the file (BCP 47).")],
    origin: Annotated[Origin, typer.Option(help="Who translated.")] = Origin.HUMAN,
    tool: Annotated[str, typer.Option(help="The program or model that made it, where there was one.")] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Translate a practice from a file, whole or in part."""
    text = _text(file)

    async def preview(db: Session) -> Proposal:
        return await proposals.translation(db, OPERATOR, await by_slug(db, OPERATOR, slug), locale, text)

    async def work(db: Session, proposal: Proposal) -> list[dict[str, Any]]:
        key = await by_slug(db, OPERATOR, slug)
        if not proposal.empty:
            await practices.translate(
                db, OPERATOR, key, locale, files.as_translation(text.draft), origin=origin, tool=tool
            )
        return overview.progress(await comparison.status(db, key))

    _shown_first(preview, work, dry_run=dry_run, yes=yes, as_json=as_json)


def _shown_first(
    preview: Preview, work: Callable[[Session, Proposal], Awaitable[Any]], *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Show what would change, ask, and do it, unless somebody else changed the practice in between."""
    shown = done(preview)
    if dry_run and as_json:
        emit(_as_data(shown), as_json)
    elif not as_json:
        _show(shown)
    if dry_run:
        return
    if not shown.empty and not agreed("Is this right?", yes=yes, as_json=as_json):
        fail("Nothing was written.")

    async def same(db: Session) -> Any:
        if await preview(db) != shown:
            raise Conflict("Somebody else changed this at the same moment; try again.")
        return await work(db, shown)

    ask(same, as_json)


def _show(proposal: Proposal) -> None:
    """Say on standard error what would change, and for whom."""
    for line in proposal.lines():
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        typer.secho(line, err=True, fg=colour)
    if proposal.kept:
        typer.echo(f"Not in the file, and left as they are: {', '.join(proposal.kept)}.", err=True)
    if proposal.unconfirmed:
        typer.echo(f"{proposal.unconfirmed} blocks are older than the original; they count as new.", err=True)
    if proposal.empty:
        typer.echo("Nothing changes.", err=True)
    elif proposal.live:
        typer.echo("The practice is published: this is read at once.", err=True)


def _as_data(proposal: Proposal) -> dict[str, Any]:
    return {
        "before": overview.as_data(proposal.before), "after": overview.as_data(proposal.after), "live": proposal.live,
        "facts": {name: {"before": old, "after": new} for name, (old, new) in proposal.facts.items()},
        "kept": list(proposal.kept), "unconfirmed": proposal.unconfirmed, "empty": proposal.empty,
    }  # fmt: skip
