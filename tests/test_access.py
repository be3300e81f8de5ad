"""The table of who may call each mutation, and where: even "everybody" must be said.

Every mutation is really called by everybody, with a minimal valid input; the table says who is let through. A caller
who is not gets NOT_SIGNED_IN, NOT_ALLOWED or NOT_FOUND, and nothing has changed in the database.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import get_named_type

# The builders lie in the folder of the tests over HTTP; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent / "http")]

from access_world import (  # noqa: E402 -- the path comes first
    ASSOCIATE,
    CHECKED,
    DRAFTING,
    IN_CITY,
    IN_SECRETARIAT,
    SENT,
    Inputs,
    Rehearsal,
    World,
    make_world,
)
from http_fixtures import seeded, standing, station  # noqa: E402, F401 -- likewise; fixtures are used by name
from http_make import REFUSED, Seeded, codes, fresh_station  # noqa: E402 -- likewise

from wego.core.access import (  # noqa: E402 -- likewise
    GRANTS,
    HELD_AT,
    KEPT,
    NOBODY,
    OF_THE_SYSTEM,
    SECRETARIAT,
    Actor,
    ActorKind,
    Permission,
    PlaceKind,
    Post,
    Role,
    organisation,
    system,
)
from wego.core.ids import new_id  # noqa: E402 -- likewise
from wego.schema import mutations, schema  # noqa: E402 -- likewise

# Who holds which right: `x` always, `s` only while his place is in good standing. Nothing here follows from the code.
ROLES = tuple(Role)
RIGHTS = """
                            head cio  edit obje dele prog offi secr audi  system
membership.apply             x    x    .    .    .    .    x    .    .     x
membership.leave             x    .    .    .    .    .    .    .    .     x
membership.check             .    .    .    .    .    .    x    .    .     x
membership.decide            .    .    .    .    .    .    x    .    .     x
membership.suspend           .    .    .    .    .    .    x    .    .     x
membership.read              x    x    .    .    x    .    x    .    x     x
person.invite                x    x    .    .    .    .    x    .    .     x
person.read                  x    x    .    .    .    .    x    .    x     x
role.assign                  x    x    .    .    .    .    x    .    .     x
practice.write               s    s    s    .    .    s    .    .    .     x
practice.translate           s    s    s    .    .    s    x    x    .     x
practice.submit              s    s    s    .    .    s    .    .    .     x
practice.publish             s    s    .    .    .    .    x    x    .     x
practice.assign_reviewer     .    .    .    .    .    .    x    x    .     x
practice.review              s    s    s    .    .    .    x    x    .     x
practice.read                s    s    s    .    s    s    x    x    x     x
audit.read                   s    s    .    .    .    .    x    .    x     x
"""
TABLE = {row.split()[0]: row.split()[1:] for row in RIGHTS.strip().splitlines()[1:]}


def test_the_table_of_rights_has_every_permission_and_every_role():
    assert sorted(TABLE) == sorted(Permission)
    assert sorted(GRANTS) == sorted(Role)
    assert RIGHTS.split()[:10] == [*(role.value[:4] for role in ROLES), "system"]
    assert all(len(cells) == len(ROLES) + 1 for cells in TABLE.values())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_has_the_rights_that_the_table_says(role: Role, permission: Permission):
    cell, key = TABLE[permission][ROLES.index(role)], new_id()
    place = SECRETARIAT if role in HELD_AT[PlaceKind.SECRETARIAT] else organisation(key)
    active, inactive = (Actor(ActorKind.PERSON, "p", key, (Post(role, place, active=good),)) for good in (True, False))
    assert active.may(permission, key) is (cell != ".")
    if place is not SECRETARIAT:  # which always is in good standing
        assert inactive.may(permission, key) is (cell == "x")
    assert not active.may(permission, new_id()) or place is SECRETARIAT, "a right of one place is none of another"
    assert not NOBODY.may(permission, key)


@pytest.mark.parametrize("permission", Permission)
def test_the_system_has_the_rights_that_the_table_says(permission: Permission):
    assert system("operator").may(permission) is (TABLE[permission][-1] == "x")


def test_every_role_is_held_somewhere_and_what_is_kept_is_granted():
    assert frozenset().union(*HELD_AT.values()) == frozenset(Role)
    assert frozenset().union(*GRANTS.values()) >= KEPT
    assert frozenset().union(*GRANTS.values()) <= OF_THE_SYSTEM


EVERYBODY = frozenset(
    {
        "nobody", *IN_CITY, *IN_SECRETARIAT, "program", "program of another city", "cio of another city",
        "assigned reviewer", "cio of a suspended city",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Who:
    """`own`: roles in the city that the thing belongs to; `everywhere`: roles of the secretariat; `beyond`: others who
    are named one by one. `suspended`: the city's CIO keeps the right while his city is suspended."""

    own: str = ""
    everywhere: str = ""
    beyond: tuple[str, ...] = ()
    suspended: bool = False
    home: str = "seoul"  # in which city the roles of `own` are

    @property
    def callers(self) -> frozenset[str]:
        suspended = {"cio of a suspended city"} if self.suspended else set()
        return frozenset({*self.own.split(), *self.everywhere.split(), *self.beyond, *suspended})


