"""The neighbours of the last search, in the cache: what is new is compared with the rest, and the rest not again."""

from __future__ import annotations

import hashlib
import os
from typing import NamedTuple

import numpy as np

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.candidates import Neighbours, Since
from lumina_fs.duplicates.recall import rules
from lumina_fs.duplicates.remembered import CACHE
from lumina_fs.duplicates.signatures import Positions, Words

NEIGHBOURS = f"{CACHE}/neighbours-v1.bin"

_DIGEST = 32


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
