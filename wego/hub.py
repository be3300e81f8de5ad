"""One hub: its settings, database, schema, keys and caches, as the routes and the worker need them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from federation.keys import open_keys
from federation.verifier import Verifier
from i18n.locales import reading_list
from wego.cache import PublicAnswers
from wego.core.db import Database
from wego.core.reads.documents import Recent
from wego.core.reads.engine import Engine, Prepared
from wego.core.reads.query import Limits
from wego.core.settings import Settings
from wego.core.tasks import ended, within
from wego.core.writes import Writer
from wego.limits import Rates
from wego.problems import words
from wego.schema import schema

CLOSE_SECONDS = 1.2  # for each of three things, so that all of them and the worker are closed within a stop


@dataclass
class Hub:
    """What is open while the hub runs."""

    settings: Settings
    database: Database
    engine: Engine
    writer: Writer
    keys: Any
    verifier: Verifier
    answers: PublicAnswers
    rates: Rates
    prepared: Recent[Any, Prepared | None] = field(default_factory=lambda: Recent(2_000))  # requests without a token


def limits_of(settings: Settings) -> Limits:
    return Limits(settings.max_cost, settings.max_depth, settings.max_aliases, settings.max_page)


def make_engine(settings: Settings) -> Engine:
    """The read engine of the whole schema."""
    return Engine(schema(), reading_of=reading_list, limits=limits_of(settings), max_tokens=settings.max_tokens)


@asynccontextmanager
async def open_hub(settings: Settings, url: str) -> AsyncIterator[Hub]:
    """Open everything on a prepared database; close it at the end."""
    async with contextlib.AsyncExitStack() as stack:
        database = await Database(url, read_size=settings.connections).open()
        stack.push_async_callback(_closed, database.close, "the database")
        answers = PublicAnswers(settings.cache_mb * 2**20)
        if settings.cache_mb:
            listening = asyncio.create_task(answers.listen(url), name="hearing of changes")
            stack.push_async_callback(ended, listening, CLOSE_SECONDS)
        engine = make_engine(settings)
        keys = await open_keys(settings, database)
        stack.push_async_callback(_closed, keys.close, "the keys")
        yield Hub(
            settings, database, engine, Writer(engine, database, words).bind_schema(schema()), keys,
            Verifier(settings, keys), answers, Rates(settings.requests_per_minute),
        )  # fmt: skip


async def _closed(close: Callable[[], Awaitable[None]], name: str) -> None:
    """Close one thing for a bounded time; what it raises must not keep the others open."""
    await within(CLOSE_SECONDS, close(), name)


def figures_of(hub: Hub) -> dict[str, float]:
    """What this process keeps and uses, for the metrics: `pool:<class of callers>:<state>`, and plain names."""
    return {
        "cache_bytes": hub.answers.size,
        "cache_answers": len(hub.answers),
        "documents": len(hub.engine.library._known),
        "rates_refused": hub.rates.refused,
        **{f"pool:{name}": value for name, value in hub.database.places().items()},
    }
