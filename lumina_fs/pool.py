"""Worker processes that open what nobody vouches for: limited in memory and time, replaced when they fall.

A worker that crashes or hangs costs one file, never the scan: the pool knows which file it was at, gives
the others of that batch to a fresh worker, tries the suspect once more alone, and then reports it as fallen.
"""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import multiprocessing.connection as mpc
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lumina_fs.errors import LuminaError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

Job = TypeVar("Job")
Answer = TypeVar("Answer")

#: Position in the shared beat while a worker waits for work, and while it runs its last, batch-wide step.
IDLE = -1
CLOSING = -2


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one worker may use. Seconds count from the last sign of life within one file."""

    memory: int = 1 << 30
    seconds: float = 10.0
    closing_seconds: float = 300.0
    files_per_worker: int = 10_000


@dataclass(frozen=True, slots=True)
class Fallen:
    """A job that killed its worker twice: `reason` is "crashed" or "timeout"."""

    reason: str


class WorkerFailed(LuminaError):
    """A worker process could not even start: nothing is wrong with any photo, something is with the program."""


class Beat:
    """A worker's sign of life, in memory that its parent reads: which batch, which job in it, since when."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells
        self.cells[3] = 1.0  # it lives: from here on a death is blamed on a file

    def at(self, batch: int, position: int) -> None:
        """Say what is being worked on; restarts the clock."""
        self.cells[0] = batch
        self.cells[1] = position
        self.cells[2] = time.monotonic()

    def alive(self) -> None:
        """Restart the clock for the same job: reading a large file makes progress and is no hang."""
        self.cells[2] = time.monotonic()


def serve(pipe: Connection, beat: Beat, answer: Callable[[int, list[Any]], list[Any]]) -> None:
    """The loop of a worker: `answer(number, jobs)` for each batch, until None arrives or the parent is gone."""
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            return
        if message is None:
            return
        number, jobs = message
        answers = answer(number, jobs)
        beat.at(number, IDLE)
        pipe.send((number, answers))


@dataclass(slots=True)
class _Batch(Generic[Job]):
    number: int
    jobs: list[tuple[int, Job]]  # (times it felled a worker, job)


class _Worker(Generic[Job]):
    """One process, the pipe to it, and the batches it was given (at most two, so that it never waits)."""

    def __init__(self, main: Callable[..., None], setup: Any, bounds: Bounds) -> None:
        context = mp.get_context("spawn")
        self.cells = context.RawArray("d", [0.0, float(IDLE), time.monotonic(), 0.0])
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=main, args=(theirs, self.cells, setup, bounds.memory), daemon=True
        )
        self.process.start()
        theirs.close()
        self.given: deque[_Batch[Job]] = deque()
        self.served = 0

    def give(self, batch: _Batch[Job]) -> None:
        self.given.append(batch)
        self.served += len(batch.jobs)
        self.pipe.send((batch.number, [job for _, job in batch.jobs]))

    def overdue(self, bounds: Bounds) -> bool:
        """True when a job shows no life for longer than allowed."""
        position, since = int(self.cells[1]), self.cells[2]
        if position == IDLE or not self.given:
            return False
        limit = bounds.closing_seconds if position == CLOSING else bounds.seconds
        return bool(time.monotonic() - since > limit)

    def ask_to_end(self) -> None:
        """Ask it to stop after what it was given."""
        with contextlib.suppress(OSError, ValueError):
            self.pipe.send(None)

    def end(self, *, patience: float) -> None:
        """Ask it to stop, wait, then kill it."""
        self.ask_to_end()
        self.process.join(patience)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()
        self.process.close()


