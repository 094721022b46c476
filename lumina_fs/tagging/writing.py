"""What was seen, brought into sidecars and then into the index: in batches, beside scans and hand edits."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from lumina_fs.catalog import Catalog
from lumina_fs.errors import CorruptDocument, LuminaError
from lumina_fs.plans.places import Places
from lumina_fs.plans.rows import following
from lumina_fs.progress import Event, Ingested, Trouble
from lumina_fs.sidecars import Change, Sidecars
from lumina_fs.tagging.targets import Place

_BATCH = 64
_SECONDS = 2.0

Value = dict[str, Any]


class _Waiting(NamedTuple):
    place: Place
    sha256: str
    found: Value


class Writer:
    """Collects measurements of originals. Only sidecars of the content that was looked at get them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._waiting: list[_Waiting] = []
        self._since = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.index = "current"

    def add(self, place: Place, sha256: str, found: Value) -> None:
        """Let the sidecar of the original at this place say what was found of this content."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(_Waiting(place, sha256, found))

    def due(self) -> bool:
        """True when there is enough for a batch, or something has waited long enough."""
        count = len(self._waiting)
        return count >= _BATCH or bool(count and time.monotonic() - self._since > _SECONDS)

    def flush(self) -> Iterator[Event]:
        """Write all that waits, disk first; a short while in which the index is marked as behind."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        by_source: dict[str, list[_Waiting]] = {}
        for one in waiting:
            by_source.setdefault(one.place[0], []).append(one)
        with Places(self._catalog, "") as places, following(self._catalog, places, alone=False) as rows:
            wrote = False
            for source, some in by_source.items():
                try:
                    sidecars = places.sidecars(source)
                except LuminaError as error:  # its disk went while we looked at pictures
                    self.counts["not_written"] += len(some)
                    yield Trouble(source, some[0].place[1], "not_written", str(error))
                    continue
                changes = [change for one in some if (change := _change(sidecars, one)) is not None]
                self.counts["as_before"] += len(some) - len(changes)
                if changes and not wrote:
                    rows.before()
                    wrote = True
                for change, saved in zip(changes, sidecars.put(changes), strict=True):
                    if isinstance(saved, (CorruptDocument, OSError)):
                        self.counts["not_written"] += 1
                        yield Trouble(source, change.path, "not_written", f"its sidecar could not be written: {saved}")
                    elif saved.wrote:
                        self.counts["tagged"] += 1
                        rows.look_again(source, change.path)
                        yield Ingested(source, change.path, "tagged")
                    else:
                        self.counts["as_before"] += 1
            if wrote:
                rows.flush()
                self.index = rows.finish()


def _change(sidecars: Sidecars, one: _Waiting) -> Change | None:
    """The write that a sidecar needs; None where it says so already, or is about something else by now."""
    found = sidecars.find_usable(one.place[1])
    if found is None:
        return None
    stored, value = found

    def composed(current: Value | None) -> Value:
        assert current is not None
        if current["original"].get("sha256") != one.sha256:
            return current
        return {**current, "measurements": {**(current.get("measurements") or {}), **one.found}}

    return None if composed(value) == value else Change(one.place[1], stored, composed)
