"""Which reduced pictures are equal to the byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lumina_fs.duplicates.reductions import Reductions
from lumina_fs.duplicates.signatures import Heaps, Positions, Words
from lumina_fs.duplicates.views import COUNT

_GRAYS_AT_ONCE = 4096

Flags = NDArray[np.bool_]


def crowd(pictures: Positions) -> Heaps:
    """One crowd of these pictures."""
    return Heaps(pictures, np.array([0, len(pictures)]) if len(pictures) else np.zeros(1, np.int64))


def equal(reductions: Reductions, at: Positions, crowds: Heaps, settled: Flags | None = None) -> list[list[int]]:
    """Sets of pictures of one crowd whose reduced pictures are equal to the byte.

    `settled`: for each picture whether nothing needs to be known of it. Sets of such alone may be left out.
    """
    which = np.repeat(np.arange(len(crowds.starts) - 1), np.diff(crowds.starts))
    found: dict[tuple[int, bytes], list[int]] = {}
    open_ones = np.ones(len(which), bool) if settled is None else ~settled[crowds.pictures]
    # equal pictures have equal views, which are smaller, and were read just now
    maybe = _repeated(which, _marks(reductions, at[crowds.pictures]), open_ones)
    maybe = maybe[np.argsort(at[crowds.pictures[maybe]])]  # what lies side by side is sooner read
    for start in range(0, len(maybe), _GRAYS_AT_ONCE):
        piece = maybe[start : start + _GRAYS_AT_ONCE]
        numbers = crowds.pictures[piece]
        grays = reductions.gray(at[numbers])
        for one, number, gray in zip(which[piece].tolist(), numbers.tolist(), grays, strict=True):
            found.setdefault((one, gray.tobytes()), []).append(number)
    return sorted(sorted(same) for same in found.values() if len(same) > 1)


def _marks(reductions: Reductions, at: Positions) -> Words:
    """A number for each picture, the same for those with the same views."""
    factors = np.random.default_rng(0).integers(0, 1 << 64, 2 * COUNT, np.uint64) | np.uint64(1)
    found = np.empty(len(at), np.uint64)
    order = np.argsort(at)
    for start in range(0, len(at), _GRAYS_AT_ONCE):
        piece = order[start : start + _GRAYS_AT_ONCE]
        codes = np.concatenate(reductions.views(at[piece]), 1)
        found[piece] = (codes * factors).sum(1, np.uint64)
    return found


def _repeated(one: Positions, other: Words, open_ones: Flags) -> Positions:
    """Where both numbers are those of another place too, and one of these places is open."""
    order = np.lexsort((other, one))
    new = np.ones(len(order), bool)
    new[1:] = (one[order][1:] != one[order][:-1]) | (other[order][1:] != other[order][:-1])
    run = np.cumsum(new) - 1
    wanted = (np.bincount(run) > 1) & (np.bincount(run, open_ones[order]) > 0)
    return np.sort(order[wanted[run]])
