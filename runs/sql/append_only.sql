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
    IF (SELECT count(DISTINCT t.run_id) FROM task_run t WHERE t.id IN (NEW.up_id, NEW.down_id)
        AND t.run_id = NEW.run_id) <> 1
       OR (SELECT count(*) FROM task_run t WHERE t.id IN (NEW.up_id, NEW.down_id) AND t.run_id = NEW.run_id) <> 2
    THEN
        RAISE EXCEPTION 'an edge joins two different tasks of one run' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE CONSTRAINT TRIGGER task_edge_within_run AFTER INSERT OR UPDATE ON task_edge
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION task_edge_within_run();
