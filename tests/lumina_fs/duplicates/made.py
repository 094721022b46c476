"""What the tests of duplicates make: reduced pictures, likenesses, and rows of the index, without files."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from index.columns import _NONE, Texts
from index.contents import Twin
from lumina_fs.duplicates.comparison import Likeness, Pair, hints, look
from lumina_fs.duplicates.views import Views, views
from lumina_fs.original import reduced, stretched, to_gray

Gray = NDArray[np.uint8]


@functools.cache
def photographs(folder: Path, count: int = 12) -> tuple[Image.Image, ...]:
    """Real photographs with something on them, in colour, at most 1,024 pixels wide, upright."""
    found: list[Image.Image] = []
    for path in sorted((folder / "content/photoprism").glob("*.jpg")):
        with Image.open(path) as image:
            photo = ImageOps.exif_transpose(image).convert("RGB")
        if min(photo.size) >= 300 and gray_of(photo).std() > 25:
            photo.thumbnail((1024, 1024))
            found.append(photo)
        if len(found) == count:
            break
    assert len(found) == count
    return tuple(found)


def gray_of(image: Image.Image) -> Gray:
    """The reduced picture, as a scan leaves it in the cache."""
    return np.asarray(stretched(reduced(to_gray(image))))


def noise(seed: int, side: int = 64, cells: int = 9) -> Gray:
    """A smooth picture that nothing else looks like."""
    cellular = np.random.default_rng(seed).integers(0, 255, (cells, cells), dtype=np.uint8)
    return np.asarray(Image.fromarray(cellular).resize((side, side), Image.Resampling.BICUBIC))


def seen(first: Gray, second: Gray) -> Likeness:
    """What the pixels of two reduced pictures say, by the hints of their own views."""
    [likeness] = look(pairs([(first, second)]))
    return likeness


def pairs(some: list[tuple[Gray, Gray]]) -> list[Pair]:
    """Pairs with the hints of their views."""
    one, other = (views(np.stack(side)) for side in zip(*some, strict=True))
    return [Pair(*pair, hint) for pair, hint in zip(some, hints(one, other), strict=True)]


def codes(gray: Gray) -> Views:
    """The views of one picture."""
    return views(gray[None])


def likeness(**said: Any) -> Likeness:
    """What is said of two pictures that are one, but for what is given."""
    same = {
        "alike": True, "contained": True, "whole": 0.999, "detail": 0.99, "agreeing": 1.0, "orientation": 1,
        "area": 1.0, "angle": 0.0, "drawn": False, "brightness": 0.0, "contrast": 1.0,
    }  # fmt: skip
    return Likeness(**{**same, **said})


def twin(path: str = "a.jpg", sha256: str = "aa" * 32, **said: Any) -> Twin:
    """A row of the index, a plain JPEG without dates but for what is given."""
    row = {
        "source": "main", "path": path, "sha256": sha256, "media": "image", "format": "JPEG", "size": 1000,
        "width": 640, "height": 480, "duration": None, "quality": 50.0, "parts": None, "taken": None,
        "recorded": None, "offset": None, "camera": None, "serial": None, "orientation": 1,
    }  # fmt: skip
    return Twin(**{**row, **said})


def texts_of(texts: Sequence[str | None]) -> Texts:
    """Texts as the index gives them in columns."""
    return Texts.of([(_NONE if one is None else one).encode() for one in texts], len(texts))