WHO: dict[str, Who] = {
    # membership             in the own city                    secretariat
    "applyForMembership":        Who("head cio",                "officer", home=DRAFTING),
    "submitApplication":         Who("head cio",                "officer", home=DRAFTING),
    "withdrawApplication":       Who("head cio",                "officer", home=SENT),
    "startApplicationCheck":     Who("",                        "officer", home=SENT),
    "requestApplicationChanges": Who("",                        "officer", home=CHECKED),
    "acceptApplication":         Who("",                        "officer", home=CHECKED),
    "declineApplication":        Who("",                        "officer", home=CHECKED),
    "admitMember":               Who("",                        "officer", home=ASSOCIATE),
    "suspendMember":             Who("",                        "officer"),
    "reinstateMember":           Who("",                        "officer"),
    "resignMembership":          Who("head"),
    # the register
    "registerCity":              Who("",                        "officer"),
    "updateCity":                Who("",                        "officer"),
    "registerOrganisation":      Who("",                        "officer"),
    "updateOrganisation":        Who("",                        "officer"),
    # people
    "invitePerson":              Who("head cio",                "officer", suspended=True),
    "acceptInvitation":          Who(beyond=tuple(sorted(EVERYBODY))),  # whoever holds the secret
    "assignRole":                Who("head cio",                "officer", suspended=True),
    "revokeRole":                Who("head cio",                "officer", suspended=True),
    # practices
    "createPractice":            Who("head cio editor program"),
    "revisePractice":            Who("head cio editor object_editor program"),
    "translatePractice":         Who("head cio editor object_editor program", "officer secretariat_editor"),
    "publishTranslation":        Who("head cio",                "officer secretariat_editor"),
    "submitPractice":            Who("head cio editor program"),
    "assignReviewer":            Who("",                        "officer secretariat_editor"),
    "requestPracticeChanges":    Who("",                        "officer secretariat_editor", ("assigned reviewer",)),
    "acceptPractice":            Who("",                        "",        ("assigned reviewer",)),
    "publishPractice":           Who("head cio",                "officer secretariat_editor"),
    "withdrawPractice":          Who("head cio editor program"),
    "restorePractice":           Who("head cio",                "officer secretariat_editor"),
    "renamePractice":            Who("head cio",                "officer secretariat_editor"),
    "deletePractice":            Who("head cio editor program"),
    "archivePractice":           Who("head cio",                "officer secretariat_editor"),
    "addPracticeEditor":         Who("head cio",                "officer"),
}  # fmt: skip

# What the CIO of a suspended city is refused for another reason than his rights: he may, but there is no application.
NOT_POSSIBLE = {("applyForMembership", "cio of a suspended city")}


def test_every_mutation_has_its_row_and_every_row_its_mutation():
    assert sorted(WHO) == sorted(mutations())


