"""What every command stands on: the settings, the database, output for people or programs, and errors that help."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import orjson
import psycopg
import typer

from wego import postgres
from wego.cli.words import language, shown
from wego.core import access
from wego.core.db import Database, Session, is_away
from wego.core.errors import Refusal
from wego.core.settings import PORT_FILE, Settings, from_environment
from wego.core.textfiles import decoded
from wego.problems import said

if TYPE_CHECKING:
    from wego.setup import Addresses

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
# Who acts, where a command does what people do through the API.
OPERATOR = access.system("operator", access.Means.TERMINAL)


def settings(*, serving: bool = False) -> Settings:
    """The settings of the environment; a wrong one ends the command and names the variable. A command that does not
    serve, and was not told a port, takes the one where this folder's hub was last served."""
    try:
        knobs = from_environment()
    except ValueError as error:
        fail(str(error))
    served = knobs.home / PORT_FILE
    if serving or {"WEGO_PORT", "PORT"} & os.environ.keys() or not served.is_file():
        return knobs
    return replace(knobs, port=int(served.read_text()))


def fail(message: str, hint: str = "", code: int = 1) -> NoReturn:
    """End the command: what is wrong, and what to do about it."""
    typer.secho(message, err=True, fg="red")
    if hint:
        typer.secho(hint, err=True)
    raise typer.Exit(code)


def refused(refusal: Refusal) -> None:
    """Print why something is refused: each reason with its code and its place, where it is about one."""
    for each in refusal.each:
        place = f" ({'.'.join(map(str, each.path))})" if each.path else ""
        typer.secho(f"{each.code}{place}: {said(each, language())}", err=True, fg="red")


def text_of(path: Path) -> str:
    """The text of a file as the hub keeps text, whichever program of which system wrote it."""
    try:
        return decoded(path.read_bytes())
    except OSError as problem:
        fail(f"{path} cannot be read: {problem.strerror}")
    except Refusal as refusal:
        fail(f"{path}: {said(refusal, language())}")


def agreed(question: str, *, yes: bool, as_json: bool) -> bool:
    """Whether to go on: asked at a terminal, unless the answer was given with the command. A script is not asked."""
    return yes or as_json or not sys.stdin.isatty() or typer.confirm(question, err=True)


@contextmanager
def explained() -> Iterator[None]:
    """What keeps a command from its work becomes a sentence and exit code 1: a refusal, a database that is away or is
    not the hub's, a file. What is our own mistake stays a traceback."""
    from wego.setup import Unready

    try:
        yield
    except Refusal as refusal:
        refused(refusal)
        raise typer.Exit(1) from None
    except (postgres.PostgresError, Unready) as error:
        fail(error.message, error.hint)
    except Exception as error:
        if is_away(error) or isinstance(error, psycopg.OperationalError):
            reason = " ".join(str(error).split()).partition(" Is the server running")[0] or type(error).__name__
            fail(f"The database cannot be reached: {reason[:300]}", "`wego doctor` says what is missing.")
        if isinstance(error, OSError) and error.filename is not None:
            fail(f"{error.filename}: {error.strerror}")
        raise


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine."""
    with explained():
        return asyncio.run(work)


def embedded(knobs: Settings) -> Path | None:
    """The folder of WEGO_PG_BIN, for an embedded server that must be there: no command makes one by accident."""
    if not postgres.is_made(knobs.home):
        hint = "WEGO_HOME names the folder of yours; `wego demo` or `wego serve` makes a new one."
        fail(f"There is no hub in {knobs.home.absolute()}.", hint)
    return binaries(knobs)


def binaries(knobs: Settings) -> Path | None:
    return Path(knobs.pg_bin) if knobs.pg_bin else None


@contextmanager
def server(knobs: Settings, *, makes: bool = False) -> Iterator[Addresses]:
    """The addresses of the database: those of the settings, else of the embedded one, started when needed. `makes`:
    also where there is none yet."""
    from wego.setup import addresses

    if knobs.database_url:
        yield addresses(knobs, None)
        return
    with postgres.attach(knobs.home, binaries=binaries(knobs) if makes else embedded(knobs)) as attached:
        yield addresses(knobs, attached)


@asynccontextmanager
async def opened(
    knobs: Settings, *, makes: bool = False, migrate: bool = False, owner: bool = False
) -> AsyncIterator[Database]:
    """The database, open: as the role that serves, or as the owner for what that role must not do. It must be there,
    unless the command `makes` one, and be of this version, unless it may `migrate`."""
    from wego.setup import prepare

    with server(knobs, makes=makes) as at:
        await asyncio.to_thread(prepare, at.owner, at.hub, migrate=makes or migrate)
        database = await Database(at.owner if owner else at.hub).open()
        try:
            yield database
        finally:
            await database.close()


@contextmanager
def progress_shown() -> Iterator[Callable[[str], None]]:
    """Show what long work is at, on standard error: a bar where it tells `n of m`, its words otherwise."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=None)

        def show(text: str) -> None:
            counted = re.search(r"(\d+) of (\d+)", text)
            if counted:
                bars.update(task, description=text, completed=int(counted[1]), total=int(counted[2]))
            else:
                bars.update(task, description=text, total=None)
            if not console.is_terminal:
                console.print(f"  {text}", highlight=False)

        yield show


def done(work: Callable[[Session], Awaitable[T]]) -> T:
    """Run a command's work in one transaction; what comes out."""

    async def inside() -> T:
        async with opened(settings()) as database, database.session() as db:
            return await work(db)

    return run(inside())


def ask(work: Callable[[Session], Awaitable[Any]], as_json: bool) -> None:
    """Run a command's work in one transaction and print what comes out."""
    result = done(work)
    if not result and not as_json:
        typer.echo("Nothing to show.", err=True)
    else:
        emit(result, as_json)


def emit(data: Any, as_json: bool) -> None:
    """Print data: JSON for programs; for people a table of a list of dicts, or lines of a dict."""
    if as_json:
        sys.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        _print_table(data)
    elif isinstance(data, dict):
        for key, value in data.items():
            typer.echo(f"{key}: {shown(key, value)}")
    elif isinstance(data, list):
        for each in data:
            typer.echo(shown("", each))
    else:
        typer.echo(str(data))


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for key in rows[0]:
        table.add_column(key, overflow="fold")  # an id that is cut is of no use
    for row in rows:
        table.add_row(*[shown(key, row.get(key)) for key in rows[0]])
    Console().print(table)
