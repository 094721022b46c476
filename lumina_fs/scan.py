"""The main job: every source is walked, what is new or changed is opened once, sidecars are written, then rows.

`scan` and `reconcile` are generators of events that end with `Finished`. Setting `cancel` stops them cleanly.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from index.protocol import IndexUnavailable, IndexUnusable
from lumina_fs.catalog import Catalog, Source
from lumina_fs.discover import Folders, Ignore
from lumina_fs.errors import SourceOffline
from lumina_fs.index_session import IndexWriter, connect, exclusive, is_behind
from lumina_fs.ingest import Counts, Ingest
from lumina_fs.opener import Opener
from lumina_fs.other_catalogs import told_by_scan
from lumina_fs.other_sources import OtherSources
from lumina_fs.photo_lock import at_photos
from lumina_fs.progress import Event, Finished, Note, Trouble
from lumina_fs.rebuild import rebuild_into
from lumina_fs.recipe import recipe
from lumina_fs.roots import Root
from lumina_fs.sidecars import Sidecars
from lumina_fs.source_scan import Runner, SourceScan
from lumina_fs.stamps import utc_now
from lumina_fs.survey import Recorded, Survey, survey
from lumina_fs.whereabouts import Whereabouts


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan did, over all its sources. `found` is the sum of added, updated, unchanged, moved, failed, left."""

    found: int
    added: int
    updated: int
    unchanged: int
    moved: int
    failed: int
    """Their sidecars do not parse, or could not be read or written; each of them was told."""
    left: int
    """Found and not come to, because the scan was stopped (or, of a reconcile, because it opens no originals)."""
    missing: int
    """Not found, but their sidecars are."""
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


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the daemon asks of a scan: only these folders by source (None: all), and its own workers.

    `unfinished` says of an original, by its absolute path, that somebody is still writing it: it is left for later.
    """

    opener: Opener
    unfinished: Callable[[str], bool]
    folders: Mapping[str, Folders] | None = None


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
    narrowing: Narrowing | None = None,
) -> Iterator[Event | Finished[ScanResult]]:
    """Bring sidecars and index up to what lies in the sources (all, those named, or only some folders of them).

    A running daemon gives way to any but its own (`narrowing`). While the index lacks something, all folders are
    looked at. Raises Locked, ToolMissing, SourceOffline when every source is offline.
    """
    begun = time.monotonic()
    chosen = [catalog.source(name) for name in sources] or catalog.sources()
    totals = _Totals()
    with exclusive(catalog, "scanning", hand_over=narrowing is None), contextlib.ExitStack() as stack:
        stack.enter_context(at_photos(catalog, "scanning", moves=False))
        folders = narrowing.folders if narrowing and not is_behind(catalog) else None
        if folders is None:
            catalog.ensure_schemas()
        writer = yield from _writer(catalog, stack, cancel, part=folders is not None)
        opener = narrowing.opener if narrowing else stack.enter_context(Opener(catalog, cancel))
        opener.begin(cancel)
        options = _Options(opener.warm, rehash, accept_missing, narrowing.unfinished if narrowing else None)
        for source in chosen:
            if cancel.is_set():
                break
            try:
                yield from _scan_parts(catalog, source, writer, opener.run, totals, cancel, options, folders)
            except SourceOffline as error:
                if len(chosen) == 1:
                    raise
                totals.offline.append(source.name)
                yield Note(str(error))
        if narrowing is None:
            opener.finish()
        duplicates = _end(catalog, writer, cancel, whole=folders is None)
    if totals.offline and len(totals.offline) == len(chosen):
        raise SourceOffline("no source is online; nothing was changed")
    yield _finished(totals, writer, duplicates, cancel, begun)


def reconcile(catalog: Catalog, *, cancel: threading.Event) -> Iterator[Event | Finished[ScanResult]]:
    """Make the index equal to the sidecars; no original is opened and no sidecar is written.

    Raises IndexUnavailable.
    """
    begun = time.monotonic()
    totals = _Totals()
    with exclusive(catalog, "reconciling", hand_over=False), contextlib.ExitStack() as stack:
        writer = yield from _writer(catalog, stack, cancel, needed=True)
        for source in catalog.sources():
            try:
                yield from _scan_source(catalog, source, writer, None, totals, cancel, _Options())
            except SourceOffline as error:
                totals.offline.append(source.name)
                yield Note(str(error))
        if not cancel.is_set():
            writer.finish()
        duplicates = writer.ask(lambda index: index.count_duplicates(), None)
    yield _finished(totals, writer, duplicates, cancel, begun)


def _writer(
    catalog: Catalog,
    stack: contextlib.ExitStack,
    cancel: threading.Event,
    *,
    needed: bool = False,
    part: bool = False,
) -> Generator[Event, None, IndexWriter]:
    """The way to the index; where there is no usable one it is made anew from the sidecars that are there."""
    try:
        index = stack.enter_context(connect(catalog))
        try:
            index.check() if part else index.check_rows()
        except IndexUnusable as reason:
            yield from rebuild_into(index, catalog, cancel=cancel, why=str(reason))
        return IndexWriter(catalog, index)
    except IndexUnavailable as error:
        if needed:
            raise
        yield Note(f"the index cannot be reached ({error}): sidecars are written, the index catches up later")
        return IndexWriter(catalog, None, str(error))


def _end(catalog: Catalog, writer: IndexWriter, cancel: threading.Event, *, whole: bool) -> int | None:
    """Say that the index has all, or not; returns how many exact duplicates there are, after a scan of everything."""
    if writer.index is None:  # it may lack hand edits and keep what is gone, even if no file was written
        writer.say_behind()
    if not cancel.is_set():
        if whole:
            names = [source.name for source in catalog.sources()]
            writer.ask(lambda index: index.keep_sources(names), None)
        writer.finish()
    return writer.ask(lambda index: index.count_duplicates(), None) if whole else None


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
            counts.failed,
            counts.left(),
            counts.missing,
            totals.problems,
            duplicates,
            "current" if writer.index is not None else "behind",
            totals.offline,
            cancel.is_set(),
            round(time.monotonic() - begun, 2),
        )
    )


@dataclass(frozen=True, slots=True)
class _Options:
    on_change: Callable[[], bool] | None = None
    rehash: bool = False
    accept_missing: bool = False
    unfinished: Callable[[str], bool] | None = None


def _scan_parts(
    catalog: Catalog,
    source: Source,
    writer: IndexWriter,
    run: Runner,
    totals: _Totals,
    cancel: threading.Event,
    options: _Options,
    folders: Mapping[str, Folders] | None,
) -> Iterator[Event]:
    """Some folders of a source, or all. When the part looks as if its medium were gone, the whole source decides."""
    if folders is not None:
        part = folders.get(source.name)
        if not part:
            return
        with contextlib.suppress(SourceOffline):
            yield from _scan_source(catalog, source, writer, run, totals, cancel, options, part)
            return
    yield from _scan_source(catalog, source, writer, run, totals, cancel, options)


def _scan_source(
    catalog: Catalog,
    source: Source,
    writer: IndexWriter,
    run: Runner | None,
    totals: _Totals,
    cancel: threading.Event,
    options: _Options,
    folders: Folders | None = None,
) -> Iterator[Event]:
    catalog.require_online(source)
    try:
        root = Root.open(source.path)
    except OSError as error:
        raise SourceOffline(f"cannot be opened: {error.strerror}", path=source.path) from error
    with root:
        sidecars = catalog.sidecars(source, root)
        ignore = Ignore(tuple(catalog.settings.ignore))
        mark = "rehash" if options.rehash else recipe()  # no recorded fingerprint starts so: each original is looked at
        with ThreadPoolExecutor(1) as beside:
            recorded = beside.submit(_recorded, writer, source.name, folders)
            found = survey(source.path, sidecars, ignore, recorded, mark, cancel, options.on_change, folders)
        if cancel.is_set():
            return
        if not options.accept_missing:
            elsewhere = 0
            if folders is not None and found.gone():
                elsewhere = writer.ask(lambda index: index.count_seen(source.name), 0) - found.recorded()
            require_present(source, found, max(0, elsewhere), lambda path: _is_no_news(sidecars, path))
        if options.unfinished is not None:
            found.leave_out(options.unfinished, source.path)
        may_write, writes = run is not None, catalog.settings.captions == "write"
        ingest = Ingest(
            source, sidecars, writer, recipe(), root, found.texts if may_write else {},
            catalog.disk if may_write and writes else None, leaves_captions=writes and not may_write,
        )  # fmt: skip
        if may_write and folders is None:
            yield from map(Note, told_by_scan(catalog, source, found.claimed))
        whereabouts = Whereabouts(
            source.name, sidecars, ingest, writer, found, utc_now(), may_write, root.path,
            OtherSources(catalog).holds,
        )  # fmt: skip
        one = SourceScan(
            source.name, root, sidecars, ingest, found, whereabouts, run, cancel, options.rehash, options.accept_missing
        )
        for event in one.events():
            totals.problems += isinstance(event, Trouble)
            yield event
        totals.counts.add(ingest.counts)
        if may_write and folders is None:
            _record(catalog, source, ingest.counts)


def _recorded(writer: IndexWriter, source: str, folders: Folders | None) -> Recorded:
    known: dict[str, str] = writer.ask(lambda index: index.known(source, folders), {})
    unread: list[str] = writer.ask(lambda index: index.unread(source, folders), [])
    return Recorded(known, unread)


def _is_no_news(sidecars: Sidecars, path: str) -> bool:
    """True where a sidecar says itself that its original is missing, or does not parse and so says nothing."""
    found = sidecars.find_usable(path)
    return found is None or "missing_since" in found[1]["original"]


def require_present(
    source: Source, found: Survey, elsewhere: int = 0, is_no_news: Callable[[str], bool] = lambda path: False
) -> None:
    """Raise SourceOffline when most of what was recorded is gone and did not turn up elsewhere in the source.

    `elsewhere` originals are recorded in folders that were not looked at. `is_no_news` is asked for sidecars without
    original which are not recorded as present: without an index these are also the ones that were missing before.
    """
    appeared = len(found.fresh) + sum(1 for one in found.doubtful if one.etag is None)
    gone, recorded = found.gone() - appeared, found.recorded() + found.missing + elsewhere
    for path in sorted(found.unrecorded & found.widowed):
        if gone * 2 <= recorded or (gone - len(found.unrecorded)) * 2 > recorded:
            break
        gone -= is_no_news(path)
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
