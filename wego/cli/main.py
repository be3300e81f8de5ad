"""`wego`: the commands of an operator. Texts are English for now; what cities and readers see is not."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from wego.cli import database
from wego.cli.base import Json, emit, explained, fail, opened, progress_shown, run, server, settings
from wego.core.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(database.app, name="db")


def start() -> None:
    """Run the command that the arguments name."""
    _add_rooms()
    app()


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"wego {version('wego-hub')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """What stands before every command."""


def _add_rooms() -> None:
    """The commands that the rooms bring."""
    from wego import packages

    for module in packages.commands():
        app.add_typer(module.app)


@app.command()
def demo(
    practices: Annotated[int, typer.Option(help="Fill up with this many practices more, for measuring.")] = 0,
    serve: Annotated[bool, typer.Option(help="Serve afterwards.")] = True,
) -> None:
    """Load the demonstration network where there is none, and serve it."""
    from wego.demo import load, missing, what_to_try

    if lacks := missing():
        fail(f"The demonstration needs {lacks}, which is not installed.", "pip install 'wego-hub[demo]' brings it.")
    os.environ.setdefault("WEGO_SERVER_TIMING", "1")
    knobs = settings(serving=True)
    sockets = _bound(knobs) if serve else []

    async def prepare(progress: Callable[[str], None]) -> None:
        async with opened(knobs, makes=True, owner=True) as db:
            await load(db, knobs, count=practices, progress=progress)

    with progress_shown() as progress:
        run(prepare(progress))
    if serve:
        _serve(knobs, sockets, what_to_try(knobs))
    else:
        typer.echo(what_to_try(knobs))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port; default WEGO_PORT, PORT or 8000.")] = 0,
    workers: Annotated[int, typer.Option(help="Server processes; default WEGO_WORKERS or 1.")] = 0,
) -> None:
    """Serve the hub."""
    knobs = settings(serving=True)
    knobs = replace(knobs, port=port or knobs.port, workers=workers or knobs.workers)
    _serve(knobs, _bound(knobs))


def _bound(knobs: Settings) -> list[socket.socket]:
    """The port, before anything is started for it or said of it."""
    from wego.serve import Unservable, bind

    try:
        return bind(knobs)
    except Unservable as error:
        fail(error.message, error.hint)


def _serve(knobs: Settings, sockets: list[socket.socket], words: str = "") -> None:
    from wego.serve import Unservable
    from wego.serve import serve as serve_it

    _tell_first_key(knobs)
    try:
        with explained():
            raise typer.Exit(serve_it(knobs, sockets=sockets, words=words))
    except Unservable as error:
        fail(error.message, error.hint)


def _tell_first_key(knobs: object) -> None:
    """At the first start: the key by which others can check the log, to be kept on another machine."""
    from wego.core.audit.keyring import KeyProblem, public_file, signer

    if public_file(knobs.home).exists():  # type: ignore[attr-defined]  # Settings, as above
        return
    try:
        typer.echo(f"The log's verifier key (keep it on another machine, as WEGO_AUDIT_KEY):\n  {signer(knobs).public}")  # type: ignore[arg-type]  # likewise
    except (KeyProblem, OSError) as problem:
        typer.secho(f"The log cannot be signed: {problem}", err=True, fg="red")


@app.command()
def worker(concurrency: Annotated[int, typer.Option(help="Jobs at once.")] = 4) -> None:
    """Work off the job queue, without serving."""
    from wego.worker import work

    async def forever() -> None:
        knobs = settings()
        async with opened(knobs, migrate=True) as db:
            await work(db, knobs, concurrency=concurrency)

    run(forever())


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database to the newest version."""
    from wego import migrations
    from wego.setup import prepare

    with explained(), server(settings(), makes=True) as at:
        prepare(at.owner, at.hub)
    emit({"version": migrations.head()}, as_json)


@app.command()
def seed() -> None:
    """Load the demonstration network without serving it."""
    demo(practices=0, serve=False)


@app.command()
def schema(
    check: Annotated[
        bool, typer.Option(help="Only compare with the SDL on file; exit code 1 when it differs.")
    ] = False,
    write: Annotated[bool, typer.Option(help="Write the SDL on file.")] = False,
) -> None:
    """Print the GraphQL schema."""
    from wego.schema import SDL, sdl

    if check:
        if SDL.read_text() != sdl():
            fail(f"{SDL} is not the schema of the code.", "`wego schema --write` writes it; review its diff.")
    elif write:
        SDL.write_text(sdl())
    else:
        typer.echo(sdl(), nl=False)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Explain what is missing or wrong in the surroundings; exit code 1 when anything stops the hub."""
    from wego.cli.doctor import findings

    found = asyncio.run(findings(settings()))
    emit([each.row() for each in found], as_json)
    if any(each.level == "error" for each in found):
        raise typer.Exit(1)
