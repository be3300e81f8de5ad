"""Cities, and the organisation's history, as the world may see them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import strawberry

from i18n.language.graphql import LocalizedText, in_map
from members.register.graphql.memberships import named
from members.register.graphql.organisations import BY_SINCE, Organisation, Registered, RegisteredFilter, placed
from members.register.models import HISTORY_KINDS
from members.register.organisations import known
from wego.core import reads
from wego.core.facts import DatePrecision

if TYPE_CHECKING:
    from wego.core.reads.query import Query

# What is read of the organisation alone does not touch the profile: PostgreSQL leaves out a join that nothing uses.
_ROWS = (
    "(select o.id, o.slug, o.sort_name, o.endonym_locale, o.country, o.region, o.languages, o.website, o.created_at,"
    " c.subdivision, c.latitude, c.longitude, c.population, c.time_zone"
    " from organisation o left join city c on c.id = o.id where o.kind = 'city')"
)


def _visible_city(q: Query, t: str) -> str | None:
    return known(q, f"{t}.id")


@strawberry.type(description="These are the coordinates of a place on the globe, in degrees (WGS 84).")
class Coordinates:
    latitude: float = reads.column(
        "{t}.latitude", "This is the latitude in degrees, which are positive north of the equator."
    )
    longitude: float = reads.column(
        "{t}.longitude", "This is the longitude in degrees, which are positive east of Greenwich."
    )


def _visible_event(q: Query, t: str) -> str | None:
    seen = known(q, f"{t}.city_id")
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


@reads.table(_ROWS + " as {t}", visible=_visible_city)
@strawberry.type(description="A `City` is a city, or another local government.")
class City(Registered, reads.Node):
    subdivision: str | None = reads.column(
        "{t}.subdivision",
        "This is its part of the country (ISO 3166-2), such as `KR-11`; it is null when none is known.",
    )
    population: int = reads.column("{t}.population", "This is the number of people who live there.")
    coordinates: Coordinates = reads.inline("This is the place where it lies.")
    time_zone: str = reads.column("{t}.time_zone", "This is its time zone in the IANA database, such as `Asia/Seoul`.")
    history: list[HistoryEvent] = reads.many(
        "{t}.city_id = {p}.id",
        "These are the events in the history of the organisation that are about it, the oldest first.",
        order="{t}.on_date, {t}.id",
    )


@strawberry.type
class OrganisationCity:
    city: City | None = reads.one(
        "{t}.id = {p}.id", "This is the city that it is; it is null for organisations of another kind."
    )


reads.extend(Organisation, OrganisationCity)


@strawberry.type
class EventCity:
    city: City | None = reads.one(
        "{t}.id = {p}.city_id",
        "This is the city that it is about; it is null when it is about none, or about one that the "
        "reader does not see.",
    )


reads.extend(HistoryEvent, EventCity)


@strawberry.input(
    description="A `CityFilter` says which cities are listed: of several values any will do; all conditions are met."
)
class CityFilter(RegisteredFilter):
    population_min: int | None = reads.condition(
        "{t}.population >= {v}", "bigint", "The city has at least this number of people."
    )
    population_max: int | None = reads.condition(
        "{t}.population <= {v}", "bigint", "The city has at most this number of people."
    )


CITIES = reads.List(
    City,
    "cities",
    {
        "name": placed(_ROWS),
        "population": reads.Order(
            "{t}.population", "integer", "They are sorted by the number of people who live there."
        ),
        "member_since": BY_SINCE,
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
