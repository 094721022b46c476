"""Which appeared file is which vanished original: same content, same name first, then the nearest folder."""

from __future__ import annotations

import os
from collections.abc import Sequence


def pair(lost: Sequence[str], appeared: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs (lost path, appeared path) of files that all have one content; what is left over is not paired."""
    left = sorted(appeared)
    pairs: list[tuple[str, str]] = []
    for same_name in (True, False):
        for old in sorted(set(lost) - {old for old, _ in pairs}):
            choices = [new for new in left if not same_name or os.path.basename(new) == os.path.basename(old)]
            if choices:
                best = min(choices, key=lambda new: (distance(old, new), new))
                left.remove(best)
                pairs.append((old, best))
    return pairs


def distance(one: str, other: str) -> int:
    """Steps between the folders of two paths."""
    a, b = one.split("/")[:-1], other.split("/")[:-1]
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared]:
        shared += 1
    return len(a) + len(b) - 2 * shared
