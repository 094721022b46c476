"""Numbers of catalogs as their indexes count them: asked in threads, and not all the time while they change."""

from __future__ import annotations

import asyncio
from time import monotonic

from lumina_fs.viewing.catalogs import Numbers, numbers


class CatalogNumbers:
    """What was counted, by the path of the catalog."""

    def __init__(self) -> None:
        self.known: dict[str, Numbers] = {}
        self._outdated: set[str] = set()
        self._counting: set[str] = set()
        self._not_before: dict[str, float] = {}

    def changed(self, path: str) -> None:
        """Its index says something else by now."""
        self._outdated.add(path)

    def all_changed(self) -> None:
        """Any of them may say something else by now."""
        self._outdated |= {*self.known, *self._counting}

    def wait(self, path: str) -> float | None:
        """Seconds until it is to be counted; None where it need not be."""
        if path in self._counting or (path in self.known and path not in self._outdated):
            return None
        return max(0.0, self._not_before.get(path, 0.0) - monotonic()) if path in self.known else 0.0

    async def count(self, path: str) -> bool:
        """Count, over a connection of its own; False where there is no index to ask."""
        self._counting.add(path)
        self._outdated.discard(path)
        begun = monotonic()
        try:
            found = await asyncio.to_thread(numbers, path)
        finally:
            self._counting.discard(path)
        # while a scan runs they change all the time: counting takes a tenth of it at most
        self._not_before[path] = monotonic() + 10 * (monotonic() - begun)
        if found is not None:
            self.known[path] = found
        return found is not None
