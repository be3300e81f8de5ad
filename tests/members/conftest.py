"""Cities in any state and people with any role, for the tests of members."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
import strawberry
from register_make import make_organisation
from strawberry.schema.config import StrawberryConfig

from i18n.language.graphql import LANGUAGE_TAG, LanguageTag
from i18n.language.locales import reading_list
from members.demo.forms import signed_form
from members.demo.seed import seed
from members.membership.applications import ApplicationForm, Signatory, Upload
from members.membership.models import Application, ApplicationFile
from members.membership.states import PENDING
from members.people.models import Person, RoleGrant
from members.people.people import actor_of
from members.register.models import (
    MEMBERSHIP_OF,
    Membership,
    MembershipKind,
    MembershipStatus,
    Organisation,
)
from wego import packages, postgres
from wego.core import access, reads
from wego.core.access import Actor, Role
from wego.core.db import Database, Session
from wego.core.reads.engine import Engine
from wego.core.rooms import join
from wego.core.writes import Writer
from wego.problems import words

from ..conftest import copy_of, filled

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SYSTEM = access.system("test")

MakeCity = Callable[..., Awaitable[Organisation]]
MakeActor = Callable[..., Awaitable[Actor]]
Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def system() -> Actor:
    return SYSTEM


@pytest.fixture
def form() -> ApplicationForm:
    """An application in which nothing is missing."""
    return ApplicationForm(
        motivation="우리 시는 배우고 나누고 싶습니다.",
        motivation_locale="ko",
        contact_name="CIO of Testville",
        contact_email="cio@testville.example",
        signatory=Signatory.MAYOR,
        signed_form=Upload("form.pdf", signed_form("Testville", "Mayor")),
    )


ORGANISATION_OF = {kind: what for what, kind in MEMBERSHIP_OF.items()}


async def write_city(
    db: Session,
    slug: str,
    status: MembershipStatus | None = None,
    kind: MembershipKind = MembershipKind.CITY,
    **facts: Any,
) -> Organisation:
    known = {
        "endonym_locale": "ko", "subdivision": "KR-11", "latitude": 37.5, "longitude": 127.0, "population": 1000,
        "names": {"en": slug.title(), "ko": "시험시"}, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    city = await make_organisation(db, slug, ORGANISATION_OF[kind], **{**known, **facts})
    if status is not None:
        held = status is MembershipStatus.SUSPENDED
        leaving = status is MembershipStatus.RESIGNING
        db.add(
            Membership(
                organisation_id=city.id, kind=kind, status=status, since=NOW, not_before=NOW,
                before_hold=MembershipStatus.FULL if held else None, ends_on=date(2026, 3, 1) if leaving else None,
            )
        )  # fmt: skip
    await db.flush()
    if status in PENDING:
        await write_application(db, city, status, kind)
    return city


async def write_application(
    db: Session, city: Organisation, status: MembershipStatus, kind: MembershipKind = MembershipKind.CITY
) -> Application:
    application = Application(
        organisation_id=city.id, kind=kind, status=status, motivation="To learn.", contact_name="CIO",
        contact_email="cio@testville.example", signatory_role="mayor", created_at=NOW,
    )  # fmt: skip
    db.add(application)
    await db.flush()
    content = signed_form(city.slug, "Mayor")
    db.add(
        ApplicationFile(
            application_id=application.id, kind="signed_form", name="form.pdf", media_type="application/pdf",
            sha256=b"x" * 32, content=content, uploaded_at=NOW,
        )
    )  # fmt: skip
    await db.flush()
    return application


async def write_person(db: Session, *posts: tuple[Role, Organisation | None], email: str = "") -> Actor:
    person = Person(email=email or f"{uuid4().hex}@people.example", name="A role", created_at=NOW)
    db.add(person)
    await db.flush()
    db.add_all(
        RoleGrant(person_id=person.id, role=role, organisation_id=city.id if city else None, granted_at=NOW)
        for role, city in posts
    )
    await db.flush()
    return await actor_of(db, person.id)


@pytest.fixture
def make_city(db: Session) -> MakeCity:
    async def make(slug: str = "testville", status: MembershipStatus | None = None, **more: Any) -> Organisation:
        return await write_city(db, slug, status, **more)

    return make


@pytest.fixture
def make_actor(db: Session) -> MakeActor:
    async def make(*posts: tuple[Role, Organisation | None], email: str = "") -> Actor:
        return await write_person(db, *posts, email=email)

    return make


@pytest.fixture(scope="session")
def schema() -> strawberry.Schema:
    """The schema of this package alone."""

    @strawberry.type
    class Query:
        node: reads.Node | None = reads.by_id("A thing.")

    @strawberry.type
    class Mutation:
        pass

    rooms = [room for room in packages.brought("graphql") if room.__name__.startswith("members.")]
    types = join(Query, Mutation, (room.EXPOSED for room in rooms))
    config = StrawberryConfig(scalar_map={LanguageTag: LANGUAGE_TAG})
    return strawberry.Schema(Query, Mutation, types=types, config=config)


@pytest.fixture(scope="session")
def engine(schema: strawberry.Schema) -> Engine:
    return Engine(schema, reading_of=reading_list)


@pytest.fixture(scope="session")
async def demo_template(cluster: postgres.Attachment, template: str) -> str:
    """A database with the demonstration network, to be copied."""
    return await filled(cluster, template, seed)


@pytest.fixture(scope="session")
async def shown(cluster: postgres.Attachment, demo_template: str) -> AsyncIterator[Database]:
    """The demonstration network for tests that only read."""
    async with copy_of(cluster, demo_template) as database:
        yield database


@pytest.fixture
async def demo(cluster: postgres.Attachment, demo_template: str) -> AsyncIterator[Database]:
    """The demonstration network for one test that writes."""
    async with copy_of(cluster, demo_template) as database:
        yield database


@pytest.fixture(scope="session")
def ask_of(engine: Engine, schema: strawberry.Schema) -> Callable[[Database], Ask]:
    """Run an operation as somebody on a database; the `data` of the answer."""
    return lambda database: _ask(database, engine, schema)


def _ask(database: Database, engine: Engine, schema: strawberry.Schema) -> Ask:
    async def run(
        actor: Actor, text: str, variables: Mapping[str, Any] | None = None, locales: tuple[str, ...] = ("en",)
    ) -> dict[str, Any]:
        operation = engine.find(text, None, dict(variables or {}))
        asked = engine.run_of(operation, actor, reading_list(locales))
        if operation.kind.value == "mutation":
            writer = Writer(engine, database, words)
            data = await writer.mutate(operation, asked, locales[0])
        else:
            data = (await engine.query(database.reads, operation, asked, None)).data
        answer: dict[str, Any] = json.loads(data)
        return answer

    return run
