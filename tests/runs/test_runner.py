"""The runner: inputs in, the function called, outputs checked and kept, every failure told by its reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.runs.trials import Ended, Trials, value

ANY: dict[str, str] = {"result": "any"}


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, text, seen",
    [
        ("integer", "3", 3),
        ("number", "3", 3),
        ("number", "0.5", 0.5),
        ("string", "'é'", "é"),
        ("boolean", "True", True),
        ("json", "{'a': [1, None, {'b': 'c'}]}", {"a": [1, None, {"b": "c"}]}),
        ("json", "(1, 2)", [1, 2]),
        ("json", "{3, 1, 2}", [1, 2, 3]),
        ("any", "3.5", 3.5),
        ("any", "None", None),
    ],
)
def test_plain_values_come_back_as_they_were(trials: Trials, kind: str, text: str, seen: object) -> None:
    ended = trials.source(f"def main():\n    return {text}\n", outputs={"result": kind})
    assert ended.outputs["result"] == seen


@pytest.mark.parametrize(
    "kind, text, words",
    [
        ("integer", "0.5", "expected an integer, got float"),
        ("integer", "True", "expected an integer, got bool"),
        ("number", "'3'", "expected a number, got str"),
        ("number", "float('nan')", "nan is not a number that JSON can hold"),
        ("string", "3", "expected a string, got int"),
        ("boolean", "1", "expected a boolean, got int"),
        ("json", "object()", "object cannot be written as JSON"),
        ("json", "float('inf')", "cannot be written as JSON"),
        ("table", "3", "expected a table"),
        ("model", "None", "expected a model, got None"),
        ("model", "lambda: 1", "cannot be stored as a model"),
        ("file", "'nowhere.txt'", "nowhere.txt does not exist"),
        ("folder", "3", "expected the path of a folder"),
        ("image", "3", "expected an image"),
    ],
)
def test_a_value_of_another_type_than_declared_is_refused_by_name(
    trials: Trials, kind: str, text: str, words: str
) -> None:
    ended = trials.source(f"def main():\n    return {text}\n", outputs={"result": kind})
    assert ended.error["reason"] == "validation"
    assert ended.error["type"] == "TypeError"
    assert ended.error["message"].startswith("output result: ")
    assert words in ended.error["message"]
    assert words in ended.log


def test_a_large_value_becomes_a_file_and_comes_back_as_a_value(trials: Trials) -> None:
    ended = trials.source("def main() -> list:\n    return list(range(50_000))\n", outputs={"result": "json"})
    output = ended.outputs["result"]
    assert output["type"] == "json"
    assert output["media_type"] == "application/json"
    assert json.loads(Path(output["path"]).read_text()) == list(range(50_000))
    again = trials.source("def main(x: list) -> int:\n    return len(x)\n", inputs={"x": output}, outputs=ANY)
    assert again.outputs["result"] == 50_000


def test_the_border_between_value_and_file_is_64_kib_of_json(trials: Trials) -> None:
    source = "def main(n: int) -> str:\n    return 'x' * n\n"
    just = trials.source(source, inputs={"n": value(64 * 1024 - 2)}, outputs={"result": "string"})
    over = trials.source(source, inputs={"n": value(64 * 1024 - 1)}, outputs={"result": "string"})
    assert isinstance(just.outputs["result"], str)
    assert "path" in over.outputs["result"]


# --- several outputs ----------------------------------------------------------------------------------------

SEVERAL = {
    "NamedTuple": """
from typing import NamedTuple
class Out(NamedTuple):
    a: int
    b: str
def main() -> Out:
    return Out(1, "x")
""",
    "dataclass": """
from dataclasses import dataclass
@dataclass
class Out:
    a: int
    b: str
def main() -> Out:
    return Out(1, "x")
