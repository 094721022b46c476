"""Runs any generator of events as a job: with a record, a lock, a queue, and an ear for requests to stop.

What passes through is what the generator yields. A run that changed nothing, after one that succeeded, leaves no
record behind: running anything twice changes nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any, TypeVar

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Locked, LuminaError, WriteFailed
from lumina_fs.index_session import LOCKS
from lumina_fs.jobs import records
from lumina_fs.jobs.on_end import tell_person
from lumina_fs.jobs.recorder import Recorder, new_record
from lumina_fs.jobs.records import Record
from lumina_fs.jobs.work import Told, Work
from lumina_fs.locks import is_held, lock
from lumina_fs.progress import Event, Finished, Note

T = TypeVar("T")

_POLL = 0.2


def run(
    catalog: Catalog, work: Work, events: Iterable[T], *, cancel: threading.Event, wait: bool = True
) -> Iterator[T | Event]:
    """Do `work`, which is what `events` does while it is drawn from, as a job.

    Another of the same kind is waited for, or without `wait` raises Locked. `cancel` is the one that `events` obeys:
    it is set when another process asks the job to stop. What `events` raises is recorded and raised.
    """
    with contextlib.ExitStack() as stack:
        queue = _Queue(catalog, work, stack)
        free = queue.enter()
        if not free and not wait:
            raise Locked(queue.why)
        value, previous = _record_for(catalog, work, stack, free=free)
        recorder = stack.enter_context(Recorder(catalog, value, cancel))
        run_ = _Run(catalog, work, recorder, previous, cancel)
        if not free:
            yield from run_.wait(queue)
        if cancel.is_set():
            recorder.end("cancelled")
            return
        yield from run_.go(events)


class _Queue:
    """The line of those who want to do the same; all who need the index for themselves stand in one."""

    def __init__(self, catalog: Catalog, work: Work, stack: contextlib.ExitStack) -> None:
        self._catalog = catalog
        self._work = work
        self._stack = stack
        self._holds = False
        self.why = ""

    def enter(self) -> bool:
        """True when it is our turn; else `why` says who is before us."""
        root, kind = self._catalog.root, self._work.kind
        line, what = ("index", "work on the index") if self._work.uses_index else (kind, f"the same work ({kind})")
        if not self._holds:
            try:
                self._catalog.disk.make_directory(root, LOCKS)
                self._stack.enter_context(lock(root, f"{LOCKS}/job-{line}", what=what))
            except Locked as error:
                self.why = str(error)
                return False
            except (OSError, WriteFailed):
                return True  # a catalog that cannot be written to has no queue
            self._holds = True
        if self._work.uses_index and is_held(root, f"{LOCKS}/index"):
            self.why = "another Lumina process is at the index"
            return False
        return True


def _record_for(
    catalog: Catalog, work: Work, stack: contextlib.ExitStack, *, free: bool
) -> tuple[dict[str, Any], Record | None]:
    """The record of a run that starts now, its lock taken, and the last run that did the same.

    A run goes on with the record of the one that it repeats, or that was interrupted at the same.
    """
    if work.again is not None:
        old = records.find_record(catalog, work.again)
        _lock(catalog, old.id, stack)  # raises Locked while it runs
        return new_record(work, old.job.model_dump(by_alias=True, mode="json")), None
    previous = _previous(catalog, work)
    if free and previous is not None and previous.state == "interrupted":
        with contextlib.suppress(Locked):
            _lock(catalog, previous.id, stack)
            return new_record(work, previous.job.model_dump(by_alias=True, mode="json")), None
    value = new_record(work)
    _lock(catalog, value["id"], stack)
    return value, previous


def _lock(catalog: Catalog, job_id: str, stack: contextlib.ExitStack) -> None:
    """Hold a job's own lock, by which others see that it runs. The file goes with the lock."""
    path = records.lock_path(job_id)
    try:
        stack.enter_context(lock(catalog.root, path, what="this job"))
    except (OSError, LuminaError) as error:
        if isinstance(error, Locked):
            raise
        return  # no records where nothing can be written; the recorder says so
    stack.callback(_remove, catalog, path)


