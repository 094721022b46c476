"""A catalog without photos, work that does what a test says, and the same in another process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.records import Record, list_records
from lumina_fs.jobs.running import run
from lumina_fs.jobs.work import Told, Work
from lumina_fs.progress import Finished

REPOSITORY = Path(__file__).resolve().parents[3]

#: A process that works until it is told to stop, and says what it saw.
WORKER = """
import sys, threading, time
from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError
from lumina_fs.jobs.running import run
from lumina_fs.jobs.work import Told, Work
from lumina_fs.progress import Finished, Note, Progress
path, kind, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
cancel = threading.Event()
def events():
    print("working", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not cancel.is_set():
        yield Progress("counting", int(10 * (seconds - end + time.monotonic())), int(10 * seconds))
        time.sleep(0.01)
    yield Finished({"n": 1})
with Catalog.open(path) as catalog:
    work = Work(kind, {}, lambda result: Told(result, True))
    try:
        for event in run(catalog, work, events(), cancel=cancel, wait="--no-wait" not in sys.argv):
            if isinstance(event, Note):
                print("note", event.text, flush=True)
    except LuminaError as error:
        print("error", type(error).__name__, error, flush=True)
print("cancelled" if cancel.is_set() else "done", flush=True)
"""

Worker = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalog."""
    with Catalog.create(str(tmp_path)) as made:
        yield made


@pytest.fixture
def worker(catalog: Catalog) -> Iterator[Worker]:
    """Starts processes that work; they end with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(kind: str = "scan", seconds: float = 60.0, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORKER, catalog.path, kind, str(seconds), *more]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def says(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def done(catalog: Catalog, *events: Any, kind: str = "scan", changed: bool = True, **options: Any) -> list[Any]:
    """Run a job that yields these events; what came through."""
    work = Work(kind, options.pop("arguments", {}), lambda result: Told(result, changed), **options)
    return list(run(catalog, work, iter([*events, Finished({"n": 1})]), cancel=threading.Event()))


def records(catalog: Catalog) -> list[Record]:
    """All records; none of them is corrupt."""
    found, corrupt = list_records(catalog.root)
    assert corrupt == []
    return found


def soon(question: Callable[[], bool], seconds: float = 60.0) -> bool:
    """True as soon as something is true, False when it is not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if question():
            return True
        time.sleep(0.02)
    return False
