"""The nouns of the register: organisation, what it is called, the city as one kind of it, membership with its steps,
and events of history."""

# No `from __future__ import annotations` in model modules: it breaks SQLModel (fastapi/sqlmodel#196).

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, String
from sqlmodel import Field, SQLModel

from i18n.language.origins import Origin
from wego.core.db import document, false_unless_told, moment, vocabulary, words
from wego.core.ids import new_id
from wego.core.vocabulary import N_, Vocabulary

_by_bytes: Any = String(collation="C")


class Region(Vocabulary):
    EAST_ASIA = "east-asia", "The region is East Asia."
    SOUTH_EAST_ASIA = "south-east-asia", "The region is South-East Asia."
    SOUTH_ASIA = "south-asia", "The region is South Asia."
    CENTRAL_ASIA = "central-asia", "The region is Central Asia."
    MIDDLE_EAST = "middle-east", "The region is the Middle East."
    EUROPE = "europe", "The region is Europe, without the cities that the network counts as Eurasian."
    EURASIA = "eurasia", "The region is Eurasia: Russia and the lands around the Caucasus."
    AFRICA = "africa", "The region is Africa."
    NORTH_AMERICA = "north-america", "The region is North America, without Mexico."
    LATIN_AMERICA = "latin-america", "The region is Latin America with the Caribbean."
    OCEANIA = "oceania", "The region is Oceania."


class OrganisationKind(Vocabulary):
    """What an organisation is (domain.md 1.2 and 1.4); as what it belongs is the kind of its membership."""

    CITY = "city", "The organisation is a city or another local government.", N_("city")
    ASSOCIATION = (
        "association",
        "The organisation is an association of local governments, in a region or a country.",
        N_("association of local governments"),
    )
    GOVERNMENT = (
        "government",
        "The organisation is a national or regional agency that is concerned with local e-government.",
        N_("public agency"),
    )
    COMPANY = "company", "The organisation is a private business.", N_("company")
    PARTNER = (
        "partner",
        "The organisation works with the network, such as a university or an international organisation.",
        N_("partner organisation"),
    )
    OBSERVER = "observer", "The organisation attends meetings and belongs to nothing.", N_("observer")
    COMMITTEE = "committee", "The organisation is a committee of the network.", N_("committee")
    REGIONAL_OFFICE = "regional-office", "The organisation is a regional office of the network.", N_("regional office")
    ASSEMBLY = "assembly", "The organisation is an assembly of the network.", N_("assembly")


# Bodies are the network's own: they need no membership, and whoever sits in one does so for the network.
BODIES = frozenset({OrganisationKind.COMMITTEE, OrganisationKind.REGIONAL_OFFICE, OrganisationKind.ASSEMBLY})


class MembershipKind(Vocabulary):
    CITY = "city", "The member is a city or another local government: it becomes associate, then full.", N_("city")
    FRIENDSHIP = (
        "friendship",
        "The member is a friend: an association of local governments, or a public agency.",
        N_("friendship"),
    )
    CORPORATE = "corporate", "The member is a company.", N_("corporate")


# As what each kind of organisation can belong; the others cannot apply.
MEMBERSHIP_OF: dict[OrganisationKind, MembershipKind] = {
    OrganisationKind.CITY: MembershipKind.CITY,
    OrganisationKind.ASSOCIATION: MembershipKind.FRIENDSHIP,
    OrganisationKind.GOVERNMENT: MembershipKind.FRIENDSHIP,
    OrganisationKind.COMPANY: MembershipKind.CORPORATE,
}


class MembershipStatus(Vocabulary):
    """The legal states that a network needs on day one (domain.md 5.2)."""

    APPLICATION_DRAFT = "application_draft", "The city is writing its application.", N_("application being written")
    SUBMITTED = (
        "submitted",
        "The application is handed in, and nobody has taken it up yet.",
        N_("application submitted"),
    )
    UNDER_CHECK = (
        "under_check",
        "The secretariat checks whether the application is complete.",
        N_("application under check"),
    )
    CHANGES_REQUESTED = (
        "changes_requested",
        "The secretariat has asked the city to change its application.",
        N_("changes to the application requested"),
    )
    ASSOCIATE = (
        "associate",
        "The city is an associate member, which means that its application was accepted.",
        N_("associate member"),
    )
    FULL = "full", "The city is a full member: it discusses, votes and decides.", N_("full member")
    FRIENDSHIP = "friendship", "The organisation is a friendship member.", N_("friendship member")
    CORPORATE = "corporate", "The company is a corporate member.", N_("corporate member")
    SUSPENDED = (
        "suspended",
        "The membership is suspended: its people and programs have no rights of members.",
        N_("suspended member"),
    )
    RESIGNING = (
        "resigning",
        "The member has given notice and is one until the notice period ends.",
        N_("resigning member"),
    )
    RESIGNED = "resigned", "The membership has ended by resignation.", N_("resigned member")
    DECLINED = "declined", "The application was declined.", N_("application declined")
    WITHDRAWN = "withdrawn", "The city withdrew its application.", N_("application withdrawn")


# Members in good standing: their people and programs have the rights of members.
ACTIVE = frozenset(
    {
        MembershipStatus.ASSOCIATE, MembershipStatus.FULL, MembershipStatus.FRIENDSHIP,
        MembershipStatus.CORPORATE, MembershipStatus.RESIGNING,
    }
)  # fmt: skip
# Known to the public as members, whatever their standing.
LISTED = ACTIVE | {MembershipStatus.SUSPENDED}


