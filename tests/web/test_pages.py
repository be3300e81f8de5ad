"""Pages: what a stranger cannot do to them; then whole in every language, each text with its own, without script."""

from __future__ import annotations

import asyncio
import gzip
import re

import markup
import pytest
from http_make import Station

from i18n.language.catalogs import say
from i18n.language.locales import LOCALES, direction
from wego.core.db import Tally, tally

PAGES = (
    "",
    "practices",
    "practices/seoul-wiki",
    "practices/mobile-seoul",
    "cities",
    "cities/seoul",
    "members",
    "developers",
)
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'", "\x00", "\u202egnp.exe", "{{7*7}}", "%s%s%n",
    "a" * 3_000, "\ud800", "../../etc/passwd", "' or 1=1 --",
)  # fmt: skip


async def page_of(standing: Station, path: str, **headers: str) -> str:
    answer = await standing.http.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.text[:300])
    return answer.text


# ── strangers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["practices", "cities", "members", "developers"])
@pytest.mark.parametrize("name", ["q", "theme", "city", "locale", "order", "region", "state", "after", "before", "run"])
async def test_whatever_an_address_holds_nothing_of_it_becomes_markup_and_nothing_breaks(
    standing: Station, path: str, name: str
):
    for value in HOSTILE:
        answer = await standing.http.get(f"/en/{path}", params={name: value.encode("utf-8", "replace")})
        assert answer.status_code in {200, 404}, (name, value, answer.status_code)
        found = markup.read(answer.text)
        assert not found.wrong, (value, found.wrong)
        assert {each.given.get("type") for each in found.all("script")} <= {"application/ld+json"}
        assert not [each for each in found.elements if any(key.startswith("on") for key in each.given)]
        assert "49" not in [each.text for each in found.elements]


@pytest.mark.parametrize(
    "path", ["xx/", "en/practices/no-such-practice", "en/cities/atlantis", "en/nothing", "tlh/cities"]
)
async def test_what_is_not_there_is_told_in_the_style_of_the_house_and_in_a_language(standing: Station, path: str):
    answer = await standing.http.get(f"/{path}", headers={"accept": "text/html", "accept-language": "ko"})
    locale = "en" if path.startswith("en/") else "ko"
    assert answer.status_code == 404
    assert f'<html lang="{locale}"' in answer.text
    assert say(locale, "There is no such page") in answer.text


async def test_what_is_not_public_is_not_on_a_page_and_looks_like_what_is_not_there(standing: Station):
    drafts = await standing.data("{ practices(first: 100) { nodes { slug } } }")
    public = {each["slug"] for each in drafts["practices"]["nodes"]}
    from practices.cases import files

    hidden = [name for name in files.names() if name not in public]
    assert hidden, "the demonstration has practices that not everybody sees"
    for slug in hidden:
        for kind in ("", ".md", ".bib", ".csl.json"):
            answer = await standing.http.get(f"/en/practices/{slug}{kind}", headers={"accept": "text/html"})
            absent = await standing.http.get(f"/en/practices/qqq-qqq{kind}", headers={"accept": "text/html"})
            assert answer.status_code == absent.status_code == 404
            assert answer.text.replace(slug, "").replace(slug.replace("-", " "), "") == absent.text.replace(
                "qqq-qqq", ""
            ).replace("qqq qqq", "")


async def test_a_crowd_waits_in_turn_and_is_told_when_it_is_too_long(standing: Station):
    """Each page is some ten milliseconds of the processor: twenty at once would keep everybody else waiting."""
    asked = (standing.http.get(f"/en/practices?q={number}", headers={"accept": "text/html"}) for number in range(60))
    answers = await asyncio.gather(*asked)
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= 20
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"]


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_page_is_whole_in_every_language(standing: Station, locale: str):
    for path in PAGES:
        answer = await standing.http.get(f"/{locale}/{path}")
        page = answer.text
        assert answer.status_code == 200, path
        assert answer.headers["content-language"] == locale
        assert f'<html lang="{locale}" dir="{direction(locale)}"' in page
        found = markup.read(page)
        assert not found.wrong, (path, found.wrong[:5])
        assert len(found.all("h1")) == 1, path
        assert len(found.all("main")) == 1
        assert not [each for each in found.elements if "style" in each.given]
        assert not re.search(r"<built-in|object at 0x|\{\{|\{%|\{[a-z_]+\}</", page), path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        tongues = {each.given["hreflang"] for each in found.all("link") if "hreflang" in each.given}
        assert tongues == set(LOCALES)


async def test_every_link_leads_somewhere_within_the_house(standing: Station):
    """From the front page on, whatever is linked is there; what leads away says so."""
    seen: set[str] = set()
    waiting = ["/en/", "/ar/practices/seoul-wiki"]
    while waiting and len(seen) < 80:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = await standing.http.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        found = markup.read(answer.text)
        ids = {each.given["id"] for each in found.elements if "id" in each.given}
        for link in found.all("a"):
            where = link.given["href"]
            if where.startswith("#"):
                assert where[1:] in ids, (path, where)
            elif where.startswith("/en/") or where.startswith("/schema"):
                waiting.append(where.split("#")[0])
            elif not where.startswith("/"):
                assert where.startswith(("https://", "http://")), (path, where)
                assert "noopener" in link.given.get("rel", ""), (path, where)
        for asset in found.all("link"):
            if asset.given["href"].startswith("/static/"):
                assert (await standing.http.get(asset.given["href"])).status_code == 200
    assert len(seen) > 60


