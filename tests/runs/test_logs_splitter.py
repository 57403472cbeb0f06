"""The log of an attempt: chunks, lines, progress bars, floods."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.worker.journal import Journal
from runs.worker.logs import BURST, CHUNK_BYTES, RATE, Bucket, Chunk, LogSplitter

HELD_UP = b"\n--- this task was held up for 43 s: it wrote faster than 1 MiB a second ---\n"


def text(chunks: list[Chunk]) -> str:
    return b"".join(chunk.body for chunk in chunks).decode()


def say(*parts: bytes, **limits: int) -> list[Chunk]:
    splitter = LogSplitter(**limits)
    chunks = [chunk for part in parts for chunk in splitter.feed(part)]
    return chunks + splitter.close()


def test_lines_are_counted_over_chunks() -> None:
    chunks = say(*[b"line %d\n" % number for number in range(20_000)])
    assert len(chunks) > 1
    assert [chunk.seq for chunk in chunks] == list(range(len(chunks)))
    for before, after in pairwise(chunks):
        assert after.first_line == before.first_line + before.lines
    assert sum(chunk.lines for chunk in chunks) == 20_000


def test_a_line_longer_than_a_chunk_goes_on_in_the_next() -> None:
    chunks = say(b"x" * (2 * CHUNK_BYTES + 5) + b"\nend\n")
    assert [len(chunk.body) for chunk in chunks] == [CHUNK_BYTES, CHUNK_BYTES, 10]
    assert [chunk.first_line for chunk in chunks] == [0, 0, 0]


@given(
    st.text(alphabet=st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])), st.integers(1, 7)
)
def test_text_survives_any_border(words: str, step: int) -> None:
    data = words.encode()
    assert text(say(*[data[at : at + step] for at in range(0, len(data), step)])) == words


@given(st.binary(max_size=400), st.integers(1, 5))
def test_any_bytes_become_text(data: bytes, step: int) -> None:
    text(say(*[data[at : at + step] for at in range(0, len(data), step)]))


@given(st.integers(CHUNK_BYTES - 5, CHUNK_BYTES + 5))
def test_no_character_is_cut_in_two(size: int) -> None:
    chunks = say(b"a" * size + "€".encode() * 10)
    for chunk in chunks:
        assert len(chunk.body) <= CHUNK_BYTES
        chunk.body.decode()


def test_bytes_that_are_not_text_are_replaced() -> None:
    assert text(say(b"a\xff\xc3", b"(b\0\n")) == "a\ufffd\ufffd(b\ufffd\n"


def test_a_line_without_an_end_is_given_by_flush_and_goes_on() -> None:
    splitter = LogSplitter()
    splitter.feed(b"one\ntw")
    first = splitter.flush()
    splitter.feed(b"o\nthree")
    second = splitter.flush() + splitter.close()
    assert text(first) == "one\ntw"
    assert text(second) == "o\nthree"
    assert second[0].first_line == 1
    assert not splitter.pending


def test_windows_line_ends_are_line_ends_also_over_a_border() -> None:
    assert text(say(b"a\r", b"\nb\r\n")) == "a\nb\n"


def test_of_a_progress_bar_the_last_state_is_kept() -> None:
    assert text(say(b"start\n", b"\r10%", b"\r50%", b"\r100%\n", b"done\n")) == "start\n100%\ndone\n"
    assert text(say(b"10%\r", b"50%\r", b"100%\r")) == "100%\n"


def test_each_flush_shows_one_state_of_a_progress_bar_on_its_own_line() -> None:
    splitter = LogSplitter()
    shown = ""
    for percent in range(4):
        splitter.feed(b"\r%d%%" % (percent * 10))
        splitter.feed(b"\r%d%%" % (percent * 10 + 5))
        shown += text(splitter.flush())
    assert shown == "5%\n15%\n25%\n35%\n"


def test_what_was_shown_is_not_taken_back_by_a_carriage_return() -> None:
    splitter = LogSplitter()
    splitter.feed(b"loading")
    shown = text(splitter.flush())
    splitter.feed(b" ...\rloaded\n")
    assert shown + text(splitter.flush()) == "loading ...\nloaded\n"


def test_a_flood_keeps_head_and_tail_and_says_what_is_missing() -> None:
    splitter = LogSplitter(head=200_000, tail=100_000)
    chunks = []
    for number in range(100_000):
        chunks += splitter.feed(b"line %06d\n" % number)
    chunks += splitter.close()
    lines = text(chunks).split("\n")
    assert lines[0] == "line 000000"
    assert lines[-2] == "line 099999"
    marks = [line for line in lines if "bytes of this log were dropped here" in line]
    assert len(marks) == 1
    assert f"{splitter.dropped:,}" in marks[0]
    kept = sum(len(line) + 1 for line in lines if line.startswith("line"))
    assert kept + splitter.dropped == 100_000 * 12
    assert kept <= 300_000


def test_a_log_that_just_fits_is_whole_and_has_no_mark() -> None:
    data = b"line\n" * 50_000
    assert text(say(data, head=100_000, tail=200_000)) == data.decode()


def test_a_flood_takes_no_memory() -> None:
    splitter = LogSplitter(head=1_000_000, tail=500_000)
    for _ in range(2_000):
        splitter.feed(b"x" * 50_000 + b"\n")
    assert splitter._tail_size <= 500_000
    assert splitter.dropped > 90_000_000


def test_a_burst_is_free_and_then_the_rate_counts() -> None:
    bucket = Bucket(now=100.0)
    bucket.take(BURST, now=100.0)
    assert bucket.delay(100.0) == 0.0
    bucket.take(RATE, now=100.0)
    assert bucket.delay(100.0) == pytest.approx(1.0)
    assert bucket.delay(101.0) == 0.0


def test_an_idle_bucket_fills_to_its_burst_and_no_further() -> None:
    bucket = Bucket(now=0.0, rate=10, burst=100)
    bucket.take(0, now=1_000.0)
    bucket.take(101, now=1_000.0)
    assert bucket.delay(1_000.0) == pytest.approx(0.1)


def test_a_bucket_knows_how_long_it_held_a_writer_up() -> None:
    bucket = Bucket(now=0.0, rate=10, burst=100)
    bucket.take(100, now=0.0)
    assert bucket.held == 0
    bucket.take(20, now=0.0)  # two seconds of waiting
    bucket.take(30, now=2.0)  # three more
    assert bucket.held == pytest.approx(2.0)
    bucket.take(1, now=60.0)
    assert bucket.held == pytest.approx(5.0), "what the writer did afterwards is its own time"


@pytest.mark.parametrize("held, said", [(4.0, b""), (42.6, HELD_UP)])
def test_a_log_that_held_its_task_up_says_so(
    monkeypatch: pytest.MonkeyPatch, held: float, said: bytes
) -> None:
    written: list[bytes] = []
    monkeypatch.setattr("runs.worker.journal.execute", lambda _, arguments: written.append(arguments[-1]))
    monkeypatch.setattr("runs.live.log_grew", lambda *_: None)
    journal = Journal(1, 1, "token")
    journal.feed(b"the last line")
    journal._bucket.held = held
    journal.close()
    assert b"".join(written) == b"the last line" + said
