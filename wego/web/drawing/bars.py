"""Bars that compare a figure with what was before, without axes: both ends are told in words beside it."""

from __future__ import annotations

from markupsafe import Markup

_PAIR = Markup(
    '<svg class="bar" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">'
    '<rect class="{kind}" width="{before}" height="3.5" y="0"/>'
    '<rect class="bar-now" width="{now}" height="7" y="6"/></svg>'
)


def pair(value: float, before: float | None) -> Markup:
    """Two bars on one scale: what was before, thin, and the figure; an empty track where nothing is known of before."""
    most = max(abs(value), abs(before or 0)) or 1
    known = before is not None
    return _PAIR.format(
        kind="bar-before" if known else "bar-none", before=round(100 * abs(before or 0) / most, 1) if known else 100,
        now=round(100 * abs(value) / most, 1),
    )  # fmt: skip