""",
    "dict": "def main():\n    return {'a': 1, 'b': 'x'}\n",
}


@pytest.mark.parametrize("way", SEVERAL)
def test_several_outputs_are_taken_by_name(trials: Trials, way: str) -> None:
    ended = trials.source(SEVERAL[way], outputs={"a": "integer", "b": "string"})
    assert ended.outputs == {"a": 1, "b": "x"}


def test_an_output_that_was_not_returned_is_named(trials: Trials) -> None:
    ended = trials.source("def main():\n    return {'a': 1}\n", outputs={"a": "integer", "b": "string"})
    assert ended.error["reason"] == "validation"
    assert "output b is declared" in ended.error["message"]


# --- files --------------------------------------------------------------------------------------------------


def test_a_table_is_parquet_with_its_rows_and_columns_told(trials: Trials) -> None:
    source = (
        "import pyarrow as pa\ndef main() -> pa.Table:\n    return pa.table({'a': [1, 2], 'b': ['x', 'y']})\n"
    )
    output = trials.source(source, outputs={"result": "table"}).outputs["result"]
    assert output["meta"] == {
        "rows": 2,
        "columns": [{"name": "a", "type": "int64"}, {"name": "b", "type": "string"}],
    }
    assert pq.read_table(output["path"]).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


def test_rows_may_be_returned_as_a_list_of_dicts(trials: Trials) -> None:
    output = trials.source("def main():\n    return [{'a': 1}, {'a': 2}]\n", outputs={"result": "table"})
    assert output.outputs["result"]["meta"]["rows"] == 2


@pytest.fixture
def table(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "table"
    pq.write_table(pa.table({"a": [1, 2, 3]}), path)
    return {"type": "table", "path": str(path), "media_type": "application/vnd.apache.parquet"}


@pytest.mark.parametrize(
    "hint, seen",
    [
        ("pa.Table", "pyarrow.lib.Table"),
        ("'pa.Table'", "pyarrow.lib.Table"),
        ("", "pyarrow.lib.Table"),
        ("Path", "pathlib.PosixPath"),
    ],
)
def test_a_table_comes_as_the_class_of_the_hint(
    trials: Trials, table: dict[str, Any], hint: str, seen: str
) -> None:
    source = f"""
import pyarrow as pa
from pathlib import Path
def main(table{": " + hint if hint else ""}) -> str:
    return f"{{type(table).__module__}}.{{type(table).__name__}}"
"""
    ended = trials.source(source, inputs={"table": table}, outputs={"result": "string"})
    assert ended.outputs["result"] == seen


def test_a_class_that_is_not_installed_is_named(trials: Trials, table: dict[str, Any]) -> None:
    source = "from __future__ import annotations\ndef main(table: polars.DataFrame) -> None: ...\n"
    ended = trials.source(source, inputs={"table": table})
    assert ended.error["reason"] == "validation"
    assert "input table: this environment has no polars" in ended.error["message"]


def test_an_input_whose_bytes_are_gone_is_not_the_users_fault(trials: Trials, tmp_path: Path) -> None:
    gone = {"type": "table", "path": str(tmp_path / "gone")}
    ended = trials.source("def main(table) -> None: ...\n", inputs={"table": gone})
    assert ended.error["reason"] == "infrastructure"
    assert "input table cannot be read" in ended.error["message"]


def test_a_model_goes_through_a_file_and_comes_back(trials: Trials) -> None:
    code = str(
        trials.code(
            "class Model:\n    def __init__(self, x): self.x = x\n"
            "def train():\n    return Model(7)\n"
            "def evaluate(model: Model) -> int:\n    return model.x\n"
        )
    )
    made = trials.run(entry="blocks:train", code_path=code, outputs={"result": "model"}).outputs["result"]
    assert made["media_type"] == "application/x-pickle"  # the product's own environment has no joblib
    assert made["meta"]["class"] == "blocks.Model"
    seen = trials.run(
        entry="blocks:evaluate", code_path=code, inputs={"model": made}, outputs={"result": "integer"}
    )
    assert seen.outputs["result"] == 7


def test_a_file_keeps_its_name_and_its_bytes(trials: Trials) -> None:
    source = (
        "from pathlib import Path\ndef main() -> Path:\n"
        "    p = Path('report.csv'); p.write_text('a,b'); return p\n"
    )
    output = trials.source(source, outputs={"result": "file"}).outputs["result"]
    assert output["media_type"] == "text/csv"
    assert output["meta"]["filename"] == "report.csv"
    assert output["path"].endswith("/outputs/result.csv")
    assert Path(output["path"]).read_text() == "a,b"


def test_a_file_outside_the_attempt_is_copied_not_shared(trials: Trials, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("x")
    source = f"def main():\n    return {str(tmp_path / 'outside.txt')!r}\n"
    path = trials.source(source, outputs={"result": "file"}).outputs["result"]["path"]
    assert Path(path).stat().st_nlink == 1


def test_a_folder_comes_with_everything_in_it(trials: Trials) -> None:
    source = """
