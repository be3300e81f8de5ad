"""What a practice cost is called money everywhere: in its column, and in the facts that its revisions keep."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _rename(before: str, after: str) -> None:
    op.execute(f"ALTER TABLE practice RENAME COLUMN {before} TO {after}")
    op.execute("ALTER TABLE content_revision DISABLE TRIGGER keep")  # a revision is never changed by anybody else
    op.execute(
        f"UPDATE content_revision SET facts = facts - '{before}' || jsonb_build_object('{after}', facts->'{before}') "
        f"WHERE facts ? '{before}'"
    )
    op.execute("ALTER TABLE content_revision ENABLE TRIGGER keep")


def upgrade() -> None:
    _rename("financial_profile", "money")


def downgrade() -> None:
    _rename("money", "financial_profile")
