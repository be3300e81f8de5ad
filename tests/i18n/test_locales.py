"""Which language a reader gets: negotiation (RFC 9110, RFC 4647), reading lists, direction, catalogs."""

from __future__ import annotations

import langcodes
import pytest

from i18n.language.catalogs import ISOLATE, POP, catalog, fill, say
from i18n.language.graphql import direction_of
from i18n.language.locales import (
    LOCALES,
    MOST_LANGUAGES,
    MOST_PARTS,
    MOST_TAGS,
    RIGHT_TO_LEFT_LANGUAGES,
    accepted,
    canonical,
    direction,
    negotiate,
    reading_list,
    wished,
)


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", ()),
        ("ko", ("ko",)),
        ("ko-KR,ko;q=0.9,en;q=0.8", ("ko-KR", "ko", "en")),
        ("en;q=0.1, fr", ("fr", "en")),
        ("fr;q=0, en", ("en",)),
        ("*, de;q=0.5", ("de",)),
        ("zh-hans-cn", ("zh-Hans-CN",)),
        ("iw", ("he",)),
        ("en;q=abc, ko", ("ko",)),
        ("en;level=1, ko", ("ko",)),
        ("en, en, en", ("en",)),
        ("x-private, i-klingon, und", ("tlh",)),
        ("<script>, '; drop table city; --, \x00", ()),
        (",,,;;;q=1,", ()),
    ],
)
def test_an_accept_language_header_gives_its_tags_best_first(header: str, tags: tuple[str, ...]):
    assert accepted(header) == tags


def test_a_huge_header_is_cut_and_not_refused():
    assert len(accepted(",".join(f"en-{chr(65 + i % 26)}{chr(65 + i // 26)}" for i in range(400)))) <= MOST_PARTS


@pytest.mark.parametrize(
    ("tags", "city", "locale"),
    [
        ((), "", "en"),
        ((), "ko", "ko"),
        (("ko-KR",), "", "ko"),
        (("zh-CN",), "", "zh-Hans"),
        (("zh-SG",), "", "zh-Hans"),
        (("zh",), "", "zh-Hans"),
        (("fr-CA",), "", "fr"),
        (("zh-TW",), "", "zh-Hans"),  # at least Chinese, where nothing else is asked for
        (("zh-TW", "en"), "", "en"),
        (("zh-HK",), "ko", "ko"),
        (("sr-Latn",), "", "en"),
        (("zh-TW", "ja"), "", "ja"),
        (("pt-BR",), "", "pt"),
        (("es-419",), "", "es"),
        (("ca",), "", "en"),  # Catalan is not Spanish
        (("be",), "", "en"),  # Belarusian is not Russian
        (("ca", "fr"), "", "fr"),
        (("tlh",), "mn", "mn"),
    ],
)
def test_the_hubs_own_strings_come_in_the_closest_language_or_english(tags: tuple[str, ...], city: str, locale: str):
    assert negotiate(tags, city) == locale


@pytest.mark.parametrize(
    ("asked", "tags"),
    [
        ("ko-KR", ("ko-KR", "ko")),
        ("zh", ("zh", "zh-Hans")),
        ("zh-CN", ("zh-CN", "zh-Hans-CN", "zh-Hans", "zh")),
        ("zh-TW", ("zh-TW", "zh-Hant-TW", "zh-Hant")),  # never zh, which is simplified
        ("zh-MO", ("zh-MO", "zh-Hant-MO", "zh-Hant-HK", "zh-Hant")),  # the parents that CLDR names
        ("fr-CA", ("fr-CA", "fr")),
        ("pt-BR", ("pt-BR", "pt")),
        ("pt-AO", ("pt-AO", "pt-PT", "pt")),
        ("es-MX", ("es-MX", "es-419", "es")),
        ("en-GB", ("en-GB", "en")),
        ("sr-Latn", ("sr-Latn",)),  # never Cyrillic letters
        ("sr-ME", ("sr-ME", "sr-Latn-ME", "sr-Latn")),
        ("sr", ("sr", "sr-Cyrl")),
        ("az-Arab", ("az-Arab",)),
        ("en-GB-oxendict", ("en-GB-oxendict", "en-GB", "en")),
        ("de-x-a123", ("de-x-a123", "de")),
    ],
)
def test_a_reading_list_holds_the_forms_that_texts_may_carry(asked: str, tags: tuple[str, ...]):
    assert reading_list((asked,)).tags == reading_list((asked,)).first == tags


