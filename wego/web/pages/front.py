"""The front page: in one screen what the network is and what is new."""

from __future__ import annotations

from starlette.responses import Response

from wego.web import places
from wego.web.drawing import maps
from wego.web.shell import Page


async def show(page: Page) -> Response:
    found = await page.ask(__package__, "front", members=list(places.MEMBERS))
    dots = [place.dot for place in await places.members(page)]
    return page.render(
        "front.html", here="", found=found, members=found["members"]["totalCount"],
        map=maps.world(dots, str(page.in_words("The member cities on a map of the world"))),
    )  # fmt: skip
