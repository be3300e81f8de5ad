"""Registered documents of programs; an answer that is too large is an error of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("oauth_client", sa.Column("documents_only", sa.Boolean(), server_default="false", nullable=False))
    op.create_table(
        "oauth_document",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["oauth_client.id"], name=op.f("fk_oauth_document_client_id")),
        sa.PrimaryKeyConstraint("client_id", "sha256", name=op.f("pk_oauth_document")),
    )
    op.execute(
        """
        CREATE FUNCTION too_large() RETURNS json LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
            RAISE EXCEPTION 'the answer is too large' USING ERRCODE = 'program_limit_exceeded';
        END $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION too_large()")
    op.drop_table("oauth_document")
    op.drop_column("oauth_client", "documents_only")
