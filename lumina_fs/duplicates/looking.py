"""Answers what two pictures are to each other: from memory, or by a look at their pixels; then by what is recorded."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from index.contents import Twin
from lumina_fs.duplicates.comparison import Likeness, Pair, hints, look
from lumina_fs.duplicates.kinds import Case, Judgement, exposed_twice, judge
from lumina_fs.duplicates.reductions import Positions, Reductions
from lumina_fs.duplicates.remembered import Remembered, pair_key
from lumina_fs.duplicates.verdicts import Verdicts

_AT_ONCE = 256


class Looking:
    """Judges pairs of pictures given by their numbers: `contents` is the SHA-256 of each, `at` where its pixels are.

    Of a burst each frame is compared with the first one that asks for it; all frames with all others would tell nothing
    more, and cost their number squared.
    """

    def __init__(
        self,
        reductions: Reductions,
        at: Positions,
        contents: Sequence[str],
        rows: Mapping[str, Sequence[Twin]],
        remembered: Remembered,
        verdicts: Verdicts,
        cancel: threading.Event,
    ) -> None:
        self._reductions = reductions
        self._at = at
        self._contents = contents
        self._rows = rows
        self._remembered = remembered
        self._verdicts = verdicts
        self._cancel = cancel
        self._related: set[int] = set()

    def __call__(self, pairs: Sequence[tuple[int, int]]) -> list[Judgement | None]:
        """What each pair is; None for those that have nothing in common, and for all that is left when stopped."""
        needed = [not self._needless(one, other) for one, other in pairs]
        found = iter(self._judged([pair for pair, wanted in zip(pairs, needed, strict=True) if wanted]))
        answers = [next(found) if wanted else None for wanted in needed]
        frames = ("burst", "similar")
        self._related.update(
            other for (_, other), one in zip(pairs, answers, strict=True) if one is not None and one.kind in frames
        )
        return answers

    def _needless(self, one: int, other: int) -> bool:
        """True for a frame that was told to be one, and another that was exposed at another time."""
        if other not in self._related:
            return False
        first, second = (self._rows.get(self._contents[number]) for number in (one, other))
        return bool(first and second and exposed_twice(first[0], second[0]) and not self._same_pixels(one, other))

    def _judged(self, pairs: Sequence[tuple[int, int]]) -> list[Judgement | None]:
        keys = [self._key(one, other) for one, other in pairs]
        known = self._remembered.likenesses(keys)
        new = [(pair, key) for pair, key, seen in zip(pairs, keys, known, strict=True) if seen is None]
        # of a pair the lesser content comes first, so that what is seen does not depend on who asks
        asked = [pair if self._contents[pair[0]] <= self._contents[pair[1]] else pair[::-1] for pair, _ in new]
        pieces = [slice(start, start + _AT_ONCE) for start in range(0, len(asked), _AT_ONCE)]
        with ThreadPoolExecutor(2) as threads:
            for piece, seen in zip(pieces, threads.map(self._look, [asked[piece] for piece in pieces]), strict=True):
                self._remembered.learn(zip([key for _, key in new[piece]], seen, strict=False))
        if new:
            known = self._remembered.likenesses(keys)
        cases = [self._case(pair, seen) for pair, seen in zip(pairs, known, strict=True)]
        found = iter(judge(case for case in cases if case is not None))
        return [None if case is None else next(found) for case in cases]

    def _key(self, one: int, other: int) -> bytes:
        return pair_key(bytes.fromhex(self._contents[one]), bytes.fromhex(self._contents[other]))

    def _look(self, pairs: Sequence[tuple[int, int]]) -> list[Likeness]:
        if self._cancel.is_set():
            return []
        first = self._at[[one for one, _ in pairs]]
        second = self._at[[other for _, other in pairs]]
        how = hints(self._reductions.views(first), self._reductions.views(second))
        return look(list(map(Pair, self._reductions.gray(first), self._reductions.gray(second), how)))

    def _case(self, pair: tuple[int, int], likeness: Likeness | None) -> Case | None:
        """What there is to judge by; None where somebody did, or an original is gone."""
        one, other = (self._contents[number] for number in pair)
        first, second = self._rows.get(one), self._rows.get(other)
        if not first or not second or self._verdicts.no_duplicates(one, other):
            return None
        return Case(first, second, likeness, self._same_pixels(*pair))

    def _same_pixels(self, one: int, other: int) -> bool:
        digest = self._remembered.digest(self._contents[one])
        return bool(digest) and digest == self._remembered.digest(self._contents[other])
