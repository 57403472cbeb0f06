-- What is written once stays: for the owner by triggers, for the application by its rights as well.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are never changed: % is refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

-- TRUNCATE has a trigger of its own name, so that a test set-up can switch off just that one.
CREATE OR REPLACE FUNCTION refuse_truncate(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE TRUNCATE ON %s FROM %I', target, application_role());
    EXECUTE format(
        'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        target);
END
$$;
REVOKE ALL ON FUNCTION refuse_truncate(regclass) FROM PUBLIC;

-- Makes a table append-only. Partitions of a partitioned table inherit the row trigger.
CREATE OR REPLACE FUNCTION make_append_only(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM %I', target, application_role());
    EXECUTE format(
        'CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION refuse_change()',
        target);
    PERFORM refuse_truncate(target);
END
$$;
REVOKE ALL ON FUNCTION make_append_only(regclass) FROM PUBLIC;

SELECT make_append_only('pipeline_version');
SELECT make_append_only('task');
SELECT make_append_only('edge');
SELECT make_append_only('code_snapshot');
SELECT make_append_only('audit_event');
