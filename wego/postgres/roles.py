"""The role that serves: it owns nothing, and is made and granted what it needs by the owner of the tables.

`wego` (initdb's own) owns the database and migrates it; the hub connects as `wego_hub`, which can neither change the
log nor its triggers, nor read files of the server. Its password follows from that of the owner by HMAC-SHA256
(RFC 2104), so there is nothing more to keep, and nobody learns the owner's from it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import unquote

from .cluster import ROLE

HUB = "wego_hub"
_OWNER = re.compile(rf"^(postgres(?:ql)?)://{ROLE}:([^@/]*)@")


def as_hub(url: str) -> str:
    """The address of an embedded database for the role that serves, from that of its owner."""
    found = _OWNER.match(url)
    if found is None:
        raise ValueError("this is not the address of the owner of an embedded database")
    word = hmac.new(unquote(found[2]).encode(), HUB.encode(), hashlib.sha256).hexdigest()
    return f"{found[1]}://{HUB}:{word}@{url[found.end() :]}"
