"""The log holds ids, codes and salted hashes; its words lie beside it, where they can be erased.

An entry of the first form keeps its words for ever: they are in its leaf, and the tree would not verify without
them. Entries of the second form (column `version`) hold the hash of each word and its salt lies with the word.
Entries are appended by one function, which takes the lock of the log last and owns the right to write it; a hub that
is not the owner of the tables can append, and nothing else.
"""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Advisory locks that nobody else takes. They are queues: who comes first is served first, which is not so for those
# who wait for a row. Ordinary writers pass the gate one at a time; behind it all wait for the log.
GATE, LOG = 7219045530002, 7219045530004

APPEND = """
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

ROOT = """
CREATE FUNCTION wego_audit_root(frontier bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT AS $body$
DECLARE
    rest integer := length(frontier) - 32;
    node bytea := substr(frontier, rest + 1);
BEGIN
    WHILE rest > 0 LOOP
        rest := rest - 32;
        node := sha256('\\x01'::bytea || substr(frontier, rest + 1, 32) || node);
    END LOOP;
    RETURN node;
END $body$
"""

SIGNED = """
CREATE FUNCTION wego_audit_signed(signed_size bigint, signed_root bytea, signed_note text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = %(schema)s, pg_temp AS $body$
BEGIN
    INSERT INTO audit_checkpoint (size, root, note) VALUES (signed_size, signed_root, signed_note)
        ON CONFLICT DO NOTHING;
    UPDATE audit_state SET unsigned_since = CASE WHEN size > signed_size THEN clock_timestamp() END
        WHERE unsigned_since IS NOT NULL;
    RETURN FOUND;
END $body$
"""

STEP = """
CREATE FUNCTION wego_keep_step() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF to_jsonb(NEW) - 'reason' - 'reference' = to_jsonb(OLD) - 'reason' - 'reference'
       AND NEW.reason IN ('', OLD.reason) AND NEW.reference IN ('', OLD.reference) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a step is never changed, only its words are erased' USING ERRCODE = 'restrict_violation';
END $body$
"""

FUNCTIONS = (
    "wego_audit_append(boolean, integer, boolean, timestamptz[], text[], text[], text[], uuid[], text[], text[], "
    "bytea[], bytea[], integer[], text[], bytea[], text[])",
    "wego_audit_signed(bigint, bytea, text)",
    "wego_audit_root(bytea)",
)


def upgrade() -> None:
    op.execute("ALTER TABLE audit_entry ADD COLUMN version smallint NOT NULL DEFAULT 1")
    op.execute("ALTER TABLE audit_entry ALTER COLUMN version DROP DEFAULT")
    op.execute("ALTER TABLE audit_entry ADD COLUMN word_hashes jsonb NOT NULL DEFAULT '{}'::jsonb")
    op.execute("ALTER TABLE audit_state ADD COLUMN unsigned_since timestamptz")
    op.execute(
        """
        CREATE TABLE audit_word (
            entry bigint NOT NULL,
            field varchar NOT NULL,
            salt bytea NOT NULL,
            text varchar NOT NULL,
            CONSTRAINT pk_audit_word PRIMARY KEY (entry, field)
        )
        """
    )
    op.execute(
        "CREATE TRIGGER keep BEFORE UPDATE OR TRUNCATE ON audit_word "
        "FOR EACH STATEMENT EXECUTE FUNCTION wego_refuse_change()"
    )
    _words_of_steps_can_be_erased()
    schema = op.get_bind().execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    for function in (ROOT, APPEND, SIGNED):
        op.get_bind().exec_driver_sql(function % {"schema": schema, "gate": GATE, "log": LOG})
    for name in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")


def _words_of_steps_can_be_erased() -> None:
    op.execute("DROP TRIGGER append_only ON membership_step")
    op.execute(STEP)
    op.execute(
        "CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON membership_step "
        "FOR EACH STATEMENT EXECUTE FUNCTION wego_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER keep_step BEFORE UPDATE ON membership_step FOR EACH ROW EXECUTE FUNCTION wego_keep_step()"
    )


def downgrade() -> None:
    newer = op.get_bind().execute(text("SELECT count(*) FROM audit_entry WHERE version > 1")).scalar_one()
    if newer:
        raise RuntimeError(
            f"{newer} entries of the log have the form of this version, and could not be proved below it"
        )
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DROP TRIGGER keep_step ON membership_step")
    op.execute("DROP TRIGGER append_only ON membership_step")
    op.execute("DROP FUNCTION wego_keep_step()")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON membership_step "
        "FOR EACH STATEMENT EXECUTE FUNCTION wego_refuse_change()"
    )
    op.execute("DROP TABLE audit_word")
    op.execute("ALTER TABLE audit_state DROP COLUMN unsigned_since")
    op.execute("ALTER TABLE audit_entry DROP COLUMN word_hashes, DROP COLUMN version")
