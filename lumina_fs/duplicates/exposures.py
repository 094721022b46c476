"""What the recorded times of two originals say: exposed once, twice, or that is not known."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from index.contents import Twin

_BURST = timedelta(seconds=1)


class Exposures(NamedTuple):
    """What two times of exposure say: they differ (`apart`, within a burst or not), or are one for sure (`same`)."""

    apart: bool
    burst: bool
    same: bool
    reasons: tuple[str, ...]


def _once(*reasons: str, same: bool = False) -> Exposures:
    return Exposures(False, False, same, reasons)


UNKNOWN = _once()
ONE_THOUSANDTH = _once("taken to the thousandth of a second with the same camera", same=True)
ONE_SECOND = _once("taken in the same second with the same camera")
ONE_TIME = _once("taken at the same time")
TWO_BODIES = _once("taken in the same second")
OTHER_CLOCK = _once("the times differ by whole hours only, as after a change of time zone")

#: All that leave it open that one original is a copy of the other. Results know them by their places here.
ONCE = (UNKNOWN, ONE_THOUSANDTH, ONE_SECOND, ONE_TIME, TWO_BODIES, OTHER_CLOCK)


def exposures(a: Twin, b: Twin) -> Exposures:
    """What the times of two originals say."""
    first, second = moment(a.recorded), moment(b.recorded)
    if first is None or second is None:
        return UNKNOWN
    fine = bool(first.microsecond and second.microsecond)
    if not fine:
        first, second = first.replace(microsecond=0), second.replace(microsecond=0)
    distance = abs(first - second)
    same_camera = a.camera == b.camera and (a.serial == b.serial or not (a.serial and b.serial))
    if not distance or (fine and distance < timedelta(milliseconds=2)):
        if not (a.camera and same_camera):
            return ONE_TIME
        return ONE_THOUSANDTH if fine else ONE_SECOND
    if not same_camera and distance < timedelta(seconds=1):
        # two bodies never frame a scene alike to a pixel: fractions of a second that contradict each other were made up
        return TWO_BODIES
    if _only_the_clock_differs(distance) and not (a.offset and a.offset == b.offset):
        return OTHER_CLOCK
    whose = "of different cameras, " if not same_camera else "of one camera, " if a.camera else ""
    burst = bool(same_camera and a.camera) and distance <= _BURST
    return Exposures(True, burst, False, (f"two exposures {whose}{_shown(distance)} apart",))


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


def _only_the_clock_differs(distance: timedelta) -> bool:
    """A whole number of half hours up to a day: a clock that was set, unless both say how far from UTC it was."""
    return distance <= timedelta(days=1) and distance % timedelta(minutes=30) == timedelta(0)


def _shown(distance: timedelta) -> str:
    seconds = distance.total_seconds()
    for unit, size, end in (("s", 1, 60), ("min", 60, 5400), ("h", 3600, 172_800)):
        if seconds < end:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86_400:,.0f} days"
