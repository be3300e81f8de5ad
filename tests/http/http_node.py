"""npm packages for tests: installed as their lock says, outside the tree, once for each lock."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

import pytest


async def run(*command: str, folder: Path, seconds: float) -> tuple[int, str, str]:
    """Exit code, output and errors of a program; it is ended when it takes too long."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, "", f"{command[0]} took longer than {seconds} s"
    return process.returncode or 0, out.decode(), err.decode()


async def installed(source: Path, name: str, files: tuple[str, ...]) -> Path:
    """A folder with the packages of `source/package-lock.json` and these files as they are now; skips the test, and
    says why, where node is absent or npm cannot install."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"the {name} need node and npm, which are not on this machine")
    lock = (source / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "wego-hub" / f"{name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for each in ("package.json", "package-lock.json"):
            shutil.copy(source / each, folder / each)
        code, _, err = await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder, seconds=120)
        if code:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"npm cannot install the {name} here: {err.strip().splitlines()[-1:]}")
    for each in files:
        shutil.copy(source / each, folder / each)
    return folder
