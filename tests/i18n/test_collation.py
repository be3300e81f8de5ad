"""In which order readers of a language expect names (UTS #10, CLDR)."""

from __future__ import annotations

import pytest

from i18n.language.collation import MOST_BYTES, sort_key
from i18n.language.locales import LOCALES


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", ["Abidjan", "Örebro", "Oslo", "Zürich"]),
        ("ko", ["가나", "부산", "서울", "평양", "Agra"]),
        ("zh-Hans", ["北京", "成都", "广州", "上海", "首尔", "乌兰巴托", "Agra"]),  # by pinyin
        ("ja", ["Agra", "アテネ", "ウィーン", "ソウル"]),
        ("ar", ["أبوظبي", "الإسكندرية", "برشلونة", "عمّان", "Agra"]),
        ("tr", ["Cenevre", "Çengdu", "Dakar", "Iğdır", "İstanbul", "Oslo", "Öskemen"]),
        ("es", ["Nantes", "Nuevo", "Ñuñoa", "Ottawa"]),
        ("de", ["Zagreb", "Zürich", "Zypern"]),
        ("vi", ["Berlin", "Dakar", "Đà Nẵng", "Helsinki"]),
        ("ru", ["Агра", "Ереван", "Йокогама", "Сеул", "Agra"]),
        ("mn", ["Осака", "Өмнөговь", "Сөүл"]),
        ("hi", ["अबू धाबी", "आगरा", "काहिरा", "सियोल", "Agra"]),
        ("fr", ["Abidjan", "Évry", "Genève", "Sao Paulo"]),
    ],
)
def test_names_come_in_the_order_that_readers_expect(locale: str, expected: list[str]):
    assert sorted(set(expected), key=lambda name: sort_key(locale, name)) == expected


def test_a_key_is_text_of_bounded_length_in_every_language():
    for locale in (*LOCALES, "tlh"):
        key = sort_key(locale, "가" * 400)
        assert set(key) <= set("0123456789abcdef")
        assert 0 < len(key) <= 2 * MOST_BYTES
