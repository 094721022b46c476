"""Discovery: every original and sidecar below a root once, nothing else, and no link followed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lumina_fs.discover import IGNORED_FOLDERS, Ignore, Listing, walk_directories


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def walk(root: Path, *patterns: str) -> dict[str, Listing]:
    return {listing.directory: listing for listing in walk_directories(str(root), ignore=Ignore(patterns))}


def found(root: Path, *patterns: str) -> set[str]:
    """The paths of all originals, and of what may be one."""
    return {
        f"{directory}/{name}".lstrip("/")
        for directory, listing in walk(root, *patterns).items()
        for name, _, _ in listing.originals + listing.unsure
    }


def test_originals_sidecars_and_unsure_files_are_told_apart_with_their_stat(tmp_path: Path) -> None:
    make(tmp_path, "a/b.JPG", "a/b.JPG.lumina.json", "a/noname", "a/b.JPG.json", "a/notes.txt", "a/c.mov")
    listing = walk(tmp_path)["a"]
    info = (tmp_path / "a/b.JPG").stat()
    assert listing.originals[0] == ("b.JPG", 1, info.st_mtime_ns)
    assert [name for name, _, _ in listing.originals] == ["b.JPG", "c.mov"]
    assert [name for name, _, _ in listing.unsure] == ["noname"]
    assert listing.sidecars["b.JPG.lumina.json"].inode == (tmp_path / "a/b.JPG.lumina.json").stat().st_ino
    assert listing.unreadable == []


def test_folders_come_in_a_fixed_order_each_before_what_is_in_it(tmp_path: Path) -> None:
    make(tmp_path, "b/x/1.jpg", "a/2.jpg", "a b/3.jpg", "b/1.jpg", "0.jpg")
    assert list(walk(tmp_path)) == ["", "a", "a b", "b", "b/x"]


@pytest.mark.parametrize("folder", [*sorted(IGNORED_FOLDERS), ".Trash-1000", ".trashed-x"])
def test_folders_of_other_programs_are_left_out(tmp_path: Path, folder: str) -> None:
    make(tmp_path, f"{folder}/a.jpg", f"x/{folder}/b/c.jpg", "x/d.jpg")
    assert found(tmp_path) == {"x/d.jpg"}


def test_files_of_other_programs_and_our_own_temporaries_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "._a.jpg", ".DS_Store", "Thumbs.db", "SYNOFILE_THUMB_M.jpg", ".fuse_hidden01.jpg", "Icon\r")
    make(tmp_path, ".lumina-tmp-1-a.jpg", ".hidden.jpg", "Thumbs.db.jpg")
    assert found(tmp_path) == {".hidden.jpg", "Thumbs.db.jpg"}


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.png", {"a.jpg", "drafts/b.jpg", "2019/raw/c.jpg", "2020/raw/d.jpg"}),
        ("drafts/", {"a.jpg", "e.png", "2019/raw/c.jpg", "2020/raw/d.jpg"}),
        ("drafts", {"a.jpg", "e.png", "2019/raw/c.jpg", "2020/raw/d.jpg"}),
        ("/2019/raw", {"a.jpg", "e.png", "drafts/b.jpg", "2020/raw/d.jpg"}),
        ("*/raw", {"a.jpg", "e.png", "drafts/b.jpg"}),
        ("[ab].jpg", {"e.png", "2019/raw/c.jpg", "2020/raw/d.jpg"}),
    ],
)
def test_what_a_person_wants_left_out_is_left_out(tmp_path: Path, pattern: str, left: set[str]) -> None:
    make(tmp_path, "a.jpg", "e.png", "drafts/b.jpg", "2019/raw/c.jpg", "2020/raw/d.jpg")
    assert found(tmp_path, pattern) == left


def test_a_pattern_with_a_slash_at_its_start_means_the_top(tmp_path: Path) -> None:
    make(tmp_path, "raw/a.jpg", "x/raw/b.jpg")
    assert found(tmp_path, "/raw") == {"x/raw/b.jpg"}


def test_a_sidecar_is_left_out_with_its_original_and_not_by_its_own_name(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "a.jpg.lumina.json")
    assert set(walk(tmp_path, "*.json", "*.lumina.json")[""].sidecars) == {"a.jpg.lumina.json"}
    assert walk(tmp_path, "*.jpg")[""].sidecars == {}


def test_no_link_pipe_or_socket_is_an_original_or_a_sidecar(tmp_path: Path) -> None:
    make(tmp_path / "outside", "x.jpg", "y/z.jpg")
    root = tmp_path / "root"
    make(root, "a.jpg")
    (root / "link.jpg").symlink_to("../outside/x.jpg")
    (root / "a.jpg.lumina.json").symlink_to("../outside/x.jpg")
    (root / "folder").symlink_to("../outside")
    (root / "loop").symlink_to(".")
    (root / "gone.jpg").symlink_to("nowhere")
    os.mkfifo(root / "pipe.jpg")
    os.mkfifo(root / "b.jpg.lumina.json")
    (root / "dir.jpg").mkdir()
    (root / "dir.lumina.json").mkdir()
    listings = walk(root)
    assert found(root) == {"a.jpg"}
    assert listings[""].sidecars == {}
    assert "folder" not in listings
    assert "loop" not in listings


def test_names_that_are_not_utf_8_and_names_that_act_are_found(tmp_path: Path) -> None:
    names = [b"\xff\xfe.jpg", b"new\nline.jpg", b"\x1b[2J.jpg", b"e\xcc\x81.jpg", b"\xc3\xa9.jpg", b"n" * 251 + b".jpg"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    assert {os.fsencode(name) for name in found(tmp_path)} == set(names)


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "b/2.jpg", "c/3.jpg")
    listings = {}
    for listing in walk_directories(str(tmp_path), ignore=Ignore()):
        listings[listing.directory] = listing
        if listing.directory == "a":  # it goes while the walk is on its way
            (tmp_path / "b" / "2.jpg").unlink()
            (tmp_path / "b").rmdir()
    assert [error for _, error in listings["b"].unreadable] == ["No such file or directory"]
    assert listings["c"].originals
    with pytest.raises(FileNotFoundError):
        list(walk_directories(str(tmp_path / "none"), ignore=Ignore()))


def test_a_walk_can_be_cancelled_between_folders(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number}/a.jpg" for number in range(9)))
    cancel = threading.Event()
    seen = []
    for listing in walk_directories(str(tmp_path), ignore=Ignore(), cancel=cancel):
        seen.append(listing.directory)
        if len(seen) == 3:
            cancel.set()
    assert seen == ["", "0", "1"]
