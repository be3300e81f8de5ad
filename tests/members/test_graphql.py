"""What the world may see of members, and the mutations end to end."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
import strawberry

from i18n.language.collation import sort_key
from i18n.language.locales import LOCALES
from members.demo.forms import signed_form
from members.people import people
from members.register.models import MembershipStatus
from wego.core import access
from wego.core.access import Actor, ActorKind, Post, Role, organisation
from wego.core.db import Database, Tally, tally

from .conftest import Ask

S = MembershipStatus
NOBODY = access.NOBODY


class World:
    """The demonstration network, and a way to act in it as one of its people."""

    def __init__(self, database: Database, ask: Ask) -> None:
        self.database, self.ask = database, ask

    async def person(self, email: str) -> Actor:
        async with self.database.session() as db:
            person = await people.by_email(db, email)
            assert person is not None, email
            return await people.actor_of(db, person.id)

    async def query(self, who: str | Actor, text: str, **variables: Any) -> Any:
        actor = who if isinstance(who, Actor) else await self.person(who)
        return await self.ask(actor, text, variables)

    async def do(self, who: str | Actor, name: str, given: dict[str, Any], wanted: str = "") -> Any:
        """Run one mutation; its payload."""
        kind = f"{name[0].upper()}{name[1:]}Input"
        kind = {
            "SubmitApplicationInput": "ApplicationInput", "StartApplicationCheckInput": "ApplicationInput",
            "AcceptApplicationInput": "ApplicationDecisionInput",
            "WithdrawApplicationInput": "ApplicationDecisionInput",
            "AssignRoleInput": "RoleInput", "RevokeRoleInput": "RoleInput",
        }.get(kind, kind)  # fmt: skip
        text = f"mutation($i: {kind}!) {{ {name}(input: $i) {{ problems {{ code message path }} {wanted} }} }}"
        return (await self.query(who, text, i=given))[name]


@pytest.fixture
def world(demo: Database, ask_of: Callable[[Database], Ask]) -> World:
    """A network of one's own, to be changed."""
    return World(demo, ask_of(demo))


@pytest.fixture
def gallery(shown: Database, ask_of: Callable[[Database], Ask]) -> World:
    """A network that is only looked at."""
    return World(shown, ask_of(shown))


def codes(payload: Any) -> list[str]:
    return [problem["code"] for problem in payload["problems"]]


# ── what a stranger cannot see ───────────────────────────────────────────────────────────────────────────────────


async def test_a_stranger_sees_no_applicants_no_people_and_no_reasons(gallery: World) -> None:
    text = """{ city(slug: "lviv") { slug }  cities(filter: {membershipStatus: [SUBMITTED, DECLINED]}) { totalCount }
      applications { totalCount }  people { totalCount }
      cities2: cities(filter: {membershipStatus: [FULL]}, last: 3) { nodes { people { name } invitations { id }
        applications { id } timeline { to reason { text } recordedBy { name } } } } }"""
    for who in (NOBODY, "head@seoul.demo", "cio@beira.demo"):
        seen = await gallery.query(who, text)
        assert seen["city"] is None
        assert seen["cities"]["totalCount"] == 0
        for city in seen["cities2"]["nodes"]:
            assert city["people"] == city["invitations"] == city["applications"] == []
            assert all(step["recordedBy"] is None for step in city["timeline"])
    assert (await gallery.query(NOBODY, text))["people"]["totalCount"] == 0
    nobody = await gallery.query(NOBODY, text)
    assert all(step["reason"] is None for city in nobody["cities2"]["nodes"] for step in city["timeline"])
    member = await gallery.query("head@seoul.demo", text)
    assert any(step["reason"] for city in member["cities2"]["nodes"] for step in city["timeline"])


async def test_ids_open_nothing_that_may_not_be_seen(gallery: World) -> None:
    text = """{ applications { nodes { id city { id } } } people { nodes { id } } }"""
    seen = await gallery.query("secretariat@wego.demo", text)
    keys = [node["id"] for part in seen.values() for node in part["nodes"]]
    keys += [node["city"]["id"] for node in seen["applications"]["nodes"]]
    for key in keys:
        assert (await gallery.query(NOBODY, "query($i: ID!) { node(id: $i) { id } }", i=key))["node"] is None


