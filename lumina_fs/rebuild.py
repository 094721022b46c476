"""Make the index anew from the sidecars, in worker processes, and swap it in; or compare it with the live one."""

from __future__ import annotations

import concurrent.futures as cf
import gc
import multiprocessing as mp
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from index.entry import entry, problem_line, seen_line
from index.protocol import Problem, Verdict
from lumina_fs.caption_files import is_due
from lumina_fs.catalog import Catalog, Source
from lumina_fs.documents import checked, read
from lumina_fs.errors import CorruptDocument, SourceOffline
from lumina_fs.file_state import FileStat
from lumina_fs.index_session import behind_mark, clear_behind, connect, exclusive
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle
from lumina_fs.recipe import recipe, wanted
from lumina_fs.roots import Root
from lumina_fs.sidecar_walk import sidecar_paths
from lumina_fs.sidecars import original_beside, path_of
from lumina_fs.survey import fingerprint, missing_fingerprint
from lumina_fs.text_captions import mark_by_sidecar
from schemas.names import encode_name
from schemas.sidecar import Sidecar

if TYPE_CHECKING:
    from index.generation import Generation
    from index.postgres import PostgresIndex

_CHUNK = 250


class Rebuilt(NamedTuple):
    """How many sidecars went into the index, and how many could not."""

    originals: int
    corrupt: int


class _Task(NamedTuple):
    """Sidecars to read: `root` holds them, and `prefix` is to be taken off their paths to get the original's, which
    lies in `photos`."""

    source: str
    photos: str
    root: str
    prefix: str
    paths: list[str]
    writes_captions: bool


class _Rows(NamedTuple):
    originals: bytes
    problems: bytes
    seen: bytes
    whole: int
    corrupt: int


def rebuild(catalog: Catalog, *, cancel: threading.Event) -> Iterator[Event | Finished[Rebuilt]]:
    """Fill a new generation of the index from all sidecars and put it in the live one's place.

    Raises IndexUnavailable, Locked.
    """
    with exclusive(catalog, "rebuilding the index"), connect(catalog) as index:
        result = yield from rebuild_into(index, catalog, cancel=cancel)
    yield Finished(result)


def rebuild_into(
    index: PostgresIndex, catalog: Catalog, *, cancel: threading.Event, why: str | None = None
) -> Generator[Event, None, Rebuilt]:
    """The same over an open connection; the caller holds the lock. Cancelled, the live index stays as it was."""
    from index.generation import Generation

    generation, mark = Generation(index, "new"), behind_mark(catalog)
    with _Readers() as readers:
        tasks, total, offline = yield from _tasks(catalog, readers)
        if why is not None and total:
            yield Note(f"{why}: rebuilding it from {total:,} sidecars")
        try:
            result = yield from _fill(generation, readers, tasks, total, cancel)
            if cancel.is_set():
                return result
            generation.carry_over(offline)
            generation.forget_twins()
            generation.swap()
        finally:
            generation.discard()
    if not offline:
        clear_behind(catalog, {mark})
    return result


def verify(catalog: Catalog, *, cancel: threading.Event) -> Iterator[Event | Finished[Verdict]]:
    """Build the index beside the live one and compare the two; neither files nor the live index change.

    Raises IndexUnavailable, IndexUnusable, Locked.
    """
    from index.generation import Generation

    with exclusive(catalog, "verifying the index"), connect(catalog) as index:
        index.check()
        generation = Generation(index, "verify")
        with _Readers() as readers:
            tasks, total, offline = yield from _tasks(catalog, readers)
            try:
                yield from _fill(generation, readers, tasks, total, cancel)
                if not cancel.is_set():
                    yield Finished(generation.compare(offline))
            finally:
                generation.discard()


def _fill(
    generation: Generation, readers: _Readers, tasks: list[_Task], total: int, cancel: threading.Event
) -> Generator[Event, None, Rebuilt]:
    done = corrupt = 0
    throttle = Throttle(0.1)
    with generation.filling() as copy:
        for rows in readers.rows(tasks, cancel):
            copy(rows.originals, rows.problems, rows.seen)
            done, corrupt = done + rows.whole, corrupt + rows.corrupt
            if throttle.due():
                yield Progress("reading sidecars", done + corrupt, total, "sidecars")
    return Rebuilt(done, corrupt)


