"""The icons of the pages: a grid of 24, a stroke of 1.7, no fill (design/look.md 7). None is without a word."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "original": '<circle cx="12" cy="12" r="8"/><circle cx="12" cy="12" r="2.5"/>',
    "human": '<path d="m5 19 1-4L16.5 4.5l3 3L9 18Z"/><path d="m14 7 3 3"/>',
    "machine": (
        '<rect x="7" y="7" width="10" height="10" rx="2"/><path d="M10 3v4m4-4v4m-4 10v4m4-4v4M3 10h4m-4 '
        '4h4m10-4h4m-4 4h4"/>'
    ),
    "checked": (
        '<rect x="5" y="5" width="10" height="10" rx="2"/><path d="M8 2v3m4-3v3M2 8h3m-3 4h3"/><path d="m12 '
        '18 3 3 6-6"/>'
    ),
    "sheet": '<path d="M6 3h8l4 4v14H6Z"/><path d="M14 3v4h4"/>',
    "older": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>',
    "half": (
        '<circle cx="12" cy="12" r="8.5"/><path fill="currentColor" stroke="none" d="M12 3.5a8.5 8.5 0 0 0 0 17Z"/>'
    ),
    "globe": '<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c3 3 3 14 0 17-3-3-3-14 0-17Z"/>',
    "letters": (
        '<path d="M3 6h9M7.500 3.500V6c0 3-2 6-4.500 7.500M5 9c1 2 3 4 5 4.800M12.500 20l4-10 4 10m-6.700-3h5.400"/>'
    ),
    "seal": (
        '<circle cx="12" cy="9" r="5.500"/><circle cx="12" cy="9" r="2"/><path d="m8.500 13.500-1 7 '
        '4.500-2.500 4.500 2.500-1-7"/>'
    ),
    "search": '<circle cx="11" cy="11" r="6.500"/><path d="m16 16 4.500 4.500"/>',
    "bell": '<path d="M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15Zm4 4.500h4"/>',
    "quote": '<path d="M5 15c2 0 3-1 3-4H5V6h5v5c0 4-2 6-5 6Zm9 0c2 0 3-1 3-4h-3V6h5v5c0 4-2 6-5 6Z"/>',
    "load": '<path d="M12 4v11m-5-4.500 5 5 5-5M5 20h14"/>',
    "code": '<path d="m8 7-5 5 5 5m8-10 5 5-5 5M14 4l-4 16"/>',
    "house": '<path d="M4 20V10l8-6 8 6v10Z"/><path d="M9 20v-6h6v6"/>',
    "desk": '<path d="M3 9h18M5 9v11m14-11v11M9 9V5h6v4m-6 5h6"/>',
    "full": '<circle cx="12" cy="12" r="8.500"/><path d="m8 12.500 3 3 5-6"/>',
    "suspended": '<path d="M8.500 3.500h7l5 5v7l-5 5h-7l-5-5v-7Z"/><path d="M12 8v5m0 2.500v.5"/>',
    "leave": '<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5l3 2"/>',
    "file": '<path d="M6 3h8l4 4v14H6Z"/><path d="M14 3v4h4"/>',
    "arrow": '<path d="M4 12h15m-6-6 6 6-6 6"/>',
    "close": '<path d="m6 6 12 12M18 6 6 18"/>',
}
_ICON = Markup(
    '<svg class="icon{more}" width="{size}" height="{size}" viewBox="0 0 24 24" aria-hidden="true">{path}</svg>'
)


def icon(name: str, size: int = 18) -> Markup:
    """The icon of this name; arrows follow the direction of the page."""
    more = " turns" if name == "arrow" else ""
    return _ICON.format(more=more, size=size, path=Markup(_PATHS[name]))  # noqa: S704  # the paths are those above