async def test_an_invitation_is_seen_by_those_who_may_invite(world: World) -> None:
    given = {"email": "new@people.example", "name": "New", "role": "EDITOR", "city": "seoul"}
    made = await world.do("cio@seoul.demo", "invitePerson", given, "invitation { id status role city { slug } } secret")
    assert made["problems"] == []
    assert made["invitation"]["status"] == "OPEN"
    node = "query($i: ID!) { node(id: $i) { id ... on Invitation { email } } }"
    for who, seen in ((NOBODY, False), ("cio@barcelona.demo", False), ("editor@seoul.demo", False),
                      ("head@seoul.demo", True), ("secretariat@wego.demo", True)):  # fmt: skip
        answer = await world.query(who, node, i=made["invitation"]["id"])
        assert (answer["node"] is not None) is seen, who
        listed = await world.query(who, "{ invitations(filter: {status: OPEN, role: EDITOR}) { totalCount } }")
        assert listed["invitations"]["totalCount"] == seen, who


async def test_the_content_of_a_form_is_for_those_who_handle_it(gallery: World) -> None:
    text = "{ applications { nodes { files { name content } } } }"
    for who, readable in (("secretariat@wego.demo", True), ("auditor@wego.demo", True), ("cio@lviv.demo", True),
                          ("delegate@lviv.demo", False)):  # fmt: skip
        files = [file for node in (await gallery.query(who, text))["applications"]["nodes"] for file in node["files"]]
        assert files, who
        assert all((file["content"] is not None) is readable for file in files), who
        if readable:
            assert base64.b64decode(files[0]["content"]).startswith(b"%PDF-")


MUTATIONS: dict[str, dict[str, Any]] = {
    "applyForMembership": {"city": "seoul"},
    "submitApplication": {"application": "x"},
    "startApplicationCheck": {"application": "x"},
    "requestApplicationChanges": {"application": "x", "items": [{"item": "CONTACT"}]},
    "acceptApplication": {"application": "x"},
    "declineApplication": {"application": "x", "reason": "r"},
    "withdrawApplication": {"application": "x"},
    "admitMember": {"cities": ["seoul"], "reference": "r"},
    "suspendMember": {"city": "seoul", "reason": "r"},
    "reinstateMember": {"city": "seoul"},
    "resignMembership": {"city": "seoul", "notice": "n"},
    "invitePerson": {"email": "a@b.example", "name": "n", "role": "EDITOR", "city": "seoul"},
    "acceptInvitation": {"secret": "guess"},
    "assignRole": {"person": "x", "role": "EDITOR", "city": "seoul"},
    "revokeRole": {"person": "x", "role": "EDITOR", "city": "seoul"},
    "registerCity": {
        "slug": "atlantis", "names": [{"locale": "en", "name": "Atlantis"}], "endonymLocale": "en", "country": "GR",
        "region": "EUROPE", "latitude": 1, "longitude": 1, "population": 1, "timeZone": "Europe/Athens",
    },
    "updateCity": {"city": "seoul", "population": 1},
    "registerOrganisation": {
        "kind": "COMPANY", "slug": "atlantis-works", "names": [{"locale": "en", "name": "Atlantis Works"}],
        "endonymLocale": "en", "country": "GR", "region": "EUROPE",
    },
    "updateOrganisation": {"organisation": "seoul", "website": "https://seoul.example"},
}  # fmt: skip


