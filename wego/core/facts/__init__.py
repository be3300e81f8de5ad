"""A fact of a thing is declared once: its column, its check, how it is sent, shown and filed follow from the one line.

    @fact("A figure by which a practice can be judged.")
    class Indicator:                                  # this is the type that is shown; IndicatorInput is made of it
        scheme: IndicatorScheme = word(IndicatorScheme, "This says whose list the code is from.")
        unit: str | None = line("This is its unit; it is null where it has none.", most=60, required=False)

    class PracticeFacts(SQLModel):                    # a mixin of the model: each line is a column
        stage: Stage = column(word(Stage, "This says how far the practice is.", default=Stage.OPERATING))
        indicators: list[dict[str, Any]] = column(each(Indicator, "These are figures.", most=60))

    @strawberry.type
    @shown(PracticeFacts)
    class ShownFacts: …                               # a base class of the type

    @strawberry.input
    @sent(PracticeFacts)
    class FactsInput: …                               # a base class of the inputs

    columns = check(form, PracticeFacts, given_of(PracticeFacts, input), ("input",))

A fact is kept in JSON under the names of its fields, and is written so in a file (TOML). Kinds that have to do with
languages are in `i18n.language.facts`.
"""

from wego.core.facts.dates import DatePrecision, day, moment
from wego.core.facts.declared import check, column, each, fact, facts_of, given_of, sent, shown
from wego.core.facts.kinds import Kind, address, codes, currency, decimal, email, line, shaped, whole, word, words

__all__ = [
    "DatePrecision", "Kind", "address", "check", "codes", "column", "currency", "day", "decimal", "each", "email",
    "fact", "facts_of", "given_of", "line", "moment", "sent", "shaped", "shown", "whole", "word", "words",
]  # fmt: skip
