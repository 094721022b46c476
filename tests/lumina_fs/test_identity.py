"""Moves, copies, replacements and losses: the sidecar stays with the picture it describes."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.errors import SourceOffline
from lumina_fs.identity import distance, pair
from lumina_fs.sidecars import SUFFIX, Sidecars, sidecar_name

if TYPE_CHECKING:
    from tests.conftest import Library


def test_same_name_is_paired_before_the_nearest_folder() -> None:
    lost = ["2019/a/IMG_1.jpg", "2019/b/IMG_2.jpg"]
    appeared = ["2019/a/renamed.jpg", "archive/far/IMG_1.jpg"]
    assert pair(lost, appeared) == [
        ("2019/a/IMG_1.jpg", "archive/far/IMG_1.jpg"),
        ("2019/b/IMG_2.jpg", "2019/a/renamed.jpg"),
    ]


def test_the_nearest_folder_wins_among_equal_names() -> None:
    assert pair(["a/b/x.jpg"], ["z/x.jpg", "a/c/x.jpg"]) == [("a/b/x.jpg", "a/c/x.jpg")]
    assert distance("a/b/x", "a/c/x") == 2
    assert distance("x", "x") == 0


def test_what_has_no_partner_is_left_over() -> None:
    assert pair(["a.jpg"], []) == []
    assert len(pair(["a.jpg"], ["b.jpg", "c.jpg"])) == 1


def test_a_renamed_photo_keeps_what_its_sidecar_says(library: Library) -> None:
    library.photo("a/one.jpg", 1)
    library.scan()
    library.curate("a/one.jpg", caption="Grandmother", rating=5)
    before = library.value("a/one.jpg")
    (library.root / "b").mkdir()
    os.rename(library.root / "a/one.jpg", library.root / "b/two.jpg")
    result = library.scan()
    after = library.value("b/two.jpg")
    assert (result.moved, result.added, result.missing) == (1, 0, 0)
    assert not library.sidecar("a/one.jpg").exists()
    assert after["id"] == before["id"]
    assert after["curation"] == {"caption": "Grandmother", "rating": 5}
    assert after["original"]["name"] == "two.jpg"
    assert after["origin"]["first_path"] == "a/one.jpg"
    assert library.search("grandmother") == ["b/two.jpg"]


def test_a_folder_that_was_renamed_with_its_sidecars_opens_no_photo(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        library.photo(f"2019/{number}.jpg", number)
    library.scan()
    os.rename(library.root / "2019", library.root / "Summer 2019")
    forbid_opening(monkeypatch)
    result = library.scan()
    assert (result.found, result.moved, result.added, result.missing) == (4, 4, 0, 0)
    assert result.unchanged == 0, "what moved is not counted twice"
    assert sorted(library.search()) == [f"Summer 2019/{number}.jpg" for number in range(4)]


def test_two_photos_that_swapped_names_swap_their_sidecars(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    library.curate("a.jpg", caption="I am one")
    library.curate("b.jpg", caption="I am two")
    library.scan()
    os.rename(library.root / "a.jpg", library.root / "t")
    os.rename(library.root / "b.jpg", library.root / "a.jpg")
    os.rename(library.root / "t", library.root / "b.jpg")
    result = library.scan()
    assert result.moved == 2
    assert library.value("a.jpg")["curation"]["caption"] == "I am two"
    assert library.value("b.jpg")["curation"]["caption"] == "I am one"
    assert library.search("one") == ["b.jpg"]
    assert not list(library.root.glob("*orphan*"))


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


def test_other_content_under_a_known_name_is_a_new_original(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    library.curate("a.jpg", caption="the old picture")
    old = library.value("a.jpg")
    library.photo("a.jpg", 2)
    result = library.scan()
    kept = list(library.root.glob("a.jpg.lumina-orphan-*.json"))
    assert result.updated == 1
    assert len(kept) == 1
    assert b"the old picture" in kept[0].read_bytes()
    assert library.value("a.jpg")["id"] != old["id"]
    assert library.value("a.jpg")["curation"] == {}
    before = library.tree()
    library.scan()
    assert library.tree() == before


def test_the_sidecar_of_a_replaced_content_is_read_only_when_some_content_appears(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    library.curate("a.jpg", caption="the old picture")
    library.photo("a.jpg", 2)
    library.scan()
    read: list[str] = []
    orphan_value = Sidecars.orphan_value

    def counting(self: Sidecars, sidecar: str) -> Any:
        read.append(sidecar)
        return orphan_value(self, sidecar)

    monkeypatch.setattr(Sidecars, "orphan_value", counting)
    library.scan()
    assert read == []
    library.photo("b.jpg", 1)
    assert library.scan().moved == 1
    assert len(read) == 1
    assert library.value("b.jpg")["curation"] == {"caption": "the old picture"}


def test_a_missing_photo_keeps_its_sidecar_and_comes_back(library: Library, tmp_path: Path) -> None:
    for number in range(5):
        library.photo(f"{number}.jpg", number)
    library.scan()
    library.curate("0.jpg", caption="dear")
    shutil.move(library.root / "0.jpg", tmp_path / "0.jpg")
    result = library.scan()
    assert result.missing == 1
    assert library.value("0.jpg")["original"]["missing_since"].endswith("Z")
    assert library.search("is:missing") == ["0.jpg"]
    before = library.tree()
    assert library.scan().missing == 1
    assert library.tree() == before
    shutil.move(tmp_path / "0.jpg", library.root / "0.jpg")
    assert library.scan().missing == 0
    assert "missing_since" not in library.value("0.jpg")["original"]
    assert library.search("dear -is:missing") == ["0.jpg"]


def test_a_photo_removed_with_its_sidecar_is_forgotten(library: Library) -> None:
    for number in range(3):
        library.photo(f"{number}.jpg", number)
    library.scan()
    (library.root / "0.jpg").unlink()
    library.sidecar("0.jpg").unlink()
    assert library.scan().missing == 0
    assert library.search() == ["1.jpg", "2.jpg"] or sorted(library.search()) == ["1.jpg", "2.jpg"]


def test_a_source_that_is_suddenly_mostly_gone_is_offline_and_nothing_changes(library: Library) -> None:
    for number in range(6):
        library.photo(f"{number}.jpg", number)
    library.scan()
    for number in range(4):
        (library.root / f"{number}.jpg").unlink()
    before = library.tree()
    with pytest.raises(SourceOffline, match="4 of 6"):
        library.scan()
    assert library.tree() == before
    assert len(library.search("-is:missing")) == 6
    assert library.scan(accept_missing=True).missing == 4


def test_a_source_without_its_mark_is_offline(library: Library, tmp_path: Path) -> None:
    from lumina_fs.catalog import MARK, Catalog

    library.photo("here.jpg", 1)
    library.scan()
    card = tmp_path / "card"
    card.mkdir()
    shutil.copy2(library.root / "here.jpg", card / "there.jpg")
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(card), name="card")
    assert library.scan().found == 2
    (card / MARK).unlink()
    (card / "there.jpg").unlink()
    result = library.scan()
    assert result.offline == ["card"]
    assert len(library.search("source:card -is:missing")) == 1
    with Catalog.open(str(library.root)) as catalog:
        catalog.renew_mark(catalog.source("card"))
    assert library.scan(accept_missing=True).missing == 1


def forbid_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a scan fail that opens an original."""

    def refuse(self: object) -> None:
        raise AssertionError("an original was to be opened")

    monkeypatch.setattr("lumina_fs.opener.Opener._started", refuse)


