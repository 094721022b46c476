"""Which pictures may be one, by their hashes alone: neighbours that are worth a look at their pixels.

Pictures with the same two hashes are one signature; what is said of one of them is asked of all. Neighbours are found
in two ways, and both need the agreement of two hashes:

- every pair of signatures within the radius in one hash, exactly, if the other agrees too;
- a view of one (turned, mirrored, a part; see `views`) that looks like the other: they differ in few bits, and where
  there are too many pictures to compare all with all, are equal in one of some sets of bits.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.hamming import Bands, near_pairs
from lumina_fs.duplicates.views import COUNT, Views, bands_of

#: Bits of both hashes together that may differ: where one is within the radius, and where only a view looks alike.
AGREE, VIEW_AGREE = 28, 24
#: A code that more signatures than this share says nothing by itself.
_CROWD = 256
#: So many signatures are all compared with all views.
_FEW = 1024
#: Signatures whose views are looked for at once: what bounds the memory.
_AT_ONCE = 1 << 15

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
        starts = np.append(0, np.cumsum(sizes))
        return Heaps(
            self.pictures[np.repeat(self.starts[numbers] - starts[:-1], sizes) + np.arange(starts[-1])], starts
        )


class Signatures:
    """Pictures by their two hashes. A picture is a position in the arrays that were given."""

    def __init__(self, phash: Words, dhash: Words) -> None:
        order = np.lexsort((dhash, phash))
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

    def connect(self, views: Callable[[Positions], Views], radius: int) -> None:
        """Find all neighbours; `views` gives the codes of the views of pictures."""
        self.join(self.near(views, radius))

    def near(self, views: Callable[[Positions], Views], radius: int, lying: Positions | None = None) -> Positions:
        """All pairs of neighbours in order, each as one number: lesser signature times their count + greater.

        `lying`: for each picture where its views lie; it is quicker to ask for those that lie side by side.
        """
        count = len(self.phash)
        asking = np.arange(count) if lying is None else np.argsort(lying[self.representatives])
        both = ((self.phash, self.dhash), (self.dhash, self.phash))
        ways = [partial(self._near, radius, *codes) for codes in both]
        bits = int(min(21, max(16, np.ceil(np.log2(max(count, 1))) + 1)))
        masks, most = (([0], []), _FEW) if count <= _FEW else (bands_of(_width(count)), _CROWD)
        bands = [Bands(*codes, sets, bits, most) for codes, sets in zip(both, masks, strict=True)]
        pieces = [asking[start : start + _AT_ONCE] for start in range(0, count, _AT_ONCE)]
        ways += [partial(self._looking_alike, views, bands, piece) for piece in pieces]

        def found(way: Callable[[], Iterator[tuple[Positions, Positions]]]) -> Positions:
            pieces = [np.minimum(first, second) * count + np.maximum(first, second) for first, second in way()]
            return np.unique(np.concatenate([np.empty(0, np.int64), *pieces]))

        with ThreadPoolExecutor(2) as threads:
            return np.unique(np.concatenate(list(threads.map(found, ways))))

    def join(self, pairs: Positions) -> None:
        """Take these, as `near` gives them, for all neighbours."""
        count = len(self.phash)
        self.pairs = np.divmod(pairs, max(count, 1))
        one, other = self.pairs
        both = np.concatenate([one, other])
        order = np.argsort(both, kind="stable")
        self._others = np.concatenate([other, one])[order]
        self._from = np.searchsorted(both[order], np.arange(count + 1))
        self.degrees = np.diff(self._from)

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

    @staticmethod
    def _near(radius: int, codes: Words, others: Words) -> Iterator[tuple[Positions, Positions]]:
        """Signatures that are near by `codes`, and not too far by the others."""
        for first, second in _within(codes, radius):
            near = _apart(codes[first], codes[second]) + _apart(others[first], others[second]) <= AGREE
            yield first[near], second[near]

    def _looking_alike(
        self, views: Callable[[Positions], Views], bands: Sequence[Bands], asking: Positions
    ) -> Iterator[tuple[Positions, Positions]]:
        """Signatures of which one of these looks to the other like one of its views."""
        asked = [codes.ravel() for codes in views(self.representatives[asking])]
        for number, table in enumerate(bands):
            for query, other in table.near(asked[number], asked[1 - number], VIEW_AGREE):
                first = asking[query // COUNT]
                another = first != other
                yield first[another], other[another]


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


def _within(codes: Words, radius: int) -> Iterator[tuple[Positions, Positions]]:
    """Pairs within the radius, piece by piece; of a crowd with one code no pair is made by that code alone."""
    distinct, which, counts = np.unique(codes, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    start = np.concatenate([[0], np.cumsum(counts)])
    lone = np.arange(len(distinct))
    first, second = near_pairs(distinct, radius)
    first, second = np.concatenate([lone[counts > 1], first]), np.concatenate([lone[counts > 1], second])
    small = counts[first] * counts[second] <= _CROWD * _CROWD
    first, second = first[small], second[small]
    sizes = counts[first] * counts[second]
    ends = np.cumsum(sizes)
    at = 0
    while at < len(first):
        before = ends[at - 1] if at else 0
        last = max(at + 1, int(np.searchsorted(ends, before + (1 << 20), "right")))
        which_pair = np.repeat(np.arange(at, last), sizes[at:last])
        offset = np.arange(len(which_pair)) - np.repeat(ends[at:last] - sizes[at:last] - before, sizes[at:last])
        one, other = first[which_pair], second[which_pair]
        left = order[start[one] + offset // counts[other]]
        right = order[start[other] + offset % counts[other]]
        once = (one != other) | (left < right)
        yield left[once], right[once]
        at = last


def _apart(one: Words, other: Words) -> NDArray[np.uint8]:
    return np.asarray(np.bitwise_count(one ^ other))


def _width(count: int) -> int:
    """Bits that must be equal: so many that unrelated codes seldom are, and so few that related ones mostly are."""
    return int(min(20, max(14, 2 * np.ceil(np.log2(max(count, 1)) / 2))))
