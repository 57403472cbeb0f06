-- What is recorded stays. The functions come from the SQL of `pipelines`.

SELECT make_append_only('content');
SELECT make_append_only('content_location');
SELECT make_append_only('artifact');
SELECT make_append_only('code_ref');
SELECT make_append_only('environment_snapshot');
SELECT make_append_only('hardware_profile');
SELECT make_append_only('parameter_set');
SELECT make_append_only('use');
SELECT make_append_only('model_version');
SELECT make_append_only('model_closure');
SELECT make_append_only('catalogued_approval');
SELECT make_append_only('deployment_move');

-- A record is written, gets its uses, and is sealed, all in one transaction. Sealing is its one change.
CREATE TRIGGER sealed BEFORE UPDATE ON record FOR EACH ROW
    WHEN (OLD.sealed_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON record FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT refuse_truncate('record');

-- A use that arrives after the seal would change what the record says.
CREATE OR REPLACE FUNCTION refuse_late_use() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM arrived a JOIN record r ON r.id = a.record_id WHERE r.sealed_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'A sealed record takes no further uses.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER before_the_seal AFTER INSERT ON use REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_use();

-- The range of what is live may be closed; nothing else of it moves.
CREATE OR REPLACE FUNCTION refuse_deployment_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF upper_inf(OLD.during) AND NEW.endpoint_id = OLD.endpoint_id AND NEW.move_id = OLD.move_id
        AND NEW.model_version_id = OLD.model_version_id
        AND (isempty(NEW.during) OR lower(NEW.during) = lower(OLD.during)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'What was live at a time is never changed.' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER only_close BEFORE UPDATE ON deployment FOR EACH ROW
    EXECUTE FUNCTION refuse_deployment_change();
CREATE TRIGGER no_delete BEFORE DELETE ON deployment FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT refuse_truncate('deployment');

DO $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON record, deployment FROM %I', application_role());
    EXECUTE format('GRANT UPDATE (sealed_at) ON record TO %I', application_role());
    EXECUTE format('GRANT UPDATE (during) ON deployment TO %I', application_role());
END
$$;
