"""Heaps whose best picture has all others for its duplicates beyond doubt: most are so, and are judged in arrays.

What is found here is what `groups` would find with what `kinds` would say; whatever is not as plain as that is left to
them: what was not looked at before, what was exposed twice, what only belongs together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.parts import keys_of
from lumina_fs.duplicates.evidence import KINDS, judged
from lumina_fs.duplicates.kinds import DUPLICATES, SAME_PIXELS, in_one_series
from lumina_fs.duplicates.matched import MEMBER, Groups, Members
from lumina_fs.duplicates.originals import Originals, Ranked
from lumina_fs.duplicates.recorded import Flags, Pairs, Recorded
from lumina_fs.duplicates.reductions import Keys, taken
from lumina_fs.duplicates.remembered import Remembered
from lumina_fs.duplicates.signatures import Heaps, Positions, Signatures


class Plain(NamedTuple):
    """Groups of which nothing is in doubt, and the pictures that each of their members says something of."""

    groups: Groups
    """Distances are not known here."""
    first: Positions
    """The primary of each member, as a number of a picture."""
    second: Positions
    """The member itself."""


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
        pictures = Recorded(self._originals, ranked.rows)
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
        lying = [self._originals.places(ranked.rows[some[doubtful]]) for some in (pairs.first, pairs.second)]
        plain[doubtful] = [not in_one_series(one, other) for one, other in zip(*lying, strict=True)]
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

    def _pair_keys(self, pictures: Positions, pairs: Pairs) -> NDArray[np.void]:
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

    def _members(self, pictures: Recorded, pairs: Pairs, same: Flags, places: Positions, how: Positions) -> Members:
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


def _pairs(heaps: Heaps, signatures: Signatures) -> Pairs:
    """Those of all heaps of which the best picture has all others for its neighbours."""
    sizes, count = np.diff(heaps.starts), len(signatures.phash)
    heap = np.repeat(np.arange(len(sizes)), sizes)
    of = signatures.of[heaps.pictures]
    ordered = np.sort(heap * count + of)
    distinct = heap[np.diff(ordered, prepend=-1) > 0]  # in order, heaps are where they were
    there = np.zeros(count, bool)  # pictures may be gone since their neighbours were looked for
    there[of] = True
    one, other = signatures.pairs
    degrees = np.bincount(np.concatenate([one[there[other]], other[there[one]]]), minlength=count)
    whole = degrees[of[heaps.starts[:-1]]] == np.bincount(distinct, minlength=len(sizes)) - 1
    first = np.repeat(heaps.starts[:-1], sizes)
    second = np.flatnonzero(whole[heap] & (np.arange(len(heap)) != first))
    return Pairs(first[second], second, heap[second])
