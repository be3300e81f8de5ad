"""A fact is declared once: its column, its check, its input, what is shown and its file follow from the one line."""

from typing import Any

import pytest
import strawberry
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Field, SQLModel

from practices.cases.facts import NAMES, PracticeFacts, checked
from practices.cases.models import Practice
from wego.core import facts
from wego.core.errors import Invalid, Refusal
from wego.core.facts import column, fact
from wego.core.forms import Form
from wego.schema import schema


def _no_place(path: tuple[str | int, ...]) -> Invalid:
    return Invalid("There is no such place.", path=path)


@fact("How often a thing is renewed, as another room might say it.")
class Rhythm:
    times: int = facts.whole("This is how many times.", low=1, high=10)
    unit: str | None = facts.line("This is the unit; it is null where there is none.", most=5, required=False)


class ThingFacts(SQLModel):
    rhythms: list[dict[str, Any]] = column(facts.each(Rhythm, "These are its rhythms.", most=2))
    place: str = column(facts.shaped("This is its place.", {"here", "there"}, default="here"))


class Thing(ThingFacts, table=True):
    __tablename__ = "test_thing"
    id: int = Field(primary_key=True)


SQLModel.metadata.remove(Thing.__table__)  # type: ignore[attr-defined]  # it is nobody's: migrations know nothing of it


@strawberry.input
@facts.sent(ThingFacts)
class ThingInput:
    """What is sent of a thing."""


def test_a_line_is_a_column() -> None:
    columns = Thing.__table__.columns  # type: ignore[attr-defined]  # SQLModel makes it
    assert set(columns.keys()) == {"rhythms", "place", "id"}
    assert (Thing(id=1).rhythms, Thing(id=1).place) == ([], "here")


def test_an_input_and_a_file_become_the_same_columns() -> None:
    form = Form()
    kind = Rhythm.__fact__.input  # type: ignore[attr-defined]  # set by `fact`
    sent = facts.given_of(ThingFacts, ThingInput(rhythms=[kind(times=3)]))  # type: ignore[call-arg]  # made by `sent`
    filed = {"rhythms": [{"times": 3}]}
    told = [facts.check(form, ThingFacts, given, ("input",)) for given in (sent, filed)]
    assert told == [{"rhythms": [{"times": 3, "unit": None}]}] * 2
    assert form.refusals == []


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"rhythms": [{"times": 11}]}, ("rhythms", 0, "times")),
        ({"rhythms": [{"times": True}]}, ("rhythms", 0, "times")),
        ({"rhythms": [{"times": 1, "unti": "day"}]}, ("rhythms", 0, "unti")),
        ({"rhythms": [{"times": 1}] * 3}, ("rhythms",)),
        ({"rhythms": [4]}, ("rhythms", 0)),
        ({"rhythms": "often"}, ("rhythms",)),
        ({"place": "nowhere"}, ("place",)),
        ({"rythms": []}, ("rythms",)),
    ],
)
def test_what_is_wrong_is_told_at_its_place(wrong: dict[str, Any], place: tuple[str | int, ...]) -> None:
    form = Form()
    facts.check(form, ThingFacts, wrong, ())
    assert [each.path for each in form.refusals] == [place]


def test_an_annotation_that_says_something_else_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="say different things"):

        @fact("A fact that is wrong.")
        class Wrong:
            unit: str = facts.line("This is the unit.", most=5, required=False)


def test_each_fact_of_a_practice_is_a_column_an_input_and_a_field() -> None:
    known = schema()._schema.type_map
    names = {facts.kinds.camel(name) for name in NAMES}
    assert set(NAMES) <= set(Practice.__table__.columns.keys())  # type: ignore[attr-defined]  # SQLModel makes it
    for kind in ("Practice", "CreatePracticeInput", "RevisePracticeInput"):
        assert names <= known[kind].fields.keys(), kind  # type: ignore[attr-defined]  # all three have fields


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_PARTS = st.sampled_from(
    ["goal", "target", "date", "significance", "year", "amount", "name", "kind", "support", "scheme", "code", "unit",
     "currency", "email", "languages", "title", "url", "locale", "words"]
)  # fmt: skip


_VALUES = _JSON | st.lists(st.dictionaries(_PARTS, _JSON, max_size=4), max_size=2)


@settings(deadline=None)  # a busy machine is no fault of a fact
@given(st.dictionaries(st.sampled_from(NAMES), _VALUES))
def test_whatever_a_file_holds_is_kept_or_refused_at_its_place(given: dict[str, Any]) -> None:
    form = Form()
    facts.check(form, PracticeFacts, given, ("input",))
    assert all(each.path[0] == "input" and each.path[1] for each in form.refusals)
    if form.refusals:
        with pytest.raises(Refusal):
            checked(given)
