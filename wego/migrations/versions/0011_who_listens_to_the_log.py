"""A cursor in the log for everybody who listens to it: the log is the outbox.

What was appended before stays undelivered: it was told in the way of its time.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE audit_listener (
            name varchar NOT NULL CONSTRAINT pk_audit_listener PRIMARY KEY,
            id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_audit_listener_id UNIQUE,
            position bigint NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            failing_since timestamptz,
            retry_at timestamptz,
            error varchar NOT NULL DEFAULT ''
        )
        """
    )
    op.execute("INSERT INTO audit_listener (name, position) SELECT '', size FROM audit_state")


def downgrade() -> None:
    op.execute("DROP TABLE audit_listener")
