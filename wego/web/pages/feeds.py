"""What machines read of the pages: feeds of a list with its conditions, the map of the site, and rules for robots.

Binding texts: RFC 4287 (Atom), JSON Feed 1.1 (jsonfeed.org), sitemaps.org 0.9 with alternates of each language.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson
from starlette.requests import Request
from starlette.responses import Response

from i18n.language.locales import LOCALES
from wego.web.pages.practices import conditions, filter_of
from wego.web.shell import Page, Site, View

ATOM, JSON_FEED = "application/atom+xml; charset=utf-8", "application/feed+json"
_ENTRY = (
    "<entry><id>{id}</id><title xml:lang={lang}>{title}</title><link href={link} hreflang={lang}/>"
    "<published>{published}</published><updated>{updated}</updated><author><name>{author}</name></author>"
    "<summary xml:lang={lang}>{summary}</summary></entry>"
)


def feed(kind: str) -> View:
    """The feed of the list of practices under the conditions of its address."""

    async def give(page: Page) -> Response:
        asked = conditions(page)
        found = await page.ask(__package__, "feeds", filter=filter_of(asked))
        nodes = found["practices"]["nodes"]
        body = _atom(page, nodes) if kind == "atom" else _json(page, nodes)
        return Response(body, 200, {"content-language": page.locale}, ATOM if kind == "atom" else JSON_FEED)

    return give


def _title(page: Page) -> str:
    return str(page.in_words("Practices of member cities"))


def _atom(page: Page, nodes: list[dict[str, Any]]) -> bytes:
    updated = max((each["updatedAt"] for each in nodes), default="2010-09-07T00:00:00Z")
    itself = page.absolute_itself()
    entries = [
        _ENTRY.format(
            id=escape(page.permanent(each["slug"])), lang=quoteattr(each["title"]["locale"]),
            title=_text(each["title"]["text"]), link=quoteattr(page.absolute(f"practices/{each['slug']}")),
            published=each["publishedAt"] or each["updatedAt"], updated=each["updatedAt"],
            author=_text(each["city"]["name"]["text"]), summary=_text(each["summary"]["text"]),
        )
        for each in nodes
    ]  # fmt: skip
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{page.locale}">'
        f"<id>{escape(itself)}</id><title>{_text(_title(page))}</title><updated>{updated}</updated>"
        f'<link rel="self" href={quoteattr(itself)}/>{"".join(entries)}</feed>\n'
    ).encode()


def _text(text: str) -> str:
    """A text in XML, without what XML 1.0 has no place for."""
    return escape("".join(letter for letter in text if letter >= " " or letter in "\t\n"))


def _json(page: Page, nodes: list[dict[str, Any]]) -> bytes:
    items = [
        {
            "id": page.permanent(each["slug"]), "url": page.absolute(f"practices/{each['slug']}"),
            "title": each["title"]["text"], "language": each["title"]["locale"],
            "content_text": each["summary"]["text"], "date_published": each["publishedAt"],
            "date_modified": each["updatedAt"], "authors": [{"name": each["city"]["name"]["text"]}],
        }
        for each in nodes
    ]  # fmt: skip
    told = {
        "version": "https://jsonfeed.org/version/1.1", "title": _title(page), "language": page.locale,
        "feed_url": page.absolute_itself(), "home_page_url": page.absolute("practices"), "items": items,
    }  # fmt: skip
    return orjson.dumps(told)


def robots(site: Site) -> Any:
    """`/robots.txt`: pages may be read; what they were asked with, and the API, need not be."""
    body = f"User-agent: *\nDisallow: /graphql\nDisallow: /*?*\nSitemap: {site.hub.settings.issuer}/sitemap.xml\n"

    async def give(_request: Request) -> Response:
        return Response(body, 200, {"cache-control": "public, max-age=3600"}, "text/plain; charset=utf-8")

    return give


def sitemap(site: Site) -> Any:
    """`/sitemap.xml`: the pages that everybody starts from, each in every language. Practices and cities are found from
    their lists."""
    address = site.hub.settings.issuer
    paths = ("", "practices", "cities", "members", "developers")
    rows = [
        f"<url><loc>{address}/{locale}/{path}</loc>"
        + "".join(
            f'<xhtml:link rel="alternate" hreflang="{other}" href="{address}/{other}/{path}"/>' for other in LOCALES
        )
        + "</url>"
        for path in paths
        for locale in LOCALES
    ]
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:xhtml="http://www.w3.org/1999/xhtml">' + "".join(rows) + "</urlset>\n"
    )

    async def give(_request: Request) -> Response:
        return Response(body, 200, {"cache-control": "public, max-age=3600"}, "application/xml")

    return give
