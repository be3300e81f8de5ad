"""What a demonstration made up says so; an event of the history is told in every language."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MARKED = ("membership_step", "application", "review", "practice")
ORIGINS = "'original', 'human', 'machine', 'machine_post_edited', 'imported'"
# What the demonstration wrote until now: its steps are those of the seed, of which the foundation alone is told by a
# source; its applications and reviews are those of cities and people that only it has.
DEMONSTRATED = (
    "UPDATE membership_step SET assumed = true WHERE actor = 'seed'"
    " AND (from_status IS NOT NULL OR to_status <> 'full' OR reason <> '')",
    "UPDATE application SET assumed = true WHERE contact_email LIKE '%.demo'",
    "UPDATE practice SET assumed = true FROM content_revision r WHERE r.document_id = practice.id"
    " AND r.number = 1 AND r.author = 'seed'",
    "UPDATE review SET assumed = true FROM practice p WHERE p.id = review.practice_id AND p.assumed",
    "UPDATE content_segment SET origin = 'machine' WHERE author = 'seed' AND origin = 'human'",
    "UPDATE content_reading d SET origin = 'machine' FROM practice p WHERE p.id = d.document_id AND p.assumed"
    " AND d.origin = 'human'",
    "UPDATE content_section d SET origin = 'machine' FROM practice p WHERE p.id = d.document_id AND p.assumed"
    " AND d.origin = 'human'",
)


def upgrade() -> None:
    for table in MARKED:
        op.execute(f"ALTER TABLE {table} ADD COLUMN assumed boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE membership_step DISABLE TRIGGER keep_step")  # a step is never changed by anybody else
    for statement in DEMONSTRATED:
        op.execute(statement)
    op.execute("ALTER TABLE membership_step ENABLE TRIGGER keep_step")
    op.execute("ALTER TABLE history_event ADD COLUMN texts jsonb NOT NULL DEFAULT '{}'::jsonb")
    op.execute("UPDATE history_event SET texts = jsonb_build_object(locale, text)")
    op.execute("ALTER TABLE history_event DROP COLUMN text")
    op.execute(
        "ALTER TABLE history_event ADD COLUMN origin varchar(40) NOT NULL DEFAULT 'human'"
        f" CONSTRAINT ck_history_event_origin CHECK (origin IN ({ORIGINS}))"
    )
    op.execute("ALTER TABLE history_event ALTER COLUMN origin DROP DEFAULT")


def downgrade() -> None:
    op.execute("ALTER TABLE history_event ADD COLUMN text varchar")
    op.execute("UPDATE history_event SET text = coalesce(texts->>locale, '')")
    op.execute("ALTER TABLE history_event ALTER COLUMN text SET NOT NULL")
    op.execute("ALTER TABLE history_event DROP COLUMN origin, DROP COLUMN texts")
    for table in MARKED:
        op.execute(f"ALTER TABLE {table} DROP COLUMN assumed")
