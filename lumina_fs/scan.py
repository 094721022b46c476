"""The main job: every source is walked, what is new or changed is opened once, sidecars are written, then rows.

`scan` and `reconcile` are generators of events that end with `Finished`. Setting `cancel` stops them cleanly.
"""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from index.protocol import IndexUnavailable, IndexUnusable
from lumina_fs import exif
from lumina_fs.catalog import Catalog, Source
from lumina_fs.discover import Ignore
from lumina_fs.duplicates.reduction_writer import ReductionWriter
from lumina_fs.errors import SourceOffline
from lumina_fs.index_session import IndexWriter, connect, exclusive
from lumina_fs.ingest import Ingest
from lumina_fs.poison import poison, remember_poison
from lumina_fs.pool import Bounds, Fallen, Pool
from lumina_fs.progress import Event, Finished, Note, Trouble
from lumina_fs.rebuild import rebuild_into
from lumina_fs.recipe import decoders, recipe
from lumina_fs.roots import Root
from lumina_fs.source_scan import Runner, SourceScan
from lumina_fs.survey import Survey, survey
from lumina_fs.whereabouts import Counts, Whereabouts
from lumina_fs.worker import Answer, Job, Setup, main


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan did, over all its sources."""

    found: int
    added: int
    updated: int
    unchanged: int
    moved: int
    missing: int
    problems: int
    exact_duplicates: int | None
    """Files that have an equal twin and could go; None while the index cannot be asked."""
    index: str
    """"current", or "behind" with nothing lost: the next command that reaches the index catches up."""
    offline: list[str]
    cancelled: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(slots=True)
class _Totals:
    counts: Counts = field(default_factory=Counts)
    offline: list[str] = field(default_factory=list)
    problems: int = 0


def scan(
    catalog: Catalog,
    *,
    cancel: threading.Event,
    sources: Sequence[str] = (),
    rehash: bool = False,
    accept_missing: bool = False,
) -> Iterator[Event | Finished[ScanResult]]:
    """Bring sidecars and index up to what lies in the sources (all, or those named).

    Raises Locked, ToolMissing, SourceOffline when every source is offline.
    """
    begun = time.monotonic()
    chosen = [catalog.source(name) for name in sources] or catalog.sources()
    totals = _Totals()
    with exclusive(catalog, "scanning"), contextlib.ExitStack() as stack:
        catalog.ensure_schemas()
        writer = yield from _writer(catalog, stack, cancel)
        opener = _Opener(catalog, stack, cancel)
        for source in chosen:
            if cancel.is_set():
                break
            try:
                yield from _scan_source(
                    catalog, source, writer, opener.run, totals, cancel, on_change=opener.warm, rehash=rehash,
                    accept_missing=accept_missing,
                )  # fmt: skip
            except SourceOffline as error:
                if len(chosen) == 1:
                    raise
                totals.offline.append(source.name)
                yield Note(str(error))
        opener.finish()
        if not cancel.is_set():
            names = [source.name for source in catalog.sources()]
            writer.ask(lambda index: index.keep_sources(names), None)
            writer.finish()
        duplicates = writer.ask(lambda index: index.count_duplicates(), None)
    if totals.offline and len(totals.offline) == len(chosen):
        raise SourceOffline("no source is online; nothing was changed")
    yield _finished(totals, writer, duplicates, cancel, begun)


def reconcile(catalog: Catalog, *, cancel: threading.Event) -> Iterator[Event | Finished[ScanResult]]:
    """Make the index equal to the sidecars; no original is opened and no sidecar is written.

    Raises IndexUnavailable.
    """
    begun = time.monotonic()
    totals = _Totals()
    with exclusive(catalog, "reconciling"), contextlib.ExitStack() as stack:
        writer = yield from _writer(catalog, stack, cancel, needed=True)
        for source in catalog.sources():
            try:
                yield from _scan_source(catalog, source, writer, None, totals, cancel)
            except SourceOffline as error:
                totals.offline.append(source.name)
                yield Note(str(error))
        if not cancel.is_set():
            writer.finish()
        duplicates = writer.ask(lambda index: index.count_duplicates(), None)
    yield _finished(totals, writer, duplicates, cancel, begun)


def _writer(
    catalog: Catalog, stack: contextlib.ExitStack, cancel: threading.Event, *, needed: bool = False
) -> Generator[Event, None, IndexWriter]:
    """The way to the index; where there is no usable one it is made anew from the sidecars that are there."""
    try:
        index = stack.enter_context(connect(catalog))
        try:
            index.check()
        except IndexUnusable as reason:
            yield from rebuild_into(index, catalog, cancel=cancel, why=str(reason))
        return IndexWriter(catalog, index)
    except IndexUnavailable as error:
        if needed:
            raise
        yield Note(f"the index cannot be reached ({error}): sidecars are written, the index catches up later")
        return IndexWriter(catalog, None, str(error))


def _finished(
    totals: _Totals, writer: IndexWriter, duplicates: int | None, cancel: threading.Event, begun: float
) -> Finished[ScanResult]:
    counts = totals.counts
    return Finished(
        ScanResult(
            counts.found,
            counts.added,
            counts.updated,
            counts.unchanged,
            counts.moved,
            counts.missing,
            totals.problems,
            duplicates,
            "current" if writer.index is not None else "behind",
            totals.offline,
            cancel.is_set(),
            round(time.monotonic() - begun, 2),
        )
    )


def _scan_source(
    catalog: Catalog,
    source: Source,
    writer: IndexWriter,
    run: Runner | None,
    totals: _Totals,
    cancel: threading.Event,
    *,
    on_change: Callable[[], bool] | None = None,
    rehash: bool = False,
    accept_missing: bool = False,
) -> Iterator[Event]:
    catalog.require_online(source)
    try:
        root = Root.open(source.path)
    except OSError as error:
        raise SourceOffline(f"cannot be opened: {error.strerror}", path=source.path) from error
    with root:
        sidecars = catalog.sidecars(source, root)
        known: dict[str, str] = writer.ask(lambda index: index.known(source.name), {})
        ignore = Ignore(tuple(catalog.settings.ignore))
        mark = "rehash" if rehash else recipe()  # no recorded fingerprint starts so: every original is looked at
        found = survey(source.path, sidecars, ignore, known, mark, cancel, on_change)
        if cancel.is_set():
            return
        if not accept_missing:
            require_present(source, found)
        ingest = Ingest(source, sidecars, writer, recipe())
        counts, may_write = Counts(), run is not None
        whereabouts = Whereabouts(source.name, sidecars, ingest, writer, found, counts, utc_now(), may_write)
        one = SourceScan(source.name, root, sidecars, ingest, found, whereabouts, run, cancel, rehash, accept_missing)
        for event in one.events():
            totals.problems += isinstance(event, Trouble)
            yield event
        totals.counts.add(counts)
        if may_write:
            _record(catalog, source, counts)


def require_present(source: Source, found: Survey) -> None:
    """Raise SourceOffline when most of what was recorded is gone and did not turn up elsewhere in the source."""
    appeared = len(found.fresh) + sum(1 for one in found.doubtful if one.etag is None)
    gone, recorded = found.gone() - appeared, found.recorded() + found.missing
    if gone > 0 and gone * 2 > recorded:
        raise SourceOffline(
            f"source {source.name}: {gone:,} of {recorded:,} originals are gone. Nothing was changed, because a disk "
            "or a folder may not be connected. If they are really gone: lumina scan --accept-missing",
            path=source.path,
        )


def _record(catalog: Catalog, source: Source, counts: Counts) -> None:
    """Note the scan in the source's document, if it changed something."""
    if counts.added or counts.updated or counts.moved or counts.found != source.last_originals:
        catalog.set_source(source.name, last_scan={"finished": utc_now(), "originals": counts.found})


