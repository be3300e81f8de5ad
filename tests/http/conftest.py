"""Hubs on copies of the demonstration: `station` is fresh for each test, `standing` is for all that change nothing."""

from __future__ import annotations

import sys
from pathlib import Path

# The builders lie beside the tests; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent)]

from http_fixtures import seeded, standing, station  # noqa: E402 -- the path comes first

__all__ = ["seeded", "standing", "station"]
