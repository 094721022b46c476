"""What was looked at before, in the cache: what the pixels of two contents say, and the digests of pixels.

Contents never change, so neither does what is remembered of them; another way of looking has another name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import orjson

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import STATE, Catalog
from lumina_fs.duplicates.comparison import Likeness

CACHE = f"{STATE}/cache/duplicates"
LIKENESSES, DIGESTS = f"{CACHE}/likeness-v1.bin", f"{CACHE}/pixels-v1.json"

_RECORD = np.dtype(
    [("pair", "V64")]
    + [
        (name, "?" if kind == "bool" else "<i4" if kind == "int" else "<f8")
        for name, kind in Likeness.__annotations__.items()
    ]
)

#: Two contents, 32 bytes each, the lesser first.
PairKey = bytes


def pair_key(one: bytes, other: bytes) -> PairKey:
    """The key of two contents."""
    return one + other if one <= other else other + one


class Remembered:
    """Grows while a search runs, and is written at its end."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known = _read_likenesses(os.path.join(catalog.path, LIKENESSES))
        self._digests = _read_digests(os.path.join(catalog.path, DIGESTS))
        self._fresh: dict[PairKey, Likeness] = {}
        self._more_digests = False

    def likeness(self, key: PairKey) -> Likeness | None:
        """What the pixels of two contents say, if they were looked at."""
        found = self._fresh.get(key)
        if found is not None:
            return found
        row = self._known.get(key)
        return None if row is None else Likeness(*row.tolist()[1:])

    def learn(self, found: Iterable[tuple[PairKey, Likeness]]) -> None:
        """Remember what was seen."""
        self._fresh.update(found)

    def digest(self, sha256: str) -> str | None:
        """The digest of a content's pixels: hex, "" where it has none, None where it was not asked for."""
        return self._digests.get(sha256)

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
            known = [row.tobytes() for row in self._known.values()]
            write_cache(self._catalog.disk, self._catalog.root, LIKENESSES, b"".join(known) + fresh.tobytes())
        if self._more_digests:
            write_cache(self._catalog.disk, self._catalog.root, DIGESTS, orjson.dumps(self._digests))


def _read_likenesses(path: str) -> dict[PairKey, np.void]:
    try:
        rows = np.fromfile(path, _RECORD)
    except (OSError, ValueError):
        return {}
    return {row["pair"].tobytes(): row for row in rows}


def _read_digests(path: str) -> dict[str, str]:
    try:
        with open(path, "rb") as file:
            found = orjson.loads(file.read())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
