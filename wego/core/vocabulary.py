"""Closed sets whose words are told: each is declared once, with its value, what it means, and what it is called.

    class MembershipStatus(Vocabulary):
        FULL = "full", "The city is a full member.", N_("full member")

    reads.vocabulary(MembershipStatus, description="A `MembershipStatus` says …")      # beside the GraphQL types

The second is the description of the value in the public schema. The third is how the hub says the word inside a
sentence: a refusal that is given the word itself (`Conflict("… {state}", state=membership.status)`) names it so, in the
language of the reader, and so does the command line. A value is never renamed, only retired.
"""

from __future__ import annotations

from enum import StrEnum


def N_(sentence: str) -> str:  # the name by which gettext's tools find it
    """Mark a sentence for translation where it is declared; it is translated where it is said."""
    return sentence


class Vocabulary(StrEnum):
    """A closed set; `doc` says what a word means, `called` what it is called in a sentence (empty: it is not said)."""

    _value_: str
    doc: str
    called: str

    def __new__(cls, value: str, doc: str = "", called: str = "") -> Vocabulary:
        word = str.__new__(cls, value)
        word._value_, word.doc, word.called = value, doc, called
        return word


class Nothing(Vocabulary):
    """The state of what is not there yet."""

    NONE = "none", "There is nothing yet.", N_("not there yet")
