"""What is said before there is a request to answer: problem+json (RFC 9457), prepared once."""

from __future__ import annotations

import http
from functools import cache

RETRY = frozenset({429, 503})
WORDS = {
    400: "The request is not HTTP as RFC 9112 defines it.",
    408: "The request did not arrive in time.",
    413: "The body is larger than what is accepted here.",
    414: "The address is longer than what is accepted here.",
    429: "Too many requests were sent ahead on one connection.",
    431: "The headers are larger than what is accepted here.",
    503: "There are too many connections; try again.",
}


@cache
def refusal(status: int) -> bytes:
    """A whole answer, after which the connection ends."""
    title = http.HTTPStatus(status).phrase
    body = f'{{"type":"about:blank","title":"{title}","status":{status},"detail":"{WORDS[status]}"}}'
    retry = "retry-after: 2\r\n" if status in RETRY else ""
    return (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"{retry}cache-control: no-store\r\nconnection: close\r\n\r\n{body}"
    ).encode()
