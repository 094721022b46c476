"""Documents of the catalog on disk: read with their ETag, write on the condition that nobody else did."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from lumina_fs.durable import ABSENT, Conflict, Disk, Failed, Written
from lumina_fs.errors import CorruptDocument, EtagMismatch, WriteFailed
from lumina_fs.file_state import FileStat, digest, has_settled, read_at, stat_of
from lumina_fs.roots import Root
from schemas.document import Document, load, require
from schemas.errors import DocumentError
from schemas.text import MAX_BYTES, dump, parse, patch
from schemas.upgrade import upgrade

D = TypeVar("D", bound=Document)

#: A file touched less than this before it was read may change again without its times showing it.
RACY_NS = 2_000_000_000


class Stored(NamedTuple):
    """A document as it was read: its exact bytes, their ETag, and the stat by which to know it again."""

    data: bytes
    etag: str
    stat: FileStat
    settled: bool


def read(root: Root, path: str) -> Stored | None:
    """The bytes at `path`, or None where there is nothing. Raises OSError."""
    try:
        directory, name = root.place(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    before = time.time_ns()
    found = read_at(directory, name)
    if found is None:
        return None
    data, info = found
    settled = has_settled(info.st_mtime_ns, before, RACY_NS)
    return Stored(data, digest(data), stat_of(info), settled)


def checked(stored: Stored, model: type[Document], path: str) -> dict[str, Any]:
    """The value of a document that fits its model, upgraded. Raises CorruptDocument with line and column."""
    try:
        value = upgrade(parse(stored.data))
        require(value, model, stored.data)
    except DocumentError as error:
        raise _corrupt(error, path) from error
    return value


def loaded(root: Root, path: str, model: type[D], limit: int = MAX_BYTES) -> D | None:
    """The document at `path` as its model, None where there is nothing. Raises OSError, CorruptDocument."""
    stored = read(root, path)
    if stored is None:
        return None
    with corrupt_at(os.path.join(root.path, path)):
        return load(stored.data, model, limit)


@contextlib.contextmanager
def corrupt_at(path: str) -> Iterator[None]:
    """What is wrong with a document is raised as CorruptDocument, with the path of its file."""
    try:
        yield
    except DocumentError as error:
        raise _corrupt(error, path) from error


def _corrupt(error: DocumentError, path: str) -> CorruptDocument:
    return CorruptDocument(error.reason, path=path, line=error.line, column=error.column)


def text_for(stored: Stored | None, value: dict[str, Any]) -> bytes:
    """The bytes of `value`: an edit of the stored text that leaves all else alone, or a new canonical text."""
    return dump(value) if stored is None else patch(stored.data, value)


def edit(
    disk: Disk,
    root: Root,
    path: str,
    model: type[Document],
    change: Callable[[dict[str, Any] | None], dict[str, Any]],
    *,
    tries: int = 20,
) -> bool:
    """Read, change and write a document; again, when somebody else wrote in between. False if nothing changed.

    Raises CorruptDocument where the live file does not parse (it stays as it is), WriteFailed, EtagMismatch.
    """
    for _ in range(tries):
        stored = read(root, path)
        current = None if stored is None else checked(stored, model, path)
        data = text_for(stored, change(current))
        if stored is not None and data == stored.data:
            return False
        outcome = disk.write(root, path, data, if_match=ABSENT if stored is None else stored.etag)
        if isinstance(outcome, Written):
            return True
        if isinstance(outcome, Failed):
            raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=path)
        assert isinstance(outcome, Conflict)
    raise EtagMismatch("somebody else keeps writing this file; nothing was written", path=path)
