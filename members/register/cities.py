"""Cities: their names in many languages, where they are, and the facts that others compare.

Binding texts: ISO 3166 (country, subdivision), BCP 47 (languages), the IANA time zone database.
The register is kept by the secretariat, so that a city has one name, one place and one record in the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from i18n.language import locales
from i18n.language.collation import folded
from members.register import places
from members.register.models import LISTED, City, CityName, Membership, Region
from wego.core import access, audit
from wego.core.access import Actor, Permission
from wego.core.audit import Event, Subject
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid
from wego.core.forms import Form, found

NAME_LIMIT, NAMES_LIMIT, LANGUAGES_LIMIT = 120, 400, 30


@dataclass(frozen=True, slots=True)
class CityFacts:
    """All that the register says of a city. `names` by BCP 47 tag, English and the endonym among them."""

    slug: str
    names: Mapping[str, str]
    endonym_locale: str
    country: str
    region: Region
    latitude: float
    longitude: float
    population: int
    time_zone: str
    languages: tuple[str, ...] = field(default=())
    subdivision: str | None = None
    website: str | None = None


async def register(db: Session, actor: Actor, facts: CityFacts, *, now: datetime | None = None) -> City:
    """Enter a city in the register. It is no member yet: that begins with an application."""
    access.require(actor, Permission.MEMBERSHIP_DECIDE)
    facts = checked(facts)
    at = now or datetime.now(UTC)
    city = City(**_columns(facts), created_at=at, updated_at=at)
    query = insert(City).values(**city.model_dump()).on_conflict_do_nothing(index_elements=["slug"])
    if (await db.execute(query.returning(col(City.id)))).scalar_one_or_none() is None:
        raise Conflict("There is a city of this slug already: {slug}.", path=("input", "slug"), slug=facts.slug)
    await _write_names(db, city.id, facts.names)
    await places.write(db, city.id, facts.names)
    await audit.record(
        db, actor, Event.CITY_REGISTERED, Subject.CITY, city.id, place=city.id, under=Permission.MEMBERSHIP_DECIDE,
        slug=facts.slug, country=facts.country,
    )  # fmt: skip
    return found(await db.get(City, city.id))


async def change(
    db: Session, actor: Actor, city_id: UUID, changes: Mapping[str, Any], *, now: datetime | None = None
) -> City:
    """Change facts of a city, by the names of `CityFacts`; in `names`, an empty name takes one away."""
    access.require(actor, Permission.MEMBERSHIP_DECIDE)
    city = await _locked(db, city_id)
    before = await facts_of(db, city)
    given = dict(changes)
    names = {**before.names, **given.pop("names", {})}
    removed = [tag for tag, name in names.items() if not name]
    wanted = {**_shallow(before), **given, "names": {tag: name for tag, name in names.items() if name}}
    after = checked(CityFacts(**wanted))
    changed = sorted(one.name for one in fields(CityFacts) if getattr(after, one.name) != getattr(before, one.name))
    if not changed:
        return city
    await _require_free_slug(db, city, after.slug)
    city.sqlmodel_update({**_columns(after), "updated_at": now or datetime.now(UTC)})
    db.add(city)
    await db.flush()
    await db.execute(delete(CityName).where(col(CityName.city_id) == city.id, col(CityName.locale).in_(removed)))
    await _write_names(db, city.id, after.names)
    await places.write(db, city.id, after.names)
    await audit.record(
        db, actor, Event.CITY_UPDATED, Subject.CITY, city.id, place=city.id, under=Permission.MEMBERSHIP_DECIDE,
        slug=after.slug, changed=changed,
    )  # fmt: skip
    return city


async def by_slug(db: Session, slug: str) -> City:
    """The city of this slug, whoever asks."""
    return found((await db.execute(select(City).where(col(City.slug) == slug))).scalar_one_or_none())


async def seen_by(db: Session, actor: Actor, city_id: UUID) -> City:
    """The city, if the actor may know it: listed members all, others their own people and the secretariat."""
    city = found(await db.get(City, city_id))
    membership = await db.get(Membership, city_id)
    listed = membership is not None and membership.status in LISTED
    own = city_id in actor.place_ids or bool(actor.shape.everywhere)
    return found(city if listed or own else None)


async def facts_of(db: Session, city: City) -> CityFacts:
    """What the register says of a city now."""
    rows = (await db.execute(select(CityName).where(col(CityName.city_id) == city.id))).scalars()
    stored = city.model_dump(include={one.name for one in fields(CityFacts)})
    stored["languages"] = tuple(stored["languages"])
    return CityFacts(names={row.locale: row.name for row in rows}, **stored)


def checked(facts: CityFacts) -> CityFacts:
    """The facts in canonical form, or all that is wrong with them."""
    form = Form()
    endonym_locale = locales.asked(form, facts.endonym_locale, "input", "endonymLocale")
    result = CityFacts(
        slug=form.slug(facts.slug, "input", "slug"),
        names=_names(form, facts.names, endonym_locale),
        endonym_locale=endonym_locale,
        country=form.country(facts.country, "input", "country"),
        region=facts.region,
        latitude=form.number(facts.latitude, "input", "latitude", low=-90, high=90),
        longitude=form.number(facts.longitude, "input", "longitude", low=-180, high=180),
        population=int(form.number(facts.population, "input", "population", low=0, high=100_000_000)),
        time_zone=form.time_zone(facts.time_zone, "input", "timeZone"),
        languages=tuple(
            dict.fromkeys(locales.asked(form, tag, "input", "languages", at) for at, tag in enumerate(facts.languages))
        ),
        subdivision=form.subdivision(facts.subdivision, facts.country, "input", "subdivision"),
        website=form.website(facts.website, "input", "website"),
    )
    form.few(facts.languages, "input", "languages", limit=LANGUAGES_LIMIT)
    form.settle()
    return result


def _names(form: Form, names: Mapping[str, str], endonym_locale: str) -> dict[str, str]:
    form.few(names, "input", "names", limit=NAMES_LIMIT)
    result = {
        locales.asked(form, tag, "input", "names", at, "locale"): form.text(
            name, "input", "names", at, "name", limit=NAME_LIMIT
        )
        for at, (tag, name) in enumerate(names.items())
    }
    for tag in dict.fromkeys((locales.DEFAULT, endonym_locale)):
        if tag not in result:
            form.refuse(Invalid("A name in this language is needed: {locale}.", path=("input", "names"), locale=tag))
    return result


def _columns(facts: CityFacts) -> dict[str, Any]:
    values = _shallow(facts)
    names = values.pop("names")
    return {**values, "languages": list(facts.languages), "sort_name": folded(names[locales.DEFAULT])}


def _shallow(facts: CityFacts) -> dict[str, Any]:
    return {**asdict(facts), "names": dict(facts.names)}


async def _locked(db: Session, city_id: UUID) -> City:
    query = select(City).where(col(City.id) == city_id).with_for_update()
    return found((await db.execute(query.execution_options(populate_existing=True))).scalar_one_or_none())


async def _require_free_slug(db: Session, city: City, slug: str) -> None:
    query = select(col(City.id)).where(col(City.slug) == slug, col(City.id) != city.id)
    if (await db.execute(query)).first() is not None:
        raise Conflict("There is a city of this slug already: {slug}.", path=("input", "slug"), slug=slug)


async def _write_names(db: Session, city_id: UUID, names: Mapping[str, str]) -> None:
    rows = [{"city_id": city_id, "locale": tag, "name": name} for tag, name in names.items()]
    query = insert(CityName)
    merge = query.on_conflict_do_update(index_elements=["city_id", "locale"], set_={"name": query.excluded.name})
    await db.execute(merge, rows)
