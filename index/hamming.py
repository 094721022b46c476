"""All pairs of 64-bit codes within a Hamming radius, exactly, and codes that are alike in some of their bits.

Cut the codes into parts: two codes within the radius agree in at least one part up to a few bits (the pigeonhole
principle), so it is enough to look into the buckets of each part whose number differs by so few. After: Norouzi,
Punjani and Fleet, "Fast search in Hamming space with multi-index hashing", 2012. FAISS answers one against all (see
`vectors`); for all against all this is a hundred times faster than its flat index, and misses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]
Positions = NDArray[np.int64]
Asked = NDArray[np.bool_]
_Pairs = Iterator[tuple[Positions, Positions]]

#: The largest radius that is searched exactly; beyond it buckets grow faster than anybody waits.
LARGEST_RADIUS = 16
#: Candidates that are compared at once: what bounds the memory.
_AT_ONCE = 1 << 20
#: Where fewer than one of so many codes is asked for, buckets are searched for instead of all being counted.
_SELDOM = 100
#: A factor that spreads any bits over any number of buckets: odd, and without a pattern (Knuth).
SPREAD = 0x9E3779B97F4A7C15


def near_pairs(codes: Codes, radius: int, asked: Asked | None = None) -> tuple[Positions, Positions]:
    """Positions i < j of all pairs at most `radius` bits apart, in order; of all with one that is `asked` for.

    The codes must be distinct. Raises ValueError for a radius that is not searched.
    """
    if not 0 <= radius <= LARGEST_RADIUS:
        raise ValueError(f"a radius is 0 to {LARGEST_RADIUS} bits")
    count = len(codes)
    found = [np.empty(0, np.int64)]
    codes = _dealt(codes)
    for part, allowed in _parts(radius):
        table = _Buckets(codes, *part)
        asking = None if asked is None else np.flatnonzero(asked.take(table.order))
        for mask in _masks(part[1], allowed):
            for left, right in table.neighbours(mask) if asking is None else table.beside(asking, mask):
                near = np.flatnonzero(np.bitwise_count(table.codes.take(left) ^ table.codes.take(right)) <= radius)
                one, other = table.order.take(left.take(near)), table.order.take(right.take(near))
                found.append(np.minimum(one, other) * count + np.maximum(one, other))
    pairs = np.unique(np.concatenate(found))
    return pairs // max(count, 1), pairs % max(count, 1)


class Band(NamedTuple):
    """Some bits of a code as the number of a bucket: the upper `bits` of what `mask` leaves, times `factor`."""

    mask: int
    factor: int
    bits: int

    def buckets(self, codes: Codes) -> Positions:
        """The bucket of each code: the same for those that are equal under the mask."""
        found = codes & np.uint64(self.mask)
        found *= np.uint64(self.factor)
        found >>= np.uint64(64 - self.bits)
        return found.view(np.int64)


class Bands:
    """Codes of two words in buckets, by each of some bands of the first word.

    What is asked one after the other lies side by side: waiting for the memory is most of the time.
    """

    def __init__(self, codes: Codes, beside: Codes, bands: Sequence[Band], limit: int) -> None:
        self._codes, self._beside = codes, beside
        self._tables = [_Table(codes, beside, band, limit) for band in bands]

    def crowded(self) -> list[Positions]:
        """For each band the buckets of more than `limit` codes."""
        return [table.crowded for table in self._tables]

    def near(self, asked: Codes, beside: Codes, radius: int) -> _Pairs:
        """(query, code) positions, piece by piece, of those in one bucket with both words together within the radius.

        A pair may come more than once. Buckets of more than `limit` codes say nothing, and are left out.
        """
        for table in self._tables:
            yield from table.near(asked, beside, radius)

    def among(self, radius: int) -> _Pairs:
        """The same among the codes, each pair one way round: all that they would get if they were asked themselves."""
        for table in self._tables:
            yield from table.among(radius)

    def only(self, some: Positions) -> Excerpt:
        """Another way to find those pairs whose codes are at these positions: quicker where these are few."""
        most = max(12, len(some).bit_length() + 2)
        tables = []
        for whole in self._tables:
            telling = some[~np.isin(whole.band.buckets(self._codes[some]), whole.crowded)]
            band = Band(whole.band.mask, SPREAD, min(whole.band.bits, most))
            few = _Table(self._codes[telling], self._beside[telling], band, max(1, len(telling)))
            tables.append((few, whole.band, telling))
        return Excerpt(self._codes, tables)


class Excerpt:
    """Some codes of `Bands`, in buckets that are as few as they are. What is asked mostly finds an empty one.

    For each band there are a table of them, the band of all, and which codes the table holds: none of a crowd.
    """

    def __init__(self, codes: Codes, tables: Sequence[tuple[_Table, Band, Positions]]) -> None:
        self._codes, self._tables = codes, tables

    def near(self, asked: Codes, beside: Codes, radius: int) -> _Pairs:
        """As `Bands.near`, with the positions that the codes have there."""
        for table, band, some in self._tables:
            for query, code in table.near(asked, beside, radius):
                found = some.take(code)
                same = np.flatnonzero(band.buckets(asked.take(query)) == band.buckets(self._codes.take(found)))
                yield query.take(same), found.take(same)


class _Table:
    """Codes in buckets by one band of their first words."""

    def __init__(self, codes: Codes, beside: Codes, band: Band, limit: int) -> None:
        self.band = band
        self._count = int(limit).bit_length()
        keys = band.buckets(codes)
        starts = _starts(keys, band.bits)
        sizes = np.diff(starts)
        self.crowded = np.flatnonzero(sizes > limit)
        sizes[self.crowded] = 0
        buckets: NDArray[Any] = starts[:-1] << self._count | sizes
        narrow = np.int32 if len(codes) < 1 << (31 - self._count) else np.int64
        self._order = _sorted(keys)
        self._buckets: NDArray[Any] = buckets.astype(narrow)
        self._codes, self._beside = codes[self._order], beside[self._order]

    def near(self, asked: Codes, beside: Codes, radius: int) -> _Pairs:
        """What `Bands.near` gives of this band."""
        found = self._buckets.take(self.band.buckets(asked), mode="clip")
        left = found & found.dtype.type((1 << self._count) - 1)
        asking = np.flatnonzero(left != 0)
        left, words = left.take(asking, mode="clip"), beside.take(asking, mode="clip")
        at = (found.take(asking, mode="clip") >> self._count).astype(np.int64)
        while len(asking):  # the next code of each bucket that has one
            # the second word first: what shares bits of the first one by chance is seldom near in that one too
            apart = np.bitwise_count(self._beside.take(at, mode="clip") ^ words)
            near = np.flatnonzero(apart <= radius)
            query, code = asking.take(near), at.take(near)
            apart = apart.take(near) + np.bitwise_count(self._codes.take(code) ^ asked.take(query))
            close = np.flatnonzero(apart <= radius)
            yield query.take(close), self._order.take(code.take(close))
            more = np.flatnonzero(left > 1)
            asking, left = asking.take(more, mode="clip"), left.take(more, mode="clip") - 1
            words, at = words.take(more, mode="clip"), at.take(more, mode="clip") + 1

    def among(self, radius: int) -> _Pairs:
        """What `Bands.among` gives of this band: in the order of the buckets, so that nobody waits for the memory."""
        sizes = self._buckets & ((1 << self._count) - 1)
        shared = np.flatnonzero(sizes > 1)
        first = (self._buckets[shared] >> self._count).astype(np.int64)
        ends = first + sizes[shared]
        for bucket, one in _expanded(first, ends):
            for which, other in _expanded(one + 1, ends[bucket]):
                mine = one[which]
                apart = np.bitwise_count(self._beside.take(mine) ^ self._beside.take(other))
                near = np.flatnonzero(apart <= radius)
                mine, other = mine.take(near), other.take(near)
                apart = apart.take(near) + np.bitwise_count(self._codes.take(mine) ^ self._codes.take(other))
                close = np.flatnonzero(apart <= radius)
                yield self._order.take(mine.take(close)), self._order.take(other.take(close))


def _parts(radius: int) -> list[tuple[tuple[int, int], int]]:
    """((shift, bits), bits that may differ there) for each part: together they leave nothing within the radius out."""
    count = 3 if radius <= 5 else 4 if radius <= 11 else 5
    cuts = [64 * part // count for part in range(count + 1)]
    allowed, rest = divmod(radius, count)
    parts = [((cuts[p], cuts[p + 1] - cuts[p]), allowed if p <= rest else allowed - 1) for p in range(count)]
    return [part for part in parts if part[1] >= 0]


def _dealt(codes: Codes) -> Codes:
    """The codes with every third bit beside each other: they are as far apart, but in other parts.

    In a code whose neighbouring bits are alike, a part of such bits would say less, and find more that is not near.
    """
    dealt = np.zeros(len(codes), np.uint64)
    for byte, places in enumerate(_DEALT):
        dealt |= places.take((codes >> np.uint64(8 * byte) & np.uint64(255)).view(np.int64), mode="clip")
    return dealt


def _places() -> NDArray[np.uint64]:
    """For each byte of a code what each of its values becomes."""
    order = sorted(range(64), key=lambda bit: (bit % 3, bit))
    values = np.arange(256, dtype=np.uint64)
    found = np.zeros((8, 256), np.uint64)
    for place, bit in enumerate(order):
        found[bit // 8] |= (values >> np.uint64(bit % 8) & np.uint64(1)) << np.uint64(place)
    return found


_DEALT = _places()


def _masks(bits: int, radius: int) -> list[int]:
    return [sum(1 << bit for bit in some) for size in range(radius + 1) for some in combinations(range(bits), size)]


def _part(codes: Codes, shift: int, bits: int) -> NDArray[np.int64]:
    part = codes >> np.uint64(shift)
    part &= np.uint64((1 << bits) - 1)
    return part.view(np.int64)  # the highest bit is never set


def _sorted(keys: Positions) -> Positions:
    """The stable order of numbers below 2 ** 32: numpy sorts 16 bits by counting, which is quicker than comparing."""
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    return order.take(np.argsort((keys >> 16).astype(np.uint16).take(order), kind="stable"))


def _starts(keys: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Where each bucket starts among the sorted keys; one more at the end."""
    start = np.zeros((1 << bits) + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=1 << bits), out=start[1:])
    return start


