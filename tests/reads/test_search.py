"""Filtered lists answer the same whichever way is gone: looked through, from a range, from the index, from both."""

# ruff: noqa: UP031 -- operations read best in one line, and are full of braces

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import naive
import pytest
from naive_rows import Session
from operations import Operation
from pools import Pools
from reads_make import Asked, Network, make_engine
from test_differential import compare

from wego.core.reads import counting, search
from wego.core.reads.query import Limits
from wego.schema import schema

# Each leads another way where a few dozen practices are: the bounds that decide are smaller than they are.
WAYS = {
    "as it is": {},
    "the index alone": {
        "LOOK": 2,
        "LOOK_INSIDE": 1,
        "SAMPLE": 2,
        "FEW": 0,
        "FEW_ALONE": 0,
        "FEW_COUNTED": 0,
        "SOME": 0,
    },
    "the index and a range": {"LOOK": 2, "LOOK_INSIDE": 1, "SAMPLE": 2, "FEW": 0, "FEW_ALONE": 0, "FEW_COUNTED": 0},
    "a range": {"LOOK": 2, "LOOK_INSIDE": 1, "SAMPLE": 2},
    "from the top": {"LOOK": 5, "SAMPLE": 3, "FROM_THE_TOP": 12, "COUNTED": 4},
    "many owners": {"LOOK": 2, "LOOK_INSIDE": 1, "SAMPLE": 2, "FEW": 0, "MANY_OWNERS": 1},
    "little counted": {"SAMPLE": 1, "COUNTED": 2, "FEW": 3, "SOME": 8},
}
CASES = 70
ORDERS = ("PUBLISHED_AT", "UPDATED_AT", "SLUG")
FACETS = " ".join(
    f"{name} {{ value name {{ text }} group count }}"
    for name in ("country", "region", "themes", "sdg", "status", "stage", "locale", "technologies", "evidence")
)
PAGE = "totalCount totalCountIsCapped nodes { slug } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


class Dice:
    """Draws cases; the same ones in each run."""

    def __init__(self, pools: Pools, seed: str) -> None:
        self.random, self.pools = random.Random(seed), pools
        kind: Any = pools.schema.type_map["PracticeFilter"]
        self.fields = list(kind.fields)

    def operation(self) -> Operation:
        chosen = self.random.sample(self.fields, self.random.choice([0, 1, 1, 2, 2, 3]))
        order = self.random.choice(ORDERS)
        variables = {
            "f": {name: self.value(name) for name in chosen},
            "o": {"field": order, "direction": self.random.choice(["ASC", "DESC"])},
        }
        size = f"{self.random.choice(['first', 'last'])}: {self.random.choice([1, 3, 20])}"
        for side in ("after", "before"):
            if self.random.random() < 0.25:
                size += f', {side}: "{self.random.choice(self.pools.cursors["Practice", order.lower()])}"'
        facets = self.random.random() < 0.4 and counting.COUNTED == 10_000  # beyond it, any rows will do
        page = f"{PAGE} facets {{ isCapped cities {{ city {{ slug }} count }} {FACETS} }}" if facets else PAGE
        inner = "practices(%s, filter: $f, orderBy: $o) { %s }" % (size, page)
        body = inner if self.random.random() < 0.7 else "cities(first: 8) { nodes { slug %s } }" % inner
        return Operation("query($f: PracticeFilter, $o: PracticeOrder) { %s }" % body, variables)

    def value(self, name: str) -> Any:
        kind: Any = self.pools.schema.type_map["PracticeFilter"].fields[name].type  # type: ignore[attr-defined]
        inner = getattr(kind, "of_type", None)
        if inner is None:
            return self.word(name, kind)
        return [self.word(name, inner.of_type) for _ in range(self.random.choice([0, 1, 1, 2]))]

    def word(self, name: str, kind: Any) -> Any:
        if hasattr(kind, "values"):
            return self.random.choice(list(kind.values))
        if name == "titleContains":
            return self.random.choice(
                ["", "a", "e ", "th", "버", "버스", "open data", "zq", "'", "\\", "\n", "ING", "%", "*"]
            )
        if name in ("city", "cities"):
            return self.random.choice(["seoul", "barcelona", "nowhere", *self.pools.by_name["slug"][:20]])
        return self.random.choice(list(self.pools.of(name, kind.name)))


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_leads_to_the_same_rows(
    network: Network, naively: Session, pools: Pools, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in WAYS[way].items():
        monkeypatch.setattr(search if hasattr(search, name) else counting, name, value)
    monkeypatch.setattr(naive, "COUNTED", counting.COUNTED)
    mine = replace(network, engine=make_engine(schema(), Limits(cost=10**9, depth=100)))
    dice = Dice(pools, way)
    for _ in range(CASES):
        reader = dice.random.choice(sorted(network.actors))
        await compare(mine, naively, dice.operation(), reader, "nobody's wish")


async def test_a_count_is_exact_and_says_so(ask: Asked, network: Network) -> None:
    officer = network.actors["an officer"]
    for root in ("practices", "cities", "history", "people", "invitations", "applications"):
        found = (await ask("{ %s { totalCount totalCountIsCapped } }" % root, officer))[root]
        assert found["totalCount"] > 0, root
        assert found["totalCountIsCapped"] is False


async def test_beyond_its_bound_a_count_says_that_it_is_capped(
    ask: Asked, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "COUNTED", 3)
    every = "{ practices%s { totalCount totalCountIsCapped } }"
    assert (await ask(every % ""))["practices"] == {"totalCount": 3, "totalCountIsCapped": True}
    published = await ask(every % "(filter: {status: [PUBLISHED]})")
    assert published["practices"] == {"totalCount": 3, "totalCountIsCapped": True}
    none = await ask(every % '(filter: {titleContains: "zzqx"})')
    assert none["practices"] == {"totalCount": 0, "totalCountIsCapped": False}


async def test_a_title_is_found_by_any_part_of_it(ask: Asked) -> None:
    """One character, two, or many; of any script; at its beginning, its end, and across words."""
    text = "query($v: String) { practices(filter: {titleContains: $v}, first: 100) { nodes { slug } } }"
    titles = await ask('{ practices(first: 100) { nodes { slug title(locales: ["ko"]) { text } } } }')
    for each in titles["practices"]["nodes"][:6]:
        title = each["title"]["text"]
        for start in range(0, len(title), 3):
            for length in (1, 2, 3, 7, len(title)):
                part = title[start : start + length]
                found = await ask(text, v=part)
                assert each["slug"] in {one["slug"] for one in found["practices"]["nodes"]}, (title, part)
