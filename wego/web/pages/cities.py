"""Cities: the list, and one city with its practices and its membership."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from wego.web import lists, places
from wego.web.drawing import maps
from wego.web.shell import Page, missing

ORDERS = {
    "name": {"field": "NAME", "direction": "ASC"},
    "population": {"field": "POPULATION", "direction": "DESC"},
    "newest": {"field": "MEMBER_SINCE", "direction": "DESC"},
}


async def show_list(page: Page) -> Response:
    regions = places.regions(page.locale)
    asked = {
        "q": page.query.get("q", "").strip()[:200], "region": lists.picked(page, "region", dict(regions)),
        "order": lists.picked(page, "order", ORDERS, "name"),
    }  # fmt: skip
    wanted = lists.filtered(
        nameContains=asked["q"], region=asked["region"] and [asked["region"]], membershipStatus=list(places.MEMBERS)
    )
    found = await lists.asked_or_all(
        page, __package__, "cities", {"filter": wanted, "order": ORDERS[asked["order"]], **lists.window(page, 20)}
    )
    kept = {**asked, "order": "" if asked["order"] == "name" else asked["order"]}
    return page.render("cities.html", here="cities", found=found, asked=asked, regions=regions, asked_query=kept)


async def show(page: Page) -> Response:
    slug = page.request.path_params["slug"]
    city = None if len(slug) > 100 else (await page.ask(__package__, "city", slug=slug))["city"]
    if city is None:
        return missing(page)
    where = city["coordinates"]
    others = [each.dot for each in await places.members(page) if each.slug != slug]
    label = page.in_words("{city} on a map of its part of the world", city=city["name"]["text"])
    return page.render(
        "city.html", here="cities", city=city, place=_degrees(where["latitude"], where["longitude"]),
        map=maps.window(maps.Place(where["latitude"], where["longitude"]), others, str(label)),
        linked_data=_linked(page, city),
    )  # fmt: skip


def _degrees(latitude: float, longitude: float) -> str:
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.2f}° {north}, {abs(longitude):.2f}° {east}"


def _linked(page: Page, city: dict[str, Any]) -> Any:
    """The city for search engines: GovernmentOrganization of schema.org."""
    return page.json(
        {
            "@context": "https://schema.org",
            "@type": "GovernmentOrganization",
            "name": city["name"]["text"],
            "alternateName": city["endonym"]["text"],
            "url": city["website"] or page.absolute(f"cities/{city['slug']}"),
            "address": {"@type": "PostalAddress", "addressCountry": city["country"]["code"]},
        }
    )
