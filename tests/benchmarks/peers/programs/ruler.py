"""Carries shapes out with as little as durability and a process per task allow: lines of JSON in and out.

Two workers, each with its own database connection and parent of forks. PG* variables say which database.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from stamping import work

WORKERS = 2
TABLES = """
DROP SCHEMA IF EXISTS ruler CASCADE;
CREATE SCHEMA ruler;
SET search_path = ruler;
CREATE TABLE task (id int PRIMARY KEY, name text, state text, waiting_on int);
CREATE INDEX ON task (id) WHERE state = 'ready';
CREATE TABLE edge (up int, down int, PRIMARY KEY (up, down));
CREATE TABLE attempt (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task int, state text,
                      began timestamptz DEFAULT clock_timestamp(), ended timestamptz, told jsonb);
CREATE UNIQUE INDEX ON attempt (task) WHERE state = 'running';
CREATE TABLE event (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task int, what text,
                    at timestamptz DEFAULT clock_timestamp());
CREATE TABLE line (open int);
CREATE FUNCTION step(p_done bigint, p_told jsonb)
RETURNS TABLE (attempt_id bigint, task_name text, left_over int) LANGUAGE plpgsql
SET search_path = ruler SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    v_task int;
BEGIN
    IF p_done IS NOT NULL THEN
        SELECT open INTO left_over FROM line FOR UPDATE;
        UPDATE attempt a SET state = 'succeeded', ended = clock_timestamp(), told = p_told
        WHERE a.id = p_done AND a.state = 'running' RETURNING a.task INTO STRICT v_task;
        UPDATE task t SET state = 'succeeded' WHERE t.id = v_task;
        UPDATE task t SET waiting_on = t.waiting_on - 1,
            state = CASE WHEN t.waiting_on = 1 THEN 'ready' ELSE t.state END
        FROM edge e WHERE e.up = v_task AND t.id = e.down;
        UPDATE line SET open = open - 1;
        INSERT INTO event (task, what) VALUES (v_task, 'succeeded');
    END IF;
    SELECT t.id, t.name INTO v_task, task_name FROM task t WHERE t.state = 'ready'
    ORDER BY t.id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE task t SET state = 'running' WHERE t.id = v_task;
        INSERT INTO attempt (task, state) VALUES (v_task, 'running') RETURNING id INTO attempt_id;
        INSERT INTO event (task, what) VALUES (v_task, 'running');
    END IF;
    SELECT open INTO left_over FROM line;
    RETURN NEXT;
END $$;
"""


def main() -> None:
    with psycopg.connect(autocommit=True) as connection:
        for line in sys.stdin:
            asked = json.loads(line)
            plant(connection, asked["steps"])
            called = time.time()
            workers = [start(asked) for _ in range(WORKERS)]
            failed = [os.waitpid(worker, 0)[1] for worker in workers]
            told = (
                {"error": "a worker failed"} if any(failed) else {"called": called, "finished": time.time()}
            )
            print(json.dumps(told), flush=True)


def plant(connection: psycopg.Connection, steps: list[Any]) -> None:
    connection.execute(TABLES)
    number = {name: place for place, (name, _) in enumerate(steps)}
    with connection.cursor() as cursor:
        with cursor.copy("COPY task FROM STDIN") as rows:
            for name, needs in steps:
                rows.write_row((number[name], name, "pending" if needs else "ready", len(needs)))
        with cursor.copy("COPY edge FROM STDIN") as rows:
            for name, needs in steps:
                for need in needs:
                    rows.write_row((number[need], number[name]))
        cursor.execute("INSERT INTO line VALUES (%s)", [len(steps)])
        cursor.execute("ANALYZE")


def start(asked: dict[str, Any]) -> int:
    """Fork one worker; returns its process id."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        carry_out(asked)
        status = 0
    finally:
        os._exit(status)


def carry_out(asked: dict[str, Any]) -> None:
    here, there = socket.socketpair()
    if os.fork() == 0:
        here.close()
        fork_for_each(there, asked)
        os._exit(0)
    there.close()
    answers = lines(here)
    with psycopg.connect(autocommit=True) as connection:
        done: tuple[int | None, str | None] = (None, None)
        while True:
            row = connection.execute("SELECT * FROM ruler.step(%s, %s)", done, prepare=True).fetchone()
            assert row is not None
            attempt, name, left = row
            if attempt is None:
                if not left:
                    return
                done = (None, None)
                time.sleep(0.0005)
                continue
            here.sendall(name.encode() + b"\n")
            done = (attempt, json.dumps({"pid": int(next(answers))}))


def fork_for_each(line: socket.socket, asked: dict[str, Any]) -> None:
    """A task's name in, the process id of the one who did it out."""
    for name in lines(line):
        pid = os.fork()
        if not pid:
            os.setsid()
            work(asked["stamps"], name, asked["kind"])
            line.sendall(b"%d\n" % os.getpid())
            os._exit(0)
        os.waitpid(pid, 0)


def lines(line: socket.socket) -> Iterator[str]:
    with line.makefile() as file:
        for text in file:
            yield text.rstrip("\n")


if __name__ == "__main__":
    main()
