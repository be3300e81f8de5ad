"""A city has a place in lists by name for readers of each language; the hub writes them when it starts."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE city_place (
            city_id uuid NOT NULL,
            locale varchar NOT NULL,
            key varchar COLLATE "C" NOT NULL,
            version varchar NOT NULL,
            CONSTRAINT pk_city_place PRIMARY KEY (city_id, locale),
            CONSTRAINT fk_city_place_city_id FOREIGN KEY (city_id) REFERENCES city (id) ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX ix_city_place_order ON city_place (locale, key, city_id)")
    op.execute("DROP INDEX ix_city_sort")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_city_sort ON city (sort_name, id)")
    op.execute("DROP TABLE city_place")
