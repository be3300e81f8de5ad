"""What the tests look at in a page: its elements in order, and whether it is well formed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"])
SVG = frozenset(["path", "rect", "circle"])  # closed by themselves


@dataclass
class Element:
    """One element with its attributes, the text right inside it, and the tags that it lies in."""

    tag: str
    given: dict[str, str]
    inside: tuple[str, ...]
    text: str = ""


@dataclass
class Markup(HTMLParser):
    """A page taken apart; `wrong` is what a validator would say."""

    elements: list[Element] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.wrong += [f"<{tag}> has {name} twice" for name in set(names) if names.count(name) > 1]
        made = Element(tag, {name: value or "" for name, value in attrs}, tuple(each.tag for each in self._open))
        self.elements.append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.wrong.append(f"</{tag}> closes {self._open[-1].tag if self._open else 'nothing'}")
        elif self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1].text += data

    def all(self, tag: str) -> list[Element]:
        return [each for each in self.elements if each.tag == tag]


def read(page: str) -> Markup:
    """A page taken apart; its ids are unique, and what points to an id finds it."""
    found = Markup()
    found.feed(page)
    found.close()
    ids = [each.given["id"] for each in found.elements if "id" in each.given]
    found.wrong += [f"the id {each} stands twice" for each in set(ids) if ids.count(each) > 1]
    for each in found.elements:
        for name in ("for", "aria-labelledby", "aria-describedby"):
            found.wrong += [f"{name}={key} leads nowhere" for key in each.given.get(name, "").split() if key not in ids]
    return found
