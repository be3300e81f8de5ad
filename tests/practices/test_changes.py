"""Following what changes: a copy kept by `changes` alone is, after every step, what the lists show its reader."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from members.membership import membership
from members.membership.membership import Decision
from members.register import cities, organisations
from practices.cases import archives, drafts, jobs, practices
from practices.cases.facts import Visibility
from practices.cases.graphql.changes import rights_of
from practices.cases.models import Practice
from practices.cases.practices import Change
from wego.core import audit
from wego.core.access import NOBODY, Actor, system
from wego.core.audit import Event, Subject
from wego.core.db import Database, Session
from wego.core.ids import global_id, new_id

from .conftest import Ask, actor_of

TEST = system("test")
READERS = (
    "", "cio@seoul.demo", "editor@barcelona.demo", "delegate@seoul.demo", "secretariat@wego.demo", "auditor@wego.demo",
)  # fmt: skip
CHANGES = """query($after: Cursor, $first: Int, $kinds: [ThingKind!]) {
    changes(after: $after, first: $first, kinds: $kinds) {
        items { kind thingId action at city { id slug } practice { id slug visibility title { text } } }
        cursor hasMore begunAnew } }"""
PRACTICES = (
    "query($after: String) { practices(first: 100, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }"
)
CITIES = (
    "query($after: String) { cities(first: 100, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }"
)


class Mirror:
    """A program that keeps a copy for one reader."""

    def __init__(self, ask: Ask, who: str, first: int = 100) -> None:
        self.ask, self.who, self.first = ask, who, first
        self.cursor: str | None = None
        self.kept: set[str] = set()
        self.told: list[tuple[str, str]] = []
        self.anew = 0

    async def follow(self) -> list[tuple[str, str]]:
        """Read until there is no more; what was told this time."""
        self.told, more = [], True
        while more:
            page = (await self.ask(self.who, CHANGES, variables={"after": self.cursor, "first": self.first}))["changes"]
            assert len(page["items"]) <= self.first
            if page["begunAnew"]:
                self.kept.clear()
                self.anew += 1
            for each in page["items"]:
                self._take(each)
            more, self.cursor = page["hasMore"], page["cursor"]
        return self.told

    def _take(self, each: dict[str, Any]) -> None:
        self.told.append((each["action"], each["thingId"]))
        thing = each["city"] or each["practice"]
        if each["action"] == "DISAPPEARED":
            assert each["practice"] is None, "only the id is told"
            self.kept.discard(each["thingId"])
        else:
            assert thing["id"] == each["thingId"]
            self.kept.add(each["thingId"])


async def listed(ask: Ask, who: str) -> set[str]:
    """What the lists show."""
    found: set[str] = set()
    for query, name in ((PRACTICES, "practices"), (CITIES, "cities")):
        after, more = None, True
        while more:
            page = (await ask(who, query, variables={"after": after}))[name]
            found |= {each["id"] for each in page["nodes"]}
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found


async def key_of(db: Session, slug: str) -> Any:
    return (await db.execute(select(col(Practice.id)).where(col(Practice.slug) == slug))).scalar_one()


def meant_for(visibility: Visibility) -> Callable[[Session, Any], Awaitable[Any]]:
    async def act(db: Session, key: Any) -> Any:
        return await practices.revise(db, TEST, key, Change(), {"visibility": visibility})

    return act


async def do(demo: Database, slug: str, act: Callable[[Session, Any], Awaitable[Any]]) -> str:
    async with demo.session() as db:
        key = await key_of(db, slug)
        await act(db, key)
        return global_id("Practice", key)


async def test_a_copy_is_what_the_lists_show_after_every_step(demo: Database, ask: Ask) -> None:
    mirrors = [Mirror(ask, who) for who in READERS]
    ends = datetime.now(UTC) + timedelta(seconds=3600)

    async def in_a_while(db: Session, key: Any) -> Any:
        return await practices.revise(db, TEST, key, Change(), {"visibility": Visibility.EMBARGO, "publish_at": ends})

    async def agree(after: str) -> None:
        for mirror in mirrors:
            await mirror.follow()
            assert mirror.kept == await listed(ask, mirror.who), (after, mirror.who)

    await agree("the beginning")
    for step, act in (
        ("made private", meant_for(Visibility.PRIVATE)), ("for members", meant_for(Visibility.MEMBERS)),
        ("public", meant_for(Visibility.PUBLIC)), ("under embargo", in_a_while),
        ("private again", meant_for(Visibility.PRIVATE)),
        ("public again", meant_for(Visibility.PUBLIC)),
        ("archived", lambda db, key: archives.archive(db, TEST, key, "A test.")),
        ("restored", lambda db, key: archives.restore(db, TEST, key)),
    ):  # fmt: skip
        await do(demo, "mobile-seoul", act)
        await agree(step)
    await do(demo, "mayor-for-a-day", lambda db, key: drafts.delete(db, TEST, key))
    await agree("a draft deleted")
    async with demo.session() as db:
        seoul = (await organisations.by_slug(db, "seoul")).id
        await membership.suspend(db, TEST, (await organisations.by_slug(db, "chengdu")).id, Decision("A test."))
        await cities.change(db, TEST, seoul, {"population": 9_000_001})
    await agree("a city suspended, another changed")
    assert {mirror.anew for mirror in mirrors} == {1}, "nobody had to begin anew"


async def test_a_reader_is_told_what_happened_and_nothing_of_what_he_cannot_see(demo: Database, ask: Ask) -> None:
    stranger, member, own = (Mirror(ask, who) for who in ("", "editor@barcelona.demo", "cio@seoul.demo"))
    for each in (stranger, member, own):
        assert {action for action, _ in await each.follow()} == {"APPEARED"}
        assert await each.follow() == []
    thing = await do(demo, "mobile-seoul", meant_for(Visibility.MEMBERS))
    assert [await each.follow() for each in (stranger, member, own)] == [
        [("DISAPPEARED", thing)], [("CHANGED", thing)], [("CHANGED", thing)],
    ]  # fmt: skip
    await do(demo, "mobile-seoul", lambda db, key: practices.revise(db, TEST, key, Change(title="Another"), {}))
    assert [await each.follow() for each in (stranger, member, own)] == [[], [("CHANGED", thing)], [("CHANGED", thing)]]
    await do(demo, "mobile-seoul", lambda db, key: archives.archive(db, TEST, key, "A test."))
    assert [await each.follow() for each in (stranger, member, own)] == [
        [], [("DISAPPEARED", thing)], [("CHANGED", thing)],
    ]  # fmt: skip


async def test_what_waits_or_was_never_shared_moves_nothing_outside(demo: Database, ask: Ask) -> None:
    """A draft that is written on, a practice given to somebody, a translation that waits: nobody hears of it."""
    stranger, member = Mirror(ask, ""), Mirror(ask, "editor@barcelona.demo")
    for each in (stranger, member):
        await each.follow()
    draft = await do(
        demo, "mayor-for-a-day", lambda db, key: practices.revise(db, TEST, key, Change(title="Another title"), {})
    )
    async with demo.session() as db:
        live = await key_of(db, "mobile-seoul")
        await audit.record(db, TEST, Event.ROLE_ASSIGNED, Subject.PRACTICE, live, role="object_editor")
        await audit.record(db, TEST, Event.PRACTICE_TRANSLATED, Subject.PRACTICE, live, live=False, locale="fi")
        await audit.record(db, TEST, Event.PRACTICE_REVIEWER_ASSIGNED, Subject.PRACTICE, live, round=1)
    for each in (stranger, member):
        assert await each.follow() == []
        assert draft not in each.kept


async def test_an_embargo_that_ends_is_told_once_by_the_clock(demo: Database, ask: Ask) -> None:
    stranger = Mirror(ask, "")
    await stranger.follow()
    soon = datetime.now(UTC) + timedelta(seconds=1)

    async def embargo(db: Session, key: Any) -> Any:
        await practices.revise(db, TEST, key, Change(), {"visibility": Visibility.EMBARGO, "publish_at": soon})

    thing = await do(demo, "mobile-seoul", embargo)
    assert await stranger.follow() == [("DISAPPEARED", thing)]
    await jobs.tell_opened(demo)
    assert await stranger.follow() == []
    later = (soon + timedelta(seconds=5)).isoformat()
    async with demo.session() as db:  # the clock goes on: the row says when
        await db.execute(text("select pg_sleep(1.1)"))
    for _ in range(2):
        await jobs.tell_opened(demo, later)
    assert await stranger.follow() == [("APPEARED", thing)]
    assert await stranger.follow() == []


async def test_tombstones_are_for_those_who_could_see_the_thing(demo: Database, ask: Ask) -> None:
    """Who begins after a thing went is not told that there was one; a cursor cannot be made, nor lent."""
    thing = await do(demo, "mobile-seoul", lambda db, key: archives.archive(db, TEST, key, "A test."))
    early = Mirror(ask, "")
    assert thing not in {key for _, key in await early.follow()}
    member = Mirror(ask, "editor@barcelona.demo")
    await member.follow()
    early.cursor, early.anew = member.cursor, 0
    await early.follow()
    assert early.anew == 1, "a cursor of somebody else holds for nobody"
    raw = base64.urlsafe_b64decode(early.cursor + "=" * (-len(early.cursor) % 4))
    position, begun, rights, seal = json.loads(raw)
    for forged in ([position, 0, rights, seal], [0, 0, rights, seal], [position, begun, rights, seal ^ 1]):
        early.cursor = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
        early.anew = 0
        told = await early.follow()
        assert early.anew == 1, forged
        assert thing not in {key for _, key in told}


async def test_other_rights_begin_the_list_anew(demo: Database, ask: Ask) -> None:
    reader = Mirror(ask, "cio@chengdu.demo")
    await reader.follow()
    before = set(reader.kept)
    async with demo.session() as db:
        await membership.suspend(db, TEST, (await organisations.by_slug(db, "chengdu")).id, Decision("A test."))
    await reader.follow()
    assert reader.anew == 2
    assert reader.kept == await listed(ask, reader.who)
    assert reader.kept < before


@pytest.mark.parametrize(
    "cursor", ["", "x", "bnVsbA", "WzEsMiwzXQ", "WzEsMiwzLCJ4Il0", "WzEsMiwzLHRydWVd", "a" * 400, "é"]
)
async def test_a_cursor_that_is_none_is_refused(look: Ask, cursor: str) -> None:
    with pytest.raises(Exception, match="cursor"):
        await look("", CHANGES, variables={"after": cursor})


@pytest.mark.parametrize("first", [1, 3, 7])
async def test_small_pages_tell_the_same_and_each_thing_once(look: Ask, first: int) -> None:
    whole, small = Mirror(look, ""), Mirror(look, "", first=first)
    whole.told = await whole.follow()
    assert (await small.follow())[:40] == whole.told[:40]
    assert len({key for _, key in small.told}) == len(small.told) == len(whole.told)


async def test_pages_are_bounded_and_kinds_are_told_apart(look: Ask) -> None:
    for first in (0, -5, 10**6):
        page = (await look("", CHANGES, variables={"first": first}))["changes"]
        assert 1 <= len(page["items"]) <= 100
    cities_only = (await look("", CHANGES, variables={"kinds": ["CITY"], "first": 100}))["changes"]
    assert {each["kind"] for each in cities_only["items"]} == {"CITY"}
    both = (await look("", CHANGES, variables={"kinds": ["PRACTICE"], "first": 100}))["changes"]
    assert {each["kind"] for each in both["items"]} == {"PRACTICE"}


async def test_a_page_with_nothing_for_the_reader_leads_on(
    demo: Database, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Mirror(ask, "")
    await reader.follow()
    async with demo.session() as db:
        hidden = [audit.Happening(Event.APPLICATION_DRAFTED, Subject.CITY, new_id(), {}) for _ in range(4_100)]
        await audit.record_all(db, TEST, hidden)
        await cities.change(db, TEST, (await organisations.by_slug(db, "seoul")).id, {"population": 9_000_002})
    pages = 0
    cursor, items, more = reader.cursor, [], True
    while more:
        page = (await ask("", CHANGES, variables={"after": cursor}))["changes"]
        pages, items, cursor, more = pages + 1, items + page["items"], page["cursor"], page["hasMore"]
    assert pages == 5, "a page looks through a thousand entries"
    assert [(each["action"], each["city"]["slug"]) for each in items] == [("CHANGED", "seoul")]


async def test_nobody_follows_as_somebody_else(demo: Database) -> None:
    assert isinstance(NOBODY, Actor)
    one, other = await actor_of(demo, "cio@seoul.demo"), await actor_of(demo, "editor@barcelona.demo")
    assert len({rights_of(actor) for actor in (NOBODY, one, other, TEST)}) == 4
