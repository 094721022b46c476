"""Removing records that nobody needs any more, and what killed processes left beside them."""

from __future__ import annotations

import contextlib
import os

from lumina_fs import leftovers
from lumina_fs.catalog import JOBS, Catalog
from lumina_fs.index_session import LOCKS
from lumina_fs.jobs.records import job_ids, list_records, lock_path, remove_record
from lumina_fs.locks import is_held


def clean(catalog: Catalog, *, interrupted: bool = False) -> tuple[int, int]:
    """Remove the records of ended jobs, with `interrupted` those of interrupted ones too; (removed, kept).

    The last record of each schedule stays: it says when the schedule is next.
    """
    removed = kept = 0
    schedules: set[str] = set()
    for record in list_records(catalog.root)[0]:
        schedule = record.job.schedule
        needed = schedule is not None and schedule not in schedules
        schedules.add(schedule or "")
        if record.alive or needed or (record.state == "interrupted" and not interrupted):
            kept += 1
        else:
            remove_record(catalog.disk, catalog.root, record.id)
            removed += 1
    _sweep(catalog)
    return removed, kept


def _sweep(catalog: Catalog) -> None:
    """Locks, requests and temporaries of processes that are no more."""
    with contextlib.suppress(FileNotFoundError):
        leftovers.sweep(catalog.disk, catalog.root, JOBS)
    known = set(job_ids(catalog.root))
    strays = [(f"{JOBS}/{name}", name.removesuffix(".cancel")) for name in _names(catalog, JOBS) if ".cancel" in name]
    for name in _names(catalog, LOCKS):
        job_id = name.removeprefix("job-")
        if len(job_id) == 36 and not is_held(catalog.root, lock_path(job_id)):
            strays.append((f"{LOCKS}/{name}", job_id))
    for path, job_id in strays:
        if job_id not in known:
            catalog.disk.remove_marker(catalog.root, path)


def _names(catalog: Catalog, folder: str) -> list[str]:
    try:
        return os.listdir(catalog.root.directory(folder))
    except FileNotFoundError:
        return []
