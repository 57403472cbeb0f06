-- The verbs ask the same small questions by index thousands of times a second. Planning each of them anew costs
-- more than answering it, and a plan made while the tables were empty must not read them whole later.
DO $$
DECLARE
    v_function regprocedure;
    v_setting text;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN (
            'engine_claim', 'engine_apply', 'task_edge_within_run', 'engine_finish', 'engine_end_task', 'engine_judged', 'engine_reuse', 'engine_retry_now',
            'engine_undecided', 'engine_beat', 'engine_admit', 'engine_wide', 'engine_park',
            'engine_unpark', 'engine_turn')
    LOOP
        FOREACH v_setting IN ARRAY ARRAY[
            'plan_cache_mode = force_generic_plan', 'enable_nestloop = on', 'enable_seqscan = off',
            'enable_hashjoin = off', 'enable_mergejoin = off', 'enable_bitmapscan = off'
        ] LOOP
            EXECUTE format('ALTER FUNCTION %s SET %s', v_function, v_setting);
        END LOOP;
    END LOOP;
END $$;

-- Planting joins a whole graph with itself: by hash, whatever is thought of its size. What it calls has its own plans.
DO $$
DECLARE
    v_function regprocedure := (SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname = 'engine_plant');
BEGIN
    EXECUTE format('ALTER FUNCTION %s SET enable_nestloop = off', v_function);
END $$;
