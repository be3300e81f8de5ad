"""Where the members lie, for the maps: asked page by page, and kept for some minutes, because no city moves."""

from __future__ import annotations

from functools import cache
from time import monotonic
from typing import NamedTuple

from members.membership.terms import terms
from wego.web.drawing.maps import Place
from wego.web.shell import Page

SECONDS = 300.0
MOST_PAGES = 20  # of a hundred cities
MEMBERS = ("ASSOCIATE", "FULL", "FRIENDSHIP", "CORPORATE", "RESIGNING", "SUSPENDED")


@cache
def regions(locale: str) -> tuple[tuple[str, str], ...]:
    """The regions of the world as the API names them, with what they are called."""
    return tuple(
        (code.upper().replace("-", "_"), labels[locale]) for scheme, code, _, labels in terms() if scheme == "region"
    )


class Member(NamedTuple):
    """A member and its point on the map."""

    slug: str
    dot: Place


class Places:
    """The members of one hub, as they were some minutes ago."""

    def __init__(self) -> None:
        self.found: list[Member] = []
        self.until = 0.0

    async def ask(self, page: Page) -> list[Member]:
        if monotonic() < self.until:
            return self.found
        found: list[Member] = []
        after = None
        for _ in range(MOST_PAGES):
            cities = (await page.ask("wego.web", "places", members=list(MEMBERS), after=after))["cities"]
            found += [_member(city) for city in cities["nodes"]]
            after = cities["pageInfo"]["endCursor"]
            if not cities["pageInfo"]["hasNextPage"]:
                break
        self.found, self.until = found, monotonic() + SECONDS
        return found


def _member(city: dict) -> Member:  # type: ignore[type-arg]  # of JSON
    where = city["coordinates"]
    return Member(city["slug"], Place(where["latitude"], where["longitude"], city["practices"]["totalCount"] > 0))


async def members(page: Page) -> list[Member]:
    """The members of the network, the largest first."""
    page.site.members = page.site.members or Places()
    found: list[Member] = await page.site.members.ask(page)
    return found
