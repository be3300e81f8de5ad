"""A real browser, where there is one: the system's Chromium, driven by Playwright.

`make browser` installs it where apt is there. Without one the tests say loudly that they did not run; they fail instead
when `WEGO_REQUIRE_BROWSER` is set.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

# The builders lie beside the tests over HTTP; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parents[1] / "http"), str(Path(__file__).parent)]

from http_fixtures import seeded  # noqa: E402 -- the path comes first
from http_make import Seeded  # noqa: E402 -- likewise
from http_server import served  # noqa: E402 -- likewise

__all__ = ["seeded"]

WHY = "BROWSER TESTS NOT RUN: no Chromium; `make browser` installs it, WEGO_CHROMIUM names another"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"]


def chromium() -> str | None:
    return os.environ.get("WEGO_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Any]:
    path = chromium()
    if path is None:
        (pytest.fail if os.environ.get("WEGO_REQUIRE_BROWSER") else pytest.skip)(WHY)
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
async def address(seeded: Seeded) -> AsyncIterator[str]:
    """Where the pages of a hub with the demonstration are, for whatever changes nothing."""
    with seeded.clone() as url:
        async with served(seeded, url, requests_per_minute=0) as found:
            yield found
