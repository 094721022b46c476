"""A scan of some folders alone: the same as a scan of all, as far as these folders go."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.errors import SourceOffline
from lumina_fs.opener import Opener
from lumina_fs.progress import Finished
from lumina_fs.scan import Narrowing, ScanResult, scan

if TYPE_CHECKING:
    from tests.conftest import Library


def look(library: Library, *folders: str, below: bool = False, unfinished: tuple[str, ...] = ()) -> ScanResult:
    """Scan these folders of the main source."""
    cancel = threading.Event()
    with Catalog.open(str(library.root)) as catalog, Opener(catalog, cancel) as opener:
        wanted = {"main": dict.fromkeys(folders, below)}
        narrowing = Narrowing(opener, lambda path: os.path.relpath(path, library.root) in unfinished, wanted)
        *_, last = scan(catalog, cancel=cancel, narrowing=narrowing)
    assert isinstance(last, Finished)
    return last.result


@pytest.fixture
def two(library: Library) -> Library:
    """Three photos in each of the folders a and b, one of them curated."""
    for number in range(3):
        library.photo(f"a/{number}.jpg", number)
        library.photo(f"b/{number + 3}.jpg", number + 3)
    library.scan()
    library.curate("a/0.jpg", caption="mine")
    library.scan()
    return library


def test_only_these_folders_are_looked_at(two: Library) -> None:
    two.photo("a/new.jpg", 10)
    two.photo("b/new.jpg", 11)
    two.photo("a/deep/new.jpg", 12)
    result = look(two, "a")
    assert (result.found, result.added, result.unchanged) == (4, 1, 3)
    assert look(two, "a", below=True).added == 1
    assert two.scan().added == 1
    assert look(two, "", below=True).unchanged == 9


def test_a_photo_moved_between_two_of_them_keeps_its_sidecar(two: Library) -> None:
    id_ = two.value("a/0.jpg")["id"]
    os.rename(two.root / "a/0.jpg", two.root / "b/other name.jpg")
    result = look(two, "a", "b")
    assert (result.moved, result.added, result.missing) == (1, 0, 0)
    assert two.value("b/other name.jpg")["id"] == id_
    assert two.search("mine") == ["b/other name.jpg"]


@pytest.mark.parametrize("first", ["a", "b"])
def test_the_order_in_which_the_ends_of_a_move_are_seen_does_not_matter(two: Library, first: str) -> None:
    id_ = two.value("a/0.jpg")["id"]
    os.rename(two.root / "a/0.jpg", two.root / "b/0.jpg")
    for folder in (first, "b" if first == "a" else "a"):
        look(two, folder)
    assert two.value("b/0.jpg")["id"] == id_
    assert "missing_since" not in two.value("b/0.jpg")["original"]
    assert not two.sidecar("a/0.jpg").exists()
    assert two.search("mine") == ["b/0.jpg"]
    assert two.scan().unchanged == 6


@pytest.mark.parametrize("first", ["a", "c"])
def test_a_folder_moved_with_its_sidecars_is_a_move_in_either_order(two: Library, first: str) -> None:
    ids = {number: two.value(f"a/{number}.jpg")["id"] for number in range(3)}
    os.rename(two.root / "a", two.root / "c")
    for folder in (first, "c" if first == "a" else "a"):
        look(two, folder, below=True)
    assert {number: two.value(f"c/{number}.jpg")["id"] for number in range(3)} == ids
    assert sorted(two.search()) == sorted([*(f"b/{n}.jpg" for n in range(3, 6)), *(f"c/{n}.jpg" for n in range(3))])
    assert two.scan().unchanged == 6


def test_a_copy_of_a_photo_elsewhere_is_no_move(two: Library) -> None:
    (two.root / "b/copy.jpg").write_bytes((two.root / "a/0.jpg").read_bytes())
    assert look(two, "b").added == 1
    assert two.value("b/copy.jpg")["id"] != two.value("a/0.jpg")["id"]
    assert two.value("a/0.jpg")["curation"] == {"caption": "mine"}


def test_what_was_missing_is_known_again_wherever_it_comes_back(two: Library, tmp_path: Path) -> None:
    os.rename(two.root / "a/0.jpg", tmp_path / "away.jpg")
    assert two.scan().missing == 1
    os.rename(tmp_path / "away.jpg", two.root / "b/back.jpg")
    assert two.scan().moved == 1
    assert two.search("mine") == ["b/back.jpg"]


def test_a_part_that_is_gone_is_judged_by_the_whole_source(two: Library) -> None:
    for number in range(3):
        two.photo(f"c/{number}.jpg", 20 + number)
    two.scan()
    before = two.tree()
    for path in [*(two.root / "a").glob("*.jpg"), *(two.root / "b").glob("*.jpg")]:
        path.unlink()
    with pytest.raises(SourceOffline):
        look(two, "a", "b")
    assert {path for path in two.tree() if path.endswith(".lumina.json")} == {
        path for path in before if path.endswith(".lumina.json")
    }
    for number in range(3):
        two.photo(f"b/{number + 3}.jpg", number + 3)
    assert look(two, "a", "b").missing == 3  # a third is no sign of a disk that is gone


def test_a_file_that_is_still_being_written_is_left_for_later(two: Library) -> None:
    two.photo("a/growing.jpg", 10)
    result = look(two, "a", unfinished=("a/growing.jpg",))
    assert (result.added, result.found) == (0, 3)
    assert not two.sidecar("a/growing.jpg").exists()
    assert look(two, "a").added == 1


def test_names_that_are_not_utf8_are_found_in_their_folders(two: Library) -> None:
    folder = os.path.join(os.fsencode(two.root), b"caf\xe9 %41")
    os.mkdir(folder)
    with open(os.path.join(folder, b"th\xe9.jpg"), "wb") as file:
        file.write((two.root / "a/0.jpg").read_bytes() + b"x")
    with open(os.path.join(os.fsencode(two.root), b"a/th\xe9.jpg"), "wb") as file:
        file.write((two.root / "a/0.jpg").read_bytes() + b"y")
    name = os.fsdecode(b"caf\xe9 %41")
    assert look(two, name, "a").added == 2
    assert look(two, name, "a").unchanged == 5
    os.unlink(os.path.join(folder, b"th\xe9.jpg"))
    assert look(two, name).missing == 1


def test_sidecars_kept_in_the_catalog_are_found_by_folder(
    library: Library, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("card")
    (outside / "x").mkdir()
    library.photo("a.jpg", 1)
    for name in ("one.jpg", "x/two.jpg"):
        (outside / name).write_bytes((library.root / "a.jpg").read_bytes() + name.encode())
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(outside), name="card", sidecars="catalog")
    library.scan()
    cancel = threading.Event()
    (outside / "x/three.jpg").write_bytes((library.root / "a.jpg").read_bytes() + b"3")
    with Catalog.open(str(library.root)) as catalog, Opener(catalog, cancel) as opener:
        *_, last = scan(catalog, cancel=cancel, narrowing=Narrowing(opener, lambda path: False, {"card": {"x": False}}))
    assert isinstance(last, Finished)
    assert (last.result.added, last.result.unchanged, last.result.missing) == (1, 1, 0)


def test_a_folder_reached_through_a_link_is_not_looked_at(two: Library) -> None:
    os.rename(two.root / "a", two.root / "real")
    os.symlink(two.root / "real", two.root / "a")
    two.photo("real/new.jpg", 10)
    assert look(two, "a").added == 0
    assert look(two, "real").added == 1


def test_warm_workers_read_folders_under_the_names_that_they_have_now(two: Library) -> None:
    """A worker that kept a folder open would read its photos under a name that another folder has by now."""
    with Catalog.open(str(two.root)) as catalog, Opener(catalog, threading.Event()) as opener:
        narrowing = Narrowing(opener, lambda path: False)
        for seed, path in enumerate(("a/x.jpg", "b/x.jpg"), 50):
            two.photo(path, seed)
        list(scan(catalog, cancel=threading.Event(), narrowing=narrowing))
        digests = {path: two.value(path)["original"]["sha256"] for path in ("a/x.jpg", "b/x.jpg")}
        os.rename(two.root / "a/x.jpg.lumina.json", two.root / "kept")
        os.rename(two.root / "a", two.root / "c")
        os.rename(two.root / "b", two.root / "a")
        os.rename(two.root / "a/x.jpg.lumina.json", two.root / "c/x.jpg.lumina.json")
        os.rename(two.root / "kept", two.root / "a/x.jpg.lumina.json")
        list(scan(catalog, cancel=threading.Event(), narrowing=narrowing))
    assert two.value("a/x.jpg")["original"]["sha256"] == digests["b/x.jpg"]
    assert two.value("c/x.jpg")["original"]["sha256"] == digests["a/x.jpg"]
