"""All plans in a row each. A plan is read again only when one of its files changed since the last look."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.errors import CorruptDocument, LuminaError
from lumina_fs.plans.files import journal_path, plan_ids, plan_path, read_plan, weigh
from lumina_fs.plans.journal import History, read_history
from lumina_fs.plans.status import status_by

Mark = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan in a few words; `problem` says, with line and column, why its files make no sense."""

    id: str
    status: str
    created: str = ""
    name: str = ""
    purpose: str = ""
    counts: dict[str, int] | None = None
    size: int = 0
    digest: str = ""
    problem: str = ""
    line: int | None = None
    column: int | None = None

    def value(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "plan": self.id, "status": self.status, "created": self.created, "purpose": self.purpose,
            "counts": self.counts or {}, "size": self.size, "name": self.name, "digest": self.digest,
        }  # fmt: skip


class Listing:
    """Remembers what plans and journals said, by the marks of their files."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._plans: dict[str, tuple[Mark | None, Listed]] = {}
        self._histories: dict[str, tuple[Mark | None, History]] = {}

    def look(self, seconds: float = float("inf")) -> tuple[list[Listed], int]:
        """Every plan, newest first; how many are left out because the time was over before they were read."""
        end = time.monotonic() + seconds
        ids = plan_ids(self._catalog)[::-1]
        rows, left = [], 0
        for plan_id in ids:
            if time.monotonic() > end and not self._is_known(plan_id):
                left += 1
            else:
                rows.append(self._row(plan_id))
        for gone in self._plans.keys() - set(ids):
            del self._plans[gone]
            self._histories.pop(gone, None)
        return rows, left

    def _is_known(self, plan_id: str) -> bool:
        known = self._plans.get(plan_id)
        return known is not None and known[0] == self._mark(plan_path(plan_id))

    def _row(self, plan_id: str) -> Listed:
        """The status is worked out each time: it also depends on locks, approvals and other plans."""
        try:
            listed = self._content(plan_id)
            if listed.problem:
                return listed
            status = status_by(self._catalog, plan_id, listed.digest, self._history)
        except CorruptDocument as error:
            return Listed(plan_id, "broken", problem=str(error), line=error.line, column=error.column)
        except (LuminaError, OSError) as error:
            return Listed(plan_id, "broken", problem=str(error))
        return Listed(
            plan_id, status, listed.created, listed.name, listed.purpose, listed.counts, listed.size, listed.digest
        )

    def _content(self, plan_id: str) -> Listed:
        mark = self._mark(plan_path(plan_id))
        known = self._plans.get(plan_id)
        if known is not None and known[0] == mark:
            return known[1]
        try:
            stored = read_plan(self._catalog, plan_id)
            weight = weigh(stored.plan)
            found = Listed(
                plan_id, "", stored.plan.created, stored.plan.name, stored.plan.purpose, weight.counts, weight.size,
                stored.digest,
            )  # fmt: skip
        except CorruptDocument as error:
            found = Listed(plan_id, "broken", problem=str(error), line=error.line, column=error.column)
        self._plans[plan_id] = (mark, found)
        return found

    def _history(self, catalog: Catalog, plan_id: str) -> History:
        """What a journal says, without what each action did."""
        mark = self._mark(journal_path(plan_id))
        known = self._histories.get(plan_id)
        if known is not None and known[0] == mark:
            return known[1]
        full = read_history(catalog, plan_id)
        history = History(begin=full.begin, outcome=full.outcome, undone_by=full.undone_by)
        self._histories[plan_id] = (mark, history)
        return history

    def _mark(self, path: str) -> Mark | None:
        try:
            info = os.lstat(os.path.join(self._catalog.root.path, path))
        except OSError:
            return None
        return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns
