"""What is written once stays: triggers refuse UPDATE, DELETE and TRUNCATE; the log begins with an empty tree."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit_entry", "audit_checkpoint", "membership_step", "content_block")


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION wego_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION wego_refuse_change()"
        )
    op.execute("INSERT INTO audit_state (id, size, root, frontier) VALUES (1, 0, sha256(''::bytea), ''::bytea)")
    op.execute("INSERT INTO access_epoch (id, seq) VALUES (1, 1)")


def downgrade() -> None:
    op.execute("DELETE FROM access_epoch")
    op.execute("DELETE FROM audit_state")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("DROP FUNCTION wego_refuse_change()")
