"""The records of jobs on disk: read and listed by any process, written by the one that does the work.

A reader always sees a whole document. A record that says running while nobody holds its lock was interrupted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import JOBS, Catalog
from lumina_fs.document_ids import ids_in, matching, the_one
from lumina_fs.documents import loaded, read
from lumina_fs.durable import ABSENT, Conflict, Disk, Failed
from lumina_fs.errors import LuminaError, UsageError, WriteFailed
from lumina_fs.index_session import LOCKS
from lumina_fs.locks import is_held
from lumina_fs.roots import Root
from schemas.job import Job
from schemas.text import dump

#: Records that are kept of each kind of work.
KEPT = 20


@dataclass(frozen=True, slots=True)
class Record:
    """A job as it lies on the disk. `alive`: some process holds its lock."""

    job: Job
    alive: bool

    @property
    def id(self) -> str:
        """Its id."""
        return self.job.id

    @property
    def state(self) -> str:
        """Its state; "interrupted" where it claims to run and does not."""
        return "interrupted" if self.job.state in ("pending", "running") and not self.alive else self.job.state

    @property
    def began(self) -> str:
        """When it was started last, or asked for."""
        return self.job.started or self.job.created

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: the document, with the state as it really is."""
        return {**self.job.model_dump(by_alias=True, mode="json"), "state": self.state}


def record_path(job_id: str) -> str:
    """Where the record lies, relative to the catalog."""
    return f"{JOBS}/{job_id}.json"


def lock_path(job_id: str) -> str:
    """The file that the process at work holds locked; it goes with the end of the job."""
    return f"{LOCKS}/job-{job_id}"


def _mark_path(job_id: str) -> str:
    return f"{JOBS}/{job_id}.cancel"


# -- reading


def job_ids(root: Root) -> list[str]:
    """Ids of all records, newest first (ids are made in the order of time)."""
    return ids_in(root, JOBS)[::-1]


def read_record(root: Root, job_id: str) -> Record | None:
    """One record, None where there is none. Raises CorruptDocument."""
    job = loaded(root, record_path(job_id), Job)
    if job is None or job.state not in ("pending", "running"):
        return None if job is None else Record(job, False)
    if is_held(root, lock_path(job_id)):
        return Record(job, True)
    # it may have ended in between: the last write comes before the lock is given back
    last = loaded(root, record_path(job_id), Job)
    return None if last is None else Record(last, False)


def list_records(root: Root) -> tuple[list[Record], list[str]]:
    """All records, those begun last first, and why others cannot be read."""
    found: list[Record] = []
    corrupt: list[str] = []
    for job_id in job_ids(root):
        try:
            record = read_record(root, job_id)
        except (LuminaError, OSError) as error:
            corrupt.append(str(error))
            continue
        if record is not None:
            found.append(record)
    return sorted(found, key=lambda record: (record.began, record.id), reverse=True), corrupt


def find_record(catalog: Catalog, reference: str) -> Record:
    """The record with this id, or an id that starts or ends so. Raises UsageError, CorruptDocument."""
    missing = f"there is no job {reference!r}; `lumina jobs list` names them"
    record = read_record(catalog.root, the_one(matching(job_ids(catalog.root), reference), reference, missing))
    if record is None:
        raise UsageError(missing)
    return record


# -- writing


def write_running(disk: Disk, root: Root, value: dict[str, Any]) -> None:
    """Put a record in place of what is there; whole, but not durable. Raises OSError, WriteFailed."""
    write_cache(disk, root, record_path(value["id"]), dump(value))


def write_ended(disk: Disk, root: Root, value: dict[str, Any]) -> None:
    """The same, durable. Raises OSError, WriteFailed."""
    path = record_path(value["id"])
    disk.make_directory(root, JOBS)
    for _ in range(5):
        stored = read(root, path)
        outcome = disk.write(root, path, dump(value), if_match=ABSENT if stored is None else stored.etag)
        if isinstance(outcome, Failed):
            raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=path)
        if not isinstance(outcome, Conflict):
            return


def remove_record(disk: Disk, root: Root, job_id: str) -> None:
    """Remove a record and what belongs to it."""
    for path in (record_path(job_id), _mark_path(job_id), lock_path(job_id)):
        try:
            disk.remove_marker(root, path)
        except (FileNotFoundError, NotADirectoryError):
            continue


def prune(disk: Disk, root: Root) -> list[str]:
    """Remove ended records beyond the last of each kind, except the last of each schedule; the ids of those."""
    if len(job_ids(root)) <= KEPT:
        return []
    seen: dict[str, int] = {}
    schedules: set[str] = set()
    removed: list[str] = []
    for record in list_records(root)[0]:
        job = record.job
        seen[job.work] = seen.get(job.work, 0) + 1
        needed = record.alive or (job.schedule is not None and job.schedule not in schedules)
        schedules.add(job.schedule or "")
        if seen[job.work] > KEPT and not needed:
            remove_record(disk, root, record.id)
            removed.append(record.id)
    return removed


# -- asking to stop


def request_cancel(disk: Disk, root: Root, job_id: str) -> None:
    """Ask the process that does this job to stop; it notices within a second. Raises WriteFailed."""
    disk.make_directory(root, JOBS)
    outcome = disk.write(root, _mark_path(job_id), b"", if_match=ABSENT)
    if isinstance(outcome, Failed):
        raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=_mark_path(job_id))


def cancel_requested(root: Root, job_id: str) -> bool:
    """True when somebody asked this job to stop."""
    try:
        directory, name = root.place(_mark_path(job_id))
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return False
    return True


def forget_cancel(disk: Disk, root: Root, job_id: str) -> None:
    """Take the request away: it was obeyed, or is of an earlier attempt."""
    if cancel_requested(root, job_id):
        disk.remove_marker(root, _mark_path(job_id))
