"""The fixtures of the tests over HTTP, for every folder that asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from http_make import Seeded, Station, fresh_home, fresh_station, make_seeded


@pytest.fixture(scope="session")
async def seeded(cluster: Any, template: str) -> AsyncIterator[Seeded]:
    """The demonstration network, loaded once per run."""
    with fresh_home("/dev/shm") as home:
        yield await make_seeded(cluster.admin_url, template, home)


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
