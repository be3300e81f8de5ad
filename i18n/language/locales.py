"""Which languages the hub speaks, and which one a reader gets.

Binding texts: BCP 47 (RFC 5646, RFC 4647), RFC 9110 section 12.5.4 (Accept-Language).
Two things are kept apart: the locale of the hub's own strings (one of `LOCALES`), and the languages in which a
reader wants texts written by cities, which can be in any language of the world (`Reading`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import langcodes
from babel.core import get_global

from wego.core.cache import remembered
from wego.core.context import Reading
from wego.core.errors import Invalid
from wego.core.forms import Form

# tag → endonym, in the order of the chooser. A new language is one line here and one folder in `i18n/locale/`.
LOCALES = {
    "en": "English",
    "ko": "한국어",
    "zh-Hans": "简体中文",
    "ar": "العربية",
    "fr": "Français",
    "es": "Español",
    "ru": "Русский",
    "pt": "Português",
    "id": "Bahasa Indonesia",
    "tr": "Türkçe",
    "vi": "Tiếng Việt",
    "mn": "Монгол",
    "ja": "日本語",
    "de": "Deutsch",
    "hi": "हिन्दी",
    "sw": "Kiswahili",
}
DEFAULT = "en"

RIGHT_TO_LEFT_SCRIPTS = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"})
# What SQL asks for the direction of a text: languages that are written from the right unless a script says otherwise.
RIGHT_TO_LEFT_LANGUAGES = ("ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ckb", "syr", "nqo", "ks")

WRITTEN_IN_SEVERAL_SCRIPTS = frozenset({"zh", "sr", "az", "uz", "bs", "pa", "ks", "mn", "ku", "tg", "kk", "ug", "sd"})

MACRO_REGIONS = (
    "-001",
    "-150",
)  # the world and Europe: between a country's English and English, and no text is in them

MOST_HEADER = 1_000  # characters of an Accept-Language header
MOST_PARTS = 30  # of an Accept-Language header
MOST_TAGS = 8  # of a reading list
MOST_LANGUAGES = 2_000  # that the library keeps, about 1 KB each


def _trim() -> None:
    """The library keeps every tag that it ever read, and tags come from strangers."""
    for kept in (langcodes.Language._INSTANCES, langcodes.Language._PARSE_CACHE):
        if len(kept) > MOST_LANGUAGES:
            kept.clear()


@remembered(256 * 1024)
def canonical(tag: str) -> str | None:
    """The canonical form of a BCP 47 tag; None when it is not valid."""
    _trim()
    if len(tag) > 35 or not tag or not tag.isascii() or not langcodes.tag_is_valid(tag):
        return None
    standard = langcodes.standardize_tag(tag)
    return None if standard.startswith("x-") or standard == "und" else standard


def asked(form: Form, tag: str, *path: str | int) -> str:
    """The canonical form of a tag in a form, which is refused at this path when it is none."""
    found = canonical(tag)
    if found is None:
        form.refuse(Invalid("This is not a language tag of BCP 47, such as ko or zh-Hans.", path=path))
    return found or DEFAULT


@remembered(128 * 1024)
def direction(tag: str) -> str:
    """ "rtl" or "ltr", by the likely script of the tag."""
    return "rtl" if langcodes.Language.get(tag).maximize().script in RIGHT_TO_LEFT_SCRIPTS else "ltr"


def accepted(header: str) -> tuple[str, ...]:
    """The tags of an Accept-Language header, best first; what cannot be read is left out, `*` as well. No more of the
    header is looked at than a reader's browser would send."""
    return _accepted(header[:MOST_HEADER])


@remembered(256 * 1024)
def _accepted(header: str) -> tuple[str, ...]:
    weighted = []
    for order, part in enumerate(header.split(",")[:MOST_PARTS]):
        tag, _, weight = part.partition(";")
        quality = _quality(weight)
        known = canonical(tag.strip())
        if known and quality > 0:
            weighted.append((-quality, order, known))
    return tuple(dict.fromkeys(tag for _, _, tag in sorted(weighted)))


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0 if not weight.strip() else 0.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


@remembered(256 * 1024)
def negotiate(tags: tuple[str, ...], city_locale: str = "") -> str:
    """The hub's own locale for a reader: the first tag that one of ours matches closely, else the language of his
    city, else English. Distance 10 keeps zh-TW from zh-Hans while there is anything else (CLDR counts the two as far
    apart as any two scripts since CLDR-14355), and never answers ca with es or be with ru."""
    for tag in (*tags, city_locale):
        if tag:
            match, _ = langcodes.closest_match(tag, list(LOCALES), max_distance=10)
            if match != "und":
                return match
    return _simplified(tags) or DEFAULT


def _simplified(tags: tuple[str, ...]) -> str:
    """Simplified Chinese for who asks for traditional Chinese and for nothing that is here: it is at least Chinese. Not
    for who also asks for English."""
    likely = [langcodes.Language.get(tag).maximize() for tag in tags]
    wanted = any(each.language == "zh" and each.script == "Hant" for each in likely)
    return "zh-Hans" if wanted and not any(each.language == DEFAULT for each in likely) else ""


@remembered(512 * 1024)
def reading_list(tags: tuple[str, ...]) -> Reading:
    """Expand wishes to the tags that texts may carry: ko-KR → ko-KR, ko; es-MX → es-MX, es-419, es; zh-TW → zh-TW,
    zh-Hant-TW, zh-Hant; zh → zh, zh-Hans. Without a wish, English."""
    groups = [_expanded(tag) for tag in tags] or [_expanded(DEFAULT)]
    every = dict.fromkeys(tag for group in groups for tag in group)
    return Reading(tuple(every)[:MOST_TAGS], groups[0], negotiate(tags))


def _expanded(tag: str) -> tuple[str, ...]:
    """A tag, the same with its script where the language has several, and what each falls back to."""
    asked = langcodes.Language.get(tag)
    full = tag
    if asked.language in WRITTEN_IN_SEVERAL_SCRIPTS and not asked.script:
        full = asked.update_dict({"script": asked.maximize().script}).to_tag()
    return tuple(dict.fromkeys((tag, *_with_parents(full), *_with_parents(tag))))


def forms(tag: str) -> tuple[str, ...]:
    """The tags of the texts that somebody who asks for this language reads: fr-CA → fr-CA, fr; zh → zh, zh-Hans."""
    return reading_list((tag,)).first


def _with_parents(tag: str) -> Iterator[str]:
    """A tag and its parents: those of CLDR where it names one (es-MX → es-419), else the tag without its last part
    (RFC 4647 section 3.4), as long as that is written in the same script: zh-Hant is not zh."""
    script = langcodes.Language.get(tag).maximize().script
    while tag and langcodes.Language.get(tag).maximize().script == script:
        if not tag.endswith(MACRO_REGIONS):
            yield tag
        tag = _parent(tag)


def _parent(tag: str) -> str:
    named = get_global("parent_exceptions").get(tag.replace("-", "_"))
    if named:
        return str(named).replace("_", "-")
    shorter = tag.rpartition("-")[0]
    return shorter[:-2] if shorter[-2:-1] == "-" else shorter  # `-x-` and its like stand for what followed


def wished(locales: Sequence[str] | None, accept_language: str, city_locale: str) -> Reading:
    """The reading list of a request: explicit `locales`, else Accept-Language, else the city's language; then en."""
    tags = (tuple(locales) if locales else accepted(accept_language)) or ((city_locale,) if city_locale else ())
    return reading_list(_with_last_resort(tags))


@remembered(128 * 1024)
def _with_last_resort(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*tags, *filter(None, (_simplified(tags),)), DEFAULT)))
