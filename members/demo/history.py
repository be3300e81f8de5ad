"""WeGO's public history 2008-2017, and a membership for every demonstration city.

Facts come from the pages cited with each entry, told in our own words; they name no person.
Dates of precision "month" or "year" stand on the first day of the period.

A membership whose `certain` is False is a DEMONSTRATION ASSUMPTION, chosen by a mechanical rule
so that the demonstration has enough members. It is not a statement about that city, which may
never have had anything to do with WeGO. `certain` means that a source names the city as a member
or shows it in a role that only members hold; except for founding members the date `since` is
assumed even then. Kind "none" is a city without membership, for which `since` is the day the
demonstration treats it as an applicant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from members.demo.cities import cities

Precision: TypeAlias = Literal["day", "month", "year"]
MembershipKind: TypeAlias = Literal["full", "associate", "friendship", "corporate", "none"]

KINDS: dict[str, str] = {
    "applied": "cities with a pending application",
    "assembly": "a General Assembly met",
    "associate": "a city became an associate member",
    "award": "a round of the WeGO Awards, or an award to a member",
    "declaration": "a declaration was adopted",
    "executive-committee": "the Executive Committee met or decided",
    "forum": "a meeting before the organisation existed",
    "founding-member": "a city took part in the foundation",
    "host-elected": "the host of the next General Assembly was settled",
    "member-count": "number of members as reported on that date",
    "membership-rule": "who may be a member, or what a member pays, was discussed or changed",
    "mou": "a memorandum between cities, known by that date",
    "president-elected": "the President City was elected",
    "programme": "a programme started",
    "regional-office": "a regional office was approved",
    "renamed": "the organisation changed its name",
}

_INAUGURAL = date(2010, 9, 7)
_MINUTES = (
    "https://dokumen.tips/documents/inaugural-general-assembly-meeting-minutes-and-transcripts-inaugural-general.html"
)
_STATUTE_LIST = "http://we-gov.org/about-us-overview/"
_AWARDS = "http://we-gov.org/wego-awards/"
_GOVERNANCE = "http://www.we-gov.org/Governance"
_PRESIDENTS = "http://mediahub.seoul.go.kr/archives/817819"
_PREVIEW = "http://english.seoul.go.kr/seoul-takes-the-lead-in-world-e-governance/"
_REPORT = (
    "http://english.seoul.go.kr/"
    "mayor-oh-%E2%80%9Cit-is-expected-to-bring-about-mutual-prosperity-of-world-cities%E2%80%9D/"
)
_SPEECH = "Seoul Metropolitan Government, welcome dinner address, 2nd General Assembly, 12 Nov 2012"
_SHIRAZ = "https://en.shiraz.ir/modules/ShowFrameWork.aspx?RelFacilityId=156&BlockId=93&stemplateid=246&ContentId=6618"


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One dated fact; `kind` is a key of KINDS, `city` a slug of `cities()`."""

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
    events = [*_EVENTS, *_founding_events()]
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

