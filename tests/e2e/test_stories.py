"""The stories of the issue, over HTTP with tokens and proofs: what people can do when this is done (2, 3 and 4).

Every step is what a person of that role does himself; nothing is prepared behind his back.
"""

from __future__ import annotations

import base64
from typing import Any

from http_make import Caller, Station

from members.demo.forms import signed_form
from wego.core.audit import verify

SECTIONS = (
    "situation_before", "objectives_and_strategy", "resources_narrative", "process", "results", "participation",
    "obstacles_and_failures", "sustainability", "lessons_learned", "transferability",
)  # fmt: skip
STATE = "problems { code message path } practice { slug status title { text locale } versions { number publishedAt } }"
COMPLETE = "completeness { key present required }"
TRANSLATION = "translations { locale status origin percentComplete staleBlocks missingBlocks }"


async def do(station: Station, caller: Caller | None, mutation: str, given: dict[str, Any], ask: str) -> dict[str, Any]:
    """A mutation that must be done; its payload."""
    kind = mutation[0].upper() + mutation[1:] + "Input"
    kind = {
        "SubmitPracticeInput": "PracticeInput", "PublishPracticeInput": "PracticeInput",
        "SubmitApplicationInput": "ApplicationInput",
        "AcceptApplicationInput": "ApplicationDecisionInput", "StartApplicationCheckInput": "ApplicationInput",
    }.get(kind, kind)  # fmt: skip
    told = await station.data(
        f"mutation M($i: {kind}!) {{ done: {mutation}(input: $i) {{ {ask} }} }}", {"i": given}, caller=caller
    )
    assert told["done"]["problems"] == [], told
    return dict(told["done"])


async def refused(station: Station, caller: Caller | None, mutation: str, given: dict[str, Any], kind: str) -> set[str]:
    query = f"mutation M($i: {kind}!) {{ done: {mutation}(input: $i) {{ problems {{ code }} }} }}"
    told = await station.data(query, {"i": given}, caller=caller)
    return {problem["code"] for problem in told["done"]["problems"]}


async def test_a_program_asks_for_practices_of_others_in_korean_with_fallback_to_english(station: Station):
    """Story 2."""
    program = await station.program("takamatsu", "graphql:query catalog:read")
    query = """{ practices(first: 10, orderBy: {field: PUBLISHED_AT}) {
      nodes { slug title { text locale isFallback } city { slug name { text } } themes { label { text } }
              sections { key body { text locale isFallback } } indicators { scheme code baseline value } }
      pageInfo { hasNextPage endCursor } totalCount } }"""
    fields = (await station.http.get("/schema.graphql")).text
    order = fields[fields.index("enum PracticeOrderField") :].split("{")[1].split("}")[0].split()
    if "PUBLISHED_AT" not in order:
        query = query.replace("PUBLISHED_AT", next(word for word in order if word.isupper()))
    answer = await station.ask(query, caller=program, headers={"accept-language": "ko, en;q=0.8"})
    assert answer.status_code == 200, answer.text
    assert '"1 statements"' in answer.headers["server-timing"]
    found = answer.json()["data"]["practices"]
    assert len(found["nodes"]) == 10
    assert found["pageInfo"]["hasNextPage"] is True
    languages = {practice["title"]["locale"] for practice in found["nodes"]}
    assert "ko" in languages
    assert languages <= {"ko", "en"}
    assert all(practice["title"]["isFallback"] is (practice["title"]["locale"] != "ko") for practice in found["nodes"])


def sections(language: str) -> list[dict[str, str]]:
    words = {"ko": "이 부분은 무엇을 했는지 말한다.", "en": "This part tells what was done."}[language]
    more = {"ko": "두 번째 문단이다.", "en": "A second paragraph."}[language]
    return [{"key": key, "heading": f"{key} {language}", "body": f"{words}\n\n{more}"} for key in SECTIONS]


