"""The lock between catalogs that take the same photos: any number may look at them, one alone may move them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lumina_fs.catalog import Catalog
from lumina_fs.doorbell import daemon_gives_way
from lumina_fs.errors import Locked
from lumina_fs.index_session import LOCKS
from lumina_fs.locks import lock
from lumina_fs.other_catalogs import catalogs_above
from lumina_fs.roots import Root

_LOCK = f"{LOCKS}/photos"

#: How long the scan or the plan of another catalog may take before we give up.
_SECONDS = 5.0


@contextlib.contextmanager
def at_photos(catalog: Catalog, what: str, *, moves: bool) -> Iterator[None]:
    """Look at the photos of a catalog, or move them, while no other catalog does what does not go with it.

    Who lies within another catalog's folder takes the lock of that one too, so that those two meet there. Call it
    with the catalog's own index lock held. Raises Locked.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock(catalog.root, _LOCK, wait=_SECONDS, what=what, shared=not moves))
        for path in catalogs_above(catalog):
            at = f"the catalog {path}, which has the same photos"
            try:
                root = stack.enter_context(Root.open(path))
                try:
                    stack.enter_context(lock(root, _LOCK, wait=0.2, what=at, shared=not moves))
                except Locked:
                    daemon_gives_way(path)
                    stack.enter_context(lock(root, _LOCK, wait=_SECONDS, what=at, shared=not moves))
            except OSError:  # it was never scanned, or may not be written to
                continue
        yield
