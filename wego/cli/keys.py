"""`wego keys …`: the hub's own keys, and the emergency in which all of them are replaced."""

from __future__ import annotations

from typing import Annotated

import typer

from wego.cli.base import OPERATOR, Json, emit, opened, run, settings

app = typer.Typer(name="keys", no_args_is_help=True, help=__doc__)


@app.command()
def replace(
    oauth: Annotated[bool, typer.Option("--oauth", help="Only those that sign access tokens.")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Only the one that signs checkpoints of the log.")] = False,
    as_json: Json = False,
) -> None:
    """Replace the hub's keys at once, after a theft or a loss. Tokens that are out are refused from now on, in every
    process; programs get new ones by themselves. The log announces its new key under the old one."""
    from federation.jose.keys import open_keys
    from wego.core.audit.checkpoints import replace_key

    both = not oauth and not audit

    async def work() -> dict[str, str]:
        knobs, done = settings(), {}
        async with opened(knobs) as database:
            if oauth or both:
                ring = await open_keys(knobs, database, watch=False)
                done["signs tokens"] = await ring.replace_all(actor=OPERATOR)
            if audit or both:
                done["signs checkpoints"] = str(await replace_key(database, knobs, OPERATOR))
        return done

    emit(run(work()), as_json)
    if audit or both:
        typer.echo("Keep the new verifier key beside the old one, on another machine.", err=True)
