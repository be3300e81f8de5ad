"""The first page: what this is, the newest practices, and the first query to try. Plain HTML; no script."""

from __future__ import annotations

from functools import cache

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from i18n.language.catalogs import fill, say
from i18n.language.locales import DEFAULT, LOCALES, accepted, canonical, direction, negotiate, wished
from wego.api.hub import Hub
from wego.core.access import NOBODY
from wego.core.turns import Turns

MOST_WAITING = 20  # pages; each takes some ten milliseconds

NEWEST = """
query Newest {
  practices(first: 8) {
    totalCount
    nodes {
      slug publishedAt
      title { ...text } summary { ...text }
      city { name { ...text } country { name { ...text } } }
      themes { code label { ...text } }
    }
  }
  cities(first: 1) { totalCount }
}
fragment text on LocalizedText { text locale direction isFallback isStale }
"""

FIRST_QUERY = """{
  practices(first: 3) {
    nodes {
      title { text locale isFallback }
      city { name { text } }
    }
  }
}"""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("wego.web"), autoescape=select_autoescape(), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip


async def home(request: Request) -> HTMLResponse:
    """`GET /`; `?lang=` chooses a language and is kept in the links of the chooser only."""
    turns: Turns = request.app.state.pages
    async with turns.take():
        return await _page(request)


async def _page(request: Request) -> HTMLResponse:
    hub: Hub = request.app.state.hub
    locale, languages = _languages(request)
    operation = hub.engine.find(NEWEST, None, {})
    run = hub.engine.run_of(operation, NOBODY, wished(languages, "", ""))
    answer = await hub.engine.query(hub.database.reads, operation, run, hub)
    page = (
        _environment()
        .get_template("home.html")
        .render(
            _=lambda sentence, **params: _say(locale, sentence, params),
            locale=locale,
            direction=direction(locale),
            locales=LOCALES,
            found=orjson.loads(answer.data),
            query=FIRST_QUERY,
            address=hub.settings.resource,
        )
    )
    headers = {"content-language": locale, "vary": "accept-language", "cache-control": "no-cache"}
    return HTMLResponse(page, headers=headers)


def _languages(request: Request) -> tuple[str, list[str]]:
    """The locale of the page, and the languages for what cities wrote."""
    asked = accepted(request.headers.get("accept-language", ""))
    chosen = canonical(request.query_params.get("lang", "")[:35])
    wanted = (chosen, *(tag for tag in asked if tag != chosen)) if chosen else asked
    return negotiate(wanted), list(wanted) or [DEFAULT]


def _say(locale: str, sentence: str, params: dict[str, object]) -> Markup:
    translated = say(locale, sentence)
    return Markup(fill(str(escape(translated)), {key: escape(value) for key, value in params.items()}))  # noqa: S704  # escaped on this line
