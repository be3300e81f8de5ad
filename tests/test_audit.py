"""The table of every mutation and its entries: who acted, as what, for whom, by which means, about what, and what was
decided. None is without an entry, and none has one twice.

Every mutation is really done, by one who may; what it appends to the log is read before it is rolled back.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

# The builders lie in the folder of the tests over HTTP; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent / "http")]

from access_world import (  # noqa: E402 -- the path comes first
    DRAFTING,
    IN_CITY,
    OWN,
    REVIEWER,
    SENT,
    Inputs,
    Rehearsal,
    World,
    make_world,
)
from http_fixtures import seeded, standing, station  # noqa: E402, F401 -- likewise; fixtures are used by name
from http_make import Seeded, city_of, codes, fresh_station  # noqa: E402 -- likewise

from wego.core.db import Session, settle  # noqa: E402 -- likewise
from wego.core.models import AuditEntry, AuditState  # noqa: E402 -- likewise
from wego.schema import mutations, schema  # noqa: E402 -- likewise


class Overheard(Rehearsal):
    """A rehearsal that keeps the entries that would have been appended."""

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        self.entries: list[AuditEntry] = []

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Session]:
        async with self._database.sessions() as db:
            before = await _size(db)
            try:
                yield db
                await settle(db)
                await db.flush()
                new = select(AuditEntry).where(col(AuditEntry.index) >= before).order_by(col(AuditEntry.index))
                self.entries += (await db.execute(new)).scalars().all()
                db.expunge_all()
            finally:
                await db.rollback()

    session = unit


async def _size(db: Session) -> int:
    return int((await db.execute(select(col(AuditState.size)))).scalar_one())


@pytest.fixture(scope="session")
async def world(seeded: Seeded) -> AsyncIterator[tuple[World, Inputs]]:  # noqa: F811 -- the fixture of that name
    async with fresh_station(seeded) as station:  # noqa: F811 -- likewise
        yield await make_world(station)


async def overhear(there: World, mutation: str, given: dict[str, Any], caller: Any) -> list[AuditEntry]:
    kind = mutation[0].upper() + mutation[1:]
    argument = schema()._schema.mutation_type.fields[mutation].args["input"].type  # type: ignore[union-attr]
    query = f"mutation {kind}($input: {argument}) {{ {mutation}(input: $input) {{ problems {{ code message }} }} }}"
    writer, database = there.station.hub.writer, there.station.hub.database
    heard = Overheard(database)
    writer.database = heard  # type: ignore[assignment]  # it has what a write uses
    try:
        answer = await there.station.ask(query, {"input": given}, caller=caller)
    finally:
        writer.database = database
    assert not codes(answer), answer.text
    return heard.entries


OFFICE, BODY, HOME, AWAY, NOBODY = "secretariat", "executive_committee", "home", "away", ""
# Of the demonstration's cities: who acts is of `home`, what he acts upon is the first city's below.
STATUS, ROLE = "status", "role"

# mutation: who calls, as what, for whom; then each entry: event, subject, what was decided, its words, its facts
TABLE: dict[str, tuple[str, str, str, list[tuple[str, str, dict[str, tuple[Any, Any]], str, str]]]] = {
    "applyForMembership": ("head", "head", HOME, [
        ("application.drafted", "City", {}, "", "application")]),
    "submitApplication": ("head", "head", HOME, [
        ("application.submitted", "City", {STATUS: ("application_draft", "submitted")}, "", "application body")]),
    "withdrawApplication": ("head", "head", HOME, [
        ("application.withdrawn", "City", {STATUS: ("submitted", "withdrawn")}, "", "application body")]),
    "startApplicationCheck": ("officer", "officer", OFFICE, [
        ("application.check_started", "City", {STATUS: ("submitted", "under_check")}, "", "application body")]),
    "requestApplicationChanges": ("officer", "officer", OFFICE, [
        ("application.changes_requested", "City", {STATUS: ("under_check", "changes_requested")}, "reason",
         "application body")]),
    "acceptApplication": ("officer", "officer", OFFICE, [
        ("application.accepted", "City", {STATUS: ("under_check", "associate")}, "", "application body")]),
    "declineApplication": ("officer", "officer", OFFICE, [
        ("application.declined", "City", {STATUS: ("under_check", "declined")}, "reason", "application body")]),
    "admitMember": ("officer", "officer", BODY, [
        ("member.admitted", "City", {STATUS: ("associate", "full")}, "reference", "body")]),
    "suspendMember": ("officer", "officer", BODY, [
        ("member.suspended", "City", {STATUS: ("full", "suspended")}, "reason", "body")]),
    "reinstateMember": ("officer", "officer", BODY, [
        ("member.reinstated", "City", {STATUS: ("suspended", "full")}, "reason", "body")]),
    "resignMembership": ("head", "head", HOME, [
        ("member.resignation_received", "City", {STATUS: ("full", "resigning")}, "reason", "body")]),
    "registerCity": ("officer", "officer", OFFICE, [
        ("city.registered", "City", {}, "", "country slug")]),
    "updateCity": ("officer", "officer", OFFICE, [
        ("city.updated", "City", {}, "", "changed slug")]),
    "registerOrganisation": ("officer", "officer", OFFICE, [
        ("organisation.registered", "Organisation", {}, "", "country kind slug")]),
    "updateOrganisation": ("officer", "officer", OFFICE, [
        ("organisation.updated", "Organisation", {}, "", "changed slug")]),
    "invitePerson": ("cio", "cio", HOME, [
        ("person.invited", "Invitation", {}, "", "role")]),
    "acceptInvitation": ("nobody", "", NOBODY, [
        ("invitation.accepted", "Invitation", {ROLE: (None, "editor")}, "", "person")]),
    "assignRole": ("cio", "cio", HOME, [
        ("role.assigned", "Person", {ROLE: (None, "delegate")}, "", "")]),
    "revokeRole": ("officer", "officer", OFFICE, [
        ("role.revoked", "Person", {ROLE: ("editor", None)}, "", "")]),
    "createPractice": ("program", "program", HOME, [
        ("practice.created", "Practice",
         {STATUS: (None, "draft"), "visibility": (None, "public"), "readers": (None, "city")}, "", "locale")]),
    "revisePractice": ("object_editor", "object_editor", HOME, [
        ("practice.revised", "Practice", {}, "",
         "carried_blocks changed_blocks changed_facts live minor revision")]),
    "translatePractice": ("secretariat_editor", "secretariat_editor", OFFICE, [
        ("practice.translated", "Practice", {}, "", "blocks live locale origin")]),
    "publishTranslation": ("cio", "cio", HOME, [
        ("practice.translated", "Practice", {}, "", "blocks live locale released")]),
    "submitPractice": ("editor", "editor", HOME, [
        ("practice.submitted", "Practice", {STATUS: ("draft", "submitted")}, "", "")]),
    "assignReviewer": ("secretariat_editor", "secretariat_editor", OFFICE, [
        ("practice.reviewer_assigned", "Practice", {STATUS: ("submitted", "under_review")}, "",
         "reviewer reviewer_city round")]),
    "requestPracticeChanges": ("assigned reviewer", "cio", AWAY, [
        ("practice.changes_requested", "Practice", {STATUS: ("under_review", "changes_requested")}, "",
         "conflict review sections")]),
    "acceptPractice": ("assigned reviewer", "cio", AWAY, [
        ("practice.accepted", "Practice", {STATUS: ("under_review", "accepted")}, "", "review")]),
    "publishPractice": ("officer", "officer", OFFICE, [
        ("practice.published", "Practice", {STATUS: ("accepted", "published"), "readers": ("city", "public")}, "",
         "reviewed visibility")]),
    "withdrawPractice": ("head", "head", HOME, [
        ("practice.withdrawn", "Practice", {STATUS: ("submitted", "draft")}, "", "")]),
    "restorePractice": ("head", "head", HOME, [
        ("practice.restored", "Practice", {STATUS: ("archived", "published"), "readers": ("city", "public")}, "", "")]),
    "renamePractice": ("head", "head", HOME, [("practice.renamed", "Practice", {}, "", "live")]),
    "deletePractice": ("head", "head", HOME, [
        ("practice.deleted", "Practice", {STATUS: ("draft", None), "visibility": ("public", None),
                                          "readers": ("city", None)}, "", "")]),
    "archivePractice": ("head", "head", HOME, [
        ("practice.archived", "Practice", {STATUS: ("published", "archived"), "readers": ("public", "city")},
         "reason", "")]),
    "addPracticeEditor": ("officer", "officer", OFFICE, [
        ("role.assigned", "Practice", {ROLE: (None, "object_editor")}, "", "person")]),
}  # fmt: skip
ACTS_UPON = {"applyForMembership": DRAFTING, "submitApplication": DRAFTING, "withdrawApplication": SENT}


def test_every_mutation_has_its_row_and_every_row_its_mutation():
    assert sorted(TABLE) == sorted(mutations())


@pytest.mark.parametrize("mutation", list(TABLE))
async def test_what_a_mutation_tells_is_what_the_table_says(world: tuple[World, Inputs], mutation: str):
    there, inputs = world
    who, role, whom, expected = TABLE[mutation]
    home = ACTS_UPON.get(mutation, OWN)
    caller = await there.station.person(f"{who}@{home}.demo") if who in IN_CITY else there.callers[who]
    entries = await overhear(there, mutation, inputs.of(mutation, OWN), caller)
    told = [
        (entry.event, entry.subject_type, {name: (each["before"], each["after"]) for name, each in said}, words, facts)
        for entry, said, words, facts in (
            (each, each.decided.items(), " ".join(sorted(each.word_hashes)), " ".join(sorted(each.facts)))
            for each in entries
        )
    ]
    assert told == expected
    async with there.station.hub.database.session() as db:
        cities = {HOME: str((await city_of(db, home)).id), AWAY: str((await city_of(db, REVIEWER)).id)}
    capacity = {
        OFFICE: {"kind": "secretariat", "id": ""}, BODY: {"kind": "body", "id": BODY}, NOBODY: None,
    } | {name: {"kind": "organisation", "id": key} for name, key in cities.items()}  # fmt: skip
    for entry in entries:
        kind = "program" if who == "program" else "person"
        assert entry.acting == {"kind": kind, "role": role or None, "for": capacity[whom], "means": "api"}
        assert entry.place_id is not None, "every mutation concerns some organisation"
        assert entry.version == 3


async def test_an_application_that_is_decided_at_once_is_told_as_two_steps_in_their_order(world: tuple[World, Inputs]):
    there, inputs = world
    given = {"application": inputs.applications[SENT]}
    entries = await overhear(there, "acceptApplication", given, there.callers["officer"])
    assert [(entry.event, entry.decided[STATUS]) for entry in entries] == [
        ("application.check_started", {"before": "submitted", "after": "under_check"}),
        ("application.accepted", {"before": "under_check", "after": "associate"}),
    ]


@pytest.mark.parametrize("mutation", ["registerCity", "suspendMember", "createPractice", "publishPractice"])
async def test_what_is_refused_tells_nothing(world: tuple[World, Inputs], mutation: str):
    there, inputs = world
    before = there.station.fingerprint()
    for caller in ("nobody", "delegate"):
        kind = mutation[0].upper() + mutation[1:]
        argument = schema()._schema.mutation_type.fields[mutation].args["input"].type  # type: ignore[union-attr]
        query = f"mutation {kind}($input: {argument}) {{ {mutation}(input: $input) {{ problems {{ code }} }} }}"
        assert codes(await there.station.ask(query, {"input": inputs.of(mutation, OWN)}, caller=there.callers[caller]))
    assert there.station.fingerprint() == before


async def test_a_repeat_tells_nothing_again(world: tuple[World, Inputs]):
    there, inputs = world
    query = """mutation U($input: UpdateCityInput!) { updateCity(input: $input) { problems { code } } }"""
    given, officer = inputs.of("updateCity", OWN) | {"population": 54_321}, there.callers["officer"]
    database = there.station.hub.database
    async with database.session() as db:
        before = await _size(db)
    for _ in range(3):
        answer = await there.station.ask(
            query, {"input": given}, caller=officer, headers={"idempotency-key": "once"}
        )  # fmt: skip
        assert not codes(answer), answer.text
    async with database.session() as db:
        assert await _size(db) == before + 1
