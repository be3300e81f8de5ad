"""`wego db …`: the embedded PostgreSQL and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wego import postgres
from wego.cli.base import Json, binaries, embedded, emit, explained, fail, server, settings
from wego.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


def _embedded() -> Settings:
    knobs = settings()
    if knobs.database_url:
        fail("WEGO_DATABASE_URL names a server of your own.", "Use that server's tools, or unset the variable.")
    return knobs


@app.command()
@explained()
def start() -> None:
    """Start the embedded server, which is made when there is none, and keep it until `wego db stop` or Ctrl-C."""
    import signal

    knobs = _embedded()
    with postgres.attach(knobs.home, binaries=binaries(knobs)) as held:
        typer.echo(f"PostgreSQL {held.provider.version} runs; Ctrl-C lets go of it.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


@app.command()
@explained()
def stop() -> None:
    """Stop the embedded server, even while somebody uses it."""
    typer.echo("stopped" if postgres.stop(_embedded().home) else "it was not running")


@app.command()
@explained()
def status(as_json: Json = False) -> None:
    """Say whether the embedded server runs, and which it is. Never starts it."""
    found = postgres.status(_embedded().home)
    told = {
        "running": found.running, "version": found.version, "pid": found.pid, "keeper_pid": found.keeper_pid,
        "data_dir": str(found.data_dir), "clients": found.clients, "uptime": found.uptime,
    }  # fmt: skip
    emit(told, as_json)


@app.command()
@explained()
def url() -> None:
    """Print the local administrator's connection string (it holds a password)."""
    knobs = settings()
    if knobs.database_url:
        typer.echo(knobs.migration_url or knobs.database_url)
        return
    with postgres.attach(knobs.home, binaries=embedded(knobs), grace=60) as held:
        typer.echo(held.url)


@app.command()
@explained()
def backup(target: Path) -> None:
    """Write a dump (pg_dump custom format, mode 0600)."""
    knobs = _embedded()
    typer.echo(str(postgres.backup(knobs.home, target, binaries=embedded(knobs))))


@app.command()
@explained()
def restore(
    source: Path, replace: Annotated[bool, typer.Option(help="Replace what is in the database.")] = False
) -> None:
    """Fill the database from a dump; it is made when there is none."""
    from wego.setup import prepare

    knobs = _embedded()
    postgres.restore(knobs.home, source, replace=replace, binaries=binaries(knobs))
    with server(knobs) as at:  # the grants of the hub's role are not in the dump
        prepare(at.owner, at.hub)


@app.command()
@explained()
def upgrade(to: Annotated[Path | None, typer.Option(help="Folder with the newer binaries.")] = None) -> None:
    """Bring the data to a newer major version of PostgreSQL."""
    done = postgres.upgrade(_embedded().home, to=to)
    if done.old_version == done.new_version:
        typer.echo(f"It is of PostgreSQL {done.old_version} already.")
    else:
        typer.echo(f"{done.old_version} → {done.new_version} in {done.seconds:.1f} s")
