"""Used proofs are kept under a key that begins with the time: one index instead of two, written at its right edge.

What is kept now keeps its protection: the new key is made of the hash and the time that the old row had. Going down
forgets used proofs and assertions, because the old hash is longer: all of them are over within two minutes.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE oauth_replay_by_time (key bytea NOT NULL)")
    op.execute(
        """
        INSERT INTO oauth_replay_by_time (key)
        SELECT DISTINCT
            int4send((floor(extract(epoch FROM expires_at))::bigint >> 9)::integer) || substring(digest FROM 1 FOR 28)
        FROM oauth_replay
        """
    )
    op.execute("DROP TABLE oauth_replay")
    op.execute("ALTER TABLE oauth_replay_by_time RENAME TO oauth_replay")
    op.execute("ALTER TABLE oauth_replay ADD CONSTRAINT pk_oauth_replay PRIMARY KEY (key)")
    # Rows live for minutes: what the purge has deleted is cleared away at once, so that its pages serve again.
    op.execute("ALTER TABLE oauth_replay SET (autovacuum_vacuum_scale_factor = 0.02)")


def downgrade() -> None:
    op.execute("DROP TABLE oauth_replay")
    op.execute(
        """
        CREATE TABLE oauth_replay (
            digest bytea NOT NULL CONSTRAINT pk_oauth_replay PRIMARY KEY,
            expires_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_oauth_replay_expires_at ON oauth_replay (expires_at)")
