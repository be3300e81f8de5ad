"""Organisations that are no cities: registered, admitted, read; bodies of the network; names under another spelling."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from register_make import make_organisation
from sqlalchemy import select
from sqlmodel import col

from members.demo.forms import signed_form
from members.membership import applications, membership
from members.membership.applications import ApplicationForm
from members.membership.membership import Decision
from members.people import people
from members.register import cities, organisations
from members.register.models import MembershipKind, MembershipStatus, Organisation, OrganisationKind, Region
from members.register.organisations import Facts
from members.register.spelling import spelling
from wego.core import audit, reads
from wego.core.access import NOBODY, Permission, PlaceKind, Role
from wego.core.db import Database, Session
from wego.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from wego.core.models import AuditEntry

from .conftest import NOW, SYSTEM, Ask
from .test_cities import FACTS
from .test_graphql import World

UNION = Facts(
    kind=OrganisationKind.ASSOCIATION,
    slug="union-of-cities",
    names={"en": "Union of Cities", "fr": "Union des villes"},
    endonym_locale="fr",
    country="FR",
    region=Region.EUROPE,
    languages=("fr",),
    website="https://union.example",
)
S = MembershipStatus
EXCOM = Decision(reference="Executive Committee 2026, item 4")


@pytest.fixture
def world(demo: Database, ask_of: Callable[[Database], Ask]) -> World:
    return World(demo, ask_of(demo))


# ── what a stranger cannot do ────────────────────────────────────────────────────────────────────────────────────


async def test_only_officers_enter_and_change_an_organisation(db: Session, make_city: Any, make_actor: Any) -> None:
    city = await make_city(status=S.FULL)
    for actor in (NOBODY, await make_actor((Role.HEAD, city)), await make_actor((Role.AUDITOR, None))):
        with pytest.raises(Refusal):
            await organisations.register(db, actor, UNION)
    made = await organisations.register(db, await make_actor((Role.OFFICER, None)), UNION)
    with pytest.raises(NotAllowed):
        await organisations.change(db, await make_actor((Role.HEAD, city)), made.id, {"website": None})


async def test_who_only_asks_to_belong_is_known_to_its_people_and_the_secretariat_only(
    db: Session, make_actor: Any
) -> None:
    made = await organisations.register(db, SYSTEM, UNION)
    for actor in (await make_actor((Role.HEAD, made)), SYSTEM):
        assert (await reads.locate(db, actor, Organisation, made.id)).slug == "union-of-cities"
    with pytest.raises(NotFound):
        await reads.locate(db, NOBODY, Organisation, made.id)


# ── belonging ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [
        (OrganisationKind.ASSOCIATION, S.FRIENDSHIP),
        (OrganisationKind.GOVERNMENT, S.FRIENDSHIP),
        (OrganisationKind.COMPANY, S.CORPORATE),
    ],
)
async def test_friends_and_companies_apply_by_the_same_verbs(
    db: Session, form: ApplicationForm, make_actor: Any, kind: OrganisationKind, becomes: MembershipStatus
) -> None:
    made = await organisations.register(db, SYSTEM, replace(UNION, kind=kind))
    head = await make_actor((Role.HEAD, made))
    await membership.apply(db, head, made.id, replace(form, kind=None), now=NOW)
    assert (await membership.submit(db, head, made.id, now=NOW)).status is S.SUBMITTED
    with pytest.raises(Conflict, match="executive committee"):
        await membership.accept(db, SYSTEM, made.id)
    (admitted,) = await membership.admit(db, SYSTEM, [made.id], EXCOM, now=NOW)
    assert (admitted.status, admitted.kind.value) == (becomes, becomes.value)
    assert (await reads.locate(db, NOBODY, Organisation, made.id)).id == made.id
    head = await people.actor_of(db, head.person_id or made.id)
    assert head.may(Permission.AUDIT_READ, made.id), "a member in good standing"
    assert (await membership.resign(db, head, made.id, Decision("We leave."), now=NOW)).status is S.RESIGNING


async def test_the_log_calls_it_what_it_is(db: Session, form: ApplicationForm) -> None:
    made = await organisations.register(db, SYSTEM, UNION)
    await membership.apply(db, SYSTEM, made.id, replace(form, kind=None), now=NOW)
    await organisations.change(db, SYSTEM, made.id, {"names": {"de": "Städteunion"}, "website": None}, now=NOW)
    await audit.append(db)
    entries = (await db.execute(select(AuditEntry).order_by(col(AuditEntry.index)))).scalars()
    told = [(entry.event, entry.subject_type, entry.subject_id) for entry in entries]
    assert told == [
        ("organisation.registered", "Organisation", made.id),
        ("application.drafted", "Organisation", made.id),
        ("organisation.updated", "Organisation", made.id),
    ]
    facts = await organisations.facts_of(db, made)
    assert (facts.names["de"], facts.website) == ("Städteunion", None)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (OrganisationKind.COMPANY, MembershipKind.CITY),
        (OrganisationKind.COMPANY, MembershipKind.FRIENDSHIP),
        (OrganisationKind.CITY, MembershipKind.CORPORATE),
    ],
)
async def test_as_what_it_belongs_follows_from_what_it_is(
    db: Session, form: ApplicationForm, kind: OrganisationKind, asked: MembershipKind
) -> None:
    made = await make_organisation(db, "somebody", kind)
    with pytest.raises(Invalid) as refused:
        await membership.apply(db, SYSTEM, made.id, replace(form, kind=asked))
    assert refused.value.path == ("input", "kind")


@pytest.mark.parametrize("kind", [OrganisationKind.PARTNER, OrganisationKind.OBSERVER, OrganisationKind.COMMITTEE])
async def test_partners_observers_and_bodies_do_not_apply(
    db: Session, form: ApplicationForm, kind: OrganisationKind
) -> None:
    made = await make_organisation(db, "somebody", kind)
    with pytest.raises(Conflict, match="does not apply"):
        await membership.apply(db, SYSTEM, made.id, replace(form, kind=None))


async def test_an_application_of_a_company_asks_for_no_population(db: Session, form: ApplicationForm) -> None:
    made = await make_organisation(db, "works")
    application = await membership.apply(db, SYSTEM, made.id, replace(form, kind=None))
    assert all(item.present for item in await applications.completeness(db, application) if item.required)


# ── posts at a place ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_post_in_a_body_needs_no_membership(db: Session, make_actor: Any) -> None:
    committee = await make_organisation(db, "committee-on-ethics", OrganisationKind.COMMITTEE)
    chair = await make_actor((Role.HEAD, committee))
    (post,) = chair.posts
    assert (post.place.kind, post.place.id, post.active) == (PlaceKind.BODY, committee.id, True)
    assert chair.may(Permission.PERSON_INVITE, committee.id)
    assert (await reads.locate(db, NOBODY, Organisation, committee.id)).slug == "committee-on-ethics"


async def test_a_body_has_no_editors_and_a_company_no_officers(db: Session, make_actor: Any) -> None:
    committee = await make_organisation(db, "committee-on-ethics", OrganisationKind.COMMITTEE)
    company = await make_organisation(db, "works")
    somebody = (await make_actor()).person_id
    assert somebody is not None
    with pytest.raises(Invalid, match="body"):
        await people.assign_role(db, SYSTEM, somebody, Role.EDITOR, committee.id)
    with pytest.raises(Invalid, match="secretariat"):
        await people.assign_role(db, SYSTEM, somebody, Role.OFFICER, company.id)
    await people.assign_role(db, SYSTEM, somebody, Role.DELEGATE, committee.id)
    await people.assign_role(db, SYSTEM, somebody, Role.EDITOR, company.id)


# ── the same name under another spelling ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("other", ["TAKAMATSU", "Taka-matsu", "Tákamatsu", " Taka matsu "])
async def test_a_city_under_another_spelling_is_found_before_a_second_one_is_made(db: Session, other: str) -> None:
    await cities.register(db, SYSTEM, FACTS)
    twin = replace(FACTS, slug="takamatsu-2", names={"en": other, "ja": "別の市"})
    with pytest.raises(Conflict) as refused:
        await cities.register(db, SYSTEM, twin)
    assert refused.value.params["slug"] == "takamatsu"
    assert (await cities.register(db, SYSTEM, twin, insist=True)).slug == "takamatsu-2"


async def test_it_is_found_in_every_language_and_in_the_same_country_only(db: Session) -> None:
    await cities.register(db, SYSTEM, FACTS)
    same = replace(UNION, country="JP", names={"en": "Something Else", "fr": "Autre", "zh-Hans": "高松市"})
    with pytest.raises(Conflict, match="in the register already"):
        await organisations.register(db, SYSTEM, same)
    assert (await organisations.register(db, SYSTEM, replace(same, country="CN"))).country == "CN"


def test_letters_of_every_script_tell_names_apart() -> None:
    assert spelling("Sao-Paulo") == spelling("São Paulo ") == "saopaulo"
    assert len({spelling(name) for name in ("मुंबई", "मंबाई", "서울", "Улан-Батор", "الرياض")}) == 5


# ── what the world may see, and do ───────────────────────────────────────────────────────────────────────────────

REGISTERED = {
    "kind": "COMPANY", "slug": "works", "names": [{"locale": "en", "name": "Works"}], "endonymLocale": "en",
    "country": "DE", "region": "EUROPE", "languages": ["de"],
}  # fmt: skip


async def test_a_company_becomes_a_corporate_member_by_the_api(world: World) -> None:
    officer, wanted = "secretariat@wego.demo", "organisation { slug kind membership { kind status } city { slug } }"
    assert (await world.do(officer, "registerOrganisation", REGISTERED, wanted))["organisation"] == {
        "slug": "works", "kind": "COMPANY", "membership": None, "city": None,
    }  # fmt: skip
    invited = await world.do(
        officer, "invitePerson",
        {"email": "head@works.example", "name": "Head", "role": "HEAD", "organisation": "works"}, "secret",
    )  # fmt: skip
    await world.do(NOBODY, "acceptInvitation", {"secret": invited["secret"]})
    sent = {
        "organisation": "works", "motivation": "To help.", "contactName": "Head", "contactEmail": "a@works.example",
        "signatory": "AUTHORISED_REPRESENTATIVE",
        "signedForm": {"name": "f.pdf", "content": base64.b64encode(signed_form("Works", "Head")).decode()},
    }  # fmt: skip
    its = f"application {{ id kind city {{ id }} organisation {{ slug }} }} {wanted}"
    applied = await world.do("head@works.example", "applyForMembership", sent, its)
    assert applied["problems"] == []
    assert applied["application"]["organisation"] == {"slug": "works"}
    assert (applied["application"]["kind"], applied["application"]["city"]) == ("CORPORATE", None)
    await world.do("head@works.example", "submitApplication", {"application": applied["application"]["id"]})
    admitted = await world.do(
        officer, "admitMember", {"organisations": ["works"], "reference": "Executive Committee 2026"},
        "organisations { slug membership { kind status } } cities { slug }",
    )  # fmt: skip
    belongs = {"kind": "CORPORATE", "status": "CORPORATE"}
    assert admitted["organisations"] == [{"slug": "works", "membership": belongs}]
    assert admitted["cities"] == []
    text = """{ organisation(slug: "works") { name { text } membership { status timeline { to } } country { code } }
        organisations(filter: {membershipKind: [CORPORATE]}) { totalCount nodes { slug } } cities { totalCount } }"""
    seen = await world.query(NOBODY, text)
    assert seen["organisation"]["name"] == {"text": "Works"}
    assert seen["organisation"]["membership"] == {"status": "CORPORATE", "timeline": [{"to": "CORPORATE"}]}
    assert seen["organisations"] == {"totalCount": 1, "nodes": [{"slug": "works"}]}
    suspended = await world.do(officer, "suspendMember", {"organisation": "works", "reason": "Article 9."}, wanted)
    assert suspended["organisation"]["membership"]["status"] == "SUSPENDED"


async def test_an_input_names_one_organisation(world: World) -> None:
    for given in ({}, {"city": "seoul", "organisation": "seoul"}):
        answer = await world.do("secretariat@wego.demo", "suspendMember", {"reason": "No.", **given})
        assert [problem["code"] for problem in answer["problems"]] == ["INVALID"]


async def test_a_city_is_an_organisation_too(world: World) -> None:
    text = """{ organisation(slug: "seoul") { kind city { id population } membership { status } people { id } }
        city(slug: "seoul") { id membership { status } } }"""
    seen = await world.query(NOBODY, text)
    assert seen["organisation"]["city"]["id"] == seen["city"]["id"]
    assert seen["organisation"]["membership"] == seen["city"]["membership"] == {"status": "FULL"}
    assert seen["organisation"]["people"] == []
