"""A service reaches a practice through the predicate of the reads: what it may not see is not there."""

from __future__ import annotations

from uuid import uuid4

import pytest
from practices_make import S, World, make_practice, make_world, person
from sqlalchemy import text

from practices.cases import practices
from practices.cases.models import Practice, PracticeEditor
from practices.cases.reach import edited
from wego.core import reads
from wego.core.access import NOBODY
from wego.core.db import Database, Tally, tally
from wego.core.errors import NotFound


async def test_what_is_hidden_and_what_is_not_there_are_told_in_the_same_words(world: World) -> None:
    draft = await make_practice(world)
    await world.db.flush()
    told = set()
    for key in (draft.id, uuid4()):
        with pytest.raises(NotFound) as refused:
            await reads.locate(world.db, world["nobody"], Practice, key, lock=True)
        told.add(refused.value.message)
    assert told == {"There is no such practice, or you may not see it."}


async def test_a_noun_that_does_not_say_who_sees_it_cannot_be_located(world: World) -> None:
    with pytest.raises(TypeError, match="PracticeEditor does not say who may see it"):
        await reads.locate(world.db, world["system"], PracticeEditor, uuid4())


async def test_a_side_is_told_in_the_same_statement(world: World) -> None:
    draft = await make_practice(world)
    await practices.add_editor(world.db, world["cio"], draft.id, person(world["object_editor"]))
    for name, given in (("object_editor", True), ("cio", False), ("system", False)):
        token = tally.set(counter := Tally())
        found, held = await reads.locate_with(world.db, world[name], Practice, draft.id, {"editor": edited}, lock=True)
        tally.reset(token)
        assert (found.id, held, counter.statements) == (draft.id, {"editor": given}, 1), name


async def test_a_locked_thing_waits_for_who_has_it(database: Database) -> None:
    async with database.session() as db:
        key = (await make_practice(await make_world(db), S.PUBLISHED)).id
    free = text("SELECT 1 FROM practice WHERE id = :key FOR UPDATE SKIP LOCKED")
    async with database.sessions() as one, database.sessions() as other:
        await reads.locate(one, NOBODY, Practice, key)
        assert (await other.execute(free, {"key": key})).first() is not None
        await other.rollback()
        await reads.locate(one, NOBODY, Practice, key, lock=True)
        assert (await other.execute(free, {"key": key})).first() is None
