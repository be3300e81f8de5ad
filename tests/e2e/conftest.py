"""Finds the builders of this folder, and those of the tests over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "http")]

from http_fixtures import seeded, standing, station  # noqa: E402 -- the path comes first

__all__ = ["seeded", "standing", "station"]
