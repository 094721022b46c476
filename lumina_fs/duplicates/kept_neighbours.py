"""The neighbours of the last search, in the cache: what is new is compared with the rest, and the rest not again."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.candidates import Neighbours, Since, Viewed, neighbours
from lumina_fs.duplicates.recall import rules
from lumina_fs.duplicates.reductions import Keys
from lumina_fs.duplicates.remembered import CACHE
from lumina_fs.duplicates.signatures import Positions, Signatures, Words
from lumina_fs.progress import Progress

NEIGHBOURS = f"{CACHE}/neighbours-v1.bin"

_DIGEST = 32
#: Seconds from one word on how far it is to the next.
_TELL = 0.2


class Kept(NamedTuple):
    """What was found among signatures of these names."""

    names: Words
    found: Neighbours

    def since(self, names: Words) -> Since:
        """What of it holds among signatures of other names, and which of those are new."""
        places = _places(self.names, names)
        there = np.flatnonzero(places >= 0)
        numbers = np.full(len(self.names), -1, np.int64)
        numbers[places[there]] = there
        one, other = (numbers[some] for some in np.divmod(self.found.pairs, max(len(self.names), 1)))
        both = (one >= 0) & (other >= 0)
        one, other = one[both], other[both]
        pairs = np.minimum(one, other) * len(names) + np.maximum(one, other)
        return Since(Neighbours(np.sort(pairs), self.found.terms), places < 0)


class _Going:
    """Hears from the search for neighbours how far it is, and ends it where nobody wants it any more."""

    def __init__(self, cancel: threading.Event) -> None:
        self.wanted = True
        self._cancel = cancel
        self._asked: list[int] = []
        self._total = 0

    def __call__(self, more: int, total: int) -> bool:
        self._asked.append(more)
        self._total = total
        return self.wanted and not self._cancel.is_set()

    def of(self, every: int) -> int:
        """How many of all pictures are done."""
        return every * sum(self._asked) // max(self._total, 1)


def join(
    signatures: Signatures,
    keys: Keys,
    views: Viewed,
    lying: Positions,
    *,
    catalog: Catalog,
    threshold: int,
    cancel: threading.Event,
) -> Iterator[Progress]:
    """Give signatures of these contents their neighbours: what is new is compared with all, the rest is taken over.

    Stopped, they have none.
    """
    names, kept = signatures.names(keys), load(catalog, threshold)
    if kept is None or not np.array_equal(kept.names, names):
        since, going = None if kept is None else kept.since(names), _Going(cancel)
        with ThreadPoolExecutor(1) as beside:
            found = beside.submit(neighbours, signatures, views, threshold, lying, since, going)
            try:
                while wait([found], _TELL).not_done:
                    yield Progress("comparing hashes", going.of(len(keys)), len(keys), "pictures")
            finally:
                going.wanted = False
        if cancel.is_set():
            return
        kept = Kept(names, found.result())
        keep(catalog, threshold, kept)
    signatures.join(kept.found.pairs)


def load(catalog: Catalog, threshold: int) -> Kept | None:
    """What the last search at this threshold kept; None where there is nothing, or it looked in another way."""
    try:
        with open(os.path.join(catalog.path, NEIGHBOURS), "rb") as file:
            data = file.read()
    except OSError:
        return None
    way, body, digest = data[:_DIGEST], data[_DIGEST:-_DIGEST], data[-_DIGEST:]
    if way != _way(threshold) or digest != hashlib.sha256(data[:-_DIGEST]).digest():
        return None
    terms, numbers = body[:_DIGEST], np.frombuffer(body[_DIGEST:], np.uint64)
    count = int(numbers[0])
    return Kept(numbers[1 : 1 + 2 * count].reshape(-1, 2), Neighbours(numbers[1 + 2 * count :].view(np.int64), terms))


def keep(catalog: Catalog, threshold: int, kept: Kept) -> None:
    """Keep it in place of what the last search kept."""
    count = np.array([len(kept.names)], np.uint64)
    parts = (_way(threshold), kept.found.terms, count.tobytes(), kept.names.tobytes(), kept.found.pairs.tobytes())
    data = b"".join(parts)
    write_cache(catalog.disk, catalog.root, NEIGHBOURS, data + hashlib.sha256(data).digest())


def _way(threshold: int) -> bytes:
    return hashlib.sha256(f"{threshold} {rules()}".encode()).digest()


def _places(known: Words, asked: Words) -> Positions:
    """Where names stand among the known ones, -1 for those that are not there."""
    if not len(known):
        return np.full(len(asked), -1, np.int64)
    order = np.argsort(known[:, 0], kind="stable")
    at = np.minimum(np.searchsorted(known[order, 0], asked[:, 0]), len(known) - 1)
    at = order[at]
    # of two that begin alike one may not be found: then it is looked for as if it were new
    return np.where((known[at] == asked).all(axis=1), at, -1)
