"""Look at the pixels of two reduced pictures: are they one picture, and what was done to it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lumina_fs.duplicates.alignment import Agreement, Floats, compare, fit, window_map
from lumina_fs.duplicates.views import COUNT, ORIENTATIONS, WINDOWS, Views, inverse, oriented

#: Two pictures are one when, laid over each other, they and their details agree by this much, in this share of blocks.
WHOLE, DETAIL, AGREEING = 0.95, 0.80, 0.80
#: The same for a picture over which something was written or drawn, which then must not have been moved or scaled.
DRAWN_WHOLE, DRAWN_DETAIL, DRAWN_AGREEING = 0.55, 0.45, 0.85
#: Laid over each other as they are, they agree so well that no better fit has to be looked for.
_AT_ONCE_WHOLE, _AT_ONCE_DETAIL = 0.99, 0.985
#: They agree so well that they can only be moved a little against each other.
_NEAR_WHOLE, _NEAR_DETAIL = 0.95, 0.80
#: How far, in half sides, a part may reach beyond the whole that it was cut from. Between two frames of a burst the
#: camera moves further than the lesser; pictures of another scale or direction are no frames, and fit less exactly.
_BEYOND, _BEYOND_CHANGED = 0.016, 0.06
#: Degrees, and a share of the area, up to which two pictures may be two frames.
_STEADY_TURN, _STEADY_AREA = 1.0, 0.05
#: Blocks with detail, of 64, without which two pictures are one only as they lie, and agree by so much: a bird before
#: the sky can be laid over any other bird. And without which nothing is taken for drawn upon.
_TOLD, _TOLD_WHOLE, _TOLD_DETAIL, _TOLD_DRAWN = 20, 0.99, 0.95, 24
#: The least share of a picture that a part of it may show.
_LEAST_AREA = 0.5
_BATCH = 256


#: Bits by which a view may differ from a picture and still be tried, and how many views are tried.
_TRY_BITS, _TRY = 30, 3

Gray = NDArray[np.uint8]


class Hint(NamedTuple):
    """How two pictures may be one: view `view` of the first (or of the second) looks like the other."""

    of_first: bool
    view: int


class Pair(NamedTuple):
    """Two reduced pictures, (64, 64), and how they may be one."""

    first: Gray
    second: Gray
    hints: Sequence[Hint]


class Likeness(NamedTuple):
    """What the pixels say of two pictures. Plain values, kept in the cache."""

    alike: bool
    """They show one picture, or overlapping parts of one scene."""
    contained: bool
    """One shows nothing that the other does not."""
    whole: float
    """Correlation of the two where they overlap, -1 to 1."""
    detail: float
    """Correlation of their details alone."""
    agreeing: float
    """Share of the blocks with detail in which the details agree."""
    orientation: int
    """EXIF orientation that makes the second look like the first, 1 for none."""
    area: float
    """Area of the first that the second shows, as a share of it; above 1 when the second shows more."""
    angle: float
    """Degrees by which the second is turned beside its orientation."""
    drawn: bool
    """Something was written or drawn over one of them."""
    brightness: float
    """Mean level of the second less that of the first, in levels of 256."""
    contrast: float
    """Deviation of the second as a multiple of that of the first."""


class _Trial(NamedTuple):
    """One hint, ready to be tried: `part` is fitted into `whole`, which was turned by `orientation`."""

    pair: int
    part: Gray
    whole: Gray
    start: Floats
    orientation: int
    part_is_first: bool


def hints(first: Views, second: Views) -> list[list[Hint]]:
    """For each pair the views that look most like the other, best first; arrays (pairs, views) of each."""
    count = len(first.phash)
    of_first = np.bitwise_count(first.phash ^ second.phash[:, :1]) + np.bitwise_count(first.dhash ^ second.dhash[:, :1])
    of_second = np.bitwise_count(second.phash ^ first.phash[:, :1]) + np.bitwise_count(
        second.dhash ^ first.dhash[:, :1]
    )
    bits = np.concatenate([of_first, of_second[:, 1:]], 1)  # view 0 is the same for both
    best = np.argsort(bits, axis=1, kind="stable")[:, :_TRY]
    found = []
    for row in range(count):
        views = [int(view) for view in best[row] if bits[row, view] <= _TRY_BITS]
        found.append([Hint(view < COUNT, view if view < COUNT else view - COUNT + 1) for view in views])
    return found


def look(pairs: Sequence[Pair]) -> list[Likeness]:
    """Compare pairs of reduced pictures, all in one go. The result does not depend on what else is compared."""
    found: list[Likeness] = []
    for start in range(0, len(pairs), _BATCH):
        found += _look(pairs[start : start + _BATCH])
    return found


def _look(pairs: Sequence[Pair]) -> list[Likeness]:
    """As they lie first; then each hint in turn, as long as the pair is not found to be one picture."""
    plain = [_Trial(n, p.first, p.second, window_map(0, 0, 1, 1), 1, True) for n, p in enumerate(pairs)]
    best = _judged(plain, _run(plain, compare))
    near = [trial for trial in plain if _nearly(best[trial.pair]) and not _settled(best[trial.pair])]
    _try(near, best, near=True)
    trials = [_trials(number, pair) for number, pair in enumerate(pairs)]
    for turn in range(_TRY):
        todo = [some[turn] for some in trials if len(some) > turn and not _one_picture(best[some[turn].pair])]
        _try(todo, best)
    return best


def _try(trials: Sequence[_Trial], best: list[Likeness], *, near: bool = False) -> None:
    for trial, likeness in zip(trials, _judged(trials, _run(trials, partial(fit, near=near))), strict=True):
        if _better(likeness, best[trial.pair]):
            best[trial.pair] = likeness


def _settled(likeness: Likeness) -> bool:
    return likeness.whole >= _AT_ONCE_WHOLE and likeness.detail >= _AT_ONCE_DETAIL


def _nearly(likeness: Likeness) -> bool:
    return likeness.whole >= _NEAR_WHOLE and likeness.detail >= _NEAR_DETAIL


def _one_picture(likeness: Likeness) -> bool:
    return likeness.alike and likeness.contained and not likeness.drawn


def _better(one: Likeness, other: Likeness) -> bool:
    if (one.alike, one.contained) != (other.alike, other.contained):
        return (one.alike and one.contained, one.alike) > (other.alike and other.contained, other.alike)
    return one.detail + one.whole > other.detail + other.whole


def _trials(number: int, pair: Pair) -> list[_Trial]:
    trials = []
    for hint in pair.hints:
        part, whole = (pair.second, pair.first) if hint.of_first else (pair.first, pair.second)
        if hint.view == 0:
            orientation, start = 1, window_map(0, 0, 1, 1)
        elif hint.view <= len(ORIENTATIONS):
            orientation, start = ORIENTATIONS[hint.view - 1], window_map(0, 0, 1, 1)
        else:
            orientation, start = 1, window_map(*WINDOWS[hint.view - 1 - len(ORIENTATIONS)])
        trials.append(_Trial(number, part, oriented(whole, orientation), start, orientation, not hint.of_first))
    return trials


def _run(trials: Sequence[_Trial], how: Callable[[Floats, Floats, Floats], Agreement]) -> Agreement:
    if not trials:
        none = np.empty(0, np.float32)
        return Agreement(none, none, none, none, np.empty((0, 2, 3), np.float32))
    part = np.stack([trial.part for trial in trials]).astype(np.float32)
    whole = np.stack([trial.whole for trial in trials]).astype(np.float32)
    maps = np.stack([trial.start for trial in trials])
    return how(part, whole, maps)


def _judged(trials: Sequence[_Trial], result: Agreement) -> list[Likeness]:
    return [
        _judge(trial, float(whole), float(detail), float(agreeing), int(told), matrix)
        for trial, whole, detail, agreeing, told, matrix in zip(trials, *result, strict=True)
    ]


def _judge(trial: _Trial, whole: float, detail: float, agreeing: float, told: int, matrix: Floats) -> Likeness:
    clean = whole >= WHOLE and detail >= DETAIL and agreeing >= AGREEING
    still = bool(np.abs(matrix - window_map(0, 0, 1, 1)).max() < 0.03) and trial.orientation == 1
    if told < _TOLD:
        clean = clean and still and whole >= _TOLD_WHOLE and detail >= _TOLD_DETAIL
    drawn = not clean and still and told >= _TOLD_DRAWN
    drawn = drawn and whole >= DRAWN_WHOLE and detail >= DRAWN_DETAIL and agreeing >= DRAWN_AGREEING
    into, back = matrix, _inverted(matrix)
    to_second = into if trial.part_is_first else back  # where the first lies in the second
    area = 1 / max(abs(float(np.linalg.det(to_second[:, :2]))), 1e-3)
    turn = float(np.degrees(np.arctan2(to_second[1, 0] - to_second[0, 1], to_second[0, 0] + to_second[1, 1])))
    clean = clean and min(area, 1 / area) >= _LEAST_AREA
    steady = trial.orientation == 1 and abs(turn) < _STEADY_TURN and abs(area - 1) < _STEADY_AREA
    contained = min(_beyond(into), _beyond(back)) <= (_BEYOND if steady else _BEYOND_CHANGED)
    first, second = (trial.part, trial.whole) if trial.part_is_first else (trial.whole, trial.part)
    orientation = trial.orientation if trial.part_is_first else inverse(trial.orientation)
    return Likeness(
        clean or drawn,
        contained,
        round(whole, 4),
        round(detail, 4),
        round(agreeing, 4),
        orientation,
        round(area, 4),
        round(turn, 2),
        drawn,
        round(float(second.mean()) - float(first.mean()), 1),
        round((float(second.std()) + 0.5) / (float(first.std()) + 0.5), 3),
    )


def _inverted(matrix: Floats) -> Floats:
    linear = np.linalg.pinv(matrix[:, :2])
    return np.concatenate([linear, -(linear @ matrix[:, 2:])], 1).astype(np.float32)


def _beyond(matrix: Floats) -> float:
    """How far the middles of the sides of the one reach beyond the other; a small turn alone does not count."""
    middles = np.array([[-1, 1, 0, 0], [0, 0, -1, 1], [1, 1, 1, 1]], np.float32)
    return float(np.abs(matrix @ middles).max()) - 1
