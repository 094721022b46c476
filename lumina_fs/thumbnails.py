"""Thumbnails, 150 and 1024 pixels: made on demand in worker processes, kept in the cache by content.

A file is named by the digest of its original, so a changed original has another thumbnail.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import STATE, Catalog, Source
from lumina_fs.errors import CorruptDocument
from lumina_fs.roots import Root

if TYPE_CHECKING:
    from lumina_fs.picture_worker import Order, Rendered

CACHE = f"{STATE}/cache"
SIZES = (150, 1024)


class Made(NamedTuple):
    """A thumbnail that is there (`thumbnail` is its absolute path), or why there is none. `fresh`: made just now."""

    source: str
    path: str
    thumbnail: str | None
    why: str = ""
    fresh: bool = False


def place(sha256: str, size: int) -> str:
    """Where the thumbnail of a content lies, relative to the catalog."""
    return f"{CACHE}/thumbnails/{size}/{sha256[:2]}/{sha256}.jpg"


def make(
    catalog: Catalog, originals: Sequence[tuple[Source, str]], size: int, *, cancel: threading.Event
) -> Iterator[Made]:
    """The thumbnails of originals, given by source and path in it; those in the cache at once, the others as made."""
    from lumina_fs import pictures  # decoders and all that they need, which those who only look for a file do not

    orders: list[Order] = []
    for source, path in originals:
        found = _look(catalog, source, path, size)
        if isinstance(found, Made):
            yield found
        else:
            orders.append(found)
    for order, answer in pictures.make(catalog, orders, cancel=cancel):
        yield _keep(catalog, order, answer)


def _look(catalog: Catalog, source: Source, path: str, size: int) -> Made | Order:
    with Root.open(source.path) as root:
        sidecars = catalog.sidecars(source, root)
        try:
            stored = sidecars.read(path)
            value = sidecars.value(path, stored) if stored is not None else None
        except (OSError, CorruptDocument) as error:
            return Made(source.name, path, None, str(error))
    sha256 = value["original"].get("sha256") if value is not None else None
    if value is None or sha256 is None:
        return Made(source.name, path, None, "it was not scanned yet: lumina scan")
    kept = os.path.join(catalog.path, place(sha256, size))
    if os.path.exists(kept):
        return Made(source.name, path, kept)
    orientation = int((value.get("capture") or {}).get("orientation", 1))
    from lumina_fs.picture_worker import Order

    return Order("thumbnail", source.name, source.path, path, sha256, orientation, size)


def _keep(catalog: Catalog, order: Order, answer: Rendered) -> Made:
    if answer.data is None:
        return Made(order.source, order.path, None, answer.why)
    where = place(order.sha256, order.size)
    write_cache(catalog.disk, catalog.root, where, answer.data)
    return Made(order.source, order.path, os.path.join(catalog.path, where), fresh=True)


def cache_size(catalog: Catalog) -> tuple[int, int]:
    """(files, bytes) in the cache."""
    files = size = 0
    for folder, _, names in os.walk(os.path.join(catalog.path, CACHE)):
        for name in names:
            files += 1
            size += os.lstat(os.path.join(folder, name)).st_size
    return files, size
