"""Reduced pictures by content, in the cache: 64 x 64 in gray, and the codes of their views.

They lie in segments, each a few arrays of one length. A scan leaves a segment for each batch of originals, at no cost
but the writing; small ones are merged by and by. All may be deleted: what is missing is read from the originals again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.reduction_writer import CACHE, RECIPE, segment_path, write_segment
from lumina_fs.duplicates.views import COUNT, SIDE, Views, views
from lumina_fs.errors import WriteFailed

_BYTES = SIDE * SIDE
_KEY = np.dtype("V32")
#: Segments of fewer pictures are merged when there are more than this many of them.
_SMALL, _MANY = 20_000, 64

Keys = NDArray[np.void]
Positions = NDArray[np.int64]


class _Segment(NamedTuple):
    name: str
    keys: Keys
    gray: NDArray[np.uint8]


class Reductions:
    """All reduced pictures of a catalog. Positions count over all segments; of equal contents one is seen."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._making = threading.Lock()
        self._segments = _merged(catalog, list(_segments(catalog)))
        self._starts = np.cumsum([0, *(len(segment.keys) for segment in self._segments)])
        keys = np.concatenate([np.empty(0, _KEY), *(segment.keys for segment in self._segments)])
        self._keys, self._at = _sorted(keys)

    def positions(self, keys: Keys) -> Positions:
        """Where the pictures of these contents are; -1 for what is not here."""
        at = places(self._keys, keys)
        return np.where(at < 0, -1, self._at[at]) if len(self._at) else at

    def gray(self, positions: Positions) -> NDArray[np.uint8]:
        """The pictures at these positions, (n, 64, 64)."""
        found = np.empty((len(positions), SIDE, SIDE), np.uint8)
        which = np.searchsorted(self._starts, positions, "right") - 1
        for number in np.unique(which):
            mine = which == number
            found[mine] = self._segments[number].gray[positions[mine] - self._starts[number]]
        return found

    def views(self, positions: Positions) -> Views:
        """The codes of all views of these pictures; computed and kept where they were not asked for before."""
        codes = np.empty((len(positions), 2, COUNT), np.uint64)
        which = np.searchsorted(self._starts, positions, "right") - 1
        for number in np.unique(which):
            mine = which == number
            with self._making:  # who asks for them meanwhile would only make them too
                made = _views(self._catalog, self._segments[number])
            codes[mine] = made[positions[mine] - self._starts[number]]
        return Views(codes[:, 0], codes[:, 1])


def _sorted(keys: Keys) -> tuple[Keys, Positions]:
    """Distinct keys in order, and where each is."""
    order, starts = side_by_side(keys)
    first = order[starts[:-1]]
    return taken(keys, first), first


def side_by_side(keys: Keys) -> tuple[Positions, Positions]:
    """The stable order of digests, and where in it those begin that are equal, with the end of all."""
    order = in_order(keys)
    digests = taken(keys, order).view("S32")
    new = np.ones(len(order), bool)
    new[1:] = digests[1:] != digests[:-1]
    return order, np.append(np.flatnonzero(new), len(order))


