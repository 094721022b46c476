"""What cameras recorded of many pictures, in columns of numbers, and what that says of pairs of them."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.columns import Columns, Texts
from lumina_fs.duplicates.exposures import (
    ONCE,
    ONE_SECOND,
    ONE_THOUSANDTH,
    ONE_TIME,
    OTHER_CLOCK,
    TWO_BODIES,
    UNKNOWN,
    moment,
)
from lumina_fs.duplicates.originals import Originals
from lumina_fs.duplicates.signatures import Positions
from lumina_fs.filetypes import RAW_FORMATS

#: The shape of a time to the second, digits as zeros, and how many characters one has at most.
_SECOND, _LONGEST = b"0000-00-00T00:00:00", 26

Flags = NDArray[np.bool_]

#: What two times of exposure may say without a doubt: places in `ONCE`.
_UNKNOWN, _FINE, _ONE_SECOND, _ONE_TIME, _TWO_BODIES, _OTHER_CLOCK = map(
    ONCE.index, (UNKNOWN, ONE_THOUSANDTH, ONE_SECOND, ONE_TIME, TWO_BODIES, OTHER_CLOCK)
)


class Pairs(NamedTuple):
    """The best picture of a heap with each of the others; positions among the pictures of all heaps."""

    first: Positions
    second: Positions
    heap: Positions

    def some(self, which: Flags) -> Pairs:
        """Those of which this is true."""
        return Pairs(self.first[which], self.second[which], self.heap[which])


class Recorded:
    """What the preferred originals of pictures say, in columns of numbers."""

    def __init__(self, originals: Originals, rows: Positions) -> None:
        columns = originals.columns
        self._originals, self._rows = originals, rows
        self._formats, self._cameras = columns.formats[rows], columns.cameras[rows]
        self._raw = _raw(columns, rows)
        self._named = columns.camera.lengths[rows] > 0
        self._serials, self._offsets = (
            np.where(texts.lengths[rows] > 0, numbers[rows], 0)
            for texts, numbers in ((columns.serial, columns.serials), (columns.offset, columns.offsets))
        )
        self._moves = np.nan_to_num(columns.duration[rows]) != 0
        self._moments = moments(columns.recorded, rows)
        self.sides = [columns.width[rows], columns.height[rows]]

    def of_one_sort(self, pairs: Pairs) -> Flags:
        """Both stand still or move, and both are RAW files or none is."""
        alike = [of[pairs.first] == of[pairs.second] for of in (self._moves, self._raw)]
        return np.asarray(alike[0] & alike[1])

    def exposures(self, pairs: Pairs) -> Positions:
        """For each pair the place in `ONCE` of what they are, -1 for all that is less plain."""
        exact = [self._moments[some] for some in (pairs.first, pairs.second)]
        seconds = [one.astype("datetime64[s]").astype(exact[0].dtype) for one in exact]
        fine = (exact[0] != seconds[0]) & (exact[1] != seconds[1])
        apart = np.abs((np.where(fine, exact[0], seconds[0]) - np.where(fine, exact[1], seconds[1])).astype(np.int64))
        one, other = (self._serials[some] for some in (pairs.first, pairs.second))
        camera = self._cameras[pairs.first] == self._cameras[pairs.second]
        camera &= (one == other) | (one == 0) | (other == 0)
        offsets = self._offsets[pairs.first]
        located = (offsets == self._offsets[pairs.second]) & (offsets != 0)
        cases = (
            (np.isnat(exact[0]) | np.isnat(exact[1]), _UNKNOWN),
            ((apart < np.where(fine, 2000, 1)) & ~(camera & self._named[pairs.first]), _ONE_TIME),
            (apart < np.where(fine, 2000, 1), np.where(fine, _FINE, _ONE_SECOND)),
            (~camera & (apart < 1_000_000), _TWO_BODIES),
            ((apart <= 86_400_000_000) & (apart % 1_800_000_000 == 0) & ~located, _OTHER_CLOCK),
        )
        return np.select([case for case, _ in cases], [number for _, number in cases], -1)

    def may_follow(self, pairs: Pairs, how: Positions) -> Flags:
        """Pairs of which the names have to be looked at: they may be frames of one series."""
        one, other = pairs.first, pairs.second
        same = (self._cameras[one] == self._cameras[other]) & (self._formats[one] == self._formats[other])
        for side in self.sides:
            same &= side[one] == side[other]
        same &= (how != _FINE) & (how != _UNKNOWN)
        maybe = np.flatnonzero(same)
        one, other = self._rows[one[maybe]], self._rows[other[maybe]]
        # without the source, so that more may seem to lie in one folder
        folders = self._originals.columns.path.heads(np.concatenate([one, other]), "/")
        numbers = np.arange(len(one))
        beside = folders.alike(numbers, numbers + len(one), unsure=True)
        for some in (one, other):  # copies lie in several folders
            beside |= self._originals.copies(some) > 1
        same[maybe] = beside
        return np.asarray(same)


def _raw(columns: Columns, rows: Positions) -> Flags:
    """True for RAW files."""
    _, first, which = np.unique(columns.formats[rows], return_index=True, return_inverse=True)
    return np.array([one in RAW_FORMATS for one in columns.format.some(rows[first])], bool)[which]


def moments(recorded: Texts, rows: Positions) -> NDArray[np.datetime64]:
    """Wall times, not-a-time where they are not known to the second."""
    text = recorded.fixed(rows, _LONGEST)
    if _ordinary(text, recorded.lengths[rows]):
        with contextlib.suppress(ValueError):  # the thirtieth of February
            return text.view(f"S{_LONGEST}")[:, 0].astype("datetime64[us]")
    return np.array([moment(one) for one in recorded.some(rows)], "datetime64[us]")


def _ordinary(text: NDArray[np.uint8], lengths: Positions) -> bool:
    """True when numpy reads all as Python does: each is empty, or has a year but 0 and all down to the second."""
    if np.any(lengths > _LONGEST):
        return False
    marks = text[lengths > 0]
    dated = (marks[:, :4] != ord("0")).any(1)
    marks[(marks >= ord("0")) & (marks <= ord("9"))] = ord("0")
    dated &= (marks[:, : len(_SECOND)] == np.frombuffer(_SECOND, np.uint8)).all(1)
    point, first, more = marks[:, len(_SECOND)], marks[:, len(_SECOND) + 1], marks[:, len(_SECOND) + 2 :]
    fraction = (point == ord(".")) & (first == ord("0")) & ((more == 0) | (more == ord("0"))).all(1)
    return bool(np.all(dated & ((point == 0) | fraction)))