def test_a_photo_that_comes_back_under_its_name_finds_the_sidecar_that_was_put_aside(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    library.curate("a.jpg", caption="the old picture")
    library.scan()
    first = library.value("a.jpg")["id"]
    library.photo("a.jpg", 2)
    library.scan()
    library.curate("a.jpg", caption="the other one")
    library.scan()
    library.photo("a.jpg", 1)
    assert library.scan().moved == 1
    assert library.value("a.jpg")["curation"] == {"caption": "the old picture"}
    assert library.value("a.jpg")["id"] == first
    library.photo("a.jpg", 2)
    library.scan()
    assert library.value("a.jpg")["curation"] == {"caption": "the other one"}


def test_another_card_with_the_same_names_touches_no_sidecar(library: Library) -> None:
    for number in range(6):
        library.photo(f"DCIM/{number}.jpg", number)
    library.scan()
    for number in range(6):
        library.curate(f"DCIM/{number}.jpg", caption=f"card A {number}")
    library.scan()
    for number in range(6):
        library.photo(f"DCIM/{number}.jpg", number + 50)
    before = {path: path.read_bytes() for path in library.root.glob("DCIM/*.json")}
    with pytest.raises(SourceOffline, match="6 of 6"):
        library.scan()
    assert {path: path.read_bytes() for path in library.root.glob("DCIM/*.json")} == before
    assert library.scan(accept_missing=True).updated == 6


def test_a_pattern_that_ignores_photos_says_nothing_of_them(library: Library) -> None:
    for number in range(3):
        library.photo(f"keep{number}.jpg", number)
        library.photo(f"drafts/{number}.jpeg", number + 10)
    library.scan()
    document = library.root / ".lumina/catalog.json"
    document.write_text(document.read_text().replace('"settings": {}', '"settings": {"ignore": ["*.jpeg", "drafts/"]}'))
    before = {path: path.read_bytes() for path in library.root.rglob("*.lumina.json")}
    result = library.scan()
    assert (result.found, result.missing) == (3, 0)
    assert {path: path.read_bytes() for path in library.root.rglob("*.lumina.json")} == before
    assert len(library.search()) == 3


def test_what_cannot_be_listed_is_not_taken_for_gone(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        library.photo(f"a/{number}.jpg", number)
        library.photo(f"b/{number}.jpg", number + 10)
    library.scan()
    before = library.tree()
    real = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("/b"):
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(os, "scandir", failing)
    result = library.scan()
    assert (result.missing, result.problems) == (0, 1)
    assert len(library.search()) == 6
    monkeypatch.undo()
    assert {path: mark for path, mark in library.tree().items() if not path.startswith(".lumina")} == {
        path: mark for path, mark in before.items() if not path.startswith(".lumina")
    }


def test_the_sidecar_of_another_content_is_never_merged_with(library: Library) -> None:
    """The name for putting it aside was taken once: the old curation must not reach the new picture."""
    library.photo("p.jpg", 1)
    library.scan()
    library.curate("p.jpg", caption="mine")
    library.scan()
    for _ in range(2):
        text = library.sidecar("p.jpg").read_bytes()
        library.photo("p.jpg", 2)
        library.scan()
        assert library.value("p.jpg")["curation"] == {}
        library.photo("p.jpg", 1)
        library.sidecar("p.jpg").write_bytes(text)
        library.scan()


def test_one_source_offline_does_not_keep_the_others_from_an_index(library: Library, tmp_path: Path) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.index_session import connect

    library.photo("here.jpg", 1)
    library.scan()
    disk = tmp_path / "disk"
    disk.mkdir()
    shutil.copy2(library.photo("x.jpg", 2), disk / "there.jpg")
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(disk), name="disk")
    library.scan()
    os.rename(disk, tmp_path / "unplugged")
    with Catalog.open(str(library.root)) as catalog, connect(catalog) as index:
        index.drop()
    library.photo("new.jpg", 3)
    result = library.scan()
    assert (result.added, result.offline) == (1, ["disk"])
    assert sorted(library.search()) == ["here.jpg", "new.jpg", "x.jpg"]
    os.rename(tmp_path / "unplugged", disk)
    library.scan()
    assert "there.jpg" in library.search()


def test_a_source_that_was_removed_leaves_the_index(library: Library, tmp_path: Path) -> None:
    from lumina_fs.catalog import Catalog

    library.photo("here.jpg", 1)
    library.scan()
    disk = tmp_path / "disk"
    disk.mkdir()
    shutil.copy2(library.root / "here.jpg", disk / "there.jpg")
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(disk), name="disk")
        library.scan()
        assert len(library.search()) == 2
        catalog.remove_source("disk")
    library.scan()
    assert library.search() == ["here.jpg"]
    assert (disk / "there.jpg.lumina.json").exists()


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


