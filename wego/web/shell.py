"""What every page has: its language and words, its document asked in the reader's rights, its frame and headers.

Binding texts: design/web.md (sections 0 and 2), design/look.md section 5. A page is a view function, one GraphQL
document in a file beside it, and a template. It has no query of its own and no second model: the document runs through
the read engine in this process, as one statement. The language is the first part of each address.
"""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.convertors import Convertor
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from i18n.language.catalogs import counted, fill, say
from i18n.language.locales import LOCALES, MOST_HEADER, accepted, direction, negotiate, wished
from wego.api import responses
from wego.api.hub import Hub
from wego.api.request import knows
from wego.core.access import NOBODY
from wego.core.cache import digest
from wego.core.errors import Refusal
from wego.core.rates import Purpose
from wego.core.turns import Turns
from wego.problems import words
from wego.web import static, written
from wego.web.drawing.icons import icon
from wego.web.drawing.marks import mark

MOST_WAITING = 20  # pages; each takes some ten milliseconds
LONGEST_QUERY = 4_000  # characters of an address behind the question mark
COMPRESSION = 4  # of gzip: two thirds of a millisecond for a page of 40 KB

View = Callable[["Page"], Awaitable[Response]]


@cache
def environment() -> Environment:
    """The templates, with what all of them use."""
    made = Environment(
        loader=PackageLoader("wego.web"), autoescape=select_autoescape(), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    made.globals |= {"icon": icon, "mark": mark, "asset": static.address, "locales": LOCALES, "tag_of": written.tag_of}
    return made


@cache
def document(package: str, name: str) -> str:
    """The GraphQL document that stands beside a view."""
    return (files(package) / f"{name}.graphql").read_text("utf-8")


@dataclass
class Site:
    """The pages of one hub: the turns in which they are made, and where the members lie."""

    hub: Hub
    turns: Turns = field(default_factory=lambda: Turns(MOST_WAITING))
    members: Any = None  # what `places` keeps


@dataclass
class Page:
    """One page that is being answered: who asks for it in which language, and how it is said."""

    request: Request
    site: Site
    locale: str

    @property
    def hub(self) -> Hub:
        return self.site.hub

    @cached_property
    def words(self) -> written.Words:
        """How dates and numbers are written in the language of the page."""
        return written.Words(self.locale)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def several(self, name: str, most: int = 20) -> list[str]:
        """The values of a condition that may be given several times; no more of them than a form can send."""
        return [value[:200] for value in self.request.query_params.getlist(name)[:most] if value]

    def in_words(self, sentence: str, /, **params: object) -> Markup:
        """A sentence in the language of the page; what fills it is escaped."""
        return _safe(say(self.locale, sentence), params)

    def count(self, one: str, other: str, number: int, /, **params: object) -> Markup:
        """A sentence that tells a number."""
        return Markup(counted(self.locale, str(escape(one)), str(escape(other)), number, **_escaped(params)))  # noqa: S704  # escaped on this line

    def to(self, path: str = "", /, locale: str = "", **query: Any) -> str:
        """The address of a page in this language, or in another."""
        given = urlencode({name: value for name, value in query.items() if value not in (None, "", [])}, doseq=True)
        return f"/{locale or self.locale}/{path}" + (f"?{given}" if given else "")

    def itself(self, locale: str) -> str:
        """The address of this page in a language; its conditions stay."""
        path = self.request.url.path.split("/", 2)
        query = self.request.url.query
        return f"/{locale}/{path[2] if len(path) > 2 else ''}" + (f"?{query}" if query else "")

    def absolute(self, path: str) -> str:
        """The whole address of a page in this language."""
        return str(self.hub.settings.issuer).rstrip("/") + self.to(path)

    def absolute_itself(self) -> str:
        """The whole address of this page."""
        return str(self.hub.settings.issuer).rstrip("/") + self.itself(self.locale)

    def permanent(self, slug: str) -> str:
        """What a practice is called in every language and for ever (RFC 4151)."""
        host = urlsplit(self.hub.settings.issuer).hostname
        return f"tag:{host},2010:practices/{slug}"

    @staticmethod
    def json(told: object) -> Markup:
        """JSON inside a page: nothing in it can end the element that holds it."""
        text = orjson.dumps(told).decode()
        return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704  # escaped on this line

    async def ask(self, package: str, name: str, **variables: Any) -> dict[str, Any]:
        """What the document beside the view answers, in the rights of who asks."""
        operation = self.hub.engine.find(document(package, name), None, variables)
        run = self.hub.engine.run_of(operation, NOBODY, wished(self._languages(), "", ""))
        answer = await self.hub.engine.query(self.hub.database.reads, operation, run, self.hub)
        found: dict[str, Any] = orjson.loads(answer.data)
        return found

    def _languages(self) -> list[str]:
        """The languages for what cities wrote: that of the page, then what the browser takes."""
        asked = accepted(self.request.headers.get("accept-language", ""))
        return [self.locale, *(tag for tag in asked if tag != self.locale)]

    def render(self, template: str, status: int = 200, **context: Any) -> Response:
        """The page itself."""
        found = environment().get_template(template).render(
            _=self.in_words, count_=self.count, page=self, to=self.to, locale=self.locale,
            direction=direction(self.locale), words=self.words, **context,
        )  # fmt: skip
        return answer(self.request, found, self.locale, status)


def answer(request: Request, text: str, locale: str, status: int = 200) -> Response:
    """A page as it goes over the line, compressed where the reader takes that."""
    body = text.encode("utf-8")
    headers = {"vary": "accept-encoding", "content-language": locale}
    if status != 200:
        headers["cache-control"] = "no-store"
    if _packed(request):
        body = gzip.compress(body, COMPRESSION, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, media_type="text/html; charset=utf-8")


def route(site: Site, path: str, view: View) -> Route:
    """The address of a view under each language: `route("/practices", …)` is `/{lang}/practices`. What nobody in
    particular asked is kept until something changes, as the answers of the API are."""

    async def show(request: Request) -> Response:
        answers = site.hub.answers
        key, version = _key(request), answers.version

        async def make() -> responses.Response:
            made = await _made(site, request, view)
            told = responses.Response(made.status_code, bytes(made.body), tuple(made.raw_headers))
            return answers.put(key, _kept(told), version) if made.status_code == 200 else told

        return _sent(request, await answers.single_flight(key, make) or await make())

    return Route(f"/{{lang:language}}{path}", show)


def _key(request: Request) -> bytes:
    """What a page depends on: its address, the languages of the reader, and whether it is compressed."""
    asked = request.headers.get("accept-language", "")[:MOST_HEADER]
    return digest(b"page", str(request.url.path).encode(), request.url.query.encode(), asked.encode(), _packed(request))


def _packed(request: Request) -> bytes:
    return b"gzip" if "gzip" in request.headers.get("accept-encoding", "")[:200] else b""


async def _made(site: Site, request: Request, view: View) -> Response:
    """The page, made in its turn."""
    if len(request.url.query) > LONGEST_QUERY:
        return not_found(site, request)
    page = Page(request, site, request.path_params["lang"])
    try:
        async with site.turns.take():
            site.hub.rates.take(Purpose.REQUEST, f"ip:{request.scope['wego.client']}")
            return await view(page)
    except Refusal as refusal:
        return refused(page, refusal)


def _kept(told: responses.Response) -> responses.Response:
    """A page as it may be kept, by the hub and by the reader, who asks again whether it is still the same."""
    made = responses.tagged(told)
    made.headers = (*told.headers, *made.headers)
    return made


def _sent(request: Request, told: responses.Response) -> Response:
    """A page, or word that the reader has it already (RFC 9110 section 13.1.2)."""
    fresh = bool(told.tag) and knows(request.headers.get("if-none-match"), told.tag.decode())
    response = Response(b"" if fresh else told.body, 304 if fresh else told.status)
    response.raw_headers = list(told.headers)
    if fresh:
        response.raw_headers = [each for each in told.headers if each[0] not in {b"content-length", b"content-type"}]
    return response


def not_found(site: Site, request: Request) -> Response:
    """The page that says that there is nothing at an address, in the language of the address or of the reader."""
    first = request.url.path.split("/")[1][:35]
    return missing(Page(request, site, first if first in LOCALES else chosen(request)))


def refused(page: Page, refusal: Refusal) -> Response:
    """The page that says why something was not done, and when to come again."""
    told = [problem["message"] for problem in words(refusal, page.locale)]
    response = page.render("refused.html", refusal.status, told=told, here="", again=refusal.retry_after is not None)
    if refusal.retry_after:
        response.headers["retry-after"] = str(refusal.retry_after)
    return response


def missing(page: Page) -> Response:
    """The page that says that there is no such page, in the words of the house."""
    guess = page.request.url.path.strip("/").split("/")[-1].replace("-", " ")[:60]
    return page.render("missing.html", 404, guess=guess if guess not in LOCALES else "", here="")


def chosen(request: Request) -> str:
    """The language for who has not chosen one."""
    return negotiate(accepted(request.headers.get("accept-language", "")))


class Language(Convertor[str]):
    """The first part of the address of a page: a language that the hub speaks. Other addresses are not of pages."""

    regex = "|".join(LOCALES)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


async def to_front(request: Request) -> Response:
    """`/ko`: the front page in this language has a slash at its end."""
    return RedirectResponse(f"/{request.path_params['lang']}/", 308, {"cache-control": "no-cache"})


async def door(request: Request) -> Response:
    """`/`: to the front page in the language of the browser."""
    where = f"/{chosen(request)}/"
    return RedirectResponse(where, 302, {"vary": "accept-language", "cache-control": "no-cache"})


def _escaped(params: Mapping[str, object]) -> dict[str, object]:
    return {name: escape(value) for name, value in params.items()}


def _safe(sentence: str, params: Mapping[str, object]) -> Markup:
    return Markup(fill(str(escape(sentence)), _escaped(params)))  # noqa: S704  # escaped on this line
