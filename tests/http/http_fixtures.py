"""The fixtures of the tests over HTTP, for every folder that asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from http_make import Seeded, Station, fresh_home, fresh_station, make_seeded

_LOADED: dict[str, Seeded] = {}


@pytest.fixture(scope="session")
async def seeded(cluster: Any, template: str) -> AsyncIterator[Seeded]:
    """The demonstration network, loaded once per run: each folder that names this fixture has one of its own, and
    all but the first find what the first loaded."""
    known = _LOADED.get(cluster.admin_url)
    if known is not None:
        yield known
        return
    with fresh_home("/dev/shm") as home:
        _LOADED[cluster.admin_url] = await make_seeded(cluster.admin_url, template, home)
        yield _LOADED[cluster.admin_url]


@pytest.fixture
async def station(seeded: Seeded) -> AsyncIterator[Station]:
    """A hub on a database of its own."""
    async with fresh_station(seeded) as made:
        yield made


@pytest.fixture(scope="session")
async def standing(seeded: Seeded) -> AsyncIterator[Station]:
    """One hub for whatever changes nothing."""
    async with fresh_station(seeded) as made:
        yield made
