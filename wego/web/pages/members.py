"""The public register: who is a member, in which state, since when, and by whose decision."""

from __future__ import annotations

from starlette.responses import Response

from wego.web import lists, places
from wego.web.shell import Page


async def show(page: Page) -> Response:
    regions = places.regions(page.locale)
    asked = {
        "q": page.query.get("q", "").strip()[:200], "region": lists.picked(page, "region", dict(regions)),
        "state": lists.picked(page, "state", places.MEMBERS),
    }  # fmt: skip
    wanted = lists.filtered(
        nameContains=asked["q"], region=asked["region"] and [asked["region"]],
        membershipStatus=[asked["state"]] if asked["state"] else list(places.MEMBERS),
    )  # fmt: skip
    found = await lists.asked_or_all(page, __package__, "members", {"filter": wanted, **lists.window(page, 20)})
    return page.render("members.html", here="members", found=found, asked=asked, regions=regions, asked_query=asked)
