"""How exactly it is known when a practice began and ended; what was told before is a day."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NAMES = ("launched_precision", "ended_precision")


def upgrade() -> None:
    for name in _NAMES:
        op.execute(
            f"ALTER TABLE practice ADD COLUMN {name} varchar(40) NOT NULL DEFAULT 'day' "
            f"CONSTRAINT ck_practice_{name} CHECK ({name} IN ('day', 'month', 'year'))"
        )


def downgrade() -> None:
    for name in _NAMES:
        op.execute(f"ALTER TABLE practice DROP COLUMN {name}")
