"""Root only: a copy of the binaries when PostgreSQL's account cannot read them (a venv below /root).

The copy goes to <home>/pg-<version>, or, when the home itself is out of the account's reach, to
/var/lib/wego/pg-<version>. It belongs to root, appears in one rename, and can be deleted at any time.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

from .account import Account
from .errors import PostgresError
from .providers import Provider, Source

SHARED = Path("/var/lib/wego")


def readable(provider: Provider, account: Account, home: Path) -> Provider:
    """The provider itself, or a copy that the account can run."""
    if not account.is_other or _is_usable(provider.bin, account):
        return provider
    shelf = home if account.may_reach(home / "x") else _shared_shelf()
    target = shelf / f"pg-{provider.version}"
    base, parts = _tree(provider)
    if shelf == home:  # ours alone under the keeper's lock: sweep up after a copy that was cut off
        for draft in home.glob(".pg-*"):
            shutil.rmtree(draft, ignore_errors=True)
    if not target.exists():
        _copy(base, parts, target)
    return replace(provider, bin=target / provider.bin.relative_to(base))


def _is_usable(folder: Path, account: Account) -> bool:
    program = (folder / "postgres").resolve()
    return account.may_reach(program) and account.may(program, 5) and account.may(folder, 1)


def _shared_shelf() -> Path:
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    return SHARED


def _tree(provider: Provider) -> tuple[Path, list[Path]]:
    """The folder to copy from and what to copy; auditwheel puts libraries beside the package (RPATH)."""
    for package in provider.bin.parents:
        if package.name == Source.EMBEDDED:
            libs = package.with_name(f"{package.name}.libs")
            return package.parent, [provider.bin.parent, *([libs] if libs.is_dir() else [])]
    return provider.bin.parent, [provider.bin.parent]


def _copy(base: Path, parts: list[Path], target: Path) -> None:
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    skip = shutil.ignore_patterns("__pycache__", "include", "doc", "man")
    try:
        for part in parts:
            shutil.copytree(part, draft / part.relative_to(base), symlinks=True, ignore=skip)
        _open_up(draft)
        draft.rename(target)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():  # else another home was faster with the same copy
            raise PostgresError(f"cannot copy the binaries to {target}: {error}", "Free some disk space.") from error


def _open_up(tree: Path) -> None:
    """Everyone may read the copy, whatever the umask and the venv's modes were."""
    for folder, _, files in os.walk(tree):
        os.chmod(folder, 0o755)  # noqa: S103 -- programs are no secret, and another account runs them
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o111 else 0o644)
