"""How real attempts end, as the API tells it: values passed on, errors in words, limits that hold."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.walks.product import Json, Product

pytestmark = pytest.mark.slow


def last_attempt(shop: Product, run: str, key: str) -> Json:
    found: Json = max(shop.details(run, key)["attempts"], key=lambda attempt: attempt["no"])
    return found


def run_one(shop: Product, task: str, *, state: str = "failed") -> tuple[str, Json]:
    """Run a pipeline of the one task ``t`` to its end; returns the run and the last attempt."""
    run = shop.start(shop.publish(f"  t:\n{task}"))
    assert shop.wait(run)["state"] == state
    return run, last_attempt(shop, run, "t")


def test_values_tables_arrays_models_and_files_reach_the_next_task(shop: Product) -> None:
    tasks = """\
  make:
    kind: python
    source: |
      import pathlib
      from typing import NamedTuple
      import pyarrow as pa

      class Made(NamedTuple):
          number: float
          words: dict
          table: pa.Table
          file: pathlib.Path

      def make() -> Made:
          path = pathlib.Path("note.txt")
          path.write_text("from one to the other")
          return Made(2.5, {"a": [1, 2]}, pa.table({"x": [1, 2, 3]}), path)
  use:
    kind: python
    with:
      number: "${{ tasks.make.outputs.number }}"
      words: "${{ tasks.make.outputs.words }}"
      table: "${{ tasks.make.outputs.table }}"
      file: "${{ tasks.make.outputs.file }}"
    source: |
      import pathlib
      import pyarrow as pa

      def use(number: float, words: dict, table: pa.Table, file: pathlib.Path) -> str:
          return f"{number} {words['a'][1]} {sum(table['x'].to_pylist())} {file.read_text()}"
"""
    run = shop.start(shop.publish(tasks))
    assert shop.wait(run)["state"] == "succeeded", last_attempt(shop, run, "use")
    (output,) = shop.details(run, "use")["outputs"]
    assert output["value"] == "2.5 2 6 from one to the other"


def test_an_exception_is_the_cause_in_words_and_its_traceback_is_in_the_log(shop: Product) -> None:
    source = "      def t() -> int:\n          raise ValueError('no such colour: mauve')\n"
    _, attempt = run_one(shop, f"    kind: python\n    source: |\n{source}")
    assert attempt["reason"] == "error"
    assert "no such colour: mauve" in attempt["cause"]
    assert "raise ValueError" in shop.log(attempt["id"])


def test_a_shell_task_that_exits_with_a_code_says_which(shop: Product) -> None:
    _, attempt = run_one(shop, "    kind: shell\n    run: exit 3\n")
    assert (attempt["reason"], attempt["exit_code"]) == ("exit", 3)


def test_a_task_beyond_its_timeout_is_ended(shop: Product) -> None:
    started = time.monotonic()
    _, attempt = run_one(shop, "    kind: shell\n    timeout: 1s\n    run: sleep 100\n")
    assert attempt["reason"] == "timeout"
    assert time.monotonic() - started < 20


def test_a_task_beyond_its_memory_is_ended_and_the_worker_lives(shop: Product) -> None:
    hungry = (
        "    kind: python\n    resources: {memory: 150Mi}\n    source: |\n      def t() -> int:\n"
        "          held = []\n          while True:\n              held.append(bytearray(8_000_000))\n"
    )
    _, attempt = run_one(shop, hungry)
    assert attempt["reason"] == "oom"
    _, after = run_one(shop, "    kind: shell\n    run: 'true'\n", state="succeeded")
    assert after["state"] == "succeeded"


def test_a_retry_that_succeeds_leaves_both_attempts_with_their_logs(shop: Product, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    task = (
        "    kind: shell\n    retries: {limit: 2, base: 100ms, jitter: none}\n    run: |\n"
        '      echo "this is attempt in $PWD"\n      test -f $IN_MARK || { touch $IN_MARK; exit 1; }\n'
        f"    with: {{mark: {tmp_path}/mark}}\n"
    )
    run, _ = run_one(shop, task, state="succeeded")
    attempts = shop.details(run, "t")["attempts"]
    assert sorted((a["no"], a["state"]) for a in attempts) == [(1, "failed"), (2, "succeeded")]
    assert all("this is attempt" in shop.log(a["id"]) for a in attempts)


def test_cancel_ends_a_running_task_within_seconds(shop: Product) -> None:
    run = shop.start(
        shop.publish(
            "  t:\n    kind: shell\n    run: sleep 100\n"
            "  u:\n    kind: shell\n    needs: [t]\n    run: 'true'\n"
        )
    )
    shop.wait_task(run, "t", "running")
    shop.until(lambda: bool(shop.details(run, "t")["attempts"]), "it runs", 10, run)
    started = time.monotonic()
    shop.post(f"runs/{run}/cancel/")
    assert shop.wait(run)["state"] == "cancelled"
    assert time.monotonic() - started < 6
    assert {key: task["state"] for key, task in shop.tasks(run).items()} == {
        "t": "cancelled",
        "u": "cancelled",
    }


def test_a_log_of_many_lines_is_read_in_pages(shop: Product) -> None:
    _, attempt = run_one(shop, "    kind: shell\n    run: seq 1 30000\n", state="succeeded")
    page = shop.get(f"attempts/{attempt['id']}/log/", offset=20_000, limit=3)
    assert page["lines"] == ["20001", "20002", "20003"]
    assert (page["total"], page["complete"]) == (30_000, True)


def test_a_check_that_blocks_stops_what_follows(shop: Product) -> None:
    tasks = """\
  make:
    kind: python
    source: |
      import pyarrow as pa

      def make() -> pa.Table:
          return pa.table({"label": [1, 2, 42]})
  sound:
    kind: check
    with: {table: "${{ tasks.make.outputs.result }}"}
    checks:
      - {column: label, between: [0, 9]}
  after:
    kind: shell
    needs: [sound]
    run: 'true'
"""
    run = shop.start(shop.publish(tasks))
    assert shop.wait(run)["state"] == "failed"
    assert {key: task["state"] for key, task in shop.tasks(run).items()} == {
        "make": "succeeded",
        "sound": "failed",
        "after": "upstream_failed",
    }
    attempt = last_attempt(shop, run, "sound")
    assert attempt["reason"] == "validation"
    assert "label" in attempt["cause"]
