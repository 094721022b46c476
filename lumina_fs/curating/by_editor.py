"""A sidecar while a person has it open in an editor: what they made of it, the way back, and the row after."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.curation import curation_of, difference
from lumina_fs.documents import Stored, checked
from lumina_fs.durable import ABSENT, Failed, Written
from lumina_fs.errors import CorruptDocument, EtagMismatch, UsageError, WriteFailed
from lumina_fs.history import Kept, text_of_block
from lumina_fs.plans.places import Places
from lumina_fs.plans.rows import following
from schemas.sidecar import Sidecar

Value = dict[str, Any]


class Session:
    """One sidecar from the moment in which the editor opens; a context manager.

    Raises UsageError where there is no sidecar yet, SourceOffline.
    """

    def __init__(self, catalog: Catalog, source: str, path: str) -> None:
        self._catalog = catalog
        self._source, self._path = source, path
        self._stack = contextlib.ExitStack()
        self._places = self._stack.enter_context(Places(catalog, ""))
        self._sidecars = self._places.sidecars(source)
        before = self._sidecars.read(path)
        if before is None:
            raise UsageError("has no sidecar yet; `lumina scan` writes it", path=path)
        self._before = before

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def shown(self) -> str:
        """The absolute path of the sidecar, for the editor."""
        return os.path.join(self._sidecars.root.path, self._sidecars.path(self._path))

    def look(self) -> dict[str, tuple[Any, Any]] | None:
        """What the editor changed of the curation, field by field; None where the file is as it was.

        Raises CorruptDocument with line and column for a sidecar that cannot be used, or was removed.
        """
        now = self._now()
        if now is not None and now.etag == self._before.etag and self._value_before() is not None:
            return None
        value, before = self._checked(now), self._value_before()
        if now is not None and before is not None:
            self._require_digest(now, before["original"].get("sha256"), value["original"].get("sha256"))
        return difference(curation_of(before or {}), curation_of(value))

    def go_back(self) -> None:
        """Make the sidecar what it was when the editor opened. Raises EtagMismatch, WriteFailed."""
        now = self._now()
        path = self._sidecars.path(self._path)
        condition = ABSENT if now is None else now.etag
        outcome = self._catalog.disk.write(self._sidecars.root, path, self._before.data, if_match=condition)
        if isinstance(outcome, Failed):
            raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=self.shown)
        if not isinstance(outcome, Written):
            raise EtagMismatch("somebody else just wrote it; look at it again", path=self.shown)

    def take_in(self) -> str:
        """Keep the version of before in the history, and send the row; "current" or "behind". Raises WriteFailed."""
        now = self._now()
        value = self._checked(now)
        assert now is not None
        before = self._value_before()
        if before is not None and self._sidecars.history is not None:
            texts = text_of_block(self._before.data), text_of_block(now.data)
            if texts[0] != texts[1]:
                self._sidecars.history.keep([Kept(str(value["id"]), self._path, *texts, "lumina edit")])
        with following(self._catalog, self._places, alone=False) as rows:
            rows.before()
            rows.look_again(self._source, self._path)
            rows.flush()
            return rows.finish()

    def _require_digest(self, now: Stored, before: str | None, after: str | None) -> None:
        """Raise CorruptDocument where the editor changed by what the photo is known; a scan may have, meanwhile."""
        if before == after or before is None or after is None:
            return
        at = now.data.find(after.encode())
        line, column = now.data.count(b"\n", 0, at) + 1, at - now.data.rfind(b"\n", 0, at)
        reason = f"original.sha256: must stay {before}, by which the photo is known; the next scan puts it right"
        raise CorruptDocument(reason, path=self.shown, line=line, column=column)

    def _now(self) -> Stored | None:
        self._places.forget()
        return self._sidecars.read(self._path)

    def _checked(self, stored: Stored | None) -> Value:
        if stored is None:
            raise CorruptDocument("the editor removed it, or left it under another name", path=self.shown)
        return checked(stored, Sidecar, self.shown)

    def _value_before(self) -> Value | None:
        """The value of before; None for a sidecar that was opened because it had to be mended."""
        try:
            return checked(self._before, Sidecar, self.shown)
        except CorruptDocument:
            return None
