"""Practices: the list with its conditions, one practice, and what can be taken home of it."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import Any

import orjson
from markupsafe import Markup
from starlette.responses import Response

from wego.web import lists
from wego.web.drawing import bars
from wego.web.shell import Page, View, missing
from wego.web.written import tag_of

ORDERS = {
    "newest": {"field": "PUBLISHED_AT", "direction": "DESC"},
    "oldest": {"field": "PUBLISHED_AT", "direction": "ASC"},
    "changed": {"field": "UPDATED_AT", "direction": "DESC"},
}
KINDS = {
    "md": "text/markdown; charset=utf-8", "bib": "application/x-bibtex; charset=utf-8",
    "csl.json": "application/vnd.citationstyles.csl+json",
    "zip": "application/zip",
}  # fmt: skip
_NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?")
CONDITIONS = ("theme", "city", "locale", "sdg")


def conditions(page: Page) -> dict[str, Any]:
    """What an address asks of the list."""
    return {"q": page.query.get("q", "").strip()[:200], **{name: page.several(name) for name in CONDITIONS}}


def filter_of(asked: dict[str, Any]) -> dict[str, Any]:
    """The same as a filter of the API."""
    return lists.filtered(
        titleContains=asked["q"], themes=asked["theme"], cities=asked["city"], sdg=asked["sdg"],
        locale=asked["locale"][0] if asked["locale"] else None,
    )  # fmt: skip


async def show_list(page: Page) -> Response:
    given = conditions(page)
    asked = {**given, "order": lists.picked(page, "order", ORDERS, "newest")}
    variables = {"filter": filter_of(asked), "order": ORDERS[str(asked["order"])], **lists.window(page)}
    found = await lists.asked_or_all(page, __package__, "practices", variables)
    kept = {**given, "order": asked["order"] if asked["order"] != "newest" else ""}
    return page.render(
        "practices.html", here="practices", found=found, asked=asked, facets=_facets(page, found, asked),
        chips=_chips(page, found, asked, kept), asked_query=kept, feed_query=given, hidden=_hidden(given),
    )  # fmt: skip


def _hidden(given: dict[str, Any]) -> list[tuple[str, str]]:
    """The conditions as fields of a form that changes something else."""
    found = []
    for name, value in given.items():
        found += [(name, each) for each in ([value] if isinstance(value, str) else value) if each]
    return found


def _facets(page: Page, found: dict[str, Any], asked: dict[str, Any]) -> list[dict[str, Any]]:
    """By what the list can be narrowed, with how many practices have each value."""
    _, counts = page.in_words, found["practices"]["facets"]
    themes = [
        _choice(each["value"], each["count"], _told_apart(each, counts["themes"]), asked["theme"])
        for each in counts["themes"]
    ]
    cities = [
        _choice(each["city"]["slug"], each["count"], each["city"]["name"], asked["city"]) for each in counts["cities"]
    ]
    tongues = [
        _choice(each["value"], each["count"], {"text": page.words.endonym(each["value"])}, asked["locale"])
        for each in counts["locale"]
    ]
    goals = [
        _choice(each["value"], each["count"], each["name"], asked["sdg"]) for each in counts["sdg"] if not each["group"]
    ]
    return [
        {"name": "theme", "title": _("Theme"), "choices": themes},
        {"name": "city", "title": _("City"), "choices": cities},
        {"name": "locale", "title": _("I can read it in"), "choices": tongues},
        {"name": "sdg", "title": _("Sustainable Development Goals"), "choices": goals},
    ]


def _told_apart(theme: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The name of a theme, with its edition where another edition has a theme of this name."""
    name: dict[str, Any] | None = theme["name"]
    if name is None or sum(each["name"] == name for each in others) == 1:
        return name
    return {**name, "text": f"{name['text']} ({theme['group']})"}


def _choice(value: str, count: int, name: dict[str, Any] | None, chosen: list[str]) -> dict[str, Any]:
    """One value of a facet, with its name in its own language."""
    told = name or {"text": value}
    tag = tag_of(told) if "locale" in told else ""
    return {"value": value, "count": count, "word": told["text"], "tag": tag, "chosen": value in chosen}


