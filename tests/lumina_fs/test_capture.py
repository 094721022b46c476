"""The capture block: the same form for what every camera says in its own, and room for the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lumina_fs.capture import Capture, budget, capture
from schemas.sidecar import Capture as Model


def made(tags: dict[str, Any], media: str = "image", room: int = 8192) -> Capture:
    return capture(
        tags, path="a/b.jpg", mtime_ns=1_600_000_000_000_000_000, now=datetime(2026, 1, 1, tzinfo=UTC), media=media,
        reader="exiftool 12.57", tag_bytes=room,
    )  # fmt: skip


def test_what_everybody_asks_for_has_one_form() -> None:
    block = made({
        "EXIF:Make": " Canon ", "EXIF:Model": "Canon EOS 80D", "EXIF:LensModel": "EF50mm", "EXIF:ExposureTime": 0.01,
        "EXIF:FNumber": 4, "EXIF:ISO": 400, "EXIF:Flash": 9, "EXIF:ExposureProgram": 3, "EXIF:FocalLength": 50,
        "EXIF:Orientation": 6, "Composite:ImageSize": "4000 3000", "Composite:GPSLatitude": -12.5,
        "Composite:GPSLongitude": 100.25, "Composite:GPSAltitude": 3.456,
    })  # fmt: skip
    assert block.block["camera"] == {"make": "Canon", "model": "Canon EOS 80D"}
    assert block.block["lens"] == {"model": "EF50mm"}
    assert block.block["exposure"] == {
        "time": 0.01, "f_number": 4.0, "iso": 400, "focal_length": 50.0, "flash": True, "program": "aperture priority",
    }  # fmt: skip
    assert block.block["gps"] == {"latitude": -12.5, "longitude": 100.25, "altitude": 3.46}
    assert (block.width, block.height) == (3000, 4000)  # as displayed


def test_a_lens_without_a_name_is_told_by_its_numbers() -> None:
    assert made({"EXIF:LensInfo": "18 55 3.5 5.6"}).block["lens"] == {"model": "18-55mm f/3.5-5.6"}
    assert made({"EXIF:LensInfo": "50 50 1.8 1.8"}).block["lens"] == {"model": "50mm f/1.8"}
    assert "lens" not in made({"EXIF:LensInfo": "0 0 0 0"}).block


def test_places_that_are_none_are_left_out() -> None:
    for latitude, longitude in ((213.6, 10), (10, -4294966352), ("x", 1), (float("nan"), 1)):
        assert "gps" not in made({"Composite:GPSLatitude": latitude, "Composite:GPSLongitude": longitude}).block


def test_a_video_is_turned_by_its_rotation() -> None:
    found = made({"Composite:ImageSize": "1920 1080", "Composite:Rotation": 90, "QuickTime:Duration": 12.3456}, "video")
    assert (found.width, found.height, found.duration) == (1080, 1920, 12.346)


def test_the_dearest_tags_stay_when_there_is_no_room_for_all() -> None:
    tags: dict[str, Any] = {f"MakerNotes:Tag{number}": "x" * 40 for number in range(300)}
    tags |= {
        "EXIF:Make": "Canon",
        "XMP:Title": "Lake",
        "EXIF:Huge": "y" * 5000,
        "EXIF:ThumbnailImage": "(Binary data 9 b",
    }
    kept, left = budget(tags, 4096)
    assert len(json.dumps(kept, indent=2)) < 4600
    assert {"EXIF:Make", "XMP:Title"} <= set(kept)
    assert list(kept) == [name for name in tags if name in kept]
    assert left is not None
    assert left["count"] == len(tags) - len(kept)
    assert "EXIF:Huge" in left["names"] or len(left["names"]) == 40


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from([
    "EXIF:Make", "EXIF:ISO", "EXIF:Flash", "EXIF:Orientation", "EXIF:FNumber", "Composite:ImageSize", "EXIF:LensInfo",
    "Composite:GPSLatitude", "Composite:GPSLongitude", "Composite:Duration", "QuickTime:Rotation",
    "EXIF:ExposureProgram", "H264:Make", "EXIF:DateTimeOriginal", "odd", ":", "a:b:c",
])  # fmt: skip


@given(st.dictionaries(KEYS, VALUES), st.sampled_from(["image", "video"]))
def test_nothing_that_a_file_says_breaks_the_block(tags: dict[str, Any], media: str) -> None:
    found = made(tags, media)
    Model.model_validate(found.block)
    json.dumps(found.block, allow_nan=False).encode()
