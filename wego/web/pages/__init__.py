"""The pages, by noun: a view function, its GraphQL document beside it, and its template."""

from __future__ import annotations

from starlette.convertors import register_url_convertor
from starlette.routing import Route

from wego.web.pages import cities, developers, feeds, front, members, practices
from wego.web.shell import Language, Site, route, to_front


def routes(site: Site) -> list[Route]:
    """Every page under each language. What is exact stands before what holds a name."""
    register_url_convertor("language", Language())
    return [
        Route("/{lang:language}", to_front),
        route(site, "/", front.show),
        route(site, "/practices", practices.show_list),
        *(route(site, f"/practices.{kind}", feeds.feed(kind)) for kind in ("atom", "json")),
        Route("/robots.txt", feeds.robots(site)),
        Route("/sitemap.xml", feeds.sitemap(site)),
        *(route(site, f"/practices/{{slug}}.{kind}", practices.download(kind)) for kind in practices.KINDS),
        route(site, "/practices/{slug}", practices.show),
        route(site, "/cities", cities.show_list),
        route(site, "/cities/{slug}", cities.show),
        route(site, "/members", members.show),
        route(site, "/developers", developers.show),
    ]
