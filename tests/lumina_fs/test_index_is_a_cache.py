"""Delete the index, lose nothing; while it cannot be reached, files are written all the same."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from index.tables import schema_of
from lumina_fs.answers import answering_index
from lumina_fs.catalog import Catalog
from lumina_fs.errors import NeedsIndex
from lumina_fs.index_session import BEHIND, connect
from lumina_fs.progress import Finished
from lumina_fs.rebuild import rebuild, verify

if TYPE_CHECKING:
    from index.protocol import Verdict
    from tests.conftest import Library

QUERIES = ["", "heron", "camera:canon", "date:2019", "rating:>=3", "type:jpeg -heron", "has:gps", "is:duplicate"]


def fill(library: Library) -> None:
    for number in range(8):
        library.photo(f"20{number:02}/p{number}.jpg", number % 7, Make="Canon", Model=f"EOS {number}")
    library.scan()
    library.curate("2003/p3.jpg", caption="a heron", rating=4, tags=["birds/heron"], date="2019-05")
    library.curate("2004/p4.jpg", rating=1)
    library.scan()


def proved(library: Library) -> Verdict:
    with Catalog.open(str(library.root)) as catalog:
        *_, last = verify(catalog, cancel=threading.Event())
    assert isinstance(last, Finished)
    found: Verdict = last.result
    return found


def test_all_that_is_index_or_cache_can_be_deleted(library: Library) -> None:
    fill(library)
    before = {query: library.search(query) for query in QUERIES}
    assert before["heron"] == ["2003/p3.jpg"]
    with Catalog.open(str(library.root)) as catalog, connect(catalog) as index:
        index.drop()
    shutil.rmtree(library.root / ".lumina/cache", ignore_errors=True)
    assert {query: library.search(query) for query in QUERIES} == before
    assert proved(library).equal


def test_verify_finds_a_row_that_was_altered_by_hand(library: Library, postgres: str) -> None:
    fill(library)
    assert proved(library).equal
    with Catalog.open(str(library.root)) as catalog:
        schema = schema_of(catalog.id, catalog.path)
    with psycopg.connect(postgres) as conn:
        conn.execute(f"UPDATE {schema}.original SET rating = 5 WHERE path = '2004/p4.jpg'")
        conn.execute(f"DELETE FROM {schema}.original WHERE path = '2001/p1.jpg'")
    verdict = proved(library)
    assert not verdict.equal
    assert verdict.live != verdict.files
    assert {(d.path, d.kind) for d in verdict.differences} == {
        ("2001/p1.jpg", "original not in the index"),
        ("2004/p4.jpg", "original differs"),
    }
    [altered] = [d for d in verdict.differences if d.path == "2004/p4.jpg"]
    assert altered.columns == {"rating": ("5", "1")}


def test_verify_changes_nothing_and_a_rebuild_mends(library: Library, postgres: str) -> None:
    fill(library)
    with Catalog.open(str(library.root)) as catalog:
        schema = schema_of(catalog.id, catalog.path)
        with psycopg.connect(postgres) as conn:
            conn.execute(f"UPDATE {schema}.original SET camera = 'Nikon'")
        assert proved(library).different == 8
        *_, last = rebuild(catalog, cancel=threading.Event())
    assert isinstance(last, Finished)
    assert last.result.originals == 8
    assert proved(library).equal


def test_a_rebuilt_index_knows_what_was_seen(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(library)
    with Catalog.open(str(library.root)) as catalog:
        list(rebuild(catalog, cancel=threading.Event()))

    def refuse(self: object) -> None:
        raise AssertionError("an original was to be opened")

    monkeypatch.setattr("lumina_fs.opener.Opener._started", refuse)
    assert library.scan().unchanged == 8


def test_without_a_server_a_scan_succeeds_and_the_next_command_catches_up(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(library)
    monkeypatch.setenv("LUMINA_DATABASE_URL", "host=/nonexistent user=nobody")
    library.photo("new.jpg", 50)
    library.curate("2004/p4.jpg", caption="an owl")
    result = library.scan()
    assert (result.added, result.index, result.exact_duplicates) == (1, "behind", None)
    assert (library.root / BEHIND).exists()
    with pytest.raises(NeedsIndex, match="cannot be reached"):
        library.search()
    monkeypatch.delenv("LUMINA_DATABASE_URL")
    assert library.search("owl") == ["2004/p4.jpg"]
    assert len(library.search()) == 9
    assert not (library.root / BEHIND).exists()
    assert proved(library).equal


def test_a_scan_without_a_server_says_so_even_if_it_wrote_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand edit is in no index until a scan could tell it; the next question has to know."""
    fill(library)
    monkeypatch.setenv("LUMINA_DATABASE_URL", "host=/nonexistent user=nobody")
    library.curate("2004/p4.jpg", caption="an owl")
    assert library.scan().index == "behind"
    before = library.tree()
    library.scan()
    assert library.tree() == before
    monkeypatch.delenv("LUMINA_DATABASE_URL")
    assert library.search("owl") == ["2004/p4.jpg"]
    assert proved(library).equal


