"""ExifTool: everything it says, whatever the files and their names are."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumina_fs import exif
from lumina_fs.errors import ToolMissing
from lumina_fs.exif import ExifFailure, ExifReader, OpenFile

DEADLY = b"\x1f\x8b\x08\xff"


@pytest.fixture
def reader() -> Iterator[ExifReader]:
    with ExifReader(exif.require()[0], seconds=5) as found:
        yield found


@pytest.fixture
def jpeg(tmp_path: Path) -> bytes:
    from PIL import ExifTags, Image

    tags = Image.Exif()
    tags[ExifTags.Base.Make] = "Canon"
    path = tmp_path / "made.jpg"
    Image.new("RGB", (16, 16)).save(path, exif=tags)
    return path.read_bytes()


def opened(path: bytes | Path, extension: str = "jpg") -> OpenFile:
    return OpenFile(os.open(path, os.O_RDONLY), extension)


def test_a_file_that_kills_exiftool_costs_no_other_its_answer(reader: ExifReader, tmp_path: Path, jpeg: bytes) -> None:
    files = []
    for number in range(9):
        path = tmp_path / f"{number}.bmp"
        path.write_bytes(DEADLY if number in (0, 4, 5) else jpeg)
        files.append(opened(path, "bmp"))
    answers = reader.read(files)
    assert [isinstance(answer, ExifFailure) for answer in answers] == [n in (0, 4, 5) for n in range(9)]
    assert all(answer["EXIF:Make"] == "Canon" for answer in answers if isinstance(answer, dict))
    assert reader.read(files[1:2])[0]


@pytest.mark.parametrize(
    "name",
    [
        b"x\n-Comment=owned\n.jpg",
        b"-delete_original.jpg",
        b"caf\xe9.jpg",
        b"a'b\"c $(id) %d.jpg",
        b"\x1b[2J.jpg",
        b"@x.jpg",
    ],
)
def test_no_name_reaches_exiftool(reader: ExifReader, tmp_path: Path, jpeg: bytes, name: bytes) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(jpeg)
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "wb") as file:
        file.write(jpeg)
    before = sorted(os.listdir(os.fsencode(tmp_path)))
    one, two = reader.read([opened(path), opened(other)])
    assert isinstance(one, dict)
    assert one == two
    assert not any("FileName" in key or "Directory" in key for key in one)
    assert other.read_bytes() == jpeg
    assert sorted(os.listdir(os.fsencode(tmp_path))) == before


def test_a_hanging_exiftool_is_ended_and_replaced(tmp_path: Path, jpeg: bytes) -> None:
    """A broken file may let it loop for ever; here it is stopped at the first file of a batch, like one that hangs."""
    files = []
    for number in range(3):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(jpeg)
        files.append(opened(path))
    with ExifReader(exif.require()[0], seconds=4) as reader:
        assert isinstance(reader.read(files[:1])[0], dict)
        assert reader._child is not None
        os.kill(reader._child._process.pid, signal.SIGSTOP)
        answers = reader.read(files)
    assert answers[0] == ExifFailure("timeout")
    assert [isinstance(answer, dict) for answer in answers] == [False, True, True]


def test_previews_come_out_of_raw_files(reader: ExifReader, photos: Path) -> None:
    found = reader.previews(opened(photos / "raw/real/Canon-R6-pruned.CR3", "cr3"))
    assert found is not None
    assert found.startswith(b"\xff\xd8")
    assert len(found) > 100_000
    assert reader.previews(opened(photos / "content/skimage_coffee.png", "png")) is None


def test_an_old_or_missing_exiftool_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="apt-get install"):
        exif.require()
    old = tmp_path / "exiftool"
    old.write_text("#!/bin/sh\necho 12.10\n")
    old.chmod(0o755)
    with pytest.raises(ToolMissing, match=r"12\.10 is too old, at least 12\.38"):
        exif.require()


def test_the_version_is_that_of_the_program() -> None:
    path, version = exif.require()
    assert subprocess.run([path, "-ver"], capture_output=True, text=True, check=True).stdout.strip() == version
