"""What growth is measured on: every filter of practices with a value for each way of being common, from the data.

Nobody chose a case: for each filter the values that nobody, hardly anybody, some and most have are looked up, and
every one is asked alone and with every one of every other filter. A filter of the schema without values fails the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import psycopg

from benchmarks.growth_data import KOREAN, LATIN, RARE

ORDERS = [(field, way) for field in ("PUBLISHED_AT", "UPDATED_AT", "SLUG") for way in ("DESC", "ASC")]
DEFAULT = ORDERS[0]


class Case(NamedTuple):
    """A filter with names for its values, the same at every size, and an order."""

    name: str
    filter: dict[str, Any]
    order: tuple[str, str] = DEFAULT

    @property
    def filters(self) -> str:
        return " + ".join(sorted(self.filter)) or "no filter"


# Each gives (value, how many have it), of the practices that everybody may see.
_OF_LISTS = "select v, count(*) from practice_listing, unnest({column}) v where public_from <= now() group by v"
_COUNTED = {
    "city": "select c.slug, count(*) from practice_listing l join organisation c on c.id = l.city_id group by 1",
    "country": "select c.country, count(*) from practice_listing l join organisation c on c.id = l.city_id group by 1",
    "region": "select upper(replace(c.region, '-', '_')), count(*) from practice_listing l"
    " join organisation c on c.id = l.city_id group by 1",
    "themes": _OF_LISTS.format(column="themes"),
    "sdg": _OF_LISTS.format(column="sdg_codes"),
    "locale": _OF_LISTS.format(column="locales"),
    "technologies": _OF_LISTS.format(column="technologies"),
    "keywords": _OF_LISTS.format(column="keywords"),
    "evidence": "select upper(replace(evidence, '-', '_')), count(*) from practice_listing group by 1",
    "status": "select upper(status), count(*) from practice_listing group by 1",
    "stage": "select upper(stage), count(*) from practice_listing group by 1",
}
_NOBODY = {
    "city": "nowhere", "country": "AQ", "themes": "2020.safe-city", "sdg": "13.b", "locale": "th",
    "technologies": "telegraph", "keywords": "telegraph",
}  # fmt: skip
_MANY = frozenset({"country", "region", "themes", "sdg", "status", "stage", "technologies", "keywords", "evidence"})
_MOMENTS = {
    "publishedAfter": ("sorted_at", (1.0, 0.9995, 0.97, 0.5, 0.0)),
    "publishedBefore": ("sorted_at", (0.0, 0.0005, 0.03, 0.5, 1.0)),
    "updatedAfter": ("updated_at", (1.0, 0.9995, 0.97, 0.5, 0.0)),
}
HOW_COMMON = ("none", "rare", "some", "half", "all")


def values(connection: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """The values of each filter, by a name that says how common they are."""
    found: dict[str, dict[str, Any]] = {}
    for name, sql in _COUNTED.items():
        rows = connection.execute(f"{sql} order by 2, 1".encode()).fetchall()
        picked = {"rare": rows[0][0], "some": rows[len(rows) // 2][0], "most": rows[-1][0]}
        if name in _NOBODY:
            picked["none"] = _NOBODY[name]
        found[name] = {key: [value] if name in _MANY else value for key, value in picked.items()}
    listed = [
        row[0] for row in connection.execute("select slug from organisation order by md5(slug) limit 100").fetchall()
    ]
    found["cities"] = {"none": ["nowhere"], "one": listed[:1], "hundred": listed}
    found["titleContains"] = _titles()
    for name, (column, parts) in _MOMENTS.items():
        wanted = f"select percentile_disc(%s::float8[]) within group (order by {column}) from practice_listing"
        row = connection.execute(wanted.encode(), (list(parts),)).fetchone()
        assert row
        found[name] = {key: at.isoformat() for key, at in zip(HOW_COMMON, row[0], strict=True)}
    return found


def _titles() -> dict[str, str]:
    return {
        "none": "zzqxj", "none of common parts": "ortaldatarep", "rare": RARE[0], "rare Korean": RARE[1][:2],
        "most": LATIN[0], "least": LATIN[-1], "two words": f"{LATIN[-1]} {LATIN[-2]}", "some Korean": KOREAN[-1],
        "most Korean": KOREAN[0], "one letter": "a", "a rare letter": "q", "two letters": "rf",
        "one Korean": KOREAN[10], "one Korean of none": "뷁", "a digit": "77", "everything": "",
    }  # fmt: skip


def alone(known: dict[str, dict[str, Any]]) -> Iterator[Case]:
    """No filter and every value of every filter, in every order."""
    for order in ORDERS:
        yield Case(f"nothing, {_told(order)}", {}, order)
        for name, picked in known.items():
            for how, value in picked.items():
                yield Case(f"{name} {how}, {_told(order)}", {name: value}, order)


def pairs(known: dict[str, dict[str, Any]], orders: list[tuple[str, str]]) -> Iterator[Case]:
    """Every value of every filter with every value of every other."""
    for (first, these), (second, those) in combinations(known.items(), 2):
        for how, value in these.items():
            for other_how, other in those.items():
                for order in orders:
                    name = f"{first} {how}, {second} {other_how}, {_told(order)}"
                    yield Case(name, {first: value, second: other}, order)


def _told(order: tuple[str, str]) -> str:
    return f"{order[0].lower().replace('_at', '')} {order[1].lower()}"
