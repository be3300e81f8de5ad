"""A text as the API hands it out: never bare, always with its language, origin and age.

`text(pick, "{x}.title", …)` declares a field whose text is picked inside the SQL by the reader's list: the `locales`
argument, else Accept-Language, else the language of the reader's city, else English; at last the original.
"""

from __future__ import annotations

from typing import Any, NewType

import strawberry

from i18n.language.locales import RIGHT_TO_LEFT_LANGUAGES, canonical
from i18n.language.origins import Origin
from wego.core import reads
from wego.core.reads.declare import argument
from wego.core.vocabulary import Vocabulary


def _tag(value: object) -> str:
    standard = canonical(value) if isinstance(value, str) else None
    if standard is None:
        raise ValueError("Not a valid BCP 47 language tag.")
    return standard


LanguageTag = NewType("LanguageTag", str)
LANGUAGE_TAG = strawberry.scalar(
    name="LanguageTag",
    description="A `LanguageTag` names a language as BCP 47 does, such as `ko`, `zh-Hans` or `pt-BR`.",
    specified_by_url="https://www.rfc-editor.org/info/bcp47",
    parse_value=_tag,
    serialize=str,
)


reads.vocabulary(Origin, name="TextOrigin", description="A `TextOrigin` says how a text came to be.")


@reads.vocabulary(description="A `TextDirection` says in which direction a text is written.")
class TextDirection(Vocabulary):
    LTR = "ltr", "The text runs from left to right."
    RTL = "rtl", "The text runs from right to left."


_RTL = ", ".join(f"'{language}'" for language in RIGHT_TO_LEFT_LANGUAGES)


def direction_of(locale: str) -> str:
    """The SQL of the direction in which the language of an SQL expression is written."""
    arabic = f"{locale} like '%-Arab%'"
    return f"case when split_part({locale}, '-', 1) in ({_RTL}) or {arabic} then 'rtl' else 'ltr' end"


@strawberry.type(description="A `LocalizedText` is a text for people, with its language, its origin and its age.")
class LocalizedText:
    text: str = reads.column(
        "{text}", "This is the text itself; it is shown right with `locale` as its language and with `direction`."
    )
    locale: LanguageTag = reads.column("{locale}", "This is the language in which it is written (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{locale}"), "This is the direction in which it is written.")
    origin: Origin = reads.column(
        "{origin}",
        "This says how the text came to be: it is the original, or it was translated by a person or a machine.",
    )
    is_fallback: bool = reads.column(
        "not ({locale} = any({first}))", "This is true when the text is not in the language that the reader likes best."
    )
    is_stale: bool = reads.column("{stale}", "The original was changed after this was translated.")


def text(pick: reads.Pick | reads.Own, sql: str, doc: str, *, origin: str = "'original'", stale: str = "false") -> Any:
    """Declare a LocalizedText field. `sql` gives the text; it, `origin` and `stale` may use {x} (the picked row) and
    {t} (the row the field belongs to)."""
    wish = argument("locales", list[LanguageTag] | None, "Languages the reader takes, best first (BCP 47).")
    return reads.picked(pick, {"text": sql, "origin": origin, "stale": stale}, doc, [wish])


def label(scheme: str, code: str, doc: str) -> Any:
    """Declare the label of a word of a fixed vocabulary (`term_label`), such as a theme; {t} is the owner's row."""
    return label_of(f"'{scheme}'", code, doc)


def label_of(scheme: str, code: str, doc: str) -> Any:
    """The same, where the row itself tells the vocabulary."""
    step = (
        f"select {{columns}} from term_label r where r.scheme = {scheme} and r.code = {code} and r.locale = {{locale}}"
    )
    return text(reads.Pick(step, "'en'"), "{x}.label", doc, origin="'human'")


def in_map(column: str, final: str, doc: str, *, origin: str = "'original'") -> Any:
    """Declare a text that is kept in a JSONB object by locale, such as the significance of a date."""
    step = f"select {{locale}}::text as locale, {column}->>{{locale}} as text where {column} ? {{locale}}"
    return text(reads.Pick(step, final), "{x}.text", doc, origin=origin)
