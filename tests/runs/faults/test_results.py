"""What a task leaves as its result, or in its place: believed only as far as it can be, and said in words."""

from __future__ import annotations

import json

import pytest

from runs.models import Attempt
from tests.runs.faults.bench import Bench, python, shell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_result_of_100_mb_of_json_becomes_a_file(bench: Bench) -> None:
    source = "def main() -> list:\n    return ['x' * 1000] * 100_000\n"
    told = bench.run(python(source, memory=2 * 1024**3, result="json"))
    assert told.task.state == "succeeded", told.words
    output = told.outputs["result"]
    assert output.size > 100_000_000
    assert output.value is None
    bench.still_works()


FORGED = {
    "garbage": (b"\x00\xff garbage", "it has no end"),
    "half of it": (b'{"outputs": []', "it has no end"),
    "deep": (b"[" * 100_000 + b"}\n", "it is not JSON"),
    "not a number": (b'{"outputs": [], "metrics": {"x": NaN}}\n', "NaN is not a number"),
    "infinite": (b'{"outputs": [], "metrics": {"x": -Infinity}}\n', "is not a number"),
    "no object": (b'{"outputs": [3]}\n', "an output is not an object"),
    "an output twice": (
        b'{"outputs": [{"name": "x", "type": "any"}, {"name": "x", "type": "any"}]}\n',
        "twice",
    ),
    "a path elsewhere": (
        b'{"outputs": [{"name": "x", "type": "file", "path": "/etc/passwd"}]}\n',
        "lies outside the attempt's folder",
    ),
    "a long name": (
        json.dumps({"outputs": [{"name": "x" * 300, "type": "any"}]}).encode() + b"\n",
        "has no name",
    ),
    "its own out of memory": (
        b'{"error": {"reason": "oom", "type": "x", "message": "x", "traceback": ""}}\n',
        "no reason that a task may give",
    ),
    "its own loss": (
        b'{"error": {"reason": "lease", "type": "x", "message": "x", "traceback": ""}}\n',
        "no reason that a task may give",
    ),
    "numbers for words": (b'{"error": {"reason": 3, "type": 4}}\n', "no reason that a task may give"),
    "strange metrics": (b'{"outputs": [], "metrics": [1]}\n', "its metrics are not an object"),
}


@pytest.mark.parametrize("way", FORGED)
def test_a_task_that_writes_its_own_report_is_not_believed(bench: Bench, way: str) -> None:
    body, words = FORGED[way]
    told = bench.run(python(f"import os\ndef main() -> None:\n    os.write(3, {body!r})\n    os._exit(0)\n"))
    assert (told.last.state, told.last.reason) == ("failed", "exit")
    assert "its report was not written by us" in told.words
    assert words in told.words
    bench.still_works()


def test_a_task_that_floods_its_report_with_memory_is_told_so(bench: Bench) -> None:
    source = (
        "import os\ndef main() -> None:\n    for _ in range(70):\n"
        "        os.write(3, b'x' * (1 << 20))\n    os._exit(0)\n"
    )
    told = bench.run(python(source))
    assert "it has 73,400,320 bytes, more than 67,108,864" in told.words
    bench.still_works()


def test_garbage_before_the_result_does_not_lose_the_result(bench: Bench) -> None:
    source = "import os\ndef main() -> int:\n    os.write(3, b'garbage')\n    return 5\n"
    told = bench.run(python(source, result="integer"))
    assert told.task.state == "succeeded", told.words
    assert told.outputs["result"].value == 5


@pytest.mark.parametrize("how", ["os.close(3)", "os.closerange(0, 100)", "os.dup2(os.open('x', 66), 3)"])
def test_a_task_that_closes_where_its_result_is_told_fails_in_words(bench: Bench, how: str) -> None:
    told = bench.run(python(f"import os\ndef main() -> int:\n    {how}\n    return 1\n", result="integer"))
    assert (told.last.state, told.last.reason, told.last.exit_code) == ("failed", "exit", 1)
    assert "no report of a result" in told.last.cause
    if "range" not in how:  # else it has no log to say it in
        assert "closed descriptor 3, on which its result is told" in told.log
    bench.still_works()


CLAIM = b'{"error": {"reason": "infrastructure", "type": "X", "message": "a bad disk", "traceback": ""}}\n'


def test_a_task_cannot_have_itself_tried_again_for_nothing(bench: Bench) -> None:
    told = bench.run(python(f"import os\ndef main() -> None:\n    os.write(3, {CLAIM!r})\n    os._exit(1)\n"))
    assert [(each.state, each.reason) for each in told.attempts] == [("failed", "error")]
    assert "a bad disk" in told.words


def test_an_error_that_only_looks_like_a_full_disk_is_the_tasks_own(bench: Bench) -> None:
    told = bench.run(python("def main() -> None:\n    raise OSError(28, 'No space left on device')\n"))
    assert [(each.state, each.reason) for each in told.attempts] == [("failed", "error")]