async def test_a_language_without_its_slash_leads_to_its_front_page_and_nothing_else_is_guessed(standing: Station):
    answer = await standing.http.get("/ko")
    assert (answer.status_code, answer.headers["location"]) == (308, "/ko/")
    for path in ("/nothing", "/xx", "/en/practices/", "/schema.graphql/"):
        assert (await standing.http.get(path)).status_code == 404


async def test_the_browser_chooses_the_language_of_the_door(standing: Station):
    for wish, locale in [("fr-CA,fr;q=0.9", "fr"), ("zh-TW", "zh-Hans"), ("tlh", "en"), ("", "en"), ("<script>", "en")]:
        answer = await standing.http.get("/", headers={"accept-language": wish})
        assert (answer.status_code, answer.headers["location"]) == (302, f"/{locale}/"), wish
        assert "accept-language" in answer.headers["vary"]


async def test_a_text_that_is_not_in_the_language_of_the_page_says_so_and_carries_its_own(standing: Station):
    page = await page_of(standing, "/ar/practices")
    titles = [each for each in markup.read(page).all("h3") if "lang" in each.given]
    assert {each.given["lang"] for each in titles} > {"ar"}
    assert all(each.given["dir"] == direction(each.given["lang"]) for each in titles)
    told = say("ar", "Not in your language yet: shown in {language}").split("{")[0].strip()
    assert page.count(told) == sum(each.given["lang"] != "ar" for each in titles)


async def test_parts_that_are_older_than_the_original_are_told_at_the_part(standing: Station):
    page = await page_of(standing, "/en/practices/mobile-seoul")
    assert page.count('class="stale"') == page.count(
        say("en", "Older here: the original of this part was changed after it was translated.")
    )
    assert page.count('class="stale"') >= 1
    assert 'class="stale"' not in await page_of(standing, "/ko/practices/mobile-seoul"), "the original is never older"


async def test_conditions_narrow_the_list_and_each_can_be_taken_away(standing: Station):
    whole = await standing.data("{ practices { totalCount } }")
    page = await page_of(standing, "/en/practices?theme=2017.open-city&city=seoul")
    found = markup.read(page)
    chips = [each.given["href"] for each in found.all("a") if each.given.get("class") == "chip"]
    assert sorted(chips) == ["/en/practices?city=seoul", "/en/practices?theme=2017.open-city"]
    count = next(int(each.text.split()[0]) for each in found.all("h2") if "practice" in each.text)
    assert 0 < count < whole["practices"]["totalCount"]
    assert sum(each.tag == "h3" for each in found.elements) <= count


async def test_pages_follow_each_other_and_back(standing: Station):
    first = markup.read(await page_of(standing, "/en/cities"))
    after = next(each.given["href"] for each in first.all("a") if each.given.get("rel") == "next")
    second = markup.read(await page_of(standing, after))
    back = next(each.given["href"] for each in second.all("a") if each.given.get("rel") == "prev")

    def cities(page: markup.Markup) -> list[str]:
        return [each.given["href"] for each in page.all("a") if re.fullmatch(r"/en/cities/[a-z-]+", each.given["href"])]

    assert not set(cities(first)) & set(cities(second))
    assert cities(markup.read(await page_of(standing, back))) == cities(first)


async def test_a_practice_can_be_taken_home_and_cited(standing: Station):
    text = await standing.http.get("/en/practices/seoul-wiki.md")
    assert text.headers["content-type"].startswith("text/markdown")
    assert text.text.startswith("# Seoul Wiki")
    assert "\n## " in text.text
    cited = (await standing.http.get("/en/practices/seoul-wiki.csl.json")).json()
    assert cited[0]["author"] == [{"literal": "Seoul"}]
    assert cited[0]["language"] == "en"
    bib = (await standing.http.get("/en/practices/seoul-wiki.bib")).text
    assert bib.startswith("@online{seoul-wiki,")
    assert bib.count("{") == bib.count("}")


@pytest.mark.parametrize(
    ("path", "most"), [("practices", 2), ("practices/seoul-wiki", 2), ("cities", 2), ("members", 2)]
)
async def test_a_page_is_few_statements(standing: Station, path: str, most: int):
    await page_of(standing, f"/en/{path}")  # what is kept for some minutes is asked once
    counting = Tally()
    token = tally.set(counting)
    try:
        await page_of(standing, f"/de/{path}")
    finally:
        tally.reset(token)
    assert 1 <= counting.statements <= most


async def test_a_page_that_the_reader_has_is_not_sent_again(seeded):
    from http_make import fresh_station

    async with fresh_station(seeded, cache_mb=4) as station:
        async with asyncio.timeout(20):
            while not station.hub.answers.listening:
                await asyncio.sleep(0.02)
        await page_of(station, "/en/practices")
        again = await station.http.get("/en/practices")
        tag = again.headers["etag"]
        same = await station.http.get("/en/practices", headers={"if-none-match": tag})
        assert (same.status_code, same.content) == (304, b"")
        other = await station.http.get("/en/practices", headers={"accept-encoding": "identity"})
        assert other.headers.get("etag") != tag or other.content == again.content


async def test_pages_and_files_go_compressed_over_the_line(standing: Station):
    async with standing.http.stream("GET", "/en/practices", headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) < 14_000
    assert b"<!doctype html>" in gzip.decompress(raw)[:100].lower()
