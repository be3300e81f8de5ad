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

_ENDONYM = "The language of the name that the city has for itself."
_ZONE = "Its time zone (IANA), such as `Asia/Seoul`."
_LANGUAGES = "The languages of its administration."
_SUBDIVISION = "Its part of the country (ISO 3166-2), such as `KR-11`."


@strawberry.input(description="What a city is called in one language.")
class CityNameInput:
    locale: LanguageTag = strawberry.field(description="The language (BCP 47).")
    name: str = strawberry.field(description="The name; in an update, an empty name takes the name away.")


@strawberry.input(description="A city of the register. It is no member by that.")
class RegisterCityInput:
    slug: str = strawberry.field(description="Its name in addresses, such as `seoul`.")
    names: list[CityNameInput] = strawberry.field(description="Its names: English, its own, and more.")
    endonym_locale: LanguageTag = strawberry.field(description=_ENDONYM)
    country: str = strawberry.field(description="Its country (ISO 3166-1), such as `KR`.")
    region: Region = strawberry.field(description="Its region of the world.")
    latitude: float = strawberry.field(description="Degrees north.")
    longitude: float = strawberry.field(description="Degrees east.")
    population: int = strawberry.field(description="How many people live there.")
    time_zone: str = strawberry.field(description=_ZONE)
    languages: list[LanguageTag] = strawberry.field(default_factory=list, description=_LANGUAGES)
    subdivision: str | None = strawberry.field(default=None, description=_SUBDIVISION)
    website: str | None = strawberry.field(default=None, description="Its website (https).")


@strawberry.input(description="What to change of a city; what is absent stays.")
class UpdateCityInput:
    city: strawberry.ID = strawberry.field(description="The city, by its id or its slug.")
    slug: str | None = strawberry.field(default=UNSET, description="Its name in addresses.")
    names: list[CityNameInput] | None = strawberry.field(default=UNSET, description="Names to set or take away.")
    endonym_locale: LanguageTag | None = strawberry.field(default=UNSET, description=_ENDONYM)
    country: str | None = strawberry.field(default=UNSET, description="Its country (ISO 3166-1).")
    region: Region | None = strawberry.field(default=UNSET, description="Its region of the world.")
    latitude: float | None = strawberry.field(default=UNSET, description="Degrees north.")
    longitude: float | None = strawberry.field(default=UNSET, description="Degrees east.")
    population: int | None = strawberry.field(default=UNSET, description="How many people live there.")
    time_zone: str | None = strawberry.field(default=UNSET, description=_ZONE)
    languages: list[LanguageTag] | None = strawberry.field(default=UNSET, description=_LANGUAGES)
    subdivision: str | None = strawberry.field(default=UNSET, description=_SUBDIVISION + " Null takes it away.")
    website: str | None = strawberry.field(default=UNSET, description="Its website (https). Null takes it away.")


_CAN_BE_NULL = frozenset({"subdivision", "website"})
_FIELDS = (
    "slug", "endonym_locale", "country", "region", "latitude", "longitude", "population", "time_zone", "languages",
    "subdivision", "website",
)  # fmt: skip


@strawberry.type(description="A city after a change of the register.")
class CityPayload(Payload):
    city: City | None = thing("city", "The city as it is now.")
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
    register_city: CityPayload = verb(register_city, "Enter a city in the register. For the secretariat.")
    update_city: CityPayload = verb(update_city, "Change facts or names of a city. For the secretariat.")
