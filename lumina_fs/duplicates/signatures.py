"""Pictures by their two hashes, and heaps of those that hang together.

Pictures with the same two hashes are one signature; what is said of one of them is asked of all.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Words = NDArray[np.uint64]


class Heaps(NamedTuple):
    """Sets of pictures, one after the other in one array, each in order; and where each begins, with the end of all."""

    pictures: Positions
    starts: Positions

    def lists(self) -> list[list[int]]:
        """The pictures of each."""
        pictures, starts = self.pictures.tolist(), self.starts.tolist()
        return [pictures[start:end] for start, end in itertools.pairwise(starts)]

    def some(self, which: NDArray[Any]) -> Heaps:
        """Those with these numbers, or where this is true."""
        numbers = np.arange(len(self.starts) - 1)[which]
        sizes = np.diff(self.starts)[numbers]
        return Heaps(self.pictures[ranges(self.starts[numbers], sizes)], np.append(0, np.cumsum(sizes)))

    def halves(self, few: int) -> list[Heaps]:
        """The first and the last of them, about as many pictures in each; of fewer than `few` all together."""
        count = len(self.starts) - 1
        if count < few:
            return [self]
        middle = int(np.searchsorted(self.starts, self.starts[-1] // 2))
        return [self.some(np.arange(middle)), self.some(np.arange(middle, count))]


def ranges(starts: Positions, sizes: Positions) -> Positions:
    """The positions of ranges, one range after the other."""
    ends = np.cumsum(sizes)
    return np.repeat(starts - ends + sizes, sizes) + np.arange(sizes.sum())


class Signatures:
    """Pictures by their two hashes. A picture is a position in the arrays that were given."""

    def __init__(self, phash: Words, dhash: Words) -> None:
        order = _ordered(phash, dhash)
        ordered_p, ordered_d = phash[order], dhash[order]
        new = np.ones(len(order), bool)
        new[1:] = (ordered_p[1:] != ordered_p[:-1]) | (ordered_d[1:] != ordered_d[:-1])
        self.phash, self.dhash = ordered_p[new], ordered_d[new]
        self.of = np.empty(len(order), np.int64)
        self.of[order] = np.cumsum(new) - 1
        self._order = order
        self._starts = np.append(np.flatnonzero(new), len(order))
        self.join(np.empty(0, np.int64))

    @property
    def representatives(self) -> Positions:
        """A picture of each signature."""
        return np.asarray(self._order[self._starts[:-1]])

    def members(self, signature: int) -> list[int]:
        """The pictures with these hashes."""
        found: list[int] = self._order[self._starts[signature] : self._starts[signature + 1]].tolist()
        return found

    def crowds(self) -> Heaps:
        """Pictures with the same two hashes, two or more."""
        return Heaps(self._order, self._starts).some(np.diff(self._starts) > 1)

    def names(self, keys: NDArray[np.void]) -> Words:
        """(n, 2) by what each is known again, from the digests of the pictures: it is another one with other hashes."""
        digests = keys[self.representatives].view(np.uint64).reshape(-1, 4)[:, :2]
        return np.asarray(digests ^ np.stack([self.phash, self.dhash], 1))

    def join(self, pairs: Positions) -> None:
        """Take these, as `candidates.neighbours` gives them, for all neighbours."""
        count = len(self.phash)
        self.pairs = np.divmod(pairs, max(count, 1))
        one, other = self.pairs
        both = np.concatenate([one, other])
        order = np.argsort(both, kind="stable")
        self._others = np.concatenate([other, one])[order]
        self._from = np.searchsorted(both[order], np.arange(count + 1))

    def beside(self, picture: int) -> set[int]:
        """The pictures that are worth comparing with one: its neighbours, and those with the same hashes."""
        mine = self.signature(picture)
        found = set(self.members(mine))
        found.update(*map(self.members, self._others[self._from[mine] : self._from[mine + 1]].tolist()))
        found.discard(picture)
        return found

    def signature(self, picture: int) -> int:
        """The number of the two hashes of a picture."""
        return int(self.of[picture])

    def heaps(self) -> Heaps:
        """Pictures that hang together as neighbours of neighbours, two or more."""
        label = _joined(len(self.phash), *self.pairs)[self.of]
        crowded = np.bincount(label, minlength=1)[label] > 1
        pictures = np.flatnonzero(crowded)
        pictures = pictures[np.argsort(label[pictures], kind="stable")]
        new = np.ones(len(pictures), bool)
        new[1:] = label[pictures][1:] != label[pictures][:-1]
        return Heaps(pictures, np.append(np.flatnonzero(new), len(pictures)))


def _ordered(first: Words, second: Words) -> Positions:
    """The stable order by two words; sooner than by both at once, since few have the first one in common."""
    order = np.argsort(first, kind="stable")
    ordered = first[order]
    twice = np.zeros(len(order) + 1, bool)
    np.equal(ordered[1:], ordered[:-1], out=twice[1:-1])
    alike = np.flatnonzero(twice[1:] | twice[:-1])
    some = order[alike]
    order[alike] = some[np.lexsort((second[some], ordered[alike]))]
    return order


def _joined(count: int, one: Positions, other: Positions) -> Positions:
    """For each of `count` things one that stands for all that hang together by these pairs: the least of them."""
    label = np.arange(count)
    while True:
        first, second = label[one], label[other]
        apart = first != second
        if not apart.any():
            return label
        one, other = one[apart], other[apart]
        low, high = np.minimum(first[apart], second[apart]), np.maximum(first[apart], second[apart])
        np.minimum.at(label, high, low)
        while not np.array_equal(further := label[label], label):
            label = further
