"""Markdown at the edge: split into blocks, refused when it cannot be shown as written, rendered and
sanitised once.

Binding text: CommonMark 0.31. Texts are never changed silently: what a reader could not see, or what could
harm him, is refused by `check`, so that a stored text comes back byte for byte. Raw HTML is off, in writing
and in rendering; nh3 (ammonia) has the last word on what leaves as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from wego.core.errors import Invalid

Path = Sequence[str | int]

SCHEMES = frozenset({"http", "https", "mailto"})
TAGS = frozenset(
    {
        "p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a",
        "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
    }
)  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}

# Explicit directions can make a text read as another than it is (Trojan Source); isolation is the page's
# work.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCHEME = re.compile(r"^\s*([A-Za-z][A-Za-z0-9+.-]*):")

_parser = MarkdownIt("commonmark", {"html": False}).enable("table")
_strict = MarkdownIt("commonmark", {"html": True}).enable("table")  # only to find raw HTML


def check_text(text: str, *, path: Path = (), limit: int, lines: bool = False) -> None:
    """Refuse what no plain text may hold: nothing at all, too much, control characters, halves of
    characters."""
    if not text.strip():
        raise Invalid("This text is empty.", path=path)
    if len(text) > limit:
        raise Invalid(
            "This text has {length} characters; at most {limit} are allowed.",
            path=path,
            length=len(text),
            limit=limit,
        )
    _check_characters(text, path, lines)


def _check_characters(text: str, path: Path, lines: bool) -> None:
    if _SURROGATE.search(text):
        raise Invalid("This text holds half of a character (a lone surrogate).", path=path)
    if _BIDI.search(text):
        raise Invalid(
            "This text holds invisible characters that change its direction.",
            path=path,
        )
    if "\r" in text:
        raise Invalid("Lines must end with a line feed alone, without a carriage return.", path=path)
    if _CONTROL.search(text):
        raise Invalid("This text holds control characters.", path=path)
    if not lines and "\n" in text:
        raise Invalid("This text must be a single line.", path=path)


def check(text: str, *, path: Path = (), limit: int = 20_000) -> None:
    """Refuse Markdown that could not be shown as it was written: raw HTML, images, links other than web and
    mail."""
    check_text(text, path=path, limit=limit, lines=True)
    for token in _every(_strict.parse(text)):
        if token.type in {"html_block", "html_inline"}:
            raise Invalid("Raw HTML is not accepted; write Markdown, and HTML as code between backticks.", path=path)
        if token.type == "image":
            raise Invalid("Images inside a text are not accepted; link to them.", path=path)
        scheme = _SCHEME.match(str(token.attrs.get("href", ""))) if token.type == "link_open" else None
        if scheme and scheme[1].lower() not in SCHEMES:
            raise Invalid("Links may use http, https or mailto, not {scheme}.", path=path, scheme=scheme[1])


def _every(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _every(token.children or ())


def blocks(text: str) -> list[str]:
    """The top-level blocks of a text, cut at empty lines only: `"\\n\\n".join(blocks(text)) == text`, always.

    What is not separated by an empty line stays one block, and surplus blank lines stay with their neighbour.
    """
    starts = _line_starts(text)
    spans = [(starts[m[0]], _content_end(text, starts, m)) for m in _maps(text)]
    pieces, begin = [], 0
    for (_, end), (start, _) in pairwise(spans):
        cut = text.find("\n\n", end, start)
        if cut >= 0:
            pieces.append(text[begin:cut])
            begin = cut + 2
    return [*pieces, text[begin:]] if text else []


def join(pieces: Sequence[str]) -> str:
    """Blocks as one text."""
    return "\n\n".join(pieces)


def _maps(text: str) -> list[list[int]]:
    return [token.map for token in _parser.parse(text) if token.level == 0 and token.nesting >= 0 and token.map]


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text)), len(text) + 1]


def _content_end(text: str, starts: list[int], lines: list[int]) -> int:
    """Where the last line of a block that is not blank ends; a list counts blank lines after it as its
    own."""
    last = min(lines[1], len(starts) - 1) - 1
    while last > lines[0] and not text[starts[last] : starts[last + 1] - 1].strip():
        last -= 1
    return starts[last + 1] - 1


@lru_cache(maxsize=1024)
def render(text: str) -> str:
    """HTML of a text, sanitised. Headings start at the third level: the page and its section have the
    others."""
    tokens = _parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    html = str(_parser.renderer.render(tokens, _parser.options, {}))
    return nh3.clean(
        html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes=set(SCHEMES), link_rel="nofollow noopener"
    )
