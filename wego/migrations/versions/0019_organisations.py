"""Who belongs is an organisation; a city is the profile of one kind of it, under the same id."""

from alembic import op
from sqlalchemy import text

from members.register.spelling import spelling

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KINDS = (
    "'city', 'association', 'government', 'company', 'partner', 'observer', 'committee', 'regional-office', 'assembly'"
)
REGIONS = (
    "'east-asia', 'south-east-asia', 'south-asia', 'central-asia', 'middle-east', 'europe', 'eurasia', 'africa', "
    "'north-america', 'latin-america', 'oceania'"
)
MOVED = "id, slug, sort_name, endonym_locale, country, region, languages, website, created_at, updated_at"
# What belongs to an organisation now, with the indexes that bear the name of its column.
BELONGING = {
    "membership": (),
    "membership_step": ("ix_membership_step_{}",),
    "application": ("ix_application_{}",),
    "role_grant": ("ix_role_grant_{}",),
    "invitation": ("ix_invitation_{}",),
    "oauth_client": ("ix_oauth_client_{}",),
}
LISTING = ("JOIN city AS c", "JOIN organisation AS c")


def upgrade() -> None:
    _make_organisations()
    for table, indexes in BELONGING.items():
        _rename(table, "city_id", "organisation_id", indexes)
        op.create_foreign_key(f"fk_{table}_organisation_id", table, "organisation", ["organisation_id"], ["id"])
    op.alter_column("oauth_token", "city_id", new_column_name="organisation_id")
    _make_names()
    _move_places("city", "organisation")
    op.execute("DROP TRIGGER list_update ON city")
    for column in MOVED.split(", ")[1:]:
        op.drop_column("city", column)
    op.create_foreign_key("fk_city_id", "city", "organisation", ["id"], ["id"])
    _list_again(*LISTING)
    _trigger("organisation")


def _make_organisations() -> None:
    op.execute(
        f"""
        CREATE TABLE organisation (
            id uuid NOT NULL, kind varchar(40) NOT NULL, slug varchar NOT NULL, sort_name varchar NOT NULL,
            endonym_locale varchar NOT NULL, country varchar NOT NULL, region varchar(40) NOT NULL,
            languages varchar[] NOT NULL DEFAULT '{{}}', website varchar,
            created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_organisation PRIMARY KEY (id), CONSTRAINT uq_organisation_slug UNIQUE (slug),
            CONSTRAINT ck_organisation_organisationkind CHECK (kind IN ({KINDS})),
            CONSTRAINT ck_organisation_region CHECK (region IN ({REGIONS})),
            CONSTRAINT ck_organisation_slug CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
            CONSTRAINT ck_organisation_country CHECK (country ~ '^[A-Z]{{2}}$'))
        """
    )
    op.execute(f"INSERT INTO organisation (kind, {MOVED}) SELECT 'city', {MOVED} FROM city")
    op.create_index("ix_organisation_country", "organisation", ["country"])


def _make_names() -> None:
    op.rename_table("city_name", "organisation_name")
    op.execute("ALTER TABLE organisation_name RENAME CONSTRAINT pk_city_name TO pk_organisation_name")
    op.drop_constraint("fk_city_name_city_id", "organisation_name")
    op.alter_column("organisation_name", "city_id", new_column_name="organisation_id")
    op.create_foreign_key(
        "fk_organisation_name_organisation_id", "organisation_name", "organisation", ["organisation_id"], ["id"]
    )
    op.execute("ALTER TABLE organisation_name ADD COLUMN spelling varchar")
    names = op.get_bind().execute(text("SELECT DISTINCT name FROM organisation_name")).scalars().all()
    if names:
        op.get_bind().execute(
            text("UPDATE organisation_name SET spelling = :spelling WHERE name = :name"),
            [{"name": name, "spelling": spelling(name)} for name in names],
        )
    op.alter_column("organisation_name", "spelling", nullable=False)
    op.create_index("ix_organisation_name_spelling", "organisation_name", ["spelling"])


