"""What lies in the sources of a catalog that a scan is not looking at right now."""

from __future__ import annotations

from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError, UsageError
from lumina_fs.roots import Root


class OtherSources:
    """Asked seldom, one path at a time; nothing is kept open."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def holds(self, source: str, path: str, id_: str) -> bool:
        """Whether a sidecar of this id lies at a path (decoded). What cannot be looked at is taken to be there."""
        try:
            found = self._catalog.source(source)
            self._catalog.require_online(found)
            with Root.open(found.path) as root:
                stored = self._catalog.sidecars(found, root).find(path)
        except UsageError:  # the source was taken out of the catalog
            return False
        except (LuminaError, OSError):
            return True
        return stored is not None and stored[1]["id"] == id_
