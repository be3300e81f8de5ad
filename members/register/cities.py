"""Cities: what the register says of them beside what it says of every organisation.

Binding texts: ISO 3166-2 (subdivision), WGS 84 (coordinates), the IANA time zone database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from members.register import organisations
from members.register.models import City, Organisation, OrganisationKind, Region
from members.register.organisations import FACTS, Facts, shallow
from wego.core import access, reads
from wego.core.access import Actor, Permission
from wego.core.audit import Event
from wego.core.db import Session
from wego.core.errors import Invalid
from wego.core.forms import Form, found


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


PROFILE = ("latitude", "longitude", "population", "time_zone", "subdivision")


async def register(
    db: Session, actor: Actor, facts: CityFacts, *, insist: bool = False, now: datetime | None = None
) -> Organisation:
    """Enter a city in the register. It is no member yet: that begins with an application. `insist`: it is another one
    than the one of the same name that is there already."""
    access.require(actor, Permission.MEMBERSHIP_DECIDE)
    facts = checked(facts)
    made = await organisations.enter(db, _common(facts), insist=insist, at=now or datetime.now(UTC))
    db.add(City(id=made.id, **_profile(facts)))
    await db.flush()
    await organisations.tell(db, actor, Event.CITY_REGISTERED, made, country=made.country)
    return made


async def change(
    db: Session, actor: Actor, city_id: UUID, changes: Mapping[str, Any], *, now: datetime | None = None
) -> Organisation:
    """Change facts of a city, by the names of `CityFacts`; in `names`, an empty name takes one away."""
    access.require(actor, Permission.MEMBERSHIP_DECIDE)
    row = await reads.locate(db, actor, Organisation, city_id, lock=True)
    if row.kind is not OrganisationKind.CITY:
        raise Invalid("This is no city, but an organisation of another kind.", path=("input", "city"))
    before = await facts_of(db, row)
    after = checked(CityFacts(**organisations.changed(shallow(before), changes)))
    differing = organisations.different(before, after)
    if differing:
        await organisations.write(db, row, _common(after), _common(before), now or datetime.now(UTC))
        profile = await profile_of(db, row.id)
        profile.sqlmodel_update(_profile(after))
        db.add(profile)
        await db.flush()
        await organisations.tell(db, actor, Event.CITY_UPDATED, row, changed=differing)
    return row


async def profile_of(db: Session, city_id: UUID) -> City:
    """The profile of an organisation that is a city."""
    return found(await db.get(City, city_id, populate_existing=True))


async def facts_of(db: Session, row: Organisation) -> CityFacts:
    """What the register says of a city now."""
    common = shallow(await organisations.facts_of(db, row))
    del common["kind"]
    profile = await profile_of(db, row.id)
    return CityFacts(**common, **profile.model_dump(include=set(PROFILE)))


def checked(facts: CityFacts) -> CityFacts:
    """The facts in canonical form, or all that is wrong with them."""
    form = Form()
    common = shallow(organisations.checked(form, _common(facts)))
    del common["kind"]
    result = CityFacts(
        **common,
        latitude=form.number(facts.latitude, "input", "latitude", low=-90, high=90),
        longitude=form.number(facts.longitude, "input", "longitude", low=-180, high=180),
        population=int(form.number(facts.population, "input", "population", low=0, high=100_000_000)),
        time_zone=form.time_zone(facts.time_zone, "input", "timeZone"),
        subdivision=form.subdivision(facts.subdivision, facts.country, "input", "subdivision"),
    )
    form.settle()
    return result


def rows_of(facts: CityFacts, at: datetime) -> tuple[Organisation, City]:
    """The two rows of a city, without its names."""
    row = Organisation(**organisations.columns(_common(facts)), created_at=at, updated_at=at)
    return row, City(id=row.id, **_profile(facts))


def _common(facts: CityFacts) -> Facts:
    values = {name: getattr(facts, name) for name in FACTS if name != "kind"}
    return Facts(kind=OrganisationKind.CITY, **values)


def _profile(facts: CityFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in PROFILE}
