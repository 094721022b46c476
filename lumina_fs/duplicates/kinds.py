"""What kind of twins two originals are, by their pixels and by what their cameras recorded, and how sure that is.

Pixels alone cannot tell a copy from the next frame of a burst: when two pictures that look alike carry times of
exposure that differ, they were exposed twice and are no duplicates, however alike they look.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple

import numpy as np

from index.contents import Twin
from lumina_fs.duplicates import evidence
from lumina_fs.duplicates.comparison import Likeness
from lumina_fs.duplicates.exposures import ONCE, exposures, moment
from lumina_fs.filetypes import RAW_FORMATS
from schemas.names import decode_name

Kind = Literal["exact", "same_pixels", "re_encoded", "resized", "edited", "raw_jpeg", "burst", "live_photo", "similar"]
#: Kinds of which one may go. The others are never proposed for removal.
DUPLICATES: tuple[Kind, ...] = ("exact", "same_pixels", "re_encoded", "resized", "edited")
#: Kinds that belong together without being duplicates.
RELATED: tuple[Kind, ...] = ("raw_jpeg", "burst", "live_photo", "similar")


class Judgement(NamedTuple):
    """What two contents are to each other."""

    kind: Kind
    confidence: int
    """0 to 100: how sure it is that the two are what `kind` says."""
    said: tuple[str, ...]
    """Why, for people; or nothing where that follows from the evidence."""
    evidence: tuple[Any, ...] | None = None
    """Of duplicates that pixels made one of: a row of `EVIDENCE`."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, for people."""
        return self.said if self.evidence is None else tuple(evidence.reasons(self.evidence))


SAME_PIXELS = Judgement("same_pixels", 99, ("every pixel is the same, only metadata differ",))
#: Pictures too plain for a hash: equal pixels may be two looks at the same wall, so nobody decides that for a person.
SAME_PLAIN = Judgement("same_pixels", 60, ("every pixel is the same, but the picture is too plain to tell much",))
_SAME_BUT_OTHER = 70


class Case(NamedTuple):
    """Two contents, each given by all originals that have it, and what their pixels say; without, only equal ones."""

    one: Sequence[Twin]
    other: Sequence[Twin]
    likeness: Likeness | None
    same_pixels: bool


class _Duplicates(NamedTuple):
    """Two that are duplicates for all that is recorded: their pixels say which kind."""

    likeness: Likeness
    sides: tuple[int, int, int, int]
    exposures: int
    """Their place in `ONCE`."""


def judge(cases: Iterable[Case]) -> list[Judgement | None]:
    """What each two contents are; None when they have nothing in common."""
    found = [_judged(case) for case in cases]
    open_ones = [one for one in found if isinstance(one, _Duplicates)]
    judged = iter(_by_pixels(open_ones) if open_ones else ())
    return [next(judged) if isinstance(one, _Duplicates) else one for one in found]


def _by_pixels(some: Sequence[_Duplicates]) -> Iterator[Judgement]:
    seen = np.array([one.likeness for one in some], evidence.SEEN)
    sides, places = np.array([one.sides for one in some]), np.array([one.exposures for one in some], np.uint8)
    kinds, confidences, rows = evidence.judged(seen, sides, places)
    for kind, confidence, row in zip(kinds.tolist(), confidences.tolist(), rows.tolist(), strict=True):
        yield Judgement(evidence.KINDS[kind], confidence, (), row)


def _judged(case: Case) -> Judgement | _Duplicates | None:
    one, other, likeness, same_pixels = case
    a, b = one[0], other[0]  # files with one content have one metadata
    if same_pixels:
        times = exposures(a, b)
        if times.apart:
            why = f"but metadata tell of {times.reasons[0]}"
            return Judgement("same_pixels", _SAME_BUT_OTHER, ("every pixel is the same", why))
        return SAME_PIXELS
    if likeness is None or not likeness.alike:
        return None
    if bool(a.duration) != bool(b.duration):
        return Judgement("similar", 90, ("one of them moves, the other stands still",))
    if (a.format in RAW_FORMATS) != (b.format in RAW_FORMATS) and _one_shot(one, other):
        return Judgement("raw_jpeg", 95, ("the RAW file and the picture that were taken with one press",))
    times = exposures(a, b)
    if times.apart:
        kind: Kind = "burst" if times.burst else "similar"
        return Judgement(kind, 95, times.reasons)
    if consecutive(one, other) and not times.same:
        return Judgement("burst", 80, ("consecutive numbers of one camera, and no time that tells them apart",))
    if not likeness.contained:
        return Judgement("similar", 80, ("each shows something that the other does not",))
    sides = (a.width or 0, a.height or 0, b.width or 0, b.height or 0)
    return _Duplicates(likeness, sides, ONCE.index(times))


def exposed_twice(one: Twin, other: Twin) -> bool:
    """True when the cameras say so: whatever the two look like, they are no duplicates (but for equal pixels)."""
    return exposures(one, other).apart


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
