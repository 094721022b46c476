"""The index follows a plan: after each batch the rows of what it touched are as the disk is, in one step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from index.entry import entry
from index.protocol import Entry, IndexUnavailable, IndexUnusable, Problem
from lumina_fs.caption_files import is_due, write_out
from lumina_fs.catalog import Catalog
from lumina_fs.documents import Stored
from lumina_fs.errors import CorruptDocument, LuminaError, UnsafePath
from lumina_fs.fingerprints import fingerprint_by_sidecar
from lumina_fs.index_session import IndexWriter, connect, is_behind, is_written_in_bulk
from lumina_fs.plans.places import Places
from lumina_fs.sidecars import Saved
from schemas.names import encode_name


class Rows:
    """Originals whose rows have to be looked at again, by source and path."""

    def __init__(self, places: Places, writer: IndexWriter, *, was_behind: bool, alone: bool = True) -> None:
        """`alone`: the caller holds the lock of the index, so that no scan sends rows meanwhile."""
        self._places = places
        self._writer = writer
        self._was_behind = was_behind
        self._alone = alone
        self._writes_captions = places.catalog.settings.captions == "write"
        self._touched: dict[tuple[str, str], None] = {}

    def before(self) -> None:
        """Say on disk that the index is about to lack something."""
        self._writer.before_files_change()

    def look_again(self, source: str, path: str) -> None:
        """An original came to this place, left it, or was edited."""
        self._touched[source, path] = None

    def flush(self) -> None:
        """Send what the disk says now. An index that does not take it is marked behind, and the plan goes on."""
        touched, self._touched = list(self._touched), {}
        if self._writer.index is None and not self._writes_captions:
            return
        changes: dict[str, tuple[list[Entry], list[str], list[Problem]]] = {}
        for source, path in touched:
            entries, removed, corrupt = changes.setdefault(source, ([], [], []))
            found = self._entry(source, path)
            if isinstance(found, Entry):
                entries.append(found)
            elif isinstance(found, Problem):
                corrupt.append(found)
            else:
                removed.append(encode_name(path))
        if changes:
            self._writer.upsert_together(changes)

    def finish(self) -> str:
        """All was sent; "current" or "behind"."""
        if self._writer.index is None or self._was_behind:
            return "behind"
        if self._alone or not is_written_in_bulk(self._places.catalog):
            self._writer.finish()  # else a scan may send what it read before: the mark stays for the next command
        return "current"

    def _entry(self, source: str, path: str) -> Entry | Problem | None:
        """The row of what lies there; None for nothing, or for an original that has no sidecar yet."""
        sidecars = self._places.sidecars(source)
        encoded = encode_name(path)
        try:
            if self._places.spot(source, path).info() is None:
                return None
            found = sidecars.find(path)
        except CorruptDocument as error:
            return Problem(encoded, "corrupt_sidecar", error.reason, error.line, error.column)
        except (OSError, UnsafePath):
            return None
        if found is None:
            return None
        stored, value = found
        if self._writes_captions and is_due(value):
            stored, value = self._written_out(source, path, Saved(value, stored, wrote=False))
        mark = fingerprint_by_sidecar(value, stored.stat, self._writes_captions) if stored.settled else ""
        return entry(value, source, encoded, stored.etag, mark)

    def _written_out(self, source: str, path: str, saved: Saved) -> tuple[Stored, dict[str, Any]]:
        """The sidecar after the person's caption went into the text file; where that fails a scan tries again."""
        places = self._places
        with contextlib.suppress(OSError, LuminaError):
            done = write_out(places.catalog.disk, places.root(source), places.sidecars(source), path, saved)
            if done is not None:
                return done[0].stored, done[0].value
        return saved.stored, saved.value


@contextlib.contextmanager
def following(catalog: Catalog, places: Places, *, alone: bool = True) -> Iterator[Rows]:
    """The rows of a catalog; where the index cannot be used, they are marked behind."""
    behind = is_behind(catalog)
    with contextlib.ExitStack() as stack:
        try:
            index = stack.enter_context(connect(catalog))
            index.check()
            writer = IndexWriter(catalog, index, "a plan is being carried out")
        except (IndexUnavailable, IndexUnusable) as error:
            writer = IndexWriter(catalog, None, str(error))
        yield Rows(places, writer, was_behind=behind, alone=alone)
