"""The catalogs that a person knows, and how each of them stands."""

from __future__ import annotations

import os
from dataclasses import dataclass

from index.protocol import IndexUnavailable, IndexUnusable
from index.totals import Totals, totals
from lumina_fs.catalog import Catalog, Source
from lumina_fs.doorbell import NoDaemon, ask
from lumina_fs.errors import LuminaError, SourceOffline
from lumina_fs.index_session import connect, is_behind
from lumina_fs.jobs.records import list_records
from lumina_fs.known_catalogs import Known, known_catalogs

Numbers = Totals


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as it stands. `offline` says why it cannot be used, empty when it can; `free` in bytes of its disk."""

    name: str
    path: str
    managed: bool
    sidecars: str
    originals: int | None
    last_scan: str | None
    offline: str = ""
    free: int | None = None


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A catalog as its files tell of it: `originals` at the last scan, what runs, and what is wrong."""

    id: str
    name: str
    path: str
    present: bool
    originals: int | None = None
    last_scan: str | None = None
    state: str = ""
    problems: tuple[str, ...] = ()
    sources: tuple[SourceRow, ...] = ()


def catalog_rows() -> list[CatalogRow]:
    """Every known catalog, in the order of first use; no index is asked."""
    return [_row(known) for known in known_catalogs()]


def numbers(path: str) -> Numbers | None:
    """What the index of the catalog at `path` counts; None where there is no index to ask."""
    try:
        with Catalog.open(path) as catalog, connect(catalog) as index:
            index.check()
            return totals(index)
    except (LuminaError, OSError, IndexUnavailable, IndexUnusable):
        return None


def _row(known: Known) -> CatalogRow:
    if not known.present:
        return CatalogRow(known.id, known.name, known.path, False, state="not there")
    try:
        with Catalog.open(known.path) as catalog:
            return _opened(known, catalog)
    except (LuminaError, OSError) as error:
        return CatalogRow(known.id, known.name, known.path, True, state="problem", problems=(str(error),))


def _opened(known: Known, catalog: Catalog) -> CatalogRow:
    sources = [_source(catalog, source) for source in catalog.sources()]
    states = [f"{source.name} offline" for source in sources if source.offline]
    records, corrupt = list_records(catalog.root)
    problems = [source.offline for source in sources if source.offline] + corrupt
    running: list[str] = [record.job.work for record in records if record.alive]
    if is_behind(catalog):
        states.append("index behind")
    if is_watched(catalog.path):
        states.append("daemon")
    originals = [source.originals for source in sources if source.originals is not None]
    return CatalogRow(
        known.id, catalog.name, os.path.abspath(known.path), True, sum(originals) if originals else None,
        max((source.last_scan for source in sources if source.last_scan is not None), default=None),
        ", ".join([*(running or ["idle"]), *states]), tuple(problems), tuple(sources),
    )  # fmt: skip


def _source(catalog: Catalog, source: Source) -> SourceRow:
    offline, free = "", None
    try:
        catalog.require_online(source)
        found = os.statvfs(source.path)
        free = found.f_bavail * found.f_frsize
    except (SourceOffline, OSError) as error:
        offline = str(error)
    return SourceRow(
        source.name, source.path, source.managed, source.sidecars, source.last_originals, source.last_scan, offline,
        free,
    )  # fmt: skip


def is_watched(path: str) -> bool:
    """True when a daemon watches the catalog at `path`."""
    try:
        ask(path, {"do": "status"}, timeout=1.0)
    except (NoDaemon, OSError):
        return False
    return True
