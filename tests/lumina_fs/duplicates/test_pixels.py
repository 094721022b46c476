"""The digest of pixels: the same under other metadata, another when one pixel is, and never an exception."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from lumina_fs.filetypes import identify
from lumina_fs.original import Limits, read_original
from lumina_fs.pixels import pixel_digest
from lumina_fs.undecodable import Undecodable
from tests.lumina_fs.duplicates.made import noise


def digest(data: bytes, name: str = "a.jpg") -> bytes | Undecodable | None:
    """The digest of a file of these bytes; None for what is no picture."""
    fd = os.memfd_create("picture")
    try:
        os.write(fd, data)
        os.lseek(fd, 0, os.SEEK_SET)
        reading = read_original(fd, lambda: None)
        identified = identify(name, reading.head)
        return None if identified is None else pixel_digest(reading, identified, Limits(max_pixels=1_000_000))
    finally:
        os.close(fd)


def saved(gray: Any = None, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture = gray if isinstance(gray, Image.Image) else Image.fromarray(noise(1) if gray is None else gray)
    picture.save(out, form, **options)
    return out.getvalue()


def with_exif(**tags: int | str) -> Image.Exif:
    from PIL import ExifTags

    exif = Image.Exif()
    for name, value in tags.items():
        exif[ExifTags.Base[name]] = value
    return exif


NAMES = {"JPEG": "a.jpg", "PNG": "a.png", "TIFF": "a.tif", "WEBP": "a.webp", "GIF": "a.gif", "BMP": "a.bmp"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_other_metadata_are_the_same_pixels(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    plain = digest(saved(form=form, **options), NAMES[form])
    assert isinstance(plain, bytes)
    assert len(plain) == 32
    assert digest(saved(form=form, exif=with_exif(Make="Canon", Software="x" * 999), **options), NAMES[form]) == plain


def test_comments_and_application_segments_of_a_jpeg_do_not_count() -> None:
    plain = saved()
    for marker, body in (
        (0xFE, b"a comment"),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        (0xED, b"Photoshop 3.0\0"),
    ):
        segment = bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
        assert digest(plain[:2] + segment + plain[2:]) == digest(plain)
    assert digest(plain[:2] + b"\xff\xff\xff\xfe\0\4hi" + plain[2:]) == digest(plain), "fill bytes"


def test_a_colour_profile_counts_because_it_changes_what_is_shown() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for form in ("JPEG", "PNG", "TIFF", "WEBP"):
        options = {"lossless": True} if form == "WEBP" else {}
        one, other = saved(form=form, **options), saved(form=form, icc_profile=profile, **options)
        assert digest(one, NAMES[form]) != digest(other, NAMES[form]), form


@pytest.mark.parametrize("form", list(NAMES))
def test_one_pixel_makes_another_picture(form: str) -> None:
    one = noise(1)
    other = one.copy()
    other[31, 17] ^= 0xFF if form == "JPEG" else 1
    options = {"lossless": True} if form == "WEBP" else {}
    first, second = (digest(saved(gray, form, **options), NAMES[form]) for gray in (one, other))
    assert isinstance(first, bytes)
    assert first != second


def test_the_same_pixels_under_another_orientation_are_another_picture() -> None:
    for form in ("JPEG", "PNG", "TIFF"):
        assert digest(saved(form=form), NAMES[form]) != digest(
            saved(form=form, exif=with_exif(Orientation=6)), NAMES[form]
        )
        assert digest(saved(form=form), NAMES[form]) == digest(
            saved(form=form, exif=with_exif(Orientation=1)), NAMES[form]
        )


def test_another_size_or_mode_of_the_same_bytes_is_another_picture() -> None:
    flat = np.zeros((32, 64), np.uint8)
    assert digest(saved(flat, "PNG"), "a.png") != digest(saved(flat.reshape(64, 32), "PNG"), "a.png")


def test_transparency_counts() -> None:
    gray = Image.fromarray(noise(1))
    half = gray.convert("LA")
    half.putalpha(Image.fromarray(noise(2)))
    assert digest(saved(gray, "PNG"), "a.png") != digest(saved(half, "PNG"), "a.png")


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP", "PNG"])
def test_pictures_that_differ_only_behind_the_first_frame_are_not_the_same(form: str) -> None:
    """A scan of several pages and its first page; an animation and the still that it begins with."""
    frames = [Image.fromarray(noise(seed)) for seed in range(3)]
    options = {"lossless": True} if form == "WEBP" else {}
    still = saved(frames[0], form, **options)
    moving = [
        saved(frames[0], form, save_all=True, append_images=frames[1:end], **options) for end in (2, 3)
    ] + [saved(frames[0], form, save_all=True, append_images=frames[2:], **options)]  # fmt: skip
    digests = [digest(data, NAMES[form]) for data in (still, *moving)]
    assert all(isinstance(one, bytes) for one in digests)
    assert len(set(digests)) == 4


def test_what_a_text_chunk_says_is_metadata() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "by the lake")
    assert digest(saved(form="PNG", pnginfo=info), "a.png") == digest(saved(form="PNG"), "a.png")


WHOLE = saved(exif=with_exif(Make="Canon"))


@given(st.integers(0, len(WHOLE)))
@settings(max_examples=60, deadline=None)
def test_a_cut_jpeg_never_raises_and_is_not_the_whole(end: int) -> None:
    found = digest(WHOLE[:end])
    assert found is None or isinstance(found, (bytes, Undecodable))
    if end < len(WHOLE) - 2:
        assert found != digest(WHOLE)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=30))
@settings(max_examples=150, deadline=None)
def test_hostile_jpeg_bytes_never_raise(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for at, value in changes:
        data[at] = value
    found = digest(bytes(data))
    assert found is None or isinstance(found, (bytes, Undecodable))


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_behind_a_jpeg_head_never_raise(data: bytes) -> None:
    for head in (
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        b"\xff\xd8\xff\xda\0\2",
        b"\xff\xd8\xff\xfe\0\0",
        b"\xff\xd8" + b"\xff" * 20,
    ):
        found = digest(head + data)
        assert found is None or isinstance(found, (bytes, Undecodable))


def test_no_file_of_the_corpus_raises(photos: Path) -> None:
    for folder in ("malformed", "orientation/small"):
        for path in sorted((photos / folder).rglob("*")):
            if path.is_file() and path.stat().st_size < 300_000 and "deadly" not in path.name:
                found = digest(path.read_bytes(), path.name)
                assert found is None or isinstance(found, (bytes, Undecodable)), path
