"""Pages are asked of the hub that the tests over HTTP share."""

from __future__ import annotations

import sys
from pathlib import Path

# The builders lie beside the tests over HTTP; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parents[1] / "http"), str(Path(__file__).parent)]

from http_fixtures import seeded, standing, station  # noqa: E402 -- the path comes first

__all__ = ["seeded", "standing", "station"]
