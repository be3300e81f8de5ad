"""What the world sees of case studies, and the whole story of one from draft to a stale translation, by the
API."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from members.people.models import Person
from practices.cases.models import Practice, PracticeEditor
from practices.cases.narrative import BUDGETS, TO_PUBLISH
from wego.core.access import NOBODY, Role
from wego.core.db import Database
from wego.core.ids import global_id

from .conftest import Ask, actor_of

PEOPLE = (
    "", "cio@seoul.demo", "editor@barcelona.demo", "delegate@seoul.demo", "cio@seongnam.demo", "cio@newark.demo",
    "secretariat@wego.demo", "editor@wego.demo", "auditor@wego.demo",
)  # fmt: skip
PROBLEMS = "problems { code message path }"


# ── what a stranger cannot see ────────────────────────────────────────────────────────────────────────────────────


async def test_a_stranger_sees_what_is_public_and_nothing_of_how_it_came_to_be(look: Ask) -> None:
    seen = await look(
        "",
        """{ practices(first: 100) { totalCount nodes { slug status visibility
        reviews { id } versions { number publishedAt } contacts { email } } }
        draft: practice(slug: "mayor-for-a-day") { slug } members: practice(slug: "gis-portal") { slug }
        embargo: practice(slug: "study-visits") { slug } }""",
    )
    assert seen["practices"]["totalCount"] == 18
    for each in seen["practices"]["nodes"]:
        assert (each["status"], each["visibility"], each["reviews"], each["contacts"]) == (
            "PUBLISHED",
            "PUBLIC",
            [],
            [],
        )
        assert all(version["publishedAt"] for version in each["versions"])
    assert (seen["draft"], seen["members"], seen["embargo"]) == (None, None, None)


async def test_nobody_learns_of_reviews_but_who_deals_with_them(look: Ask) -> None:
    text = """{ practice(slug: "open-host-bidding") { status reviews { round status conflictDeclared
        reviewerCity { slug } comments { section text { text locale } } } } }"""
    for who, number in (("", None), ("delegate@seoul.demo", None), ("cio@seongnam.demo", 2), ("cio@barcelona.demo", 2)):
        seen = (await look(who, text))["practice"]
        assert (seen and len(seen["reviews"])) == number, who
    seen = (await look("secretariat@wego.demo", text))["practice"]
    assert [each["status"] for each in seen["reviews"]] == ["CHANGES_REQUESTED", "ASSIGNED"]
    assert seen["reviews"][0]["comments"][0]["section"] == "participation"


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_texts_come_in_the_readers_language_with_fallback_and_age(look: Ask) -> None:
    text = """{ practice(slug: "mobile-seoul") { originalLocale
        title { text locale isFallback isStale origin direction }
        english: sections(%s) { key heading { locale isStale } body(locales: ["en"]) { locale isStale } }
        translations { locale status origin percentComplete staleBlocks missingBlocks title { text isStale }
          sections { key body { isStale } } } } }""".replace("(%s)", "")
    seen = (await look("", text, ("sw", "en")))["practice"]
    assert (seen["title"]["locale"], seen["title"]["isFallback"], seen["title"]["origin"]) == ("en", True, "MACHINE")
    assert {each["key"] for each in seen["english"] if each["body"]["isStale"]} == {"results"}
    (english,) = seen["translations"]
    assert (english["locale"], english["status"], english["origin"]) == ("en", "PUBLISHED", "MACHINE")
    assert (len(english["staleBlocks"]), english["missingBlocks"], english["title"]["isStale"]) == (1, [], False)
    assert {each["key"] for each in english["sections"] if each["body"]["isStale"]} == {"results"}
    seen = (await look("", text, ("ko",)))["practice"]
    assert (seen["title"]["locale"], seen["title"]["isFallback"], seen["title"]["isStale"]) == ("ko", False, False)
    wiki = await look("", '{ practice(slug: "seoul-wiki") { title(locales: ["ar"]) { locale direction } } }')
    assert wiki["practice"]["title"] == {"locale": "ar", "direction": "RTL"}


async def test_every_fact_can_be_read(look: Ask) -> None:
    text = """query($after: String) { practices(first: 12, after: $after) { pageInfo { endCursor }
        nodes { __typename id city { slug name { text } } themes { code
    edition label { text } }
        sdgs { goal target contribution label { text } } cofog isoCodes technologies
        keywords { locale direction words } indicators { scheme code baseline value unit period evidenceUrl }
        keyDates { date precision significance { text locale isFallback } } money { year source amount currency kind }
        partners { name kind support } sources { title url } levelOfActivity stage licence
        launchedOn launchedPrecision endedOn endedPrecision
        publishAt visibility createdAt updatedAt publishedAt blocks { blockId kind section text { text locale
        } } sections { html { text } } versions { number minor changes { change } } } } }"""
    page = (await look("secretariat@wego.demo", text, ("ko",)))["practices"]
    more = {"after": page["pageInfo"]["endCursor"]}
    rest = (await look("secretariat@wego.demo", text, ("ko",), more))["practices"]
    seen = [*page["nodes"], *rest["nodes"]]
    assert len(seen) == 24
    for each in seen:
        assert each["themes"][0]["label"]["text"]
        assert all(sdg["label"]["text"] for sdg in each["sdgs"])
        assert all(on["significance"]["locale"] == "ko" for on in each["keyDates"])
        assert len(each["blocks"]) > 20
        assert all(section["html"]["text"].startswith("<") for section in each["sections"])
    wiki = next(each for each in seen if each["technologies"] == ["wiki"])
    assert wiki["indicators"][0]["value"] == "2700"


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ('city: "seoul"', 14), ('cities: ["seoul", "chengdu"]', 15), ('country: ["ES"]', 2), ("region: [EUROPE]", 2),
        ('themes: ["2017.open-city"]', None), ('sdg: ["16.10"]', None), ("status: [DRAFT]", 0), ('locale: "ar"', 12),
        ('locale: "ar-EG"', 12), ('locale: "zh"', 12), ('locale: "zh-TW"', 0), ('locale: "pt-BR"', 12),
        ('titleContains: "wiki"', 1), ('titleContains: "위키"', 1), ('publishedAfter: "2025-06-01T00:00:00Z"', None),
        ('publishedBefore: "2025-06-01T00:00:00Z"', None), ("stage: [SCALED]", 1), ('city: "atlantis"', 0),
    ],
)  # fmt: skip
async def test_lists_are_filtered(look: Ask, condition: str, number: int | None) -> None:
    seen = await look("", f"{{ practices(filter: {{{condition}}}) {{ totalCount nodes {{ slug }} }} }}")
    total = seen["practices"]["totalCount"]
    assert total == number if number is not None else 0 < total < 18


@pytest.mark.parametrize("order", ["PUBLISHED_AT", "UPDATED_AT", "SLUG"])
async def test_lists_are_walked_in_every_order(look: Ask, order: str) -> None:
    for direction in ("ASC", "DESC"):
        walked: list[str] = []
        after = "null"
        while True:
            seen = await look(
                "",
                f"""{{ practices(first: 7, after: {after}, orderBy: {{field: {order}, direction:
                {direction}}}) {{ nodes {{ slug }} pageInfo {{ hasNextPage endCursor }} }} }}""",
            )
            walked += [each["slug"] for each in seen["practices"]["nodes"]]
            if not seen["practices"]["pageInfo"]["hasNextPage"]:
                break
            after = f'"{seen["practices"]["pageInfo"]["endCursor"]}"'
        assert len(walked) == len(set(walked)) == 18
        if order == "SLUG":
            assert walked == sorted(walked, reverse=direction == "DESC")


async def test_a_city_shows_its_practices(look: Ask) -> None:
    seen = await look(
        "",
        """{ city(slug: "seoul") { practices(first: 3, filter: {locale: "ko"})
        { totalCount nodes { slug city { slug } } } } }""",
    )
    assert seen["city"]["practices"]["totalCount"] == 14
    assert {each["city"]["slug"] for each in seen["city"]["practices"]["nodes"]} == {"seoul"}


# ── the story ─────────────────────────────────────────────────────────────────────────────────────────────────────


def sections(word: str) -> list[dict[str, str]]:
    keys = [key for key in BUDGETS if key in TO_PUBLISH]
    return [{"key": key, "heading": word, "body": f"{word} {key}.\n\nUnd mehr."} for key in keys]


async def do(ask: Ask, who: Any, name: str, given: dict[str, Any], wanted: str = "practice { status }") -> Any:
    kinds = {"submitPractice": "PracticeInput", "publishPractice": "PracticeInput"}
    kind = kinds.get(name, f"{name[0].upper()}{name[1:]}Input")
    text = f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {PROBLEMS} {wanted} }} }}"
    return (await ask(who, text, variables={"i": given}))["r"]


async def test_what_is_refused_is_named_by_its_place_in_the_input(ask: Ask) -> None:
    text = {"originalLocale": "en", "title": "T", "summary": "S"}
    money = {"year": 2016, "source": "city", "amount": "much", "currency": "EUR", "kind": "CAPEX"}
    told = [{"locale": "ko", "text": "x"}, {"locale": "en", "text": "x" * 1000}]
    words = [{"locale": "ko", "words": ["x"]}, {"locale": "en", "words": ["x", "x" * 100]}]
    facts = {"money": [money], "keyDates": [{"date": "2016-09-05", "significance": told}], "keywords": words}
    made = await do(ask, "cio@barcelona.demo", "createPractice", text | facts)
    assert {tuple(each["path"]) for each in made["problems"]} == {
        ("input", "money", "0", "amount"),
        ("input", "keyDates", "0", "significance", "1", "text"),
        ("input", "keywords", "1", "words", "1"),
    }
    for twice in (
        {"keywords": [words[0], words[0]]},
        {"keyDates": [{"date": "2016-09-05", "significance": told[:1] * 2}]},
    ):
        (problem,) = (await do(ask, "cio@barcelona.demo", "createPractice", text | twice))["problems"]
        assert (problem["code"], problem["path"][-2:]) == ("INVALID", ["1", "locale"])


async def test_a_practice_is_written_reviewed_published_and_edited(ask: Ask, demo: Database) -> None:
    made = await do(ask, "cio@barcelona.demo", "createPractice", {
        "originalLocale": "ca", "title": "Superilles al barri", "summary": "Carrers per a la gent.",
        "sections": sections("Text"), "visibility": "PUBLIC", "sdgs": [{"goal": 11, "target": "11.2"}],
        "keyDates": [{"date": "2016-09-05", "significance": [{"locale": "ca", "text": "Inici"}]}],
        "money": [{"year": 2016, "source": "ciutat", "amount": "1250.50", "currency": "EUR", "kind": "CAPEX"}],
        "keywords": [{"locale": "ca", "words": ["carrer"]}],
        "indicators": [{"scheme": "ISO37120", "code": "19.1", "value": "3.5"}],
        "partners": [{"name": "Universitat", "kind": "CIVIL_SOCIETY", "support": ["TECHNICAL"]}],
        "contacts": [{"role": "CIO", "email": "cio@barcelona.demo", "languages": ["ca"]}],
    }, "practice { id slug status city { slug } money { amount } } hints { code place words budget }")  # fmt: skip
    assert made["problems"] == []
    assert made["practice"]["slug"] == "superilles-al-barri"
    assert made["practice"]["money"] == [{"amount": "1250.50"}]
    assert {hint["code"] for hint in made["hints"]} == {"too_short"}
    slug, key = made["practice"]["slug"], made["practice"]["id"]
    done = await do(ask, "editor@barcelona.demo", "translatePractice", {
        "practice": slug, "locale": "en", "title": "Superblocks", "summary": "Streets for people.",
        "sections": sections("In English"), "tool": "Example MT 3.1", "origin": "MACHINE_POST_EDITED",
    }, "practice { translations { locale percentComplete origin tools } }")  # fmt: skip
    assert done["practice"]["translations"] == [
        {"locale": "en", "percentComplete": 100, "origin": "MACHINE_POST_EDITED", "tools": ["Example MT 3.1"]}
    ]
    for wrong in ("x" * 121, " ", "one\ntwo"):
        given = {"practice": slug, "locale": "en", "title": "T", "tool": wrong}
        problems = (await do(ask, "editor@barcelona.demo", "translatePractice", given))["problems"]
        assert [(problem["code"], problem["path"]) for problem in problems] == [("INVALID", ["input", "tool"])]
    assert (await do(ask, "cio@barcelona.demo", "submitPractice", {"practice": key}))["practice"][
        "status"
    ] == "SUBMITTED"

    reviewer = (await actor_of(demo, "cio@seoul.demo")).person_id
    assert reviewer is not None
    given = {"practice": slug, "reviewer": global_id("Person", reviewer)}
    assert (await do(ask, "secretariat@wego.demo", "assignReviewer", given))["practice"]["status"] == "UNDER_REVIEW"
    asked = {"practice": slug, "comments": [{"section": "results", "text": "Say how many."}]}
    assert (await do(ask, "cio@seoul.demo", "requestPracticeChanges", asked))["practice"][
        "status"
    ] == "CHANGES_REQUESTED"
    revised = {
        "practice": slug,
        "sections": [{"key": "results", "heading": "Text", "body": "Text results: 3.\n\nUnd mehr."}],
    }
    assert (await do(ask, "cio@barcelona.demo", "revisePractice", revised))["problems"] == []
    assert (await do(ask, "cio@barcelona.demo", "submitPractice", {"practice": slug}))["practice"][
        "status"
    ] == "UNDER_REVIEW"
    barred = await do(ask, "cio@seoul.demo", "acceptPractice", {"practice": slug, "conflict": "I know them."})
    assert barred["problems"][0]["code"] == "CONFLICT"
    assert (await do(ask, "cio@seoul.demo", "acceptPractice", {"practice": slug, "conflict": ""}))["practice"][
        "status"
    ] == "ACCEPTED"
    assert (await do(ask, "cio@barcelona.demo", "publishPractice", {"practice": slug}))["practice"][
        "status"
    ] == "PUBLISHED"

    seen = (
        await ask(
            "",
            f"""{{ practice(slug: "{slug}") {{ translations {{ staleBlocks }}
        blocks {{ blockId section kind text {{ text }} }} }} }}""",
        )
    )["practice"]
    changed = [b["blockId"] for b in seen["blocks"] if b["text"]["text"] == "Text results: 3."]
    assert seen["translations"][0]["staleBlocks"] == changed
    again = {"practice": slug, "locale": "en", "blocks": [{"id": changed[0], "text": "In English results: 3."}]}
    done = await do(
        ask,
        "cio@barcelona.demo",
        "translatePractice",
        again,
        "practice { translations { staleBlocks percentComplete } }",
    )
    assert done["practice"]["translations"] == [{"staleBlocks": [], "percentComplete": 100}]
    await do(ask, "cio@barcelona.demo", "revisePractice", {"practice": slug, "title": "Superilles"})
    seen = (
        await ask(
            "",
            f"""{{ practice(slug: "{slug}") {{ title {{ text locale isStale }} versions {{ number
        changes {{ change kind before {{ text }} after {{ text }} }} since: changes(since: 2) {{ change }} }}
        }} }}""",
        )
    )["practice"]
    assert seen["title"] == {"text": "Superblocks", "locale": "en", "isStale": True}
    assert [each["number"] for each in seen["versions"]] == [3, 2]
    assert seen["versions"][0]["changes"] == [
        {
            "change": "CHANGED",
            "kind": "TITLE",
            "before": {"text": "Superilles al barri"},
            "after": {"text": "Superilles"},
        }
    ]
    assert len(seen["versions"][0]["since"]) == 1
    ended = await do(ask, "cio@barcelona.demo", "archivePractice", {"practice": slug, "reason": "Ended."})
    assert ended["practice"]["status"] == "ARCHIVED"
    assert (await ask("", f'{{ practice(slug: "{slug}") {{ slug }} }}'))["practice"] is None


async def test_problems_say_where(ask: Ask) -> None:
    wrong = {
        "originalLocale": "en", "title": "x" * 121, "summary": "ok", "sections": [{"key": "results",
        "heading": "h", "body": "<b>"}],
    }  # fmt: skip
    refused = await do(ask, "cio@seoul.demo", "createPractice", wrong)
    assert [(each["code"], each["path"]) for each in refused["problems"]] == [
        ("INVALID", ["input", "title"]), ("INVALID", ["input", "sections", "0", "body"]),
    ]  # fmt: skip
    facts = {**wrong, "title": "ok", "sections": [], "sdgs": [{"goal": 18}], "themes": ["x"], "licence": "no licence"}
    refused = await do(ask, "cio@seoul.demo", "createPractice", facts)
    assert [each["path"] for each in refused["problems"]] == [
        ["input", "themes", "0"], ["input", "sdgs", "0", "goal"], ["input", "licence"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("createPractice", {"originalLocale": "en", "title": "t", "summary": "s", "city": "seoul"}),
        ("revisePractice", {"practice": "seoul-wiki", "title": "t"}),
        ("translatePractice", {"practice": "seoul-wiki", "locale": "de", "title": "t"}),
        ("submitPractice", {"practice": "seoul-wiki"}),
        ("assignReviewer", {"practice": "seoul-wiki", "reviewer": "x"}),
        ("requestPracticeChanges", {"practice": "seoul-wiki", "comments": [{"text": "x"}]}),
        ("acceptPractice", {"practice": "seoul-wiki", "conflict": ""}),
        ("publishPractice", {"practice": "seoul-wiki"}),
        ("archivePractice", {"practice": "seoul-wiki", "reason": "x"}),
        ("addPracticeEditor", {"practice": "seoul-wiki", "person": "x"}),
    ],
)
async def test_strangers_change_nothing(ask: Ask, name: str, given: dict[str, Any]) -> None:
    assert (await do(ask, NOBODY, name, given))["problems"][0]["code"] == "NOT_SIGNED_IN"
    told = (await do(ask, "cio@takamatsu.demo", name, given))["problems"][0]["code"]
    assert told in {"NOT_ALLOWED", "NOT_FOUND", "CONFLICT"}


async def test_who_is_given_a_single_practice_reads_it(ask: Ask, demo: Database) -> None:
    async with demo.session() as db:
        practice = (await db.execute(select(Practice).where(Practice.slug == "mayor-for-a-day"))).scalar_one()
        person = Person(email="object@seoul.demo", name="Object editor")
        db.add(person)
        await db.flush()
        from members.people.models import RoleGrant

        db.add(RoleGrant(person_id=person.id, organisation_id=practice.city_id, role=Role.OBJECT_EDITOR))
    text = '{ practice(slug: "mayor-for-a-day") { slug } }'
    assert (await ask("object@seoul.demo", text))["practice"] is None
    given = {"practice": "mayor-for-a-day", "person": global_id("Person", person.id)}
    assert (await do(ask, "cio@seoul.demo", "addPracticeEditor", given))["problems"] == []
    assert (await ask("object@seoul.demo", text))["practice"] == {"slug": "mayor-for-a-day"}
    async with demo.session() as db:
        assert await db.get(PracticeEditor, (practice.id, person.id)) is not None
