"""Homes on tmpfs, clients as processes of their own; nothing is left running or lying about."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The builders lie beside the tests; this finds them under every import mode of pytest.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from postgres_make import Client, make_client, processes_of, stop_quietly  # noqa: E402 -- the path comes first

SHM = Path("/dev/shm")


def _base() -> str | None:
    roomy = SHM.is_dir() and os.access(SHM, os.W_OK) and shutil.disk_usage(SHM).free > 500 * 2**20
    return str(SHM) if roomy else None


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that everyone may enter; every server below it is stopped at the end."""
    path = Path(tempfile.mkdtemp(prefix="wpg", dir=_base()))
    path.chmod(0o755)
    yield path
    for lock in path.rglob("keeper.lock"):
        stop_quietly(lock.parent)
    left = processes_of(path)
    shutil.rmtree(path)
    assert not left, f"still running: {left}"


@pytest.fixture
def home(folder: Path) -> Path:
    return folder / "home"


@pytest.fixture
def client(home: Path) -> Iterator[Callable[..., Client]]:
    """Starts clients of the home as processes of their own."""
    started: list[Client] = []

    def start(**options: object) -> Client:
        started.append(make_client(home, **options))
        return started[-1]

    yield start
    for one in started:
        one.end()
