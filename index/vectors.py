"""Nearest neighbours among 64-bit hashes, by FAISS, exactly: nothing within the radius is missed."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np


class HashIndex:
    """Codes in the order in which they were given. `to_bytes` and `from_bytes` make it a file of the cache."""

    def __init__(self, index: faiss.IndexBinary) -> None:
        self._index = index

    @classmethod
    def build(cls, codes: Sequence[int]) -> HashIndex:
        """From signed 64-bit codes."""
        index = faiss.IndexBinaryFlat(64)
        if codes:
            index.add(np.asarray(codes, dtype=">i8").view(np.uint8).reshape(-1, 8))
        return cls(index)

    @classmethod
    def from_bytes(cls, data: bytes) -> HashIndex:
        """What `to_bytes` wrote. Raises ValueError for anything else."""
        try:
            index = faiss.deserialize_index_binary(np.frombuffer(data, dtype=np.uint8))
        except RuntimeError as error:
            raise ValueError("no FAISS index") from error
        if index.d != 64:
            raise ValueError("not an index of 64-bit codes")
        return cls(index)

    def to_bytes(self) -> bytes:
        """The index as bytes."""
        return bytes(faiss.serialize_index_binary(self._index).tobytes())

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def within(self, code: int, radius: int) -> list[tuple[int, int]]:
        """(Hamming distance, position) of every code at most `radius` bits away, nearest first."""
        query = np.asarray([code], dtype=">i8").view(np.uint8).reshape(1, 8)
        # FAISS keeps distances strictly below the radius
        _, distances, positions = self._index.range_search(query, radius + 1)
        return sorted(zip(map(int, distances), map(int, positions), strict=True))
