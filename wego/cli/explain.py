"""What `wego query --explain` tells: the one SQL statement that answers a document, its values, and its plan.

The plan is the generic one with the settings of the connections that read: that by which the hub answers, whatever
the values are. Nothing of the document is run.
"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import typer
from graphql import OperationType

from i18n.language.locales import wished
from members.people import people
from wego.api.hub import make_engine
from wego.cli.base import fail, opened, run, settings
from wego.core.access import NOBODY, Actor
from wego.core.db import Database
from wego.core.forms import found
from wego.core.reads.documents import GraphQLErrors
from wego.core.reads.engine import Engine
from wego.core.reads.plans import Operation
from wego.core.settings import Settings
from wego.core.statements import READ_SETTINGS


def explain(text: str, variables: dict[str, Any], *, person: str, locale: str) -> None:
    """Print how the hub would answer a query for a person, or for nobody."""
    run(_explain(settings(), text, variables, person, locale))


async def _explain(knobs: Settings, text: str, variables: dict[str, Any], person: str, locale: str) -> None:
    engine = make_engine(knobs)
    operation = _operation(engine, text, variables)
    async with opened(knobs) as database:
        asking = engine.run_of(operation, await _actor(database, person), wished(None, locale, ""))
        plan = await engine.ready(operation, asking)
        values = [bind(asking) for bind in plan.binders]
        typer.echo(f"-- cost: {plan.cost} objects")
        if not plan.selected:
            typer.echo("-- This asks nothing of the database.")
            return
        for number, value in enumerate(values, 1):
            typer.echo(f"-- ${number} = {value!r}")
        typer.echo(f"{plan.sql};\n")
        for line in await asyncio.to_thread(_plan, database.url, plan.sql, len(values)):
            typer.echo(line)


def _operation(engine: Engine, text: str, variables: dict[str, Any]) -> Operation:
    try:
        operation = engine.find(text, None, variables)
    except GraphQLErrors as wrong:
        fail("\n".join(str(error.message) for error in wrong.errors))
    if operation.kind is not OperationType.QUERY:
        fail("Only a query can be explained: a mutation is not one statement.")
    return operation


async def _actor(database: Database, person: str) -> Actor:
    if not person:
        return NOBODY
    async with database.session() as db:
        return await people.actor_of(db, found(await people.by_email(db, person)).id)


def _plan(url: str, sql: str, places: int) -> list[str]:
    """The generic plan of a statement. It depends on no value, so any will do."""
    given = f"({', '.join(['null'] * places)})" if places else ""
    with psycopg.connect(url, autocommit=True) as connection:
        for name, value in READ_SETTINGS.items():
            connection.execute("select set_config(%s, %s, false)", (name, value))
        connection.execute(f"prepare explained as {sql}".encode())
        return [str(line) for (line,) in connection.execute(f"explain execute explained{given}".encode())]
