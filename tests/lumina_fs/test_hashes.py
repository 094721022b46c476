"""Hashes and scores: equal to the reference library, upright, and honest about pictures that hold nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image

from lumina_fs.filetypes import identify
from lumina_fs.measure import hashes
from lumina_fs.measure.information import information
from lumina_fs.measure.quality import quality
from lumina_fs.measure.registry import VERSIONS, outdated
from lumina_fs.original import Limits, decode, read_original

REFERENCE = {
    "dhash": imagehash.dhash, "ahash": imagehash.average_hash, "phash": imagehash.phash,
    "whash": imagehash.whash,
}  # fmt: skip


def grays() -> list[Image.Image]:
    noise = np.random.default_rng(3)
    found = [Image.fromarray(noise.integers(0, 255, (64, 64), dtype=np.uint8)) for _ in range(20)]
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    found += [Image.fromarray(ramp), Image.fromarray(ramp.T[::-1].copy())]
    found += [image.resize((64, 64), Image.Resampling.BICUBIC) for image in (i.resize((7, 5)) for i in found[:20])]
    return found


@pytest.mark.parametrize("name", REFERENCE)
def test_a_hash_is_bit_for_bit_that_of_imagehash(name: str) -> None:
    for image in grays():
        assert_equal(name, image)


def assert_equal(name: str, gray: Image.Image) -> None:
    """Equal bit for bit. A block that is exactly the median of its wavelets is a tie, which the reference leaves to
    the noise of its floating point; ours has no noise there, and such bits alone may differ."""
    ours, theirs = getattr(hashes, name)(gray), str(REFERENCE[name](gray))
    ties = 0
    if name == "whash":
        low = np.asarray(gray, dtype=np.float64).reshape(8, 8, 8, 8).sum(axis=(1, 3))
        ties = int.from_bytes(np.packbits((low == np.median(low)).ravel()).tobytes())
    assert (int(ours, 16) ^ int(theirs, 16)) & ~ties == 0, (ours, theirs)


def test_real_pictures_hash_as_imagehash_does_on_the_same_reduced_picture(photos: Path) -> None:
    compared = 0
    for path in sorted((photos / "content").rglob("*.jpg"))[:25]:
        with open(path, "rb") as file:
            reading = read_original(file.fileno(), lambda: None)
            identified = identify(path.name, reading.head)
            assert identified is not None
            picture = decode(reading, identified, Limits())
        gray = picture.gray  # type: ignore[union-attr]
        for name, reference in REFERENCE.items():
            assert_equal(name, gray)
            full = reference(Image.open(path))
            ours = imagehash.hex_to_hash(getattr(hashes, name)(gray))
            assert full - ours <= 8  # the reduced picture moves a few bits at most
            compared += 1
    assert compared == 100


def test_pictures_that_hold_nothing_are_told() -> None:
    assert information(Image.new("L", (64, 64), 128))[1] == ["flat"]
    assert information(Image.new("L", (64, 64), 2))[1] == ["flat", "dark"]
    assert information(Image.new("L", (64, 64), 253))[1] == ["flat", "bright"]
    value, reasons = information(grays()[0])
    assert reasons == []
    assert value > 0.5


def test_the_better_copy_has_the_higher_score() -> None:
    capture = {"taken": {"source": "exif"}, "camera": {"make": "x"}, "lens": {"model": "y"}, "gps": {"latitude": 1}}

    def score(**changes: object) -> float:
        facts = {"format_": "JPEG", "size": 4_000_000, "width": 4000, "height": 3000, "jpeg_quality": 95}
        value, parts = quality(**{**facts, "capture": capture, **changes})  # type: ignore[arg-type]
        assert value == pytest.approx(sum(parts.values()))
        assert 0 <= value <= 100
        assert all(0 <= parts[name] <= top for name, top in
                   {"format": 40, "resolution": 30, "size": 20, "metadata": 10}.items())  # fmt: skip
        return value

    best = score()
    assert score(width=2000, height=1500, size=1_000_000) < best
    assert score(jpeg_quality=60) < best
    assert score(capture={}) == pytest.approx(best - 10)
    assert score(format_="NEF") > best
    assert score(size=400_000) < best


def test_only_what_is_missing_or_old_is_measured_again() -> None:
    done = {name: {"version": version} for name, version in VERSIONS.items()}
    assert outdated(done, "image") == frozenset()
    assert outdated({**done, "phash": {"version": 0}}, "image") == {"phash"}
    assert outdated({}, "video") == set(VERSIONS) - {"quality"}


def test_a_new_version_of_a_measurer_measures_only_that(tmp_path: Path) -> None:
    from lumina_fs.recipe import wanted

    value: dict[str, Any] = {"original": {"size": 5, "media": "image"},
             "measurements": {name: {"version": version} for name, version in VERSIONS.items()}}  # fmt: skip
    value["measurements"]["dhash"]["version"] = 0
    assert wanted(value) == frozenset({"dhash"})
