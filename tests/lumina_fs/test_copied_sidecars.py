"""Two sidecars of one id: which of them keeps it, and what the other one takes along."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumina_fs.sidecars import SUFFIX, sidecar_name
from tests.lumina_fs.copying import copied_along, copy_to, with_card

if TYPE_CHECKING:
    from tests.conftest import Library


def test_a_copied_photo_without_its_sidecar_gets_a_fresh_one(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    library.curate("a.jpg", caption="mine")
    shutil.copy2(library.root / "a.jpg", library.root / "copy.jpg")
    result = library.scan()
    assert (result.added, result.moved, result.exact_duplicates) == (1, 0, 1)
    assert library.value("copy.jpg")["curation"] == {}
    assert library.value("copy.jpg")["id"] != library.value("a.jpg")["id"]


def test_a_sidecar_copied_with_its_photo_gets_an_id_of_its_own_and_keeps_its_curation(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    library.curate("a.jpg", caption="mine")
    library.scan()
    first = library.value("a.jpg")["id"]
    (library.root / "backup").mkdir()
    for name in ("a.jpg", "a.jpg.lumina.json"):
        shutil.copy2(library.root / name, library.root / "backup" / name)
    library.scan()
    assert library.value("a.jpg")["id"] == first
    assert library.value("backup/a.jpg")["id"] != first
    assert library.value("backup/a.jpg")["curation"] == {"caption": "mine"}
    assert any("copy" in getattr(event, "text", "") for event in library.events)
    before = library.tree()
    library.scan()
    assert library.tree() == before


def test_a_copied_catalog_answers_for_itself(library: Library, tmp_path: Path) -> None:
    for number in range(3):
        library.photo(f"{number}.jpg", number)
    library.scan()
    shutil.copytree(library.root, tmp_path / "copy", copy_function=shutil.copy2)
    other = type(library)(tmp_path / "copy")
    (other.root / "0.jpg").unlink()
    other.sidecar("0.jpg").unlink()
    other.scan()
    assert len(other.search()) == 2
    assert len(library.search()) == 3


def test_copies_are_told_apart_after_a_rebuild_too(library: Library) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.index_session import connect

    library.photo("a/p.jpg", 1)
    library.scan()
    with Catalog.open(str(library.root)) as catalog, connect(catalog) as index:
        index.drop()
    shutil.copytree(library.root / "a", library.root / "b", copy_function=shutil.copy2)
    library.scan()
    library.scan()
    assert library.value("a/p.jpg")["id"] != library.value("b/p.jpg")["id"]


@pytest.mark.parametrize("how", ["rebuild", "reconcile"])
def test_a_sidecar_copied_to_a_very_long_name_is_known_by_the_name_of_its_photo(library: Library, how: str) -> None:
    """Until a scan looked, it says the name of the one that it is a copy of."""
    from lumina_fs.catalog import Catalog
    from lumina_fs.progress import Finished
    from lumina_fs.rebuild import rebuild, verify
    from lumina_fs.scan import reconcile

    library.photo("a.jpg", 1)
    library.scan()
    name = "long " * 48 + ".jpg"
    shutil.copy2(library.root / "a.jpg", library.root / name)
    shutil.copy2(library.sidecar("a.jpg"), library.root / sidecar_name(name))
    with Catalog.open(str(library.root)) as catalog:
        list((rebuild if how == "rebuild" else reconcile)(catalog, cancel=threading.Event()))
        *_, last = verify(catalog, cancel=threading.Event())
    assert isinstance(last, Finished)
    assert last.result.equal, last.result
    assert sorted(library.search()) == ["a.jpg", name]
    library.scan()
    assert sorted(library.search()) == ["a.jpg", name]


def ids(library: Library) -> dict[str, str]:
    """The id of every sidecar, each of them there once."""
    found = {}
    for path in library.root.rglob(f"*{SUFFIX}"):
        found[str(path.relative_to(library.root)).removesuffix(SUFFIX)] = json.loads(path.read_bytes())["id"]
    assert len(set(found.values())) == len(found), found
    return found


@pytest.mark.parametrize("with_index", [True, False])
@pytest.mark.parametrize("copies", [["z/b.jpg"], ["z/b.jpg", "y/c.jpg"]])
def test_a_sidecar_that_stayed_where_its_photo_was_copied_from_gives_its_id_to_the_copy(
    library: Library, monkeypatch: pytest.MonkeyPatch, with_index: bool, copies: list[str]
) -> None:
    for number in range(4):
        library.photo(f"{number}.jpg", number)
    library.scan()
    library.curate("0.jpg", caption="of the one that went")
    library.scan()
    before = library.value("0.jpg")["id"]
    if not with_index:
        monkeypatch.setenv("LUMINA_DATABASE_URL", "host=/nonexistent user=nobody")
    for copy in copies:
        copied_along(library, "0.jpg", copy)
    (library.root / "0.jpg").unlink()
    library.scan()
    after = ids(library)
    assert before in {after[copy] for copy in copies}
    assert after["0.jpg"] != before
    for path in ["0.jpg", *copies]:
        assert library.value(path)["curation"] == {"caption": "of the one that went"}
    assert "missing_since" in library.value("0.jpg")["original"]
    assert library.scan().updated == 0
    assert ids(library) == after


def test_a_long_missing_photo_that_comes_back_elsewhere_with_its_sidecar_has_its_id(library: Library) -> None:
    for number in range(4):
        library.photo(f"{number}.jpg", number)
    library.scan()
    copied_along(library, "0.jpg", "../backup/0.jpg")
    before = ids(library)["0.jpg"]
    (library.root / "0.jpg").unlink()
    library.scan()
    library.scan()
    copied_along(library, "../backup/0.jpg", "restored/0.jpg")
    library.scan()
    after = ids(library)
    assert after["restored/0.jpg"] == before
    assert after["0.jpg"] != before
    assert library.search("is:missing") == ["0.jpg"]


def test_two_sidecars_of_one_id_that_are_both_left_alone_become_two(library: Library) -> None:
    for number in range(5):
        library.photo(f"{number}.jpg", number)
    library.scan()
    before = ids(library)["0.jpg"]
    copied_along(library, "0.jpg", "z/b.jpg")
    (library.root / "0.jpg").unlink()
    (library.root / "z/b.jpg").unlink()
    library.scan()
    assert before in ids(library).values()


def test_a_photo_that_went_after_it_was_moved_with_its_sidecar_keeps_its_id(library: Library) -> None:
    for number in range(4):
        library.photo(f"{number}.jpg", number)
    library.scan()
    before = ids(library)["0.jpg"]
    copied_along(library, "0.jpg", "z/b.jpg")
    library.sidecar("0.jpg").unlink()
    (library.root / "0.jpg").unlink()
    (library.root / "z/b.jpg").unlink()
    library.scan()
    assert ids(library)["z/b.jpg"] == before
    assert library.search("is:missing") == ["z/b.jpg"]


def test_a_copy_that_goes_again_after_a_rebuild_leaves_nothing_in_the_index(library: Library) -> None:
    """A rebuild cannot tell which of two sidecars of one id is the copy; a scan is to look at both again."""
    from lumina_fs.catalog import Catalog
    from lumina_fs.progress import Finished
    from lumina_fs.rebuild import rebuild, verify
    from lumina_fs.scan import reconcile

    for number in range(3):
        library.photo(f"{number}.jpg", number)
    library.scan()
    copied_along(library, "0.jpg", "z/b.jpg")
    with Catalog.open(str(library.root)) as catalog:
        list(rebuild(catalog, cancel=threading.Event()))
        for path in (library.root / "z/b.jpg", library.sidecar("z/b.jpg"), library.root / "0.jpg"):
            path.unlink()
        list(reconcile(catalog, cancel=threading.Event()))
        *_, last = verify(catalog, cancel=threading.Event())
    assert isinstance(last, Finished)
    assert last.result.equal, last.result
    assert sorted(library.search()) == ["0.jpg", "1.jpg", "2.jpg"]


@pytest.mark.parametrize("across", [False, True])
def test_a_copy_that_a_search_came_by_first_is_told_apart_by_the_next_scan(
    library: Library, tmp_path: Path, across: bool
) -> None:
    """A search brings the index up to date and writes no sidecar."""
    from lumina_fs.catalog import Catalog
    from lumina_fs.scan import reconcile

    card = with_card(library, tmp_path)
    library.photo("a.jpg", 1)
    library.scan()
    copy = card if across else library
    if across:
        copy_to(card, library, "a.jpg")
    else:
        copied_along(library, "a.jpg", "b/a.jpg")
    path = "a.jpg" if across else "b/a.jpg"
    with Catalog.open(str(library.root)) as catalog:
        list(reconcile(catalog, cancel=threading.Event()))
    assert sorted(library.search()) == sorted(["a.jpg", path, "here.jpg"])
    assert copy.value(path)["id"] == library.value("a.jpg")["id"]
    library.scan()
    assert copy.value(path)["id"] != library.value("a.jpg")["id"]
    assert library.scan().updated == 0