async def test_no_mutation_is_for_strangers(gallery: World, schema: strawberry.Schema) -> None:
    assert schema._schema.mutation_type is not None
    assert set(schema._schema.mutation_type.fields) == set(MUTATIONS)
    for name, given in MUTATIONS.items():
        assert codes(await gallery.do(NOBODY, name, given)) in (["NOT_SIGNED_IN"], ["NOT_FOUND"]), name
    program = Actor(ActorKind.PROGRAM, "client", None, ((await gallery.person("cio@seoul.demo")).posts[0],))
    program = Actor(ActorKind.PROGRAM, "client", None, (Post(Role.PROGRAM, organisation(program.posts[0].place.id)),))
    for name, given in MUTATIONS.items():
        assert codes(await gallery.do(program, name, given)) in (["NOT_ALLOWED"], ["NOT_FOUND"]), name


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE = """{ cities(first: %d) { totalCount pageInfo { hasNextPage endCursor } nodes { id slug
  name(locales: ["ko"]) { text locale direction isFallback } endonym { text locale } names { text locale direction }
  country { code name(locales: ["fr"]) { text } } region regionName { text } population languages
  coordinates { latitude longitude } timeZone website subdivision history { on text { text } source }
  membership { kind status since endsOn timeline { at from to body actor reason { text } reference { text } } }
} } }"""


async def test_a_list_of_cities_is_one_statement_however_long(gallery: World) -> None:
    counted = []
    for size in (1, 25):
        counter = Tally()
        token = tally.set(counter)
        answer = await gallery.query(NOBODY, WHOLE % size)
        tally.reset(token)
        assert len(answer["cities"]["nodes"]) == size
        counted.append(counter.statements)
    assert counted == [1, 1]


async def test_a_city_is_told_in_the_language_of_the_reader(gallery: World) -> None:
    text = """{ city(slug: "seoul") { name { text locale isFallback } endonym { text locale }
      country { name { text } } regionName { text } } }"""
    french = await gallery.ask(NOBODY, text, {}, ("fr", "en"))
    assert french["city"]["name"] == {"text": "Séoul", "locale": "fr", "isFallback": False}
    assert french["city"]["country"]["name"]["text"] == "Corée du Sud"
    assert french["city"]["regionName"]["text"] == "Asie de l’Est"
    maori = await gallery.ask(NOBODY, text, {}, ("mi", "en"))
    assert maori["city"]["name"] == {"text": "Seoul", "locale": "en", "isFallback": True}
    assert maori["city"]["endonym"] == {"text": "서울", "locale": "ko"}


@pytest.mark.parametrize(
    ("condition", "slugs"),
    [
        ('country: ["KR"], nameContains: "성남"', {"seongnam"}),
        ('nameContains: "SEOUL"', {"seoul"}),
        ('nameContains: "%"', set()),
        ('region: OCEANIA, populationMin: 4000000', {"sydney", "melbourne"}),
        ('language: ["ca"]', {"barcelona"}),
        ('language: ["zh"]', {"chengdu", "shanghai"}),
        ('language: ["ko-KR"]', {"seoul", "seongnam"}),
        ('language: ["zh-TW"], country: "CN"', set()),
        ('membershipStatus: ASSOCIATE, country: "IR"', {"shiraz"}),
        ('populationMax: 0', set()),
    ],
)  # fmt: skip
async def test_cities_can_be_found(gallery: World, condition: str, slugs: set[str]) -> None:
    text = f"{{ cities(first: 100, filter: {{{condition}}}) {{ totalCount nodes {{ slug }} }} }}"
    seen = (await gallery.query(NOBODY, text))["cities"]
    found = {node["slug"] for node in seen["nodes"]}
    assert found >= slugs if slugs else not found
    assert seen["totalCount"] == len(found)


