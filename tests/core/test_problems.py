"""How a refusal becomes words: in the language of the request, with a code that never changes."""

from __future__ import annotations

import pytest
from graphql import GraphQLError

from i18n.language.catalogs import catalog
from i18n.language.locales import LOCALES
from members.register.models import MembershipKind, MembershipStatus
from practices.cases.life import LIFE
from practices.cases.models import Practice, PracticeStatus
from wego.core import errors
from wego.core.errors import (
    Conflict,
    CostExceeded,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    RateLimited,
    Refusals,
    Unavailable,
)
from wego.core.ids import new_id
from wego.core.vocabulary import Nothing
from wego.problems import CODES, LONGEST, errors_of, graphql_errors, words

EVERY = {
    "NOT_SIGNED_IN": (NotSignedIn, 401), "NOT_ALLOWED": (NotAllowed, 403), "NOT_FOUND": (NotFound, 404),
    "CONFLICT": (Conflict, 409), "INVALID": (Invalid, 400), "COST_EXCEEDED": (CostExceeded, 400),
    "RATE_LIMITED": (RateLimited, 429), "UNAVAILABLE": (Unavailable, 503),
}  # fmt: skip


def test_what_went_wrong_inside_is_not_told():
    """The text of an error is the library's about the request; nothing else reaches it."""
    told = graphql_errors([GraphQLError("x" * 10_000)], "en")[0]
    assert len(told["message"]) <= LONGEST + 2
    assert told["extensions"] == {"code": "INVALID"}


def test_codes_and_statuses_are_stable():
    assert set(CODES) == set(EVERY)
    for code, (kind, status) in EVERY.items():
        assert (kind.code, kind.status) == (code, status)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Refusal)]
    assert {kind.code for kind in kinds} <= set(CODES)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_refusal_is_told_in_every_language_of_the_hub(locale: str):
    refusal = Invalid("This text is too long: at most {limit} characters.", path=("input", "title"), limit=120)
    (told,) = words(refusal, locale)
    assert told["code"] == "INVALID"
    assert told["path"] == ["input", "title"]
    assert "{" not in told["message"]
    assert ("This text is too long" in told["message"]) is (locale == "en")
    assert errors_of(refusal, locale)[0]["extensions"] == {"code": "INVALID", "path": ["input", "title"]}


STATES = (*MembershipStatus, *MembershipKind, *PracticeStatus, Nothing.NONE)


@pytest.mark.parametrize("locale", [tag for tag in LOCALES if tag != "en"])
def test_a_state_inside_a_sentence_is_said_in_the_language_of_the_sentence(locale: str):
    sentence = "The state of this membership is {state}: this step is not possible now."
    for state in STATES:
        assert state.called
        assert state.called in catalog(locale), state
        (told,) = words(Conflict(sentence, state=state), locale)
        assert catalog(locale)[state.called] in told["message"]
        assert state.value not in told["message"] or state.value in catalog(locale)[state.called].lower()


async def test_services_refuse_with_the_state_itself_so_that_it_can_be_said():
    """Not with its code: `under_check` is no word of any language."""
    refusal = LIFE.impossible(Practice(slug="a", city_id=new_id(), title_hash=b"", summary_hash=b"",
                                       original_locale="ko", status=PracticeStatus.UNDER_REVIEW))  # fmt: skip
    (told,) = words(refusal, "de")
    assert "in Begutachtung" in told["message"]
    (told,) = words(LIFE.impossible(None), "en")
    assert "not there yet" in told["message"]


def test_an_unknown_language_is_english():
    (told,) = words(NotAllowed("Your role does not allow this."), "tlh")
    assert told["message"] == "Your role does not allow this."


def test_what_was_sent_never_formats_a_sentence():
    for hostile in ("{limit}", "{0.__class__}", "%s", "{", "}", "{x!r}"):
        (told,) = words(
            Conflict("The state of this membership is {state}: this step is not possible now.", state=hostile), "en"
        )
        assert hostile in told["message"]


def test_several_refusals_are_told_one_by_one_in_their_order():
    both = Refusals(
        [
            Invalid("This must not be empty.", path=("input", "names", 0, "name")),
            NotAllowed("Your role does not allow this."),
        ]
    )
    told = words(both, "fr")
    assert [each["code"] for each in told] == ["INVALID", "NOT_ALLOWED"]
    assert told[0]["path"] == ["input", "names", "0", "name"]
    assert both.status == 400


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("Syntax Error: Document is nested too deeply. Parsing aborted.", "100"),
        ("Maximum introspection depth exceeded", "3"),
    ],
)
def test_the_limits_of_the_library_are_told_as_ours_are(message: str, number: str):
    (told,) = graphql_errors([GraphQLError(message)], "en")
    assert told["extensions"]["code"] == "COST_EXCEEDED"
    assert number in told["message"]


def test_a_refusal_inside_an_error_of_the_library_keeps_its_code():
    wrapped = GraphQLError("x", original_error=NotFound("There is nothing of this name, or you may not see it."))
    assert graphql_errors([wrapped], "en")[0]["extensions"]["code"] == "NOT_FOUND"


def test_what_was_sent_is_shown_short_and_without_controls():
    """A database stores no NUL, JSON no lone surrogate, and a terminal obeys an escape."""
    hostile = "a\x00b\ud800c\x1b[31md\u202ee\r\nf" + "x" * 10_000
    refusal = Conflict(
        "The state of this membership is {state}: this step is not possible now.",
        state=hostile,
        path=("input", hostile),
    )
    (told,) = words(refusal, "en")
    for text in (told["message"], told["path"][1]):
        assert "a\ufffdb\ufffdc\ufffd[31md\ufffde\ufffd\ufffdf" in text
        assert len(text) < 700
