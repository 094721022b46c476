"""Sidecars: where they lie, and how a batch of them is written beside a person who edits, renames and removes."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs import compose
from lumina_fs.durable import Disk
from lumina_fs.errors import CorruptDocument
from lumina_fs.kernel import Layer
from lumina_fs.roots import Root
from lumina_fs.sidecars import SUFFIX, Change, Saved, Sidecars, original_path, sidecar_name
from schemas.sidecar import Sidecar
from tests.lumina_fs.faults import Failing, Interrupted, TestLayer

Value = dict[str, Any]
BLOCKS = {"original": {"media": "image", "name": "x.jpg", "size": 1, "mtime_ns": 1, "format": "JPEG"}}


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with Root.open(str(tmp_path)) as opened:
        yield opened


def beside(root: Root, layer: Layer | None = None) -> Sidecars:
    return Sidecars(Disk(layer), root, "", root.path)


def in_catalog(root: Root, layer: Layer | None = None) -> Sidecars:
    return Sidecars(Disk(layer), root, ".lumina/sidecars/main/", root.path)


def made(path: str, size: int = 1) -> Callable[[Value | None], Value]:
    """Composes as a scan does: a new sidecar, or the machine's block in the one that is there."""

    def composed(current: Value | None) -> Value:
        blocks = {"original": {**BLOCKS["original"], "size": size}}
        if current is not None:
            return compose.refreshed(current, blocks)
        return compose.new_sidecar(blocks, schema="s", source="main", mode="reference", path=path)

    return composed


def put(sidecars: Sidecars, *paths: str, size: int = 1) -> list[Saved | CorruptDocument | OSError]:
    return sidecars.put([Change(path, sidecars.read(path), made(path, size)) for path in paths])


def saved(result: Saved | CorruptDocument | OSError) -> Saved:
    assert isinstance(result, Saved), result
    return result


def curate(file: Path, caption: str) -> None:
    """A person saves a caption, with a layout of their own."""
    value = json.loads(file.read_bytes())
    value["curation"]["caption"] = caption
    file.write_text(json.dumps(value, indent=7))


# -- names


def test_a_sidecar_lies_beside_its_original_under_its_name_and_one_suffix() -> None:
    assert sidecar_name("IMG_0001.JPG") == "IMG_0001.JPG.lumina.json"
    assert original_path("a/IMG_0001.JPG.lumina.json") == "a/IMG_0001.JPG"
    assert sidecar_name("IMG.jpg") != sidecar_name("IMG.png")