def in_order(keys: Keys) -> Positions:
    """The stable order of digests: by their first bytes, which numpy sorts by counting, and seldom by all of them."""
    words = keys.view(">u2").reshape(-1, keys.dtype.itemsize // 2)
    order = np.argsort(words[:, 2].astype(np.uint16), kind="stable")
    for word in (1, 0):
        order = order.take(np.argsort(words[:, word].astype(np.uint16).take(order), kind="stable"))
    first = _first(keys).take(order) >> np.uint64(16)
    alike = np.flatnonzero(first[1:] == first[:-1])
    digests = keys.view("S32")
    if np.any(digests[order[alike]] > digests[order[alike + 1]]):
        return np.argsort(digests, kind="stable")
    return order


def taken(rows: NDArray[np.void], numbers: Positions) -> NDArray[np.void]:
    """Rows of whole words by their numbers, sooner than numpy takes them by itself."""
    words = rows.view(np.uint64).reshape(-1, rows.dtype.itemsize // 8)
    return words.take(numbers, axis=0).view(rows.dtype)[:, 0]


def places(distinct: Keys, wanted: Keys) -> Positions:
    """Where digests stand among distinct ones in order, -1 for those that are not there."""
    if not len(distinct):
        return np.full(len(wanted), -1, np.int64)
    last = len(distinct) - 1
    at = np.minimum(np.searchsorted(_first(distinct), _first(wanted)), last)
    digests, asked = distinct.view("S32"), wanted.view("S32")
    if np.any((digests[at] < asked) & (digests[np.minimum(at + 1, last)] <= asked) & (at < last)):
        at = np.minimum(np.searchsorted(digests, asked), last)  # two have the same first bytes
    return np.where(digests[at] == asked, at, -1)


def _first(keys: Keys) -> NDArray[np.uint64]:
    """The first bytes of digests, as numbers in the same order."""
    return keys.view(">u8").reshape(-1, keys.dtype.itemsize // 8)[:, 0].astype(np.uint64)


def _segments(catalog: Catalog) -> Iterable[_Segment]:
    """The whole segments on the disk, by name."""
    folder = os.path.join(catalog.path, CACHE)
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        stem, _, part = name.rpartition(".")
        if part == "keys" and stem.startswith(f"{RECIPE}-"):
            segment = _segment(folder, stem)
            if segment is not None:
                yield segment


def _segment(folder: str, name: str) -> _Segment | None:
    try:
        keys = np.fromfile(os.path.join(folder, f"{name}.keys"), _KEY)
        gray = np.memmap(os.path.join(folder, f"{name}.gray"), np.uint8, "r")
    except (OSError, ValueError):
        return None
    if gray.size != len(keys) * _BYTES or not len(keys):
        return None
    return _Segment(name, keys, gray.reshape(-1, SIDE, SIDE))


def _views(catalog: Catalog, segment: _Segment) -> NDArray[np.uint64]:
    """(n, 2, views): pHash and dHash of a segment's views."""
    shape = (len(segment.keys), 2, COUNT)
    path = segment_path(segment.name, "views")
    try:
        kept = np.memmap(os.path.join(catalog.path, path), "<u8", "r")
        if kept.size == np.prod(shape):
            return kept.reshape(shape)
    except (OSError, ValueError):
        pass
    found = np.empty(shape, "<u8")
    for start in range(0, len(found), 512):
        some = views(segment.gray[start : start + 512])
        found[start : start + 512, 0], found[start : start + 512, 1] = some
    with contextlib.suppress(WriteFailed, OSError):  # then they are computed again next time
        write_cache(catalog.disk, catalog.root, path, found.tobytes())
    return found


def _merged(catalog: Catalog, segments: list[_Segment]) -> list[_Segment]:
    """The segments, with the small ones made few when there are many."""
    small = [segment for segment in segments if len(segment.keys) < _SMALL // 2]
    if len(small) <= _MANY:
        return segments
    merged: list[_Segment] = [segment for segment in segments if len(segment.keys) >= _SMALL // 2]
    some: list[_Segment] = []
    for segment in small:
        some.append(segment)
        if sum(len(one.keys) for one in some) >= _SMALL:
            merged += _as_one(catalog, some)
            some = []
    return merged + _as_one(catalog, some)


def _as_one(catalog: Catalog, segments: list[_Segment]) -> list[_Segment]:
    keys = [key.tobytes() for segment in segments for key in segment.keys]
    name = write_segment(catalog, keys, [segment.gray.tobytes() for segment in segments]) if len(segments) > 1 else None
    one = _segment(os.path.join(catalog.path, CACHE), name) if name is not None else None
    if one is None:
        return segments
    for segment in segments:
        for part in ("keys", "views", "gray"):
            catalog.disk.remove_marker(catalog.root, segment_path(segment.name, part))
    return [one]