def utc_now() -> str:
    """The time, to the second, as documents have it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class _Opener:
    """Opens originals in worker processes, which are started when the first original needs them."""

    def __init__(self, catalog: Catalog, stack: contextlib.ExitStack, cancel: threading.Event) -> None:
        self._catalog = catalog
        self._stack = stack
        self._cancel = cancel
        self._pool: Pool[Job, Answer] | None = None
        self._reductions = ReductionWriter(catalog)
        self._tool: cf.Future[tuple[str, str]] | None = None

    def run(self, batches: Iterator[Sequence[Job]]) -> Iterator[tuple[Job, Answer]]:
        """The answer for each job, in no order. A job that felled its workers is answered without decoding."""
        first = next(iter(batches), None)
        if first is None:
            return
        felled: list[Job] = []
        for job, answer in self._answers(itertools.chain([first], batches)):
            if isinstance(answer, Fallen):
                felled.append(replace(job, felled=f"decoder_{answer.reason}"))
            else:
                yield job, answer
        found: dict[str, str] = {}
        for job, answer in self._answers(iter([[job] for job in felled])):
            if isinstance(answer, Fallen):
                yield job, Answer("unreadable", message=f"reading it ended its process ({answer.reason})")
            else:
                found[answer.sha256] = job.felled or ""
                yield job, answer
        remember_poison(self._catalog, found)
        self._reductions.flush()

    def warm(self) -> bool:
        """Start the processes while the source is still being listed; True once they are on their way."""
        if self._tool is None:
            self._tool = self._stack.enter_context(cf.ThreadPoolExecutor(1)).submit(exif.require)
        if not self._tool.done():
            return False
        self._started().warm()
        return True

    def finish(self) -> None:
        """No more originals will be opened: the processes end while the rest is done."""
        if self._pool is not None:
            self._pool.finish()

    def _answers(self, batches: Iterator[Sequence[Job]]) -> Iterator[tuple[Job, Answer | Fallen]]:
        for answers in self._started().run(batches, cancel=self._cancel):
            for job, answer in answers:
                if isinstance(answer, Answer):
                    self._reductions.add(answer.sha256, answer.reduction)
                yield job, answer

    def _started(self) -> Pool[Job, Answer]:
        if self._pool is None:
            settings = self._catalog.settings
            executable, version = exif.require() if self._tool is None else self._tool.result()
            known = poison(self._catalog)

            def setup(scratch: str) -> Setup:
                return Setup(
                    scratch,
                    executable,
                    f"exiftool {version}",
                    settings.max_pixels,
                    settings.tag_bytes,
                    known,
                    decoders(),
                )

            bounds = Bounds(memory=settings.worker_memory_mb << 20, seconds=settings.file_seconds)
            self._pool = self._stack.enter_context(
                Pool[Job, Answer](main, setup, workers=settings.worker_count(), bounds=bounds)
            )
        return self._pool
