"""For developers: queries with names, run on this page, and as programs that can be copied."""

from __future__ import annotations

import orjson
from starlette.responses import Response

from wego.web.shell import Page, document

EXAMPLES = ("example_newest", "example_city", "example_members")


async def show(page: Page) -> Response:
    address = page.hub.settings.resource
    titles = {
        "example_newest": page.in_words("The newest practices, in the reader's language"),
        "example_city": page.in_words("One city, its membership and what it shares"),
        "example_members": page.in_words("Who became a member last"),
    }
    wanted = page.query.get("run", "")
    examples = []
    for name in EXAMPLES:
        query = document(__package__, name)
        answer = await page.ask(__package__, name) if wanted == name else None
        told = orjson.dumps({"data": answer}, option=orjson.OPT_INDENT_2).decode() if answer is not None else ""
        ways = _ways(address, query, page.locale)
        examples.append({"name": name, "title": titles[name], "query": query, "answer": told, "ways": ways})
    return page.render("developers.html", here="developers", address=address, examples=examples)


def _ways(address: str, query: str, locale: str) -> list[tuple[str, str]]:
    """The query as a command and in two languages of programs."""
    body = orjson.dumps({"query": query}).decode()
    quoted = body.replace("'", "'\\''")
    return [
        ("curl", f"curl {address} -H 'content-type: application/json' -H 'accept-language: {locale}' -d '{quoted}'"),
        (
            "Python",
            "import httpx\n\n"
            f'query = """{query}"""\n'
            f'answer = httpx.post("{address}", json={{"query": query}}, headers={{"accept-language": "{locale}"}})\n'
            "print(answer.json())",
        ),
        (
            "JavaScript",
            f"const query = `{query}`;\n"
            f'const answer = await fetch("{address}", {{\n  method: "POST",\n'
            f'  headers: {{ "content-type": "application/json", "accept-language": "{locale}" }},\n'
            "  body: JSON.stringify({ query }),\n});\nconsole.log(await answer.json());",
        ),
    ]
