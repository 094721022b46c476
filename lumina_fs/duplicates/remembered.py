"""What was looked at before, in the cache: what the pixels of two contents say, and the digests of pixels.

Contents never change, so neither does what is remembered of them; another way of looking has another name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from index.parts import keys_of
from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import STATE, Catalog
from lumina_fs.duplicates.comparison import Likeness
from lumina_fs.duplicates.evidence import SEEN
from lumina_fs.duplicates.reductions import Keys, Positions, in_order, places, taken

CACHE = f"{STATE}/cache/duplicates"
LIKENESSES, DIGESTS = f"{CACHE}/likeness-v1.bin", f"{CACHE}/pixels-v1.json"

_PAIR = np.dtype("V64")
_RECORD = np.dtype([("pair", _PAIR), *SEEN.descr])

#: Two contents, 32 bytes each, the lesser first.
PairKey = bytes


def pair_key(one: bytes, other: bytes) -> PairKey:
    """The key of two contents."""
    return one + other if one <= other else other + one


class Remembered:
    """Grows while a search runs, and is written at its end."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.seen = _read_likenesses(os.path.join(catalog.path, LIKENESSES))
        """What was known from the start: the fields of `Likeness`, in columns by their names."""
        marks = _marks(self.seen["pair"])
        self._order = np.argsort(marks, kind="stable")
        self._marks = marks[self._order]
        self._digests = _read_digests(os.path.join(catalog.path, DIGESTS))
        self._fresh: dict[PairKey, Likeness] = {}
        self._more_digests = False

    def places(self, pairs: NDArray[np.void]) -> NDArray[np.int64]:
        """Where in `seen` these pairs (keys in an array) are; -1 for those that were not looked at before."""
        if not len(self._marks):
            return np.full(len(pairs), -1, np.int64)
        at = np.minimum(np.searchsorted(self._marks, _marks(pairs)), len(self._marks) - 1)
        places = self._order[at]
        same = self.seen["pair"][places] == pairs
        return np.where(same, places, -1)

    def likenesses(self, keys: Sequence[PairKey]) -> list[Likeness | None]:
        """What the pixels of each two contents say, if they were looked at."""
        places = self.places(np.frombuffer(b"".join(keys), _PAIR)).tolist()
        return [
            self._fresh.get(key) if at < 0 else Likeness(*self.seen[at].tolist()[1:])
            for key, at in zip(keys, places, strict=True)
        ]

    def learn(self, found: Iterable[tuple[PairKey, Likeness]]) -> None:
        """Remember what was seen."""
        self._fresh.update(found)

    def digest(self, sha256: str) -> str | None:
        """The digest of a content's pixels: hex, "" where it has none, None where it was not asked for."""
        return self._digests.get(sha256)

    def asked(self, contents: Keys) -> NDArray[np.bool_]:
        """For each content whether the digest of its pixels was asked for."""
        return self._places_of(list(self._digests), contents) >= 0

    def pixels(self, contents: Keys) -> Positions:
        """For each content a number, the same for those whose pixels are; -1 where there is no digest of them."""
        known = {sha256: digest for sha256, digest in self._digests.items() if digest}
        numbers = {digest: number for number, digest in enumerate(dict.fromkeys(known.values()))}
        of = np.array([*map(numbers.__getitem__, known.values()), -1], np.int64)
        return np.asarray(of[self._places_of(list(known), contents)])

    def _places_of(self, names: list[str], contents: Keys) -> Positions:
        """Where each content stands among the names, -1 where it does not."""
        keys = keys_of(names)
        order = in_order(keys)
        return np.append(order, -1)[places(taken(keys, order), contents)]

    def learn_digest(self, sha256: str, digest: str) -> None:
        """Remember the digest of a content's pixels."""
        self._digests[sha256] = digest
        self._more_digests = True

    def save(self) -> None:
        """Write what is new."""
        if self._fresh:
            fresh = np.empty(len(self._fresh), _RECORD)
            for at, (key, likeness) in enumerate(self._fresh.items()):
                fresh[at] = (np.void(key), *likeness)
            write_cache(self._catalog.disk, self._catalog.root, LIKENESSES, self.seen.tobytes() + fresh.tobytes())
        if self._more_digests:
            write_cache(self._catalog.disk, self._catalog.root, DIGESTS, orjson.dumps(self._digests))


def _read_likenesses(path: str) -> NDArray[Any]:
    try:
        return np.fromfile(path, _RECORD)
    except (OSError, ValueError):
        return np.empty(0, _RECORD)


def _marks(pairs: NDArray[np.void]) -> NDArray[np.uint64]:
    """A number for each pair: the first bytes of both digests. Two pairs with one number are looked at again."""
    words = np.frombuffer(pairs.tobytes(), np.uint64).reshape(-1, 8)
    return words[:, 0] ^ words[:, 4]


def _read_digests(path: str) -> dict[str, str]:
    try:
        with open(path, "rb") as file:
            found = orjson.loads(file.read())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
