"""What belongs together is told by names in one folder, and Live Photos by their identifier alone."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumina_fs.units import Unit, moved_name, units_of

if TYPE_CHECKING:
    from tests.conftest import Library


def units(*names: str, ids: dict[str, str] | None = None) -> dict[str, Unit]:
    here = set(names)
    originals = {name for name in names if name.endswith((".JPG", ".CR2", ".MOV", ".HEIC", ".jpg", ".mp4", ".NEF"))}
    return {unit.originals[0]: unit for unit in units_of(originals, here, here, ids or {})}


def test_both_forms_of_xmp_captions_and_edits_belong_to_their_original() -> None:
    found = units(
        "IMG.JPG", "IMG.JPG.lumina.json", "IMG.JPG.xmp", "IMG.xmp", "IMG.XMP", "IMG.txt", "IMG.JPG.TXT", "IMG.AAE",
        "IMG_2.xmp", "IMG", "IMG.mp3", "other.JPG",
    )  # fmt: skip
    assert {(one.part, one.name) for one in found["IMG.JPG"].travellers} == {
        ("sidecar", "IMG.JPG.lumina.json"), ("xmp", "IMG.JPG.xmp"), ("xmp", "IMG.xmp"), ("xmp", "IMG.XMP"),
        ("caption", "IMG.txt"), ("caption", "IMG.JPG.TXT"), ("edits", "IMG.AAE"),
    }  # fmt: skip
    assert found["other.JPG"].travellers == ()


def test_a_raw_file_and_its_picture_are_one_unit_and_two_pictures_are_not() -> None:
    found = units("A.CR2", "A.JPG", "A.CR2.lumina.json", "A.JPG.lumina.json", "B.JPG", "B.HEIC", "C.CR2", "c.JPG")
    assert {frozenset(unit.originals) for unit in found.values()} == {
        frozenset(one) for one in (["A.CR2", "A.JPG"], ["B.JPG"], ["B.HEIC"], ["C.CR2"], ["c.JPG"])
    }
    assert {one.name for one in found["A.JPG"].travellers} == {"A.CR2.lumina.json", "A.JPG.lumina.json"}


def test_a_live_photo_is_told_by_its_identifier_and_never_by_its_name() -> None:
    assert len(units("IMG.JPG", "IMG.MOV")) == 2
    found = units("IMG.JPG", "other.MOV", "x.JPG", ids={"IMG.JPG": "u", "other.MOV": "u", "x.JPG": "v"})
    assert {unit.originals for unit in found.values()} == {("IMG.JPG", "other.MOV"), ("x.JPG",)}
    both = units("A.JPG", "A.MOV", "B.JPG", "B.MOV", ids=dict.fromkeys(("A.JPG", "A.MOV", "B.JPG", "B.MOV"), "u"))
    assert {unit.originals for unit in both.values()} == {("A.JPG", "A.MOV"), ("B.JPG", "B.MOV")}
    raw = units("A.NEF", "A.HEIC", "A.MOV", ids={"A.HEIC": "u", "A.MOV": "u"})
    assert [set(unit.originals) for unit in raw.values()] == [{"A.NEF", "A.HEIC", "A.MOV"}]


def test_a_shared_xmp_goes_with_the_raw_file_and_a_shared_caption_with_the_still() -> None:
    found = units("A.CR2", "A.mp4", "A.xmp", "B.mp4", "B.JPG", "B.txt")
    assert [one.name for one in found["A.CR2"].travellers] == ["A.xmp"]
    assert [one.name for one in found["B.JPG"].travellers] == ["B.txt"]


def test_a_folder_without_travellers_gives_the_units_that_it_gives_beside_a_stranger() -> None:
    """Such folders, nearly all, are told apart early: a file of nobody's sends the same ones the long way."""
    for names in (
        ["A.JPG"],
        ["A.JPG", "A.JPG.lumina.json", "B.CR2", "C.MOV", "C.MOV.lumina.json"],
        ["x" * 245 + ".JPG"],
    ):
        plain = units(*names)
        assert plain == units(*names, "stranger.xmp")
        assert len(plain) == len([name for name in names if "lumina" not in name])


def test_travellers_are_called_after_their_original() -> None:
    found = units("A.JPG", "A.JPG.lumina.json", "A.JPG.xmp", "A.XMP", "A.txt")["A.JPG"]
    assert {one.name: moved_name(one, {"A.JPG": "new-1.JPG"}) for one in found.travellers} == {
        "A.JPG.lumina.json": "new-1.JPG.lumina.json", "A.JPG.xmp": "new-1.JPG.xmp", "A.XMP": "new-1.XMP",
        "A.txt": "new-1.txt",
    }  # fmt: skip


def test_real_live_photos_are_one_unit_and_lookalikes_are_not(photos: Path, library: Library) -> None:
    from index.listing import originals
    from lumina_fs.answers import answering_index
    from lumina_fs.catalog import Catalog

    shutil.copytree(photos / "live_photo", library.root / "live")
    library.scan()
    with (
        Catalog.open(str(library.root)) as catalog,
        answering_index(
            catalog, show=lambda event: None, may_rebuild=lambda why: True, cancel=threading.Event()
        ) as index,
    ):
        rows = {row.path: row for row in originals(index)}
    names = {path.rpartition("/")[2]: row.content_id for path, row in rows.items() if row.content_id}
    assert {"train.jpg", "train.mov"} <= names.keys()
    pair = units_of({"train.jpg", "train.mov"}, set(), set(), names)
    assert [unit.originals for unit in pair] == [("train.jpg", "train.mov")]
    assert rows["live/not_a_pair/IMG_1234.mp4"].content_id is None
    assert json.loads(library.sidecar("live/apple_pair/train.mov").read_bytes())["capture"]["tags"]


@pytest.mark.parametrize("name", ["IMG.JPG", "x" * 245 + ".JPG"])
def test_a_sidecar_is_found_under_a_name_that_was_cut(name: str) -> None:
    from lumina_fs.sidecars import sidecar_name

    [unit] = units_of({name}, {name}, {sidecar_name(name)}, {})
    assert [one.name for one in unit.travellers] == [sidecar_name(name)]