def _chips(page: Page, found: dict[str, Any], asked: dict[str, Any], kept: dict[str, Any]) -> list[dict[str, Any]]:
    """What was chosen, each as a link to the list without it."""
    facets = found["practices"]["facets"]
    named = [each for each in (*facets["themes"], *facets["sdg"]) if each["name"]]
    names = {each["value"]: each["name"]["text"] for each in named}
    names |= {each["city"]["slug"]: each["city"]["name"]["text"] for each in facets["cities"]}
    chips = [{"word": asked["q"], "without": {**kept, "q": ""}}] if asked["q"] else []
    for name in CONDITIONS:
        for value in asked[name]:
            rest = [each for each in asked[name] if each != value]
            word = page.words.endonym(value) if name == "locale" else names.get(value, value)
            chips.append({"word": word, "without": {**kept, name: rest}})
    return chips


async def show(page: Page) -> Response:
    practice = await _practice(page)
    if practice is None:
        return missing(page)
    themes = [theme["code"] for theme in practice["themes"]]
    related = await page.ask(__package__, "related", themes=themes) if themes else {"practices": {"nodes": []}}
    others = [each for each in related["practices"]["nodes"] if each["slug"] != practice["slug"]]
    return page.render(
        "practice.html", here="practices", practice=practice, related=others[:3], tongues=_tongues(page, practice),
        stale=_stale(practice), measures=[_measure(page, each) for each in practice["indicators"] if each["value"]][:8],
        linked_data=_linked(page, practice), today=dt.datetime.now(dt.UTC).isoformat(),
        stages=_stages(page), levels=_levels(page),
    )  # fmt: skip


async def _practice(page: Page) -> dict[str, Any] | None:
    slug = page.request.path_params["slug"]
    if len(slug) > 100:
        return None
    found: dict[str, Any] | None = (await page.ask(__package__, "practice", slug=slug))["practice"]
    return found


def _stale(practice: dict[str, Any]) -> int:
    """How many parts are older than the original: the title, the summary, and each section."""
    texts = [practice["title"], practice["summary"], *(section["html"] for section in practice["sections"])]
    return sum(text["isStale"] for text in texts)


def _tongues(page: Page, practice: dict[str, Any]) -> list[dict[str, Any]]:
    """The languages in which it can be read, the original first, those that are whole before the others."""
    words = page.words
    original = practice["originalLocale"]
    found = [{"tag": original, "name": words.endonym(original), "original": True}]
    live = [each for each in practice["translations"] if each["status"] != "IN_REVIEW"]
    for each in sorted(live, key=lambda each: -each["percentComplete"]):
        found.append(
            {
                "tag": each["locale"],
                "name": words.endonym(each["locale"]),
                "original": False,
                "machine": each["origin"] == "MACHINE",
                "stale": bool(each["staleBlocks"]),
                "percent": each["percentComplete"],
            }
        )
    return found


def _measure(page: Page, indicator: dict[str, Any]) -> dict[str, Any]:
    """A figure with the bar that compares it with what was before."""
    value, before = _figure(indicator["value"]), _figure(indicator["baseline"])
    return {
        "name": indicator["unit"] or indicator["code"], "value": page.words.figure(indicator["value"]),
        "baseline": page.words.figure(indicator["baseline"]), "period": indicator["period"],
        "bar": "" if value is None else bars.pair(value, before),
    }  # fmt: skip


def _figure(told: str | None) -> float | None:
    """The number that a text begins with, if it is one."""
    found = _NUMBER.match(told or "")
    return float(found.group().replace(",", "")) if found and found.group() not in ("-", "+") else None


def _stages(page: Page) -> dict[str, Markup]:
    _ = page.in_words
    return {
        "PILOT": _("Being tried"), "IMPLEMENTING": _("Being built"), "OPERATING": _("In operation"),
        "SCALED": _("Spread to more places"), "ENDED": _("Ended"),
    }  # fmt: skip


def _levels(page: Page) -> dict[str, Markup]:
    _ = page.in_words
    return {
        "NEIGHBOURHOOD": _("in a neighbourhood"), "CITY": _("in the whole city"),
        "METROPOLITAN": _("in the metropolitan area"), "REGION": _("in the region"),
        "NATIONAL": _("in the whole country"),
    }  # fmt: skip


