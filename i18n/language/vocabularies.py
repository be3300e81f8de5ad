"""The fixed vocabularies as the API lists them, and how many things of a list have which of their words."""

from __future__ import annotations

import strawberry

from i18n.language.graphql import LocalizedText, label_of
from wego.core import reads
from wego.core.rooms import Exposed


@reads.table("term", key="id")
@strawberry.type(description="A `Term` is one word of a vocabulary.")
class Term:
    code: str = reads.column(
        "{t}.code",
        "This is its code, which never changes. An enum of the schema writes it in upper case, with `_` for `-`.",
    )
    label: LocalizedText = label_of("{t}.scheme", "{t}.code", "This is what it is called, in short.")
    position: int = reads.column("{t}.position", "This is its place in the usual order of the vocabulary.")
    retired: bool = reads.column("{t}.retired", "This says whether it is used for nothing new; what has it keeps it.")


@reads.table("(select distinct n.scheme from term n) as {t}", key="scheme")
@strawberry.type(description="A `Vocabulary` is a fixed list of words, such as the themes of the WeGO Awards.")
class Vocabulary:
    scheme: str = reads.column("{t}.scheme", "This is its name, such as `theme`, `sdg` or `country`.")
    terms: list[Term] = reads.many(
        "{t}.scheme = {p}.scheme",
        "These are its words in their usual order, also those that are retired.",
        order="{t}.position, {t}.code",
        most=1_000,
        expected=50,
    )


@strawberry.type
class VocabularyQueries:
    vocabularies: list[Vocabulary] = reads.many(
        None, "These are all vocabularies, by name.", order="{t}.scheme", expected=10
    )
    vocabulary: Vocabulary | None = reads.one(
        "{t}.scheme = {scheme}",
        "This is the vocabulary of this name; it is null when there is none.",
        args={"scheme": reads.Arg(str, "text", "This is its name, such as `theme`.")},
    )


@strawberry.type(description="A `FacetCount` says how many things of a list have one value.")
class FacetCount:
    value: str = reads.column("{t}.word", "This is the value, in the form in which the filter of the list takes it.")
    name: LocalizedText | None = label_of(
        "{t}.scheme", "{t}.value", "This is what the value is called; it is null when it has no name but itself."
    )
    group: str | None = reads.column(
        "{t}.part",
        "This tells values of the same name apart: of a theme it is the edition of the WeGO Awards, of a target its "
        "goal; it is null for others.",
    )
    count: int = reads.column(
        "{t}.count", "This is the number of things with this value among those that were counted."
    )


def counted(
    values: str, doc: str, *, scheme: str = "", is_enum: bool = False, group: str = "null::text"
) -> reads.Counted:
    """Count by the words of a vocabulary, whose labels are those of its scheme; `group` is an expression of `value`."""
    word = "upper(replace(g$.value, '-', '_'))" if is_enum else "g$.value"
    return reads.Counted(FacetCount, values, doc, {"scheme": f"'{scheme}'::text", "word": word, "part": group})


EXPOSED = Exposed(queries=(VocabularyQueries,))
