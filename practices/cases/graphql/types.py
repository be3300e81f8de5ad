"""The case study itself, as the API shows it, and who sees it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from i18n.content.graphql.owner import WithTexts
from members.register.graphql.cities import City
from practices.cases import models, reach  # noqa: F401  # `reach` says who may see a practice
from practices.cases.facts import PracticeFacts
from practices.cases.models import EvidenceLevel, PracticeStatus
from wego.core import facts, reads
from wego.core.access import ActorKind, Permission

if TYPE_CHECKING:
    from wego.core.reads.query import Query

reads.vocabulary(EvidenceLevel, description="An `EvidenceLevel` says how well it can be checked what a practice tells.")
reads.vocabulary(PracticeStatus, description="A `PracticeStatus` says where a practice is in its life.")


def ways_to_see(q: Query, t: str, facets: str) -> list[reads.Way]:
    """How `visible_practice` is asked of the index of the listing: rows of everybody (p), of members (m), and all (a)
    of the own cities and of those on which one works. What it lets through is still asked exactly."""
    if q.everywhere(Permission.PRACTICE_READ):
        return [reads.Way("a")]
    public, published = f"{t}.public_from is not null", f"{t}.status = 'published' and {t}.visibility <> 'private'"
    ways = [reads.Way("m", None, f"({public} or {published})") if q.shape.member else reads.Way("p", None, public)]
    if q.somewhere(Permission.PRACTICE_READ):
        own = q.places_with(Permission.PRACTICE_READ)
        asked = f"{facets} && array(select 'ac:' || c from unnest({own}) as c)"
        ways.append(reads.Way("a", asked, f"{t}.city_id = any({own})"))
    if q.shape.kind is ActorKind.PERSON:
        person = q.person()
        mine = (
            f"{t}.id = any(array(select v.practice_id from review v where v.reviewer_id = {person} "
            f"union select e.practice_id from practice_editor e where e.person_id = {person}))"
        )
        ways.append(reads.Way("a", mine, mine))
    return ways


@strawberry.type
@facts.shown(PracticeFacts)
class ShownFacts:
    """The facts of a practice, as they are declared."""


@reads.table(models.Practice)
@strawberry.type(description="A case study: what a city did, told so that another can judge whether it would work.")
class Practice(reads.Node, WithTexts, ShownFacts):
    slug: str = reads.column("{t}.slug", "This is its name in addresses.")
    city: City = reads.one(
        "{t}.id = {p}.city_id", "This is the city whose practice it is.", visible=False
    )  # seen with the practice
    status: PracticeStatus = reads.column("{t}.status", "This says where it is in its life.")
    assumed: bool = reads.column(
        "{t}.assumed",
        "This says whether it was written and published for a demonstration, from public sources: "
        "its city took no part.",
    )
    evidence_level: EvidenceLevel = reads.column(
        "wego_evidence({t}.sources, {t}.indicators)",
        "This says how well it can be checked what is told here: `DOCUMENTED` when it names a source, or says of an "
        "indicator where it can be checked, else `SELF_REPORTED`.",
    )
    created_at: datetime = reads.column("{t}.created_at", "This is the moment at which it was begun.")
    updated_at: datetime = reads.column(
        "{t}.updated_at", "This is the moment at which it or a translation of it was last changed."
    )
    published_at: datetime | None = reads.column(
        "{t}.published_at",
        "This is the moment at which it was first published; it is null until then, and for readers "
        "to whom it is not open yet.",
    )
