"""The faults that the product must survive, and the tests that show it: each row named after the fault.

`test_index.py` checks that what is named here exists. `make soak` puts most of them together under load.
"""

from __future__ import annotations

from typing import Final

FAULTS: Final[dict[str, tuple[str, ...]]] = {
    "worker SIGKILL": (
        "tests/runs/test_process_tree.py::test_when_the_worker_is_killed_everything_is_dead_within_two_seconds",
        "tests/runs/test_leftovers.py::test_the_lease_of_a_worker_that_died_here_is_lost_at_once_and_its_task_runnable",
        "tests/runs/test_sweeps.py::test_a_lapsed_lease_is_lost_and_its_task_runnable_again",
        "tests/soak/test_soak.py::test_half_a_minute_of_chaos_breaks_nothing",
        "tests/walks/test_faults.py::test_a_worker_killed_in_the_middle_of_a_task_costs_one_attempt",
        "tests/runs/test_simulation.py::test_a_worker_may_die_at_every_step",
    ),
    "task out of memory": (
        "tests/runs/faults/test_memory.py::test_a_task_that_passes_its_memory_is_ended_and_told_so",
        "tests/runs/faults/test_memory.py::"
        "test_a_task_that_fills_shared_memory_by_writing_is_ended_and_its_files_are_removed",
        "tests/runs/faults/test_memory.py::test_a_shell_task_is_held_to_its_memory_too",
        "tests/runs/test_memory_limit.py::test_memory_of_child_processes_counts",
        "tests/runs/test_cgroup.py::test_the_kernel_holds_a_task_to_its_memory_where_it_may",
    ),
    "machine lost": (
        "tests/runs/test_leftovers.py::test_a_lease_of_another_machine_is_left_alone",
        "tests/runs/test_sweeps.py::test_a_lapsed_lease_is_lost_and_its_task_runnable_again",
        "tests/soak/test_soak.py::test_half_a_minute_of_chaos_breaks_nothing",
        "tests/runs/test_slots.py::test_what_a_cut_off_worker_held_is_not_given_out_before_its_host_registers",
        "tests/runs/test_slots.py::test_a_host_without_a_live_worker_has_its_devices_withdrawn_until_it_registers_again",
    ),
    "Redis wiped": (
        "tests/runs/test_consumers.py::test_a_flushed_redis_does_not_stop_the_messages",
        "tests/soak/test_soak.py::test_half_a_minute_of_chaos_breaks_nothing",
        "tests/walks/test_faults.py::test_a_run_finishes_although_redis_is_wiped_in_the_middle",
    ),
    "PostgreSQL down": (
        "tests/runs/test_sweeps.py::test_no_lease_expires_while_the_database_has_been_up_for_less_than_its_life",
        "tests/soak/test_soak.py::test_half_a_minute_of_chaos_breaks_nothing",
        "tests/runs/faults/test_outages.py::test_postgres_is_away_for_a_minute_and_nobody_is_declared_lost",
        "tests/walks/test_faults.py::test_a_run_finishes_although_postgres_ends_in_the_middle",
        "tests/walks/test_faults.py::test_a_run_finishes_although_a_crash_of_postgres_forgets_that_a_task_had_begun",
        "tests/walks/test_faults.py::test_many_short_tasks_survive_a_restart_of_postgres_and_none_that_committed_runs_twice",
    ),
    "Redis down for a minute": (
        "tests/runs/faults/test_outages.py::test_redis_is_away_for_a_minute_and_50_runs_are_accepted_meanwhile",
    ),
    "duplicate delivery": (
        "tests/runs/test_interleavings.py::test_two_workers_never_get_the_same_task",
        "tests/runs/test_sweeps.py::test_a_worker_with_an_attempt_is_not_rung",
        "tests/runs/faults/test_messages.py::test_each_queue_is_rung_a_hundred_times_and_each_task_has_one_attempt",
        "tests/runs/test_simulation.py::test_every_run_ends_whatever_becomes_of_messages_and_workers",
    ),
    "death between commit and ring": (
        "tests/runs/test_sweeps.py::test_a_task_that_nobody_came_for_is_rung_for_again",
        "tests/runs/faults/test_messages.py::test_half_of_the_rings_are_never_sent_and_the_sweep_rings_within_two_seconds",
    ),
    "two sweeps": (
        "tests/runs/test_sweeps.py::test_two_sweeps_do_what_one_does",
        "tests/runs/faults/test_messages.py::test_two_sweeps_at_once_settle_each_lost_attempt_once",
    ),
    "worker frozen then thawed": (
        "tests/runs/test_process_tree.py::test_when_the_worker_is_frozen_its_attempt_is_killed_by_the_silence",
        "tests/runs/faults/test_processes.py::test_a_worker_that_is_frozen_and_thawed_writes_nothing_any_more",
        "tests/runs/test_protocol.py::test_a_finish_after_the_attempt_was_lost_is_fenced",
        "tests/soak/test_soak.py::test_half_a_minute_of_chaos_breaks_nothing",
    ),
    "worker cut off from the network": (
        "tests/runs/test_remote_worker.py::test_a_short_cut_costs_nothing_and_the_log_is_whole",
        "tests/runs/test_remote_worker.py::"
        "test_a_worker_that_is_cut_off_is_replaced_and_its_late_end_does_not_count",
        "tests/runs/test_remote_worker.py::"
        "test_connections_that_stall_are_reset_and_half_closed_cost_time_and_no_result",
        "tests/runs/test_heart.py::test_attempts_are_kept_alive_while_a_beat_hangs",
        "tests/runs/test_heart.py::test_a_database_that_never_answers_is_given_up_after_the_patience",
    ),
    "worker clock wrong": (
        "tests/runs/faults/test_clocks.py::test_a_worker_whose_clock_is_five_minutes_wrong_works_as_any_other",
        "tests/soak/test_soak.py::test_half_a_minute_of_chaos_breaks_nothing",
    ),
    "deploy in the middle of a run": (
        "tests/runs/faults/test_upgrades.py::test_a_run_keeps_its_version_when_the_pipeline_gets_another_one",
        "tests/runs/faults/test_upgrades.py::test_a_worker_of_the_version_before_may_still_call",
        "tests/runs/faults/test_upgrades.py::test_a_worker_of_the_version_before_reads_the_work_it_is_given",
    ),
    "log flood of 1 GB": (
        "tests/runs/faults/test_logs.py::"
        "test_a_task_that_prints_1_gb_costs_neither_its_worker_nor_its_neighbour",
        "tests/runs/faults/test_logs.py::test_one_endless_line_is_kept_in_chunks_and_shown_with_its_length",
        "tests/runs/faults/test_logs.py::test_what_is_no_text_is_kept_as_text",
        "tests/runs/faults/test_logs.py::test_a_task_that_closes_its_output_keeps_its_result",
    ),
    "disk full": (
        "tests/runs/faults/test_disk.py::test_a_task_that_fills_the_disk_is_ended_and_told_so",
        "tests/runs/faults/test_disk.py::test_a_full_disk_is_said_as_such_and_the_task_is_tried_again",
        "tests/runs/faults/test_disk.py::test_a_full_disk_met_by_python_is_told_by_its_error",
        "tests/runs/faults/test_store.py::test_a_worker_on_a_full_disk_claims_nothing_and_says_so",
    ),
    "SIGTERM ignored, setsid, double fork, daemon": (
        "tests/runs/test_process_tree.py::test_what_ignores_term_is_killed_after_the_grace",
        "tests/runs/faults/test_processes.py::test_what_a_task_leaves_running_is_dead_when_it_has_ended",
    ),
    "too many processes, files or outputs": (
        "tests/runs/faults/test_processes.py::test_10_000_processes_are_stopped_at_the_limit_and_told_so",
        "tests/runs/faults/test_processes.py::test_10_000_open_files_are_refused_with_the_limit_in_words",
        "tests/runs/faults/test_disk.py::test_an_output_of_too_many_files_is_refused_in_words",
        "tests/runs/faults/test_disk.py::test_an_output_that_cannot_be_kept_is_refused_by_its_name",
        "tests/runs/faults/test_disk.py::test_whatever_a_task_leaves_in_its_folder_is_removed",
    ),
    "a task that never ends": (
        "tests/runs/faults/test_processes.py::test_a_task_that_never_ends_is_ended_by_the_time_out_of_its_queue",
        "tests/runs/faults/test_processes.py::test_a_task_that_stops_itself_is_ended_by_its_time_out",
        "tests/runs/faults/test_waiting.py::test_a_task_can_be_cancelled_while_its_environment_is_built",
        "tests/runs/faults/test_waiting.py::test_the_time_that_an_environment_takes_is_not_the_tasks",
    ),
    "a task that attacks its watchers": (
        "tests/runs/faults/test_processes.py::test_a_task_that_kills_its_watcher_is_tried_three_times_and_told_so",
        "tests/runs/faults/test_processes.py::test_a_task_that_stops_its_watcher_is_found_and_ended",
        "tests/runs/faults/test_processes.py::"
        "test_a_task_that_writes_to_the_pipes_of_its_watcher_reaches_no_control",
    ),
    "a forged, huge or hostile report": (
        "tests/runs/faults/test_results.py::test_a_task_that_writes_its_own_report_is_not_believed",
        "tests/runs/faults/test_results.py::test_a_task_that_floods_its_report_with_memory_is_told_so",
        "tests/runs/faults/test_results.py::test_a_task_that_closes_where_its_result_is_told_fails_in_words",
        "tests/runs/faults/test_results.py::test_a_task_cannot_have_itself_tried_again_for_nothing",
        "tests/runs/faults/test_results.py::test_an_exception_whose_text_is_hostile_is_told_all_the_same",
        "tests/runs/faults/test_results.py::test_every_way_to_end_is_told_in_words",
        "tests/runs/faults/test_results.py::"
        "test_what_a_task_says_about_itself_has_a_limit_and_never_costs_the_result",
    ),
    "poison task": (
        "tests/runs/faults/test_processes.py::test_a_task_that_kills_its_worker_is_poison_after_three",
        "tests/runs/test_protocol.py::test_the_third_lost_attempt_ends_the_task_as_poison",
        "tests/runs/faults/test_waiting.py::test_a_chore_that_kills_its_worker_is_dead_after_eight_times",
        "tests/runs/test_quarantine.py::test_a_task_whose_third_worker_was_lost_is_in_quarantine_with_its_version",
    ),
    "500 tasks failing at once": (
        "tests/runs/test_protocol.py::test_full_jitter_draws_from_nothing_to_the_bound",
        "tests/runs/faults/test_crowds.py::test_500_tasks_that_fail_at_once_come_back_spread_over_the_whole_delay",
    ),
    "huge parameters and results": (
        "tests/runs/test_api_runs.py::test_more_than_256_kib_of_parameters_are_refused",
        "tests/runs/test_runner.py::test_the_border_between_value_and_file_is_64_kib_of_json",
        "tests/runs/faults/test_results.py::test_a_result_of_100_mb_of_json_becomes_a_file",
    ),
    "store away": (
        "tests/runs/faults/test_store.py::test_a_store_that_goes_away_in_the_middle_of_a_task_costs_one_attempt",
    ),
    "2,000 sockets, a tenth of which never reads": (
        "tests/soak/test_soak.py::test_hundreds_of_sockets_some_of_which_never_read_hear_within_a_second",
    ),
    "cancel racing finish": (
        "tests/runs/test_interleavings.py::test_of_a_cancel_and_a_finish_at_once_both_orders_end_the_run",
        "tests/runs/interleavings/test_pairs.py::test_two_verbs_meet_in_a_run_that_goes_on",
    ),
    "hung leader": (
        "tests/orchestrator_site/test_up.py::test_one_more_sweep_follows_the_one_that_leads",
        "tests/runs/faults/test_leaders.py::test_a_sweep_that_hangs_is_followed_by_another_within_a_minute",
    ),
    "dead notification endpoint": (
        "tests/runs/test_alerts.py::test_a_dead_server_does_not_hold_up_the_run",
        "tests/runs/test_alerts.py::test_a_server_that_refuses_is_asked_again_later",
    ),
}