def test_a_folder_inside_the_catalog_cannot_be_added_by_another_way(library: Library, tmp_path: Path) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.errors import UsageError

    library.photo("x/a.jpg", 1)
    library.scan()
    os.symlink(library.root / "x", tmp_path / "way")
    with Catalog.open(str(library.root)) as catalog, pytest.raises(UsageError, match="overlaps"):
        catalog.add_source(str(tmp_path / "way"))


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


def test_a_very_long_name_that_went_missing_is_known_by_its_whole_name(library: Library) -> None:
    name = "x" * 251 + ".jpg"
    for number in range(3):
        library.photo(f"{number}.jpg", number)
    os.rename(library.root / "0.jpg", library.root / name)
    library.scan()
    (library.root / name).unlink()
    assert library.scan().missing == 1
    assert library.search("is:missing") == [name]
    before = library.tree()
    assert library.scan().missing == 1
    assert library.tree() == before


def test_a_sidecar_that_moved_keeps_its_id_though_the_index_knows_it_elsewhere(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row of the old place is out of date: another original lies there, with a sidecar of its own."""
    library.photo("a.jpg", 1)
    library.photo("other.jpg", 3)
    library.scan()
    first = library.value("a.jpg")["id"]
    monkeypatch.setenv("LUMINA_DATABASE_URL", "host=/nonexistent user=nobody")
    shutil.move(library.root / "a.jpg", library.root / "b.jpg")
    shutil.move(library.sidecar("a.jpg"), library.root / "away")
    library.photo("a.jpg", 2)
    library.scan()
    library.sidecar("b.jpg").unlink()
    shutil.move(library.root / "away", library.sidecar("b.jpg"))
    monkeypatch.delenv("LUMINA_DATABASE_URL")
    library.scan()
    assert library.value("b.jpg")["id"] == first
    assert library.value("a.jpg")["id"] != first


@pytest.mark.parametrize("how", ["without an index", "with sidecars that do not parse", "with fresh edits"])
def test_what_was_missing_before_does_not_make_a_source_offline(
    library: Library, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for number in range(5):
        library.photo(f"{number}.jpg", number)
    library.scan()
    for number in range(4):
        (library.root / f"{number}.jpg").unlink()
    with pytest.raises(SourceOffline):
        library.scan()
    assert library.scan(accept_missing=True).missing == 4
    if how == "without an index":
        monkeypatch.setenv("LUMINA_DATABASE_URL", "host=/nonexistent user=nobody")
    for number in range(4):
        if how == "with sidecars that do not parse":
            library.sidecar(f"{number}.jpg").write_bytes(b"{")
        elif how == "with fresh edits":
            library.curate(f"{number}.jpg", rating=number)
    for _ in range(2):
        assert library.scan().offline == []
    (library.root / "4.jpg").unlink()
    library.photo("5.jpg", 5)
    assert library.scan().offline == []


def test_a_sidecar_put_aside_in_the_catalog_is_found_by_its_photo_too(library: Library, tmp_path: Path) -> None:
    from lumina_fs.catalog import Catalog
    from tests.conftest import Library

    library.photo("other.jpg", 9)
    library.scan()
    card = Library(tmp_path / "card")
    card.photo("x/a.jpg", 1)
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(card.root), name="card", sidecars="catalog")
    library.scan()
    side = library.root / ".lumina/sidecars/card/x/a.jpg.lumina.json"
    value = json.loads(side.read_bytes())
    side.write_text(json.dumps({**value, "curation": {"caption": "the old picture"}}))
    library.scan()
    card.photo("x/a.jpg", 2)
    library.scan()
    assert json.loads(side.read_bytes())["id"] != value["id"]
    card.photo("x/a.jpg", 1)
    assert library.scan().moved == 1
    back = json.loads(side.read_bytes())
    assert (back["id"], back["curation"]) == (value["id"], {"caption": "the old picture"})


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


def copied_along(library: Library, old: str, new: str) -> None:
    """A person copies a photo with its sidecar."""
    (library.root / new).parent.mkdir(exist_ok=True, parents=True)
    shutil.copy2(library.root / old, library.root / new)
    shutil.copy2(library.sidecar(old), library.sidecar(new))


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


def test_sidecars_put_aside_under_names_that_are_cut_alike_find_their_photos(library: Library) -> None:
    names = ["long " * 48 + f"{number}.jpg" for number in range(2)]
    for number in range(5):
        library.photo(f"{number}.jpg", 10 + number)
    for name in names:
        shutil.copy2(library.photo("source.jpg", 1), library.root / name)
    (library.root / "source.jpg").unlink()
    library.scan()
    sides = [library.root / sidecar_name(name) for name in names]
    before = {json.loads(side.read_bytes())["id"] for side in sides}
    for number, name in enumerate(names):
        os.replace(library.photo("other.jpg", 2 + number), library.root / name)
    assert library.scan().updated == 2
    for number in range(2):
        library.photo(f"back/{number}.jpg", 1)
    assert library.scan().moved == 2
    assert {library.value(f"back/{number}.jpg")["id"] for number in range(2)} == before


def test_a_long_missing_photo_that_comes_back_in_the_place_of_another_finds_its_sidecar(library: Library) -> None:
    for number in range(4):
        library.photo(f"{number}.jpg", number)
    library.scan()
    library.curate("0.jpg", caption="dear")
    library.scan()
    before = library.value("0.jpg")["id"]
    (library.root / "0.jpg").unlink()
    assert library.scan().missing == 1
    assert library.scan().missing == 1
    library.photo("1.jpg", 0)
    result = library.scan()
    assert (result.moved, result.missing) == (1, 0)
    assert library.value("1.jpg")["id"] == before
    assert library.value("1.jpg")["curation"] == {"caption": "dear"}
    assert not library.sidecar("0.jpg").exists()


# -- across sources


def with_card(library: Library, tmp_path: Path) -> Library:
    """A second source of the catalog, outside its folder."""
    from lumina_fs.catalog import Catalog
    from tests.conftest import Library

    card = Library(tmp_path / "card")
    card.root.mkdir()
    library.photo("here.jpg", 90)
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(card.root), name="card")
    return card


def copy_to(card: Library, library: Library, name: str) -> None:
    """A person copies a photo with its sidecar to another source."""
    shutil.copy2(library.root / name, card.root / name)
    shutil.copy2(library.sidecar(name), card.sidecar(name))


def versions(library: Library, source: str, path: str) -> list[Mapping[str, Any]]:
    from lumina_fs.catalog import Catalog
    from lumina_fs.curating.versions import versions_of

    with Catalog.open(str(library.root)) as catalog:
        return [one.curation for one in versions_of(catalog, source, path).versions]


def rate(library: Library, source: str, path: str, rating: int) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.curating.direct import change_curation

    with Catalog.open(str(library.root)) as catalog:
        change_curation(catalog, source, path, lambda now: {**now, "rating": rating}, why="a test")


def test_a_copy_in_another_source_gets_an_id_of_its_own_and_knows_what_was_said_before(
    library: Library, tmp_path: Path
) -> None:
    card = with_card(library, tmp_path)
    library.photo("a.jpg", 1)
    library.scan()
    before = library.value("a.jpg")["id"]
    rate(library, "main", "a.jpg", 3)
    rate(library, "main", "a.jpg", 4)
    copy_to(card, library, "a.jpg")
    result = library.scan()
    assert (result.added, result.updated, result.moved) == (0, 1, 0)
    assert library.value("a.jpg")["id"] == before
    assert card.value("a.jpg")["id"] != before
    assert card.value("a.jpg")["curation"]["rating"] == 4
    rate(library, "main", "a.jpg", 1)
    rate(library, "card", "a.jpg", 5)
    assert versions(library, "card", "a.jpg") == [{}, {"rating": 3}, {"rating": 4}]
    assert versions(library, "main", "a.jpg") == [{}, {"rating": 3}, {"rating": 4}]
    library.scan()
    assert library.scan().updated == 0


def test_a_photo_that_moved_to_another_source_with_its_sidecar_keeps_its_id(library: Library, tmp_path: Path) -> None:
    card = with_card(library, tmp_path)
    library.photo("a.jpg", 1)
    library.scan()
    before = library.value("a.jpg")["id"]
    shutil.move(library.root / "a.jpg", card.root / "a.jpg")
    shutil.move(library.sidecar("a.jpg"), card.sidecar("a.jpg"))
    for _ in range(2):
        library.scan()
        assert card.value("a.jpg")["id"] == before
    assert sorted(library.search()) == ["a.jpg", "here.jpg"]


def test_what_lies_in_a_source_that_is_away_keeps_its_id(library: Library, tmp_path: Path) -> None:
    card = with_card(library, tmp_path)
    card.photo("a.jpg", 1)
    library.scan()
    before = card.value("a.jpg")["id"]
    copy_to(library, card, "a.jpg")
    os.rename(card.root, tmp_path / "unplugged")
    library.scan()
    assert library.value("a.jpg")["id"] != before
    os.rename(tmp_path / "unplugged", card.root)
    library.scan()
    assert card.value("a.jpg")["id"] == before


def test_two_sources_of_equal_sidecars_are_told_apart_once_and_stay_so(library: Library, tmp_path: Path) -> None:
    """Copied while there was no index, which is made anew afterwards: the first source keeps the ids."""
    from lumina_fs.catalog import Catalog
    from lumina_fs.index_session import connect
    from lumina_fs.rebuild import rebuild

    card = with_card(library, tmp_path)
    names = [f"{number}.jpg" for number in range(3)]
    for number, name in enumerate(names):
        library.photo(name, number)
    library.scan()
    with Catalog.open(str(library.root)) as catalog, connect(catalog) as index:
        index.drop()
    for name in names:
        os.utime(library.sidecar(name), (1_600_000_000, 1_600_000_000))  # so old that their times vouch for them
        copy_to(card, library, name)
    before = [library.value(name)["id"] for name in names]
    with Catalog.open(str(library.root)) as catalog:
        list(rebuild(catalog, cancel=threading.Event()))
    assert library.scan().updated == 3
    assert [library.value(name)["id"] for name in names] == before
    after = [card.value(name)["id"] for name in names]
    assert not set(after) & set(before)
    assert library.scan().updated == 0
    assert [card.value(name)["id"] for name in names] == after


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