class _Buckets:
    """Codes sorted by one part."""

    def __init__(self, codes: Codes, shift: int, bits: int) -> None:
        keys = _part(codes, shift, bits)
        self.order = _sorted(keys)
        self.keys = keys[self.order].astype(np.int32)
        self.codes = codes[self.order]
        self._unordered, self._bits = keys, bits

    @cached_property
    def start(self) -> Positions:
        """Where each bucket starts; one more at the end."""
        return _starts(self._unordered, self._bits)

    @cached_property
    def full(self) -> NDArray[np.bool_]:
        """The buckets that hold anything."""
        return np.asarray(np.diff(self.start) > 0)

    def neighbours(self, mask: int) -> _Pairs:
        """Sorted positions of codes whose parts differ by exactly `mask`, each unordered pair once, piece by piece."""
        if mask:
            # of two the lesser asks: the one that lacks the highest bit of the mask
            asking = np.flatnonzero(self.keys & np.int32(1 << (mask.bit_length() - 1)) == 0)
            other = self.keys.take(asking) ^ np.int32(mask)
            some = np.flatnonzero(self.full.take(other))
            asking, other = asking.take(some), other.take(some)
            low, high = self.start.take(other), self.start.take(other + 1)
        else:
            low, high = np.arange(1, len(self.keys) + 1), self.start[self.keys + 1]
            asking = np.flatnonzero(high > low)
            low, high = low[asking], high[asking]
        for at, positions in _expanded(low, high):
            yield asking.take(at), positions

    def beside(self, asking: Positions, mask: int) -> _Pairs:
        """(one, other) sorted positions of these codes and of all whose parts differ from theirs by exactly `mask`."""
        part = self.keys.take(asking) ^ np.int32(mask)
        if len(asking) * _SELDOM < len(self.keys):
            low, high = np.searchsorted(self.keys, part), np.searchsorted(self.keys, part, "right")
        else:
            low, high = self.start.take(part), self.start.take(part + 1)
        for at, positions in _expanded(low, high):
            one = asking.take(at)
            another = np.flatnonzero(one != positions)
            yield one.take(another), positions.take(another)


def _expanded(low: Positions, high: Positions) -> _Pairs:
    """(which range, position in it) for every position of the ranges low..high, piece by piece."""
    counts = high - low
    ends = np.cumsum(counts)
    first = 0
    while first < len(counts):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _AT_ONCE, "right")))
        sizes = counts[first:last]
        which = np.repeat(np.arange(first, last), sizes)
        yield which, np.arange(len(which)) + np.repeat(low[first:last] - (ends[first:last] - sizes - before), sizes)
        first = last