def test_an_index_of_another_version_is_made_again(library: Library, postgres: str) -> None:
    fill(library)
    with Catalog.open(str(library.root)) as catalog:
        schema = schema_of(catalog.id, catalog.path)
        with psycopg.connect(postgres) as conn:
            conn.execute(f"UPDATE {schema}.meta SET value = 'old' WHERE name = 'version'")
        asked: list[str] = []

        def refuse(why: str) -> bool:
            asked.append(why)
            return False

        options: dict[str, Any] = {"show": lambda event: None, "cancel": threading.Event()}
        with pytest.raises(NeedsIndex), answering_index(catalog, may_rebuild=refuse, **options):
            pass
        assert asked == ["the index was made by another version of Lumina"]
    assert len(library.search()) == 8


def test_an_index_that_lost_a_table_is_made_anew(library: Library, postgres: str) -> None:
    fill(library)
    with Catalog.open(str(library.root)) as catalog:
        schema = schema_of(catalog.id, catalog.path)
    with psycopg.connect(postgres) as conn:
        conn.execute(f"DROP TABLE {schema}.original")
    assert len(library.search()) == 8
    assert proved(library).equal


def test_sidecars_removed_by_hand_leave_the_index_at_the_next_scan(library: Library) -> None:
    fill(library)
    library.sidecar("2001/p1.jpg").unlink()
    assert library.scan().added == 1
    assert proved(library).equal


def test_two_catalogs_do_not_meet_in_the_index(library: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    fill(library)
    other = type(library)(tmp_path_factory.mktemp("other"))
    other.photo("only.jpg", 99)
    other.scan()
    assert other.search() == ["only.jpg"]
    assert len(library.search()) == 8


def test_another_server_can_be_named(library: Library, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMINA_DATABASE_URL", postgres)
    fill(library)
    assert library.search("heron") == ["2003/p3.jpg"]
    assert proved(library).equal


def test_a_source_that_is_not_to_be_written_to_keeps_its_sidecars_in_the_catalog(
    library: Library, tmp_path: Path
) -> None:
    library.photo("own.jpg", 1)
    library.scan()
    disk = tmp_path / "disk"
    (disk / "2019").mkdir(parents=True)
    for number in range(3):
        shutil.copy2(library.photo("x.jpg", number + 5), disk / f"2019/{number}.jpg")
    (library.root / "x.jpg").unlink()
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(disk), name="disk", sidecars="catalog")
    assert library.scan().added == 3
    assert sorted(path.name for path in disk.rglob("*") if path.is_file()) == ["0.jpg", "1.jpg", "2.jpg"]
    kept = library.root / ".lumina/sidecars/disk/2019/0.jpg.lumina.json"
    kept.write_text(kept.read_text().replace('"curation": {}', '"curation": {"caption": "a heron"}'))
    library.scan()
    with Catalog.open(str(library.root)) as catalog, connect(catalog) as index:
        index.drop()
    assert library.search("heron") == ["2019/0.jpg"]
    assert proved(library).equal
    (disk / "2019/0.jpg").rename(disk / "moved.jpg")
    assert library.scan().moved == 1
    assert library.search("heron") == ["moved.jpg"]
    before = library.tree()
    assert library.scan().unchanged == 4
    assert library.tree() == before


@pytest.mark.parametrize("photo_stays", [True, False])
def test_a_broken_sidecar_under_a_cut_name_is_of_the_same_photo_for_scan_and_rebuild(
    library: Library, photo_stays: bool
) -> None:
    long = "2019/" + "long " * 48 + ".jpg"
    for number in range(3):
        library.photo(f"2019/p{number}.jpg", number)
    photo = library.photo(long, 9)
    library.scan()
    [side] = [path for path in photo.parent.iterdir() if "~" in path.name]
    side.write_text("{")
    library.scan()
    assert proved(library).equal
    if not photo_stays:
        photo.unlink()
        library.scan()
        assert proved(library).equal
    side.unlink()
    library.scan()
    assert proved(library).equal
    assert len(library.search("")) == (4 if photo_stays else 3)
