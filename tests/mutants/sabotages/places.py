"""Where sabotages are committed, and the tests that stand there."""

from __future__ import annotations

FINISH, CLAIM, ORDER = "runs/sql/finish.sql", "runs/sql/claim.sql", "runs/sql/order.sql"
SETTLE, VERBS, UNITS = "runs/sql/settle.sql", "runs/sql/verbs.sql", "runs/sql/slots.sql"
ADMISSION = "runs/sql/admission.sql"
PROTOCOL, SWEEPS, DISPATCH = "runs/protocol.py", "runs/sweeps.py", "runs/dispatch.py"
ZYGOTE, A_GUARD = "runs/worker/zygote.py", ""

RULES = "tests/runs/test_protocol.py"
PAIRS = "tests/runs/interleavings/test_pairs.py"
GOING = f"{PAIRS}::test_two_verbs_meet_in_a_run_that_goes_on"
MODEL = "tests/runs/model/test_model.py::test_the_engine_does_what_the_rules_predict"
GUARDS = "tests/runs/test_schema_guards.py"
MEETINGS = "tests/runs/interleavings/test_meetings.py"
SWEPT = "tests/runs/test_sweeps.py"
SLOTS = "tests/runs/test_slots.py"
DURABLE = "tests/runs/test_durability.py"
FENCE, STOPPING = "tests/runs/test_fence.py", "tests/runs/test_stopping.py"
TREE = "tests/runs/test_process_tree.py"
TURNS, TEAM_LIMITS = "tests/runs/test_order.py", "tests/runs/test_team_limits.py"
OVERLAP, QUARANTINE = "tests/runs/test_overlap.py", "tests/runs/test_quarantine.py"
