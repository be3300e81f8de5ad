"""The register of cities, as mutations."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import UNSET

from i18n.language.graphql import LanguageTag
from members.register import cities
from members.register.cities import CityFacts
from members.register.graphql.cities import CITIES, City
from members.register.graphql.keys import city_of
from members.register.models import Region
from wego.core import reads
from wego.core.writes import Done, Payload, Write, done, edge, thing, verb

_ENDONYM = "This is the language of the name by which the city calls itself (BCP 47)."
_ZONE = "This is its time zone in the IANA database, such as `Asia/Seoul`."
_LANGUAGES = "These are the languages of its administration (BCP 47)."
_SUBDIVISION = "This is its part of the country (ISO 3166-2), such as `KR-11`."


@strawberry.input(description="A `CityNameInput` is the name of a city in one language.")
class CityNameInput:
    locale: LanguageTag = strawberry.field(description="This is the language of the name (BCP 47).")
    name: str = strawberry.field(description="The name; in an update, an empty name takes the name away.")


@strawberry.input(description="A `RegisterCityInput` describes a city of the register, which is no member by that.")
class RegisterCityInput:
    slug: str = strawberry.field(
        description="This is its name in addresses, such as `seoul`; it is made of small letters, digits and hyphens."
    )
    names: list[CityNameInput] = strawberry.field(description="Its names: English, its own, and more.")
    endonym_locale: LanguageTag = strawberry.field(description=_ENDONYM)
    country: str = strawberry.field(description="This is its country (ISO 3166-1), such as `KR`.")
    region: Region = strawberry.field(description="This is its region of the world.")
    latitude: float = strawberry.field(
        description="This is the latitude in degrees, which are positive north of the equator."
    )
    longitude: float = strawberry.field(
        description="This is the longitude in degrees, which are positive east of Greenwich."
    )
    population: int = strawberry.field(description="This is the number of people who live there.")
    time_zone: str = strawberry.field(description=_ZONE)
    languages: list[LanguageTag] = strawberry.field(default_factory=list, description=_LANGUAGES)
    subdivision: str | None = strawberry.field(default=None, description=_SUBDIVISION)
    website: str | None = strawberry.field(
        default=None, description="This is the address of its website, which begins with `https`."
    )


@strawberry.input(description="An `UpdateCityInput` says what to change of a city; what is absent stays.")
class UpdateCityInput:
    city: strawberry.ID = strawberry.field(description="This names the city, by its id or its slug.")
    slug: str | None = strawberry.field(
        default=UNSET, description="This is its new name in addresses; it stays when this is absent."
    )
    names: list[CityNameInput] | None = strawberry.field(default=UNSET, description="Names to set or take away.")
    endonym_locale: LanguageTag | None = strawberry.field(default=UNSET, description=_ENDONYM)
    country: str | None = strawberry.field(default=UNSET, description="This is its country (ISO 3166-1), such as `KR`.")
    region: Region | None = strawberry.field(default=UNSET, description="This is its region of the world.")
    latitude: float | None = strawberry.field(
        default=UNSET, description="This is the latitude in degrees, which are positive north of the equator."
    )
    longitude: float | None = strawberry.field(
        default=UNSET, description="This is the longitude in degrees, which are positive east of Greenwich."
    )
    population: int | None = strawberry.field(default=UNSET, description="This is the number of people who live there.")
    time_zone: str | None = strawberry.field(default=UNSET, description=_ZONE)
    languages: list[LanguageTag] | None = strawberry.field(default=UNSET, description=_LANGUAGES)
    subdivision: str | None = strawberry.field(
        default=UNSET, description=_SUBDIVISION + " In an update, null takes it away."
    )
    website: str | None = strawberry.field(
        default=UNSET, description="This is the address of its website, which begins with `https`; null takes it away."
    )


_CAN_BE_NULL = frozenset({"subdivision", "website"})
_FIELDS = (
    "slug", "endonym_locale", "country", "region", "latitude", "longitude", "population", "time_zone", "languages",
    "subdivision", "website",
)  # fmt: skip


@strawberry.type(description="A `CityPayload` shows a city after a change of the register.")
class CityPayload(Payload):
    city: City | None = thing("city", "This is the city after the change; it is null when nothing was done.")
    city_edge: reads.Edge[City] | None = edge(
        "city",
        "This is the city as an edge of lists in their usual order; it is null when nothing was done.",
        CITIES,
    )


async def register_city(write: Write, input: RegisterCityInput) -> Done:
    values = {name: getattr(input, name) for name in _FIELDS}
    values["languages"] = tuple(input.languages)
    city = await cities.register(write.db, write.actor, CityFacts(names=_names(input.names), **values))
    return done(city=city.id)


async def update_city(write: Write, input: UpdateCityInput) -> Done:
    city_id = await city_of(write.db, write.actor, input.city)
    given = {name: getattr(input, name) for name in _FIELDS}
    changes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not UNSET and (value is not None or name in _CAN_BE_NULL)
    }
    if input.names:
        changes["names"] = _names(input.names)
    await cities.change(write.db, write.actor, city_id, changes)
    return done(city=city_id)


def _names(given: list[CityNameInput]) -> dict[str, str]:
    return {each.locale: each.name for each in given}


@strawberry.type
class CityMutations:
    register_city: CityPayload = verb(register_city, "This enters a city in the register; the secretariat may do it.")
    update_city: CityPayload = verb(update_city, "This changes facts or names of a city; the secretariat may do it.")
