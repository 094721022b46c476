"""The journal of a plan: what its execution did, one framed line a record, appended and never rewritten.

Each line has a number, the SHA-256 of the line before and a CRC of itself, and says how many lines were on the disk
for certain when it was written. So a torn end (never reported as written) is told from damage (an error).
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lumina_fs.catalog import Catalog
from lumina_fs.errors import CorruptDocument
from lumina_fs.growing import GrowingFile
from lumina_fs.plans.files import journal_path
from schemas.names import decode_name

Outcome = Literal["complete", "failed", "rolled_back"]
Record = dict[str, Any]

_START = hashlib.sha256().hexdigest()
_MARK = b',"crc":"'
_TAIL = len(_MARK) + 8 + len(b'"}')


@dataclass(slots=True)
class History:
    """What a journal says, put together. Actions are named by their number in the plan, from 0."""

    begin: Record | None = None
    intended: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)
    rolled_back: set[int] = field(default_factory=set)
    copied: dict[tuple[int, int], int] = field(default_factory=dict)
    """(action, file of its unit) -> inode of the verified copy."""
    made: list[tuple[str, str]] = field(default_factory=list)
    """(source, path) of folders that were made."""
    going_back: bool = False
    outcome: Outcome | None = None
    undone_by: list[str] = field(default_factory=list)
    records: int = 0
    length: int = 0
    last: str = _START

    @property
    def open_actions(self) -> set[int]:
        """Actions that were begun and of which nothing more is known: the disk says how far they came."""
        return self.intended - self.done - self.rolled_back - set(self.failed)

    def take(self, record: Record) -> None:
        """Add one record."""
        kind = record["record"]
        action = record.get("action", -1)
        if kind == "begin":
            self.begin = record
        elif kind == "intent":
            self.intended.add(action)
            self.failed.pop(action, None)
        elif kind == "done":
            self.done.add(action)
        elif kind == "failed":
            self.failed[action] = record.get("why", "")
        elif kind == "rolled_back":
            self.rolled_back.add(action)
        elif kind == "copied":
            self.copied[action, record["file"]] = record["inode"]
        elif kind == "made":
            self.made.append((record["source"], decode_name(record["path"])))
        elif kind in ("resume", "roll_back"):
            self.outcome, self.going_back = None, self.going_back or kind == "roll_back"
        elif kind == "end":
            self.outcome = record["outcome"]
        elif kind == "undone":
            self.undone_by.append(record["by"])


class Journal:
    """The journal of one plan, open for appending; a context manager."""

    def __init__(self, catalog: Catalog, plan_id: str, history: History) -> None:
        """`history` is what was read from it. Raises WriteFailed."""
        self.history = history
        self._file = GrowingFile(catalog.disk, catalog.root, journal_path(plan_id), keep=history.length)

    def append(self, records: Iterable[Record]) -> None:
        """Add records, all with one sync; on the disk when it returns. Raises WriteFailed."""
        records = list(records)
        lines: list[bytes] = []
        number, last = self.history.records, self.history.last
        for at, record in enumerate(records):
            line = frame(number + at, number, last, record)
            last = hashlib.sha256(line).hexdigest()
            lines.append(line)
        self._file.append(lines)
        for record in records:
            self.history.take(record)
        self.history.records, self.history.last = number + len(records), last

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def frame(number: int, synced: int, before: str, record: Record) -> bytes:
    """The line of a record."""
    body = json.dumps({"n": number, "synced": synced, "before": before, **record}, separators=(",", ":")).encode()[:-1]
    return body + _MARK + b"%08x" % zlib.crc32(body) + b'"}'


def unframe(line: bytes) -> Record | None:
    """The record of a line; None where it is not whole."""
    body = line[:-_TAIL]
    if len(line) <= _TAIL or line[-_TAIL:] != _MARK + b"%08x" % zlib.crc32(body) + b'"}':
        return None
    found: Record = json.loads(line)
    return found


def read_history(catalog: Catalog, plan_id: str) -> History:
    """What the journal of a plan says; an empty history where there is none. Raises CorruptDocument."""
    history = History()
    read_on(catalog, plan_id, history)
    return history


def read_on(catalog: Catalog, plan_id: str, history: History) -> bool:
    """Add what was written since a history was read; True where there is more of it now. Raises CorruptDocument."""
    path, before = journal_path(plan_id), history.records
    try:
        fd = catalog.root.open_file(path)
    except FileNotFoundError:
        return False
    with open(fd, "rb") as file:
        file.seek(history.length)
        lines = file.read().split(b"\n")
    _take_lines(history, lines, os.path.join(catalog.path, path))
    return history.records > before


def history_of(lines: Sequence[bytes], shown: str) -> History:
    """The history that the lines of a journal tell (the last is what follows the last line feed)."""
    history = History()
    _take_lines(history, lines, shown)
    return history


def _take_lines(history: History, lines: Sequence[bytes], shown: str) -> None:
    for at, line in enumerate(lines[:-1]):
        record = unframe(line)
        if record is None or record["n"] != history.records or record["before"] != history.last:
            _require_torn(lines[at:], history.records, shown)
            break
        history.take(record)
        history.records += 1
        history.length += len(line) + 1
        history.last = hashlib.sha256(line).hexdigest()


def _require_torn(lines: Sequence[bytes], first: int, shown: str) -> None:
    """Raise CorruptDocument where one of these lines knows that the first was on the disk: then it is damage."""
    for line in lines:
        record = unframe(line)
        if record is not None and record["synced"] > first:
            raise CorruptDocument(
                "the journal is damaged: this record was written and is not what it was. Restore the file from a "
                "backup; without it nobody can say what the plan did",
                path=shown, line=first + 1,
            )  # fmt: skip