_EVENTS: tuple[DemoEvent, ...] = (
    DemoEvent(
        date(2008, 7, 1),
        "month",
        "forum",
        "seoul",
        "World e-Government Mayors Forum in Seoul, the meeting from which WeGO grew.",
        _PREVIEW,
    ),
    DemoEvent(
        date(2008, 7, 1),
        "month",
        "declaration",
        "seoul",
        "The Seoul e-Government Declaration is adopted on behalf of 33 cities.",
        _PREVIEW,
    ),
    DemoEvent(
        date(2009, 1, 1),
        "year",
        "forum",
        "seoul",
        "World Cities CIO Forum: agreement to found an organisation; a draft statute.",
        _REPORT,
    ),
    DemoEvent(
        date(2010, 6, 7),
        "day",
        "executive-committee",
        "seoul",
        "Two-day preparatory meeting on the draft statute and the coming organisation.",
        "http://www.we-gov.org/EXCOM_Meeting_2010",
    ),
    DemoEvent(
        _INAUGURAL,
        "day",
        "assembly",
        "seoul",
        "Inaugural General Assembly: 120 delegates of 49 local governments adopt the statute.",
        _MINUTES,
    ),
    DemoEvent(
        _INAUGURAL,
        "day",
        "president-elected",
        "seoul",
        "Seoul becomes the first President City and seat of the Secretariat.",
        _REPORT,
    ),
    DemoEvent(
        _INAUGURAL,
        "day",
        "host-elected",
        "barcelona",
        "Barcelona is voted host of the second General Assembly.",
        "http://ifg.cc/aktuelles/nachrichten/regionen/163-kr-suedkorea-south-korea/"
        "31811-south-korea-seoul-hosts-e-government-assembly.html",
    ),
    DemoEvent(
        _INAUGURAL,
        "day",
        "member-count",
        None,
        "50 cities take part in the foundation, by Seoul's count.",
        _REPORT,
    ),
    *(
        DemoEvent(
            date(2010, 9, 1),
            "month",
            "mou",
            slug,
            "By now one of ten cities with which Seoul has a memorandum on e-government.",
            _PREVIEW,
        )
        for slug in ("barcelona", "moscow", "nairobi", "ulaanbaatar")
    ),
    DemoEvent(
        date(2011, 1, 1),
        "year",
        "programme",
        "seoul",
        "Training for member cities begins in Seoul.",
        "http://wego.ulregion.ru/news/53.html",
    ),
    DemoEvent(
        date(2012, 1, 1),
        "year",
        "executive-committee",
        None,
        "Agenda: fee criteria, host-city procedure and its quorum, as statute changes.",
        "http://www.we-gov.org/EXCOM_Meeting_2012",
    ),
    DemoEvent(
        date(2012, 1, 1),
        "year",
        "award",
        None,
        "First WeGO Awards: 47 applications, 10 winners.",
        _AWARDS,
    ),
    DemoEvent(
        date(2012, 1, 1),
        "year",
        "president-elected",
        "seoul",
        "Seoul is elected President City again.",
        _PRESIDENTS,
    ),
    DemoEvent(
        date(2012, 11, 13),
        "day",
        "assembly",
        "barcelona",
        "Second General Assembly, on the theme of smart government with everyone.",
        _SPEECH,
    ),
    DemoEvent(
        date(2013, 9, 3),
        "day",
        "regional-office",
        "ulyanovsk",
        "The Executive Committee accepts the proposal of a regional office in Ulyanovsk.",
        "https://wego.ulregion.ru/about/uln/",
    ),
    DemoEvent(
        date(2014, 1, 1),
        "year",
        "award",
        None,
        "Second WeGO Awards: 68 applications, 15 winners.",
        _AWARDS,
    ),
    DemoEvent(
        date(2014, 1, 1),
        "year",
        "president-elected",
        "seoul",
        "Seoul is elected President City for a third time.",
        _PRESIDENTS,
    ),
    DemoEvent(
        date(2014, 1, 1),
        "year",
        "award",
        "seoul",
        "Seoul is honoured in September for leading five municipal e-governance surveys in a row.",
        "Seoul Metropolitan Government, International Relations News SMG 4150 (year inferred)",
    ),
    DemoEvent(
        date(2014, 1, 1),
        "year",
        "programme",
        None,
        "Training for members is also held at the regional offices.",
        "http://wego.ulregion.ru/news/53.html",
    ),
    DemoEvent(
        date(2014, 4, 1),
        "month",
        "member-count",
        None,
        "69 full and 5 associate members.",
        "http://wego.ulregion.ru/news/53.html",
    ),
    DemoEvent(
        date(2014, 11, 3),
        "day",
        "assembly",
        "chengdu",
        "Third General Assembly opens in Chengdu and lasts until 6 November.",
        "http://wego.ulregion.ru/news/49.html",
    ),
    DemoEvent(
        date(2014, 11, 1),
        "month",
        "declaration",
        "chengdu",
        "The Chengdu Declaration is adopted at the third General Assembly.",
        "http://we-gov.org/about-us/",
    ),
    DemoEvent(
        date(2014, 11, 5),
        "day",
        "member-count",
        None,
        "86 members, as a newspaper reports on this day.",
        "https://m.etnews.com/20141105000217",
    ),
    DemoEvent(
        date(2016, 10, 1),
        "month",
        "member-count",
        None,
        "108 cities of 48 countries and 4 institutions.",
        "http://web2.etoday.co.kr/news/view/1395879",
    ),
    DemoEvent(
        date(2016, 10, 1),
        "month",
        "applied",
        None,
        "18 associate members await approval by the Executive Committee.",
        "http://web2.etoday.co.kr/news/view/1395879",
    ),
    DemoEvent(
        date(2017, 1, 1),
        "year",
        "award",
        None,
        "Third WeGO Awards: 73 applications, 18 winners.",
        _AWARDS,
    ),
    DemoEvent(
        date(2017, 6, 26),
        "day",
        "member-count",
        None,
        "115 cities and 5 institutions, as a newspaper reports on this day.",
        "http://www.dt.co.kr/contents.html?article_no=2017062602109960049006",
    ),
    DemoEvent(
        date(2017, 6, 26),
        "day",
        "membership-rule",
        None,
        "Ahead of the assembly: yearly fees of USD 400 to 10,000 by population and "
        "GDP, and a debate on corporate members.",
        "http://www.dt.co.kr/contents.html?article_no=2017062602109960049006",
    ),
    DemoEvent(
        date(2017, 6, 27),
        "day",
        "assembly",
        "ulyanovsk",
        "Fourth General Assembly opens: over 400 people from 112 local governments, until 30 June.",
        "https://we-gov.org/?p=29025",
    ),
    DemoEvent(
        date(2017, 6, 1),
        "month",
        "declaration",
        "ulyanovsk",
        "The Ulyanovsk Declaration is adopted at the fourth General Assembly.",
        "https://we-gov.org/?p=29025",
    ),
    DemoEvent(
        date(2017, 6, 1),
        "month",
        "renamed",
        None,
        "The name becomes World Smart Sustainable Cities Organization; the acronym stays.",
        "https://we-gov.org/about-us-overview/?ckattempt=1",
    ),
    DemoEvent(
        date(2017, 1, 1),
        "year",
        "associate",
        "shiraz",
        "Shiraz is received as an associate for a year, until the committee of October 2018.",
        _SHIRAZ,
    ),
)
