"""A practice keeps the names that it had, and when it was first handed in; a draft that was never published can go."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# When it was handed in, as the log says; of what came without the log, its publication or its beginning.
SUBMITTED = """
    UPDATE practice p SET submitted_at = coalesce(
        (SELECT min(e.at) FROM audit_entry e WHERE e.subject_id = p.id AND e.event = 'practice.submitted'),
        CASE WHEN p.status <> 'draft' THEN coalesce(p.published_at, p.created_at) END)
"""
NEVER_PUBLISHED = """
    NOT EXISTS (SELECT 1 FROM content_revision p WHERE p.document_id = {document} AND p.published_at IS NOT NULL)
"""
KEEP_BLOCK = f"""
    CREATE FUNCTION wego_keep_block() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT {NEVER_PUBLISHED.format(document="r.document_id")} FROM content_revision r
            WHERE r.id = OLD.revision_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'table content_block is append-only' USING ERRCODE = 'restrict_violation';
    END $$
"""
# The role that serves may not delete blocks: it asks for those of one document, and the trigger has the last word.
ERASE_BLOCKS = """
    CREATE FUNCTION wego_erase_blocks(erased uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = {schema}, pg_temp AS $$
        DELETE FROM content_block b USING content_revision r WHERE r.id = b.revision_id AND r.document_id = erased
    $$
"""
KEEP_REVISION = """
    CREATE OR REPLACE FUNCTION wego_keep_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE publishing text[] := ARRAY['published_at', 'members_from', 'public_from'];
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.published_at IS NULL
           AND to_jsonb(NEW) - publishing = to_jsonb(OLD) - publishing THEN
            RETURN NEW;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.public_from > now() AND NEW.public_from IS NULL
           AND to_jsonb(NEW) - 'public_from' = to_jsonb(OLD) - 'public_from' THEN
            RETURN NEW;
        END IF;
        {erasing}
        RAISE EXCEPTION 'a revision is never changed, only published' USING ERRCODE = 'restrict_violation';
    END $$
"""
ERASING = f"""
        IF TG_OP = 'DELETE' AND {NEVER_PUBLISHED.format(document="OLD.document_id")} THEN
            RETURN OLD;
        END IF;
"""


def upgrade() -> None:
    op.add_column("practice", sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(SUBMITTED)
    op.create_table(
        "practice_former_slug",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("shown_to_members", sa.Boolean(), nullable=False),
        sa.Column("shown_to_public", sa.Boolean(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("practice_id", "slug"),
    )
    op.create_index("ix_practice_former_slug_slug", "practice_former_slug", ["slug"])
    op.execute("DROP TRIGGER append_only ON content_block")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON content_block "
        "FOR EACH STATEMENT EXECUTE FUNCTION wego_refuse_change()"
    )
    op.execute(KEEP_BLOCK)
    op.execute("CREATE TRIGGER keep BEFORE DELETE ON content_block FOR EACH ROW EXECUTE FUNCTION wego_keep_block()")
    op.execute(KEEP_REVISION.format(erasing=ERASING))
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    op.execute(ERASE_BLOCKS.format(schema=schema))
    op.execute("REVOKE ALL ON FUNCTION wego_erase_blocks(uuid) FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION wego_erase_blocks(uuid)")
    op.execute(KEEP_REVISION.format(erasing=""))
    op.execute("DROP TRIGGER keep ON content_block")
    op.execute("DROP FUNCTION wego_keep_block()")
    op.execute("DROP TRIGGER append_only ON content_block")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON content_block "
        "FOR EACH STATEMENT EXECUTE FUNCTION wego_refuse_change()"
    )
    op.drop_table("practice_former_slug")
    op.drop_column("practice", "submitted_at")