class Pool(Generic[Job, Answer]):
    """Runs batches of jobs in `workers` spawned processes; a context manager.

    `main(pipe, cells, setup, memory)` is the worker's program, a module-level function: it receives
    `(number, [job, ...])` or None from the pipe and sends `(number, [answer, ...])` back, in order.
    """

    def __init__(
        self,
        main: Callable[..., None],
        setup: Callable[[str], Any],
        *,
        workers: int,
        bounds: Bounds | None = None,
    ) -> None:
        self._main = main
        self._bounds = bounds or Bounds()
        self._count = max(1, workers)
        self._workers: list[_Worker[Job]] = []
        self._scratch = tempfile.TemporaryDirectory(prefix="lumina-", ignore_cleanup_errors=True)
        self._setup = setup(self._scratch.name)
        self._numbers = self._before = 0

    def __enter__(self) -> Pool[Job, Answer]:
        return self

    def finish(self) -> None:
        """There is no more work: let the workers end meanwhile."""
        for worker in self._workers:
            worker.ask_to_end()

    def __exit__(self, *_: object) -> None:
        self.finish()
        for worker in self._workers:
            worker.end(patience=0.0 if worker.given else 2.0)
        self._workers.clear()
        self._scratch.cleanup()

    def warm(self) -> None:
        """Start the workers before there is work for them."""
        while len(self._workers) < self._count:
            self._workers.append(_Worker(self._main, self._setup, self._bounds))

    def run(
        self, batches: Iterator[Sequence[Job]], *, cancel: threading.Event
    ) -> Iterator[list[tuple[Job, Answer | Fallen]]]:
        """Yield the answers of each batch as it is done (batches in no order, jobs in theirs).

        Stops early, with nothing lost but unfinished work, when `cancel` is set. Answers of an earlier run that was
        left in its middle are thrown away: they are about other files.
        """
        self._before = self._numbers
        queue: deque[_Batch[Job]] = deque()
        more = True
        while not cancel.is_set():
            more = self._feed(batches, queue, more)
            if not more and not queue and not any(w.given for w in self._workers):
                return
            for worker, answers in self._harvest(queue):
                yield answers
                if worker.served >= self._bounds.files_per_worker and not worker.given:
                    self._retire(worker)

    def _feed(self, batches: Iterator[Sequence[Job]], queue: deque[_Batch[Job]], more: bool) -> bool:
        """Give every worker that has fewer than two batches another; True while there may be more."""
        for depth in (1, 2):
            for slot in range(self._count):
                if slot < len(self._workers) and len(self._workers[slot].given) >= depth:
                    continue
                if slot < len(self._workers) and depth == 2 and self._tired(self._workers[slot]):
                    continue
                if not queue:
                    jobs = next(batches, None) if more else None
                    if jobs is None:
                        return False
                    queue.append(self._numbered([(0, job) for job in jobs]))
                if slot >= len(self._workers):
                    self._workers.append(_Worker(self._main, self._setup, self._bounds))
                self._hand_over(self._workers[slot], queue)
        return more

    def _hand_over(self, worker: _Worker[Job], queue: deque[_Batch[Job]]) -> None:
        """A suspect travels alone and is never queued behind other work, so that it can only hurt itself."""
        batch = queue.popleft()
        try:
            worker.give(batch)
        except OSError:  # it fell in between: its end is found by the next harvest
            if batch not in worker.given:
                worker.given.append(batch)

    def _tired(self, worker: _Worker[Job]) -> bool:
        return worker.served >= self._bounds.files_per_worker

    def _harvest(self, queue: deque[_Batch[Job]]) -> Iterator[tuple[_Worker[Job], list[tuple[Job, Answer | Fallen]]]]:
        """Wait a moment for answers; find the fallen and the hanging."""
        ready = mpc.wait([w.pipe for w in self._workers], timeout=0.25)
        for worker in list(self._workers):
            if worker.pipe in ready:
                try:
                    number, answers = worker.pipe.recv()
                except (EOFError, OSError):
                    yield from self._bury(worker, "crashed", queue)
                    continue
                batch = worker.given.popleft()
                assert batch.number == number, "answers come in the order of the batches"
                if number <= self._before:
                    continue
                yield worker, [(job, a) for (_, job), a in zip(batch.jobs, answers, strict=True)]
            elif worker.overdue(self._bounds):
                yield from self._bury(worker, "timeout", queue)

    def _bury(
        self, worker: _Worker[Job], reason: str, queue: deque[_Batch[Job]]
    ) -> Iterator[tuple[_Worker[Job], list[tuple[Job, Answer | Fallen]]]]:
        """Replace a worker that fell or hangs, and requeue all it had but the job that felled it twice."""
        position = int(worker.cells[1])
        given = list(worker.given)
        worker.given.clear()
        self._workers.remove(worker)
        started = bool(worker.cells[3])
        worker.process.kill()
        worker.end(patience=1.0)
        if not started and reason == "crashed":
            raise WorkerFailed(
                "a worker process ended before it could start; its own message is above. "
                "`lumina doctor` says what is missing"
            )
        fallen: list[tuple[Job, Answer | Fallen]] = []
        for batch in reversed(given):
            if batch.number <= self._before:
                continue
            running = batch is given[0]
            rest = [entry for at, entry in enumerate(batch.jobs) if not (running and at == position)]
            if running and 0 <= position < len(batch.jobs):
                strikes, job = batch.jobs[position]
                if strikes:
                    fallen.append((job, Fallen(reason)))
                else:
                    queue.append(self._numbered([(1, job)]))
            elif running:  # it fell outside any one job: every job of the batch is a suspect
                rest = []
                for strikes, job in batch.jobs:
                    if strikes:
                        fallen.append((job, Fallen(reason)))
                    else:
                        queue.append(self._numbered([(1, job)]))
            if rest:
                queue.appendleft(self._numbered(rest))
        if fallen:
            yield worker, fallen

    def _retire(self, worker: _Worker[Job]) -> None:
        self._workers.remove(worker)
        worker.end(patience=5.0)

    def _numbered(self, jobs: list[tuple[int, Job]]) -> _Batch[Job]:
        self._numbers += 1
        return _Batch(self._numbers, jobs)