def _linked(page: Page, practice: dict[str, Any]) -> Markup:
    """The practice for search engines: Article of schema.org."""
    told = {
        "@context": "https://schema.org", "@type": "Article", "headline": practice["title"]["text"],
        "inLanguage": practice["title"]["locale"], "abstract": practice["summary"]["text"],
        "datePublished": practice["publishedAt"], "dateModified": practice["updatedAt"],
        "license": practice["licence"], "url": page.absolute(f"practices/{practice['slug']}"),
        "author": {"@type": "GovernmentOrganization", "name": practice["city"]["name"]["text"]},
    }  # fmt: skip
    return page.json(told)


def download(kind: str) -> View:
    """What can be taken home: the text, or how it is cited."""

    async def give(page: Page) -> Response:
        practice = await _practice(page)
        if practice is None:
            return missing(page)
        body = {"md": _markdown, "bib": _bibtex, "csl.json": _csl, "zip": _zip}[kind](page, practice)
        headers = {
            "content-disposition": f'attachment; filename="{practice["slug"]}.{kind}"', "cache-control": "no-cache",
            "content-language": practice["title"]["locale"],
        }  # fmt: skip
        return Response(body, 200, headers, KINDS[kind])

    return give


def _markdown(page: Page, practice: dict[str, Any]) -> str:
    parts = [f"# {practice['title']['text']}", practice["summary"]["text"]]
    for section in practice["sections"]:
        parts += [f"## {section['heading']['text']}", section["body"]["text"]]
    sources = [f"- {each['title']} {each['url'] or ''}".rstrip() for each in practice["sources"]]
    about = (
        f"{practice['city']['name']['text']}. {page.absolute('practices/' + practice['slug'])} "
        f"({practice['title']['locale']}, {practice['licence']})"
    )
    return "\n\n".join([*parts, *(["\n".join(sources)] if sources else []), "---", about]) + "\n"


def _bibtex(page: Page, practice: dict[str, Any]) -> str:
    """BibTeX in UTF-8; braces and backslashes of a text cannot end a field."""

    def plain(text: str) -> str:
        return re.sub(r"[{}\\]", "", text)

    fields = {
        "author": "{" + plain(practice["city"]["name"]["text"]) + "}", "title": plain(practice["title"]["text"]),
        "year": (practice["publishedAt"] or "")[:4], "url": page.absolute(f"practices/{practice['slug']}"),
        "langid": practice["title"]["locale"], "version": str(_version(practice)),
    }  # fmt: skip
    return f"@online{{{practice['slug']},\n" + "".join(f"  {k} = {{{v}}},\n" for k, v in fields.items()) + "}\n"


def _version(practice: dict[str, Any]) -> int:
    number: int = practice["versions"][0]["number"] if practice["versions"] else 1
    return number


def _csl(page: Page, practice: dict[str, Any]) -> bytes:
    """One item of CSL JSON."""
    told = {
        "id": practice["slug"], "type": "webpage", "title": practice["title"]["text"],
        "author": [{"literal": practice["city"]["name"]["text"]}], "language": practice["title"]["locale"],
        "URL": page.absolute(f"practices/{practice['slug']}"),
        "issued": {"date-parts": [[int(part) for part in (practice["publishedAt"] or "1970")[:10].split("-")]]},
    }  # fmt: skip
    return orjson.dumps([told])


def _zip(page: Page, practice: dict[str, Any]) -> bytes:
    """Text, citation and all facts in one archive, the same bytes for the same practice."""
    stamp = dt.datetime.fromisoformat(practice["updatedAt"]).timetuple()[:6]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in (
            (f"{practice['slug']}.{practice['title']['locale']}.md", _markdown(page, practice)),
            ("citation.bib", _bibtex(page, practice)),
            ("citation.csl.json", _csl(page, practice)),
            ("practice.json", orjson.dumps(practice, option=orjson.OPT_INDENT_2)),
        ):
            archive.writestr(zipfile.ZipInfo(name, stamp), body, zipfile.ZIP_DEFLATED)
    return made.getvalue()
