"""The trash that a person looks at, held open: rows of it, a plan that restores some, and the end of some."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.errors import EtagMismatch
from lumina_fs.plans.files import write_draft
from lumina_fs.plans.trash import Trashed, empty, list_trash, propose_restore
from lumina_fs.progress import Finished, Note, Progress, Trouble

Value = dict[str, Any]

#: Originals that are named in a question.
_NAMED = 10


class OpenTrash:
    """What lay in the trash at the last look."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._view: list[Trashed] = []
        self._picked: list[Trashed] = []
        self._counter = count(1)
        self._number = self._key = 0

    def look(self, match: str = "") -> Value:
        """What lies there and fits a text, newest first."""
        found: list[Trashed] = []
        notes: list[str] = []
        for one in list_trash(self._catalog):
            if isinstance(one, Trashed):
                found.append(one)
            elif isinstance(one, Note):
                notes.append(one.text)
        text = match.casefold()
        found.reverse()
        self._view = [one for one in found if text in f"{one.path}\n{one.reason}\n{one.plan}\n{one.source}".casefold()]
        self._number = next(self._counter)
        size = sum(one.whole_size for one in self._view)
        return {"view": self._number, "total": len(self._view), "size": size, "notes": notes}

    def rows(self, view: int, first: int, end: int) -> Value:
        """Rows of a look; none where there was another since."""
        found = self._view[first:end] if view == self._number else []
        rows = [(e.when, e.source, e.path, e.whole_size, e.plan, e.reason, len(e.files)) for e in found]
        return {"view": view, "first": first, "rows": rows}

    def pick(self, view: int, rows: Sequence[int]) -> Value:
        """Set these rows (none: all) aside for the next step. Raises EtagMismatch after another look."""
        if view != self._number:
            raise EtagMismatch("the trash was looked at again meanwhile; nothing was done")
        self._picked = [self._view[row] for row in rows if row < len(self._view)] if rows else list(self._view)
        self._key = next(self._counter)
        return {
            "key": self._key, "count": len(self._picked), "size": sum(one.whole_size for one in self._picked),
            "files": sum(len(one.files) for one in self._picked),
            "first": [one.path for one in self._picked[:_NAMED]],
        }  # fmt: skip

    def _taken(self, key: int) -> list[Trashed]:
        if key != self._key:
            raise EtagMismatch("others were chosen meanwhile; nothing was done")
        self._key, picked = 0, self._picked
        return picked

    def restore(self, key: int) -> str:
        """Propose the plan that brings back what was picked; its id. Raises UsageError, WriteFailed."""
        return write_draft(self._catalog, propose_restore(self._catalog, self._taken(key)))

    def empty(self, tell: Callable[[Mapping[str, Any]], None], key: int, typed: int) -> Value:
        """Remove for good what was picked, if `typed` is its number. Raises Refused, Locked."""
        picked = self._taken(key)
        result, troubles = None, []
        for event in empty(self._catalog, picked, may=lambda what: len(what) == typed, cancel=threading.Event()):
            if isinstance(event, Finished):
                result = event.result
            elif isinstance(event, Progress):
                tell({"done": event.done, "total": event.total})
            elif isinstance(event, Trouble):
                troubles.append(f"{event.path}: {event.message}")
        assert result is not None
        return {"originals": result.originals, "size": result.size, "troubles": troubles[:_NAMED]}
