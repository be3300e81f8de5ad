"""Lists of practices know technologies, keywords and evidence; words of vocabularies can be retired."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# How well what a practice tells can be checked: it names a source, or says of a figure where it is from, or neither.
EVIDENCE = """
    CREATE FUNCTION wego_evidence(sources jsonb, indicators jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN sources <> '[]' OR jsonb_path_exists(indicators, '$[*].evidence_url ? (@ != null)') THEN 'documented'
        ELSE 'self-reported'
    END
"""
INDEX = "ix_practice_listing_found"
ARGUMENTS = (
    ("city_id", "uuid"), ("country", "text"), ("region", "text"), ("status", "text"), ("visibility", "text"),
    ("public_from", "timestamptz"), ("stage", "text"), ("themes", "varchar[]"), ("sdg_codes", "varchar[]"),
    ("locales", "varchar[]"),
)  # fmt: skip
FURTHER = (("evidence", "text"), ("technologies", "varchar[]"), ("keywords", "varchar[]"))
WORDS = """
                UNION ALL SELECT 'e:' || evidence
                UNION ALL SELECT 'h:' || technology FROM unnest(technologies) AS technology
                UNION ALL SELECT 'w:' || keyword FROM unnest(keywords) AS keyword"""
COLUMNS = (
    "slug", "city_id", "status", "visibility", "public_from", "stage", "themes", "sdg_codes",
    "published_at", "updated_at", "sorted_at",
)  # fmt: skip
# What of the new columns is made of a practice p; keywords of all languages, in lower case, each once.
MADE = {
    "technologies": "p.technologies",
    "evidence": "wego_evidence(p.sources, p.indicators)",
    "keywords": "array(SELECT DISTINCT lower(w)::varchar FROM jsonb_each(p.keywords) AS k, "
    "jsonb_array_elements_text(k.value) AS w ORDER BY 1)",
}


def _facets(arguments: tuple[tuple[str, str], ...], words: str) -> str:
    named = ", ".join(f"{name} {kind}" for name, kind in arguments).replace("city_id uuid", "city uuid")
    return f"""
    CREATE FUNCTION wego_practice_facets({named}) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
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
                UNION ALL SELECT 'l:' || locale FROM unnest(locales) AS locale{words}
            ) AS found (facet)
        );
    END $$
"""  # the words of one row


def _list(made: dict[str, str]) -> str:
    columns = [*COLUMNS, *made, "country", "region", "locales", "titles"]
    values = [*(f"p.{each}" for each in COLUMNS), *made.values(), "c.country", "c.region"]
    return f"""
    CREATE OR REPLACE FUNCTION wego_list_practices(keys uuid[]) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO practice_listing AS old (id, {", ".join(columns)})
        SELECT p.id, {", ".join(values)}, coalesce(r.locales, '{{}}'), coalesce(r.titles, '')
        FROM practice AS p JOIN city AS c ON c.id = p.city_id LEFT JOIN LATERAL (
            SELECT array_agg(r.locale ORDER BY r.locale) AS locales,
                   string_agg(lower(r.title), E'\\n' ORDER BY r.locale) AS titles
            FROM content_reading AS r WHERE r.document_id = p.id
        ) AS r ON true
        WHERE p.id = ANY(keys) ORDER BY p.sorted_at, p.id
        ON CONFLICT (id) DO UPDATE SET {", ".join(f"{each} = excluded.{each}" for each in columns)}
        WHERE old IS DISTINCT FROM excluded;
    END $$
"""


def _index(arguments: tuple[tuple[str, str], ...]) -> None:
    columns = ", ".join(name for name, _ in arguments)
    op.execute(
        f"CREATE INDEX {INDEX} ON practice_listing USING gin (wego_practice_facets({columns}), "
        "wego_title_grams(titles)) WITH (gin_pending_list_limit = 128)"
    )


def _drop_facets(arguments: tuple[tuple[str, str], ...]) -> None:
    op.drop_index(INDEX, "practice_listing")
    op.execute(f"DROP FUNCTION wego_practice_facets({', '.join(kind for _, kind in arguments)})")


def upgrade() -> None:
    op.add_column("term", sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(EVIDENCE)
    _drop_facets(ARGUMENTS)
    words = {"type_": postgresql.ARRAY(sa.String()), "server_default": sa.text("'{}'"), "nullable": False}
    op.add_column("practice_listing", sa.Column("technologies", **words))
    op.add_column("practice_listing", sa.Column("keywords", **words))
    op.add_column("practice_listing", sa.Column("evidence", sa.Text(), server_default="self-reported", nullable=False))
    op.alter_column("practice_listing", "evidence", type_=sa.String(), server_default=None)
    op.execute(_facets((*ARGUMENTS, *FURTHER), WORDS))
    op.execute(_list(MADE))
    op.execute("SELECT wego_list_practices(array(SELECT id FROM practice))")
    _index((*ARGUMENTS, *FURTHER))
    op.execute("ANALYZE practice_listing")


def downgrade() -> None:
    _drop_facets((*ARGUMENTS, *FURTHER))
    for column in MADE:
        op.drop_column("practice_listing", column)
    op.execute(_list({}))
    op.execute(_facets(ARGUMENTS, ""))
    _index(ARGUMENTS)
    op.execute("DROP FUNCTION wego_evidence(jsonb, jsonb)")
    op.drop_column("term", "retired")
