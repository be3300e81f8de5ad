"""Kinds of facts that have to do with languages: see `wego.core.facts`.

In a file, and where it is kept, a text by language is a table whose keys are language tags; in the API it is a list of
objects. Both are taken, and what is wrong is told at its place in what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import strawberry

from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, direction_of, in_map
from i18n.language.locales import canonical
from wego.core import db, reads
from wego.core.errors import Invalid
from wego.core.facts.kinds import Kind, Path, array, listed
from wego.core.forms import Form

MOST_LANGUAGES = 40


@strawberry.input(description="This is a text in one language.")
class LocalText:
    locale: LanguageTag = strawberry.field(description="This is the language (BCP 47).")
    text: str = strawberry.field(description="This is the text.")


@strawberry.input(description="These are keywords in one language.")
class KeywordsInput:
    locale: LanguageTag = strawberry.field(description="This is the language (BCP 47).")
    words: list[str] = strawberry.field(description="These are the words.")


_WORDS = "(select coalesce(array_agg(w), '{{}}') from jsonb_array_elements_text({t}.value) w)"


@strawberry.type(description="These are keywords in one language.")
class Keywords:
    locale: LanguageTag = reads.column("{t}.key", "This is the language (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{t}.key"), "This is the direction in which it is written.")
    words: list[str] = reads.column(_WORDS, "These are the words.")


class _Told(NamedTuple):
    """What was said in one language: the tag and its place, the content and its place."""

    tag: Any
    tag_path: Path
    content: Any
    path: Path


def tag(form: Form, value: Any, path: Path) -> str:
    """The canonical form of a language tag."""
    known = canonical(value) if isinstance(value, str) else None
    if known is None:
        form.refuse(Invalid("This is not a language tag (BCP 47), such as ko or pt-BR.", path=path))
    return known or str(value)


def _told(form: Form, value: Any, path: Path, content: str) -> Iterator[_Told]:
    if isinstance(value, Mapping):
        yield from (_Told(each, (*path, str(each)), text, (*path, str(each))) for each, text in value.items())
        return
    for at, each in enumerate(listed(form, value, path, MOST_LANGUAGES)):
        here = (*path, at)
        if isinstance(each, Mapping):
            yield _Told(each.get("locale"), (*here, "locale"), each.get(content), (*here, content))
        else:
            form.refuse(Invalid("This value is of another kind than it must be.", path=here))


def _by_language(form: Form, value: Any, path: Path, content: str) -> Iterator[tuple[str, Any, Path]]:
    """The canonical tag, the content and its place, of each language once."""
    if isinstance(value, Mapping):
        form.few(value, *path, limit=MOST_LANGUAGES)
    seen: set[str] = set()
    for told in _told(form, value, path, content):
        known = tag(form, told.tag, told.tag_path)
        if known in seen:
            form.refuse(Invalid("The language {locale} is given twice.", path=told.tag_path, locale=known[:80]))
        seen.add(known)
        yield known, told.content, told.path


class Tags(Kind):
    """Languages."""

    accepts = shows = list[LanguageTag]

    def __init__(self, doc: str, *, most: int) -> None:
        super().__init__(doc)
        self.most = most

    def check(self, form: Form, value: Any, path: Path) -> Any:
        return [tag(form, each, (*path, at)) for at, each in enumerate(listed(form, value, path, self.most))]

    def absent(self) -> dict[str, Any]:
        return {"default_factory": list}

    def part(self, name: str) -> str:
        return array(name)


class Texts(Kind):
    """A short text in several languages; the reader is shown the one that he likes best, at last that of the original
    ({t}.original), or any."""

    accepts, shows = list[LocalText], LocalizedText

    def __init__(self, doc: str, *, most: int) -> None:
        super().__init__(doc)
        self.most = most

    def check(self, form: Form, value: Any, path: Path) -> Any:
        if not value:
            form.refuse(Invalid("This must not be empty.", path=path))
        told = _by_language(form, value, path, "text")
        return {known: _line(form, text, here, self.most) for known, text, here in told}

    def given(self, value: Any) -> Any:
        return [vars(each) for each in value]

    def show_part(self, name: str) -> Any:
        kept = f"({{t}}.value->'{name}')"
        any_of_them = f"(select min(k) from jsonb_object_keys({kept}) k)"
        final = f"(case when {kept} ? {{t}}.original then {{t}}.original else {any_of_them} end)"
        return in_map(kept, final, self.doc)


class KeywordLists(Kind):
    """Keywords in several languages."""

    accepts, shows = list[KeywordsInput], list[Keywords]

    def __init__(self, doc: str, *, most: int, longest: int) -> None:
        super().__init__(doc)
        self.most, self.longest = most, longest

    def check(self, form: Form, value: Any, path: Path) -> Any:
        told = _by_language(form, value, path, "words")
        return {known: self._words(form, words, here) for known, words, here in told}

    def _words(self, form: Form, value: Any, path: Path) -> list[str]:
        given = listed(form, value, path, self.most)
        return [_line(form, word, (*path, at), self.longest) for at, word in enumerate(given)]

    def given(self, value: Any) -> Any:
        return [vars(each) for each in value]

    def column(self) -> Any:
        return db.document()

    def field(self, name: str) -> tuple[Any, Any]:
        rows = f"jsonb_each({{p}}.{name}) as {{t}}(key, value)"
        return self.shows, reads.many(None, self.doc, order="{t}.key", source=rows)


def _line(form: Form, value: Any, path: Path, most: int) -> str:
    if not isinstance(value, str):
        form.refuse(Invalid("This value is of another kind than it must be.", path=path))
        return ""
    return form.text(value, *path, limit=most)


def tags(doc: str, *, most: int) -> Any:
    return Tags(doc, most=most)


def texts(doc: str, *, most: int) -> Any:
    return Texts(doc, most=most)


def keywords(doc: str, *, most: int, longest: int) -> Any:
    return KeywordLists(doc, most=most, longest=longest)


# The rows of facts that hold `texts`, of an owner whose row says in which language its original is written.
WITH_ORIGINAL = (
    "(select e.value, e.ord, {p}.original_locale as original"
    " from jsonb_array_elements({p}.{name}) with ordinality e(value, ord)) as {t}"
)
