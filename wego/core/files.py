"""Files that must be whole after a crash: written in one step, or continued by whole lines.

A file of ours is written beside its place, brought to disk, and renamed; then the folder is brought to disk, which
holds the name. A line is appended with one write; what a crash left of an unfinished one is cut off by the next, so
that a torn line never stands before a good one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_private(path: Path, content: bytes, *, new: bool = False) -> None:
    """Write a file so that nobody else ever could read it, whole or not at all. `new`: of two who make it at once, the
    second gets FileExistsError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            os.link(beside, path)
            beside.unlink()
        else:
            beside.replace(path)
    except BaseException:  # a full disk must not leave drafts behind
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def append_line(path: Path, line: bytes) -> None:
    """Append a line so that it is on disk, after cutting off what a crash left of the last one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = not path.exists()
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    with os.fdopen(handle, "r+b") as stream:
        stream.seek(_whole(stream.fileno()))
        stream.truncate()
        stream.write(line + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    if fresh:
        sync_folder(path.parent)


def _whole(handle: int) -> int:
    """Where the last whole line of a file ends."""
    at = os.fstat(handle).st_size
    while at:
        start = max(0, at - 65_536)
        found = os.pread(handle, at - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        at = start
    return 0


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk, where the file system lets a folder be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
