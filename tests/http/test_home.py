"""The first page: in every language, without script, each text with its own language and direction."""

from __future__ import annotations

import asyncio
import re

import pytest
from http_make import Station

from i18n.language.catalogs import say
from i18n.language.locales import LOCALES, direction


@pytest.mark.parametrize("locale", LOCALES)
async def test_the_page_is_whole_in_every_language(standing: Station, locale: str):
    answer = await standing.http.get("/", params={"lang": locale})
    page = answer.text
    assert answer.status_code == 200
    assert answer.headers["content-language"] == locale
    assert f'<html lang="{locale}" dir="{direction(locale)}">' in page
    assert say(locale, "Newest practices") in page
    assert f'hreflang="{locale}" aria-current="true"' in page
    assert all(f'href="/?lang={each}"' in page for each in LOCALES)
    assert "<script" not in page
    assert " style=" not in page
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_browser_chooses_the_language_and_a_wrong_wish_is_ignored(standing: Station):
    headers = {"accept-language": "fr-CA,fr;q=0.9"}
    for wish in ("", "klingon", "<script>", "x" * 5_000, "\x00"):
        answer = await standing.http.get("/", params={"lang": wish}, headers=headers)
        assert (answer.status_code, answer.headers["content-language"]) == (200, "fr"), wish
        assert "<script" not in answer.text


async def test_what_is_not_in_the_readers_language_says_so_and_carries_its_own(standing: Station):
    page = (await standing.http.get("/", params={"lang": "ar"})).text
    titles = re.findall(r'<h3 lang="([^"]+)" dir="([^"]+)">', page)
    assert {tag for tag, _ in titles} > {"ar"}
    assert all(way == direction(tag) for tag, way in titles)
    assert page.count(say("ar", "not yet in your language")) == sum(tag != "ar" for tag, _ in titles)


async def test_themes_of_two_editions_with_one_name_are_shown_once(standing: Station):
    page = (await standing.http.get("/", params={"lang": "ko"})).text
    for card in re.findall(r'<ul class="tags">(.*?)</ul>', page):
        names = re.findall(r"<li[^>]*>(.*?)</li>", card)
        assert len(names) == len(set(names)) > 0


async def test_a_crowd_at_the_first_page_waits_in_turn_and_is_told_when_it_is_too_long(standing: Station):
    """Each page is some ten milliseconds of the processor: twenty at once would keep everybody else waiting."""
    answers = await asyncio.gather(*(standing.http.get("/", headers={"accept": "text/html"}) for _ in range(60)))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= 20
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"]
    assert refused.headers["content-type"].startswith("text/html")
    assert (await standing.http.get("/")).status_code == 200