from pathlib import Path
def main() -> Path:
    Path('m/deep').mkdir(parents=True)
    Path('m/deep/a.txt').write_text('A')
    Path('m/b.txt').write_text('B')
    return Path('m')
"""
    output = trials.source(source, outputs={"result": "folder"}).outputs["result"]
    assert (Path(output["path"]) / "deep" / "a.txt").read_text() == "A"
    assert output["meta"]["files"] == 2


def test_a_file_comes_under_the_name_it_had(trials: Trials) -> None:
    source = "def main():\n    open('week 7.csv', 'w').write('a,b')\n    return 'week 7.csv'\n"
    output = trials.source(source, outputs={"result": "file"}).outputs["result"]
    source = "def main(report) -> str:\n    return report.name + ' ' + report.read_text()\n"
    assert trials.source(source, inputs={"report": output}, outputs=ANY).outputs["result"] == "week 7.csv a,b"
    assert "inputs/report/week 7.csv\n" in trials.shell('echo "$IN_REPORT"', inputs={"report": output}).log


@pytest.mark.parametrize("name", ["../../evil", "..", "", "/etc/passwd"])
def test_the_name_of_a_file_cannot_lead_out_of_the_attempt(trials: Trials, tmp_path: Path, name: str) -> None:
    (tmp_path / "bytes").write_text("x")
    given = {"type": "file", "path": str(tmp_path / "bytes"), "meta": {"filename": name}}
    source = "def main(f) -> str:\n    return f.read_text()\n"
    assert trials.source(source, inputs={"f": given}, outputs=ANY).outputs["result"] == "x"
    assert not (tmp_path / "evil").exists()


def test_a_link_that_a_script_left_is_replaced_by_its_bytes(trials: Trials, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("x")
    ended = trials.shell(f"ln -s {tmp_path}/outside.txt $OUT/x", outputs={"x": "file"})
    path = Path(ended.outputs["x"]["path"])
    assert not path.is_symlink()
    assert path.read_text() == "x"


FORGED = {
    "a path elsewhere": b'{"outputs": [{"name": "x", "type": "file", "path": "/etc/passwd"}]}\n',
    "a way out": b'{"outputs": [{"name": "x", "type": "file", "path": "outputs/../../../etc/passwd"}]}\n',
    "no list": b'{"outputs": "none"}\n',
    "no words": b'{"error": {"reason": 3}}\n',
    "depth": b"[" * 100_000 + b"}\n",
    "a number": b"3}\n",
    "half of it": b'{"outputs": []}',
}


@pytest.mark.parametrize("way", FORGED)
def test_a_report_that_no_runner_writes_is_not_believed(trials: Trials, tmp_path: Path, way: str) -> None:
    (tmp_path / "forged").write_bytes(FORGED[way])
    source = f"""
import os
def main() -> None:
    os.write(3, open({str(tmp_path / "forged")!r}, "rb").read())
    os._exit(0)
"""
    error = trials.source(source).error
    assert error["reason"] == "exit"
    assert "no report" in error["message"]


def test_what_is_declared_any_shows_what_it_is(trials: Trials) -> None:
    output = trials.source(
        "import pyarrow as pa\ndef main():\n    return pa.table({'a': [1]})\n", outputs=ANY
    )
    assert output.outputs["result"]["type"] == "table"


# --- code ---------------------------------------------------------------------------------------------------


def test_of_inline_code_the_last_public_function_is_run(trials: Trials) -> None:
    source = """
from os.path import join
def first() -> int:
    return 1
def second() -> int:
    return 2
class Later: ...
def _helper() -> int:
    return 3
