"""Alembic's entry: one synchronous connection (psycopg) to the database named by the caller."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool
from sqlalchemy.engine import make_url

from wego.migrations import metadata


def include(name: str | None, kind: str, parents: object) -> bool:
    """The queue keeps its own tables (vendored in a migration), which are no models of ours."""
    return not (kind == "table" and str(name).startswith("procrastinate_"))


def run() -> None:
    url = make_url(context.config.attributes["url"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=metadata(), include_name=include, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
