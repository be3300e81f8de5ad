"""The log is read for what changed of practices and cities: an index of their entries, and a secret that seals the
cursors of those who follow."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_audit_entry_catalogue ON audit_entry (index) WHERE subject_type IN ('City', 'Practice')"
    )
    op.execute(
        "ALTER TABLE audit_state ADD COLUMN seal bytea NOT NULL"
        " DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE audit_state DROP COLUMN seal")
    op.execute("DROP INDEX ix_audit_entry_catalogue")
