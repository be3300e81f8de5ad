"""What was private stays private, and who acts is who acts: by the API, as a program and a person would try.

What may be seen at all is the table of tests/test_visibility.py; here is what can be done, and what an answer tells.
"""

# ruff: noqa: E501, UP031 -- operations read best in one line, and are full of braces

from __future__ import annotations

from typing import Any

import orjson
import pytest
from http_make import Caller, Station, codes

from practices.cases.narrative import BUDGETS, TO_PUBLISH
from wego.core.ids import global_id

PUBLISHED = "seoul-wiki"
TRANSLATE = """mutation($i: TranslatePracticeInput!) { translatePractice(input: $i) { problems { code message path }
    practice { translations { locale status origin blocks { text { text origin } } } } } }"""
SHOWN = '{ practice(slug: "%s") { updatedAt title(locales: ["%s"]) { text locale origin } translations { locale status } } }'
INVITE = (
    "mutation($i: InvitePersonInput!) { invitePerson(input: $i) { problems { code path } invitation { id } secret } }"
)
ACCEPT = """mutation($i: AcceptInvitationInput!) { acceptInvitation(input: $i) { problems { code message path } role
    person { name email posts { role } } } }"""
CREATE = "mutation($i: CreatePracticeInput!) { createPractice(input: $i) { problems { code message path } practice { id slug } } }"


async def translate(station: Station, caller: Caller, **given: Any) -> dict[str, Any]:
    told = await station.data(TRANSLATE, {"i": {"practice": PUBLISHED, "locale": "fi", **given}}, caller=caller)
    return dict(told["translatePractice"])


# ── live texts ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("locale", ["en", "fi", "da"])
@pytest.mark.parametrize("who", ["program", "editor"])
async def test_who_may_not_publish_changes_nothing_that_is_live(station: Station, who: str, locale: str):
    caller = await (station.program("seoul") if who == "program" else station.person("editor@seoul.demo"))
    blocks = (await station.data(f'{{ practice(slug: "{PUBLISHED}") {{ blocks {{ blockId kind section }} }} }}'))[
        "practice"
    ]
    body = next(each["blockId"] for each in blocks["blocks"] if each["kind"] == "BODY")
    section = next(each["section"] for each in blocks["blocks"] if each["section"])
    if locale == "da":  # people wrote the Danish; a machine wrote the English, and nobody the Finnish
        cio = await station.person("cio@seoul.demo")
        texts = {"title": "Titel", "summary": "Kort.", "blocks": [{"id": body, "text": "Tekst."}]}
        headed = {"sections": [{"key": section, "heading": "Overskrift"}]}
        for given in (texts, headed):
            assert (await translate(station, cio, locale=locale, **given))["problems"] == []
    before = await station.data(SHOWN % (PUBLISHED, locale))
    for given in (
        {"title": "Taken", "summary": "Taken."},
        {"blocks": [{"id": body, "text": "Taken."}]},
        {"sections": [{"key": section, "heading": "Taken"}]},
    ):
        told = await translate(station, caller, locale=locale, **given)
        if locale == "da" and who == "program":
            assert [each["code"] for each in told["problems"]] == ["CONFLICT"]
            continue
        assert told["problems"] == []
        mine = [each for each in told["practice"]["translations"] if each["status"] == "IN_REVIEW"]
        assert [each["locale"] for each in mine] == [locale]
        assert "Taken" in str(mine)
    assert await station.data(SHOWN % (PUBLISHED, locale)) == before
    kept = await station.data('{ practices(filter: {titleContains: "Taken"}) { totalCount } }')
    assert kept["practices"]["totalCount"] == 0


async def test_what_waits_is_released_once_by_who_may_publish(station: Station):
    program, cio = await station.program("seoul"), await station.person("cio@seoul.demo")
    await translate(station, program, title="Otsikko", summary="Lyhyesti.")
    release = 'mutation { publishTranslation(input: {practice: "%s", locale: "fi"}) { problems { code } } }' % PUBLISHED
    for caller in (program, await station.person("editor@seoul.demo"), await station.person("cio@chengdu.demo")):
        assert codes(await station.ask(release, caller=caller)) == {"NOT_ALLOWED"}
    assert codes(await station.ask(release)) == {"NOT_SIGNED_IN"}
    assert codes(await station.ask(release, caller=cio)) == set()
    title = (await station.data(SHOWN % (PUBLISHED, "fi")))["practice"]["title"]
    assert title == {"text": "Otsikko", "locale": "fi", "origin": "MACHINE"}
    assert codes(await station.ask(release, caller=cio)) == {"CONFLICT"}


