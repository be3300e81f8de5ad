"""The mark of a city: a square divided where the city lies, with a dot at the corner (design/look.md section 1).

It is computed and never drawn, so that a metropolis and a town have the same: no flags, no crests, no ranks. Neighbours
look alike on purpose, because it is a place and not an identity; it never stands without the name.
"""

from __future__ import annotations

from math import tanh

from markupsafe import Markup

_MARK = Markup(
    '<svg class="mark" width="{size}" height="{size}" viewBox="0 0 28 28" aria-hidden="true">'
    '<rect class="mark-ground" x="1" y="1" width="26" height="26" rx="3"/>'
    '<path class="mark-field" d="M1 4a3 3 0 0 1 3-3H{x}V{y}H1Z"/>'
    '<rect class="mark-edge" x="1" y="1" width="26" height="26" rx="3"/>'
    '<circle class="mark-dot" cx="{x}" cy="{y}" r="3.6"/></svg>'
)
SEOUL = (37.566, 126.978)  # where the network was founded: the mark of the hub itself


def point(latitude: float, longitude: float) -> tuple[float, float]:
    """Where the square is divided, between 4 and 24 each way. The tangent spreads 20 to 50 degrees north, where most
    members lie; the square begins at 169 degrees west, in the ocean."""
    across = 4 + 20 * ((longitude + 169) % 360) / 360
    down = 4 + 20 * min(1.0, max(0.0, 0.5 - 0.5 * tanh((latitude - 28) / 26)))
    return round(across, 1), round(down, 1)


def mark(latitude: float, longitude: float, size: int = 28) -> Markup:
    """The mark of the city at this place, so many pixels wide."""
    x, y = point(latitude, longitude)
    return _MARK.format(size=size, x=x, y=y)
