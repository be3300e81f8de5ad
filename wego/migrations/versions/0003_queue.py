"""The job queue: the schema of procrastinate 3.10, vendored so that one command migrates everything."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = (Path(__file__).parent.parent / "queue_3_10.sql").read_text()
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))


def downgrade() -> None:
    op.execute(
        """
        DO $$ DECLARE thing record; BEGIN
            FOR thing IN SELECT tablename AS name FROM pg_tables
                WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\\_%' LOOP
                EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', thing.name);
            END LOOP;
            FOR thing IN SELECT oid::regprocedure::text AS name FROM pg_proc
                WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'procrastinate\\_%' LOOP
                EXECUTE 'DROP FUNCTION IF EXISTS ' || thing.name || ' CASCADE';
            END LOOP;
            FOR thing IN SELECT typname AS name FROM pg_type
                WHERE typnamespace = current_schema()::regnamespace AND typname LIKE 'procrastinate\\_%'
                AND typtype IN ('e', 'c') LOOP
                EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', thing.name);
            END LOOP;
        END $$
        """
    )
