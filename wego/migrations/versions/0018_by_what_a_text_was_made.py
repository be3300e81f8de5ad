"""A translation names the program or model that made it, where that is known."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE content_segment ADD COLUMN tool varchar NOT NULL DEFAULT ''")
    # What the demonstration brought; which model it was is not recorded.
    op.execute("UPDATE content_segment SET tool = 'large language model' WHERE author = 'seed' AND origin = 'machine'")


def downgrade() -> None:
    op.execute("ALTER TABLE content_segment DROP COLUMN tool")
