"""Photos that look like a given one, by their perceptual hash; the FAISS index lies in the cache."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from lumina_fs.cache_files import clear_cache, write_cache
from lumina_fs.catalog import STATE, Catalog
from lumina_fs.documents import read
from lumina_fs.errors import UsageError

if TYPE_CHECKING:
    from index.postgres import PostgresIndex
    from index.protocol import Hit
    from index.vectors import HashIndex

CACHE = f"{STATE}/cache/vectors"
HASH = "phash"


def like(catalog: Catalog, index: PostgresIndex, source: str, path: str, within: int) -> list[Hit]:
    """Originals at most `within` bits away from the one at `path` (encoded), itself left out, nearest first.

    Raises UsageError where the original has no hash that means something.
    """
    codes = index.codes(HASH)
    own = next((code for name, place, code in codes if (name, place) == (source, path)), None)
    if own is None:
        raise UsageError("has no hash to compare: not scanned yet, not decodable, or too plain a picture", path=path)
    near = _hash_index(catalog, index, [code for _, _, code in codes]).within(own, within)
    distances = {(codes[at][0], codes[at][1]): distance for distance, at in near}
    distances.pop((source, path), None)
    hits = [dataclasses.replace(hit, distance=distances[hit.source, hit.path]) for hit in index.rows(list(distances))]
    return sorted(hits, key=lambda hit: (hit.distance or 0, hit.source, hit.path))


def _hash_index(catalog: Catalog, index: PostgresIndex, codes: list[int]) -> HashIndex:
    """The FAISS index of these codes: the one in the cache if it was made from them, else a new one."""
    from index.vectors import HashIndex

    name = f"{CACHE}/{HASH}-{index.meta('generation')}-{index.meta('revision')}.faiss"
    stored = read(catalog.root, name)
    if stored is not None:
        try:
            found = HashIndex.from_bytes(stored.data)
        except ValueError:
            found = None
        if found is not None and len(found) == len(codes):
            return found
    made = HashIndex.build(codes)
    clear_cache(catalog.disk, catalog.root, CACHE)
    write_cache(catalog.disk, catalog.root, name, made.to_bytes())
    return made
