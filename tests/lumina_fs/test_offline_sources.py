"""What is not there is not taken for gone: sources that are away, and what cannot be listed or is left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumina_fs.errors import SourceOffline

if TYPE_CHECKING:
    from tests.conftest import Library


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


def test_a_folder_inside_the_catalog_cannot_be_added_by_another_way(library: Library, tmp_path: Path) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.errors import UsageError

    library.photo("x/a.jpg", 1)
    library.scan()
    os.symlink(library.root / "x", tmp_path / "way")
    with Catalog.open(str(library.root)) as catalog, pytest.raises(UsageError, match="overlaps"):
        catalog.add_source(str(tmp_path / "way"))


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