def test_outputs_that_the_document_does_not_declare_are_refused(bench: Bench) -> None:
    body = b'{"outputs": [{"name": "extra", "type": "integer", "value": 3}]}\n'
    told = bench.run(python(f"import os\ndef main() -> None:\n    os.write(3, {body!r})\n    os._exit(0)\n"))
    assert told.last.reason == "validation"
    assert "an output 'extra' that the document does not declare" in told.words


ENDS = {
    "leaves at once": (
        "import os\n",
        "os._exit(0)",
        "exit",
        "ended with exit code 0 and no report of a result",
    ),
    "leaves with a code": ("import os\n", "os._exit(3)", "exit", "exit 3"),
    "SystemExit": ("", "raise SystemExit('no data')", "exit", "exit 1"),
    "SystemExit 0": ("", "raise SystemExit(0)", "validation", "before it returned its outputs"),
    "KeyboardInterrupt": ("", "raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
    "GeneratorExit": ("", "raise GeneratorExit('x')", "error", "GeneratorExit: x"),
    "a segmentation fault": (
        "import ctypes\n",
        "ctypes.string_at(0)",
        "exit",
        "exit 139: invalid memory access",
    ),
    "an abort": ("import os\n", "os.abort()", "exit", "exit 134: aborted"),
    "endless recursion": ("", "return main()", "error", "RecursionError: maximum recursion depth exceeded"),
}


@pytest.mark.parametrize("way", ENDS)
def test_every_way_to_end_is_told_in_words(bench: Bench, way: str) -> None:
    head, body, reason, words = ENDS[way]
    told = bench.run(python(f"{head}def main() -> int:\n    {body}\n", result="integer"))
    assert (told.last.state, told.last.reason) == ("failed", reason)
    assert words in told.words
    bench.still_works()


HOSTILE = """
class Hostile(BaseException):
    def __str__(self):
        {says}
    __repr__ = __str__
def main() -> None:
    raise Hostile("x")
"""


@pytest.mark.parametrize(
    "says",
    [
        "raise SystemExit(0)",
        "raise KeyboardInterrupt",
        "raise self",
        "return 3",
        "return 'x' * 10_000_000",
        "return '\\ud800 \\x00 \\x1b[2J'",
    ],
)
def test_an_exception_whose_text_is_hostile_is_told_all_the_same(bench: Bench, says: str) -> None:
    told = bench.run(python(HOSTILE.format(says=says)))
    assert (told.last.state, told.last.reason) == ("failed", "error")
    assert "Hostile" in told.words
    assert len(told.last.cause) <= 4200
    bench.still_works()


SAYS = """
from orchestrator_task import log_metric, progress, seed
def main() -> int:
    {body}
    return 1
"""


@pytest.mark.parametrize(
    "body, words",
    [
        ("[log_metric(f'm{n}', n) for n in range(200_000)]", "there are 1,000 names already"),
        ("[log_metric('x' * 10_000 + str(n), n, n) for n in range(2_000)]", ""),
        ("[log_metric('loss', n, n) for n in range(300_000)]", ""),
        ("log_metric('loss', float('nan')); log_metric('loss', float('inf'), 1)", ""),
        ("[progress(n, 100_000) for n in range(100_000)]", "progress 100%"),
        ("progress(float('nan'), message=object())", "progress nan%"),
        ("seed(True)", ""),
        ("import orchestrator_task; orchestrator_task._metrics['x'] = object()", "left out of the record"),
        (
            "import orchestrator_task; orchestrator_task._seeds['x'] = 'y' * 300_000",
            "The seeds of this attempt",
        ),
    ],
)
def test_what_a_task_says_about_itself_has_a_limit_and_never_costs_the_result(
    bench: Bench, body: str, words: str
) -> None:
    told = bench.run(python(SAYS.format(body=body), result="integer"))
    assert told.task.state == "succeeded", told.words
    assert words in told.log
    assert len(json.dumps(told.last.provenance)) < 300 * 1024
    bench.still_works()


def test_a_pipe_among_the_outputs_is_refused_and_stops_nobody(bench: Bench) -> None:
    told = bench.run(shell("mkdir $OUT/x; mkfifo $OUT/x/pipe", x="folder"))
    assert told.last.reason == "validation"
    assert "pipe is neither a file nor a folder" in told.words
    assert Attempt.objects.get(pk=told.last.pk).outputs.count() == 0


FIFO = b'{"outputs": [{"name": "x", "type": "file", "path": "outputs/pipe"}]}\n'


@pytest.mark.parametrize("thing", ["os.mkfifo('outputs/pipe')", "socket.socket(1).bind('outputs/pipe')"])
def test_a_forged_output_without_bytes_stops_nobody(bench: Bench, thing: str) -> None:
    body = f"{thing}; path = os.path.abspath('outputs/pipe')"
    source = f"import os, socket\ndef main() -> None:\n    {body}\n"
    source += f"    os.write(3, {FIFO!r}.replace(b'outputs/pipe', path.encode()))\n    os._exit(0)\n"
    told = bench.run(python(source, x="file"))
    assert told.last.reason == "validation"
    assert "it has no bytes that could be kept" in told.words
    bench.still_works()
