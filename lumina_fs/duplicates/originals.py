"""What is recorded of the originals of many contents: in columns for all at once, as rows for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index import contents
from index.contents import Columns, Twin
from lumina_fs.duplicates.candidates import Heaps, Positions
from lumina_fs.duplicates.keeper import ordered, placed

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
        self._order = np.argsort(of, kind="stable")
        self._starts = np.searchsorted(of[self._order], np.arange(len(numbers) + 1))
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

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def places(self, sha256: str) -> list[tuple[str, str]]:
        """(source, path) of all that have this content."""
        return [(self.columns.source[row], self.columns.path[row]) for row in self._rows(sha256)]

    def copies(self, sha256s: Sequence[str]) -> NDArray[np.int64]:
        """How many originals have each of these contents."""
        counts = np.append(np.diff(self._starts), 0)
        return np.asarray(counts[[self._numbers.get(sha256, -1) for sha256 in sha256s]], np.int64)

    def ranked(self, heaps: Heaps, names: Sequence[str]) -> Ranked:
        """Heaps of pictures with these contents by preference; those that no original has any more are left out."""
        numbers = np.array([self._numbers.get(names[one], -1) for one in heaps.pictures.tolist()], np.int64)
        counts = np.append(np.diff(self._starts), 0)[numbers]
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
        columns: Iterable[tuple[str, Sequence[Any]]] = zip(Columns._fields, self.columns, strict=True)
        values: dict[str, Any] = {name: column[row] for name, column in columns}
        return Twin(parts=None, **values)
