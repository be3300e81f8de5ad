"""Who may read a version is kept with it; a translation may wait beside the live one; names belong to their city; a
repeat is read again instead of being stored.

Versions from before are as visible as the facts of the day say: of an embargo that a later version cut short, only
members may read the earlier ones, because nobody knows when it would have ended.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEEP = """
    CREATE OR REPLACE FUNCTION wego_keep_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE publishing text[] := {publishing};
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.published_at IS NULL
           AND to_jsonb(NEW) - publishing = to_jsonb(OLD) - publishing THEN
            RETURN NEW;
        END IF;
        {closing}
        RAISE EXCEPTION 'a revision is never changed, only published' USING ERRCODE = 'restrict_violation';
    END $$
"""
# The one change of a published version: what was not yet open to the public when the next one came never will be.
CLOSING = """
        IF TG_OP = 'UPDATE' AND OLD.public_from > now() AND NEW.public_from IS NULL
           AND to_jsonb(NEW) - 'public_from' = to_jsonb(OLD) - 'public_from' THEN
            RETURN NEW;
        END IF;
"""

BACKFILL = """
    UPDATE content_revision r SET
        members_from = CASE WHEN said.visibility <> 'private' THEN r.published_at END,
        public_from = CASE
            WHEN r.id = d.current_revision_id THEN p.public_from
            WHEN said.visibility = 'public' THEN r.published_at
        END
    FROM content_document d
    JOIN practice p ON p.id = d.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN q.id = d.current_revision_id AND p.status = 'published' THEN p.visibility
                    ELSE coalesce(q.facts->>'visibility', 'private') END AS visibility, q.id
        FROM content_revision q WHERE q.document_id = d.id AND q.published_at IS NOT NULL
    ) said
    WHERE said.id = r.id
"""


def upgrade() -> None:
    for name in ("members_from", "public_from"):
        op.add_column("content_revision", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute("ALTER TABLE content_revision DISABLE TRIGGER keep")
    op.execute(BACKFILL)
    op.execute("ALTER TABLE content_revision ENABLE TRIGGER keep")
    op.execute(KEEP.format(publishing="ARRAY['published_at', 'members_from', 'public_from']", closing=CLOSING))
    op.drop_constraint("uq_content_translation_document_id_locale", "content_translation")
    op.create_unique_constraint(
        "uq_content_translation_document_id_locale_status", "content_translation", ["document_id", "locale", "status"]
    )
    op.drop_constraint("uq_practice_slug", "practice")
    op.create_unique_constraint("uq_practice_city_id_slug", "practice", ["city_id", "slug"])
    op.create_index("ix_practice_slug", "practice", ["slug", "published_at", "id"])
    _repeats_read_again()


def _repeats_read_again() -> None:
    """What was stored for repeats is dropped: who may have it is not written with it."""
    op.execute("DELETE FROM idempotent_answer")
    op.drop_column("idempotent_answer", "answer")
    op.add_column("idempotent_answer", sa.Column("client", sa.LargeBinary(), nullable=False))
    for name in ("rights", "keys"):
        column = sa.Column(
            name, postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        )
        op.add_column("idempotent_answer", column)
    op.add_column("idempotent_answer", sa.Column("kept", sa.Boolean(), nullable=False))
    op.create_index("ix_idempotent_answer_client", "idempotent_answer", ["client", "at"])


def downgrade() -> None:
    op.execute("DELETE FROM idempotent_answer")
    op.drop_index("ix_idempotent_answer_client", "idempotent_answer")
    for name in ("client", "rights", "keys", "kept"):
        op.drop_column("idempotent_answer", name)
    op.add_column("idempotent_answer", sa.Column("answer", sa.String(), nullable=False))
    op.drop_index("ix_practice_slug", "practice")
    op.drop_constraint("uq_practice_city_id_slug", "practice")
    _rename_twins()
    op.create_unique_constraint("uq_practice_slug", "practice", ["slug"])
    op.execute(
        "DELETE FROM content_segment s USING content_translation t "
        "WHERE t.id = s.translation_id AND t.status <> 'published'"
    )
    op.execute("DELETE FROM content_translation WHERE status <> 'published'")
    op.drop_constraint("uq_content_translation_document_id_locale_status", "content_translation")
    op.create_unique_constraint(
        "uq_content_translation_document_id_locale", "content_translation", ["document_id", "locale"]
    )
    op.execute(KEEP.format(publishing="ARRAY['published_at']", closing=""))
    for name in ("public_from", "members_from"):
        op.drop_column("content_revision", name)


def _rename_twins() -> None:
    """Names that several cities use get the end of their key, all but the oldest."""
    op.execute(
        "UPDATE practice p SET slug = left(p.slug, 47) || '-' || right(p.id::text, 12) "
        "WHERE EXISTS (SELECT 1 FROM practice o WHERE o.slug = p.slug AND o.id < p.id)"
    )
