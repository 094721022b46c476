"""Real photographs and what is done to them: what is one picture is seen as one, and nothing else is."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from lumina_fs.duplicates.comparison import Hint, Pair, look
from lumina_fs.duplicates.views import COUNT
from tests.lumina_fs.duplicates.made import Gray, gray_of, noise, pairs, photographs, seen

Change = Callable[[Image.Image], Image.Image]


def coded(quality: int) -> Change:
    def change(photo: Image.Image) -> Image.Image:
        out = io.BytesIO()
        photo.save(out, "JPEG", quality=quality)
        return Image.open(out)

    return change


def cropped(left: float, top: float, right: float, bottom: float) -> Change:
    def change(photo: Image.Image) -> Image.Image:
        w, h = photo.size
        return photo.crop((round(left * w), round(top * h), round(right * w), round(bottom * h)))

    return change


def barred(photo: Image.Image) -> Image.Image:
    out = Image.new("RGB", (photo.width, round(photo.height * 1.12)))
    out.paste(photo, (0, round(photo.height * 0.06)))
    return out


def watermarked(photo: Image.Image) -> Image.Image:
    out = photo.copy()
    w, h = out.size
    ImageDraw.Draw(out).text((w * 0.55, h * 0.85), "(c) anna", fill="white", font_size=max(12, h // 12))
    return out


def scaled(share: float) -> Change:
    return lambda photo: photo.resize((max(1, round(photo.width * share)), max(1, round(photo.height * share))))


def slanted(degrees: float) -> Change:
    """Turned, and cut so that no corner is empty."""

    def change(photo: Image.Image) -> Image.Image:
        turned = photo.rotate(degrees, Image.Resampling.BICUBIC)
        w, h = photo.size
        edge_x, edge_y = round(h * np.tan(np.radians(degrees)) / 2), round(w * np.tan(np.radians(degrees)) / 2)
        return turned.crop((edge_x, edge_y, w - edge_x, h - edge_y))

    return change


#: What is done, and the share of the photographs that must then be seen as one picture.
CHANGES: dict[str, tuple[Change, float]] = {
    "heavy compression": (coded(20), 1.0),
    "a quarter of the size": (scaled(0.25), 1.0),
    "another aspect": (lambda photo: photo.resize((photo.width, round(photo.height * 0.9))), 1.0),
    "gray": (lambda photo: ImageOps.grayscale(photo).convert("RGB"), 1.0),
    "brighter": (lambda photo: ImageEnhance.Brightness(photo).enhance(1.2), 0.9),
    "darker": (lambda photo: ImageEnhance.Brightness(photo).enhance(0.7), 1.0),
    "more contrast": (lambda photo: ImageEnhance.Contrast(photo).enhance(1.3), 0.9),
    "blurred": (lambda photo: photo.filter(ImageFilter.GaussianBlur(2)), 1.0),
    "5 % cut away": (cropped(0.05, 0.05, 1, 1), 0.9),
    "a quarter cut away": (cropped(0.07, 0.06, 0.94, 0.93), 0.8),
    "a side cut away": (cropped(0.12, 0, 1, 1), 0.8),
    "mirrored": (ImageOps.mirror, 1.0),
    "upside down": (lambda photo: photo.transpose(Image.Transpose.ROTATE_180), 1.0),
    "turned left": (lambda photo: photo.transpose(Image.Transpose.ROTATE_90), 1.0),
    "turned right": (lambda photo: photo.transpose(Image.Transpose.ROTATE_270), 1.0),
    "turned and mirrored": (lambda photo: photo.transpose(Image.Transpose.TRANSVERSE), 1.0),
    "3 degrees": (slanted(3), 0.75),
    "bars": (barred, 0.9),
    "watermark": (watermarked, 0.9),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_photograph_and_its_copy_are_one_picture(what: str, photos: Path) -> None:
    change, share = CHANGES[what]
    originals = photographs(photos)
    some = [(gray_of(photo), gray_of(change(photo))) for photo in originals]
    found = look(pairs(some))
    hits = sum(one.alike and one.contained for one in found)
    print(f"\n{what}: {hits} of {len(found)}")
    assert hits >= share * len(found)


def test_two_different_photographs_are_never_one_picture(photos: Path) -> None:
    """Also when every view of one is tried against the other."""
    every = [gray_of(photo) for photo in photographs(photos)]
    all_views = [Hint(of_first, view) for of_first in (True, False) for view in range(0, COUNT, 3)]
    some = [Pair(one, other, all_views) for one, other in combinations(every, 2)]
    assert not any(likeness.alike for likeness in look(some))


@pytest.mark.parametrize(
    ("change", "orientation"),
    [
        (ImageOps.mirror, 2),
        (lambda photo: photo.transpose(Image.Transpose.ROTATE_180), 3),
        (ImageOps.flip, 4),
        (lambda photo: photo.transpose(Image.Transpose.ROTATE_270), 6),
        (lambda photo: photo.transpose(Image.Transpose.ROTATE_90), 8),
    ],
)
def test_the_orientation_is_what_undoes_the_turn(change: Change, orientation: int, photos: Path) -> None:
    photo = photographs(photos)[0]
    likeness = seen(gray_of(photo), gray_of(change(photo)))
    back = {6: 8, 8: 6}.get(orientation, orientation)
    assert likeness.orientation == back, "what makes the second look like the first"
    assert seen(gray_of(change(photo)), gray_of(photo)).orientation == orientation


def test_area_angle_and_light_are_told(photos: Path) -> None:
    photo = photographs(photos)[0]
    gray = gray_of(photo)
    part = seen(gray, gray_of(cropped(0.06, 0.06, 0.94, 0.94)(photo)))
    assert part.area == pytest.approx(0.88**2, abs=0.03)
    assert seen(gray_of(cropped(0.06, 0.06, 0.94, 0.94)(photo)), gray).area == pytest.approx(1 / 0.88**2, abs=0.05)
    dark = seen(gray, gray_of(ImageEnhance.Brightness(photo).enhance(0.7)))
    assert dark.brightness == pytest.approx(-0.3 * gray.mean(), abs=2)
    assert dark.contrast == pytest.approx(0.7, abs=0.05)


def test_a_part_of_a_scene_that_shows_more_at_one_side_is_alike_and_not_contained(photos: Path) -> None:
    """Two crops of one scene, each with something that the other lacks, are two pictures."""
    told = []
    for photo in photographs(photos):
        left, right = cropped(0, 0, 0.9, 1)(photo), cropped(0.1, 0, 1, 1)(photo)
        told.append(seen(gray_of(left), gray_of(right)))
    assert not any(likeness.alike and likeness.contained for likeness in told)


def test_something_small_that_was_moved_is_seen(photos: Path) -> None:
    """A burst without times: the scene stands still and something in it moves. That must not pass for a clean copy."""
    for photo in photographs(photos):
        one, other = photo.copy(), photo.copy()
        w, h = photo.size
        for image, x in ((one, 0.3), (other, 0.5)):
            ImageDraw.Draw(image).ellipse((w * x, h * 0.4, w * (x + 0.2), h * 0.8), fill="black", outline="white")
        likeness = seen(gray_of(one), gray_of(other))
        assert not (likeness.alike and not likeness.drawn), likeness


def rounded(likeness: object) -> list[float]:
    return [float(value) for value in likeness]  # type: ignore[attr-defined]


@given(st.permutations(range(6)))
@settings(max_examples=10, deadline=None)
def test_what_is_seen_depends_neither_on_the_order_nor_on_what_else_is_compared(order: list[int]) -> None:
    firsts = [noise(seed) for seed in range(6)]
    seconds = [
        firsts[0],
        np.roll(firsts[1], 1, 1),
        np.ascontiguousarray(firsts[2].T),
        firsts[3] // 2,
        noise(9),
        firsts[5][::-1],
    ]
    some = pairs([(one, np.ascontiguousarray(other)) for one, other in zip(firsts, seconds, strict=True)])
    alone = [look([pair])[0] for pair in some]
    together = look([some[number] for number in order])
    for number, likeness in zip(order, together, strict=True):
        assert likeness == alone[number]
    assert look([*some, *some]) == alone * 2


FLAT = [np.full((64, 64), level, np.uint8) for level in (0, 1, 128, 255)]


@pytest.mark.parametrize("first", range(len(FLAT)))
def test_a_flat_picture_is_like_nothing_and_breaks_nothing(first: int) -> None:
    for other in (*FLAT, noise(1)):
        every = [Hint(True, view) for view in range(COUNT)]
        [likeness] = look([Pair(FLAT[first], other, every)])
        assert not likeness.alike
        assert np.isfinite(rounded(likeness)).all()


@given(st.integers(0, 2**32), st.sampled_from([2, 3, 5, 20]))
@settings(max_examples=30, deadline=None)
def test_hostile_pictures_give_finite_numbers(seed: int, levels: int) -> None:
    choose = np.random.default_rng(seed)

    def picture() -> Gray:
        gray = (choose.integers(0, levels, (64, 64)) * (255 // (levels - 1))).astype(np.uint8)
        gray[choose.integers(0, 64) :] = choose.integers(0, 256)
        return gray

    likeness = seen(picture(), picture())
    assert np.isfinite(rounded(likeness)).all()
    assert not likeness.alike or likeness.whole > 0.5
