"""From sidecars on the disk to rows of the index: what a rebuild does for each of them, in processes of its own."""

from __future__ import annotations

import gc
import signal
from typing import NamedTuple

from index.entry import entry, problem_line, seen_line
from index.protocol import Problem
from lumina_fs.documents import checked, read
from lumina_fs.errors import CorruptDocument
from lumina_fs.fingerprints import fingerprint_by_sidecar
from lumina_fs.roots import Root
from lumina_fs.sidecars import original_beside, path_of
from schemas.names import encode_name
from schemas.sidecar import Sidecar


class Task(NamedTuple):
    """Sidecars to read: `root` holds them, and `prefix` is to be taken off their paths to get the original's, which
    lies in `photos`."""

    source: str
    photos: str
    root: str
    prefix: str
    paths: list[str]
    writes_captions: bool


class Rows(NamedTuple):
    """COPY lines of what a task gave; how many sidecars were whole, and how many could not be read."""

    originals: bytes
    problems: bytes
    seen: bytes
    whole: int
    corrupt: int


def begin_worker() -> None:
    """What a process that reads rows does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # parsed documents hold no circles, and looking for some takes a fifth of the time


def read_rows(task: Task) -> Rows:
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
    return Rows(b"".join(originals), b"".join(problems), b"".join(seen), len(originals), corrupt)


def _unusable(original: str, error: CorruptDocument | OSError) -> Problem:
    """What is wrong with the sidecar of an original."""
    if isinstance(error, CorruptDocument):
        return Problem(encode_name(original), "corrupt_sidecar", error.reason, error.line, error.column)
    return Problem(encode_name(original), "unreadable_sidecar", error.strerror or "")
