"""What a file is: its content decides, its name helps, and a lie in the name is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lumina_fs.filetypes import (
    OTHER_EXTENSIONS,
    RAW_FORMATS,
    Identified,
    Kind,
    by_extension,
    extension,
    identify,
    may_be_original,
    sniff,
)


def box(brand: bytes, *compatible: bytes) -> bytes:
    """The head of a file of the MP4 family."""
    size = 16 + 4 * len(compatible)
    return (size.to_bytes(4, "big") + b"ftyp" + brand + b"\0\0\0\0" + b"".join(compatible)).ljust(64, b"\0")


HEADS: dict[str, bytes] = {
    "JPEG": b"\xff\xd8\xff\xe1", "PNG": b"\x89PNG\r\n\x1a\n", "GIF": b"GIF89a", "TIFF": b"II*\0\x08\0\0\0",
    "WEBP": b"RIFF\x10\0\0\0WEBPVP8 ", "AVI": b"RIFF\x10\0\0\0AVI LIST", "BMP": b"BM" + b"\0" * 12 + b"\x28\0\0\0",
    "PSD": b"8BPS\0\x01", "JXL": b"\xff\x0a\xfa", "JP2": b"\0\0\0\x0cjP  \r\n\x87\n", "RAF": b"FUJIFILMCCD-RAW 0201",
    "CR2": b"II*\0\x10\0\0\0CR\x02\0", "RW2": b"IIU\0\x18", "ORF": b"IIRO\x08\0", "MKV": b"\x1a\x45\xdf\xa3\x01",
    "WEBM": b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "FLV": b"FLV\x01\x05", "MPEG": b"\0\0\x01\xba\x44",
    "HEIC": box(b"heic", b"mif1"), "AVIF": box(b"mif1", b"mif1", b"avif"), "CR3": box(b"crx ", b"isom"),
    "MOV": box(b"qt  "), "MP4": box(b"isom", b"mp41"), "3GP": box(b"3gp4"), "3G2": box(b"3g2a"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_content_is_known_whatever_the_name_says(name: str) -> None:
    head = HEADS[name].ljust(256, b"\0")
    found = sniff(head)
    assert found is not None
    assert found.format == name
    assert identify("noname", head) == Identified(name, found.media, None)
    told = identify("x.gif" if name != "GIF" else "x.png", head)
    assert told is not None
    assert (told.format, told.media) == (name, found.media)
    assert told.note == f"named .{'gif' if name != 'GIF' else 'png'}, but its content is {name}"


def test_brands_of_the_mp4_family_that_say_nothing_leave_it_to_the_others() -> None:
    assert sniff(box(b"mif1", b"heic")) == Kind("HEIC", "image")
    assert sniff(box(b"XXXX", b"qt  ")) == Kind("MOV", "video")
    assert sniff(box(b"XXXX", b"YYYY")) == Kind("MP4", "video")
    assert sniff(box(b"heic")[:16]) == Kind("HEIC", "image")


NOTHING = [
    b"", b"\0" * 64, b"hello, world" * 8, b"BM, said he, and more", b"RIFF\0\0\0\0WAVEfmt ", b"%PDF-1.7", b"ftyp",
]  # fmt: skip


@pytest.mark.parametrize("head", NOTHING)
def test_what_is_no_picture_is_none(head: bytes) -> None:
    assert sniff(head) is None
    assert identify("notes.txt", head) is None
    assert identify("a.jpg", head) == Identified("JPEG", "image", None), "it is named so, and will be told as broken"


@pytest.mark.parametrize(
    ("name", "head", "format_", "lies"),
    [
        ("a.jpg", "JPEG", "JPEG", False),
        ("a.JPEG", "JPEG", "JPEG", False),
        ("a.NEF", "TIFF", "NEF", False),
        ("a.dng", "TIFF", "DNG", False),
        ("a.tif", "CR2", "CR2", True),
        ("a.cr2", "CR2", "CR2", False),
        ("a.mp4", "MOV", "MP4", False),
        ("a.mov", "MP4", "MOV", False),
        ("a.heic", "JPEG", "JPEG", True),
        ("a.jpg", "MP4", "MP4", True),
        ("a.nef", "JPEG", "JPEG", True),
        ("a.dat", "JPEG", "JPEG", True),
        ("a", "JPEG", "JPEG", False),
    ],
)
def test_a_name_may_know_better_within_a_family_and_is_told_otherwise(
    name: str, head: str, format_: str, lies: bool
) -> None:
    found = identify(name, HEADS[head].ljust(64, b"\0"))
    assert found is not None
    assert found.format == format_
    assert (found.note is not None) == lies


def test_the_name_alone_tells_most_files() -> None:
    assert by_extension("IMG.JPG") == Kind("JPEG", "image")
    assert by_extension("clip.MoV") == Kind("MOV", "video")
    assert by_extension("x.arw") == Kind("ARW", "image")
    assert by_extension("jpg") is None
    assert by_extension(".jpg") is None
    assert extension("a.b.TIFF") == "tiff"
    assert may_be_original("a.heif") is True
    assert may_be_original("a.JPG.json") is False
    assert may_be_original("a.unknown") is None
    assert may_be_original("noname") is None


def test_no_extension_is_both_a_photo_and_something_else() -> None:
    assert [one for one in OTHER_EXTENSIONS if by_extension(f"x.{one}") is not None] == []
    assert {"NEF", "CR2", "DNG", "ARW"} <= RAW_FORMATS


def test_real_files_are_what_their_known_truth_says(photos: Path) -> None:
    truth = json.loads((photos / "truth.json").read_text())
    finer = {"CR2": "TIFF", "WEBM": "MKV"}
    seen = set()
    for name, true in truth.items():
        path = photos / name
        if (
            true["magic"] in {"JPEG", "PNG", "GIF", "PSD", "TIFF", "JXL", "JP2", "MRW", "CRW", "X3F", "MKV"}
            and path.exists()
        ):
            with path.open("rb") as file:
                found = sniff(file.read(64))
            assert found is not None, name
            assert true["magic"] in (found.format, finer.get(found.format)), name
            seen.add(name)
    assert len(seen) > 500
