"""Folders that two catalogs take photos from: a scan says it, and so do those who make catalogs and add sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumina_fs import photo_lock
from lumina_fs.catalog import MARK, Catalog
from lumina_fs.cli import main
from lumina_fs.errors import ExitCode, Locked, Refused
from lumina_fs.photo_lock import at_photos
from lumina_fs.progress import Note

if TYPE_CHECKING:
    from tests.conftest import Library


def notes(library: Library) -> list[str]:
    """What the last scan said of other catalogs."""
    return [one.text for one in library.events if isinstance(one, Note) and "another catalog" in one.text]


def ignore(root: Path, *patterns: str) -> None:
    document = root / ".lumina/catalog.json"
    value = json.loads(document.read_bytes())
    value["settings"] = {"ignore": list(patterns)}
    document.write_text(json.dumps(value))


def inner_of(library: Library, folder: str) -> Library:
    """A library of its own in a folder of another one."""
    return type(library)(library.root / folder)


def with_an_inner_one(library: Library) -> Library:
    """Two photos, of which a catalog of its folder has one as well; both were scanned."""
    library.photo("a.jpg", 1)
    library.photo("2019/b.jpg", 2)
    library.scan()
    inner = inner_of(library, "2019")
    inner.scan()
    return inner


def test_a_scan_says_that_a_folder_holds_another_catalog(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.photo("trips/20[19]/b.jpg", 2)
    inner = inner_of(library, "trips/20[19]")
    inner.scan()
    assert library.scan().found == 2
    [said] = notes(library)
    assert said.startswith(f"trips/20[19] in source main belongs to another catalog, 20[19] at {inner.root}:")
    assert "share one sidecar each" in said
    ignore(library.root, "/trips/20[[]19]/")
    assert '"/trips/20[[]19]/"' in said, "the pattern that the scan proposes is the one that works"
    assert library.scan().found == 1
    assert notes(library) == []


def test_a_scan_says_that_its_source_lies_in_another_catalog(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.photo("2019/b.jpg", 2)
    library.scan()
    inner = inner_of(library, "2019")
    assert inner.scan().found == 1
    [said] = notes(inner)
    assert said.startswith(f"source main ({inner.root}) lies in another catalog, library at {library.root}:")
    ignore(library.root, "/2019/")
    assert '"/2019/"' in said
    inner.scan()
    assert notes(inner) == [], "the other one leaves the folder out, so nothing is shared"


def test_a_catalog_alone_and_one_that_gave_its_source_up_are_not_told_of(library: Library) -> None:
    library.photo("2019/b.jpg", 2)
    inner = inner_of(library, "2019")
    inner.scan()
    assert notes(inner) == []
    with Catalog.open(str(inner.root)) as catalog:
        catalog.remove_source("main")
    library.scan()
    assert notes(library) == []


def test_a_catalog_that_cannot_be_read_is_told_of_too(library: Library) -> None:
    library.photo("2019/b.jpg", 2)
    inner_of(library, "2019").scan()
    (library.root / "2019/.lumina/catalog.json").write_text("{")
    library.scan()
    [said] = notes(library)
    assert said.startswith(f"2019 in source main belongs to another catalog at {library.root}/2019:")


def test_a_folder_that_is_a_source_of_another_catalog_is_told_by_its_mark(library: Library, tmp_path: Path) -> None:
    library.photo("card/b.jpg", 2)
    other = type(library)(tmp_path / "other")
    other.photo("x.jpg", 3)
    other.scan()
    with Catalog.open(str(other.root)) as catalog:
        catalog.add_source(str(library.root / "card"), name="card")
    library.scan()
    [said] = notes(library)
    assert said.startswith(f"card in source main belongs to another catalog, other at {other.root}:")
    with Catalog.open(str(other.root)) as catalog:
        catalog.remove_source("card")
    assert not (library.root / "card" / MARK).exists()
    library.scan()
    assert notes(library) == []


def test_two_catalogs_with_one_sidecar_lose_nothing_and_settle_down(library: Library) -> None:
    library.photo("2019/b.jpg", 2)
    inner = inner_of(library, "2019")
    library.scan()
    library.curate("2019/b.jpg", rating=5)
    inner.scan()
    inner.curate("b.jpg", rating=5, caption="Two herons")
    assert library.scan().updated == 0
    before = library.value("2019/b.jpg")
    inner.scan()
    library.scan()
    assert library.value("2019/b.jpg") == before
    assert library.search("herons rating:5") == ["2019/b.jpg"]
    assert inner.search("herons rating:5") == ["b.jpg"]


def test_making_a_catalog_and_adding_a_source_say_it_at_once(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library.photo("2019/b.jpg", 2)
    assert main(["init", str(library.root / "2019")]) == 0
    assert "another catalog" not in capsys.readouterr().err
    assert main(["init", str(library.root), "--json"]) == 0
    said = capsys.readouterr()
    assert f"belongs to another catalog, 2019 at {library.root}/2019" in said.err
    assert json.loads(said.out)["name"] == "library"
    other = tmp_path / "other"
    other.mkdir()
    main(["init", str(other)])
    assert main(["source", "add", str(library.root / "2019"), "--catalog", str(other)]) == 0
    said = capsys.readouterr()
    assert f"lies in another catalog, library at {library.root}" in said.err


def test_a_source_that_was_taken_out_can_be_added_again(library: Library, tmp_path: Path) -> None:
    card = type(library)(tmp_path / "card")
    card.photo("b.jpg", 2)
    library.photo("a.jpg", 1)
    library.scan()
    for _ in range(2):
        with Catalog.open(str(library.root)) as catalog:
            catalog.add_source(str(card.root), name="card")
        assert library.scan().found == 2
        with Catalog.open(str(library.root)) as catalog:
            catalog.remove_source("card")


def test_a_mark_of_ours_that_is_out_of_date_can_be_renewed(library: Library, tmp_path: Path) -> None:
    card = type(library)(tmp_path / "card")
    card.photo("b.jpg", 2)
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(card.root), name="card")
        (library.root / ".lumina/sources/card.json").unlink()
        catalog.add_source(str(card.root), name="again")
        before = (card.root / MARK).stat().st_mtime_ns
        catalog.renew_mark(catalog.source("again"))
        assert (card.root / MARK).stat().st_mtime_ns == before, "what is right is not written again"
    assert library.scan().found == 1


def test_a_source_of_another_catalog_is_refused_before_anything_is_written(library: Library, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    library.scan()
    other = type(library)(tmp_path / "other")
    other.root.mkdir()
    other.scan()
    with Catalog.open(str(other.root)) as catalog:
        catalog.add_source(str(card), name="card")
    with Catalog.open(str(library.root)) as catalog:
        with pytest.raises(Refused, match="another catalog"):
            catalog.add_source(str(card), name="card")
        assert [source.name for source in catalog.sources()] == ["main"]
        source, _ = catalog.add_source(str(card), name="card", sidecars="catalog")
        assert not source.beside


def test_a_catalog_is_not_deleted_with_sidecars_that_another_one_has_too(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = with_an_inner_one(library)
    before = library.tree()
    for root, name in ((library.root, "library"), (inner.root, "2019")):
        capsys.readouterr()
        code = main(["catalogs", "delete", str(root), "--sidecars", "--yes", name])
        assert (code, "another catalog" in capsys.readouterr().err) == (ExitCode.REFUSED, True)
        assert library.tree().keys() == before.keys()
    assert main(["catalogs", "delete", str(inner.root), "--yes", "2019"]) == 0
    assert library.sidecar("2019/b.jpg").exists()


def test_a_plan_of_one_catalog_and_a_scan_of_the_other_wait_for_each_other(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = with_an_inner_one(library)
    monkeypatch.setattr(photo_lock, "_SECONDS", 0.1)
    with Catalog.open(str(library.root)) as outer, Catalog.open(str(inner.root)) as other:
        for moving, looking in ((outer, inner), (other, library)):
            with at_photos(moving, "carrying out a plan", moves=True), pytest.raises(Locked):
                looking.scan()
            with at_photos(moving, "scanning", moves=False):
                assert looking.scan().added == 0, "two that only look do not disturb one another"
        with at_photos(other, "scanning", moves=False), pytest.raises(Locked), at_photos(outer, "a plan", moves=True):
            pass
    (library.root / ".lumina/locks/photos").unlink()
    (library.root / ".lumina/locks").rename(library.root / ".lumina/no-locks")
    assert inner.scan().unchanged == 1, "a catalog that was never scanned keeps nobody from anything"
