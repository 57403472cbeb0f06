-- Events and log chunks, range-partitioned by run: 100,000 runs a partition, dropped whole by retention.
CREATE TABLE run_event (
    run_id bigint NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT engine_now(),
    kind varchar(32) NOT NULL,
    task_run_id bigint,
    attempt_id bigint,
    actor varchar(150) NOT NULL DEFAULT '',
    from_state varchar(20) NOT NULL DEFAULT '',
    to_state varchar(20) NOT NULL DEFAULT '',
    reason varchar(32) NOT NULL DEFAULT '',
    payload jsonb,
    PRIMARY KEY (run_id, seq)
) PARTITION BY RANGE (run_id);

CREATE TABLE log_chunk (
    run_id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    seq integer NOT NULL,
    first_line integer NOT NULL,
    lines integer NOT NULL,
    body bytea NOT NULL CHECK (octet_length(body) <= 65536),
    at timestamptz NOT NULL DEFAULT engine_now(),
    PRIMARY KEY (run_id, attempt_id, seq)
) PARTITION BY RANGE (run_id);

-- Makes the partition that holds p_run and the one after it. Owned by the owner role, callable by the
-- application: it is what the running product needs of the owner.
CREATE OR REPLACE FUNCTION ensure_run_partitions(p_run bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_from bigint;
    v_table text;
    v_name text;
BEGIN
    FOR v_from IN SELECT (p_run / 100000 + k) * 100000 FROM generate_series(0, 1) k LOOP
        FOREACH v_table IN ARRAY ARRAY['run_event', 'log_chunk'] LOOP
            v_name := v_table || '_' || v_from;
            IF to_regclass(v_name) IS NULL THEN
                EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                               v_name, v_table, v_from, v_from + 100000);
                EXECUTE format('REVOKE UPDATE, DELETE ON %I FROM %I', v_name, application_role());
            END IF;
        END LOOP;
    END LOOP;
END $$;

SELECT make_append_only('run_event');
SELECT make_append_only('log_chunk');
SELECT ensure_run_partitions(0);
