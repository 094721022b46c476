"""What changed on disk since the last look: jobs, plans, verdicts, audit, trash and sources, told by their times."""

from __future__ import annotations

import os
from typing import NamedTuple

from lumina_fs.audit import AUDIT
from lumina_fs.catalog import JOBS, PLANS, SOURCES, STATE, VERDICTS, Catalog
from lumina_fs.catalog_document import named
from lumina_fs.errors import LuminaError
from lumina_fs.jobs.records import Record, list_records

#: What is looked at, by the name under which it is told.
FOLDERS = {"plans": PLANS, "verdicts": VERDICTS, "audit": AUDIT, "trash": f"{STATE}/trash", "sources": SOURCES}

Mark = tuple[tuple[str, int, int], ...]


class Watched(NamedTuple):
    """What one look found: all jobs if any changed, with those that ended since (also if they began since), and what
    other folders changed. `trouble`: why the jobs cannot be read; the next look tries it again."""

    jobs: tuple[Record, ...] | None
    ended: tuple[Record, ...]
    kinds: frozenset[str]
    trouble: LuminaError | OSError | None = None


class Changes:
    """Remembers how things were at the last look."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self._alive: set[str] = set()
        self._over: set[tuple[str, str | None]] | None = None

    def look(self, catalog: Catalog) -> Watched:
        """What changed since the last call; the first tells of the jobs only."""
        changed = set()
        for kind, folder in {"jobs": JOBS, **FOLDERS}.items():
            mark = _mark(os.path.join(catalog.path, folder))
            if self._marks.get(kind) != mark:
                if kind in self._marks or kind == "jobs":
                    changed.add(kind)
                self._marks[kind] = mark
        kinds = frozenset(changed - {"jobs"})
        try:
            jobs, ended = self._jobs(catalog) if "jobs" in changed or self._alive else (None, ())
        except (LuminaError, OSError) as error:
            del self._marks["jobs"]  # they were not seen as they are
            catalog.root.forget()  # a folder that comes back is another one
            return Watched(None, (), kinds, error)
        return Watched(jobs, ended, kinds)

    def _jobs(self, catalog: Catalog) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        with named(os.path.join(catalog.path, JOBS)):
            records, _ = list_records(catalog.root)
        alive = {record.id for record in records if record.alive}
        over = {_end(record) for record in records if not record.alive}
        ended = over - self._over if self._over is not None else set()
        self._alive, self._over = alive, over
        return tuple(records), tuple(record for record in records if _end(record) in ended)


def _end(record: Record) -> tuple[str, str | None]:
    """By what one end of a job is known: one that goes on under its record ends more than once."""
    return record.id, record.job.ended


def _mark(folder: str) -> Mark:
    """Name, time and size of what lies in a folder and in its folders; a handful of files each, but for verdicts."""
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                info = entry.stat(follow_symlinks=False)
                found.append((entry.name, info.st_mtime_ns, info.st_size))
    except OSError:
        return ()
    return tuple(sorted(found))
