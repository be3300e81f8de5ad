"""`wego db …`: the embedded PostgreSQL and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from wego import postgres
from wego.cli.base import Json, emit, fail, server, settings
from wego.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


def _embedded() -> Settings:
    knobs = settings()
    if knobs.database_url:
        fail("WEGO_DATABASE_URL names a server of your own.", "Use that server's tools, or unset the variable.")
    return knobs


def _binaries(knobs: Settings) -> Path | None:
    return Path(knobs.pg_bin) if knobs.pg_bin else None


def _failed(error: postgres.PostgresError) -> NoReturn:
    fail(error.message, error.hint)


@app.command()
def start() -> None:
    """Start the embedded server and keep it until `wego db stop` or Ctrl-C."""
    import signal

    knobs = _embedded()
    try:
        with postgres.attach(knobs.home, binaries=_binaries(knobs)) as held:
            typer.echo(f"PostgreSQL {held.provider.version} runs; Ctrl-C lets go of it.")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except postgres.PostgresError as error:
        _failed(error)


@app.command()
def stop() -> None:
    """Stop the embedded server, even while somebody uses it."""
    try:
        typer.echo("stopped" if postgres.stop(_embedded().home) else "it was not running")
    except postgres.PostgresError as error:
        _failed(error)


@app.command()
def status(as_json: Json = False) -> None:
    """Say whether the embedded server runs, and which it is. Never starts it."""
    found = postgres.status(_embedded().home)
    told = {
        "running": found.running, "version": found.version, "pid": found.pid, "keeper_pid": found.keeper_pid,
        "data_dir": str(found.data_dir), "clients": found.clients, "uptime": found.uptime,
    }  # fmt: skip
    emit(told, as_json)


@app.command()
def url() -> None:
    """Print the local administrator's connection string (it holds a password)."""
    knobs = settings()
    if knobs.database_url:
        typer.echo(knobs.migration_url or knobs.database_url)
        return
    try:
        with postgres.attach(knobs.home, binaries=_binaries(knobs), grace=60) as held:
            typer.echo(held.url)
    except postgres.PostgresError as error:
        _failed(error)


@app.command()
def backup(target: Path) -> None:
    """Write a dump (pg_dump custom format, mode 0600)."""
    try:
        knobs = _embedded()
        typer.echo(str(postgres.backup(knobs.home, target, binaries=_binaries(knobs))))
    except postgres.PostgresError as error:
        _failed(error)


@app.command()
def restore(
    source: Path, replace: Annotated[bool, typer.Option(help="Replace what is in the database.")] = False
) -> None:
    """Fill the database from a dump."""
    from wego.setup import prepare

    try:
        knobs = _embedded()
        postgres.restore(knobs.home, source, replace=replace, binaries=_binaries(knobs))
        with server(knobs) as at:  # the grants of the hub's role are not in the dump
            prepare(at.owner, at.hub)
    except postgres.PostgresError as error:
        _failed(error)


@app.command()
def upgrade(to: Annotated[Path | None, typer.Option(help="Folder with the newer binaries.")] = None) -> None:
    """Bring the data to a newer major version of PostgreSQL."""
    try:
        done = postgres.upgrade(_embedded().home, to=to)
    except postgres.PostgresError as error:
        _failed(error)
    if done.old_version == done.new_version:
        typer.echo(f"It is of PostgreSQL {done.old_version} already.")
    else:
        typer.echo(f"{done.old_version} → {done.new_version} in {done.seconds:.1f} s")