@pytest.mark.parametrize("letter", ["a", "é", "字", "😀", "\udcff"])
def test_a_long_name_gets_a_sidecar_of_its_own_that_fits(root: Root, tmp_path: Path, letter: str) -> None:
    width = len(os.fsencode(letter))
    taken = set()
    for ending in ("1.jpg", "2.jpg"):
        name = letter * ((255 - len(ending)) // width) + ending
        (tmp_path / name).write_bytes(b"x")
        taken.add(sidecar_name(name))
        assert len(os.fsencode(sidecar_name(name))) <= 255
        assert sidecar_name(name).startswith(letter * 40)
        assert saved(put(beside(root), name)[0]).wrote
        assert beside(root).find(name) is not None
    assert len(taken) == 2
    assert {name for name in os.listdir(tmp_path) if name.endswith(SUFFIX)} == taken


def test_a_name_that_just_fits_is_not_cut() -> None:
    assert sidecar_name("n" * 243) == "n" * 243 + SUFFIX
    assert "~" in sidecar_name("n" * 244)


NAMES = [
    "plain.jpg",
    "sp ace.jpg",
    "new\nline.jpg",
    "\udcff\udc80.jpg",
    "bytes:%41.jpg",
    "\u202egpj.exe",
    "\x1b[2J.jpg",
    "%.jpg",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_written_and_found_again(root: Root, tmp_path: Path, name: str) -> None:
    from schemas.names import decode_name

    sidecars = beside(root)
    (tmp_path / "ord\udce9r").mkdir()
    path = f"ord\udce9r/{name}"
    assert saved(put(sidecars, path)[0]).wrote
    found = sidecars.find(path)
    assert found is not None
    assert decode_name(found[1]["origin"]["first_path"]) == path
    assert os.listdir(os.fsencode(tmp_path / "ord\udce9r")) == [os.fsencode(name + SUFFIX)]


# -- a batch


def test_a_batch_is_written_once_and_then_quiet(root: Root, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    paths = [f"{folder}{number}.jpg" for folder in ("", "a/") for number in range(5)]
    assert all(saved(one).wrote for one in put(beside(root), *paths))
    before = {path: os.lstat(tmp_path / (path + SUFFIX)) for path in paths}
    layer = TestLayer()
    again = put(beside(root, layer), *paths)
    assert not any(saved(one).wrote for one in again)
    assert set(layer.trace) <= {"syncfs"}
    for path, info in before.items():
        now = os.lstat(tmp_path / (path + SUFFIX))
        assert (now.st_ino, now.st_mtime_ns, now.st_ctime_ns) == (info.st_ino, info.st_mtime_ns, info.st_ctime_ns)


def test_a_result_says_what_is_on_the_disk(root: Root, tmp_path: Path) -> None:
    one = saved(put(beside(root), "a.jpg")[0])
    assert one.stored.data == (tmp_path / "a.jpg.lumina.json").read_bytes()
    assert one.value == json.loads(one.stored.data)
    again = beside(root).read("a.jpg")
    assert again is not None
    assert (again.etag, again.stat) == (one.stored.etag, one.stored.stat)
    Sidecar.model_validate(one.value)


def test_an_edit_that_comes_in_between_is_composed_into(root: Root, tmp_path: Path) -> None:
    """A person saves twice: before the swap, and again before the second try."""
    put(beside(root), "a.jpg", "b.jpg")
    file = tmp_path / "a.jpg.lumina.json"
    edits = {("exchange", 1): lambda: curate(file, "first"), ("exchange", 4): lambda: curate(file, "second")}
    layer = Interrupted(edits)
    first, second = put(beside(root, layer), "a.jpg", "b.jpg", size=2)
    assert saved(first).value["curation"] == {"caption": "second"}
    for name in ("a.jpg", "b.jpg"):
        assert json.loads((tmp_path / f"{name}.lumina.json").read_bytes())["original"]["size"] == 2
    assert file.read_bytes() == saved(first).stored.data
    assert b'\n       "curation"' in file.read_bytes(), "the layout of the person"
    assert saved(second).wrote
    assert len(os.listdir(tmp_path)) == 2


def test_a_sidecar_that_somebody_else_makes_first_is_kept(root: Root, tmp_path: Path) -> None:
    file = tmp_path / "a.jpg.lumina.json"

    def make() -> None:
        value = made("a.jpg")(None)
        file.write_text(json.dumps({**value, "curation": {"caption": "theirs"}}))

    [one] = put(beside(root, Interrupted({("rename_new", 1): make})), "a.jpg", size=2)
    assert saved(one).value["curation"] == {"caption": "theirs"}
    assert saved(one).value["original"]["size"] == 2


def test_a_sidecar_that_is_removed_meanwhile_is_told_and_not_made_up(root: Root, tmp_path: Path) -> None:
    put(beside(root), "a.jpg", "b.jpg")
    layer = Interrupted({("exchange", 1): (tmp_path / "a.jpg.lumina.json").unlink})

    def only_refreshes(current: Value | None) -> Value:
        assert current is not None
        return {**current, "new": 1}

    sidecars = beside(root, layer)
    first, second = sidecars.put([Change(path, sidecars.read(path), only_refreshes) for path in ("a.jpg", "b.jpg")])
    assert isinstance(first, OSError)
    assert first.errno == errno.ENOENT
    assert saved(second).wrote
    assert os.listdir(tmp_path) == ["b.jpg.lumina.json"]


def test_a_corrupt_sidecar_is_refused_alone_and_left_as_it_is(root: Root, tmp_path: Path) -> None:
    put(beside(root), "a.jpg", "b.jpg", "c.jpg")
    torn = (tmp_path / "b.jpg.lumina.json").read_bytes()[:-9]
    (tmp_path / "b.jpg.lumina.json").write_bytes(torn)
    a, b, c = put(beside(root), "a.jpg", "b.jpg", "c.jpg", size=2)
    assert saved(a).wrote
    assert saved(c).wrote
    assert isinstance(b, CorruptDocument)
    assert b.line > 5
    assert (tmp_path / "b.jpg.lumina.json").read_bytes() == torn


def test_a_sidecar_of_a_newer_program_is_not_rewritten(root: Root, tmp_path: Path) -> None:
    put(beside(root), "a.jpg")
    file = tmp_path / "a.jpg.lumina.json"
    text = file.read_bytes().replace(b'"version": 1', b'"version": 99')
    file.write_bytes(text)
    [one] = put(beside(root), "a.jpg", size=2)
    assert isinstance(one, CorruptDocument)
    assert "newer than this Lumina" in one.reason
    assert file.read_bytes() == text


def test_each_of_a_batch_has_its_own_outcome_on_a_disk_that_fails_once(root: Root, tmp_path: Path) -> None:
    layer = Failing(4, errno.ENOSPC)  # the second file's write
    first, second, third = put(beside(root, layer), "a.jpg", "b.jpg", "c.jpg")
    assert saved(first).wrote
    assert isinstance(second, OSError)
    assert second.errno == errno.ENOSPC
    assert saved(third).wrote
    assert sorted(os.listdir(tmp_path)) == ["a.jpg.lumina.json", "c.jpg.lumina.json"]


def test_a_link_in_the_place_of_a_sidecar_or_its_folder_is_refused_alone(root: Root, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_bytes(b"theirs")
    (tmp_path / "folder").symlink_to("outside")
    (tmp_path / "b.jpg.lumina.json").symlink_to("outside/kept")
    changes = [Change(path, None, made(path)) for path in ("a.jpg", "folder/a.jpg", "b.jpg", "c.jpg")]
    results = beside(root).put(changes)
    assert [isinstance(one, OSError) for one in results] == [False, True, True, False]
    assert os.listdir(tmp_path / "outside") == ["kept"]
    assert (tmp_path / "outside" / "kept").read_bytes() == b"theirs"


# -- a tree of their own


def test_a_tree_in_the_catalog_follows_the_folders_of_the_source(root: Root, tmp_path: Path) -> None:
    sidecars = in_catalog(root)
    assert all(saved(one).wrote for one in put(sidecars, "a.jpg", "x/y/b.jpg"))
    assert sidecars.path("x/y/b.jpg") == ".lumina/sidecars/main/x/y/b.jpg.lumina.json"
    stats = sidecars.stats()
    assert stats is not None
    assert {folder: set(found) for folder, found in stats.items()} == {
        "": {"a.jpg.lumina.json"},
        "x/y": {"b.jpg.lumina.json"},
    }
    stored = sidecars.read("a.jpg")
    assert stored is not None
    assert stats[""]["a.jpg.lumina.json"] == stored.stat
    assert beside(root).stats() is None


def test_a_folder_that_cannot_be_made_fails_its_own_sidecars_alone(root: Root, tmp_path: Path) -> None:
    tree = tmp_path / ".lumina/sidecars/main"
    tree.mkdir(parents=True)
    (tree / "file").write_bytes(b"")
    (tree / "link").symlink_to(tmp_path)
    first, second, third, fourth = put(in_catalog(root), "file/a.jpg", "b.jpg", "x/c.jpg", "x/d.jpg")
    assert isinstance(first, OSError)
    for one in (second, third, fourth):
        assert saved(one).wrote
    refused = in_catalog(root).put([Change("link/e/f.jpg", None, made("link/e/f.jpg"))])
    assert isinstance(refused[0], OSError)
    assert not (tmp_path / "e").exists()
    full = in_catalog(root, Failing(1, errno.ENOSPC)).put([Change(f"{n}/g.jpg", None, made("g")) for n in "12"])
    assert isinstance(full[0], OSError)
    assert saved(full[1]).wrote


def test_the_reference_to_the_schema_leads_to_the_copy_in_the_catalog(root: Root, tmp_path: Path) -> None:
    for sidecars in (beside(root), in_catalog(root)):
        for path in ("a.jpg", "x/y/b.jpg"):
            place = (tmp_path / sidecars.path(path)).parent / sidecars.schema_reference(path)
            assert os.path.normpath(place) == str(tmp_path / ".lumina/schemas/sidecar-v1.schema.json")


# -- moves


@pytest.mark.parametrize("name", ["a.jpg", "n" * 240 + ".jpg", "字" * 80 + ".jpg", "\udcff" * 250 + ".jpg"])
def test_an_orphan_is_kept_under_a_name_of_its_own_and_overwrites_nothing(
    root: Root, tmp_path: Path, name: str
) -> None:
    """The same sidecar is orphaned, copied back by a person, and orphaned again."""
    sidecars = beside(root)
    stored = saved(put(sidecars, name)[0]).stored
    kept = []
    for number in range(3):
        (tmp_path / sidecars.path(name)).write_bytes(stored.data)
        kept.append(sidecars.orphan(name, stored))
        assert sidecars.read(name) is None, "what is left in place would be applied to the new original"
        assert len(set(kept)) == number + 1
        assert all((tmp_path / path).read_bytes() == stored.data for path in kept)
        assert ".lumina-orphan-" + stored.etag[:8] in kept[-1]
        assert not kept[-1].endswith(SUFFIX)


def test_a_sidecar_follows_its_original_and_overwrites_nothing(root: Root, tmp_path: Path) -> None:
    for sidecars in (beside(root), in_catalog(root)):
        (tmp_path / "new").mkdir(exist_ok=True)
        data = saved(put(sidecars, "a.jpg")[0]).stored.data
        assert sidecars.adopt(sidecars.path("a.jpg"), "new/b.jpg")
        assert sidecars.read("a.jpg") is None
        put(sidecars, "a.jpg", size=5)
        other = sidecars.read("a.jpg")
        assert not sidecars.adopt(sidecars.path("a.jpg"), "new/b.jpg")
        moved = sidecars.read("new/b.jpg")
        assert moved is not None
        assert moved.data == data
        assert sidecars.read("a.jpg") == other
