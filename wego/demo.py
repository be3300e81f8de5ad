"""The demonstration network: real cities, real practices, told from public sources."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

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
    """What a person at a terminal can do next."""
    client = Path(settings.home) / "demo" / "clients" / "seoul.json"
    wego = "wego" if shutil.which("wego") else sys.argv[0]
    program = f"{wego} query --client {client} '{{viewer{{scopes}} practices(first:3){{totalCount}}}}'"
    officer = wego + " query --person secretariat@wego.demo '{applications(first:9){nodes{status city{slug}}}}'"
    return f"""
The hub runs at {settings.issuer}  (data in {settings.home}; Ctrl-C stops everything)

Look:                 {settings.issuer}
Ask without a token:  curl -s {settings.resource} -H 'content-type: application/json' -H 'accept-language: ko' \\
                        -d '{{"query":"{{practices(first:3){{nodes{{title{{text}} city{{name{{text}}}}}}}}}}"}}'
Ask as a program:     {program}
Ask as an officer:    {officer}
The log, proved:      {wego} audit verify
Everything else:      {wego} --help      {settings.issuer}/schema.graphql

Another terminal needs the same folder: WEGO_HOME={Path(settings.home).absolute()}
"""