class Body(Vocabulary):
    """Who decides a step."""

    CITY = "city", "The city itself decides.", N_("the city")
    SECRETARIAT = "secretariat", "It was the secretariat that decided.", N_("the secretariat")
    EXECUTIVE_COMMITTEE = "executive_committee", "The Executive Committee decides.", N_("the Executive Committee")
    GENERAL_ASSEMBLY = "general_assembly", "The General Assembly decides.", N_("the General Assembly")
    SYSTEM = "system", "The hub carries out what was decided before, such as the end of a notice period.", N_("the hub")


def _earlier_status(name: str) -> Any:
    """A second column of a table that holds a state: text with a CHECK of its own name, or null."""
    return Enum(
        MembershipStatus, native_enum=False, length=40, create_constraint=True, name=name,
        values_callable=lambda words: [word.value for word in words],
    )  # fmt: skip


class Organisation(SQLModel, table=True):
    """Whoever can belong to the network, and the bodies of the network itself. What only a city has is in `City`."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        Index("ix_organisation_country", "country"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: OrganisationKind = vocabulary(OrganisationKind)
    slug: str = Field(unique=True)
    sort_name: str
    endonym_locale: str
    country: str
    region: Region = vocabulary(Region)
    languages: list[str] = words()
    website: str | None = None
    created_at: dt.datetime = moment(now=True)
    updated_at: dt.datetime = moment(now=True)


class OrganisationName(SQLModel, table=True):
    """What an organisation is called in one language; the row of `endonym_locale` is its own name for itself."""

    __tablename__ = "organisation_name"
    __table_args__ = (Index("ix_organisation_name_spelling", "spelling"),)

    organisation_id: UUID = Field(foreign_key="organisation.id", primary_key=True)
    locale: str = Field(primary_key=True)
    name: str
    spelling: str  # the name as it is compared, see spelling.py


class City(SQLModel, table=True):
    """What the register says of an organisation that is a city; its id is that of the organisation."""

    __tablename__ = "city"
    __table_args__ = (
        CheckConstraint("latitude between -90 and 90", name="latitude"),
        CheckConstraint("longitude between -180 and 180", name="longitude"),
        CheckConstraint("population >= 0", name="population"),
        Index("ix_city_population", "population", "id"),
    )

    id: UUID = Field(foreign_key="organisation.id", primary_key=True)
    subdivision: str | None = None
    latitude: float
    longitude: float
    population: int
    time_zone: str


class OrganisationPlace(SQLModel, table=True):
    """Where an organisation stands in lists by name for readers of one language. Derived: see `places.py`."""

    __tablename__ = "organisation_place"
    __table_args__ = (Index("ix_organisation_place_order", "locale", "key", "organisation_id"),)

    organisation_id: UUID = Field(foreign_key="organisation.id", primary_key=True, ondelete="CASCADE")
    locale: str = Field(primary_key=True)
    key: str = Field(sa_type=_by_bytes)
    version: str


class Membership(SQLModel, table=True):
    """The one membership of an organisation: its legal state now. How it came there is in `MembershipStep`."""

    __tablename__ = "membership"
    __table_args__ = (
        Index("ix_membership_status", "status"),
        CheckConstraint("(status = 'suspended') = (before_hold is not null)", name="hold"),
        CheckConstraint("status <> 'resigning' or ends_on is not null", name="notice"),
    )

    organisation_id: UUID = Field(foreign_key="organisation.id", primary_key=True)
    kind: MembershipKind = vocabulary(MembershipKind, default=MembershipKind.CITY)
    status: MembershipStatus = vocabulary(MembershipStatus)
    # To what a reinstated member returns.
    before_hold: MembershipStatus | None = Field(default=None, sa_type=_earlier_status("before_hold"))
    since: dt.datetime = moment(now=True)  # of the present state
    # Tokens issued earlier are refused: a reinstatement revives none.
    not_before: dt.datetime = moment(now=True)
    ends_on: dt.date | None = None  # of a resignation, when the notice period is over


class MembershipStep(SQLModel, table=True):
    """One step in the life of a membership: the readable timeline. Never changed."""

    __tablename__ = "membership_step"
    __table_args__ = (Index("ix_membership_step_organisation_id", "organisation_id", "at", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisation.id")
    at: dt.datetime = moment(now=True)
    from_status: MembershipStatus | None = Field(default=None, sa_type=_earlier_status("from_status"))
    to_status: MembershipStatus = vocabulary(MembershipStatus)
    body: Body = vocabulary(Body)
    actor: str
    reason: str = ""  # as written by those who decided; public for members, see graphql
    reference: str = ""  # the decision, such as "Executive Committee 2016, item 4"
    locale: str = "en"  # of reason and reference
    assumed: bool = false_unless_told()  # for a demonstration: nobody took this decision, or nobody knows the day


# The kinds of events in the history of the organisation, and what each says.
HISTORY_KINDS: dict[str, str] = {
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


class HistoryEvent(SQLModel, table=True):
    """An event of the organisation's history, with its source (demonstration network and secretariat). `texts` is its
    sentence by language, `locale` the language of the original, `origin` how the other languages were made."""

    __tablename__ = "history_event"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    on_date: dt.date
    precision: str
    kind: str
    city_id: UUID | None = Field(default=None, foreign_key="city.id", index=True)
    texts: dict[str, str] = document()
    locale: str = "en"
    origin: Origin = vocabulary(Origin, default=Origin.HUMAN)
    source: str = ""
