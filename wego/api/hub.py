"""One hub: its settings, database, schema, keys and caches, as the routes and the worker need them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from federation.jose.keys import KeyRing
from federation.oauth import documents
from federation.oauth.verifier import Verifier
from i18n.language.locales import reading_list
from wego.api.persisted import PersistedDocuments
from wego.api.responses import PublicCache
from wego.api.results import Ready
from wego.core.cache import Cache, sweep_all, total_bytes
from wego.core.db import Database
from wego.core.memory import keep_tidy
from wego.core.offload import Work, waiting
from wego.core.rates import Purpose, Rates
from wego.core.reads.engine import Engine
from wego.core.reads.query import Limits
from wego.core.settings import Settings
from wego.core.tasks import ended, within
from wego.core.writes import Writer
from wego.problems import words
from wego.schema import schema

PREPARED_BYTES = 2 * 2**20
SWEEP_SECONDS = 3.0
CLOSE_SECONDS = 1.2  # for each of three things, so that all of them and the worker are closed within a stop


class Hub:
    """What one process serves with: complete when it is made, connected while it is `opened`."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.database = Database(url, read_size=settings.connections)
        self.engine = make_engine(settings)
        self.writer = Writer(self.engine, self.database, words)
        self.keys = KeyRing(settings, self.database)
        self.verifier = Verifier(settings, self.keys)
        self.answers = PublicCache(settings.cache_mb * 2**20)
        self.rates = rates_of(settings)
        self.persisted = PersistedDocuments(partial(documents.find, self.database.reads))
        # Requests of which only the statements are left to run.
        self.prepared: Cache[bytes, Ready] = Cache(PREPARED_BYTES, size=lambda ready: ready.bytes)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connect to the prepared database and keep everything fresh; close it all at the end."""
        async with contextlib.AsyncExitStack() as stack:
            await self.database.open()
            stack.push_async_callback(_closed, self.database.close, "the database")
            for duty, name in self._duties():
                stack.push_async_callback(ended, asyncio.create_task(duty, name=name), CLOSE_SECONDS)
            await self.keys.refresh()
            self.keys.watch()
            stack.push_async_callback(_closed, self.keys.close, "the keys")
            yield

    def _duties(self) -> Iterator[tuple[Coroutine[Any, Any, None], str]]:
        yield _sweep(), "sweep of the caches"
        yield keep_tidy(), "tidying of memory"
        if self.settings.cache_mb:
            yield self.answers.listen(self.database.url), "hearing of changes"


def rates_of(settings: Settings) -> Rates:
    """The rates of one process; `requests_per_minute` 0 switches all of them off."""
    if not settings.requests_per_minute:
        return Rates({})
    return Rates(
        {
            Purpose.REQUEST: settings.requests_per_minute,
            Purpose.TOKEN: settings.requests_per_minute,
            Purpose.COST: settings.cost_per_minute,
            Purpose.MUTATION: settings.mutations_per_minute,
            Purpose.ISSUE: settings.tokens_per_minute,
            Purpose.GUESS: settings.guesses_per_minute,
            Purpose.INVITATION: settings.guesses_per_minute,
        }
    )


def limits_of(settings: Settings) -> Limits:
    return Limits(settings.max_cost, settings.max_depth, settings.max_aliases, settings.max_page)


def make_engine(settings: Settings) -> Engine:
    """The read engine of the whole schema."""
    return Engine(schema(), reading_of=reading_list, limits=limits_of(settings), max_tokens=settings.max_tokens)


async def _sweep() -> None:
    """Free what has expired, also when nobody asks for anything."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        sweep_all()


async def _closed(close: Callable[[], Awaitable[None]], name: str) -> None:
    """Close one thing for a bounded time; what it raises must not keep the others open."""
    await within(CLOSE_SECONDS, close(), name)


def figures_of(hub: Hub) -> dict[str, float]:
    """What this process keeps and uses, for the metrics: `pool:<lane>:<state>`, `work:<kind>`, and plain names."""
    found: dict[str, float] = {
        "cache_bytes": total_bytes(), "cache_answers": len(hub.answers), "documents": len(hub.engine.library),
    }  # fmt: skip
    for lane, (places, taken, queued) in hub.database.reads.places().items():
        found |= {f"pool:{lane}:places": places, f"pool:{lane}:used": taken, f"pool:{lane}:waiting": queued}
    found["pool:write:used"] = hub.database.engine.pool.checkedout()  # type: ignore[attr-defined]  # of a queue pool
    return found | {f"work:{work}": waiting(work) for work in Work}
