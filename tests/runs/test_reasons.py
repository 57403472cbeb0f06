from __future__ import annotations

import pytest

from runs import reasons


@pytest.mark.parametrize(
    "code,words",
    [(1, "exit 1"), (137, "exit 137: killed"), (-9, "exit 137: killed"), (143, "exit 143: asked to stop")],
)
def test_an_exit_code_says_which_signal_ended_the_process(code: int, words: str) -> None:
    assert reasons.exit_words(code) == words


def test_an_exit_code_above_all_signals_is_just_a_number() -> None:
    assert reasons.exit_words(255) == "exit 255"


@pytest.mark.parametrize(
    "seconds,words",
    [(0.5, "0.5s"), (90, "90s"), (300, "5m"), (3600, "1h"), (5400, "1h 30m"), (90061, "1d 1h")],
)
def test_durations_have_at_most_two_units(seconds: float, words: str) -> None:
    assert reasons.duration_words(seconds) == words


def test_an_attempt_says_why_it_ended_in_one_line() -> None:
    words = reasons.attempt_words
    assert words("error", "ValueError: bad\nmore") == "ValueError: bad"
    assert words("exit", "the task ended with exit code 3", exit_code=3) == "exit 3"
    assert words("timeout", timeout=3600) == "timeout after 1h"
    assert words("oom", "the task held 3 GB") == "out of memory: the task held 3 GB"
    assert words("oom", memory=2 << 30) == "out of memory: more than 2 GiB"
    assert words("lease", "its worker stopped answering") == "its worker was lost"
    assert words("infrastructure", "the disk is full") == "the disk is full"
    assert words("infrastructure") == "a fault of the machine or of what it needs"
    assert words("validation", "the task filled 2 GiB of the disk") == "the task filled 2 GiB of the disk"


def test_a_cause_is_cut_to_one_line_of_bounded_length() -> None:
    assert len(reasons.first_line("x" * 1000)) == 300
    assert reasons.first_line("\n\n  said  \nmore") == "said"
    assert reasons.first_line("") == ""


def test_a_poisoned_task_says_it_once() -> None:
    assert reasons.task_words("poison", "its worker was lost") == reasons.TASK_WORDS["poison"]


def test_a_cancelled_task_names_no_person_where_a_newer_run_may_have_cancelled_it() -> None:
    assert reasons.task_words("by_person", "it was cancelled") == "It was cancelled."
    assert reasons.task_words("by_person") == "A person decided so."


def test_every_reason_of_the_engine_has_words() -> None:
    from runs.states import Reason

    told_by_the_state_alone = {"error"}
    for reason in Reason.values:
        known = reasons.TASK_WORDS.get(reason) or reasons.attempt_words(reason)
        assert known, reason
        if reason not in told_by_the_state_alone:
            assert known != reason or reason == "exit" or reason == "timeout", reason
