"""How the routes beside GraphQL say that something went wrong, each in its own form.

Binding texts: RFC 9457 (problem+json), RFC 6749 section 5.2 (OAuth errors), RFC 9110 sections 10.2.3 and 15.6.4. A page
gets a page, an endpoint of the authorization server an OAuth error, everything else a problem. Nothing inside is told.
"""

from __future__ import annotations

import html
import http
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from i18n.language.locales import LOCALES

RETRY_SECONDS = 2
DETAILS = {
    404: "There is nothing at this address.",
    405: "This address is not asked in this way.",
    500: "Something went wrong inside. It was written down.",
    503: "The hub cannot answer now, because its database is away. Try again in a moment.",
}
_OAUTH = {503: "temporarily_unavailable", 500: "server_error"}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · WeGO</title><link rel="stylesheet" href="/static/app.css"></head>
<body><main><h1>{title}</h1><p>{detail}</p></main></body></html>
"""


def failure(scope: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for a request that cannot be answered."""
    title = http.HTTPStatus(status).phrase
    detail = DETAILS.get(status, title)
    more = {"cache-control": "no-store", **(headers or {})}
    if status == 503:
        more.setdefault("retry-after", str(RETRY_SECONDS))
    path = scope["path"]
    if path.startswith("/oauth/"):
        told = {"error": _OAUTH.get(status, "invalid_request"), "error_description": detail}
        return Response(orjson.dumps(told), status, more, media_type="application/json")
    if path == "/" or path[1:].partition("/")[0] in LOCALES or _wants_page(scope):
        page = _PAGE.format(title=html.escape(title), detail=html.escape(detail))
        return Response(page, status, more, media_type="text/html; charset=utf-8")
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(orjson.dumps(problem), status, more, media_type="application/problem+json")


def _wants_page(scope: Mapping[str, Any]) -> bool:
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in accept[:1_000]
