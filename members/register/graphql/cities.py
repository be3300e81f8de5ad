"""Cities, their membership and its timeline, and the organisation's history, as the world may see them.

Binding text: design/domain.md section 5.2. Strangers see a membership from its acceptance on; what came before, and
why something was decided, is for members.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import strawberry

from i18n.language.graphql import LanguageTag, LocalizedText, TextDirection, direction_of, in_map, label, text
from i18n.language.vocabularies import counted
from members.register.cities import NAMES_LIMIT
from members.register.models import HISTORY_KINDS, LISTED, Body, MembershipKind, MembershipStatus, Region
from wego.core import reads
from wego.core.access import ActorKind, Permission
from wego.core.facts import DatePrecision
from wego.core.forms import is_country
from wego.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(Region, description="A `Region` is a part of the world, as the network counts them.")
reads.vocabulary(MembershipKind, description="A `MembershipKind` says as what one belongs to the network.")
reads.vocabulary(MembershipStatus, description="A `MembershipStatus` is the legal state of a membership.")
reads.vocabulary(Body, name="DecidingBody", description="A `DecidingBody` says who decides a step of a membership.")


def named(name: str, declared: Any) -> Any:
    """The declared field under a GraphQL name that Python does not allow."""
    declared.graphql_name = name
    return declared


def in_words(states: frozenset[MembershipStatus]) -> str:
    """States as an SQL list."""
    return ", ".join(f"'{state.value}'" for state in sorted(states))


def seen_city(q: Query, city: str) -> str | None:
    """Of which cities the reader knows, `city` being the SQL of the key: listed members, and the own ones."""
    if q.shape.everywhere:
        return None
    listed = f"select 1 from membership seen where seen.city_id = {city} and seen.status in ({in_words(LISTED)})"
    own = "" if q.shape.kind is ActorKind.ANONYMOUS else f" or {city} = any({q.own_places()})"
    return f"(exists ({listed}){own})"


def _visible_city(q: Query, t: str) -> str | None:
    return seen_city(q, f"{t}.id")


def _visible_membership(q: Query, t: str) -> str | None:
    return seen_city(q, f"{t}.city_id")


def _inside(q: Query, city: str) -> str:
    """Whether the reader belongs to the city or to the secretariat; a program does as far as its token lets it read."""
    if q.everywhere(Permission.MEMBERSHIP_READ):
        return "true"
    outside = q.shape.kind is ActorKind.ANONYMOUS or (q.shape.kind is ActorKind.PROGRAM and not q.shape.member)
    return "false" if outside else f"{city} = any({q.own_places()})"


_PUBLIC_STEPS = in_words(LISTED | {MembershipStatus.RESIGNED})


def _visible_step(q: Query, t: str) -> str | None:
    inside = _inside(q, f"{t}.city_id")
    if inside == "true":
        return None
    seen = seen_city(q, f"{t}.city_id") or "true"
    return f"({inside} or ({seen} and {t}.to_status in ({_PUBLIC_STEPS})))"


def _visible_remark(q: Query, t: str) -> str | None:
    """Why something was decided is for members and for the city itself."""
    return None if q.shape.member else _inside(q, f"{t}.city_id")


@strawberry.type(description="A `Country` is a country as ISO 3166 counts them.")
class Country:
    code: str = reads.column("{t}.country", "This is its code of two letters (ISO 3166-1), such as `KR`.")
    name: LocalizedText = label("country", "{t}.country", "This is its name.")


@strawberry.type(description="These are the coordinates of a place on the globe, in degrees (WGS 84).")
class Coordinates:
    latitude: float = reads.column(
        "{t}.latitude", "This is the latitude in degrees, which are positive north of the equator."
    )
    longitude: float = reads.column(
        "{t}.longitude", "This is the longitude in degrees, which are positive east of Greenwich."
    )


@reads.table("city_name", key="city_id")
@strawberry.type(description="A `CityName` is the name of a city in one language.")
class CityName:
    text: str = reads.column("{t}.name", "This is the name itself.")
    locale: LanguageTag = reads.column("{t}.locale", "This is the language of the name (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{t}.locale"), "This is the direction in which it is written.")


@reads.table("membership_step", visible=_visible_remark)
@strawberry.type(description="A `Remark` is the reason of a decision, in the one language in which it was given.")
class Remark:
    text: str = reads.column("{t}.reason", "This is the text of the reason.")
    locale: LanguageTag = reads.column("{t}.locale", "This is the language in which it is written (BCP 47).")
    direction: TextDirection = reads.column(direction_of("{t}.locale"), "This is the direction in which it is written.")


@reads.vocabulary(description="A `StepActor` says by role who took a step; no person is named.")
class StepActor(Vocabulary):
    CITY = "city", "Somebody of the city took the step."
    SECRETARIAT = "secretariat", "Somebody of the secretariat took the step."
    SYSTEM = "system", "The hub itself took the step, or its operator did."


_REFERENCE = reads.Own(when="{t}.reference <> ''")
_ACTOR = "case when length({t}.actor) <> 36 then 'system' when {t}.body = 'city' then 'city' else 'secretariat' end"


@reads.table("membership_step", visible=_visible_step)
@strawberry.type(description="A `MembershipStep` is one step in the life of a membership; steps are only ever added.")
class MembershipStep:
    at: datetime = reads.column("{t}.at", "This is the moment at which it was taken.")
    from_status: MembershipStatus | None = named(
        "from", reads.column("{t}.from_status", "The state before; null when there was no membership.")
    )
    to_status: MembershipStatus = named("to", reads.column("{t}.to_status", "This is the state since then."))
    body: Body = reads.column("{t}.body", "This says which body decided it.")
    actor: StepActor = reads.column(_ACTOR, "This says by role who took the step; no person is named here.")
    reason: Remark | None = reads.one(
        "{t}.id = {p}.id and {t}.reason <> ''",
        "This is the reason; it is null when none was given, and for readers who are no members.",
    )
    reference: LocalizedText | None = text(
        _REFERENCE, "{t}.reference", "This says in which document the decision stands; it is null when none was named."
    )
    assumed: bool = reads.column(
        "{t}.assumed",
        "This says whether it was made up for a demonstration: nobody took this decision, or nobody "
        "knows on which day.",
    )


_TIMELINE = "{t}.at, {t}.id"
_LAST_ASSUMED = (
    "coalesce((select s.assumed from membership_step s where s.city_id = {t}.city_id"
    " order by s.at desc, s.id desc limit 1), false)"
)


@reads.table("membership", visible=_visible_membership, key="city_id")
@strawberry.type(description="A `Membership` says how a city belongs to the network now.")
class Membership:
    kind: MembershipKind = reads.column("{t}.kind", "This says as what it belongs to the network.")
    status: MembershipStatus = reads.column("{t}.status", "This is its legal state.")
    since: datetime = reads.column("{t}.since", "This is the moment at which the present state began.")
    ends_on: date | None = reads.column(
        "{t}.ends_on",
        "This is the day on which the notice period of a resignation is over; it is null while there is none.",
    )
    assumed: bool = reads.column(
        _LAST_ASSUMED, "This says whether the step that led to the present state was made up for a demonstration."
    )
    timeline: list[MembershipStep] = reads.many(
        "{t}.city_id = {p}.city_id", "These are the steps by which it came here, the oldest first.", order=_TIMELINE
    )


def _visible_event(q: Query, t: str) -> str | None:
    seen = seen_city(q, f"{t}.city_id")
    return None if seen is None else f"({t}.city_id is null or {seen})"


_TOLD = "case when {x}.locale = {t}.locale then 'original' else {t}.origin end"


@reads.table("history_event", visible=_visible_event)
@strawberry.type(description="A `HistoryEvent` is an event in the history of the organisation, with its source.")
class HistoryEvent(reads.Node):
    on_date: date = named(
        "on", reads.column("{t}.on_date", "This is the day of the event, as exactly as `precision` says.")
    )
    precision: DatePrecision = reads.column("{t}.precision", "This says how exactly the date is known.")
    kind: str = reads.column("{t}.kind", "This says what kind of event it is, such as `assembly` or `founding-member`.")
    text: LocalizedText = in_map("{t}.texts", "{t}.locale", "This tells the event in one sentence.", origin=_TOLD)
    source: str | None = reads.column(
        "nullif({t}.source, '')", "This names the source from which it is known; it is null when there is none."
    )


CITY_NAME = reads.Pick("select {columns} from city_name r where r.city_id = {t}.id and r.locale = {locale}", "'en'")
_ENDONYM = reads.Pick(
    "select {columns} from city_name r where r.city_id = {t}.id and r.locale = {locale}",
    "{t}.endonym_locale",
    only=True,
)


@reads.table("city", visible=_visible_city)
@strawberry.type(description="A `City` is a city or another local government.")
class City(reads.Node):
    slug: str = reads.column(
        "{t}.slug", "This is its name in addresses, such as `seoul`; it is made of small letters, digits and hyphens."
    )
    name: LocalizedText = text(
        CITY_NAME, "{x}.name", "This is its name, in the language of the reader where there is one, else in English."
    )
    endonym: LocalizedText = text(_ENDONYM, "{x}.name", "This is the name by which it calls itself.")
    names: list[CityName] = reads.many(
        "{t}.city_id = {p}.id",
        "These are its names in every language that is known here.",
        order="{t}.locale",
        most=NAMES_LIMIT,
    )
    country: Country = reads.inline("This is its country.")
    subdivision: str | None = reads.column(
        "{t}.subdivision",
        "This is its part of the country (ISO 3166-2), such as `KR-11`; it is null when none is known.",
    )
    region: Region = reads.column("{t}.region", "This is its region of the world.")
    region_name: LocalizedText = label("region", "{t}.region", "This is the name of its region of the world.")
    population: int = reads.column("{t}.population", "This is the number of people who live there.")
    languages: list[LanguageTag] = reads.column(
        "{t}.languages", "These are the languages of its administration (BCP 47)."
    )
    coordinates: Coordinates = reads.inline("This is the place where it lies.")
    time_zone: str = reads.column("{t}.time_zone", "This is its time zone in the IANA database, such as `Asia/Seoul`.")
    website: str | None = reads.column(
        "{t}.website", "This is the address of its website; it is null when none is known."
    )
    membership: Membership | None = reads.one(
        "{t}.city_id = {p}.id", "This is its membership; it is null when there is none that the reader sees."
    )
    timeline: list[MembershipStep] = reads.many(
        "{t}.city_id = {p}.id", "These are the steps of its membership, the oldest first.", order=_TIMELINE
    )
    history: list[HistoryEvent] = reads.many(
        "{t}.city_id = {p}.id",
        "These are the events in the history of the organisation that are about it, the oldest first.",
        order="{t}.on_date, {t}.id",
    )


@strawberry.type
class EventCity:
    city: City | None = reads.one(
        "{t}.id = {p}.city_id",
        "This is the city that it is about; it is null when it is about none, or about one that the "
        "reader does not see.",
    )


reads.extend(HistoryEvent, EventCity)


_STATUS = "exists (select 1 from membership m where m.city_id = {t}.id and m.status = any({v}))"
_NAMED = (
    "exists (select 1 from city_name n where n.city_id = {t}.id and strpos(lower(n.name), lower({v})) > 0)"
    " or strpos({t}.sort_name, lower({v})) > 0"
)


@strawberry.input(
    description=(
        "A `CityFilter` says which cities are listed: of several values any will do, and all conditions must be met."
    )
)
class CityFilter:
    country: list[str] | None = reads.condition(
        "{t}.country = any({v})",
        "text[]",
        "The city is in one of these countries (ISO 3166-1).",
        known=is_country,
        counted=counted("{r}.country", "These are the countries in which they lie.", scheme="country"),
    )
    region: list[Region] | None = reads.condition(
        "{t}.region = any({v})",
        "text[]",
        "The city is in one of these regions.",
        counted=counted("{r}.region", "These are the regions in which they lie.", scheme="region", is_enum=True),
    )
    membership_status: list[MembershipStatus] | None = reads.condition(
        _STATUS,
        "text[]",
        "The membership of the city is in one of these states.",
        counted=counted(
            "(select m.status from membership m where m.city_id = {r}.id)",
            "These are the states of their memberships.",
            is_enum=True,
        ),
    )
    language: list[LanguageTag] | None = reads.condition(
        "{t}.languages && {v}::varchar[]",
        "text[]",
        "The administration of the city has one of these languages (BCP 47).",
        counted=counted(
            "unnest({r}.languages)", "These are the languages of their administrations.", scheme="language"
        ),
    )
    name_contains: str | None = reads.condition(
        _NAMED, "text", "One of the names of the city has this text in it, in any language.", price=250
    )
    population_min: int | None = reads.condition(
        "{t}.population >= {v}", "bigint", "The city has at least this number of people."
    )
    population_max: int | None = reads.condition(
        "{t}.population <= {v}", "bigint", "The city has at most this number of people."
    )


_PLACED = (
    "(select c.*, p.key as place from city c join city_place p on p.city_id = c.id and p.locale = {locale}) as {t}"
)
_SINCE = "coalesce((select m.since from membership m where m.city_id = {t}.id), {t}.created_at)"
CITIES = reads.List(
    City,
    "cities",
    {
        "name": reads.Order(
            "{t}.place",
            "text",
            "They are sorted by their names, in the language of the reader and by its rules.",
            source=_PLACED,
        ),
        "population": reads.Order(
            "{t}.population", "integer", "They are sorted by the number of people who live there."
        ),
        "member_since": reads.Order(
            _SINCE, "timestamptz", "They are sorted by the time since when their membership is in its present state."
        ),
    },
    default=("name", "asc"),
    filter=CityFilter,
)


@strawberry.input(description="A `HistoryFilter` says which events are listed; all conditions must be met.")
class HistoryFilter:
    kind: list[str] | None = reads.condition(
        "{t}.kind = any({v})",
        "text[]",
        "The event is of one of these kinds, such as `assembly`.",
        known=HISTORY_KINDS.__contains__,
    )
    since: date | None = reads.condition("{t}.on_date >= {v}", "date", "The event was on this day or later.")
    until: date | None = reads.condition("{t}.on_date <= {v}", "date", "The event was on this day or earlier.")


HISTORY = reads.List(
    HistoryEvent,
    "events",
    {"on": reads.Order("{t}.on_date", "date", "They are sorted by the day on which they happened.")},
    default=("on", "asc"),
    filter=HistoryFilter,
    name="History",
)


@strawberry.type
class CityQueries:
    city: City | None = reads.one(
        "{t}.slug = {slug}",
        "The city of this slug; null when there is none for the reader.",
        args={
            "slug": reads.Arg(
                str,
                "text",
                "This is its name in addresses, such as `seoul`; it is made of small letters, digits and hyphens.",
            )
        },
    )
    cities: reads.Connection[City] = CITIES.connection(
        None, "These are the cities of the network that the reader may see."
    )
    history: reads.Connection[HistoryEvent] = HISTORY.connection(
        None, "These are the events in the history of the organisation that are told here."
    )
