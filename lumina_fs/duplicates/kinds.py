"""What kind of twins two originals are, by their pixels and by what their cameras recorded, and how sure that is.

Pixels alone cannot tell a copy from the next frame of a burst: when two pictures that look alike carry times of
exposure that differ, they were exposed twice and are no duplicates, however alike they look.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from index.contents import Twin
from lumina_fs.duplicates.comparison import Likeness
from lumina_fs.filetypes import RAW_FORMATS
from schemas.names import decode_name

Kind = Literal["exact", "same_pixels", "re_encoded", "resized", "edited", "raw_jpeg", "burst", "live_photo", "similar"]
#: Kinds of which one may go. The others are never proposed for removal.
DUPLICATES: tuple[Kind, ...] = ("exact", "same_pixels", "re_encoded", "resized", "edited")
#: Kinds that belong together without being duplicates.
RELATED: tuple[Kind, ...] = ("raw_jpeg", "burst", "live_photo", "similar")

_BURST = timedelta(seconds=1)
#: The second shows less than this share of the first: it was cropped.
_CROPPED = 0.965
#: Degrees, levels of 256, and a multiple of the contrast, from which on a change was made on purpose.
_TURNED, _LEVELS, _CONTRAST = 0.8, 5.0, 1.08
#: Two pictures of one size differ in their sides by no more than this share.
_SAME_SIDE = 0.01


class Judgement(NamedTuple):
    """What two contents are to each other. `reasons` are for people."""

    kind: Kind
    confidence: int
    """0 to 100: how sure it is that the two are what `kind` says."""
    reasons: tuple[str, ...]


SAME_PIXELS = Judgement("same_pixels", 99, ("every pixel is the same, only metadata differ",))
#: Pictures too plain for a hash: equal pixels may be two looks at the same wall, so nobody decides that for a person.
SAME_PLAIN = Judgement("same_pixels", 60, ("every pixel is the same, but the picture is too plain to tell much",))
_SAME_BUT_OTHER = 70


def judge(one: Sequence[Twin], other: Sequence[Twin], likeness: Likeness | None, same_pixels: bool) -> Judgement | None:
    """What two contents are, each given by all originals that have it; None when they have nothing in common.

    Without `likeness` only equal pixels count.
    """
    a, b = one[0], other[0]  # files with one content have one metadata
    if same_pixels:
        exposures = _exposures(a, b)
        if exposures.apart:
            why = f"but metadata tell of {exposures.reasons[0]}"
            return Judgement("same_pixels", _SAME_BUT_OTHER, ("every pixel is the same", why))
        return SAME_PIXELS
    if likeness is None or not likeness.alike:
        return None
    if bool(a.duration) != bool(b.duration):
        return Judgement("similar", 90, ("one of them moves, the other stands still",))
    if (a.format in RAW_FORMATS) != (b.format in RAW_FORMATS) and _one_shot(one, other):
        return Judgement("raw_jpeg", 95, ("the RAW file and the picture that were taken with one press",))
    exposures = _exposures(a, b)
    if exposures.apart:
        kind: Kind = "burst" if exposures.burst else "similar"
        return Judgement(kind, 95, exposures.reasons)
    if consecutive(one, other) and not exposures.same:
        return Judgement("burst", 80, ("consecutive numbers of one camera, and no time that tells them apart",))
    if not likeness.contained:
        return Judgement("similar", 80, ("each shows something that the other does not",))
    return duplicate(likeness, (a.width or 0, a.height or 0, b.width or 0, b.height or 0), exposures)


def exposed_twice(one: Twin, other: Twin) -> bool:
    """True when the cameras say so: whatever the two look like, they are no duplicates (but for equal pixels)."""
    return _exposures(one, other).apart


class Exposures(NamedTuple):
    """What two times of exposure say: they differ (`apart`, within a burst or not), or are one for sure (`same`)."""

    apart: bool
    burst: bool
    same: bool
    reasons: tuple[str, ...]


UNKNOWN = Exposures(False, False, False, ())
TWO_BODIES = Exposures(False, False, False, ("taken in the same second",))
OTHER_CLOCK = Exposures(False, False, False, ("the times differ by whole hours only, as after a change of time zone",))


def _exposures(a: Twin, b: Twin) -> Exposures:
    first, second = moment(a.recorded), moment(b.recorded)
    if first is None or second is None:
        return UNKNOWN
    fine = bool(first.microsecond and second.microsecond)
    if not fine:
        first, second = first.replace(microsecond=0), second.replace(microsecond=0)
    distance = abs(first - second)
    same_camera = a.camera == b.camera and (a.serial == b.serial or not (a.serial and b.serial))
    if not distance or (fine and distance < timedelta(milliseconds=2)):
        return together(fine=fine, one_camera=bool(a.camera and same_camera))
    if not same_camera and distance < timedelta(seconds=1):
        # two bodies never frame a scene alike to a pixel: fractions of a second that contradict each other were made up
        return TWO_BODIES
    if _only_the_clock_differs(distance) and not (a.offset and a.offset == b.offset):
        return OTHER_CLOCK
    whose = "of different cameras, " if not same_camera else "of one camera, " if a.camera else ""
    burst = bool(same_camera and a.camera) and distance <= _BURST
    return Exposures(True, burst, False, (f"two exposures {whose}{_shown(distance)} apart",))


def together(*, fine: bool, one_camera: bool) -> Exposures:
    """Of two exposures at one time. `fine`: to the thousandth of a second."""
    if not one_camera:
        return Exposures(False, False, False, ("taken at the same time",))
    how = "to the thousandth of a second" if fine else "in the same second"
    return Exposures(False, False, fine, (f"taken {how} with the same camera",))


def _only_the_clock_differs(distance: timedelta) -> bool:
    """A whole number of half hours up to a day: a clock that was set, unless both say how far from UTC it was."""
    return distance <= timedelta(days=1) and distance % timedelta(minutes=30) == timedelta(0)


def moment(recorded: str | None) -> datetime | None:
    """The recorded wall time, if it is exact to the second."""
    if recorded is None or len(recorded) < 19:
        return None
    return _parsed(recorded[:26])


@lru_cache(4096)
def _parsed(recorded: str) -> datetime | None:
    try:
        return datetime.fromisoformat(recorded).replace(tzinfo=None)
    except ValueError:
        return None


def _shown(distance: timedelta) -> str:
    seconds = distance.total_seconds()
    for unit, size, end in (("s", 1, 60), ("min", 60, 5400), ("h", 3600, 172_800)):
        if seconds < end:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86_400:,.0f} days"


def _place(source: str, path: str) -> tuple[str, str]:
    """(folder with source, name without extension)."""
    folder, _, name = decode_name(path).rpartition("/")
    return f"{source}:{folder}", name.rpartition(".")[0] or name


def _stem(twin: Twin) -> str:
    return _place(twin.source, twin.path)[1].lower()


def _one_shot(one: Sequence[Twin], other: Sequence[Twin]) -> bool:
    """A RAW file and a picture of one name, or of one camera and second."""
    stems = {_stem(twin) for twin in one} & {_stem(twin) for twin in other}
    a, b = moment(one[0].recorded), moment(other[0].recorded)
    if a is not None and b is not None and abs(a - b) >= timedelta(seconds=1):
        return False
    return bool(stems) or (a is not None and a == b and one[0].camera == other[0].camera is not None)


def consecutive(one: Sequence[Twin], other: Sequence[Twin]) -> bool:
    """Files of one camera, second, size and folder whose numbers follow each other: frames, not copies."""
    a, b = one[0], other[0]
    if a.camera is None or (a.camera, a.format) != (b.camera, b.format) or moment(a.recorded) is None:
        return False
    if moment(b.recorded) is None or (a.width, a.height) != (b.width, b.height):
        return False
    return in_one_series([(twin.source, twin.path) for twin in one], [(twin.source, twin.path) for twin in other])


def in_one_series(one: Iterable[tuple[str, str]], other: Iterable[tuple[str, str]]) -> bool:
    """True when a name among the one (sources and paths) follows one among the other, in one folder."""
    places = [_place(*twin) for twin in other]
    for folder, name in itertools.starmap(_place, one):
        if any(folder == beside and _follows(name, neighbour) for beside, neighbour in places):
            return True
    return False


_NUMBERED = re.compile(r"(.*?)(\d{3,6})([^\d]*)", re.DOTALL)


def _follows(name: str, neighbour: str) -> bool:
    a, b = _NUMBERED.fullmatch(name), _NUMBERED.fullmatch(neighbour)
    if a is None or b is None or (a[1], a[3]) != (b[1], b[3]):
        return False
    return 0 < abs(int(a[2]) - int(b[2])) <= 3


def duplicate(likeness: Likeness, sides: tuple[int, int, int, int], exposures: Exposures) -> Judgement:
    """What a duplicate is; `sides`: width and height of both, 0 where they are not known."""
    changes = _changes(likeness)
    reasons = [f"details agree to {likeness.detail:.2f} of 1 in {likeness.agreeing:.0%} of the picture"]
    reasons += [*changes, *exposures.reasons]
    if changes:
        confidence = 72 + 18 * _share(likeness.detail, 0.80, 0.98)
        kind: Kind = "edited"
    else:
        confidence = 86 + 11 * _share(likeness.detail, 0.90, 0.985)
        kind = "re_encoded" if _same_size(*sides) else "resized"
        if kind == "resized":
            reasons.append("{} x {} and {} x {} pixels".format(*sides))
    if exposures.same:
        confidence += 3
    elif exposures.reasons:
        confidence += 1
    return Judgement(kind, min(98, round(confidence)), tuple(reasons))


def _changes(likeness: Likeness) -> list[str]:
    """What was done to one of the two beside coding and scaling it."""
    found = []
    if likeness.orientation != 1:
        found.append("mirrored" if likeness.orientation in (2, 4, 5, 7) else "turned")
    if abs(likeness.angle) > _TURNED:
        found.append(f"turned by {abs(likeness.angle):.0f} degrees")
    smaller = min(likeness.area, 1 / likeness.area)
    if smaller < _CROPPED:
        found.append(f"one shows {smaller:.0%} of the other")
    if likeness.drawn:
        found.append("something is written or drawn on one of them")
    cropped = smaller < 0.9
    contrast = max(likeness.contrast, 1 / max(likeness.contrast, 1e-3))
    if not cropped and (abs(likeness.brightness) > _LEVELS or contrast > _CONTRAST):
        found.append("brightness or contrast changed")
    return found


def _same_size(width: int, height: int, other_width: int, other_height: int) -> bool:
    if not (width and height and other_width and other_height):
        return True
    return max(abs(1 - width / other_width), abs(1 - height / other_height)) <= _SAME_SIDE


def _share(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
