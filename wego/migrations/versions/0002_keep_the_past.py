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
    op.execute(
        "CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON audit_state "
        "FOR EACH STATEMENT EXECUTE FUNCTION wego_refuse_change()"
    )
    op.execute(
        """
        CREATE FUNCTION wego_keep_revision() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.published_at IS NULL
               AND to_jsonb(NEW) - 'published_at' = to_jsonb(OLD) - 'published_at' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a revision is never changed, only published' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON content_revision "
        "FOR EACH ROW EXECUTE FUNCTION wego_keep_revision()"
    )
    op.execute("INSERT INTO audit_state (id, size, root, frontier) VALUES (1, 0, sha256(''::bytea), ''::bytea)")
    op.execute("INSERT INTO access_epoch (id, seq) VALUES (1, 1)")


def downgrade() -> None:
    op.execute("DROP TRIGGER keep ON content_revision")
    op.execute("DROP FUNCTION wego_keep_revision()")
    op.execute("DROP TRIGGER keep ON audit_state")
    op.execute("DELETE FROM access_epoch")
    op.execute("DELETE FROM audit_state")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("DROP FUNCTION wego_refuse_change()")