def test_a_reading_list_puts_what_is_liked_best_first_and_is_bounded():
    assert reading_list(("ko-KR", "en")).tags == ("ko-KR", "ko", "en")
    assert reading_list(("ko-KR", "en")).first == ("ko-KR", "ko")
    assert reading_list(()).tags == ("en",)
    assert len(reading_list(("zh-MO", "zh-CN", "es-MX", "pt-AO")).tags) == MOST_TAGS


def test_the_order_of_names_is_that_of_the_hubs_own_words():
    assert reading_list(("fr-CA",)).locale == "fr"
    assert wished(None, "tlh, sw;q=0.5", "").locale == "sw"
    assert wished(None, "", "").locale == "en"


def test_who_reads_traditional_chinese_reads_simplified_before_english_unless_he_says_otherwise():
    assert wished(None, "zh-TW", "").tags == ("zh-TW", "zh-Hant-TW", "zh-Hant", "zh-Hans", "zh", "en")
    assert wished(None, "zh-TW, en", "").tags == ("zh-TW", "zh-Hant-TW", "zh-Hant", "en")


def test_explicit_locales_win_over_the_header_and_the_header_over_the_city():
    assert wished(["fr"], "ko", "mn").tags == ("fr", "en")
    assert wished(None, "ko", "mn").tags == ("ko", "en")
    assert wished(None, "", "mn").tags[0] == "mn"
    assert wished(None, "", "").tags == ("en",)


@pytest.mark.parametrize("tag", ["", "und", "x-secret", "en-", "e", "en_US; drop", "ko\n", "가", "a" * 40])
def test_what_is_no_language_tag_is_none(tag: str):
    assert canonical(tag) is None


def test_every_locale_is_canonical_and_names_itself():
    assert all(canonical(tag) == tag for tag in LOCALES)
    assert len(LOCALES) == 16


async def test_sql_and_python_agree_on_the_direction_of_every_locale(rolled):
    tags = [*LOCALES, "fa", "ur", "he", "ps", "ku", "sd", "az-Arab", "ks", "dv", "zh-Hant", "sr-Latn", "th", "am"]
    for tag in tags:
        found = await rolled.reads.fetchval(f"select {direction_of('$1::text')}", tag)
        assert found == direction(tag), tag
    assert all(direction(tag) == "rtl" for tag in RIGHT_TO_LEFT_LANGUAGES)


def test_a_sentence_is_said_in_the_language_and_falls_back_to_english():
    assert say("ko", "Your role does not allow this.") != "Your role does not allow this."
    assert say("ko", "Nobody ever said this.") == "Nobody ever said this."
    assert catalog("en") == {}


def test_values_are_filled_in_isolated_where_the_sentence_runs_from_the_right_and_never_interpreted():
    assert fill("{a} and {b}", {"a": "{b}"}) == "{b} and {b}"
    assert f"{ISOLATE}9{POP}" in say("ar", "The request is larger than {limit} KiB.", limit=9)


def test_tags_that_strangers_send_are_not_kept_for_ever():
    for number in range(3 * MOST_LANGUAGES):
        accepted(f"en-x-{number:05}, de-x-a{number:05}")
    assert len(langcodes.Language._INSTANCES) <= MOST_LANGUAGES + 100
    assert len(langcodes.Language._PARSE_CACHE) <= MOST_LANGUAGES + 100
