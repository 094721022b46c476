"""Keeps the record of one running job from a thread of its own: what it is at goes to the disk twice a second.

The job itself never waits for its record, and goes on where the record cannot be written.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.jobs import records
from lumina_fs.jobs.work import Told, Work
from lumina_fs.progress import Ingested, Note, Progress, Rate, Trouble
from lumina_fs.roots import Root
from lumina_fs.stamps import utc_now
from schemas.document import new_id
from schemas.files import file_name

#: Seconds between two looks for a request to stop, and at least between two writes of the record.
LOOK, WRITE = 0.2, 0.5
#: Problems that a record lists.
PROBLEMS = 50
_TEXT = 2000


def new_record(work: Work, old: dict[str, Any] | None = None) -> dict[str, Any]:
    """The record of a job that is about to start; of `old` it keeps the identity."""
    value: dict[str, Any] = {
        "$schema": f"../schemas/{file_name('job')}", "kind": "job", "version": 1, "id": new_id(), "work": work.kind,
        "arguments": work.arguments, "state": "pending", "attempts": 1, "created": utc_now("milliseconds"),
        "started": None, "ended": None, "process": {"pid": os.getpid(), "host": os.uname().nodename or "unknown"},
        "stage": "", "current": 0, "total": None, "unit": "", "percent": None, "rate": None, "seconds_left": None,
        "message": "", "counts": {}, "problems": [], "changed": None, "result": None, "chain": work.chain,
        "schedule": work.schedule, "on_end": None,
    }  # fmt: skip
    if old is not None:
        kept = {name: old[name] for name in ("id", "created")}
        value = {**old, **value, **kept, "attempts": old["attempts"] + 1}
        value["chain"] = value["chain"] or old.get("chain")
        value["schedule"] = value["schedule"] or old.get("schedule")
    return value


class Recorder:
    """The record of one job while it runs; used with `with`. `failure` says why it cannot be written."""

    def __init__(self, catalog: Catalog, value: dict[str, Any], cancel: threading.Event) -> None:
        self.value = value
        self.failure: str | None = None
        self._disk = catalog.disk
        self._root = Root.open(catalog.path)  # a handle of its own: the job's is not made for two threads
        self._cancel = cancel
        self._guard = threading.Lock()  # of the value
        self._disk_guard = threading.Lock()  # of the handle: the job never waits for it while it runs
        self._changed = False
        self._keep = True
        self._ended = threading.Event()
        self._rate = Rate()
        self._thread = threading.Thread(target=self._watch, name="lumina-job-record", daemon=True)

    @property
    def id(self) -> str:
        """The id of the job."""
        return str(self.value["id"])

    def __enter__(self) -> Recorder:
        self._try(lambda: records.forget_cancel(self._disk, self._root, self.id))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._root.close()

    # -- while it runs

    def set(self, **values: Any) -> None:
        """Change members of the record."""
        with self._guard:
            self.value.update(values)
            self._changed = True

    def wait(self, why: str) -> None:
        """It waits for another."""
        self._begin(message=why)

    def start(self) -> None:
        """It waits no longer."""
        self._begin(state="running", started=utc_now("milliseconds"), message="")

    def _begin(self, **values: Any) -> None:
        self.set(**values)
        self._write()

    def take(self, event: object) -> None:
        """Learn from one event of the job."""
        with self._guard:
            match event:
                case Progress():
                    self._progress(event)
                case Note():
                    self.value["message"] = _plain(event.text)
                case Trouble():
                    self._trouble(event)
                case Ingested():
                    self._count(event.outcome)
                case _:
                    return
            self._changed = True

    def _progress(self, event: Progress) -> None:
        if event.stage != self.value["stage"]:
            self._rate = Rate()
        self._rate.add(event.done)
        total = event.total
        rate = self._rate.per_second()
        left = self._rate.seconds_left(total) if total is not None else None
        self.value.update(
            stage=_plain(event.stage), current=max(0, int(event.done)), total=total, unit=event.unit,
            percent=round(min(100.0, 100 * event.done / total), 1) if total else None,
            rate=None if rate is None else round(max(0.0, rate), 1), seconds_left=None if left is None else round(left),
        )  # fmt: skip

    def _trouble(self, event: Trouble) -> None:
        self._count("problems")
        if len(self.value["problems"]) < PROBLEMS:
            place = {"line": event.line, "column": event.column} if event.line is not None else {}
            texts = {name: _plain(getattr(event, name)) for name in ("source", "path", "code", "message")}
            self.value["problems"].append({**texts, **place})

    def _count(self, name: str) -> None:
        counts = self.value["counts"]
        counts[name] = counts.get(name, 0) + 1

    def _watch(self) -> None:
        """Runs in the thread."""
        last = time.monotonic()
        while not self._ended.wait(LOOK):
            if not self._cancel.is_set() and self._is_asked_to_stop():
                self.set(message="stopping, because it was asked to")
                self._cancel.set()
            if self._changed and time.monotonic() - last >= WRITE:
                self._write()
                last = time.monotonic()

    def _is_asked_to_stop(self) -> bool:
        with self._disk_guard:
            return records.cancel_requested(self._root, self.id)

    # -- its end

    def end(self, state: str, *, message: str | None = None, told: Told | None = None, keep: bool = True) -> None:
        """The job is over: the record says so for good, or goes where it says nothing that is not known."""
        self._stop()
        self._keep = keep
        self.value.update(state=state, ended=utc_now("milliseconds"), rate=None, seconds_left=None)
        if self.value["message"].startswith("stopping"):
            self.value["message"] = ""
        if message is not None:
            self.value["message"] = _plain(message)
        if told is not None:
            self.value.update(result=told.result, changed=told.changed)
        if keep:
            self._try(lambda: records.write_ended(self._disk, self._root, self.value))
            self._try(lambda: records.forget_cancel(self._disk, self._root, self.id))
        else:
            self._try(lambda: records.remove_record(self._disk, self._root, self.id))

    def say_on_end(self, text: str) -> None:
        """Note what became of the command that is told of the end."""
        self.value["on_end"] = _plain(text)
        if self._keep:
            self._try(lambda: records.write_ended(self._disk, self._root, self.value))

    def _stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _write(self) -> None:
        with self._disk_guard:
            with self._guard:
                self._changed = False
                seen = {**self.value, "counts": dict(self.value["counts"]), "problems": list(self.value["problems"])}
            self._try(lambda: records.write_running(self._disk, self._root, seen))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # whatever it is, it is no reason to stop the work
            self.failure = self.failure or str(error)


def _plain(text: str) -> str:
    """Text as a document can hold it, and not too much of it."""
    return text[:_TEXT].encode("utf-8", "replace").decode()
