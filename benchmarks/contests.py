"""What is asked, in the words of each contestant, and the one shape in which their answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.load import Target, ask

HUB, CACHED, TOKEN = "hub", "hub with its cache", "hub with a token"
FLOOR, STATIC, PEER = "hand-written", "static bytes", "PostGraphile"
LOCALES = ["ko", "en"]

HUB_QUERIES = {
    "Q1": """query Q1($l: [LanguageTag!]) { practices(first: 20) { nodes {
        slug title(locales: $l) { text locale } summary(locales: $l) { text locale }
        city { slug name(locales: $l) { text locale } } themes { code } } } }""",
    "Q2": """query Q2($slug: String!, $l: [LanguageTag!]) { practice(slug: $slug) {
        slug title(locales: $l) { text locale } summary(locales: $l) { text locale }
        sections { key heading(locales: $l) { text locale } body(locales: $l) { text locale } }
        translations { locale title { text } summary { text } sections { key heading { text } body { text } } } } }""",
    "Q3": """query Q3($l: [LanguageTag!]) { cities(first: 20) { nodes {
        slug practices(first: 5) { nodes { slug title(locales: $l) { text locale } } } } } }""",
    "Q5": "{ __typename }",
}
PEER_QUERIES = {
    "Q1": """query Q1($l: [String!]) {
        practices: allPracticesList(first: 20, orderBy: [SORTED_AT_DESC, PRIMARY_KEY_DESC]) {
        slug told: toldList(locales: $l) { locale title summary }
        city: cityByCityId { slug named: namedList(locales: $l) { locale name } } themes } }""",
    "Q2": """query Q2($slug: String!) { practice: practiceBySlug(slug: $slug) { slug
        original: originalList {
          locale title summary sections: sectionsList(orderBy: [POSITION_ASC]) { key heading body } }
        translations: translationsList {
          locale title summary sections: sectionsList(orderBy: [POSITION_ASC]) { key heading body } } } }""",
    "Q3": """query Q3($l: [String!]) { cities: allCitiesList(first: 20, orderBy: [SORT_NAME_ASC, PRIMARY_KEY_ASC]) {
        slug practices: practicesList(first: 5, orderBy: [SORTED_AT_DESC, PRIMARY_KEY_DESC]) {
          slug told: toldList(locales: $l) { locale title } } } }""",
    "Q5": "{ __typename }",
}


@dataclass(frozen=True)
class Entry:
    """A contestant as it runs: its name and where it listens."""

    name: str
    port: int


@dataclass(frozen=True)
class Contest:
    """One question, asked of everybody."""

    name: str
    what: str
    variables: tuple[dict[str, Any], ...]
    hub: Callable[[Any], Any]
    peer: Callable[[Any], Any]
    with_token: bool = True

    def target(self, entry: Entry) -> Target | None:
        """What is sent to a contestant; None when it has no part in this contest."""
        match entry.name:
            case "PostGraphile":
                skip = "l" if self.name == "Q2" else ""
                return Target(entry.port, "/graphql", self._bodies(PEER_QUERIES[self.name], skip))
            case "hand-written":
                return Target(entry.port, f"/{self.name}", self._bodies(HUB_QUERIES[self.name]))
            case "static bytes":
                return Target(entry.port, f"/static/{self.name}", self._bodies(HUB_QUERIES[self.name])[:1])
        return Target(entry.port, "/graphql", self._bodies(HUB_QUERIES[self.name]))

    def _bodies(self, query: str, skip: str = "") -> tuple[bytes, ...]:
        text = " ".join(query.split())
        given = [{key: value for key, value in each.items() if key != skip} for each in self.variables]
        return tuple(orjson.dumps({"query": text, **({"variables": each} if each else {})}) for each in given)

    def wanted(self, entry: Entry, main: bool, workers: int, short: bool) -> bool:
        """Whether to measure: everybody where the targets are, and elsewhere whom it teaches something."""
        if main and workers == 1 and not short:
            return True
        if self.name == "Q5":
            return False
        return entry.name in {HUB, PEER, FLOOR} or self.name == "Q1"

    def plain(self, entry: Entry, content: bytes) -> Any:
        """An answer in the one shape; what is no answer stays as it came."""
        try:
            answer = orjson.loads(content)
            return (self.peer if entry.name == PEER else self.hub)(answer["data"])
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
            return f"not an answer: {content[:300]!r}"

    @staticmethod
    def problem(said: Any) -> str | None:
        """What is wrong with the hub's own answer on the face of it."""
        if isinstance(said, str) and said != "Query":
            return "no answer"
        return "an empty answer" if not said else None


