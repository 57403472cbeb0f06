-- What has happened stays: inputs and outputs never change, a finished attempt or ended lease never again.
SELECT make_append_only('attempt_output');
SELECT make_append_only('attempt_input');
SELECT make_append_only('approval');
SELECT make_append_only('run_code');
SELECT make_append_only('captured_fact');

CREATE OR REPLACE FUNCTION refuse_change_of_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % has ended (%) and cannot change', TG_TABLE_NAME, OLD.id, OLD.state
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER ended_stays BEFORE UPDATE OR DELETE ON attempt
    FOR EACH ROW WHEN (OLD.state <> 'running') EXECUTE FUNCTION refuse_change_of_ended();
CREATE TRIGGER ended_stays BEFORE UPDATE OR DELETE ON worker_lease
    FOR EACH ROW WHEN (OLD.state IN ('closed', 'lost')) EXECUTE FUNCTION refuse_change_of_ended();

-- An edge joins two tasks of its own run.
CREATE OR REPLACE FUNCTION task_edge_within_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM written e
        LEFT JOIN task_run u ON u.id = e.up_id AND u.run_id = e.run_id
        LEFT JOIN task_run d ON d.id = e.down_id AND d.run_id = e.run_id
        WHERE u.id IS NULL OR d.id IS NULL OR u.id = d.id
    ) THEN
        RAISE EXCEPTION 'an edge joins two different tasks of one run' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER task_edge_within_run AFTER INSERT ON task_edge REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION task_edge_within_run();
SELECT make_append_only('task_edge');

-- Rows that change often leave room for their new versions on the same page.
ALTER TABLE run SET (fillfactor = 60);
ALTER TABLE task_run SET (fillfactor = 60);
ALTER TABLE attempt SET (fillfactor = 70);
ALTER TABLE worker_lease SET (fillfactor = 50);