async def test_what_was_written_live_is_not_undone_by_an_older_text_that_waited(station: Station):
    editor, cio = await station.person("editor@seoul.demo"), await station.person("cio@seoul.demo")
    await translate(station, editor, title="Vanha", summary="Vanha.")
    await translate(station, cio, title="Uusi", summary="Uusi.")
    release = 'mutation { publishTranslation(input: {practice: "%s", locale: "fi"}) { problems { code } } }' % PUBLISHED
    assert codes(await station.ask(release, caller=cio)) == {"CONFLICT"}
    assert (await station.data(SHOWN % (PUBLISHED, "fi")))["practice"]["title"]["text"] == "Uusi"


async def test_a_program_is_no_human_and_no_machine_overwrites_one(station: Station):
    program, editor = await station.program("seoul"), await station.person("editor@seoul.demo")
    for origin in ("HUMAN", "ORIGINAL"):
        (problem,) = (await translate(station, program, title="x", origin=origin))["problems"]
        assert (problem["code"], problem["path"]) == ("INVALID", ["input", "origin"])
    assert (await translate(station, program, title="Kone", origin="MACHINE_POST_EDITED"))["problems"] == []
    assert (await translate(station, program, title="Kone 2", origin="IMPORTED"))["problems"] == []  # its own
    assert (await translate(station, editor, summary="Ihminen."))["problems"] == []
    for origin in ("MACHINE", "MACHINE_POST_EDITED", "IMPORTED", None):
        (problem,) = (await translate(station, program, summary="Kone.", origin=origin))["problems"]
        assert problem["code"] == "CONFLICT"
    (problem,) = (await translate(station, editor, summary="Kone.", origin="MACHINE"))["problems"]
    assert problem["code"] == "CONFLICT"


# ── offices ───────────────────────────────────────────────────────────────────────────────────────────────────

