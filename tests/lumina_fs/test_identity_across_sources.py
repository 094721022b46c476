"""Copies and moves from one source to another."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lumina_fs.copying import copy_to, with_card

if TYPE_CHECKING:
    from tests.conftest import Library


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
