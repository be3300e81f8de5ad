"""The demonstration network: real cities, real practices, told from public sources."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from wego.core.db import Database
from wego.core.settings import Settings

Progress = Callable[[str], None]


def missing() -> str | None:
    """What the extra `demo` would bring, where it is not installed; the hub itself does without."""
    try:
        import members.demo.seed
    except ModuleNotFoundError as error:
        return error.name
    assert members.demo.seed
    return None


async def load(database: Database, settings: Settings, *, count: int = 0, progress: Progress | None = None) -> None:
    """Load what is not there yet: cities and members, practices, programs; and `count` practices for measuring."""
    import federation.oauth.seed
    import members.demo.seed
    import practices.demo.seed

    say = progress or (lambda _: None)
    say("cities, members, people")
    async with database.session() as db:
        await members.demo.seed.seed(db, progress=say)
    say("practices in their languages")
    async with database.session() as db:
        await practices.demo.seed.seed(db)
    say("programs and their keys")
    async with database.session() as db:
        await federation.oauth.seed.seed(db, settings.home, settings.issuer)
    if count:
        await practices.demo.seed.fill(database, count, say)


def what_to_try(settings: Settings) -> str:
    """What a person can do next, in any folder of any terminal of this machine: each line is whole."""
    client = quote(str(settings.home.absolute() / "demo" / "clients" / "seoul.json"))
    wego = _command(settings)
    program = "'{viewer{scopes} practices(first:3){totalCount}}'"
    officer = "'{applications(first:9){nodes{status city{slug}}}}'"
    return f"""
The hub runs at {settings.issuer}  (data in {settings.home.absolute()}; Ctrl-C stops everything)

Look:
  {settings.issuer}
Ask without a token:
  curl -s {settings.resource} -H 'content-type: application/json' -H 'accept-language: ko' \\
    -d '{{"query":"{{practices(first:3){{nodes{{title{{text}} city{{name{{text}}}}}}}}}}"}}'
Ask as a program:
  {wego} query --client {client} {program}
Ask as an officer:
  {wego} query --person secretariat@wego.demo {officer}
The log, proved:
  {wego} audit verify
The schema:
  curl -s {settings.issuer}/schema.graphql
Everything else:
  {wego} --help
"""


def _command(settings: Settings) -> str:
    """How another terminal calls `wego` for this hub: that of this installation, with the settings that name the hub.
    The address of a database of one's own holds a password, so it is not printed: that terminal needs it as well."""
    beside = Path(sys.executable).with_name("wego")
    called = str(beside if beside.exists() else Path(shutil.which("wego") or sys.argv[0]).absolute())
    named = [("WEGO_HOME", str(settings.home.absolute())), ("WEGO_PUBLIC_URL", settings.public_url)]
    return " ".join([*(f"{name}={quote(value)}" for name, value in named if value), quote(called)])
