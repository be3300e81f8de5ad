"""A compact table beside the practices, from which lists are filtered, ordered and counted; triggers keep it."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Every one, two and three characters in a row of every title, as lexemes; and one that is in all, for the empty text.
# Loops in PL/pgSQL over an array of characters take a third of the time of one query, and keep their plans.
GRAMS = r"""
    CREATE FUNCTION wego_title_grams(titles text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
        line text;
        chars text[];
        size int;
        grams text[] := ARRAY['#all'];
    BEGIN
        FOREACH line IN ARRAY string_to_array(titles, E'\n') LOOP
            chars := string_to_array(line, NULL);
            size := cardinality(chars);
            FOR place IN 1 .. size LOOP
                grams := grams || chars[place];
                IF place < size THEN
                    grams := grams || (chars[place] || chars[place + 1]);
                END IF;
                IF place + 1 < size THEN
                    grams := grams || (chars[place] || chars[place + 1] || chars[place + 2]);
                END IF;
            END LOOP;
        END LOOP;
        RETURN array_to_tsvector(grams);
    END $$
"""
# The rows among which are all that hold a text.
QUERY = r"""
    CREATE FUNCTION wego_title_query(wanted text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
        low text := lower(wanted);
        size int := least(length(low), 3);
    BEGIN
        IF size = 0 THEN
            RETURN '#all'::tsquery;
        END IF;
        RETURN (
            SELECT string_agg(DISTINCT '''' || replace(replace(gram, '\', '\\'), '''', '''''') || '''', ' & ')
            FROM (SELECT substr(low, place, size) FROM generate_series(1, length(low) - size + 1) AS place) AS g (gram)
        )::tsquery;
    END $$
"""
# What lists are filtered by, as words: for whom the practice is there at all (a: those who read everything, m: every
# member, p: everybody, if not now then one day), of which kind, and the value.
FACETS = """
    CREATE FUNCTION wego_practice_facets(
        city uuid, country text, region text, status text, visibility text, public_from timestamptz, stage text,
        themes varchar[], sdg_codes varchar[], locales varchar[]
    ) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    BEGIN
        RETURN array(
            SELECT reader || facet
            FROM unnest(
                ARRAY['a']
                || CASE WHEN public_from IS NOT NULL OR status = 'published' AND visibility <> 'private' THEN ARRAY['m'] END
                || CASE WHEN public_from IS NOT NULL THEN ARRAY['p'] END
            ) AS reader, (
                SELECT 'c:' || city UNION ALL SELECT 'k:' || country UNION ALL SELECT 'r:' || region UNION ALL SELECT 's:' || status UNION ALL SELECT 'g:' || stage
                UNION ALL SELECT 't:' || theme FROM unnest(themes) AS theme
                UNION ALL SELECT 'd:' || goal FROM unnest(sdg_codes) AS goal
                UNION ALL SELECT 'l:' || locale FROM unnest(locales) AS locale
            ) AS found (facet)
        );
    END $$
"""
COLUMNS = (
    "slug", "city_id", "status", "visibility", "public_from", "stage", "themes", "sdg_codes",
    "published_at", "updated_at", "sorted_at",
)  # fmt: skip
LIST = f"""
    CREATE FUNCTION wego_list_practices(keys uuid[]) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO practice_listing AS old (id, {", ".join(COLUMNS)}, country, region, locales, titles)
        SELECT p.id, {", ".join(f"p.{each}" for each in COLUMNS)}, c.country, c.region, coalesce(r.locales, '{{}}'), coalesce(r.titles, '')
        FROM practice AS p JOIN city AS c ON c.id = p.city_id LEFT JOIN LATERAL (
            SELECT array_agg(r.locale ORDER BY r.locale) AS locales,
                   string_agg(lower(r.title), E'\\n' ORDER BY r.locale) AS titles
            FROM content_reading AS r WHERE r.document_id = p.id
        ) AS r ON true
        WHERE p.id = ANY(keys) ORDER BY p.sorted_at, p.id
        ON CONFLICT (id) DO UPDATE SET
            {", ".join(f"{each} = excluded.{each}" for each in (*COLUMNS, "country", "region", "locales", "titles"))}
        WHERE old IS DISTINCT FROM excluded;
    END $$
"""
CHANGED = """
    CREATE FUNCTION wego_practices_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM wego_list_practices(array(SELECT id FROM changed));
        RETURN NULL;
    END $$;
    CREATE FUNCTION wego_readings_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM wego_list_practices(array(
            SELECT DISTINCT l.id FROM changed JOIN practice_listing AS l ON l.id = changed.document_id
        ));
        RETURN NULL;
    END $$;
    CREATE FUNCTION wego_cities_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM wego_list_practices(array(
            SELECT l.id FROM changed AS c JOIN practice_listing AS l ON l.city_id = c.id
            WHERE (l.country, l.region) IS DISTINCT FROM (c.country, c.region)
        ));
        RETURN NULL;
    END $$;
    CREATE FUNCTION wego_reading_gone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM wego_list_practices(ARRAY[OLD.document_id]);
        RETURN NULL;
    END $$
"""
# A rewritten text deletes its rows and inserts them anew: what is gone for good is looked at once, at the end.
GONE = """
    CREATE CONSTRAINT TRIGGER list_later AFTER DELETE ON content_reading DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wego_reading_gone()
"""


KEPT = (
    ("practice", "wego_practices_changed", ("INSERT", "UPDATE")),
    ("content_reading", "wego_readings_changed", ("INSERT", "UPDATE")),
    ("city", "wego_cities_changed", ("UPDATE",)),
)


def _table() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString(), sa.DateTime(timezone=True)
    words = {"type_": postgresql.ARRAY(sa.String()), "server_default": sa.text("'{}'"), "nullable": False}
    op.create_table(
        "practice_listing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", text, nullable=False),
        sa.Column("city_id", sa.Uuid(), nullable=False),
        sa.Column("country", text, nullable=False),
        sa.Column("region", text, nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("visibility", text, nullable=False),
        sa.Column("public_from", moment, nullable=True),
        sa.Column("stage", text, nullable=False),
        sa.Column("themes", **words),
        sa.Column("sdg_codes", **words),
        sa.Column("locales", **words),
        sa.Column("titles", text, nullable=False),
        sa.Column("published_at", moment, nullable=True),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("sorted_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["id"], ["practice.id"], name=op.f("fk_practice_listing_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_listing")),
    )


def _indexes() -> None:
    for name in ("sorted_at", "updated_at", "slug"):
        op.create_index(f"ix_practice_listing_{name}", "practice_listing", [name, "id"])
        op.create_index(f"ix_practice_listing_city_{name}", "practice_listing", ["city_id", name, "id"])
    for name, other in (("sorted_at", "updated_at"), ("updated_at", "sorted_at")):
        month = sa.text(f"date_trunc('month', {name} at time zone 'UTC')")
        op.create_index(f"ix_practice_listing_month_{name}", "practice_listing", [month, other])
    op.create_index(
        "ix_practice_listing_counted", "practice_listing", ["city_id", "public_from"],
        postgresql_include=["status", "visibility", "id"],
    )  # fmt: skip
    op.execute(
        "CREATE INDEX ix_practice_listing_found ON practice_listing USING gin (wego_practice_facets(city_id, country, "
        "region, status, visibility, public_from, stage, themes, sdg_codes, locales), wego_title_grams(titles)) "
        "WITH (gin_pending_list_limit = 128)"
    )


def _triggers() -> None:
    for table, function, verbs in KEPT:
        for verb in verbs:
            op.execute(
                f"CREATE TRIGGER list_{verb.lower()} AFTER {verb} ON {table} REFERENCING NEW TABLE AS changed "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
            # Also where a load leaves out the checks of foreign keys (session_replication_role).
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER list_{verb.lower()}")
    op.execute(GONE)
    op.execute("ALTER TABLE content_reading ENABLE ALWAYS TRIGGER list_later")


def upgrade() -> None:
    _table()
    for function in (GRAMS, QUERY, FACETS, LIST, *CHANGED.split(";\n    CREATE")):
        op.execute(function if "CREATE" in function[:20] else "CREATE" + function)
    op.execute("SELECT wego_list_practices(array(SELECT id FROM practice))")
    _indexes()
    _triggers()
    for name in ("themes", "sdg_codes"):
        op.drop_index(f"ix_practice_{name}", "practice")
    op.execute("ANALYZE practice_listing")


def downgrade() -> None:
    for name in ("themes", "sdg_codes"):
        op.create_index(f"ix_practice_{name}", "practice", [name], postgresql_using="gin")
    for trigger, table in (
        ("list_insert", "practice"), ("list_update", "practice"), ("list_insert", "content_reading"),
        ("list_update", "content_reading"), ("list_later", "content_reading"), ("list_update", "city"),
    ):  # fmt: skip
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.drop_table("practice_listing")
    for function in (
        "wego_reading_gone()", "wego_cities_changed()", "wego_readings_changed()", "wego_practices_changed()",
        "wego_list_practices(uuid[])",
        "wego_practice_facets(uuid, text, text, text, text, timestamptz, text, varchar[], varchar[], varchar[])",
        "wego_title_query(text)", "wego_title_grams(text)",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {function}")
