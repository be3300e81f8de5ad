"""Organisations: whoever can belong to the network, and its bodies; their names, and who may know of them.

Binding texts: ISO 3166 (country), BCP 47 (languages); design/domain.md 1.2 and 1.4 for the kinds.
The register is kept by the secretariat, so that an organisation has one name and one record in the network: one that
is there already, under whichever spelling, is found before a second one is made. What only a city has is in `cities`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from i18n.language import locales
from i18n.language.collation import folded
from members.register import places
from members.register.models import BODIES, LISTED, Organisation, OrganisationKind, OrganisationName, Region
from members.register.spelling import spelling
from wego.core import access, audit, reads
from wego.core.access import Actor, ActorKind, Permission
from wego.core.audit import Event, Subject
from wego.core.db import Session
from wego.core.errors import Conflict, Invalid, NotFound
from wego.core.forms import Form, found

if TYPE_CHECKING:
    from wego.core.reads.query import Query

NAME_LIMIT, NAMES_LIMIT, LANGUAGES_LIMIT = 120, 400, 30


@dataclass(frozen=True, slots=True)
class Facts:
    """What the register says of every organisation. `names` by BCP 47 tag, English and the endonym among them."""

    kind: OrganisationKind
    slug: str
    names: Mapping[str, str]
    endonym_locale: str
    country: str
    region: Region
    languages: tuple[str, ...] = field(default=())
    website: str | None = None


FACTS = tuple(one.name for one in fields(Facts))


# ── who may know of it ────────────────────────────────────────────────────────────────────────────────────────────


def in_words(states: Iterable[Any]) -> str:
    """Words of a vocabulary as an SQL list."""
    return ", ".join(f"'{state.value}'" for state in sorted(states))


def known(q: Query, key: str) -> str | None:
    """Of which organisations the reader knows, `key` being the SQL of the id: listed members, and his own."""
    if q.shape.everywhere:
        return None
    listed = f"select 1 from membership seen where seen.organisation_id = {key} and seen.status in ({in_words(LISTED)})"
    own = "" if q.shape.kind is ActorKind.ANONYMOUS else f" or {key} = any({q.own_places()})"
    return f"(exists ({listed}){own})"


@reads.visible(Organisation)
def visible(q: Query, t: str) -> str | None:
    """Listed members and the network's own bodies are known to all, others to their people and the secretariat."""
    seen = known(q, f"{t}.id")
    return None if seen is None else f"({t}.kind in ({in_words(BODIES)}) or {seen})"


# ── verbs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def register(
    db: Session, actor: Actor, facts: Facts, *, insist: bool = False, now: datetime | None = None
) -> Organisation:
    """Enter an organisation that is no city in the register. It is no member yet: that begins with an application.
    `insist`: it is another one than the one of the same name that is there already."""
    access.require(actor, Permission.MEMBERSHIP_DECIDE)
    form = Form()
    facts = checked(form, facts)
    form.settle()
    if facts.kind is OrganisationKind.CITY:
        raise Invalid("A city is registered with its place and its population.", path=("input", "kind"))
    made = await enter(db, facts, insist=insist, at=now or datetime.now(UTC))
    await tell(db, actor, Event.ORGANISATION_REGISTERED, made, kind=made.kind.value, country=made.country)
    return made


async def change(
    db: Session, actor: Actor, key: UUID, changes: Mapping[str, Any], *, now: datetime | None = None
) -> Organisation:
    """Change what the register says, by the names of `Facts`; in `names`, an empty name takes one away."""
    access.require(actor, Permission.MEMBERSHIP_DECIDE)
    row = await reads.locate(db, actor, Organisation, key, lock=True)
    if row.kind is OrganisationKind.CITY:
        raise Invalid("A city is changed with its place and its population.", path=("input", "organisation"))
    before = await facts_of(db, row)
    form = Form()
    after = checked(form, Facts(**changed(shallow(before), changes)))
    form.settle()
    differing = different(before, after)
    if differing:
        await write(db, row, after, before, now or datetime.now(UTC))
        await tell(db, actor, Event.ORGANISATION_UPDATED, row, changed=differing)
    return row


async def by_slug(db: Session, slug: str) -> Organisation:
    """The organisation of this slug, whoever asks; the refusal names it."""
    query = select(Organisation).where(col(Organisation.slug) == slug)
    there = (await db.execute(query)).scalar_one_or_none() if slug.isascii() and "\x00" not in slug else None
    if there is None:
        raise NotFound("The register has no organisation of this name: {slug}.", slug=slug[:80])
    return there


async def facts_of(db: Session, row: Organisation) -> Facts:
    """What the register says of an organisation now."""
    query = select(OrganisationName).where(col(OrganisationName.organisation_id) == row.id)
    stored = row.model_dump(include=set(FACTS))
    stored["languages"] = tuple(stored["languages"])
    return Facts(names={each.locale: each.name for each in (await db.execute(query)).scalars()}, **stored)


# ── what cities do in the same way ────────────────────────────────────────────────────────────────────────────────


