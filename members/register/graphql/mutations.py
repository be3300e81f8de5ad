"""The register of organisations and cities, as mutations."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import UNSET

from i18n.language.graphql import LanguageTag
from members.register import cities, organisations
from members.register.cities import CityFacts
from members.register.graphql.cities import CITIES, City
from members.register.graphql.keys import organisation_of
from members.register.graphql.organisations import ORGANISATIONS, Organisation
from members.register.models import OrganisationKind, Region
from members.register.organisations import Facts
from wego.core import reads
from wego.core.writes import Done, Payload, Write, done, edge, thing, verb

_ENDONYM = "This is the language of the name by which the city calls itself (BCP 47)."
_ZONE = "This is its time zone in the IANA database, such as `Asia/Seoul`."
_LANGUAGES = "These are the languages of its administration (BCP 47)."
_SUBDIVISION = "This is its part of the country (ISO 3166-2), such as `KR-11`."
_INSIST = "This says that it is another one than the organisation of the same name that is in the register already."


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
    insist: bool = strawberry.field(default=False, description=_INSIST)


@strawberry.input(description="This is an organisation of the register that is no city. It is no member by that.")
class RegisterOrganisationInput:
    kind: OrganisationKind = strawberry.field(description="This says what it is.")
    slug: str = strawberry.field(description="This is its name in addresses, such as `city-net`.")
    names: list[CityNameInput] = strawberry.field(description="These are its names: English, its own, and more.")
    endonym_locale: LanguageTag = strawberry.field(description="This is the language of its name for itself.")
    country: str = strawberry.field(description="This is the country in which it is (ISO 3166-1), such as `KR`.")
    region: Region = strawberry.field(description="This is its region of the world.")
    languages: list[LanguageTag] = strawberry.field(
        default_factory=list, description="These are the languages in which it works."
    )
    website: str | None = strawberry.field(default=None, description="This is its website (https).")
    insist: bool = strawberry.field(default=False, description=_INSIST)


@strawberry.input(description="This says what to change of an organisation that is no city; what is absent stays.")
class UpdateOrganisationInput:
    organisation: strawberry.ID = strawberry.field(description="This is the organisation, by its id or its slug.")
    kind: OrganisationKind | None = strawberry.field(default=UNSET, description="This says what it is.")
    slug: str | None = strawberry.field(default=UNSET, description="This is its name in addresses.")
    names: list[CityNameInput] | None = strawberry.field(
        default=UNSET, description="These are names to set; an empty name takes one away."
    )
    endonym_locale: LanguageTag | None = strawberry.field(
        default=UNSET, description="This is the language of its name for itself."
    )
    country: str | None = strawberry.field(default=UNSET, description="This is the country in which it is.")
    region: Region | None = strawberry.field(default=UNSET, description="This is its region of the world.")
    languages: list[LanguageTag] | None = strawberry.field(
        default=UNSET, description="These are the languages in which it works."
    )
    website: str | None = strawberry.field(
        default=UNSET, description="This is its website (https). Null takes it away."
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


_COMMON = ("kind", "slug", "endonym_locale", "country", "region", "languages", "website")
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
    facts = CityFacts(names=_names(input.names), **values)
    city = await cities.register(write.db, write.actor, facts, insist=input.insist)
    return done(city=city.id)


async def update_city(write: Write, input: UpdateCityInput) -> Done:
    city_id = await organisation_of(write.db, write.actor, input.city, "input", "city")
    await cities.change(write.db, write.actor, city_id, _changes(input, _FIELDS))
    return done(city=city_id)


async def register_organisation(write: Write, input: RegisterOrganisationInput) -> Done:
    values = {name: getattr(input, name) for name in _COMMON}
    values["languages"] = tuple(input.languages)
    facts = Facts(names=_names(input.names), **values)
    made = await organisations.register(write.db, write.actor, facts, insist=input.insist)
    return done(organisation=made.id)


async def update_organisation(write: Write, input: UpdateOrganisationInput) -> Done:
    key = await organisation_of(write.db, write.actor, input.organisation, "input", "organisation")
    await organisations.change(write.db, write.actor, key, _changes(input, _COMMON))
    return done(organisation=key)


def _changes(input: UpdateCityInput | UpdateOrganisationInput, names: tuple[str, ...]) -> dict[str, Any]:
    """What is to be changed: what is there, and null only where it takes something away."""
    given = {name: getattr(input, name) for name in names}
    changes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not UNSET and (value is not None or name in _CAN_BE_NULL)
    }
    return changes | ({"names": _names(input.names)} if input.names else {})


def _names(given: list[CityNameInput]) -> dict[str, str]:
    return {each.locale: each.name for each in given}


@strawberry.type(description="This is an organisation after a change of the register.")
class OrganisationPayload(Payload):
    organisation: Organisation | None = thing(
        "organisation", "This is the organisation as it is now; it is null when nothing was done."
    )
    organisation_edge: reads.Edge[Organisation] | None = edge(
        "organisation",
        "This is the organisation as an edge of lists in their usual order; it is null when nothing was done.",
        ORGANISATIONS,
    )


@strawberry.type
class RegisterMutations:
    register_city: CityPayload = verb(register_city, "This enters a city in the register; the secretariat may do it.")
    update_city: CityPayload = verb(update_city, "This changes facts or names of a city; the secretariat may do it.")
    register_organisation: OrganisationPayload = verb(
        register_organisation, "This enters an organisation that is no city in the register; the secretariat may do it."
    )
    update_organisation: OrganisationPayload = verb(
        update_organisation,
        "This changes facts or names of an organisation that is no city; the secretariat may do it.",
    )