"""
    assert trials.source(source, outputs=ANY).outputs["result"] == 2


def test_an_async_function_is_awaited(trials: Trials) -> None:
    assert trials.source("async def main() -> int:\n    return 5\n", outputs=ANY).outputs["result"] == 5


def test_modules_beside_the_entry_can_be_imported_and_hide_nothing_of_ours(trials: Trials) -> None:
    trials.code("answer = 42\n", "memory")
    code = str(trials.code("import memory\ndef main() -> int:\n    return memory.answer\n"))
    assert trials.run(entry="blocks:main", code_path=code, outputs=ANY).outputs["result"] == 42


def test_an_entry_in_a_package_is_found(trials: Trials) -> None:
    code = trials.code("")
    (code / "package").mkdir()
    (code / "package" / "__init__.py").write_text("")
    (code / "package" / "steps.py").write_text("def main() -> int:\n    return 9\n")
    ended = trials.run(entry="package.steps:main", code_path=str(code), outputs=ANY)
    assert ended.outputs["result"] == 9


@pytest.mark.parametrize(
    "entry, words",
    [
        ("missing:main", "there is no module missing in the code location"),
        ("blocks:nothing", "no function nothing"),
    ],
)
def test_an_entry_that_is_not_there_is_named(trials: Trials, entry: str, words: str) -> None:
    code = str(trials.code("def main() -> None: ...\n"))
    ended = trials.run(entry=entry, code_path=code)
    assert ended.error["reason"] == "validation"
    assert words in ended.error["message"]


@pytest.mark.parametrize("inputs", [{}, {"x": 1, "y": 2}])
def test_inputs_that_do_not_fit_the_function_are_refused(trials: Trials, inputs: dict[str, int]) -> None:
    given = {name: value(number) for name, number in inputs.items()}
    ended = trials.source("def main(x: int) -> None: ...\n", inputs=given)
    assert ended.error["reason"] == "validation"
    assert "the inputs do not fit the function" in ended.error["message"]


def test_a_type_error_inside_the_function_is_the_functions_own(trials: Trials) -> None:
    ended = trials.source("def main() -> None:\n    len(3)\n")
    assert ended.error["reason"] == "error"
    assert ended.error["line"] == 2


# --- failures -----------------------------------------------------------------------------------------------


def test_an_exception_is_told_with_the_users_lines_only(trials: Trials) -> None:
    code = str(
        trials.code(
            "def helper(x):\n    return 1 / x\n\n"
            "def main() -> None:\n    try:\n        helper(0)\n"
            "    except ZeroDivisionError as problem:\n        raise ValueError('bad data') from problem\n"
        )
    )
    ended = trials.run(entry="blocks:main", code_path=code)
    error = ended.error
    assert (error["reason"], error["type"], error["message"], error["line"]) == (
        "error",
        "ValueError",
        "bad data",
        8,
    )
    assert "return 1 / x" in error["traceback"]
    assert "The above exception was the direct cause" in error["traceback"]
    assert "runner.py" not in error["traceback"]
    assert error["traceback"] in ended.log
    assert ended.event["exit"] == 1


def test_inline_code_shows_its_lines_too(trials: Trials) -> None:
    ended = trials.source("def main() -> None:\n    raise KeyError('gone')\n", task="train-all/fit")
    assert 'File "<train-all/fit>", line 2' in ended.error["traceback"]
    assert "raise KeyError('gone')" in ended.error["traceback"]


def test_a_syntax_error_names_its_line(trials: Trials) -> None:
    code = str(trials.code("x = 1\ndef main(:\n"))
    ended = trials.run(entry="blocks:main", code_path=code)
    assert ended.error["type"] == "SyntaxError"
    assert ended.error["line"] == 2


def test_a_missing_package_is_an_error_of_the_code(trials: Trials) -> None:
    code = str(trials.code("import no_such_package\ndef main() -> None: ...\n"))
    ended = trials.run(entry="blocks:main", code_path=code)
    assert ended.error["reason"] == "error"
    assert ended.error["type"] == "ModuleNotFoundError"
    assert ended.error["line"] == 1


def test_transient_faults_are_told_apart(trials: Trials) -> None:
    source = (
        "from orchestrator_task import Transient\nclass Busy(Transient): ...\n"
        "def main() -> None:\n    raise Busy('later')\n"
    )
    assert trials.source(source).error["reason"] == "transient"
    source = "def main() -> None:\n    raise ConnectionError('later')\n"
    assert trials.source(source).error["reason"] == "error"
    assert trials.source(source, transient=["OSError"]).error["reason"] == "transient"


def test_invalid_data_is_a_validation_failure_without_a_traceback(trials: Trials) -> None:
    source = "from orchestrator_task import Invalid\ndef main() -> None:\n    raise Invalid('no rows')\n"
    ended = trials.source(source)
    assert ended.error["reason"] == "validation"
    assert ended.log == "no rows\n"


def test_a_full_disk_is_not_the_users_fault(trials: Trials) -> None:
    source = "import errno\ndef main() -> None:\n    raise OSError(errno.ENOSPC, 'No space left on device')\n"
    assert trials.source(source).error["reason"] == "infrastructure"


def test_leaving_with_a_code_is_an_exit(trials: Trials) -> None:
    ended = trials.source("import sys\ndef main() -> None:\n    sys.exit(7)\n")
    assert ended.error["reason"] == "exit"
    assert ended.event["exit"] == 7


def test_leaving_with_words_shows_them(trials: Trials) -> None:
    ended = trials.source("import sys\ndef main() -> None:\n    sys.exit('no data tonight')\n")
    assert ended.error["message"] == "no data tonight"
    assert "no data tonight" in ended.log


def test_leaving_with_zero_succeeds_only_where_nothing_was_promised(trials: Trials) -> None:
    source = "import sys\ndef main():\n    sys.exit(0)\n"
    assert trials.source(source).outputs == {}
    assert trials.source(source, outputs=ANY).error["reason"] == "validation"


def test_a_process_that_vanishes_is_an_exit(trials: Trials) -> None:
    ended = trials.source("import os\ndef main() -> None:\n    os._exit(9)\n")
    assert ended.error["reason"] == "exit"
    assert "exit code 9" in ended.error["message"]


def test_a_crash_names_its_signal_and_shows_where(trials: Trials) -> None:
    ended = trials.source("import ctypes\ndef main() -> None:\n    ctypes.string_at(0)\n")
    assert ended.error["message"] == "the process was ended by SIGSEGV"
    assert "Segmentation fault" in ended.log
    assert "in main" in ended.log


# --- what a task says about itself --------------------------------------------------------------------------


def test_output_is_in_the_log_at_once(trials: Trials) -> None:
    trial = trials.start(
        source="import time\ndef main() -> None:\n    print('first line')\n    time.sleep(30)\n"
    )
    trial.wait_for("first line\n")
    trial.running.kill()
    trial.wait()


def test_standard_error_and_child_processes_speak_into_the_same_log(trials: Trials) -> None:
    source = """
