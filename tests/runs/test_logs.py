from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import OperationalError

from runs import logs, transitions
from runs.models import Attempt
from runs.worker import journal
from runs.worker.logs import LogSplitter
from tests import factories
from tests.runs import making
from tests.runs.making import task

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt() -> Attempt:
    cast = factories.make_cast()
    making.start(making.make_version(cast.team, cast.alice, [task("a")]), cast.alice)
    return Attempt.objects.get(uuid=making.claim(making.make_lease()).token)


def end(attempt: Attempt) -> None:
    """The attempt has ended."""
    from runs import protocol

    protocol.finish(str(attempt.uuid), protocol.Outcome("succeeded"))
    attempt.refresh_from_db()


def write(attempt: Attempt, splitter: LogSplitter, parts: list[bytes]) -> None:
    """What the worker does: split, store."""
    from runs.models import LogChunk

    chunks = [chunk for part in parts for chunk in splitter.feed(part)] + splitter.close()
    for chunk in chunks:
        LogChunk.objects.create(
            run_id=attempt.run_id,
            attempt_id=attempt.pk,
            seq=chunk.seq,
            first_line=chunk.first_line,
            lines=chunk.lines,
            body=chunk.body,
        )


def test_an_attempt_that_said_nothing_has_no_lines(attempt: Attempt) -> None:
    page = logs.read(attempt, 0, 10)
    assert (page.lines, page.next, page.total, page.complete) == ([], 0, 0, False)
    end(attempt)
    assert logs.read(attempt, 0, 10).complete


def test_a_line_without_an_end_is_shown_once_nothing_can_follow_it(attempt: Attempt) -> None:
    making.say(attempt, b"one\ntw")
    assert (logs.read(attempt, 0, 10).lines, logs.read(attempt, 0, 10).total) == (["one"], 1)
    end(attempt)
    assert (logs.read(attempt, 0, 10).lines, logs.read(attempt, 0, 10).total) == (["one", "tw"], 2)


def test_an_offset_beyond_the_end_gives_nothing(attempt: Attempt) -> None:
    making.say(attempt, b"one\n")
    page = logs.read(attempt, 7, 10)
    assert (page.offset, page.lines, page.next, page.total) == (7, [], 7, 1)


def test_a_line_of_many_chunks_is_one_line_cut_with_a_mark(attempt: Attempt) -> None:
    making.say(attempt, b"first\n", b"x" * 65536, b"x" * 65536, b"x\nlast\n")
    end(attempt)
    page = logs.read(attempt, 0, 10)
    assert len(page.lines) == 3
    assert (page.lines[0], page.lines[2]) == ("first", "last")
    assert page.lines[1].startswith("x" * logs.LINE_BYTES)
    assert "131,073 bytes" in page.lines[1]
    assert logs.read(attempt, 2, 1).lines == ["last"]
    assert logs.read(attempt, 1, 1).lines[0].startswith("xxx")


def test_a_page_is_bounded_in_bytes_and_the_next_goes_on(attempt: Attempt) -> None:
    making.say(attempt, *[b"y" * 60_000 + b"\n" for _ in range(30)])
    end(attempt)
    page = logs.read(attempt, 0, 1000)
    assert page.next < page.total == 30
    assert sum(map(len, page.lines)) < logs.PAGE_BYTES + 61_000
    assert logs.read(attempt, page.next, 1000).next == 30


def test_bytes_that_are_no_text_do_not_break_a_page(attempt: Attempt) -> None:
    making.say(attempt, b"\xff\xfe ok\r\nnext\n")
    assert logs.read(attempt, 0, 10).lines == ["\ufffd\ufffd ok", "next"]


def test_the_tail_is_the_last_lines(attempt: Attempt) -> None:
    making.say(attempt, *[b"%d\n" % number for number in range(10)], b"rest")
    assert logs.tail(attempt, 3) == ["8", "9", "rest"]
    assert len(logs.tail(attempt, 100)) == 11


def test_what_was_dropped_is_said_and_the_rest_stays_readable(attempt: Attempt) -> None:
    splitter = LogSplitter(head=70_000, tail=70_000)
    write(attempt, splitter, [b"%06d\n" % number for number in range(100_000)])
    from runs import protocol

    protocol.finish(str(attempt.uuid), protocol.Outcome("succeeded", dropped_bytes=splitter.dropped))
    attempt.refresh_from_db()
    page = logs.read(attempt, 0, 10_000)
    assert page.dropped_bytes == splitter.dropped > 0
    everything = page.lines + logs.read(attempt, page.next, 10_000).lines
    assert everything[0] == "000000"
    assert everything[-1] == "099999"
    assert any("were dropped here" in line for line in everything)


def test_pages_of_any_size_put_together_are_the_whole_log(attempt: Attempt) -> None:
    dice = random.Random(7)
    said = b"".join(
        b"z" * dice.choice([0, 1, 30, 200, 70_000 if number % 40 == 0 else 5]) + b"\n"
        for number in range(400)
    )
    cuts = sorted(dice.randrange(len(said)) for _ in range(50))
    parts = [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    write(attempt, LogSplitter(), parts)
    end(attempt)
    expected = [line.decode() for line in said.split(b"\n")[:-1]]
    for limit in (1, 7, 100, 1000):
        offset, lines = 0, list[str]()
        while (page := logs.read(attempt, offset, limit)).lines:
            lines += page.lines
            offset = page.next
            if limit == 1 and offset > 60:
                break
        shown = [line[:1000] for line in lines]
        assert shown == [line[:1000] for line in expected][: len(lines)]
        assert limit == 1 or len(lines) == len(expected)
    assert b"".join(body for _next, body in parts_of(attempt)) == said


def parts_of(attempt: Attempt) -> list[tuple[int, bytes]]:
    found, seq = [], 0
    while (part := logs.part(attempt, seq)) is not None:
        found.append(part)
        seq = part[0]
    return found


@pytest.mark.django_db(transaction=True)
def test_a_chunk_whose_answer_was_lost_is_kept_once(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(sql: str, arguments: tuple[Any, ...]) -> None:
        transitions.execute(sql, arguments)
        monkeypatch.setattr(journal, "execute", transitions.execute)
        raise OperationalError("the answer was lost")

    monkeypatch.setattr(journal, "execute", cut_off)
    monkeypatch.setattr(journal, "PATIENCE", 1.0)
    written = journal.Journal(attempt.run_id, attempt.pk, str(attempt.uuid))
    written.feed(b"one\n")
    written.flush_if_due(0.0)
    written.feed(b"two\n")
    written.close()
    end(attempt)
    assert (logs.read(attempt, 0, 10).lines, written.dropped) == (["one", "two"], 0)