def _move_places(old: str, new: str) -> None:
    """Lists by name are of organisations of all kinds."""
    table = f"{new}_place"
    op.rename_table(f"{old}_place", table)
    op.drop_constraint(f"fk_{old}_place_{old}_id", table)
    op.alter_column(table, f"{old}_id", new_column_name=f"{new}_id")
    op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT pk_{old}_place TO pk_{table}")
    op.execute(f"ALTER INDEX ix_{old}_place_order RENAME TO ix_{table}_order")
    op.create_foreign_key(f"fk_{table}_{new}_id", table, new, [f"{new}_id"], ["id"], ondelete="CASCADE")


def _rename(table: str, old: str, new: str, indexes: tuple[str, ...]) -> None:
    op.drop_constraint(f"fk_{table}_{old}", table)
    op.alter_column(table, old, new_column_name=new)
    for index in indexes:
        op.execute(f"ALTER INDEX {index.format(old)} RENAME TO {index.format(new)}")


def _list_again(old: str, new: str) -> None:
    """The same function that keeps the list of practices, reading the other table."""
    written = op.get_bind().execute(text("SELECT pg_get_functiondef('wego_list_practices(uuid[])'::regprocedure)"))
    op.execute(text(written.scalar_one().replace(old, new).replace(":", r"\:")))


def _trigger(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER list_update AFTER UPDATE ON {table} REFERENCING NEW TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION wego_cities_changed()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER list_update")


def downgrade() -> None:
    others = op.get_bind().execute(text("SELECT count(*) FROM organisation WHERE kind <> 'city'")).scalar_one()
    if others:
        raise RuntimeError(f"{others} organisations are no cities, and there is no place for them below this version")
    op.execute("DROP TRIGGER list_update ON organisation")
    _unmove()
    _move_places("organisation", "city")
    op.drop_index("ix_organisation_name_spelling", "organisation_name")
    op.drop_column("organisation_name", "spelling")
    op.drop_constraint("fk_organisation_name_organisation_id", "organisation_name")
    op.alter_column("organisation_name", "organisation_id", new_column_name="city_id")
    op.execute("ALTER TABLE organisation_name RENAME CONSTRAINT pk_organisation_name TO pk_city_name")
    op.rename_table("organisation_name", "city_name")
    op.create_foreign_key("fk_city_name_city_id", "city_name", "city", ["city_id"], ["id"])
    op.alter_column("oauth_token", "organisation_id", new_column_name="city_id")
    for table, indexes in BELONGING.items():
        _rename(table, "organisation_id", "city_id", indexes)
        op.create_foreign_key(f"fk_{table}_city_id", table, "city", ["city_id"], ["id"])
    _list_again(*reversed(LISTING))
    op.drop_table("organisation")
    _trigger("city")


def _unmove() -> None:
    """Give the columns back to the city."""
    op.drop_constraint("fk_city_id", "city")
    columns = {
        "slug": "varchar", "sort_name": "varchar", "endonym_locale": "varchar", "country": "varchar",
        "region": "varchar(40)", "languages": "varchar[] DEFAULT '{}'", "website": "varchar",
        "created_at": "timestamptz DEFAULT now()", "updated_at": "timestamptz DEFAULT now()",
    }  # fmt: skip
    for name, kind in columns.items():
        op.execute(f"ALTER TABLE city ADD COLUMN {name} {kind}")
    given = ", ".join(f"{name} = o.{name}" for name in columns)
    op.execute(f"UPDATE city c SET {given} FROM organisation o WHERE o.id = c.id")
    for name in columns.keys() - {"website"}:
        op.alter_column("city", name, nullable=False)
    op.execute(f"ALTER TABLE city ADD CONSTRAINT ck_city_region CHECK (region IN ({REGIONS}))")
    op.create_unique_constraint("uq_city_slug", "city", ["slug"])
    op.execute("ALTER TABLE city ADD CONSTRAINT ck_city_slug CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$')")
    op.execute("ALTER TABLE city ADD CONSTRAINT ck_city_country CHECK (country ~ '^[A-Z]{2}$')")
    op.create_index("ix_city_country", "city", ["country"])
