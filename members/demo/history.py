"""WeGO's public history 2008-2017, and a membership for every demonstration city.

The events are in `events.csv`; facts come from the pages cited with each entry, told in our own words; they name no
person.
Dates of precision "month" or "year" stand on the first day of the period.

A membership whose `certain` is False is a DEMONSTRATION ASSUMPTION, chosen by a mechanical rule
so that the demonstration has enough members. It is not a statement about that city, which may
never have had anything to do with WeGO. `certain` means that a source names the city as a member
or shows it in a role that only members hold; except for founding members the date `since` is
assumed even then. Kind "none" is a city without membership, for which `since` is the day the
demonstration treats it as an applicant.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Literal, TypeAlias, cast

from members.demo.cities import cities

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
    """One dated fact; `kind` is one of HISTORY_KINDS, `city` a slug of `cities()`."""

    date: date
    precision: Precision
    kind: str
    city: str | None
    text_en: str
    source: str


@dataclass(frozen=True, slots=True)
class DemoMembership:
    """How a demonstration city belongs to WeGO, and how far that is known."""

    slug: str
    kind: MembershipKind
    founding: bool
    since: date
    certain: bool
    basis: str


def history() -> list[DemoEvent]:
    """The events in order of date, kind and city."""
    events = [*_told_events(), *_founding_events()]
    return sorted(events, key=lambda event: (event.date, event.kind, event.city or ""))


def memberships(slugs: Iterable[str] | None = None) -> list[DemoMembership]:
    """One membership for each of `cities()`, in the same order; `slugs` are theirs, for who has read them already."""
    known = [city.slug for city in cities()] if slugs is None else slugs
    return [_membership(index, slug) for index, slug in enumerate(known)]


def _membership(index: int, slug: str) -> DemoMembership:
    if slug in _FOUNDERS:
        return DemoMembership(slug, "full", True, _INAUGURAL, True, _FOUNDERS[slug])
    if slug == "san-francisco":
        return DemoMembership(slug, "full", True, _INAUGURAL, False, _ANNOUNCED)
    if slug in _NAMED:
        kind, since, basis = _NAMED[slug]
        return DemoMembership(slug, kind, False, since, True, basis)
    if slug in _APPLICANTS:
        return DemoMembership(slug, "none", False, date(2017, 12, 1), False, "demonstration")
    if slug in _ASSOCIATES:
        return DemoMembership(slug, "associate", False, date(2017, 9, 1), False, "demonstration")
    since = _ADMISSIONS[index % len(_ADMISSIONS)]
    basis = _HINTS.get(slug, "demonstration")
    return DemoMembership(slug, "full", False, since, False, basis)


def _told_events() -> list[DemoEvent]:
    text = (resources.files("members.demo") / "events.csv").read_text("utf-8")
    return [
        DemoEvent(
            date.fromisoformat(row["date"]), cast(Precision, row["precision"]), row["kind"], row["city"] or None,
            row["text_en"], row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    ]  # fmt: skip


def _founding_events() -> list[DemoEvent]:
    text = "Counted among the cities that founded WeGO at its inaugural General Assembly."
    return [
        DemoEvent(_INAUGURAL, "day", "founding-member", slug, text, basis.rsplit(" ", 1)[-1])
        for slug, basis in _FOUNDERS.items()
    ]


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

_ADMISSIONS = (date(2012, 11, 13), date(2014, 11, 3), date(2017, 6, 27))

_NAMED: dict[str, tuple[MembershipKind, date, str]] = {
    "moscow": ("full", date(2012, 11, 13), f"named as a member, date assumed; {_SHIRAZ}"),
    "quezon-city": (
        "full",
        date(2012, 11, 13),
        "hosted an Executive Committee meeting, date of admission assumed; https://wego.ulregion.ru/about/uln/",
    ),
    "seongnam": (
        "full",
        date(2017, 6, 27),
        "later on the Executive Committee, date of admission assumed; https://www5.ajunews.com/view/20211020091040579",
    ),
    "shiraz": ("associate", date(2017, 10, 1), f"associate for one year, date about; {_SHIRAZ}"),
    "ulyanovsk": (
        "full",
        date(2012, 11, 13),
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