UNDER_REVIEW = '{ practice(slug: "open-host-bidding") { slug title { text } reviews { id } } node(id: "%s") { id } }'
OFFICES = {
    "a reviewer whose role ended": ("cio@barcelona.demo", "role_grant set revoked_at = now() where person_id = %s"),
    "a reviewer of a suspended city": (
        "cio@barcelona.demo",
        "membership set status = 'suspended', before_hold = 'full', not_before = now() where organisation_id in"
        " (select organisation_id from role_grant where person_id = %s)",
    ),
    "a reviewer who went to another city": (
        "cio@barcelona.demo", "role_grant set organisation_id = (select id from organisation where slug = 'chengdu') where person_id = %s",
    ),
    "an editor of the secretariat who was one": (
        "editor@wego.demo", "role_grant set revoked_at = now() where person_id = %s",
    ),
    "an object editor who was one": (
        "object_editor@seongnam.demo", "role_grant set revoked_at = now() where person_id = %s",
    ),
    "an object editor of a suspended city": (
        "object_editor@seongnam.demo",
        "membership set status = 'suspended', before_hold = 'full', not_before = now() where organisation_id in"
        " (select organisation_id from role_grant where person_id = %s)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("office", OFFICES)
async def test_what_hangs_on_an_office_ends_with_it(station: Station, office: str):
    email, ending = OFFICES[office]
    caller, person = await station.person(email), station.sql("select id from person where email = %s", email)[0][0]
    ask = """mutation { requestPracticeChanges(input: {practice: "open-host-bidding", comments: [{text: "More."}]})
        { problems { code } } }"""
    if email == "editor@wego.demo":  # a review of the office itself, which belongs to no city
        assert codes(await station.ask(ask, caller=caller)) == set()
    if email == "object_editor@seongnam.demo":
        station.sql("insert into practice_editor select id, %s from practice where slug = 'open-host-bidding'", person)
    mine = station.sql("select id from review where reviewer_id = %s order by round desc limit 1", person)
    query = UNDER_REVIEW % (global_id("Review", mine[0][0]) if mine else "none")
    seen = await station.data(query, caller=caller)
    assert seen["practice"]["slug"] == "open-host-bidding"
    assert (seen["node"] is not None) is bool(mine)
    station.sql(f"update {ending}", person)
    station.sql("update access_epoch set seq = seq + 1")
    assert await station.data(query, caller=caller) == {"practice": None, "node": None}
    for text in (
        ask,
        'mutation { revisePractice(input: {practice: "open-host-bidding", title: "x"}) { problems { code } } }',
    ):
        assert codes(await station.ask(text, caller=caller)) == {"NOT_FOUND"}


# ── invitations ───────────────────────────────────────────────────────────────────────────────────────────────


async def invite(station: Station, caller: Caller, email: str, **more: Any) -> dict[str, Any]:
    given = {"email": email, "name": "Somebody", "role": "EDITOR", "city": "seoul", **more}
    return dict((await station.data(INVITE, {"i": given}, caller=caller))["invitePerson"])


async def accept(station: Station, caller: Caller | None, **given: Any) -> dict[str, Any]:
    return dict((await station.data(ACCEPT, {"i": given}, caller=caller))["acceptInvitation"])


@pytest.mark.parametrize("email", ["cio@barcelona.demo", "CIO@Barcelona.DEMO"])
async def test_an_invitation_of_somebody_who_is_here_is_his_alone(station: Station, email: str):
    inviter, invited = await station.person("cio@seoul.demo"), await station.person("cio@barcelona.demo")
    known, unknown = await invite(station, inviter, email), await invite(station, inviter, "who@people.example")
    assert known.keys() == unknown.keys()
    assert len(known["secret"]) == len(unknown["secret"])  # which of the two is here, the answer does not tell
    thieves = (None, inviter, await station.person("secretariat@wego.demo"), await station.program("seoul"))
    before = station.fingerprint()
    for thief in thieves:
        guessed = await accept(station, thief, secret="guessed")
        refused = await accept(station, thief, secret=known["secret"])
        assert refused["problems"] == guessed["problems"]
        assert [each["code"] for each in refused["problems"]] == ["NOT_FOUND"]
        assert refused["person"] is None
        taken = await accept(station, thief, invitation=known["invitation"]["id"])
        assert [each["code"] for each in taken["problems"]] == ["NOT_FOUND"]
    assert station.fingerprint() == before
    mine = await station.data("{ viewer { invitations { id role city { slug } } } }", caller=invited)
    assert mine["viewer"]["invitations"] == [
        {"id": known["invitation"]["id"], "role": "EDITOR", "city": {"slug": "seoul"}}
    ]
    done = await accept(station, invited, invitation=known["invitation"]["id"])
    assert (done["problems"], done["role"], done["person"]["email"]) == ([], "EDITOR", "cio@barcelona.demo")
    ((actor,),) = station.sql("select actor from audit_entry where event = 'invitation.accepted'")
    assert global_id("Person", actor) == station.person_id("cio@barcelona.demo")
    again = await accept(station, invited, secret=known["secret"])
    assert [each["code"] for each in again["problems"]] == ["CONFLICT"]


async def test_a_city_sees_of_its_people_what_they_do_for_it(station: Station):
    """Who was invited to a second city shows it neither his other roles, nor by which of them he can be found."""
    inviter, invited = await station.person("cio@seoul.demo"), await station.person("cio@barcelona.demo")
    invitation = (await invite(station, inviter, "cio@barcelona.demo"))["invitation"]["id"]
    await accept(station, invited, invitation=invitation)
    asked = '{ people(filter: {email: "cio@barcelona.demo"%s}) { totalCount nodes { posts { role } } } }'
    seen = await station.data(asked % "", caller=inviter)
    assert seen["people"]["nodes"] == [{"posts": [{"role": "EDITOR"}]}]
    assert (await station.data(asked % ", role: [CIO]", caller=inviter))["people"]["totalCount"] == 0
    assert (await station.data(asked % ", role: [EDITOR]", caller=inviter))["people"]["totalCount"] == 1


async def test_a_new_person_comes_by_the_secret_and_the_log_says_who_acted(station: Station):
    inviter = await station.person("cio@seoul.demo")
    one, two = [await invite(station, inviter, f"{name}@people.example") for name in ("one", "two")]
    done = await accept(station, None, secret=one["secret"])
    assert (done["problems"], done["person"]) == ([], None)  # who is not signed in sees nobody
    done = await accept(station, inviter, secret=two["secret"])
    assert (done["problems"], done["person"]) == ([], None)  # that is somebody else
    actors = [
        actor
        for (actor,) in station.sql("select actor from audit_entry where event = 'invitation.accepted' order by index")
    ]
    assert [global_id("Person", actor) for actor in actors] == [
        station.person_id("one@people.example"), station.person_id("cio@seoul.demo")
    ]  # fmt: skip


async def test_an_invitation_ends_when_its_inviter_could_not_make_it_now(station: Station):
    head, officer = await station.person("head@seoul.demo"), await station.person("secretariat@wego.demo")
    invited = await invite(station, head, "successor@people.example", role="HEAD")
    station.sql(  # the head goes on as a CIO, who invites no head
        "update role_grant set role = 'cio' where role = 'head' and person_id = (select id from person where email = %s)",
        "head@seoul.demo",
    )
    refused = await accept(station, None, secret=invited["secret"])
    assert [each["code"] for each in refused["problems"]] == ["CONFLICT"]
    assert (await invite(station, officer, "successor@people.example", role="HEAD"))["problems"] == []


@pytest.mark.parametrize(
    "email", ["cio\u200b@seoul.demo", "\uff43io@seoul.demo", "cio@seoul\u00ad.demo", "CI\u0130@seoul.demo",
              "e\u0301@seoul.demo", "\u212aim@seoul.demo", "\u017fam@seoul.demo"],
)  # fmt: skip
async def test_an_address_has_one_spelling(station: Station, email: str):
    (problem,) = (await invite(station, await station.person("cio@seoul.demo"), email))["problems"]
    assert (problem["code"], problem["path"]) == ("INVALID", ["input", "email"])


# ── repeats ───────────────────────────────────────────────────────────────────────────────────────────────────


def draft(**more: Any) -> dict[str, Any]:
    return {"i": {"city": "seoul", "originalLocale": "en", "title": "A quiet title", "summary": "S.", **more}}


async def test_a_repeat_needs_the_rights_of_the_first_time(station: Station):
    wide, narrow = await station.program("seoul"), await station.program("seoul", "graphql:mutate catalog:write")
    key = {"idempotency-key": "one"}
    first = await station.ask(CREATE, draft(), caller=wide, headers=key)
    assert codes(first) == set()
    before = station.fingerprint()
    refused = await station.ask(CREATE, draft(), caller=narrow, headers=key)
    assert codes(refused) == {"NOT_ALLOWED"}
    assert "quiet" not in refused.text
    assert (await station.ask(CREATE, draft(), caller=wide, headers=key)).content == first.content
    assert station.fingerprint() == before


async def test_a_repeat_after_the_role_has_ended_is_refused(station: Station):
    editor, cio = await station.person("editor@seoul.demo"), await station.person("cio@seoul.demo")
    key = {"idempotency-key": "one"}
    assert codes(await station.ask(CREATE, draft(), caller=editor, headers=key)) == set()
    gone = """mutation($i: RoleInput!) { revokeRole(input: $i) { problems { code } } }"""
    given = {"person": station.person_id("editor@seoul.demo"), "role": "EDITOR", "city": "seoul"}
    assert codes(await station.ask(gone, {"i": given}, caller=cio)) == set()
    refused = await station.ask(CREATE, draft(), caller=editor, headers=key)
    assert codes(refused) == {"NOT_ALLOWED"}
    assert "quiet" not in refused.text


async def test_a_repeat_shows_what_may_be_seen_now(station: Station):
    """What the first answer showed is read again, not handed out from a drawer."""
    reviewer = await station.person("cio@barcelona.demo")
    ask = """mutation { requestPracticeChanges(input: {practice: "open-host-bidding", comments: [{text: "More."}]})
        { problems { code } practice { slug } } }"""
    key = {"idempotency-key": "one"}
    first = await station.ask(ask, caller=reviewer, headers=key)
    assert first.json()["data"]["requestPracticeChanges"]["practice"] == {"slug": "open-host-bidding"}
    station.sql("update practice set status = 'draft' where slug = 'open-host-bidding'")
    again = await station.ask(ask, caller=reviewer, headers=key)
    assert again.json()["data"]["requestPracticeChanges"] == {"problems": [], "practice": None}


async def test_nobody_gets_the_answer_of_somebody_who_is_not_signed_in(station: Station):
    """Two strangers behind one address, or the same one twice: a secret is taken up once, and nothing is kept."""
    invited = await invite(station, await station.person("cio@seoul.demo"), "new@people.example")
    given, key = {"i": {"secret": invited["secret"]}}, {"idempotency-key": "one"}
    assert codes(await station.ask(ACCEPT, given, headers=key)) == set()
    assert codes(await station.ask(ACCEPT, given, headers=key)) == {"CONFLICT"}
    assert station.sql("select count(*) from idempotent_answer") == [(0,)]


async def test_what_is_noted_for_repeats_is_bounded(station: Station, monkeypatch: pytest.MonkeyPatch):
    from wego.core import writes

    monkeypatch.setattr(writes, "MOST_NOTES", 3)
    editor = await station.person("editor@seoul.demo")
    for number in range(6):
        await station.ask(
            CREATE, draft(title=f"Number {number}"), caller=editor, headers={"idempotency-key": str(number)}
        )
    assert station.sql("select count(*), max(length(keys::text)) < 20000 from idempotent_answer") == [(3, True)]


# ── absent or hidden ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_name_tells_nothing_of_what_others_hide(station: Station):
    """Neither by the title nor by a wished name, neither at creation nor when the hidden one is opened."""
    seoul, barcelona = await station.person("cio@seoul.demo"), await station.person("cio@barcelona.demo")
    for wish in ({}, {"slug": "a-wished-name"}):
        made = []
        for caller, city in ((seoul, "seoul"), (barcelona, "barcelona")):
            told = await station.data(CREATE, draft(city=city, **wish), caller=caller)
            assert told["createPractice"]["problems"] == []
            made.append(told["createPractice"]["practice"])
        assert made[0]["slug"] == made[1]["slug"] == wish.get("slug", "a-quiet-title")
        for caller, mine in ((seoul, made[0]), (barcelona, made[1])):
            seen = await station.data(f'{{ practice(slug: "{mine["slug"]}") {{ id }} }}', caller=caller)
            assert seen["practice"] == {"id": mine["id"]}
        both = await station.ask(
            'mutation { publishPractice(input: {practice: "%s"}) { problems { code } } }' % made[0]["slug"],
            caller=await station.person("secretariat@wego.demo"),
        )
        assert codes(both) == {"CONFLICT"}
        for named in (f"seoul/{made[0]['slug']}", made[0]["id"]):  # neither is complete, so neither is published
            one = await station.ask(
                'mutation { submitPractice(input: {practice: "%s"}) { problems { code } } }' % named, caller=seoul
            )
            assert codes(one) == {"INVALID"}
        hidden = (
            f'mutation {{ submitPractice(input: {{practice: "seoul/{made[0]["slug"]}"}}) {{ problems {{ code }} }} }}'
        )
        assert codes(await station.ask(hidden, caller=barcelona)) == {"NOT_FOUND"}


async def test_two_of_one_name_are_told_apart_when_they_are_published(station: Station):
    officer = await station.person("secretariat@wego.demo")
    sections = [{"key": key, "heading": "H", "body": "B."} for key in BUDGETS if key in TO_PUBLISH]
    slugs = []
    for slug in ("seoul", "barcelona"):
        caller = await station.person(f"cio@{slug}.demo")
        given = draft(city=slug, sections=sections, sdgs=[{"goal": 11}], visibility="PUBLIC")
        key = (await station.data(CREATE, given, caller=caller))["createPractice"]["practice"]["id"]
        for verb, who in (("submitPractice", caller), ("publishPractice", officer)):
            text = f"mutation($i: PracticeInput!) {{ r: {verb}(input: $i) {{ problems {{ code message }} practice {{ slug }} }} }}"
            told = await station.data(text, {"i": {"practice": key}}, caller=who)
            assert told["r"]["problems"] == []
        slugs.append(told["r"]["practice"]["slug"])
    assert slugs == ["a-quiet-title", "a-quiet-title-2"]


async def test_a_city_that_is_not_listed_and_one_that_is_not_there_are_refused_alike(station: Station):
    unlisted = "beira"
    cio = await station.person("cio@seoul.demo")
    seen = await station.data('{ a: city(slug: "beira") { slug } b: city(slug: "nowhere") { slug } }', caller=cio)
    assert seen == {"a": None, "b": None}
    words = "problems { code message path }"
    for name, kind, given in (
        ("createPractice", "CreatePracticeInput", draft()["i"]),
        ("invitePerson", "InvitePersonInput", {"email": "a@b.example", "name": "A", "role": "EDITOR"}),
        ("applyForMembership", "ApplyForMembershipInput", {}),
        ("suspendMember", "SuspendMemberInput", {"reason": "x"}),
        ("updateCity", "UpdateCityInput", {}),
        ("resignMembership", "ResignMembershipInput", {"notice": "x"}),
    ):
        text = f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {words} }} }}"
        for caller in (None, cio):
            answers = [
                orjson.dumps((await station.ask(text, {"i": given | {"city": city}}, caller=caller)).json())
                for city in (unlisted, "nowhere")
            ]
            assert answers[0] == answers[1], name


async def test_an_object_editor_elsewhere_and_nobody_are_refused_alike(station: Station):
    cio = await station.person("cio@seoul.demo")
    ask = "mutation($i: AddPracticeEditorInput!) { addPracticeEditor(input: $i) { problems { code message path } } }"
    nobody = global_id("Person", station.sql("select id from organisation limit 1")[0][0])
    answers = [
        (await station.ask(ask, {"i": {"practice": PUBLISHED, "person": person}}, caller=cio)).content
        for person in (station.person_id("object_editor@barcelona.demo"), nobody)
    ]
    assert answers[0] == answers[1]
