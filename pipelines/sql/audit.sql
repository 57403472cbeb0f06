-- The audit chain: one per team and one for the site ("site", or "team:<uuid>").
-- The application says what happened; the database says where in the chain it stands.

-- The hash of a payload is that of its text as PostgreSQL writes it, so it can be made again from the row.
CREATE OR REPLACE FUNCTION audit_payload_hash(body jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(body::text, 'UTF8')), 'hex')
$$;

CREATE OR REPLACE FUNCTION audit_payload_written() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.body IS NULL THEN
        RAISE EXCEPTION 'An audit payload is written with a body; only later may it be erased.';
    END IF;
    NEW.sha256 := audit_payload_hash(NEW.body);
    NEW.erased_at := NULL;
    RETURN NEW;
END
$$;

-- Erasing a body for a person's sake is the one change there is; the chain keeps the hash.
CREATE OR REPLACE FUNCTION audit_payload_erased() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.body IS NOT NULL OR NEW.id <> OLD.id OR NEW.sha256 <> OLD.sha256 THEN
        RAISE EXCEPTION 'An audit payload is never changed: only its body may be erased.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.erased_at := coalesce(OLD.erased_at, engine_now());
    RETURN NEW;
END
$$;

CREATE TRIGGER written BEFORE INSERT ON audit_payload
    FOR EACH ROW EXECUTE FUNCTION audit_payload_written();
CREATE TRIGGER erased BEFORE UPDATE ON audit_payload
    FOR EACH ROW EXECUTE FUNCTION audit_payload_erased();
CREATE TRIGGER no_delete BEFORE DELETE ON audit_payload
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT refuse_truncate('audit_payload');
DO $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON audit_payload FROM %I', application_role());
    EXECUTE format('GRANT UPDATE (body, erased_at) ON audit_payload TO %I', application_role());
END
$$;

-- What one link's hash covers, as the text of a JSON array. Rows are named by uuid, never by row id,
-- so that an export can be checked without the database.
CREATE OR REPLACE FUNCTION audit_canonical(
    event audit_event, team_uuid uuid, token_uuid uuid
) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_array(
        'audit-1', event.chain, event.seq, event.prev_hash, event.uuid,
        to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        team_uuid, event.actor_name, token_uuid, event.verb,
        event.object_kind, event.object_uuid, event.object_name, event.payload_sha256
    )::text
$$;

CREATE OR REPLACE FUNCTION audit_hash(event audit_event) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(audit_canonical(
        event,
        (SELECT t.uuid FROM team t WHERE t.id = event.team_id),
        (SELECT k.uuid FROM api_token k WHERE k.id = event.token_id)
    ), 'UTF8')), 'hex')
$$;

-- Two writers of one chain queue here until the first commits; each statement below then sees its row,
-- which READ COMMITTED alone promises. The last row is read by index: a "head" row that is updated
-- would cost the square of the rows written in one transaction.
CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'An audit row is written in a READ COMMITTED transaction, not %.',
            current_setting('transaction_isolation');
    END IF;
    NEW.chain := coalesce((SELECT 'team:' || t.uuid FROM team t WHERE t.id = NEW.team_id), 'site');
    PERFORM pg_advisory_xact_lock(hashtextextended('audit ' || NEW.chain, 0));
    SELECT e.seq, e.hash INTO last FROM audit_event e WHERE e.chain = NEW.chain ORDER BY e.seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.prev_hash := coalesce(last.hash, repeat('0', 64));
    NEW.at := engine_now();
    NEW.payload_sha256 := coalesce((SELECT p.sha256 FROM audit_payload p WHERE p.id = NEW.payload_id), '');
    NEW.hash := audit_hash(NEW);
    RETURN NEW;
END
$$;

CREATE TRIGGER link BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_link();
