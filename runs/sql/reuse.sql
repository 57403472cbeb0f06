-- What was taken over stays; of the document behind a key only its quarantine may be set, once.
SELECT make_append_only('task_reuse');

CREATE OR REPLACE FUNCTION task_key_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.quarantined_at IS NULL AND NEW.sha256 = OLD.sha256
       AND NEW.document = OLD.document AND NEW.created_at = OLD.created_at THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the document of key % cannot change', OLD.sha256 USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER task_key_stays BEFORE UPDATE OR DELETE ON task_key FOR EACH ROW EXECUTE FUNCTION task_key_stays();
