"""The distinct contents of a catalog, in arrays: how many originals have each, how large it is, what its hashes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from index.contents import Codes
from lumina_fs.duplicates.reductions import Keys, places, side_by_side, taken
from lumina_fs.duplicates.signatures import Words

_WORDS = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents in the order of their digests; arrays of one length. Nothing here depends on the order of the rows."""

    keys: Keys
    copies: NDArray[np.int64]
    """How many originals have it."""
    size: NDArray[np.int64]
    image: NDArray[np.bool_]
    hashed: NDArray[np.bool_]
    """True where both hashes mean something."""
    phash: Words
    dhash: Words
    stamps: Words
    """(n, 3): the stamps of its originals, put together: they change with anything that is said of one of them."""

    @classmethod
    def of(cls, codes: Codes) -> Contents:
        """Those of all originals."""
        order, bounds = side_by_side(codes.sha256)
        starts = bounds[:-1]
        hashed = (codes.hashed & codes.image)[order]
        stamps = codes.stamp.view(np.uint64).reshape(-1, _WORDS).take(order, axis=0)

        def largest(words: Words) -> Words:
            return np.maximum.reduceat(np.where(hashed, words[order], np.uint64(0)), starts) if len(order) else words

        return cls(
            taken(codes.sha256, order[starts]),
            np.diff(bounds),
            codes.size[order][starts],
            np.logical_or.reduceat(codes.image[order], starts) if len(order) else codes.image,
            np.logical_or.reduceat(hashed, starts) if len(order) else hashed,
            largest(codes.phash),
            largest(codes.dhash),
            np.stack([np.bitwise_xor.reduceat(one, starts) for one in stamps.T.copy()], 1) if len(order) else stamps,
        )

    def places(self, keys: Keys) -> NDArray[np.int64]:
        """Where contents stand in the arrays; -1 for those that no original has."""
        return places(self.keys, keys)


def hexadecimal(keys: Keys) -> list[str]:
    """Digests as documents have them."""
    text, length = keys.tobytes().hex(), 2 * keys.dtype.itemsize
    return [text[start : start + length] for start in range(0, len(text), length)]


class Names(Sequence[str]):
    """The same one by one, each made when somebody asks, and once."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._made: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> Names: ...

    def __getitem__(self, number: int | slice) -> str | Names:
        if isinstance(number, slice):
            return Names(self._keys[number])
        name = self._made.get(number)
        if name is None:
            name = self._made[number] = self._keys[number].tobytes().hex()
        return name