def _remove(catalog: Catalog, path: str) -> None:
    with contextlib.suppress(OSError):
        catalog.disk.remove_marker(catalog.root, path)


def _previous(catalog: Catalog, work: Work) -> Record | None:
    """The last run of the same work, None where there is none or nobody can tell."""
    try:
        ids = records.job_ids(catalog.root)
    except (LuminaError, OSError):
        return None
    for job_id in ids:
        with contextlib.suppress(LuminaError, OSError):
            record = records.read_record(catalog.root, job_id)
            if record is not None and record.job.work == work.kind and record.job.arguments == work.arguments:
                return record
    return None


class _Run:
    """One run of a job that has its record."""

    def __init__(
        self, catalog: Catalog, work: Work, recorder: Recorder, previous: Record | None, cancel: threading.Event
    ) -> None:
        self._catalog = catalog
        self._work = work
        self._recorder = recorder
        self._previous = previous
        self._cancel = cancel
        self._said = False

    def wait(self, queue: _Queue) -> Iterator[Event]:
        """Until it is our turn, or somebody says stop."""
        who = queue.why.partition(";")[0]
        self._recorder.wait(f"waiting: {who}")
        yield Note(f"{who}; this one starts after it (--no-wait: fail instead)")
        while not self._cancel.is_set() and not queue.enter():
            time.sleep(_POLL)

    def go(self, events: Iterable[T]) -> Iterator[T | Event]:
        """Draw from the generator; its end is that of the job."""
        recorder, last = self._recorder, None
        recorder.start()
        try:
            with _closing(events):
                for event in events:
                    recorder.take(event)
                    yield from self._complaint()
                    if isinstance(event, Finished):
                        last = event
                    else:
                        yield event
        except (GeneratorExit, KeyboardInterrupt):
            recorder.end("cancelled", message="stopped at once; what is written is valid")
            raise
        except Exception as error:
            recorder.end("failure", message=_reason(error))
            yield from self._over()
            raise
        yield from self._done(last)
        if last is not None:
            yield last  # it came from `events`

    def _done(self, last: Finished[Any] | None) -> Generator[Event, None, None]:
        told = self._work.tell(last.result) if last is not None else Told(None, True)
        if self._cancel.is_set():
            self._recorder.end("cancelled", told=told)
        elif self._is_no_news(told):
            self._recorder.end("success", told=told, keep=False)
        else:
            self._recorder.end("success", told=told)
            self._forget_the_like(told)
        yield from self._over()

    def _is_no_news(self, told: Told) -> bool:
        """True when the last record of the same work says all that this one could."""
        value, last = self._recorder.value, self._previous
        if told.changed or value["schedule"] or value["attempts"] > 1 or last is None:
            return False
        known = [one.model_dump(mode="json", exclude_unset=True) for one in last.job.problems]
        return last.state == "success" and all(one in known for one in value["problems"])

    def _forget_the_like(self, told: Told) -> None:
        """Of runs of one schedule that changed nothing, only the last is kept; of each kind, so many."""
        last = self._previous
        with contextlib.suppress(OSError, LuminaError):
            if (
                last is not None and not told.changed and last.job.changed is False and last.state == "success"
                and last.job.schedule == self._work.schedule
            ):  # fmt: skip
                records.remove_record(self._catalog.disk, self._catalog.root, last.id)
            records.prune(self._catalog.disk, self._catalog.root)

    def _over(self) -> Iterator[Event]:
        """Tell the person's command, and what went wrong with the record."""
        failed = tell_person(self._catalog, self._recorder.value)
        if failed is not None:
            self._recorder.say_on_end(failed)
            yield Note(failed)
        yield from self._complaint()

    def _complaint(self) -> Iterator[Event]:
        if self._recorder.failure is not None and not self._said:
            self._said = True
            yield Note(f"the record of this job cannot be written ({self._recorder.failure}); the work goes on")


@contextlib.contextmanager
def _closing(events: Iterable[Any]) -> Iterator[None]:
    """The generator ends before its lock is given back, whoever stops first."""
    try:
        yield
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, LuminaError) else f"{type(error).__name__}: {error}"
