"""Entries of the third form: the actor in full, what was decided with its before and after, and the place.

Entries from before keep their form and stay provable. Going down is refused once an entry has the new form.
"""

from alembic import op
from sqlalchemy import text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

GATE, LOG = 7219045530002, 7219045530004  # those of 0005

APPEND = """
CREATE FUNCTION wego_audit_append(
    ahead boolean, patience integer, rights boolean,
    ats timestamptz[], events text[], actors text[], subject_types text[], subject_ids uuid[],
    facts text[], hashes text[], heads bytea[], tails bytea[], actings text[], decideds text[], places uuid[],
    word_entries integer[], word_fields text[], word_salts bytea[], word_texts text[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = %(schema)s, pg_temp AS $body$
DECLARE
    first bigint;
    place bigint;
    bits bigint;
    edge bytea;
    node bytea;
    told record;
BEGIN
    PERFORM set_config('lock_timeout', patience::text, true);
    -- Ordinary writers come one at a time: before whoever changes rights stands one of them at most.
    IF NOT (ahead OR rights) THEN
        PERFORM pg_advisory_xact_lock(%(gate)s);
    END IF;
    PERFORM pg_advisory_xact_lock(%(log)s);
    IF rights THEN
        UPDATE access_epoch SET seq = seq + 1;
    END IF;
    IF cardinality(ats) = 0 THEN
        RETURN NULL;
    END IF;
    SELECT size, frontier INTO STRICT first, edge FROM audit_state FOR UPDATE;
    -- The lock is given back before the disk is waited for; the session waits for it after the commit, with others.
    PERFORM set_config('synchronous_commit', 'off', true);
    place := first;
    FOR told IN SELECT * FROM unnest(ats, events, actors, subject_types, subject_ids, facts, hashes, heads, tails,
            actings, decideds, places)
        AS t(at, event, actor, subject_type, subject_id, facts, hashes, head, tail, acting, decided, place)
    LOOP
        node := sha256('\\x00'::bytea || told.head || convert_to(place::text, 'UTF8') || told.tail);
        INSERT INTO audit_entry
            (index, at, event, actor, subject_type, subject_id, facts, leaf_hash, version, word_hashes, acting,
            decided, place_id)
        VALUES (place, told.at, told.event, told.actor, told.subject_type, told.subject_id, told.facts::jsonb, node,
            3, told.hashes::jsonb, told.acting::jsonb, told.decided::jsonb, told.place);
        bits := place;
        WHILE bits & 1 = 1 LOOP
            node := sha256('\\x01'::bytea || substr(edge, length(edge) - 31) || node);
            edge := substr(edge, 1, length(edge) - 32);
            bits := bits >> 1;
        END LOOP;
        edge := edge || node;
        place := place + 1;
    END LOOP;
    INSERT INTO audit_word (entry, field, salt, text)
        SELECT first + w.entry, w.field, w.salt, w.text
        FROM unnest(word_entries, word_fields, word_salts, word_texts) AS w(entry, field, salt, text);
    UPDATE audit_state SET size = place, frontier = edge, root = wego_audit_root(edge),
        unsigned_since = coalesce(unsigned_since, clock_timestamp());
    PERFORM pg_notify('wego_data', '');
    RETURN first;
END $body$
"""

