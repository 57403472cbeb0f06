"""A task that fills the disk, or leaves behind what is hard to keep or hard to remove."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from runs.worker import folders, outputs
from tests.runs.faults.bench import Bench, python, shell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
WRITE = """
import os, tempfile, time
def main() -> None:
    {open}
    for _ in range(64):
        os.write(fd, b"x" * (1 << 20))
    {then}
    time.sleep(60)
"""


@pytest.mark.parametrize(
    "opening, then",
    [
        pytest.param('fd = os.open("big", os.O_WRONLY | os.O_CREAT)', "", id="in its folder"),
        pytest.param(
            'fd = os.open("outputs/big", os.O_WRONLY | os.O_CREAT)', "os.close(fd)", id="in outputs"
        ),
        pytest.param("fd, _ = tempfile.mkstemp()", "os.close(fd)", id="in a temporary file"),
        pytest.param('fd = os.open("big", 65); os.unlink("big")', "", id="in a file without a name"),
    ],
)
def test_a_task_that_fills_the_disk_is_ended_and_told_so(bench: Bench, opening: str, then: str) -> None:
    bench.limit(disk="20Mi")
    told = bench.run(python(WRITE.format(open=opening, then=then)))
    assert (told.last.state, told.last.reason) == ("failed", "validation")
    assert "the task filled 64 MiB of the disk, more than its limit of 20 MiB" in told.words
    assert "more than its limit of 20 MiB" in told.log
    bench.still_works()


def test_a_file_with_holes_and_one_with_two_names_count_what_they_are(bench: Bench) -> None:
    bench.limit(disk="20Mi")
    text = "truncate -s 10G holes; head -c 15M /dev/zero > a; ln a b; sleep 1.5"
    assert bench.run(shell(text)).task.state == "succeeded"


@pytest.fixture
def small_disk(bench: Bench, tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """A disk of 8 MiB on which attempts have their folders."""
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(home / "work")]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("Only root can mount a small disk here.")
    bench.station  # noqa: B018 - it finds its store where it was
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "HOME": home}
    yield home / "work"
    bench.close()
    bench.stations.clear()
    subprocess.run(["umount", str(home / "work")], check=True)


@pytest.mark.parametrize(
    "text", ["head -c 20M /dev/zero > big", 'python3 -c \'open("b", "wb").write(bytes(2<<23))\'']
)
def test_a_full_disk_is_said_as_such_and_the_task_is_tried_again(
    bench: Bench, small_disk: Path, text: str
) -> None:
    told = bench.run(shell(text))
    assert [(each.state, each.reason) for each in told.attempts] == [("failed", "infrastructure")] * 3
    assert told.task.retries_used == 0
    assert "there is no space left on the disk with" in told.words
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_met_by_python_is_told_by_its_error(bench: Bench, small_disk: Path) -> None:
    told = bench.run(python("def main() -> None:\n    open('big', 'wb').write(bytes(20 << 20))\n"))
    assert {each.reason for each in told.attempts} == {"infrastructure"}
    assert "No space left on device" in told.words


def test_an_output_of_too_many_files_is_refused_in_words(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "FILES_LIMIT", 1_000)
    source = """
import os
def main() -> str:
    for part in range(2):
        os.makedirs(f"many/{part}")
        for number in range(600):
            os.close(os.open(f"many/{part}/{number}", os.O_WRONLY | os.O_CREAT))
    return "many"
"""
    told = bench.run(python(source, result="folder"))
    assert told.last.reason == "validation"
    assert "more than 1,000 files: put them into one archive" in told.words
    bench.still_works()


DEEP = 'import os; [(os.mkdir("d"), os.chdir("d")) for _ in range({})]'
BIND = "python3 -c 'import socket; s = socket.socket(1); s.bind(\"s\")'"
LEFT = {
    "closed folders": "mkdir -p a/b; touch a/b/c; chmod 000 a/b a",
    "a folder without end": f"python3 -c '{DEEP.format(3000)}'",
    "names of any bytes": "touch \"$(printf 'a\\377b')\" \"$(printf 'line\\nline')\" -- -rf '*'",
    "pipes, sockets and links": f"mkfifo p; ln -s / root; ln -s nowhere n; {BIND}",
    "temporary files": "touch $TMPDIR/x; mktemp; mkdir $TMPDIR/deep; touch $TMPDIR/deep/y",
}


@pytest.mark.parametrize("way", LEFT)
def test_whatever_a_task_leaves_in_its_folder_is_removed(bench: Bench, way: str) -> None:
    told = bench.run(shell(LEFT[way]))
    assert told.task.state == "succeeded", told.words
    bench.still_works()


def test_folders_that_a_task_has_closed_are_opened_and_nothing_around_them(tmp_path: Path) -> None:
    closed = tmp_path / "attempt" / "a" / "b"
    closed.mkdir(parents=True)
    (tmp_path / "attempt" / "link").symlink_to(tmp_path)
    (tmp_path / "attempt" / "gone").symlink_to("/nowhere")
    for folder in (closed, closed.parent):
        folder.chmod(0)
    tmp_path.chmod(0o755)
    folders.open_folders(tmp_path / "attempt")
    assert closed.stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_folder_too_deep_for_the_descriptors_of_a_worker_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "attempt"
    top.mkdir()
    subprocess.run([sys.executable, "-c", DEEP.format(1500)], cwd=top, check=True)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, most[1]))
    try:
        folders.remove_tree(top)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert not top.exists()


def test_removing_what_is_not_there_changes_nothing_around_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    folders.remove_tree(tmp_path / "gone")
    assert tmp_path.stat().st_mode & 0o777 == 0o777


REFUSED = {
    "a name that is not UTF-8": ("touch \"$OUT/x/$(printf 'a\\377b')\"", "is not UTF-8: rename it"),
    "a link out of the folder": ("ln -s /etc/passwd $OUT/x/link", "leads out of the folder"),
    "a pipe": ("mkfifo $OUT/x/pipe", "is neither a file nor a folder"),
    "a device": ("mknod $OUT/x/null c 1 3", "is neither a file nor a folder"),
    "a folder without end": (
        f"cd $OUT/x; python3 -c '{DEEP.format(200)}'",
        "more than 100 folders inside each other",
    ),
}


@pytest.mark.parametrize("way", REFUSED)
def test_an_output_that_cannot_be_kept_is_refused_by_its_name(bench: Bench, way: str) -> None:
    text, words = REFUSED[way]
    if "mknod" in text and os.geteuid() != 0:
        pytest.skip("Only root makes devices.")
    told = bench.run(shell(f"mkdir $OUT/x; {text}", x="folder"))
    assert (told.last.state, told.last.reason) == ("failed", "validation")
    assert words in told.words
    bench.still_works()


def test_a_file_name_with_line_breaks_is_kept_as_it_is(bench: Bench) -> None:
    told = bench.run(shell("mkdir $OUT/x; touch \"$OUT/x/$(printf 'a\\nb')\"", x="folder"))
    assert told.task.state == "succeeded", told.words


def test_the_name_of_a_file_that_is_not_text_costs_nobody_the_file(bench: Bench) -> None:
    source = (
        "import os\ndef main() -> bytes:\n    open(b'report\\xff.csv', 'w').write('a')\n"
        "    return os.fsdecode(b'report\\xff.csv')\n"
    )
    told = bench.run(python(source, result="file"))
    assert told.task.state == "succeeded", told.words
    assert told.outputs["result"].meta["filename"] == "report\\xff.csv"
