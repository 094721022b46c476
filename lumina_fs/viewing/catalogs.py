"""The catalogs that a person knows, and how each of them stands."""

from __future__ import annotations

import os
from dataclasses import dataclass

from lumina_fs.catalog import Catalog, Source
from lumina_fs.errors import LuminaError, SourceOffline
from lumina_fs.index_session import is_behind
from lumina_fs.jobs.records import list_records
from lumina_fs.known_catalogs import Known, known_catalogs


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


def catalog_rows() -> list[CatalogRow]:
    """Every known catalog, in the order of first use; no index is asked."""
    return [_row(known) for known in known_catalogs()]


def _row(known: Known) -> CatalogRow:
    if not known.present:
        return CatalogRow(known.id, known.name, known.path, False, state="not there")
    try:
        with Catalog.open(known.path) as catalog:
            return _opened(known, catalog)
    except (LuminaError, OSError) as error:
        return CatalogRow(known.id, known.name, known.path, True, state="problem", problems=(str(error),))


def _opened(known: Known, catalog: Catalog) -> CatalogRow:
    problems, states = [], []
    sources = catalog.sources()
    for source in sources:
        try:
            catalog.require_online(source)
        except SourceOffline as error:
            problems.append(str(error))
            states.append(f"{source.name} offline")
    records, corrupt = list_records(catalog.root)
    problems += corrupt
    running = [record.job.work for record in records if record.alive]
    if is_behind(catalog):
        states.append("index behind")
    originals = [source.last_originals for source in sources if source.last_originals is not None]
    return CatalogRow(
        known.id, catalog.name, os.path.abspath(known.path), True, sum(originals) if originals else None,
        _last_scan(sources), ", ".join([*running, *states]) or "idle", tuple(problems),
    )  # fmt: skip


def _last_scan(sources: list[Source]) -> str | None:
    """When a scan of one of them ended last, in UTC."""
    return max((source.last_scan for source in sources if source.last_scan is not None), default=None)