def checked(form: Form, facts: Facts) -> Facts:
    """The facts in canonical form; what is wrong with them is in the form."""
    endonym_locale = locales.asked(form, facts.endonym_locale, "input", "endonymLocale")
    form.few(facts.languages, "input", "languages", limit=LANGUAGES_LIMIT)
    return Facts(
        kind=facts.kind,
        slug=form.slug(facts.slug, "input", "slug"),
        names=_names(form, facts.names, endonym_locale),
        endonym_locale=endonym_locale,
        country=form.country(facts.country, "input", "country"),
        region=facts.region,
        languages=tuple(
            dict.fromkeys(locales.asked(form, tag, "input", "languages", at) for at, tag in enumerate(facts.languages))
        ),
        website=form.website(facts.website, "input", "website"),
    )


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


def shallow(facts: Any) -> dict[str, Any]:
    """The fields of a dataclass as they are."""
    return {one.name: getattr(facts, one.name) for one in fields(facts)}


def changed(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted after the changes; an empty name takes one away."""
    names = {**before["names"], **changes.get("names", {})}
    return {**before, **changes, "names": {tag: name for tag, name in names.items() if name}}


def different(before: Any, after: Any) -> list[str]:
    """The names of the facts that are not what they were."""
    return sorted(one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name))


def columns(facts: Facts) -> dict[str, Any]:
    """The facts as the columns of the table."""
    values = shallow(facts)
    names = values.pop("names")
    return {**values, "languages": list(facts.languages), "sort_name": folded(names[locales.DEFAULT])}


async def enter(db: Session, facts: Facts, *, insist: bool, at: datetime) -> Organisation:
    """Write a new organisation with its names, unless it is there already, by its slug or under another spelling."""
    if not insist:
        await _require_new(db, facts)
    row = Organisation(**columns(facts), created_at=at, updated_at=at)
    query = insert(Organisation).values(**row.model_dump()).on_conflict_do_nothing(index_elements=["slug"])
    if (await db.execute(query.returning(col(Organisation.id)))).scalar_one_or_none() is None:
        raise _taken(facts.slug)
    await _write_names(db, row.id, facts.names)
    return found(await db.get(Organisation, row.id))


async def write(db: Session, row: Organisation, after: Facts, before: Facts, at: datetime) -> None:
    """Write what has changed of an organisation that is locked."""
    query = select(col(Organisation.id)).where(col(Organisation.slug) == after.slug, col(Organisation.id) != row.id)
    if (await db.execute(query)).first() is not None:
        raise _taken(after.slug)
    row.sqlmodel_update({**columns(after), "updated_at": at})
    db.add(row)
    await db.flush()
    gone = [tag for tag in before.names if tag not in after.names]
    this = col(OrganisationName.organisation_id) == row.id
    await db.execute(delete(OrganisationName).where(this, col(OrganisationName.locale).in_(gone)))
    await _write_names(db, row.id, after.names)


async def tell(db: Session, actor: Actor, event: Event, row: Organisation, **facts: Any) -> None:
    """What the log tells of a change of the register."""
    await audit.record(
        db, actor, event, subject_of(row), row.id, place=row.id, under=Permission.MEMBERSHIP_DECIDE, slug=row.slug,
        **facts,
    )  # fmt: skip


def subject_of(row: Organisation) -> Subject:
    """What the log calls an organisation: a city by its own word, as it always did."""
    return Subject.CITY if row.kind is OrganisationKind.CITY else Subject.ORGANISATION


async def _require_new(db: Session, facts: Facts) -> None:
    """Refuse an organisation that is there under another spelling: a name that is the same but for case, accents,
    spaces and signs, in whichever language, in the same country. The refusal names it."""
    spelled = {spelling(name) for name in facts.names.values()} - {""}
    query = (
        select(col(Organisation.slug), col(OrganisationName.name))
        .join(OrganisationName, col(OrganisationName.organisation_id) == col(Organisation.id))
        .where(col(Organisation.country) == facts.country, col(OrganisationName.spelling).in_(spelled))
        .order_by(col(Organisation.slug), col(OrganisationName.locale))
    )
    twin = (await db.execute(query.limit(1))).first()
    if twin is not None and twin.slug != facts.slug:
        raise Conflict(
            "{name} is in the register already, as {slug}. Say so if this is another organisation of the same name.",
            path=("input", "names"),
            name=twin.name,
            slug=twin.slug,
        )


def _taken(slug: str) -> Conflict:
    return Conflict("There is an organisation of this slug already: {slug}.", path=("input", "slug"), slug=slug)


def names_of(key: UUID, names: Mapping[str, str]) -> list[OrganisationName]:
    """The names of an organisation as rows."""
    return [
        OrganisationName(organisation_id=key, locale=tag, name=name, spelling=spelling(name))
        for tag, name in names.items()
    ]


async def _write_names(db: Session, key: UUID, names: Mapping[str, str]) -> None:
    rows = [row.model_dump() for row in names_of(key, names)]
    query = insert(OrganisationName)
    merge = query.on_conflict_do_update(
        index_elements=["organisation_id", "locale"],
        set_={"name": query.excluded.name, "spelling": query.excluded.spelling},
    )
    await db.execute(merge, rows)
    await places.write(db, key, names)
