"""WeGO's public history 2008-2018, and a membership for every demonstration city.

The events are in `events.csv`, each with the key of its sentence in `events/<language>.csv`; facts come from the pages
cited with each entry, told in our own words; they name no person. The sentences of the other languages were made from
the English ones by a large language model, and no person has read them over.
Dates of precision "month" or "year" stand on the first day of the period. An event of kind "member-count" says with
`full`, `associate` and `members` (both together) how many cities belonged on that day, as far as its source tells.

A membership that is `assumed` is a DEMONSTRATION ASSUMPTION, chosen by a mechanical rule so that the demonstration has
as many members on the days of those counts as its history says, and enough of them today. It is not a statement about
that city, which may never have had anything to do with WeGO. `certain` means that a source names the city as a member
or shows it in a role that only members hold; except for founding members the day is assumed even then. Kind "none" is
a city without membership, for which `since` is the day the demonstration treats it as an applicant.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Literal, TypeAlias, cast

from members.demo.cities import HUB_LOCALES, cities

Precision: TypeAlias = Literal["day", "month", "year"]
MembershipKind: TypeAlias = Literal["full", "associate", "friendship", "corporate", "none"]

_INAUGURAL = date(2010, 9, 7)
_MINUTES = (
    "https://dokumen.tips/documents/inaugural-general-assembly-meeting-minutes-and-transcripts-inaugural-general.html"
)
_STATUTE_LIST = "http://we-gov.org/about-us-overview/"
_PREVIEW = "http://english.seoul.go.kr/seoul-takes-the-lead-in-world-e-governance/"
_SHIRAZ = "https://en.shiraz.ir/modules/ShowFrameWork.aspx?RelFacilityId=156&BlockId=93&stemplateid=246&ContentId=6618"


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One dated fact; `kind` is one of HISTORY_KINDS, `city` a slug of `cities()`, `texts` its sentence by language."""

    date: date
    precision: Precision
    kind: str
    city: str | None
    texts: Mapping[str, str]
    source: str
    full: int | None = None
    associate: int | None = None
    members: int | None = None


@dataclass(frozen=True, slots=True)
class DemoMembership:
    """How a demonstration city belongs to WeGO, and how far that is known. `accepted` is the day on which a full
    member became an associate."""

    slug: str
    kind: MembershipKind
    founding: bool
    since: date
    certain: bool
    basis: str
    accepted: date | None = None

    @property
    def assumed(self) -> bool:
        """Whether nobody took this decision, or nobody knows that it was taken on this day."""
        return not (self.certain and self.founding)


@dataclass(frozen=True, slots=True)
class Wave:
    """How many cities the demonstration lets in on one day; `accepted` is None for those of the first assembly."""

    admitted: date
    accepted: date | None
    size: int | None = None  # None: all that are left


def history() -> list[DemoEvent]:
    """The events in order of date, kind and city."""
    texts = _sentences()
    events = [*_told_events(texts), *_founding_events(texts["founding"])]
    return sorted(events, key=lambda event: (event.date, event.kind, event.city or ""))


def memberships(slugs: Iterable[str] | None = None) -> list[DemoMembership]:
    """One membership for each of `cities()`, in the same order; `slugs` are theirs, for who has read them already."""
    known = [city.slug for city in cities()] if slugs is None else list(slugs)
    told = {each.slug: each for each in map(_told, known) if each is not None}
    assumed = {each.slug: each for each in _admitted([slug for slug in known if slug not in told])}
    return [told.get(slug) or assumed[slug] for slug in known]


def _told(slug: str) -> DemoMembership | None:
    """The membership of a city of which something is told, or which is an example of a state."""
    if slug in _FOUNDERS:
        return DemoMembership(slug, "full", True, _INAUGURAL, True, _FOUNDERS[slug])
    if slug == "san-francisco":
        return DemoMembership(slug, "full", True, _INAUGURAL, False, _ANNOUNCED)
    if slug in _NAMED:
        kind, since, accepted, basis = _NAMED[slug]
        return DemoMembership(slug, kind, False, since, True, basis, accepted)
    if slug in _APPLICANTS:
        return DemoMembership(slug, "none", False, date(2017, 12, 1), False, "demonstration")
    if slug in _ASSOCIATES:
        return DemoMembership(slug, "associate", False, date(2017, 9, 1), False, "demonstration")
    return None


def _admitted(slugs: Iterable[str]) -> Iterable[DemoMembership]:
    """The other cities, let in wave by wave in an order that means nothing; those that helped to prepare come first."""
    waiting = sorted(slugs, key=lambda slug: (_HINTS.get(slug) != _PREPARED, hashlib.sha256(slug.encode()).digest()))
    for wave in WAVES:
        now, waiting = waiting[: wave.size], waiting[len(waiting) if wave.size is None else wave.size :]
        for slug in now:
            basis = _HINTS.get(slug, "demonstration")
            founding = wave.accepted is None
            yield DemoMembership(slug, "full", founding, wave.admitted, False, basis, wave.accepted)


def _told_events(texts: Mapping[str, Mapping[str, str]]) -> list[DemoEvent]:
    return [
        DemoEvent(
            date.fromisoformat(row["date"]), cast(Precision, row["precision"]), row["kind"], row["city"] or None,
            texts[row["text"]], row["source"], *(_number(row[name]) for name in ("full", "associate", "members")),
        )
        for row in _rows("events.csv")
    ]  # fmt: skip


