"""Heaps whose best picture has all others for its duplicates beyond doubt: most are so, and are judged in arrays.

What is found here is what `groups` would find with what `kinds` would say; whatever is not as plain as that is left to
them: what was not looked at before, what was exposed twice, what only belongs together.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lumina_fs.duplicates.distinct import keys_of
from lumina_fs.duplicates.evidence import KINDS, judged
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
from lumina_fs.duplicates.kinds import DUPLICATES, SAME_PIXELS, in_one_series
from lumina_fs.duplicates.matched import MEMBER, Groups, Members
from lumina_fs.duplicates.originals import Originals, Ranked
from lumina_fs.duplicates.reductions import Keys, taken
from lumina_fs.duplicates.remembered import Remembered
from lumina_fs.duplicates.signatures import Heaps, Positions, Signatures
from lumina_fs.filetypes import RAW_FORMATS

#: The shape of a time to the second, digits as zeros, and how many characters one has at most.
_SECOND, _LONGEST = b"0000-00-00T00:00:00", 26

Flags = NDArray[np.bool_]
Value = TypeVar("Value", bound="str | None")


class Plain(NamedTuple):
    """Groups of which nothing is in doubt, and the pictures that each of their members says something of."""

    groups: Groups
    """Distances are not known here."""
    first: Positions
    """The primary of each member, as a number of a picture."""
    second: Positions
    """The member itself."""


class _Pairs(NamedTuple):
    """The best picture of a heap with each of the others; positions among the pictures of all heaps."""

    first: Positions
    second: Positions
    heap: Positions

    def some(self, which: Flags) -> _Pairs:
        return _Pairs(self.first[which], self.second[which], self.heap[which])


class Stars:
    """Finds them. `keys` are the contents of pictures, `strangers` those that are no duplicates of some."""

    def __init__(self, keys: Keys, originals: Originals, remembered: Remembered, strangers: Iterable[str]) -> None:
        self._keys = keys
        self._originals = originals
        self._remembered = remembered
        self._strangers = keys_of(sorted(strangers)).view("S32")

    def find(self, ranked: Ranked, signatures: Signatures) -> tuple[Plain, Positions]:
        """The stars, and the numbers of the heaps that are none, or may be none."""
        heaps = ranked.heaps
        left = np.ones(max(len(heaps.starts) - 1, 0), bool)
        pairs = _pairs(heaps, signatures)
        pictures = _Recorded(self._originals, ranked.rows)
        keys = taken(self._keys, heaps.pictures)
        digests = self._remembered.pixels(keys)
        same = (digests[pairs.first] >= 0) & (digests[pairs.first] == digests[pairs.second])
        places = self._remembered.places(self._pair_keys(heaps.pictures, pairs))
        how = pictures.exposures(pairs)
        plain = (how >= 0) & (same | (places >= 0) & self._alike(places) & pictures.of_one_sort(pairs))
        if len(self._strangers):
            known = ~np.isin(keys.view("S32"), self._strangers)
            plain &= known[pairs.first] & known[pairs.second]
        doubtful = np.flatnonzero(plain & ~same & pictures.may_follow(pairs, how))
        for at, one, other in zip(doubtful.tolist(), pairs.first[doubtful], pairs.second[doubtful], strict=True):
            both = [self._originals.places(keys[number].tobytes().hex()) for number in (one, other)]
            plain[at] = not in_one_series(*both)
        wrong = np.bincount(pairs.heap[~plain], minlength=len(left)) > 0
        kept = ~wrong[pairs.heap]
        left[pairs.heap[kept]] = False
        pairs = pairs.some(kept)
        first, second = heaps.pictures[pairs.first], heaps.pictures[pairs.second]
        members = self._members(pictures, pairs, same[kept], places[kept], how[kept])
        members["content"] = taken(self._keys, second)
        bounds = np.append(np.flatnonzero(np.diff(pairs.first, prepend=-1)), len(pairs.first))
        groups = Groups(taken(self._keys, first[bounds[:-1]]), bounds, members, [list(SAME_PIXELS.reasons)])
        return Plain(groups, first, second), np.flatnonzero(left)

    def _pair_keys(self, pictures: Positions, pairs: _Pairs) -> NDArray[np.void]:
        keys = np.stack([self._keys[pictures[pairs.first]], self._keys[pictures[pairs.second]]], 1)
        words = keys.view("S32")
        greater = words[:, 0] > words[:, 1]
        keys[greater] = keys[greater, ::-1]
        return np.ascontiguousarray(keys).view("V64")[:, 0]

    def _alike(self, places: Positions) -> Flags:
        seen = self._remembered.seen
        if not len(seen):
            return np.zeros(len(places), bool)
        return np.asarray((seen["alike"][places] != 0) & (seen["contained"][places] != 0))

    def _members(self, pictures: _Recorded, pairs: _Pairs, same: Flags, places: Positions, how: Positions) -> Members:
        """What the second of each pair is to the first, but for its content."""
        seen = np.zeros(len(same), self._remembered.seen.dtype)
        seen[~same] = self._remembered.seen[places[~same]]
        sides = np.stack([side[some] for some in (pairs.first, pairs.second) for side in pictures.sides], 1)
        kinds, confidences, evidence = judged(seen, sides, how.astype(np.uint8))
        evidence[same] = 0  # whatever else was seen of them
        members = np.zeros(len(same), MEMBER)
        members["kind"] = np.where(same, DUPLICATES.index(SAME_PIXELS.kind), _PLACES[kinds])
        members["confidence"] = np.where(same, SAME_PIXELS.confidence, confidences)
        members["said"] = np.where(same, 0, -1)
        members["evidence"] = evidence
        return members


#: Where the kinds that pixels tell apart stand among all duplicates.
_PLACES = np.array([DUPLICATES.index(kind) for kind in KINDS], np.uint8)

#: What two times of exposure may say without a doubt: places in `ONCE`.
_UNKNOWN, _FINE, _ONE_SECOND, _ONE_TIME, _TWO_BODIES, _OTHER_CLOCK = map(
    ONCE.index, (UNKNOWN, ONE_THOUSANDTH, ONE_SECOND, ONE_TIME, TWO_BODIES, OTHER_CLOCK)
)


class _Recorded:
    """What the preferred originals of pictures say, in columns of numbers; -1 for what is not known."""

    def __init__(self, originals: Originals, rows: Positions) -> None:
        columns = originals.columns
        self._originals, self._rows = originals, rows
        formats, named = _numbered(columns.format)
        self._formats, self._raw = formats[rows], np.array([one in RAW_FORMATS for one in named], bool)[formats][rows]
        cameras, models = _numbered(columns.camera)
        self._cameras, self._named = cameras[rows], np.array(list(map(bool, models)), bool)[cameras][rows]
        self._serials, self._offsets = _told(columns.serial)[rows], _told(columns.offset)[rows]
        self._moves = np.array(list(map(bool, columns.duration)), bool)[rows]
        self._moments = _moments([one or "" for one in columns.recorded])[rows]
        self.sides = [np.array([one or 0 for one in column])[rows] for column in (columns.width, columns.height)]

    def of_one_sort(self, pairs: _Pairs) -> Flags:
        """Both stand still or move, and both are RAW files or none is."""
        alike = [of[pairs.first] == of[pairs.second] for of in (self._moves, self._raw)]
        return np.asarray(alike[0] & alike[1])

    def exposures(self, pairs: _Pairs) -> Positions:
        """For each pair the place in `ONCE` of what they are, -1 for all that is less plain."""
        exact = [self._moments[some] for some in (pairs.first, pairs.second)]
        seconds = [one.astype("datetime64[s]").astype(exact[0].dtype) for one in exact]
        fine = (exact[0] != seconds[0]) & (exact[1] != seconds[1])
        apart = np.abs((np.where(fine, exact[0], seconds[0]) - np.where(fine, exact[1], seconds[1])).astype(np.int64))
        one, other = (self._serials[some] for some in (pairs.first, pairs.second))
        camera = self._cameras[pairs.first] == self._cameras[pairs.second]
        camera &= (one == other) | (one < 0) | (other < 0)
        offsets = self._offsets[pairs.first]
        located = (offsets == self._offsets[pairs.second]) & (offsets >= 0)
        cases = (
            (np.isnat(exact[0]) | np.isnat(exact[1]), _UNKNOWN),
            ((apart < np.where(fine, 2000, 1)) & ~(camera & self._named[pairs.first]), _ONE_TIME),
            (apart < np.where(fine, 2000, 1), np.where(fine, _FINE, _ONE_SECOND)),
            (~camera & (apart < 1_000_000), _TWO_BODIES),
            ((apart <= 86_400_000_000) & (apart % 1_800_000_000 == 0) & ~located, _OTHER_CLOCK),
        )
        return np.select([case for case, _ in cases], [number for _, number in cases], -1)

    def may_follow(self, pairs: _Pairs, how: Positions) -> Flags:
        """Pairs of which the names have to be looked at: they may be frames of one series."""
        one, other = pairs.first, pairs.second
        same = (self._cameras[one] == self._cameras[other]) & (self._formats[one] == self._formats[other])
        for side in self.sides:
            same &= side[one] == side[other]
        same &= (how != _FINE) & (how != _UNKNOWN)
        maybe = np.flatnonzero(same)
        first, second = self._folders(one[maybe]), self._folders(other[maybe])
        beside = np.fromiter(map(operator.eq, first, second), bool, len(maybe))
        for some in (one, other):  # copies lie in several folders
            beside |= self._originals.copies(self._rows[some[maybe]]) > 1
        same[maybe] = beside
        return np.asarray(same)

    def _folders(self, pictures: Positions) -> Iterator[str]:
        columns = self._originals.columns
        for row in self._rows[pictures].tolist():
            yield f"{columns.source[row]}:{columns.path[row].rpartition('/')[0]}"


def _moments(recorded: list[str]) -> NDArray[np.datetime64]:
    """Wall times, not-a-time where they are not known to the second."""
    if _ordinary(recorded):
        with contextlib.suppress(ValueError):  # the thirtieth of February
            return np.array(recorded, "datetime64[us]")
    return np.array([moment(one) for one in recorded], "datetime64[us]")


def _ordinary(recorded: list[str]) -> bool:
    """True when numpy reads all as Python does: each is empty, or has a year but 0 and all down to the second."""
    text = "".join(recorded)
    if not text.isascii() or "\0" in text or max(map(len, recorded), default=0) > _LONGEST:
        return False
    marks = np.array(recorded, f"S{_LONGEST}").view(np.uint8).reshape(-1, _LONGEST)
    marks = marks[marks[:, 0] != 0]
    dated = (marks[:, :4] != ord("0")).any(1)
    marks[(marks >= ord("0")) & (marks <= ord("9"))] = ord("0")
    dated &= (marks[:, : len(_SECOND)] == np.frombuffer(_SECOND, np.uint8)).all(1)
    point, first, more = marks[:, len(_SECOND)], marks[:, len(_SECOND) + 1], marks[:, len(_SECOND) + 2 :]
    fraction = (point == ord(".")) & (first == ord("0")) & ((more == 0) | (more == ord("0"))).all(1)
    return bool(np.all(dated & ((point == 0) | fraction)))


def _numbered(values: Sequence[Value]) -> tuple[Positions, list[Value]]:
    """A number for each value, the same for equal ones, and what each number stands for."""
    known = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.fromiter(map(known.__getitem__, values), np.int64, len(values)), list(known)


def _told(values: Sequence[str | None]) -> Positions:
    """The same, -1 for all that say nothing."""
    numbers, known = _numbered(values)
    return np.array([number if one else -1 for number, one in enumerate(known)], np.int64)[numbers]


def _pairs(heaps: Heaps, signatures: Signatures) -> _Pairs:
    """Those of all heaps of which the best picture has all others for its neighbours."""
    sizes = np.diff(heaps.starts)
    heap = np.repeat(np.arange(len(sizes)), sizes)
    of = signatures.of[heaps.pictures]
    distinct = np.unique(heap * len(signatures.phash) + of) // max(len(signatures.phash), 1)
    whole = signatures.degrees[of[heaps.starts[:-1]]] == np.bincount(distinct, minlength=len(sizes)) - 1
    first = np.repeat(heaps.starts[:-1], sizes)
    second = np.flatnonzero(whole[heap] & (np.arange(len(heap)) != first))
    return _Pairs(first[second], second, heap[second])
