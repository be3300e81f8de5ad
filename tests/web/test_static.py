"""The files that pages load: whose they are, that they are what was vendored, and how heavy a first view is."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import orjson
import pytest
from http_make import Station

from wego.web import static

HOME = files("wego.web") / "static"
ROOT = Path(__file__).parents[2]
LICENCES = {"MIT", "BSD-0-Clause", "OFL-1.1", "ISC", "MPL-2.0"}  # the last only in tests


def test_each_vendored_file_is_the_one_of_the_manifest_and_has_a_licence():
    told = orjson.loads((HOME / "vendor" / "MANIFEST.json").read_bytes())
    there = {f"wego/web/static/vendor/{each.name}" for each in (HOME / "vendor").iterdir()}
    assert there - {"wego/web/static/vendor/MANIFEST.json"} == {name for name in told if "/vendor/" in name}
    for name, entry in told.items():
        assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == entry["sha256"], name
        assert entry["licence"] in LICENCES, name
        assert re.fullmatch(r"\S+ \d+\.\d+\.\d+", entry["source"])


def test_our_style_knows_no_left_and_right_and_loads_nothing_from_elsewhere():
    for name in ("app.css", "fonts.css"):
        style = (HOME / name).read_text("utf-8")
        assert not re.search(
            r"(margin|padding|border)-(left|right)|[^-a-z](left|right)\s*:|float\s*:|text-align:\s*(left|right)", style
        )
        assert "//" not in re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)


async def test_a_file_is_kept_for_ever_under_its_hash_and_unknown_ones_are_not_there(standing: Station):
    for asset in static.assets().values():
        answer = await standing.http.get(asset.address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.content == asset.body
    assert "immutable" not in (await standing.http.get("/static/app.css")).headers["cache-control"]
    for path in ("/static/nothing.css", "/static/..%2fapp.py", "/static/vendor/MANIFEST.json"):
        assert (await standing.http.get(path)).status_code == 404


@pytest.mark.parametrize(("locale", "budget"), [("en", 150_000), ("ko", 150_000), ("ru", 160_000), ("ar", 320_000)])
async def test_a_first_view_is_light(standing: Station, locale: str, budget: int):
    """Bytes over the line: the page, its style sheets, and the fonts of its language."""
    fonts = {"ru": ("cyrillic",), "ar": ("arabic",)}.get(locale, ())
    names = [f"noto-sans-{slice_}-wght-normal.woff2" for slice_ in ("latin", *fonts)]
    assets = static.assets()
    weight = sum(len(assets[name].body) for name in names)
    weight += sum(
        len(assets[name].compressed or b"") for name in ("designsystemet.css", "theme.css", "fonts.css", "app.css")
    )
    async with standing.http.stream("GET", f"/{locale}/", headers={"accept-encoding": "gzip"}) as answer:
        weight += len(b"".join([part async for part in answer.aiter_raw()]))
    assert weight < budget
