"""What is recorded of the originals of many contents: in columns for all at once, as rows for one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from index import contents
from index.contents import Columns, Twin
from lumina_fs.duplicates.keeper import ordered, placed
from lumina_fs.duplicates.signatures import Heaps, Positions

if TYPE_CHECKING:
    from index.postgres import PostgresIndex


class Ranked(NamedTuple):
    """Heaps of two pictures and more, each in the order of preference; `rows`: the best original of each picture."""

    heaps: Heaps
    rows: Positions


class Originals(Mapping[str, list[Twin]]):
    """By content (SHA-256, hex) the present originals that have it, the one that should stay first."""

    def __init__(self, columns: Columns | None = None) -> None:
        self.columns = columns or Columns(*([] for _ in Columns._fields))
        numbers: dict[str, int] = {}
        of = np.array([numbers.setdefault(sha256, len(numbers)) for sha256 in self.columns.sha256], np.int64)
        self._numbers = numbers
        self._of = of
        self._order = np.argsort(of, kind="stable")
        self._counts = np.bincount(of, minlength=len(numbers))
        self._starts = np.append(0, np.cumsum(self._counts))
        nothing = [None] * len(of)
        self._fields: list[Sequence[Any]] = [getattr(self.columns, name, nothing) for name in Twin._fields]
        self._made: dict[str, list[Twin]] = {}

    @classmethod
    def read(cls, index: PostgresIndex, wanted: Sequence[str]) -> Originals:
        """Those of these contents. Raises IndexUnavailable."""
        return cls(contents.columns(index, wanted))

    def __getitem__(self, sha256: str) -> list[Twin]:
        made = self._made.get(sha256)
        if made is None:
            made = self._made[sha256] = ordered(map(self._twin, self._rows(sha256)))
        return made

    def _rows(self, sha256: str) -> list[int]:
        number = self._numbers[sha256]
        rows: list[int] = self._order[self._starts[number] : self._starts[number + 1]].tolist()
        return rows

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def places(self, sha256: str) -> list[tuple[str, str]]:
        """(source, path) of all that have this content."""
        return [(self.columns.source[row], self.columns.path[row]) for row in self._rows(sha256)]

    def sides(self, sha256: str) -> tuple[int | None, int | None]:
        """Width and height of the one that should stay."""
        found = {(self.columns.width[row], self.columns.height[row]) for row in self._rows(sha256)}
        return found.pop() if len(found) == 1 else (self[sha256][0].width, self[sha256][0].height)

    def copies(self, rows: Positions) -> Positions:
        """How many originals have the contents of these rows."""
        return np.asarray(self._counts[self._of[rows]])

    def ranked(self, heaps: Heaps, names: Sequence[str]) -> Ranked:
        """Heaps of pictures with these contents by preference; those that no original has any more are left out."""
        named = map(names.__getitem__, heaps.pictures.tolist())
        numbers = np.fromiter(map(self._numbers.get, named, itertools.repeat(-1)), np.int64, len(heaps.pictures))
        counts = np.append(self._counts, 0)[numbers]
        which = np.repeat(np.arange(len(numbers)), counts)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self._order[self._starts[numbers[which]] + nth]
        heap = np.repeat(np.arange(len(heaps.starts) - 1), np.diff(heaps.starts))[which]
        order = self._by_preference(heap, rows)
        _, first = np.unique(which[order], return_index=True)
        kept = order[np.sort(first)]
        sizes = np.bincount(heap[kept], minlength=len(heaps.starts) - 1)
        kept = kept[sizes[heap[kept]] > 1]
        starts = np.concatenate([[0], np.cumsum(sizes[sizes > 1])]).astype(np.int64)
        return Ranked(Heaps(heaps.pictures[which[kept]], starts), rows[kept])

    def _by_preference(self, heap: Positions, rows: Positions) -> Positions:
        """The order of rows within their heaps: by quality, which tells most apart, and then by all the rest."""
        known = np.array(self.columns.quality, np.float64)[rows]
        quality = -np.where(np.isnan(known), -1.0, known)
        order = np.lexsort((quality, heap))
        heap, quality = heap[order], quality[order]
        new = np.ones(len(order) + 1, bool)
        new[1:-1] = (heap[1:] != heap[:-1]) | (quality[1:] != quality[:-1])
        starts = np.flatnonzero(new)
        for run in np.flatnonzero(np.diff(starts) > 1).tolist():
            start, end = starts[run : run + 2].tolist()
            order[start:end] = sorted(order[start:end].tolist(), key=lambda at: self._placed(int(rows[at])))
        return order

    def _placed(self, row: int) -> tuple[object, ...]:
        columns = self.columns
        return placed(columns.taken[row], columns.path[row], columns.source[row])

    def _twin(self, row: int) -> Twin:
        return Twin._make([column[row] for column in self._fields])