import subprocess, sys
def main() -> None:
    print("a")
    print("b", file=sys.stderr)
    subprocess.run(["echo", "c"])
    print("é", end="")
"""
    assert trials.source(source).log == "a\nb\nc\né"


def test_metrics_seeds_and_progress_are_reported(trials: Trials) -> None:
    source = """
from orchestrator_task import log_metric, progress, seed
def main() -> None:
    seed(3)
    for step in range(3):
        log_metric("loss", 1 / (step + 1), step=step)
        progress(step + 1, 3, "epoch")
    log_metric("bad", float("nan"))
"""
    result = trials.source(source)
    assert result.result["metrics"] == {"loss": pytest.approx(1 / 3), "bad": "nan"}
    assert result.result["series"]["loss"][0] == [0.0, 1.0]
    assert result.result["seeds"]["random"] == 3
    assert result.result["seeds"]["PYTHONHASHSEED"] == "0"
    assert result.result["progress"] == {"share": 1.0, "message": "epoch"}
    assert "progress 33% epoch\n" in result.log


def test_what_was_measured_before_a_failure_is_kept(trials: Trials) -> None:
    source = (
        "from orchestrator_task import log_metric\ndef main():\n"
        "    log_metric('loss', 1)\n    raise ValueError\n"
    )
    assert trials.source(source).result["metrics"] == {"loss": 1.0}


def test_a_checkpoint_folder_is_the_one_that_was_given(trials: Trials, tmp_path: Path) -> None:
    source = "from orchestrator_task import checkpoint_dir\ndef main():\n    return str(checkpoint_dir())\n"
    given = {"ORCHESTRATOR_CHECKPOINT_DIR": str(tmp_path / "kept")}
    assert trials.source(source, outputs=ANY, env=given).outputs["result"] == str(tmp_path / "kept")
    assert trials.source(source, outputs=ANY).outputs["result"].endswith("/checkpoint")


def test_what_libraries_do_at_exit_is_done(trials: Trials) -> None:
    assert (
        "bye" in trials.source("import atexit\ndef main() -> None:\n    atexit.register(print, 'bye')\n").log
    )


def test_the_helpers_do_no_harm_outside_a_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runs.worker import orchestrator_task

    monkeypatch.chdir(tmp_path)
    orchestrator_task.log_metric("loss", 1)
    assert orchestrator_task.checkpoint_dir() == tmp_path / "checkpoint"


# --- shell --------------------------------------------------------------------------------------------------


def test_a_script_reads_its_inputs_and_writes_its_outputs(trials: Trials, table: dict[str, Any]) -> None:
    text = """