@pytest.mark.parametrize("order", ["NAME", "POPULATION", "MEMBER_SINCE"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_of_cities_join_without_a_gap(gallery: World, order: str, direction: str) -> None:
    text = """query($a: String) { cities(first: 100, after: $a, orderBy: {field: %s, direction: %s}) {
      pageInfo { hasNextPage endCursor } nodes { slug population membership { since } } } }"""
    seen: list[Any] = []
    after = None
    while True:
        page = (await gallery.query(NOBODY, text % (order, direction), a=after))["cities"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len({node["slug"] for node in seen}) == len(seen) == 277
    if order != "NAME":
        keys = [node["population"] if order == "POPULATION" else node["membership"]["since"] for node in seen]
        assert keys == sorted(keys, reverse=direction == "DESC")


@pytest.mark.parametrize("locale", list(LOCALES))
async def test_cities_are_sorted_by_the_names_that_the_reader_sees_and_page_by_page(gallery: World, locale: str):
    text = """query($a: String) { cities(first: 100, after: $a, orderBy: {field: NAME}) {
      pageInfo { hasNextPage endCursor hasPreviousPage } edges { cursor node { name { text } } } } }"""
    seen: list[str] = []
    after = None
    while True:
        page = (await gallery.ask(NOBODY, text, {"a": after}, (locale, "en")))["cities"]
        assert page["pageInfo"]["hasPreviousPage"] is bool(seen)
        seen += [edge["node"]["name"]["text"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == 277
    assert seen == sorted(seen, key=lambda name: sort_key(locale, name))


async def test_the_pages_of_a_list_join_also_for_who_changes_his_language_between_them(gallery: World):
    text = "query($a: String) { cities(first: 9, after: $a) { pageInfo { endCursor } nodes { slug } } }"
    whole = (await gallery.ask(NOBODY, "{ cities(first: 18) { nodes { slug } } }", {}, ("ko", "en")))["cities"]["nodes"]
    first = (await gallery.ask(NOBODY, text, {}, ("ko", "en")))["cities"]
    second = (await gallery.ask(NOBODY, text, {"a": first["pageInfo"]["endCursor"]}, ("ar", "en")))["cities"]
    assert first["nodes"] + second["nodes"] == whole


async def test_the_viewer_sees_himself(gallery: World) -> None:
    text = "{ viewer { kind person { email } clientId scopes posts { role isActive city { slug } } } }"
    nobody = (await gallery.query(NOBODY, text))["viewer"]
    assert nobody == {"kind": "ANONYMOUS", "person": None, "clientId": None, "scopes": None, "posts": []}
    newark = (await gallery.query("cio@newark.demo", text))["viewer"]
    assert newark["person"] == {"email": "cio@newark.demo"}
    assert newark["posts"] == [{"role": "CIO", "isActive": False, "city": {"slug": "newark"}}]
    posts = (Post(Role.PROGRAM, (await gallery.person("cio@seoul.demo")).posts[0].place),)
    program = Actor(ActorKind.PROGRAM, "abc", None, posts, frozenset({"graphql:query"}))
    assert (await gallery.query(program, text))["viewer"] == {
        "kind": "PROGRAM", "person": None, "clientId": "abc", "scopes": ["graphql:query"],
        "posts": [{"role": "PROGRAM", "isActive": True, "city": {"slug": "seoul"}}],
    }  # fmt: skip


async def test_completeness_in_sql_is_that_of_the_service(gallery: World) -> None:
    from members.membership import applications

    text = "{ applications { nodes { city { slug } completeness { key present required } } } }"
    seen = (await gallery.query("secretariat@wego.demo", text))["applications"]["nodes"]
    async with gallery.database.session() as db:
        for application, city in await applications.listed(db, access.system("test"), list(MembershipStatus)):
            checks = [
                {"key": check.key.name, "present": check.present, "required": check.required}
                for check in await applications.completeness(db, application)
            ]
            assert next(one for one in seen if one["city"]["slug"] == city.slug)["completeness"] == checks


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

STATE = "application { id status } city { slug membership { status } }"


async def test_a_city_applies_and_becomes_a_full_member(world: World) -> None:
    officer, cio = "secretariat@wego.demo", "cio@beira.demo"
    form = base64.b64encode(signed_form("Beira", "Mayor")).decode()
    given = {
        "city": "beira", "motivation": "Para aprender.", "motivationLocale": "pt", "contactName": "CIO of Beira",
        "contactEmail": "cio@beira.demo", "signatory": "MAYOR", "signedForm": {"name": "form.pdf", "content": form},
    }  # fmt: skip
    drafted = await world.do(cio, "applyForMembership", given, STATE)
    assert drafted["problems"] == []
    key = {"application": drafted["application"]["id"]}
    assert codes(await world.do(officer, "acceptApplication", key)) == ["CONFLICT"]
    assert (await world.do(cio, "submitApplication", key, STATE))["application"]["status"] == "SUBMITTED"
    assert codes(await world.do(cio, "acceptApplication", key)) == ["NOT_ALLOWED"]
    assert codes(await world.do("cio@seoul.demo", "acceptApplication", key)) == ["NOT_FOUND"]
    await world.do(officer, "startApplicationCheck", key)
    changes = {**key, "items": [{"item": "OFFICIAL_LETTER", "note": "From the council, please."}]}
    asked = await world.do(officer, "requestApplicationChanges", changes, STATE)
    assert asked["application"]["status"] == "CHANGES_REQUESTED"
    assert codes(await world.do(cio, "submitApplication", key)) == ["INVALID"]
    letter = {**given, "officialLetter": {"name": "letter.pdf", "content": form}}
    await world.do(cio, "applyForMembership", letter)
    await world.do(cio, "submitApplication", key)
    accepted = await world.do(officer, "acceptApplication", key, STATE)
    assert accepted["city"]["membership"]["status"] == "ASSOCIATE"
    assert codes(await world.do(officer, "acceptApplication", key)) == ["CONFLICT"]
    decision = {"cities": ["beira"], "body": "EXECUTIVE_COMMITTEE", "reference": "Executive Committee 2026, item 4"}
    admitted = await world.do(officer, "admitMember", decision, "city { membership { status } } cities { slug }")
    assert admitted == {
        "problems": [], "city": {"membership": {"status": "FULL"}}, "cities": [{"slug": "beira"}],
    }  # fmt: skip
    timeline = '{ city(slug: "beira") { timeline { from to body actor reference { text } recordedBy { email } } } }'
    public = (await world.query(NOBODY, timeline))["city"]["timeline"]
    assert [step["to"] for step in public] == ["ASSOCIATE", "FULL"]
    whole = (await world.query(officer, timeline))["city"]["timeline"]
    assert [step["to"] for step in whole] == [
        "APPLICATION_DRAFT", "SUBMITTED", "UNDER_CHECK", "CHANGES_REQUESTED", "SUBMITTED", "UNDER_CHECK", "ASSOCIATE",
        "FULL",
    ]  # fmt: skip
    assert whole[-1]["recordedBy"] == {"email": officer}
    assert whole[-1]["actor"] == "SECRETARIAT"


async def test_a_member_is_suspended_and_reinstated(world: World) -> None:
    officer = "secretariat@wego.demo"
    wanted = "city { slug membership { status } }"
    refused = await world.do(officer, "suspendMember", {"city": "takamatsu", "reason": "  "}, wanted)
    assert refused["problems"][0]["path"] == ["input", "reason"]
    assert refused["city"] is None
    given = {"city": "takamatsu", "reason": "Article 9."}
    assert (await world.do(officer, "suspendMember", given, wanted))["city"]["membership"]["status"] == "SUSPENDED"
    twice = await world.do(officer, "suspendMember", given)
    assert codes(twice) == ["CONFLICT"]
    assert "suspended" in twice["problems"][0]["message"]
    assert not (await world.person("cio@takamatsu.demo")).posts[0].active
    back = await world.do(officer, "reinstateMember", {"city": "takamatsu"}, wanted)
    assert back["city"]["membership"]["status"] == "FULL"
    notice = {"city": "takamatsu", "notice": "さようなら。"}
    left = await world.do("head@takamatsu.demo", "resignMembership", notice, wanted)
    assert left["city"]["membership"]["status"] == "RESIGNING"
    assert codes(await world.do("cio@seoul.demo", "resignMembership", {"city": "seoul", "notice": "x"})) == [
        "NOT_ALLOWED"
    ]


async def test_a_decided_application_is_not_decided_again_through_its_id(world: World) -> None:
    officer = "secretariat@wego.demo"
    text = "{ applications(filter: {status: DECLINED}) { nodes { id } } }"
    old = (await world.query(officer, text))["applications"]["nodes"][0]["id"]
    for name, more in (("acceptApplication", {}), ("declineApplication", {"reason": "Again."})):
        assert codes(await world.do(officer, name, {"application": old, **more})) == ["CONFLICT"], name


async def test_somebody_is_invited_and_takes_it_up(world: World) -> None:
    given = {"email": "new@people.example", "name": "Someone new", "role": "EDITOR", "city": "seoul"}
    made = await world.do("cio@seoul.demo", "invitePerson", given, "secret")
    accepted = await world.do(
        NOBODY, "acceptInvitation", {"secret": made["secret"]}, "role city { slug } person { email }"
    )
    assert accepted == {"problems": [], "role": "EDITOR", "city": {"slug": "seoul"}, "person": None}
    assert codes(await world.do(NOBODY, "acceptInvitation", {"secret": made["secret"]})) == ["CONFLICT"]
    assert [post.role for post in (await world.person("new@people.example")).posts] == [Role.EDITOR]
    people_of = '{ city(slug: "seoul") { people { id email posts { role } } } }'
    seen = (await world.query("cio@seoul.demo", people_of))["city"]["people"]
    new = next(person for person in seen if person["email"] == "new@people.example")
    more = {"person": new["id"], "role": "DELEGATE", "city": "seoul"}
    assigned = await world.do("cio@seoul.demo", "assignRole", more, "person { posts { role } }")
    assert {post["role"] for post in assigned["person"]["posts"]} == {"EDITOR", "DELEGATE"}
    revoked = await world.do("head@seoul.demo", "revokeRole", more, "person { posts { role } }")
    assert revoked["person"]["posts"] == [{"role": "EDITOR"}]


async def test_an_officer_keeps_the_register(world: World) -> None:
    given = {
        "slug": "sejong", "names": [{"locale": "en", "name": "Sejong"}, {"locale": "ko", "name": "세종"}],
        "endonymLocale": "ko", "country": "KR", "region": "EAST_ASIA", "latitude": 36.48, "longitude": 127.29,
        "population": 390_000, "timeZone": "Asia/Seoul", "languages": ["ko"], "subdivision": "KR-50",
        "website": "https://www.sejong.go.kr/",
    }  # fmt: skip
    wanted = "city { slug endonym { text } website membership { status } names { locale } }"
    made = await world.do("secretariat@wego.demo", "registerCity", given, wanted)
    assert made["problems"] == []
    assert made["city"]["endonym"] == {"text": "세종"}
    again = await world.do("secretariat@wego.demo", "registerCity", {**given, "country": "XX"}, wanted)
    assert {tuple(problem["path"]) for problem in again["problems"]} == {("input", "country"), ("input", "subdivision")}
    change = {"city": "sejong", "website": None, "names": [{"locale": "fr", "name": "Sejong"}]}
    changed = await world.do("secretariat@wego.demo", "updateCity", change, wanted)
    assert changed["city"]["website"] is None
    assert [name["locale"] for name in changed["city"]["names"]] == ["en", "fr", "ko"]
    assert codes(await world.do("cio@seoul.demo", "updateCity", {**change})) == ["NOT_FOUND"]
    assert codes(await world.do("cio@seoul.demo", "updateCity", {"city": "seoul", "population": 1})) == ["NOT_ALLOWED"]


@pytest.mark.parametrize("content", ["not base64!", "가", base64.b64encode(b"<svg/>").decode(), "A" * 7_000_000])
async def test_a_wrong_file_is_refused_with_its_place(gallery: World, content: str) -> None:
    given = {"city": "beira", "signedForm": {"name": "x.pdf", "content": content}}
    refused = await gallery.do("cio@beira.demo", "applyForMembership", given)
    assert refused["problems"][0]["code"] == "INVALID"
    assert refused["problems"][0]["path"] == ["input", "signedForm", "content"]


async def test_a_stranger_does_not_tell_an_applicant_from_nothing(gallery: World) -> None:
    for slug in ("lviv", "atlantis", "no such\x00slug", "가"):
        problems = (await gallery.do("head@seoul.demo", "suspendMember", {"city": slug, "reason": "r"}))["problems"]
        assert [problem["code"] for problem in problems] == ["NOT_FOUND"], slug
        assert problems[0]["path"] == ["input", "city"]