def _tasks(catalog: Catalog, readers: _Readers) -> Generator[Event, None, tuple[list[_Task], int, list[str]]]:
    """Every sidecar of every source in directory order, in chunks; how many; and the sources that are offline.

    The readers are started as soon as there are many.
    """
    tasks: list[_Task] = []
    total, writes = 0, catalog.settings.captions == "write"
    offline: list[str] = []
    for source in catalog.sources():
        try:
            prefix, root, paths = _sidecar_paths(catalog, source, readers)
        except SourceOffline as error:
            offline.append(source.name)
            yield Note(f"{error} Its rows stay as they are")
            continue
        total += len(paths)
        if total > 2 * _CHUNK:
            readers.start()
        for start in range(0, len(paths), _CHUNK):
            tasks.append(_Task(source.name, source.path, root, prefix, paths[start : start + _CHUNK], writes))
    return tasks, total, offline


def _sidecar_paths(catalog: Catalog, source: Source, readers: _Readers) -> tuple[str, str, list[str]]:
    """(prefix, root, paths) of a source. Raises SourceOffline."""
    if source.beside:
        catalog.require_online(source)
    try:
        with Root.open(source.path if source.beside else catalog.path) as root:
            sidecars = catalog.sidecars(source, root)
            found = sidecar_paths(catalog, source, sidecars)
            paths = list(islice(found, 2 * _CHUNK + 1))
            if len(paths) > 2 * _CHUNK:
                readers.start()
            return sidecars.prefix, root.path, [*paths, *found]
    except OSError as error:
        raise SourceOffline(f"cannot be opened: {error.strerror}.", path=source.path) from error


class _Readers:
    """Reads sidecars in worker processes, or in this one while that is faster than starting others."""

    def __init__(self) -> None:
        self._workers = max(1, len(os.sched_getaffinity(0)))
        self._pool: cf.ProcessPoolExecutor | None = None

    def __enter__(self) -> _Readers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self) -> None:
        """Start the processes: there will be enough for them to do."""
        if self._pool is None:
            context = mp.get_context("spawn")
            self._pool = cf.ProcessPoolExecutor(self._workers, mp_context=context, initializer=_begin_worker)
            for _ in range(self._workers):
                self._pool.submit(os.getpid)

    def rows(self, tasks: list[_Task], cancel: threading.Event) -> Iterator[_Rows]:
        """What the tasks give, in order; less when `cancel` is set."""
        if self._pool is None:
            yield from map(read_rows, tasks)
            return
        waiting: deque[cf.Future[_Rows]] = deque()
        for task in tasks:
            waiting.append(self._pool.submit(read_rows, task))
            if len(waiting) > 16 * self._workers:  # so many that none waits while rows are copied
                yield waiting.popleft().result()
            if cancel.is_set():
                return
        while waiting:
            yield waiting.popleft().result()
        self._pool.shutdown(wait=False)  # they end while the rest is done


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # parsed documents hold no circles, and looking for some takes a fifth of the time


def read_rows(task: _Task) -> _Rows:
    """Read, check and convert the sidecars of one task. Runs in a worker process."""
    originals, problems, seen = [], [], []
    corrupt = 0
    with Root.open(task.root) as root:
        for path in task.paths:
            inner = path[len(task.prefix) :]
            try:
                stored = read(root, path)
                if stored is None:
                    continue
                value = checked(stored, Sidecar, path)
            except (CorruptDocument, OSError) as error:
                problems.append(problem_line(task.source, _unusable(original_beside(task.photos, inner), error)))
                corrupt += 1
                continue
            original = encode_name(path_of(value, inner, task.photos))
            mark = fingerprint_by_sidecar(value, stored.stat, task.writes_captions) if stored.settled else ""
            row = entry(value, task.source, original, stored.etag, mark)
            originals.append(row.line)
            problems.append(row.problems)
            seen.append(seen_line(task.source, row.seen))
    return _Rows(b"".join(originals), b"".join(problems), b"".join(seen), len(originals), corrupt)


def _unusable(original: str, error: CorruptDocument | OSError) -> Problem:
    """What is wrong with the sidecar of an original."""
    if isinstance(error, CorruptDocument):
        return Problem(encode_name(original), "corrupt_sidecar", error.reason, error.line, error.column)
    return Problem(encode_name(original), "unreadable_sidecar", error.strerror or "")


def fingerprint_by_sidecar(value: dict[str, Any], stat: FileStat, writes_captions: bool) -> str:
    """By what the sidecar says of its original; a scan that finds other times looks at the original.

    `writes_captions`: one whose caption is still to go into a text file is for the next scan to look at.
    """
    original = value["original"]
    if "missing_since" in original:
        return missing_fingerprint(stat)
    if not original.get("sha256") or wanted(value) != frozenset() or (writes_captions and is_due(value)):
        return ""
    return fingerprint(recipe(), original["size"], original["mtime_ns"], stat, mark_by_sidecar(value))
