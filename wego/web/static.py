"""The files that pages load: our style, what is vendored, and the fonts of each language.

Each address holds the hash of what it names, so that it can be kept for ever and a new version is seen at once. Whose
the vendored files are, and under which licence, is told by `static/vendor/MANIFEST.json`, which a test compares with
them.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

TYPES = {
    "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "woff2": "font/woff2",
    "svg": "image/svg+xml",
}  # fmt: skip
FOR_EVER = "public, max-age=31536000, immutable"
NAMES = ("app.css", "fonts.css", "icon.svg")
VENDORED = (
    "designsystemet.css", "theme.css", "noto-sans-latin-wght-normal.woff2",
    "noto-sans-latin-ext-wght-normal.woff2", "noto-sans-cyrillic-wght-normal.woff2",
    "noto-sans-cyrillic-ext-wght-normal.woff2", "noto-sans-vietnamese-wght-normal.woff2",
    "noto-sans-devanagari-wght-normal.woff2", "noto-sans-arabic-wght-normal.woff2",
)  # fmt: skip


class Asset(NamedTuple):
    """A file, how it is named in addresses, and its compressed form where that is smaller."""

    address: str
    media_type: str
    body: bytes
    compressed: bytes | None


@cache
def assets() -> dict[str, Asset]:
    """All files by their name. Style sheets name the fonts, so those come first."""
    found: dict[str, Asset] = {}
    home = files("wego.web") / "static"
    for name in (*VENDORED, *NAMES):
        body = (home / "vendor" / name if name in VENDORED else home / name).read_bytes()
        if name == "fonts.css":
            body = _with_addresses(body, found)
        found[name] = _asset(name, body)
    return found


def _with_addresses(style: bytes, known: dict[str, Asset]) -> bytes:
    """The style sheet of the fonts, with the addresses of their files."""
    for name, asset in known.items():
        style = style.replace(b"url(" + name.encode() + b")", b"url(" + asset.address.encode() + b")")
    return style


def _asset(name: str, body: bytes) -> Asset:
    stem, _, kind = name.rpartition(".")
    address = f"/static/{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{kind}"
    small = gzip.compress(body, 9, mtime=0) if kind != "woff2" else body
    return Asset(address, TYPES[kind], body, small if len(small) < len(body) else None)


def address(name: str) -> str:
    """Where a file is."""
    return assets()[name].address


@cache
def _by_address() -> dict[str, Asset]:
    return {asset.address: asset for asset in assets().values()}


async def serve(request: Request) -> Response:
    """`GET /static/{name}.{hash}.{kind}`."""
    name = request.path_params["name"]
    asset = _by_address().get(request.url.path) or assets().get(name)
    if asset is None:
        return Response("", 404, {"cache-control": "no-store"})
    lasting = FOR_EVER if asset.address.endswith(name) else "no-cache"  # a plain name is for pages of failures
    headers = {"cache-control": lasting, "vary": "accept-encoding"}
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", "")[:200]:
        return Response(asset.compressed, 200, {**headers, "content-encoding": "gzip"}, asset.media_type)
    return Response(asset.body, 200, headers, asset.media_type)