def test_every_row_lets_somebody_through_and_names_only_those_who_exist():
    for mutation, who in WHO.items():
        assert who.callers, f"nobody may {mutation}"
        assert who.callers <= EVERYBODY, mutation
        assert set(who.everywhere.split()) <= set(IN_SECRETARIAT), mutation
        assert set(who.own.split()) <= {*IN_CITY, "program"}, mutation


def test_every_role_is_tried():
    assert {role.value for role in Role} <= EVERYBODY


def test_every_mutation_takes_one_input_and_tells_its_problems():
    root = schema()._schema.mutation_type
    assert root is not None
    for name, definition in root.fields.items():
        assert list(definition.args) == ["input"], name
        assert "problems" in get_named_type(definition.type).fields, name


@pytest.fixture(scope="session")
async def world(seeded: Seeded) -> AsyncIterator[tuple[World, Inputs]]:  # noqa: F811 -- the fixture of that name
    async with fresh_station(seeded) as station:  # noqa: F811 -- likewise
        yield await make_world(station)


async def call(world: World, mutation: str, given: dict[str, Any], caller: Any, *, rehearse: bool) -> set[str]:
    """The codes with which a call is refused; a rehearsal is done whole but for its commit."""
    kind = mutation[0].upper() + mutation[1:]
    argument = schema()._schema.mutation_type.fields[mutation].args["input"].type  # type: ignore[union-attr]
    query = (
        f"mutation {kind}($input: {argument}) {{ {mutation}(input: $input) {{ problems {{ code message path }} }} }}"
    )
    writer, database = world.station.hub.writer, world.station.hub.database
    writer.database = Rehearsal(database) if rehearse else database  # type: ignore[assignment]  # it has what a write uses
    try:
        answer = await world.station.ask(query, {"input": given}, caller=caller)
    finally:
        writer.database = database
    assert answer.status_code < 500, answer.text
    return codes(answer)


@pytest.mark.parametrize("mutation", list(WHO))
async def test_who_may_and_who_may_not(world: tuple[World, Inputs], mutation: str):
    there, inputs = world
    who = WHO[mutation]
    expected = {caller: caller in who.callers for caller in sorted(EVERYBODY)}
    tokens = there.callers | {role: await there.station.person(f"{role}@{who.home}.demo") for role in IN_CITY}
    found, before = {}, there.station.fingerprint()
    for caller, lets in expected.items():
        given = inputs.of(mutation, there.city(caller))
        said = await call(there, mutation, given, tokens[caller], rehearse=lets)
        if (mutation, caller) in NOT_POSSIBLE:
            said |= {"NOT_ALLOWED"}
        assert not said or said <= REFUSED, (caller, said)
        found[caller] = not said
    assert there.station.fingerprint() == before, "somebody was refused, but something changed"
    assert found == expected


async def test_a_stranger_learns_nothing_by_trying(world: tuple[World, Inputs]):
    """What is there and what is not are refused in the same way."""
    there, inputs = world
    for mutation in WHO.keys() - {"acceptInvitation"}:
        good = inputs.of(mutation, "seoul")
        bad = good | dict.fromkeys(_NAMES & good.keys(), "TmVpdGhlcjo3")
        said = [await call(there, mutation, given, None, rehearse=False) for given in (good, bad)]
        assert said[0] == said[1], mutation
        assert len(said[0]) == 1, mutation
        assert said[0] <= {"NOT_SIGNED_IN", "NOT_FOUND"}, mutation


async def test_a_stranger_finds_no_draft_where_there_is_one(world: tuple[World, Inputs]):
    """A practice that may not be seen and one that is not there are refused in the same words."""
    there, inputs = world
    for mutation in ("revisePractice", "submitPractice"):
        hidden = await call(
            there, mutation, inputs.of(mutation, "seoul"), there.callers["cio of another city"], rehearse=False
        )
        absent = inputs.of(mutation, "seoul") | {"practice": "there-is-no-such-practice"}
        assert hidden == {"NOT_FOUND"}
        assert await call(there, mutation, absent, there.callers["cio of another city"], rehearse=False) == hidden


_NAMES = frozenset({"city", "application", "practice", "person"})