def _number(cell: str) -> int | None:
    return int(cell) if cell else None


def _founding_events(texts: Mapping[str, str]) -> list[DemoEvent]:
    return [
        DemoEvent(_INAUGURAL, "day", "founding-member", slug, texts, basis.rsplit(" ", 1)[-1])
        for slug, basis in _FOUNDERS.items()
    ]


def _sentences() -> dict[str, dict[str, str]]:
    """Every sentence of the events by its key, in every language."""
    found: dict[str, dict[str, str]] = {}
    for tag in HUB_LOCALES:
        for row in _rows(f"events/{tag}.csv"):
            found.setdefault(row["key"], {})[tag] = row["text"]
    return found


def _rows(name: str) -> Iterable[dict[str, str]]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


_BOTH = f"delegation in the inaugural minutes; see {_MINUTES}"
_LISTED = f"founding member according to WeGO's overview page; see {_STATUTE_LIST}"
_ANNOUNCED = f"announced as a delegation to the inaugural assembly, attendance not seen; {_PREVIEW}"

_FOUNDERS: dict[str, str] = {
    "abu-dhabi": _BOTH,
    "addis-ababa": _BOTH,
    "agra": _BOTH,
    "amsterdam": _BOTH,
    "astana": _BOTH,
    "baku": _BOTH,
    "bangkok": _BOTH,
    "barcelona": _BOTH,
    "batam": _BOTH,
    "berlin": _BOTH,
    "birmingham": _BOTH,
    "bucharest": _BOTH,
    "caracas": _LISTED,
    "chengdu": _BOTH,
    "dakar": _BOTH,
    "dar-es-salaam": _BOTH,
    "dhaka": _BOTH,
    "edmonton": _BOTH,
    "frankfurt": _BOTH,
    "harare": _BOTH,
    "helsinki": _LISTED,
    "hong-kong": _LISTED,
    "jakarta": _BOTH,
    "kathmandu": _BOTH,
    "nairobi": _BOTH,
    "seoul": _BOTH,
    "suva": _BOTH,
    "tashkent": _BOTH,
    "tel-aviv": _BOTH,
    "tunis": _BOTH,
    "ulaanbaatar": _BOTH,
}

# The sizes follow from the counts of the history, less the cities of which more is known.
WAVES = (
    Wave(_INAUGURAL, None, 18),  # 50 founders
    Wave(date(2012, 11, 13), date(2012, 5, 14), 16),  # 69 full members until 2014
    Wave(date(2014, 11, 3), date(2014, 2, 3), 5),  # 5 associates in April 2014
    Wave(date(2014, 11, 3), date(2014, 6, 2), 12),  # 86 members in November 2014
    Wave(date(2015, 11, 2), date(2015, 5, 4), 4),
    Wave(date(2016, 11, 7), date(2016, 5, 2), 17),  # 108 in October 2016, 18 of them associates
    Wave(date(2017, 5, 15), date(2016, 12, 5), 7),  # 115 in June 2017
    Wave(date(2018, 2, 5), date(2017, 9, 4), 2),  # 129 in March 2018
    Wave(date(2021, 10, 18), date(2021, 4, 19), 74),
    Wave(date(2023, 9, 25), date(2023, 3, 27)),
)

_NAMED: dict[str, tuple[MembershipKind, date, date | None, str]] = {
    "moscow": ("full", date(2012, 11, 13), date(2012, 5, 14), f"named as a member, date assumed; {_SHIRAZ}"),
    "quezon-city": (
        "full",
        date(2012, 11, 13),
        date(2012, 5, 14),
        "hosted an Executive Committee meeting, date of admission assumed; https://wego.ulregion.ru/about/uln/",
    ),
    "seongnam": (
        "full",
        date(2016, 11, 7),
        date(2016, 5, 2),
        "later on the Executive Committee, date of admission assumed; https://www5.ajunews.com/view/20211020091040579",
    ),
    "shiraz": ("associate", date(2017, 10, 1), None, f"associate for one year, date about; {_SHIRAZ}"),
    "ulyanovsk": (
        "full",
        date(2012, 11, 13),
        date(2012, 5, 14),
        "regional office and host of the 4th assembly, date of admission assumed; https://wego.ulregion.ru/about/uln/",
    ),
}

_OFFICE = f"demonstration; the city hosts a regional office; {_STATUTE_LIST}"
_OBSERVER = "demonstration; observer in 2012; http://www.we-gov.org/EXCOM_Meeting_2012"
_PREPARED = "demonstration; attended the 2010 preparation; http://www.we-gov.org/EXCOM_Meeting_2010"

_HINTS: dict[str, str] = {
    "abuja": _OFFICE,
    "beijing": _PREPARED,
    "beyoglu": _OFFICE,
    "buenos-aires": _OBSERVER,
    "maputo": _OBSERVER,
    "mexico-city": _OFFICE,
    "sao-paulo": _PREPARED,
}

_APPLICANTS = frozenset({"beira", "lviv", "nantes", "newark", "nukualofa", "praia"})

_ASSOCIATES = frozenset(
    {
        "cali",
        "christchurch",
        "cluj-napoca",
        "goyang",
        "kisumu",
        "kumasi",
        "phuket",
        "rosario",
        "samarkand",
        "tampere",
        "wellington",
    }
)
