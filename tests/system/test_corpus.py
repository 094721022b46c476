"""Every real photograph of the corpus in one scan: nothing is harmed, nothing hangs, and what is true is found."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lumina_fs.filetypes import by_extension, may_be_original
from schemas.document import load
from schemas.sidecar import Sidecar

#: Files whose truth is not what a catalog should say, and why.
EXCEPTIONS = {
    "exif/makers_stripped/ExifTool.jpg": "two cameras in one file: EXIF's own is taken",
    "exif/photoprism/buggy_panorama.jpg": "a latitude of 213 degrees is no place",
    "malformed/perkeep/bad-exif.jpg": "a longitude of minus four milliards is no place",
    "raw/metadata_only/CanonRaw.cr2": "the size of the small picture inside, not of the photo",
    "raw/metadata_only/CaptureOne.eip": "the size of the preview inside, not of the photo",
    "raw/metadata_only/FujiFilm.raf": "the size of the preview that was stripped, not of the photo",
}


class Scanned(NamedTuple):
    """The corpus after a scan: where it lies, the result, digests of all files before, and sidecars by path."""

    root: Path
    result: Any
    before: dict[str, str]
    sidecars: dict[str, dict[str, Any]]
    truth: dict[str, dict[str, Any]]
    library: Any


def digests(root: Path) -> dict[str, str]:
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".lumina"]
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith(".lumina.json"):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, root)] = hashlib.sha256(file.read()).hexdigest()
    return found


@pytest.fixture(scope="module")
def scanned(photos: Path, tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Scanned:
    from tests.conftest import Library

    root = tmp_path_factory.mktemp("corpus") / "photos"
    shutil.copytree(photos, root, copy_function=shutil.copy2)
    with tarfile.open(root / "unicode_names.tar") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(root, filter="data")
        else:  # the Python of Debian 12
            archive.extractall(root)
    before = digests(root)
    library = Library(root)
    result = library.scan()
    sidecars = {}
    for path in before:
        if os.path.exists(root / f"{path}.lumina.json"):
            sidecars[path] = json.loads((root / f"{path}.lumina.json").read_bytes())
    truth = json.loads((root / "truth.json").read_bytes())
    return Scanned(root, result, before, sidecars, truth, library)


def test_no_original_is_changed_by_a_byte(scanned: Scanned) -> None:
    assert digests(scanned.root) == scanned.before


def test_every_picture_and_video_has_a_sidecar(scanned: Scanned) -> None:
    without = set(scanned.before) - set(scanned.sidecars)
    assert len(scanned.sidecars) > 900
    # what has none is no picture by its name, or says by its content that it is none
    assert {os.path.splitext(path)[1].lower() for path in without if may_be_original(path)} == set()
    assert all(by_extension(path) is None for path in without)


def test_every_sidecar_is_valid_and_small(scanned: Scanned) -> None:
    for path in scanned.sidecars:
        data = (scanned.root / f"{path}.lumina.json").read_bytes()
        load(data, Sidecar)
        assert len(data) < 16_384, path


def test_a_file_without_a_picture_says_why(scanned: Scanned) -> None:
    for path, value in scanned.sidecars.items():
        if "phash" not in value["measurements"]:
            assert value["problems"], path
            assert all(problem["message"] for problem in value["problems"])


def test_what_pillow_decodes_is_measured(scanned: Scanned) -> None:
    for path, true in scanned.truth.items():
        if true.get("decodable") == "yes" and path in scanned.sidecars:
            assert "phash" in scanned.sidecars[path]["measurements"], path


def test_dates_cameras_places_and_sizes_are_true(scanned: Scanned) -> None:
    wrong, compared = [], 0
    for path, true in scanned.truth.items():
        value = scanned.sidecars.get(path)
        if value is None or path in EXCEPTIONS:
            continue
        exif, capture = true.get("exif") or {}, value["capture"]
        compared += 1
        wrong += [(path, *difference) for difference in differences(exif, capture)]
        wrong += [
            (path, name, true[name], value["original"].get(name))
            for name in ("width", "height")
            if true.get(name) and value["original"].get(name) not in (true[name], None)
            and "truncated" not in codes(value)
        ]  # fmt: skip
    assert wrong == []
    assert compared > 850


def codes(value: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in value["problems"]]


def differences(exif: dict[str, Any], capture: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(what, true, found) of all that does not agree."""
    taken = str(exif.get("DateTimeOriginal") or "")
    if taken and not taken.startswith("0000"):
        wanted = taken[:10].replace(":", "-") + "T" + taken[11:19]
        found = [date["local"][:19] for date in capture["dates"]]
        if wanted not in found:
            yield "DateTimeOriginal", taken, found
    for name in ("Make", "Model"):
        if exif.get(name) is not None:
            wanted, got = " ".join(str(exif[name]).split()), capture.get("camera", {}).get(name.lower(), "")
            if wanted != got:
                yield name, wanted, got
    for name in ("latitude", "longitude"):
        true = exif.get(f"GPS{name.capitalize()}")
        if isinstance(true, (int, float)):
            got = capture.get("gps", {}).get(name)
            if got is None or abs(got - true) > 1e-5:
                yield name, true, got


