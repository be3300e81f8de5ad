"""What appeared, changed and disappeared for a reader, in the order of the log: how a program keeps a copy up to date.

Each thing is told at its last entry that the reader may know of, so that who reads from the beginning gets everything
once. What he sees no more is told by its id, when an entry took it away from readers like him after he began; what he
never could see is never told. Entries about what waits, or is under review, move nothing for those outside.

The cursor says how far he came, where he began, and with which rights, under a seal that only the database can make:
with other rights, or a cursor that is none, he begins anew, and is told so.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

import orjson
import strawberry

from members.register.graphql.cities import City
from members.register.models import LISTED
from members.register.organisations import in_words, known
from practices.cases.graphql.types import Practice
from practices.cases.reach import shared_practice
from wego.core import reads
from wego.core.access import Actor, Permission
from wego.core.scalars import Cursor
from wego.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wego.core.reads.query import Query

PAGE = 100
SCANNED = 1_000  # entries that one page looks through at most
PRICE = 2_000  # of looking through them, in objects


def rights_of(actor: Actor) -> int:
    """A number for everything on which it depends what a reader sees."""
    places = sorted(str(place) for place in actor.places_with(Permission.PRACTICE_READ))
    own = sorted(str(place) for place in actor.place_ids)
    said = [actor.kind, actor.subject, actor.shape.member, sorted(actor.shape.everywhere), places, own]
    return int.from_bytes(hashlib.sha256(orjson.dumps(said)).digest()[:7], "big")


@reads.vocabulary(description="A `ThingKind` is a kind of thing whose changes can be followed.")
class ThingKind(Vocabulary):
    CITY = "City", "This is a city."
    PRACTICE = "Practice", "This is a practice."


@reads.vocabulary(description="A `ChangeAction` says what happened to a thing, as this reader sees it.")
class ChangeAction(Vocabulary):
    APPEARED = "appeared", "The reader sees it now, and did not see it before."
    CHANGED = "changed", "The reader saw it before, and something of it is different now."
    DISAPPEARED = "disappeared", "The reader saw it before, and sees it no more."


@reads.table("(select) as {t}", key="key")
@strawberry.type(description="A `Change` says of one thing that it appeared, changed or disappeared for the reader.")
class Change:
    kind: ThingKind = reads.column("{t}.kind", "This is the kind of the thing.")
    thing_id: strawberry.ID = reads.column(
        "translate(encode(convert_to({t}.kind || ':' || {t}.key, 'UTF8'), 'base64'), E'+/=\\n', '-_')",
        "This is the global id of the thing, which is all that is told of one that disappeared.",
    )
    action: ChangeAction = reads.column(
        "{t}.action",
        "This says what happened. A thing that changed while the list was read for the first time may be new to who "
        "reads it, although it is told as `CHANGED`.",
    )
    at: datetime = reads.column("{t}.at", "This is when it happened; of several changes of a thing, the last.")
    city: City | None = reads.one(
        "{t}.id = {p}.key and {p}.kind = 'City'", "This is the city as it is now; it is null for other kinds of things."
    )
    practice: Practice | None = reads.one(
        "{t}.id = {p}.key and {p}.kind = 'Practice' and {p}.action <> 'disappeared'",
        "This is the practice as it is now; it is null for other kinds, and when it disappeared.",
    )


@reads.table("(select) as {t}")
@strawberry.type(description="A `Changes` is a page of changes, and the cursor with which the next page is asked for.")
class Changes:
    items: list[Change] = reads.many(
        None,
        "These are the changes, in the order of the log; each thing is told once.",
        order="{t}.ord",
        source=(
            "(select r.ord, r.value->>'kind' as kind, (r.value->>'key')::uuid as key, r.value->>'action' as action,"
            " (r.value->>'at')::timestamptz as at"
            " from json_array_elements({p}.items) with ordinality as r(value, ord)) as {t}"
        ),
        most=PAGE,
        expected=PAGE,
        price=PRICE,
    )
    cursor: Cursor = reads.column(
        "{t}.cursor", "This is what to give as `after` to be told what comes next, now or later."
    )
    has_more: bool = reads.column("{t}.more", "This says whether more can be asked for at once.")
    begun_anew: bool = reads.column(
        "{t}.anew",
        "This says that the list begins with its first page, because no cursor was given or it does not hold for the "
        "reader's rights of now: whoever kept a copy forgets what he is not told again.",
    )


# ── the statement ─────────────────────────────────────────────────────────────────────────────────────────────────

_SHOWN = "'practice.published', 'practice.archived'"
_LISTED = in_words(LISTED)


def _readers(e: str, when: str) -> str:
    """How many read a practice before or after an entry: 0 nobody, 1 its city, 2 members, 3 everybody."""
    word = f"jsonb_extract_path_text({e}.decided, 'readers', '{when}')"
    return f"coalesce(array_position(array['city', 'members', 'public'], {word}), 0)"


def _status(e: str, when: str) -> str:
    """The state of a membership before or after an entry; the second form of entries told it among its facts."""
    older = {"before": "from", "after": "to"}[when]
    return f"coalesce(jsonb_extract_path_text({e}.decided, 'status', '{when}'), {e}.facts->>'{older}', '')"


def _known(e: str) -> str:
    """Whether the reader may know of an entry about a thing that he sees."""
    return (
        f"case {e}.subject_type when 'Practice' then {e}.event like 'practice.%' and (a.inside"
        f" or {e}.event in ({_SHOWN}) or {e}.facts->>'live' = 'true' or {e}.decided ? 'readers')"
        f" else {e}.event in ('city.registered', 'city.updated') or {_status(e, 'after')} in ({_LISTED})"
        f" or {_status(e, 'before')} in ({_LISTED}) or (a.inside and {_status(e, 'after')} <> '') end"
    )


def _lost(e: str) -> str:
    """Whether an entry took the thing away from readers like this one."""
    return (
        f"case {e}.subject_type when 'Practice' then {_readers(e, 'before')} >= a.need"
        f" and {_readers(e, 'after')} < a.need and {e}.decided ? 'readers'"
        f" else not a.inside and {_status(e, 'before')} in ({_LISTED})"
        f" and {_status(e, 'after')} not in ({_LISTED}) end"
    )


def _gained(e: str) -> str:
    """Whether an entry showed the thing to readers like this one for the first time, or again."""
    return (
        f"case {e}.subject_type when 'Practice' then {_readers(e, 'before')} < a.need"
        f" and {_readers(e, 'after')} >= a.need or (not {e}.decided ? 'readers' and {e}.event = 'practice.published')"
        f" else case when a.inside then {e}.event = 'city.registered' else {_status(e, 'after')} in ({_LISTED})"
        f" and {_status(e, 'before')} not in ({_LISTED}) end end"
    )


def _inside(q: Query) -> str:
    """Whether the reader sees a thing from within, whatever others see: by the place of entry e and its kind."""
    cities = "true" if q.shape.everywhere else f"e.subject_id = any({q.own_places()})"
    drafts = "false"
    if q.everywhere(Permission.PRACTICE_READ):
        drafts = "true"
    elif q.somewhere(Permission.PRACTICE_READ):
        own = q.places_with(Permission.PRACTICE_READ)
        drafts = f"coalesce(e.place_id, (select b.city_id from practice b where b.id = e.subject_id)) = any({own})"
    return f"coalesce(case e.subject_type when 'Practice' then {drafts} else {cities} end, false)"


def _seen(q: Query) -> str:
    practice, city = shared_practice(q, "v") or "true", known(q, "v.id") or "true"
    return (
        "case e.subject_type when 'Practice' then"
        f" exists (select 1 from practice v where v.id = e.subject_id and {practice})"
        f" else exists (select 1 from city v where v.id = e.subject_id and {city}) end"
    )


def _later(of: str) -> str:
    return (
        "exists (select 1 from audit_entry l where l.subject_id = a.subject_id and l.index > a.index"
        f" and l.subject_type = a.subject_type and {of})"
    )


def _page(q: Query) -> str:
    """The FROM item of a page. Braces are doubled where they are not names of arguments."""
    rights = q.bind(lambda run: rights_of(run.actor), "bigint", "rights")
    member = 2 if q.shape.member else 3
    seal = (
        "(('x' || encode(substr(sha256(s.seal || int8send({0}) || int8send({1}) || int8send(" + rights + ")), 1, 7),"
        " 'hex'))::bit(56)::bigint)"
    )
    good = f"({{after}})[3] = {rights} and ({{after}})[4] = " + seal.format("({after})[1]", "({after})[2]")
    return f"""(
        with asked as materialized (
            select s.size, s.seal, not coalesce({good}, false) as anew,
                case when {good} then ({{after}})[1] else 0 end as position,
                case when {good} then ({{after}})[2] else s.size end as begun,
                least(greatest(coalesce({{first}}, {PAGE}), 1), {PAGE}) as page
            from audit_state s),
        scanned as materialized (
            select e.* from asked, lateral (
                select * from audit_entry n
                where n.subject_type in ('City', 'Practice') and n.index >= asked.position
                order by n.index limit {SCANNED}) e),
        looked as (
            select e.*, {_inside(q)} as inside, {_seen(q)} as seen from scanned e
            where e.subject_type = any(coalesce({{kinds}}, array['City', 'Practice']))),
        told as materialized (
            select a.index, a.at, a.subject_type as kind, a.subject_id as key, case when not a.seen then 'disappeared'
                when asked.position < asked.begun or exists (select 1 from audit_entry g
                    where g.subject_id = a.subject_id and g.subject_type = a.subject_type
                    and g.index between asked.position and a.index and {_gained("g")}) then 'appeared'
                else 'changed' end as action
            from asked, (select k.*, case when k.inside then 1 else {member} end as need from looked k) a
            where case when a.seen then {_known("a")} and not {_later(_known("l"))}
                else {_lost("a")} and a.index >= asked.begun and not {_later(_lost("l"))} end
            order by a.index limit (select page + 1 from asked)),
        ended as (
            select asked.*, case
                when (select count(*) from told) > asked.page
                    then (select max(index) from told)
                when (select count(*) from scanned) = {SCANNED} then (select max(index) + 1 from scanned)
                else asked.size end as next
            from asked)
        select s.anew, s.next < s.size as more,
            translate(encode(convert_to(json_build_array(s.next, s.begun, {rights}, {seal.format("s.next", "s.begun")}
                )::text, 'UTF8'), 'base64'), E'+/=\\n', '-_') as cursor,
            (select coalesce(json_agg(json_build_object('kind', t.kind, 'key', t.key, 'action', t.action, 'at', t.at)
                order by t.index), '[]'::json) from (select * from told order by index limit s.page) t) as items
        from ended s) as {{t}}"""


@strawberry.type
class ChangeQueries:
    changes: Changes = reads.one(
        "true",
        "This tells what appeared, changed and disappeared for the reader, in the order of the log. A copy is kept by "
        "asking without `after` first, then again and again with the cursor that was given last.",
        source=_page,
        args={
            "after": reads.Arg(
                Cursor | None, "bigint[]", "This is a cursor of the list; only what comes after it is told."
            ),
            "first": reads.Arg(int | None, "integer", f"At most so many are told; {PAGE} are the most."),
            "kinds": reads.Arg(list[ThingKind] | None, "text[]", "Only things of these kinds are told."),
        },
    )
