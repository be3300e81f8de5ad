"""Markdown at the edge: split into blocks, refused when it cannot be shown as written, rendered and
sanitised once.

Parsing costs some microseconds for each character, so a text is parsed once for all three (`parsed`), and what comes
of it is remembered for the moment in which it is checked, cut and rendered. A text whose brackets would take the parser
long is refused: it looks for the end of each link through the rest of its paragraph.

Binding text: CommonMark 0.31. Texts are never changed silently: what a reader could not see, or what could
harm him, is refused by `check`, so that a stored text comes back byte for byte. Raw HTML is off, in writing
and in rendering; nh3 (ammonia) has the last word on what leaves as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from wego.core.cache import Cache, digest
from wego.core.errors import CostExceeded, Invalid

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

MOST_SCANNED = 3_000_000  # characters that the parser may look through for the ends of links, of one text
PARSED_BYTES = 4 * 2**20


def _markdown(html: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": html}).enable("table")
    for name in ("link", "image"):
        (rule,) = (each for each in parser.inline.ruler.__rules__ if each.name == name)
        rule.fn = _counted(rule.fn)
    parser.inline.ruler.__compile__()
    return parser


def _counted(rule: Callable[[Any, bool], bool]) -> Callable[[Any, bool], bool]:
    """A rule of the parser that gives up when a text makes it look through too much."""

    def run(state: Any, silent: bool) -> bool:
        scanned = state.env["scanned"] = state.env.get("scanned", 0) + state.posMax - state.pos
        if scanned > MOST_SCANNED:
            raise CostExceeded("This text has too many brackets in one paragraph.")
        return rule(state, silent)

    return run


_parser = _markdown(html=False)
_strict = _markdown(html=True)  # only to find raw HTML


@dataclass(frozen=True, slots=True)
class Parsed:
    """What comes of a text: its blocks, its HTML, and what forbids to keep it (a sentence and its value)."""

    blocks: tuple[str, ...]
    html: str
    problem: tuple[str, str] | None

    @property
    def bytes(self) -> int:
        return 4 * (sum(map(len, self.blocks)) + len(self.html)) + 200 * len(self.blocks)


_known: Cache[bytes, Parsed] = Cache(PARSED_BYTES, size=lambda known: known.bytes)
_one_at_a_time = Lock()  # texts are parsed on the event loop and beside it


def parsed(text: str) -> Parsed:
    """Parse, check, cut and render a text; CostExceeded where that would take too long."""
    key = digest(text.encode("utf-8", "surrogatepass"))
    with _one_at_a_time:
        found = _known.get(key)
    if found is None:
        found = _parsed(text)
        with _one_at_a_time:
            _known.put(key, found)
    return found


def _parsed(text: str) -> Parsed:
    tokens = _strict.parse(text)
    problem = _problem(tokens)
    if any(token.type in {"html_block", "html_inline"} for token in _every(tokens)):
        tokens = _parser.parse(text)  # shown, HTML is text
    return Parsed(tuple(_blocks(text, tokens)), _html(tokens), problem)


def _problem(tokens: Sequence[Token]) -> tuple[str, str] | None:
    for token in _every(tokens):
        if token.type in {"html_block", "html_inline"}:
            return "html", ""
        if token.type == "image":
            return "image", ""
        scheme = _SCHEME.match(str(token.attrs.get("href", ""))) if token.type == "link_open" else None
        if scheme and scheme[1].lower() not in SCHEMES:
            return "scheme", scheme[1]
    return None


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
    try:
        problem = parsed(text).problem
    except CostExceeded as refusal:
        refusal.path = tuple(path)
        raise
    match problem:
        case ("html", _):
            raise Invalid("Raw HTML is not accepted; write Markdown, and HTML as code between backticks.", path=path)
        case ("image", _):
            raise Invalid("Images inside a text are not accepted; link to them.", path=path)
        case ("scheme", scheme):
            raise Invalid("Links may use http, https or mailto, not {scheme}.", path=path, scheme=scheme)


def _every(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _every(token.children or ())


def blocks(text: str) -> list[str]:
    """The top-level blocks of a text, cut at empty lines only: `"\\n\\n".join(blocks(text)) == text`, always.

    What is not separated by an empty line stays one block, and surplus blank lines stay with their neighbour.
    """
    return list(parsed(text).blocks)


def _blocks(text: str, tokens: Sequence[Token]) -> list[str]:
    starts = _line_starts(text)
    maps = [token.map for token in tokens if token.level == 0 and token.nesting >= 0 and token.map]
    spans = [(starts[m[0]], _content_end(text, starts, m)) for m in maps]
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


def _line_starts(text: str) -> list[int]:
    """A line ends where CommonMark 2.1 says."""
    return [0, *(match.end() for match in re.finditer("\r\n?|\n", text)), len(text) + 1]


def _content_end(text: str, starts: list[int], lines: list[int]) -> int:
    """Where the last line of a block that is not blank ends; a list counts blank lines after it as its
    own."""
    last = min(lines[1], len(starts) - 1) - 1
    while last > lines[0] and not text[starts[last] : starts[last + 1] - 1].strip():
        last -= 1
    return starts[last + 1] - 1


def render(text: str) -> str:
    """HTML of a text, sanitised. Headings start at the third level: the page and its section have the
    others. What would take too long to parse, and is kept from times when that was not refused, is shown as it was
    written."""
    try:
        return parsed(text).html
    except CostExceeded:
        return f"<p>{nh3.clean_text(text)}</p>"


def _html(tokens: list[Token]) -> str:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    html = str(_parser.renderer.render(tokens, _parser.options, {}))
    return nh3.clean(
        html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes=set(SCHEMES), link_rel="nofollow noopener"
    )