echo "got $IN_WORD, $IN_COUNT, $IN_LIST"
test -f "$IN_MY_TABLE"
echo 5 > "$OUT/number"
echo "hello world" > "$OUT/words"
echo '{"a": 1}' > "$OUT/facts"
echo data > "$OUT/report"
mkdir "$OUT/model"; echo m > "$OUT/model/weights"
cp "$IN_MY_TABLE" "$OUT/table"
"""
    inputs = {"word": value("x y"), "count": value(3), "list": value([1, 2]), "my-table": table}
    outputs = {"number": "integer", "words": "string", "facts": "json"}
    outputs |= {"report": "file", "model": "folder", "table": "table"}
    ended = trials.shell(text, inputs=inputs, outputs=outputs)
    assert "got x y, 3, [1, 2]" in ended.log
    assert ended.outputs["number"] == 5
    assert ended.outputs["words"] == "hello world"
    assert ended.outputs["facts"] == {"a": 1}
    assert Path(ended.outputs["report"]["path"]).read_text() == "data\n"
    assert (Path(ended.outputs["model"]["path"]) / "weights").exists()
    assert ended.outputs["table"]["meta"]["rows"] == 3


def test_a_script_stops_at_its_first_failing_command(trials: Trials) -> None:
    ended = trials.shell("echo one\nfalse\necho two\n")
    assert ended.error["reason"] == "exit"
    assert ended.event["exit"] == 1
    assert "two" not in ended.log


def test_the_exit_code_of_a_script_is_kept(trials: Trials) -> None:
    ended = trials.shell("exit 42")
    assert ended.error["message"] == "the script ended with exit code 42"
    assert ended.event["exit"] == 42


@pytest.mark.parametrize(
    "text, kind, words",
    [
        ("true", "integer", "the script did not write $OUT/x"),
        ("echo abc > $OUT/x", "integer", "should hold a value of type integer, but holds 'abc'"),
        # Not quoted in part: a secret that is cut is hidden by nobody.
        ("printf %0200d 1 > $OUT/x", "integer", "of type integer, but holds 200 characters of another kind"),
        ("echo 1.5 > $OUT/x", "integer", "expected an integer"),
        ("mkdir $OUT/x", "string", "must be a file that holds a string"),
        ("echo x > $OUT/x", "table", "x is not a Parquet file"),
        ("echo x > $OUT/x", "array", "is not a .npy file"),
        ("echo x > $OUT/x", "folder", "is not a folder"),
    ],
)
def test_an_output_that_a_script_got_wrong_is_named(trials: Trials, text: str, kind: str, words: str) -> None:
    ended = trials.shell(text, outputs={"x": kind})
    assert ended.error["reason"] == "validation"
    assert words in ended.error["message"]


def test_inputs_are_never_read_as_commands(trials: Trials) -> None:
    ended = trials.shell('echo "$IN_WORD"', inputs={"word": value("$(touch evil); `id`", "string")})
    assert ended.log == "$(touch evil); `id`\n"
    assert not (ended.work / "evil").exists()


def test_a_script_works_in_the_folder_of_its_attempt(trials: Trials) -> None:
    ended: Ended = trials.shell("pwd")
    assert ended.log.strip() == str(ended.work)


def test_the_runner_needs_no_newer_python_than_it_says() -> None:
    import ast

    for name in (
        "zygote",
        "runner",
        "serializers",
        "orchestrator_task",
        "processes",
        "memory",
        "capture/facts",
    ):
        text = (Path(sys.modules["runs.worker"].__file__ or "").parent / f"{name}.py").read_text()
        ast.parse(text, feature_version=(3, 9))
