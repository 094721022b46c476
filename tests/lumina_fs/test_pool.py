"""The pool: a job that crashes or hangs its worker costs itself and nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from lumina_fs.pool import CLOSING, IDLE, Beat, Bounds, Fallen, Pool, WorkerFailed


def program(pipe: Any, cells: Any, setup: Any, memory: int) -> None:
    """A worker that does what its jobs are called."""
    del setup, memory
    beat = Beat(cells)
    while True:
        message = pipe.recv()
        if message is None:
            return
        number, jobs = message
        answers = []
        for position, job in enumerate(jobs):
            beat.at(number, position)
            if job == "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            if job == "hang":
                time.sleep(600)
            if job == "slow but alive":
                for _ in range(8):
                    time.sleep(0.4)
                    beat.alive()
            answers.append(f"{job} done")
        if "crash at the end" in jobs:
            beat.at(number, CLOSING)
            os.kill(os.getpid(), signal.SIGKILL)
        beat.at(number, IDLE)
        pipe.send((number, answers))


def stillborn(pipe: Any, cells: Any, setup: Any, memory: int) -> None:
    """A worker that ends before it lives."""
    raise SystemExit(1)


def run(batches: list[list[str]], **bounds: Any) -> dict[str, Any]:
    pool: Pool[str, str] = Pool(program, lambda scratch: scratch, workers=2, bounds=Bounds(**bounds))
    with pool:
        found: dict[str, Any] = {}
        for answers in pool.run(iter(batches), cancel=threading.Event()):
            found.update(answers)
        return found


def test_every_job_is_answered_once() -> None:
    jobs = [f"job {number}" for number in range(100)]
    assert run([jobs[at : at + 7] for at in range(0, 100, 7)]) == {job: f"{job} done" for job in jobs}


def test_a_job_that_crashes_falls_alone() -> None:
    found = run([["a", "crash", "b"], ["c", "d"], ["e"]])
    assert found == {
        "a": "a done",
        "b": "b done",
        "crash": Fallen("crashed"),
        "c": "c done",
        "d": "d done",
        "e": "e done",
    }


def test_a_job_that_hangs_is_ended_in_time() -> None:
    found = run([["a", "hang", "b"], ["c"]], seconds=2.0)
    assert found == {"a": "a done", "b": "b done", "hang": Fallen("timeout"), "c": "c done"}


def test_a_job_that_shows_life_is_let_be() -> None:
    assert run([["slow but alive"]], seconds=2.0) == {"slow but alive": "slow but alive done"}


def test_a_crash_outside_any_job_makes_each_of_the_batch_a_suspect() -> None:
    found = run([["a", "crash at the end", "b"]])
    assert found == {"a": "a done", "b": "b done", "crash at the end": Fallen("crashed")}


def test_a_program_that_cannot_start_is_no_fault_of_a_photo() -> None:
    pool: Pool[str, str] = Pool(stillborn, lambda scratch: scratch, workers=1)
    with pool, pytest.raises(WorkerFailed, match="lumina doctor"):
        list(pool.run(iter([["a"]]), cancel=threading.Event()))


def test_cancelling_stops_early() -> None:
    cancel = threading.Event()
    pool: Pool[str, str] = Pool(program, lambda scratch: scratch, workers=1)
    with pool:
        answers = pool.run(iter([[f"{number}"] for number in range(1000)]), cancel=cancel)
        next(answers)
        cancel.set()
        assert len(list(answers)) < 10


def test_workers_are_renewed_after_many_files() -> None:
    jobs = [f"job {number}" for number in range(40)]
    assert len(run([[job] for job in jobs], files_per_worker=10)) == 40


def test_what_an_earlier_run_left_behind_is_no_answer_of_the_next() -> None:
    pool: Pool[str, str] = Pool(program, lambda scratch: scratch, workers=1)
    with pool:
        first = pool.run(iter([["one"], ["two"], ["three"]]), cancel=threading.Event())
        assert next(first) == [("one", "one done")]
        first.close()  # type: ignore[attr-defined]
        found = [answer for answers in pool.run(iter([["four"]]), cancel=threading.Event()) for answer in answers]
        assert found == [("four", "four done")]
        first = pool.run(iter([["five"], ["crash"], ["six"]]), cancel=threading.Event())
        assert next(first) == [("five", "five done")]
        first.close()  # type: ignore[attr-defined]
        found = [answer for answers in pool.run(iter([["seven"]]), cancel=threading.Event()) for answer in answers]
        assert found == [("seven", "seven done")]
