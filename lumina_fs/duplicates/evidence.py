"""What the pixels of duplicates show, in rows of an array: of what kind they are, how sure that is, and why.

Kinds and confidences are worked out for many at once; the reasons are written when somebody reads them.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lumina_fs.duplicates.comparison import Likeness
from lumina_fs.duplicates.exposures import ONCE

#: The kinds that pixels tell apart.
KINDS: tuple[Literal["re_encoded", "resized", "edited"], ...] = ("re_encoded", "resized", "edited")
_RE_ENCODED, _RESIZED, _EDITED = range(3)

#: A `Likeness` as a row of an array, every field a number.
SEEN = np.dtype([(name, "<f8") for name in Likeness._fields])

#: A row for each pair: of a `Likeness` what reasons name; what was done to one of the two, in bits; the place of their
#: exposures in `ONCE`; width and height of both, 0 where they are not known.
EVIDENCE = np.dtype(
    [
        ("detail", "<f8"), ("agreeing", "<f8"), ("area", "<f8"), ("angle", "<f8"), ("orientation", "<i4"),
        ("changes", "u1"), ("exposures", "u1"),
        ("width", "<i8"), ("height", "<i8"), ("other_width", "<i8"), ("other_height", "<i8"),
    ]
)  # fmt: skip

_ORIENTED, _ANGLED, _PART, _DRAWN, _LIGHT = 1, 2, 4, 8, 16
#: No change, but something to tell: one is larger than the other.
_SCALED = 32
_MIRRORED = (2, 4, 5, 7)
#: The second shows less than this share of the first: it was cropped; and less than this, so that light says nothing.
_CROPPED, _CROPPED_MUCH = 0.965, 0.9
#: Degrees, levels of 256, and a multiple of the contrast, from which on a change was made on purpose.
_TURNED, _LEVELS, _CONTRAST = 0.8, 5.0, 1.08
#: Two pictures of one size differ in their sides by no more than this share.
_SAME_SIDE = 0.01
#: As sure as pixels make it.
_MOST = 98

Rows = NDArray[Any]


class Judged(NamedTuple):
    """What duplicates are; arrays of one length. `kinds` are places in `KINDS`, confidences 0 to 100."""

    kinds: NDArray[np.uint8]
    confidences: NDArray[np.uint8]
    evidence: Rows


def judged(seen: Rows, sides: Rows, exposures: NDArray[np.uint8]) -> Judged:
    """Of duplicates by what was `SEEN` of them, (n, 4) sides, and the places of their exposures in `ONCE`."""
    evidence = np.zeros(len(seen), EVIDENCE)
    for name in ("detail", "agreeing", "area", "angle", "orientation"):
        evidence[name] = seen[name]
    for column, name in enumerate(("width", "height", "other_width", "other_height")):
        evidence[name] = sides[:, column]
    evidence["exposures"] = exposures
    changes = _changes(seen)
    detail, edited, resized = evidence["detail"], changes > 0, (changes == 0) & ~_same_size(sides)
    evidence["changes"] = np.where(resized, _SCALED, changes)
    kinds = np.select([edited, resized], [_EDITED, _RESIZED], _RE_ENCODED)
    sure = np.where(edited, 72 + 18 * _share(detail, 0.80, 0.98), 86 + 11 * _share(detail, 0.90, 0.985))
    sure += np.array([3 if one.same else bool(one.reasons) for one in ONCE])[exposures]
    return Judged(kinds.astype(np.uint8), np.minimum(_MOST, np.rint(sure)).astype(np.uint8), evidence)


def reasons(row: tuple[Any, ...]) -> list[str]:
    """The reasons, for people, of one row."""
    detail, agreeing, area, angle, orientation, changes, exposures, *sides = row
    found = [f"details agree to {detail:.2f} of 1 in {agreeing:.0%} of the picture"]
    if changes & _ORIENTED:
        found.append("mirrored" if orientation in _MIRRORED else "turned")
    if changes & _ANGLED:
        found.append(f"turned by {abs(angle):.0f} degrees")
    if changes & _PART:
        found.append(f"one shows {min(area, 1 / area):.0%} of the other")
    if changes & _DRAWN:
        found.append("something is written or drawn on one of them")
    if changes & _LIGHT:
        found.append("brightness or contrast changed")
    found += ONCE[exposures].reasons
    if changes & _SCALED:
        found.append("{} x {} and {} x {} pixels".format(*sides))
    return found


def _changes(seen: Rows) -> NDArray[np.uint8]:
    """What was done to one of the two beside coding and scaling it."""
    with np.errstate(divide="ignore"):
        smaller = np.minimum(seen["area"], 1 / seen["area"])
    contrast = np.maximum(seen["contrast"], 1 / np.maximum(seen["contrast"], 1e-3))
    light = (np.abs(seen["brightness"]) > _LEVELS) | (contrast > _CONTRAST)
    found = np.zeros(len(seen), np.uint8)
    for bit, done in (
        (_ORIENTED, seen["orientation"] != 1),
        (_ANGLED, np.abs(seen["angle"]) > _TURNED),
        (_PART, smaller < _CROPPED),
        (_DRAWN, seen["drawn"] != 0),
        (_LIGHT, light & (smaller >= _CROPPED_MUCH)),
    ):
        found[done] |= bit
    return found


def _same_size(sides: Rows) -> NDArray[np.bool_]:
    """True for pairs of one size, and where it is not known."""
    one, other = sides[:, :2], sides[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(1 - one / other).max(axis=1)
    return np.asarray((sides == 0).any(axis=1) | (apart <= _SAME_SIDE))


def _share(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """0 at `low` and below, 1 at `high` and above."""
    return np.clip((values - low) / (high - low), 0.0, 1.0)
