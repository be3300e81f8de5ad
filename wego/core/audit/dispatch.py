"""The log is the outbox: what was appended is delivered to everybody who listens.

Whoever writes does nothing for it. The log is appended under a lock that is held until the commit is visible, so the
order of indexes is the order of commits: who has read up to an index has seen everything before it, and a cursor for
each listener is all that has to be remembered. NOTIFY wakes at the commit; entries are delivered when they are on disk
(`wego.core.durable`), so nobody acts on what a power cut could take back. Any number of workers may run: each listener
is served by one of them, and by another within seconds when that one dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import asyncpg

from wego.core.audit.cursors import Cursors, News, Place
from wego.core.audit.listeners import LISTENERS, WATERMARK, Entry, Listener
from wego.core.db import Database, is_away
from wego.core.traces import traced

log = logging.getLogger("wego.dispatch")

CHANNEL = "wego_data"
TAKE_SECONDS = 2.0  # between two tries to take a listener over from another worker
SAVE_SECONDS = 10.0  # how often places are written that only moved past what nobody waits for
_SETTINGS = {"application_name": "wego dispatch", "jit": "off", "timezone": "UTC", "synchronous_commit": "off"}


async def _nothing(_database: Database, _entry: Entry) -> None:
    raise AssertionError("the watermark waits for no event")


_MARK = Listener(WATERMARK, frozenset(), _nothing)


class _ConnectionLostError(Exception):
    """The connection that holds the locks is gone: whatever runs must stop, because another worker takes over."""


class Dispatcher:
    """Follows the log for all listeners of this process."""

    def __init__(self, database: Database, listeners: Iterable[Listener] | None = None) -> None:
        self._database = database
        self._listeners = list(LISTENERS.values() if listeners is None else listeners)

    async def run(self) -> None:
        """Deliver until cancelled. A connection that breaks is made anew."""
        while True:
            try:
                await self._follow()
            except Exception as error:  # the dispatcher must outlive a database that restarts
                _tell(error)
            await asyncio.sleep(1)

    async def _follow(self) -> None:
        connection = await asyncpg.connect(self._database.url, timeout=5, server_settings=_SETTINGS)
        gone, woken = asyncio.Event(), asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        try:
            cursors = Cursors(connection)
            await cursors.ensure(self._listeners)
            followers = [_Follower(self._database, cursors, each) for each in (*self._listeners, _MARK)]
            await connection.add_listener(CHANNEL, lambda *_: woken.set())
            async with asyncio.TaskGroup() as group:
                for each in followers:
                    group.create_task(each.run(), name=f"listener {each.name}")
                group.create_task(_tail(cursors, followers, woken), name="tail of the log")
                group.create_task(_saving(followers), name="places in the log")
                await gone.wait()
                raise _ConnectionLostError
        finally:
            connection.terminate()


async def _tail(cursors: Cursors, followers: Iterable[_Follower], woken: asyncio.Event) -> None:
    """Read what is new once for all, and wake those who wait for it."""
    end = (await cursors.news(2**62)).end
    for each in followers:
        each.wake()
    while True:
        await woken.wait()
        woken.clear()
        news = await cursors.news(end)
        if news.end > end:
            end = news.end
            for each in followers:
                each.hear(news)


async def _saving(followers: Iterable[_Follower]) -> None:
    while True:
        await asyncio.sleep(SAVE_SECONDS)
        for each in followers:
            await each.save()


class _Follower:
    """One listener: its place in the log, and the delivery of what it waits for."""

    def __init__(self, database: Database, cursors: Cursors, listener: Listener) -> None:
        self._database, self._cursors, self._listener = database, cursors, listener
        self.name, self._events = listener.name, sorted(event.value for event in listener.events)
        self._position = self._saved = 0
        self._idle = False  # it has the listener, and has seen the log up to its place
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def hear(self, news: News) -> None:
        """Look at what is new only if something of it is waited for."""
        if self._idle and self._position >= news.start and news.events.isdisjoint(self._events):
            self._position = max(self._position, news.end)
        else:
            self._woken.set()

    async def save(self) -> None:
        """Write the place of who only moved on."""
        if self._idle and self._position > self._saved:
            await self._save(self._position)

    async def _save(self, position: int) -> None:
        await self._cursors.move(self.name, position)
        self._saved = position

    async def run(self) -> None:
        place = await self._take()
        self._position = self._saved = place.position
        await asyncio.sleep(place.wait)
        while True:
            self._woken.clear()  # before the look, so that what comes meanwhile is looked at again
            await self._catch_up()
            self._idle = not self._woken.is_set()
            await self._woken.wait()
            self._idle = False

    async def _take(self) -> Place:
        """Wait until no other worker has it. Nobody tells when a worker died, so it is asked again and again."""
        while (place := await self._cursors.take(self.name)) is None:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(TAKE_SECONDS)
        return place

    async def _catch_up(self) -> None:
        more = True
        while more:
            batch = await self._cursors.after(self._position, self._events)
            if batch.entries:
                await self._database.flush.flushed()
            for entry in batch.entries:
                if entry.index >= self._position:  # an operator may have moved on past it
                    await self._deliver(entry)
            self._position = max(self._position, batch.end)
            more = batch.more

    async def _deliver(self, entry: Entry) -> None:
        """Until it is done, or an operator has moved on past it."""
        while True:
            try:
                async with asyncio.timeout(self._listener.seconds):
                    await self._listener.hear(self._database, entry)
            except Exception as error:
                log.error("listener %s, entry %d:\n%s", self.name, entry.index, traced(error))
                wait = await self._cursors.fail(self.name, entry.index, type(error).__name__)
                if wait is not None:
                    await asyncio.sleep(wait)
                self._position = max(self._position, await self._cursors.position(self.name))
                if self._position > entry.index:
                    return
            else:
                self._position = entry.index + 1
                await self._save(self._position)
                return


def _tell(error: BaseException) -> None:
    """A database that is away is no mistake of ours; anything else is written down."""
    first = error
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, _ConnectionLostError) or is_away(first):
        log.warning("the log is not followed: %s", type(first).__name__)
    else:
        log.error("following the log failed:\n%s", traced(error))