async def test_a_case_study_from_the_first_draft_to_a_stale_translation(station: Station):
    """Story 3."""
    cio, reviewer = await station.person("cio@seoul.demo"), await station.person("cio@barcelona.demo")
    editor = await station.person("editor@wego.demo")
    draft = {
        "originalLocale": "ko", "title": "심야버스 이야기", "summary": "밤에도 집에 갈 수 있다.",
        "sections": sections("ko"),
        "sdgs": [{"goal": 11, "contribution": "DIRECT"}], "visibility": "PUBLIC", "licence": "CC-BY-4.0",
    }  # fmt: skip
    sdl = (await station.http.get("/schema.graphql")).text
    contributions = sdl[sdl.index("enum SdgContribution") :].split("{")[1].split("}")[0].split()
    draft["sdgs"] = [
        {"goal": 11, "contribution": next(word for word in contributions if word.isupper() and word.isalpha())}
    ]
    made = await do(station, cio, "createPractice", draft, STATE)
    practice = {"practice": made["practice"]["slug"]}
    assert made["practice"]["status"] == "DRAFT"
    hidden = "query P($s: String!) { practice(slug: $s) { slug } }"
    assert (await station.data(hidden, {"s": practice["practice"]}))["practice"] is None
    assert (await station.data(hidden, {"s": practice["practice"]}, caller=reviewer))["practice"] is None

    english = [{"key": each["key"], "heading": each["heading"], "body": each["body"]} for each in sections("en")]
    translated = {
        "locale": "en",
        "title": "A night bus story",
        "summary": "Home at night as well.",
        "sections": english,
    }
    done = await do(station, cio, "translatePractice", practice | translated, f"{STATE} practice {{ {TRANSLATION} }}")
    (row,) = [each for each in done["practice"]["translations"] if each["locale"] == "en"]
    assert (row["percentComplete"], row["staleBlocks"], row["missingBlocks"]) == (100, [], [])

    await do(station, cio, "submitPractice", practice, STATE)
    own = station.person_id("editor@seoul.demo")
    assert await refused(station, editor, "assignReviewer", practice | {"reviewer": own}, "AssignReviewerInput") == {
        "CONFLICT"
    }
    await do(station, editor, "assignReviewer", practice | {"reviewer": station.person_id("cio@barcelona.demo")}, STATE)
    asked = {"comments": [{"section": "results", "text": "How many people use it?"}]}
    done = await do(station, reviewer, "requestPracticeChanges", practice | asked, STATE)
    assert done["practice"]["status"] == "CHANGES_REQUESTED"
    read = (
        "query P($s: String!) { practice(slug: $s) { reviews { status comments { section text { text locale } } } } }"
    )
    told = (await station.data(read, {"s": practice["practice"]}, caller=cio))["practice"]["reviews"]
    assert told[0]["comments"][0]["text"] == {"text": "How many people use it?", "locale": "en"}

    results = {
        "key": "results",
        "heading": "results ko",
        "body": sections("ko")[4]["body"] + "\n\n하루에 칠천 명이 탄다.",
    }
    await do(station, cio, "revisePractice", practice | {"sections": [results]}, STATE)
    again = await do(station, cio, "submitPractice", practice, STATE)
    assert again["practice"]["status"] == "UNDER_REVIEW"
    assert await refused(station, cio, "publishPractice", practice, "PracticeInput") == {"CONFLICT"}
    done = await do(station, reviewer, "acceptPractice", practice | {"conflict": ""}, STATE)
    assert done["practice"]["status"] == "ACCEPTED"
    done = await do(station, cio, "publishPractice", practice, STATE)
    assert done["practice"]["status"] == "PUBLISHED"
    seen = await station.data(
        "query P($s: String!) { practice(slug: $s) { title { text locale } } }",
        {"s": practice["practice"]},
        headers={"accept-language": "en"},
    )
    assert seen["practice"]["title"] == {"text": "A night bus story", "locale": "en"}
    await _edit_makes_exactly_the_touched_block_stale(station, cio, practice, results)


async def _edit_makes_exactly_the_touched_block_stale(
    station: Station, cio: Caller, practice: dict[str, Any], results: dict[str, str]
) -> None:
    blocks = 'blocks { blockId text(locales: ["ko"]) { text } }'
    read = f"query P($s: String!) {{ practice(slug: $s) {{ {TRANSLATION} {blocks} }} }}"
    before = (await station.data(read, {"s": practice["practice"]}, caller=cio))["practice"]
    missing = next(each for each in before["translations"] if each["locale"] == "en")["missingBlocks"]
    assert len(missing) == 1  # the paragraph that came with the revision
    words = {"id": missing[0], "text": "Seven thousand people ride it each day."}
    await do(station, cio, "translatePractice", practice | {"locale": "en", "blocks": [words]}, STATE)

    edited = results | {"body": results["body"].replace("칠천", "팔천")}
    await do(station, cio, "revisePractice", practice | {"sections": [edited]}, STATE)
    after = (await station.data(read, {"s": practice["practice"]}, caller=cio))["practice"]
    old = {block["blockId"]: block["text"]["text"] for block in before["blocks"]}
    touched = [block["blockId"] for block in after["blocks"] if old.get(block["blockId"]) != block["text"]["text"]]
    assert len(touched) == 1
    (row,) = [each for each in after["translations"] if each["locale"] == "en"]
    assert row["staleBlocks"] == touched
    public = await station.data(read, {"s": practice["practice"]})
    assert next(each for each in public["practice"]["translations"] if each["locale"] == "en")["staleBlocks"] == touched


