"""Numbered migrations with one head on file (`HEAD`), and the few calls that run them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wego import packages

if TYPE_CHECKING:  # Alembic is loaded when something is to be migrated, which is seldom
    from alembic.config import Config

HERE = Path(__file__).parent


def config(url: str) -> Config:
    """Alembic's configuration for one database, without an ini file."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(HERE))
    settings.set_main_option("path_separator", "os")
    settings.attributes["url"] = url
    return settings


def head() -> str:
    """The newest migration, as `HEAD` names it."""
    return (HERE / "HEAD").read_text().strip()


def is_known(revision: str) -> bool:
    """Whether this version of the hub has this migration."""
    return any(HERE.glob(f"versions/{revision}_*.py"))


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision; does nothing when it is there."""
    from alembic import command

    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str) -> None:
    from alembic import command

    command.downgrade(config(url), revision)


def metadata() -> Any:
    """All tables of all packages."""
    from sqlmodel import SQLModel

    list(packages.brought("models"))
    return SQLModel.metadata
