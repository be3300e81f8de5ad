"""As whom a command is run, and its lists as CSV.

A command does what the service lets the person do who is named by `--as`, and the log and the timeline tell him as
acting at a terminal; without it the operator acts. A cell of a CSV that a spreadsheet would take for a formula begins
with an apostrophe (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from members.people import people
from wego.cli.base import OPERATOR, done, emit, fail
from wego.core.access import Actor, Means
from wego.core.db import Session

As = Annotated[str, typer.Option("--as", help="The e-mail address of the person who does this; else the operator.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")]
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Work = Callable[[Session, Actor], Awaitable[Any]]


async def actor_of(db: Session, email: str) -> Actor:
    """The person of this address as he is now, acting at a terminal; the operator where none is named."""
    if not email:
        return OPERATOR
    person = await people.by_email(db, email)
    if person is None:
        fail(f"Nobody here has the address {email}.", "`wego members people` lists who is here.")
    return replace(await people.actor_of(db, person.id), means=Means.TERMINAL)


def act(work: Work, who: str, as_json: bool, as_csv: bool = False) -> None:
    """Run a command's work in one transaction as this person, and print what comes out."""

    async def inside(db: Session) -> Any:
        return await work(db, await actor_of(db, who))

    result = done(inside)
    if as_csv:
        write_csv(result)
    elif not result and not as_json:
        typer.echo("Nothing to show.", err=True)
    else:
        emit(result, as_json)


def write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows of a list as CSV (RFC 4180), with their codes, for a spreadsheet."""
    writer = csv.writer(sys.stdout)
    if rows:
        writer.writerow(rows[0])
    writer.writerows([cell(value) for value in row.values()] for row in rows)


def cell(value: Any) -> Any:
    """A value as a spreadsheet may have it: a number as it is, a text never as a formula."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
