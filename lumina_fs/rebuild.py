"""Make the index anew from the sidecars, in worker processes, and swap it in; or compare it with the live one."""

from __future__ import annotations

import concurrent.futures as cf
import multiprocessing as mp
import os
import threading
from collections import deque
from collections.abc import Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from index.protocol import Verdict
from lumina_fs.catalog import Catalog, Source
from lumina_fs.errors import SourceOffline
from lumina_fs.index_session import behind_mark, clear_behind, connect, exclusive
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle
from lumina_fs.roots import Root
from lumina_fs.sidecar_rows import Rows, Task, begin_worker, read_rows
from lumina_fs.sidecar_walk import sidecar_paths

if TYPE_CHECKING:
    from index.generation import Generation
    from index.postgres import PostgresIndex

_CHUNK = 250


class Rebuilt(NamedTuple):
    """How many sidecars went into the index, and how many could not."""

    originals: int
    corrupt: int


class _Given(NamedTuple):
    """How many sidecars the readers have, which sources are offline, and the mark of being behind at the start."""

    total: int
    offline: list[str]
    mark: str | None


def rebuild(catalog: Catalog, *, cancel: threading.Event) -> Iterator[Event | Finished[Rebuilt]]:
    """Fill a new generation of the index from all sidecars and put it in the live one's place.

    Raises IndexUnavailable, Locked.
    """
    with exclusive(catalog, "rebuilding the index"), _Readers() as readers:
        given = yield from _give_all(catalog, readers, cancel)  # they read on while the server is asked
        with connect(catalog) as index:
            result = yield from _replace(index, catalog, readers, given, cancel)
    yield Finished(result)


def rebuild_into(
    index: PostgresIndex, catalog: Catalog, *, cancel: threading.Event, why: str | None = None
) -> Generator[Event, None, Rebuilt]:
    """The same over an open connection; the caller holds the lock. Cancelled, the live index stays as it was."""
    with _Readers() as readers:
        given = yield from _give_all(catalog, readers, cancel)
        if why is not None and given.total:
            yield Note(f"{why}: rebuilding it from {given.total:,} sidecars")
        return (yield from _replace(index, catalog, readers, given, cancel))


def verify(catalog: Catalog, *, cancel: threading.Event) -> Iterator[Event | Finished[Verdict]]:
    """Build the index beside the live one and compare the two; neither files nor the live index change.

    Raises IndexUnavailable, IndexUnusable, Locked.
    """
    from index.generation import Generation

    with exclusive(catalog, "verifying the index"), connect(catalog) as index:
        index.check()
        generation = Generation(index, "verify")
        with _Readers() as readers:
            given = yield from _give_all(catalog, readers, cancel)
            try:
                yield from _fill(generation, readers, given.total, cancel)
                if not cancel.is_set():
                    yield Finished(generation.compare(given.offline))
            finally:
                generation.discard()


def _replace(
    index: PostgresIndex, catalog: Catalog, readers: _Readers, given: _Given, cancel: threading.Event
) -> Generator[Event, None, Rebuilt]:
    """Make a new generation of what the readers read, and swap it in."""
    from index.generation import Generation

    generation = Generation(index, "new")
    try:
        result = yield from _fill(generation, readers, given.total, cancel)
        if cancel.is_set():
            return result
        generation.carry_over(given.offline)
        generation.forget_twins()
        generation.swap()
    finally:
        generation.discard()
    if not given.offline:
        clear_behind(catalog, {given.mark})
    return result


def _fill(
    generation: Generation, readers: _Readers, total: int, cancel: threading.Event
) -> Generator[Event, None, Rebuilt]:
    done = corrupt = 0
    throttle = Throttle(0.1)
    with generation.filling() as copy:
        for rows in readers.rows(cancel):
            copy(rows.originals, rows.problems, rows.seen)
            done, corrupt = done + rows.whole, corrupt + rows.corrupt
            if throttle.due():
                yield Progress("reading sidecars", done + corrupt, total, "sidecars")
    return Rebuilt(done, corrupt)


def _give_all(catalog: Catalog, readers: _Readers, cancel: threading.Event) -> Generator[Event, None, _Given]:
    """Let the readers have every sidecar of every source that is not offline."""
    total, offline, mark = 0, [], behind_mark(catalog)
    for source in catalog.sources():
        try:
            total += yield from _give(catalog, source, readers, total, cancel)
        except SourceOffline as error:
            offline.append(source.name)
            yield Note(f"{error} Its rows stay as they are")
    return _Given(total, offline, mark)


def _give(
    catalog: Catalog, source: Source, readers: _Readers, before: int, cancel: threading.Event
) -> Generator[Event, None, int]:
    """Let the readers have the sidecars of a source, in directory order. Raises SourceOffline before it gives any."""
    if source.beside:
        catalog.require_online(source)
    writes, count, throttle = catalog.settings.captions == "write", 0, Throttle()
    try:
        with Root.open(source.path if source.beside else catalog.path) as root:
            sidecars = catalog.sidecars(source, root)
            found = sidecar_paths(catalog, source, sidecars)
            while not cancel.is_set() and (paths := list(islice(found, _CHUNK))):
                count += len(paths)
                readers.give(Task(source.name, source.path, root.path, sidecars.prefix, paths, writes))
                if throttle.due():
                    yield Progress("looking for sidecars", before + count, None, "sidecars")
    except OSError as error:
        raise SourceOffline(f"cannot be opened: {error.strerror}.", path=source.path) from error
    return count


class _Readers:
    """Reads sidecars in worker processes, or in this one while that is faster than starting others."""

    def __init__(self) -> None:
        self._workers = max(1, len(os.sched_getaffinity(0)))
        self._pool: cf.ProcessPoolExecutor | None = None
        self._tasks: deque[Task] = deque()
        self._running: deque[cf.Future[Rows]] = deque()

    def __enter__(self) -> _Readers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def give(self, task: Task) -> None:
        """Have these read, at once if there is a process for it."""
        self._tasks.append(task)
        if self._pool is None and len(self._tasks) > 2:  # there will be enough for them to do
            context = mp.get_context("spawn")
            self._pool = cf.ProcessPoolExecutor(self._workers, mp_context=context, initializer=begin_worker)
        self._submit()

    def rows(self, cancel: threading.Event) -> Iterator[Rows]:
        """What the tasks gave, in order; less when `cancel` is set."""
        if self._pool is None:
            yield from map(read_rows, self._tasks)
            return
        while self._running and not cancel.is_set():
            rows = self._running.popleft().result()
            self._submit()
            yield rows
        self._pool.shutdown(wait=False)  # they end while the rest is done

    def _submit(self) -> None:
        """Keep so many running that none waits while rows are copied, and no more: each holds its rows in memory."""
        while self._pool is not None and self._tasks and len(self._running) < 16 * self._workers:
            self._running.append(self._pool.submit(read_rows, self._tasks.popleft()))
