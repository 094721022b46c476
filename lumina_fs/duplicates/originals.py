"""What is recorded of the originals of many contents: in columns for all at once, as rows for one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from index.columns import NOTHING, Columns, columns
from index.contents import Twin
from index.parts import keys_of
from lumina_fs.duplicates.distinct import hexadecimal
from lumina_fs.duplicates.keeper import ordered, placed
from lumina_fs.duplicates.reductions import Keys, places, side_by_side, taken
from lumina_fs.duplicates.signatures import Heaps, Positions, ranges

if TYPE_CHECKING:
    from index.postgres import PostgresIndex


class Ranked(NamedTuple):
    """Heaps of two pictures and more, each in the order of preference; `rows`: the best original of each picture."""

    heaps: Heaps
    rows: Positions


class Originals(Mapping[str, list[Twin]]):
    """By content (SHA-256, hex) the present originals that have it, the one that should stay first."""

    def __init__(self, found: Columns = NOTHING) -> None:
        self.columns = found
        self._order, self._starts = side_by_side(found.sha256)
        self._counts = np.diff(self._starts)
        self._keys = taken(found.sha256, self._order[self._starts[:-1]])
        self._of = np.empty(len(self._order), np.int64)
        self._of[self._order] = np.repeat(np.arange(len(self._keys)), self._counts)
        self._made: dict[str, list[Twin]] = {}

    @classmethod
    def read(cls, index: PostgresIndex, wanted: Keys) -> Originals:
        """Those of these contents, and maybe a few others. Raises IndexUnavailable."""
        return cls(columns(index, wanted))

    def __getitem__(self, sha256: str) -> list[Twin]:
        if sha256 not in self._made:
            self.make([sha256])
        return self._made[sha256]

    def make(self, contents: Iterable[str]) -> None:
        """Make the rows of these contents at once, which takes much less than one after the other."""
        names = [sha256 for sha256 in dict.fromkeys(contents) if sha256 not in self._made]
        numbers = places(self._keys, keys_of(names))
        rows, counts = self._rows(numbers[numbers >= 0])
        made = self.columns.twins(rows)
        for at, count in zip(np.flatnonzero(numbers >= 0).tolist(), counts, strict=True):
            self._made[names[at]] = ordered(itertools.islice(made, count))

    def _rows(self, numbers: Positions) -> tuple[Positions, list[int]]:
        """The rows of contents with these numbers, one after the other, and how many each has."""
        counts = self._counts[numbers]
        return self._order[ranges(self._starts[numbers], counts)], counts.tolist()

    def __contains__(self, sha256: object) -> bool:
        return isinstance(sha256, str) and self.get(sha256) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(hexadecimal(self._keys))

    def __len__(self) -> int:
        return len(self._keys)

    def places(self, rows: Positions) -> Iterator[list[tuple[str, str]]]:
        """For each of these rows (source, path) of all originals that have its content."""
        mine, counts = self._rows(self._of[rows])
        found = zip(self.columns.source.some(mine), self.columns.path.some(mine), strict=True)
        for count in counts:
            yield list(itertools.islice(found, count))

    def sides(self, keys: Keys) -> Positions:
        """(n, 2) width and height of the one that should stay, 0 where they are not known, -1 where there is none."""
        numbers = places(self._keys, keys)
        found = np.full((len(keys), 2), -1, np.int64)
        there = np.flatnonzero(numbers >= 0)
        rows, counts = self._rows(numbers[there])
        sides = np.stack([self.columns.width[rows], self.columns.height[rows]], 1)
        starts = np.cumsum([0, *counts], dtype=np.int64)[:-1]
        found[there] = sides[starts]
        alike = (sides == np.repeat(sides[starts], counts, axis=0)).all(1)
        for at in there[~np.logical_and.reduceat(alike, starts)].tolist() if len(starts) else ():
            best = self[keys[at].tobytes().hex()][0]
            found[at] = best.width or 0, best.height or 0
        return found

    def copies(self, rows: Positions) -> Positions:
        """How many originals have the contents of these rows."""
        return np.asarray(self._counts[self._of[rows]])

    def ranked(self, heaps: Heaps, keys: Keys) -> Ranked:
        """Heaps of pictures with these contents by preference; those that no original has any more are left out."""
        numbers = np.full(len(keys), -1, np.int64)
        numbers[heaps.pictures] = 0
        asked = np.flatnonzero(numbers == 0)
        numbers[asked] = places(self._keys, taken(keys, asked))
        numbers = numbers[heaps.pictures]
        counts = np.append(self._counts, 0)[numbers]
        which = np.repeat(np.arange(len(numbers)), counts)
        rows = self._order[ranges(self._starts[numbers], counts)]
        heap = np.repeat(np.arange(len(heaps.starts) - 1), np.diff(heaps.starts))[which]
        order = self._by_preference(heap, rows)
        _, first = np.unique(which[order], return_index=True)
        kept = order[np.sort(first)]
        sizes = np.bincount(heap[kept], minlength=len(heaps.starts) - 1)
        kept = kept[sizes[heap[kept]] > 1]
        starts = np.concatenate([[0], np.cumsum(sizes[sizes > 1])]).astype(np.int64)
        return Ranked(Heaps(heaps.pictures[which[kept]], starts), rows[kept])

    def _by_preference(self, heap: Positions, rows: Positions) -> Positions:
        """The order of rows within their heaps: by quality, which tells most apart, and then by all the rest.

        Copies of one content that say the same are in any order, where nothing else has their quality.
        """
        known = self.columns.quality[rows]
        quality = -np.where(np.isnan(known), np.float32(-1.0), known)
        order = np.lexsort((quality, heap))
        heap, quality = heap[order], quality[order]
        new = np.ones(len(order) + 1, bool)
        new[1:-1] = (heap[1:] != heap[:-1]) | (quality[1:] != quality[:-1])
        tied = np.flatnonzero(~(new[:-1] & new[1:]))
        run = np.cumsum(new[:-1])[tied]
        tied, run = self._unsettled(tied, run, rows[order[tied]])
        asked = rows[order[tied]]
        texts = [column.some(asked) for column in (self.columns.taken, self.columns.path, self.columns.source)]
        ranks = [(number, *placed(*said)) for number, *said in zip(run.tolist(), *texts, strict=True)]
        order[tied] = order[tied[sorted(range(len(ranks)), key=ranks.__getitem__)]]
        return order

    def _unsettled(self, tied: Positions, run: Positions, rows: Positions) -> tuple[Positions, Positions]:
        """Those of runs that hold several contents, or copies of which one says something else than the first."""
        begins = np.diff(run, prepend=-1) > 0
        starts, more = np.flatnonzero(begins), np.flatnonzero(~begins)
        first = np.repeat(starts, np.diff(np.append(starts, len(run))) - 1)
        other = self._of[rows[more]] != self._of[rows[first]]
        other[~other] = ~self.columns.alike(rows[more[~other]], rows[first[~other]])
        open_ones = np.isin(run, run[more[other]])
        return tied[open_ones], run[open_ones]
