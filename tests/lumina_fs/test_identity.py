"""Moves, replacements and losses: the sidecar stays with the picture it describes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.errors import SourceOffline
from lumina_fs.identity import distance, pair
from lumina_fs.sidecars import Sidecars, sidecar_name

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