async def test_a_city_becomes_a_member_is_suspended_and_its_whole_history_can_be_read(station: Station):
    """Story 4."""
    officer, cio = await station.person("secretariat@wego.demo"), await station.person("cio@beira.demo")
    listed = (
        f"{{ applications(first: 20, filter: {{open: true}}) {{ nodes {{ id status city {{ slug }} {COMPLETE} }} }} }}"
    )
    found = (await station.data(listed, caller=officer))["applications"]["nodes"]
    (beira,) = [each for each in found if each["city"]["slug"] == "beira"]
    missing = {item["key"] for item in beira["completeness"] if item["required"] and not item["present"]}
    assert "SIGNED_FORM" in missing
    application = {"application": beira["id"]}
    assert await refused(station, cio, "submitApplication", application, "ApplicationInput") == {"INVALID"}

    form = base64.b64encode(signed_form("Beira", "Mayor")).decode()
    whole = {
        "city": "beira", "motivation": "Para aprender.", "motivationLocale": "pt",
        "contactName": "CIO", "contactEmail": "cio@beira.demo",
        "signatory": "MAYOR", "signedForm": {"name": "form.pdf", "content": form},
    }  # fmt: skip
    ask = f"problems {{ code message path }} application {{ status {COMPLETE} }} city {{ membership {{ status }} }}"
    done = await do(station, cio, "applyForMembership", whole, ask)
    assert not [item for item in done["application"]["completeness"] if item["required"] and not item["present"]]
    await do(station, cio, "submitApplication", application, ask)
    done = await do(station, officer, "acceptApplication", application | {"reason": "Complete."}, ask)
    assert done["city"]["membership"]["status"] == "ASSOCIATE"
    member = "problems { code message path } city { slug membership { status since } }"
    decision = {"cities": ["beira"], "reference": "Executive Committee 2026, item 4", "body": "EXECUTIVE_COMMITTEE"}
    done = await do(station, officer, "admitMember", decision, member)
    assert done["city"]["membership"]["status"] == "FULL"
    assert await refused(station, officer, "suspendMember", {"city": "beira", "reason": ""}, "SuspendMemberInput") == {
        "INVALID"
    }
    done = await do(station, officer, "suspendMember", {"city": "beira", "reason": "Dues of two years."}, member)
    assert done["city"]["membership"]["status"] == "SUSPENDED"

    history = (
        '{ city(slug: "beira") { timeline { at from to body reason { text } reference { text } recordedBy { id } } } }'
    )
    steps = (await station.data(history, caller=officer))["city"]["timeline"]
    reached = [step["to"] for step in sorted(steps, key=lambda step: str(step["at"]))]
    assert {"APPLICATION_DRAFT", "SUBMITTED", "UNDER_CHECK", "ASSOCIATE", "FULL", "SUSPENDED"} <= set(reached)
    latest = next(step for step in steps if step["to"] == "SUSPENDED")
    assert latest["from"] == "FULL"
    assert latest["reason"]["text"] == "Dues of two years."
    assert latest["recordedBy"]["id"] == station.person_id("secretariat@wego.demo")
    assert (
        next(step for step in steps if step["to"] == "FULL")["reference"]["text"] == "Executive Committee 2026, item 4"
    )

    city_id = station.sql("select id from organisation where slug = 'beira'")[0][0]
    told = station.sql("select event from audit_entry where subject_id = %s order by index", city_id)
    assert [event for (event,) in told][-5:] == [
        "application.submitted",
        "application.check_started",
        "application.accepted",
        "member.admitted",
        "member.suspended",
    ]
    async with station.hub.database.session() as db:
        assert (await verify(db)).faults == ()
