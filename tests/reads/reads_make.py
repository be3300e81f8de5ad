"""A network with something of everything to read, and readers of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import strawberry
from graphql import GraphQLSchema
from sqlalchemy import select
from sqlmodel import col

from i18n.language.locales import reading_list, wished
from members.demo import seed as members_seed
from members.membership import membership
from members.membership.membership import Decision
from members.membership.models import Application
from members.people import invitations, people
from members.people.models import Invitation, Person, RoleGrant
from members.register.models import Body, City, MembershipStatus, MembershipStep, Organisation
from practices.demo import seed as practices_seed
from wego.core.access import NOBODY, Actor, ActorKind, Post, Role, organisation, system
from wego.core.context import Reading
from wego.core.db import Database, Session
from wego.core.reads.engine import Engine
from wego.core.reads.plans import Answer
from wego.core.reads.query import Limits
from wego.schema import schema as whole_schema

Asked = Callable[..., Any]

SEED = system("seed")
READINGS = {
    "nobody's wish": wished(None, "", ""),
    "Korean": wished(None, "ko-KR, en;q=0.5", ""),
    "Chinese of Taiwan, then Arabic": wished(None, "zh-TW, ar;q=0.8", ""),
    "the city's language": wished(None, "", "es"),
    "only what nobody has": Reading(("th", "lo"), ("th",)),
    "nothing at all": Reading((), ()),
}
# From where the values of arguments and of fields of filters come, by their names.
NAMED = {
    "slug": "select slug from (select c.slug from organisation c join role_grant g on g.organisation_id = c.id "
    "union all select slug from practice) s order by md5(slug)",
    "country": "select distinct country from organisation order by 1",
    "nameContains": "select left(name, 3) from organisation_name order by md5(name || locale)",
    "email": "select email from person order by 1",
    "city": "select slug from organisation order by 1",
    "theme": "select code from term where scheme like '%theme%' order by scheme, code",
    "themes": "select code from term where scheme like '%theme%' order by scheme, code",
    "sdg": "select distinct unnest(sdg_codes) from practice order by 1",
    "technologies": "select distinct unnest(technologies) from practice order by 1",
    "keywords": "select distinct initcap(unnest(keywords)) from practice_listing order by 1",
    "scheme": "select distinct scheme from term order by 1",
    "sdgs": "select distinct unnest(sdg_codes) from practice order by 1",
    "keyword": "select distinct code from term order by 1",
    "text": "select left(title, 4) from content_reading order by md5(title)",
    "kind": "select distinct kind from history_event order by 1",
}


@dataclass
class Network:
    """A database with content, its schema, an engine, and who may ask."""

    database: Database
    schema: GraphQLSchema
    engine: Engine
    actors: dict[str, Actor] = field(default_factory=dict)

    async def ask(self, text: str, variables: dict[str, Any] | None = None, *, actor: Actor = NOBODY,
                  reading: Reading | None = None, name: str | None = None) -> Answer:  # fmt: skip
        operation = self.engine.find(text, name, variables or {})
        run = self.engine.run_of(operation, actor, reading or READINGS["nobody's wish"])
        return await self.engine.query(self.database.reads, operation, run, None)


def reading_of(tags: tuple[str, ...]) -> Reading:
    return reading_list(tags)


def make_engine(schema: strawberry.Schema, limits: Limits | None = None) -> Engine:
    return Engine(schema, reading_of=reading_of, limits=limits)


async def make_network(database: Database) -> Network:
    """The demonstration, with a suspended city, invitations, and a practice given to a single editor."""
    async with database.session() as db:
        await members_seed.seed(db)
        await practices_seed.seed(db)
    async with database.session() as db:
        actors = await _tell(db)
    async with database.reads.acquire() as connection:
        await connection.execute("analyze")
    schema = whole_schema()
    engine = make_engine(schema, Limits(cost=10**9, depth=100))
    return Network(database, schema._schema, engine, actors)


async def _tell(db: Session) -> dict[str, Actor]:
    officer = await _person(db, "secretariat@wego.demo")
    takamatsu, seoul, lviv = [await _city(db, slug) for slug in ("takamatsu", "seoul", "lviv")]
    await membership.suspend(db, officer, takamatsu, Decision(reason="Dues were not paid."))
    for number, (city, role) in enumerate(((seoul, Role.EDITOR), (takamatsu, Role.DELEGATE), (None, Role.AUDITOR))):
        await invitations.invite(
            db, SEED, email=f"guest{number}@hub.demo", name=f"Guest {number}", role=role, place_id=city,
            now=datetime(2020 + 6 * (number != 1), 1, 1, tzinfo=UTC),
        )  # fmt: skip
    await db.flush()
    await _people_where_pages_begin(db)
    scopes = frozenset({"graphql:query", "catalog:read"})
    return {
        "nobody": NOBODY,
        "a program of Seoul": Actor(
            ActorKind.PROGRAM, "seoul-program", posts=(Post(Role.PROGRAM, organisation(seoul)),),
            scopes=scopes, locale="ko",
        ),
        "a program without scope": Actor(
            ActorKind.PROGRAM, "mute", posts=(Post(Role.PROGRAM, organisation(seoul)),), scopes=frozenset()
        ),
        "the CIO of Seoul": await _person(db, "cio@seoul.demo"),
        "the head of Barcelona": await _person(db, "head@barcelona.demo"),
        "an applicant": await _person(db, "cio@lviv.demo"),
        "somebody of two cities": Actor(
            ActorKind.PERSON, "two", (await _person(db, "editor@seongnam.demo")).person_id,
            posts=(Post(Role.EDITOR, organisation(seoul)), Post(Role.DELEGATE, organisation(lviv), active=False)),
        ),
        "somebody of a suspended city": await _person(db, "cio@takamatsu.demo"),
        "an officer": officer,
        "an auditor": await _person(db, "auditor@wego.demo"),
        "an editor of the secretariat": await _person(db, "editor@wego.demo"),
        "the system": SEED,
    }  # fmt: skip


async def _people_where_pages_begin(db: Session) -> None:
    """People, invitations and applications in the cities that lists show first: what is hidden must be there."""
    for order in (col(Organisation.sort_name), col(City.population).desc(), col(Organisation.sort_name).desc()):
        cities = select(Organisation).join(City, col(City.id) == col(Organisation.id)).order_by(order).limit(6)
        for city in (await db.execute(cities)).scalars():
            if await people.by_email(db, f"cio@{city.slug}.test") is None:
                person = Person(email=f"cio@{city.slug}.test", name=f"CIO of {city.slug}")
                db.add_all([
                    person,
                    Application(organisation_id=city.id, motivation="Again.",
                                decided_at=datetime(2016, 1, 1, tzinfo=UTC)),
                    MembershipStep(organisation_id=city.id, to_status=MembershipStatus.UNDER_CHECK,
                                   body=Body.SECRETARIAT, actor="seed"),
                    Invitation(email=f"head@{city.slug}.test", name="Head", organisation_id=city.id, role=Role.HEAD,
                               secret_hash=city.id.bytes, expires_at=datetime(2030, 1, 1, tzinfo=UTC)),
                ])  # fmt: skip
                await db.flush()
                db.add(RoleGrant(person_id=person.id, role=Role.CIO, organisation_id=city.id))
                await db.flush()


async def _person(db: Session, email: str) -> Actor:
    person = await people.by_email(db, email)
    assert person, email
    return await people.actor_of(db, person.id)


async def _city(db: Session, slug: str) -> Any:
    return (await db.execute(select(col(Organisation.id)).where(col(Organisation.slug) == slug))).scalar_one()