def contests(samples: Sequence[tuple[str, str]]) -> list[Contest]:
    """The questions; `samples` are slugs with the language of their original, asked in turn by Q2."""
    wish = ({"l": LOCALES},)
    whole = tuple({"slug": slug, "l": [locale]} for slug, locale in samples)
    return [
        Contest("Q1", "list of 20, title and summary by locale, city, themes", wish, _hub_list, _peer_list),
        Contest("Q2", "one practice whole with all translations", whole, _hub_whole, _peer_whole),
        Contest("Q3", "20 cities with 5 practices each", wish, _hub_cities, _peer_cities),
        Contest("Q5", "`{ __typename }`", ({},), _typename, _typename, with_token=False),
    ]


def static_bodies(chosen: Sequence[Contest], port: int, folder: Path) -> None:
    """Write the hub's answer to the first body of each contest, for the server of static bytes."""
    for contest in chosen:
        target = contest.target(Entry(HUB, port))
        assert target is not None
        (folder / f"{contest.name}.json").write_bytes(ask(target, target.bodies[0])[1])


def difference(said: Any, right: Any, where: str = "") -> str | None:
    """The first place in which two answers in the one shape differ."""
    if isinstance(said, list | tuple) and isinstance(right, list | tuple) and len(said) == len(right):
        found = (difference(a, b, f"{where}[{number}]") for number, (a, b) in enumerate(zip(said, right, strict=True)))
        return next((each for each in found if each), None)
    return None if said == right else f"{where or 'the answer'} is {str(said)[:200]!r} instead of {str(right)[:200]!r}"


# ── one shape ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _typename(data: Any) -> Any:
    return data["__typename"]


def _hub_list(data: Any) -> Any:
    return [
        (
            each["slug"], _pair(each["title"]), _pair(each["summary"]), each["city"]["slug"],
            _pair(each["city"]["name"]), [theme["code"] for theme in each["themes"]],
        )
        for each in data["practices"]["nodes"]
    ]  # fmt: skip


def _peer_list(data: Any) -> Any:
    return [
        (
            each["slug"], (told["title"], told["locale"]), (told["summary"], told["locale"]), each["city"]["slug"],
            (named["name"], named["locale"]), each["themes"],
        )
        for each in data["practices"]
        for told, named in [(each["told"][0], each["city"]["named"][0])]
    ]  # fmt: skip


def _hub_whole(data: Any) -> Any:
    found = data["practice"]
    own = [(each["key"], each["heading"]["text"], each["body"]["text"]) for each in found["sections"]]
    others = [
        (
            each["locale"], each["title"]["text"], each["summary"]["text"],
            [(part["key"], part["heading"]["text"], part["body"]["text"]) for part in each["sections"]],
        )
        for each in found["translations"]
    ]  # fmt: skip
    return found["slug"], found["title"]["locale"], found["title"]["text"], found["summary"]["text"], own, others


def _peer_whole(data: Any) -> Any:
    found = data["practice"]
    original = found["original"][0]
    others = [(each["locale"], each["title"], each["summary"], _parts(each)) for each in found["translations"]]
    return found["slug"], original["locale"], original["title"], original["summary"], _parts(original), others


def _parts(reading: Any) -> list[tuple[str, str, str]]:
    return [(each["key"], each["heading"], each["body"]) for each in reading["sections"]]


def _hub_cities(data: Any) -> Any:
    return [
        (city["slug"], [(each["slug"], _pair(each["title"])) for each in city["practices"]["nodes"]])
        for city in data["cities"]["nodes"]
    ]


def _peer_cities(data: Any) -> Any:
    return [
        (
            city["slug"],
            [(each["slug"], (told["title"], told["locale"])) for each in city["practices"] for told in each["told"]],
        )
        for city in data["cities"]
    ]


def _pair(text: Any) -> tuple[str, str]:
    return text["text"], text["locale"]
