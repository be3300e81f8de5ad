"""How a service reaches a thing: through the same predicate that a read of it would ask, in one statement.

    practice = await reads.locate(db, actor, Practice, key, lock=True)
    practice, is_mine = await reads.locate_with(db, actor, Practice, key, {"editor": edited}, lock=True)
    revisions = await reads.seen(db, actor, ContentRevision, col(ContentRevision.document_id) == key)

What the actor may not see is not there: NOT_FOUND in the same words. A locked row is read anew, and the predicate is
asked of the row as it is once the lock is held.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, literal, select, text
from sqlalchemy.sql.elements import TextClause
from sqlmodel import SQLModel

from wego.core.access import Actor
from wego.core.context import Reading
from wego.core.db import Session
from wego.core.reads.metadata import Visible
from wego.core.reads.query import Query, Run
from wego.core.reads.sight import key_of, sight_of

T = TypeVar("T", bound=SQLModel)

_PLACE = re.compile(r"\$(\d+)::(\w+(?:\[\])?)")
_NO_READING = Reading((), ())


async def locate(db: Session, actor: Actor, model: type[T], key: UUID, *, lock: bool = False) -> T:
    """The thing of this key, if the actor may see it; locked until the end of the transaction where it is changed."""
    return (await locate_with(db, actor, model, key, {}, lock=lock))[0]


async def locate_with(
    db: Session, actor: Actor, model: type[T], key: UUID, sides: Mapping[str, Visible], *, lock: bool = False
) -> tuple[T, dict[str, bool]]:
    """The same, and which of these predicates hold of it for the actor, such as whether it was given to him."""
    held = [_asked(actor, predicate, model, name) for name, predicate in sides.items()]
    query = _seen(actor, model).where(getattr(model, key_of(model)) == key)
    found = (await db.execute(_fresh(query.add_columns(*held), model, lock))).one_or_none()
    if found is None:
        raise sight_of(model).missing()
    thing, *answers = found
    return thing, dict(zip(sides, map(bool, answers), strict=True))


async def seen(
    db: Session, actor: Actor, model: type[T], *where: ColumnElement[bool], order: Sequence[Any] = ()
) -> Sequence[T]:
    """The things that meet these conditions, of those that the actor may see."""
    query = _seen(actor, model).where(*where).order_by(*order)
    return (await db.execute(_fresh(query, model, lock=False))).scalars().all()


def _seen(actor: Actor, model: type[T]) -> Select[Any]:
    return select(model).where(_asked(actor, sight_of(model).predicate, model, "sight"))


def _fresh(query: Select[Any], model: type[SQLModel], lock: bool) -> Any:
    locked = query.with_for_update(of=model) if lock else query
    return locked.execution_options(populate_existing=True)


def _asked(actor: Actor, predicate: Visible, model: type[SQLModel], name: str) -> ColumnElement[bool] | TextClause:
    """A predicate as a read compiles it, with the values of this actor, of the rows of the noun's own table."""
    query = Query(actor.shape)
    sql = predicate(query, str(model.__tablename__))
    if sql is None:
        return literal(True)
    run = Run(actor, _NO_READING, {}, lambda _: _NO_READING)
    values = {f"{name}_{number}": bind(run) for number, bind in enumerate(query.binders, 1)}
    named = _PLACE.sub(lambda place: f"cast(:{name}_{place[1]} as {place[2]})", sql)
    used = {key: value for key, value in values.items() if f":{key} " in named}
    return text(f"({named})").bindparams(**used)