OLD = """
CREATE FUNCTION wego_audit_append(
    ahead boolean, patience integer, rights boolean,
    ats timestamptz[], events text[], actors text[], subject_types text[], subject_ids uuid[],
    facts text[], hashes text[], heads bytea[], tails bytea[],
    word_entries integer[], word_fields text[], word_salts bytea[], word_texts text[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = %(schema)s, pg_temp AS $body$
DECLARE
    first bigint;
    place bigint;
    bits bigint;
    edge bytea;
    node bytea;
    told record;
BEGIN
    PERFORM set_config('lock_timeout', patience::text, true);
    -- Ordinary writers come one at a time: before whoever changes rights stands one of them at most.
    IF NOT (ahead OR rights) THEN
        PERFORM pg_advisory_xact_lock(%(gate)s);
    END IF;
    PERFORM pg_advisory_xact_lock(%(log)s);
    IF rights THEN
        UPDATE access_epoch SET seq = seq + 1;
    END IF;
    IF cardinality(ats) = 0 THEN
        RETURN NULL;
    END IF;
    SELECT size, frontier INTO STRICT first, edge FROM audit_state FOR UPDATE;
    -- The lock is given back before the disk is waited for; the session waits for it after the commit, with others.
    PERFORM set_config('synchronous_commit', 'off', true);
    place := first;
    FOR told IN SELECT * FROM unnest(ats, events, actors, subject_types, subject_ids, facts, hashes, heads, tails)
        AS t(at, event, actor, subject_type, subject_id, facts, hashes, head, tail)
    LOOP
        node := sha256('\\x00'::bytea || told.head || convert_to(place::text, 'UTF8') || told.tail);
        INSERT INTO audit_entry
            (index, at, event, actor, subject_type, subject_id, facts, leaf_hash, version, word_hashes)
        VALUES (place, told.at, told.event, told.actor, told.subject_type, told.subject_id, told.facts::jsonb, node,
            2, told.hashes::jsonb);
        bits := place;
        WHILE bits & 1 = 1 LOOP
            node := sha256('\\x01'::bytea || substr(edge, length(edge) - 31) || node);
            edge := substr(edge, 1, length(edge) - 32);
            bits := bits >> 1;
        END LOOP;
        edge := edge || node;
        place := place + 1;
    END LOOP;
    INSERT INTO audit_word (entry, field, salt, text)
        SELECT first + w.entry, w.field, w.salt, w.text
        FROM unnest(word_entries, word_fields, word_salts, word_texts) AS w(entry, field, salt, text);
    UPDATE audit_state SET size = place, frontier = edge, root = wego_audit_root(edge),
        unsigned_since = coalesce(unsigned_since, clock_timestamp());
    PERFORM pg_notify('wego_data', '');
    RETURN first;
END $body$
"""


NEW_SIGNATURE = (
    "wego_audit_append(boolean, integer, boolean, timestamptz[], text[], text[], text[], uuid[], text[], text[], "
    "bytea[], bytea[], text[], text[], uuid[], integer[], text[], bytea[], text[])"
)
OLD_SIGNATURE = (
    "wego_audit_append(boolean, integer, boolean, timestamptz[], text[], text[], text[], uuid[], text[], text[], "
    "bytea[], bytea[], integer[], text[], bytea[], text[])"
)


def upgrade() -> None:
    op.execute("ALTER TABLE audit_entry ADD COLUMN acting jsonb NOT NULL DEFAULT '{}'::jsonb")
    op.execute("ALTER TABLE audit_entry ADD COLUMN decided jsonb NOT NULL DEFAULT '{}'::jsonb")
    op.execute("ALTER TABLE audit_entry ADD COLUMN place_id uuid")
    op.execute("CREATE INDEX ix_audit_entry_place_id ON audit_entry (place_id, index) WHERE place_id IS NOT NULL")
    _replace(OLD_SIGNATURE, APPEND, NEW_SIGNATURE)


def _replace(old: str, function: str, new: str) -> None:
    schema = op.get_bind().execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    op.execute(f"DROP FUNCTION {old}")
    op.get_bind().exec_driver_sql(function % {"schema": schema, "gate": GATE, "log": LOG})
    op.execute(f"REVOKE ALL ON FUNCTION {new} FROM PUBLIC")


def downgrade() -> None:
    newer = op.get_bind().execute(text("SELECT count(*) FROM audit_entry WHERE version > 2")).scalar_one()
    if newer:
        raise RuntimeError(
            f"{newer} entries of the log have the form of this version, and could not be proved below it"
        )
    _replace(NEW_SIGNATURE, OLD, OLD_SIGNATURE)
    op.execute("DROP INDEX ix_audit_entry_place_id")
    op.execute("ALTER TABLE audit_entry DROP COLUMN acting, DROP COLUMN decided, DROP COLUMN place_id")