def test_dates_in_names_and_folders_are_right(scanned: Scanned) -> None:
    expected = json.loads((scanned.root / "dates/expected.json").read_bytes())
    for entry in expected:
        value = scanned.sidecars[f"dates/{entry['file']}"]
        dates = {date["source"]: date["local"] for date in value["capture"]["dates"]}
        if "date_in_folder" in entry:
            assert dates.get("directory") == entry["date_in_folder"], entry
        elif entry["date_in_name"] is not None:
            assert dates.get("filename", "").replace("T", " ") == entry["date_in_name"], entry
        else:  # "25:60 is no time; the date may stand"
            assert dates.get("filename") in (None, "2023-10-06" if "256000" in entry["file"] else None), entry


def test_a_name_against_exif_is_flagged(scanned: Scanned) -> None:
    value = scanned.sidecars["dates/conflict/IMG_20200101_000000.jpg"]
    assert value["capture"]["taken"]["source"] == "exif"
    assert "filename_disagrees" in value["capture"]["date_flags"]


def test_odd_names_are_all_kept(scanned: Scanned) -> None:
    listed = json.loads((scanned.root / "unicode_names/names.json").read_bytes())
    names = [entry["file"] if isinstance(entry, dict) else entry for entry in listed]
    assert len(names) > 20
    for name in names:
        value = scanned.sidecars[f"unicode_names/{name}"]
        assert value["original"]["name"] == os.path.basename(name)


def test_all_eight_orientations_are_shown_upright(scanned: Scanned) -> None:
    from lumina_fs.measure.registry import VERSIONS

    assert "phash" in VERSIONS
    folder = [path for path in scanned.sidecars if path.startswith("orientation/eight/landscape")]
    assert len(folder) >= 8
    codes = {int(scanned.sidecars[path]["measurements"]["phash"]["value"], 16) for path in folder}
    first = min(codes)
    assert all((first ^ code).bit_count() <= 4 for code in codes)


def test_the_second_scan_writes_nothing(scanned: Scanned) -> None:
    scanned.library.scan()
    before = scanned.library.tree()
    result = scanned.library.scan()
    assert (result.added, result.updated, result.moved, result.missing) == (0, 0, 0, 0)
    assert result.unchanged == result.found
    assert scanned.library.tree() == before


def test_the_index_is_what_the_files_say(scanned: Scanned) -> None:
    import threading

    from lumina_fs.catalog import Catalog
    from lumina_fs.progress import Finished
    from lumina_fs.rebuild import verify

    with Catalog.open(str(scanned.root)) as catalog:
        *_, last = verify(catalog, cancel=threading.Event())
    assert isinstance(last, Finished)
    assert last.result.equal
