"""The map of the world with the cities of the network: land only, no borders and no names of countries.

Binding texts: Equal Earth projection (Šavrič, Patterson and Jenny, 2018); design/look.md section 9. The path of the
land is made once, by `frontend/build.mjs`, with the scale that stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from math import asin, cos, pi, radians, sin, sqrt
from typing import NamedTuple

import orjson
from markupsafe import Markup

_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
_TALL = 418  # units of the drawing: what lies below is the Antarctic, where nobody lives


class Land(NamedTuple):
    """The outline of the land, and how degrees become units of the drawing."""

    path: str
    width: int
    turn: float
    scale: float
    across: float
    down: float


class Place(NamedTuple):
    """A point on the map; `known` has practices that everybody can read."""

    latitude: float
    longitude: float
    known: bool = False


@cache
def land() -> Land:
    given = orjson.loads((files(__package__) / "world.json").read_bytes())
    return Land(given["land"], given["width"], given["turn"], given["scale"], *given["translate"])


def project(latitude: float, longitude: float) -> tuple[float, float]:
    """Where a place lies on the drawing, in its units."""
    ground = land()
    turned = (longitude + ground.turn + 180) % 360 - 180
    theta = asin(sqrt(3) / 2 * sin(radians(latitude)))
    square = theta * theta
    sixth = square**3
    x = (turned * pi / 180) * cos(theta) / (
        sqrt(3) / 2 * (_A1 + 3 * _A2 * square + sixth * (7 * _A3 + 9 * _A4 * square))
    )  # fmt: skip
    y = theta * (_A1 + _A2 * square + sixth * (_A3 + _A4 * square))
    return round(ground.across + ground.scale * x, 1), round(ground.down - ground.scale * y, 1)


def world(places: Iterable[Place], label: str) -> Markup:
    """The world with a dot for each place; those that are known are larger and lie above the others."""
    ground = land()
    dots = {False: [], True: []}  # type: dict[bool, list[str]]
    for place in places:
        x, y = project(place.latitude, place.longitude)
        dots[place.known].append(f"M{x} {y}h0")
    return Markup(
        '<svg class="world" viewBox="0 0 {width} {tall}" role="img" aria-label="{label}">'
        '<path class="world-land" d="{land}"/><path class="world-cities" d="{cities}"/>'
        '<path class="world-known" d="{known}"/></svg>'
    ).format(
        width=ground.width, tall=_TALL, label=label, land=ground.path,
        cities="".join(dots[False]), known="".join(dots[True]),
    )  # fmt: skip


def window(centre: Place, others: Iterable[Place], label: str, *, wide: int = 220, tall: int = 150) -> Markup:
    """The part of the world around a place, which is marked among the others."""
    ground = land()
    x, y = project(centre.latitude, centre.longitude)
    left = min(max(0.0, x - wide / 2), ground.width - wide)
    top = min(max(0.0, y - tall / 2), _TALL - tall)
    dots = "".join("M{} {}h0".format(*project(each.latitude, each.longitude)) for each in others)
    return Markup(
        '<svg class="world window" viewBox="{left:.0f} {top:.0f} {wide} {tall}" role="img" aria-label="{label}">'
        '<path class="world-land" d="{land}"/><path class="world-cities" d="{dots}"/>'
        '<circle class="world-here" cx="{x}" cy="{y}" r="3.6"/></svg>'
    ).format(left=left, top=top, wide=wide, tall=tall, label=label, land=ground.path, dots=dots, x=x, y=y)
