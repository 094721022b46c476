"""Forgetting and deleting a catalog: what goes, and that no original does."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import MARK, Catalog
from lumina_fs.cli import main
from lumina_fs.durable import Disk
from lumina_fs.errors import ExitCode, Refused
from lumina_fs.farewell import Farewell, delete, outlook
from lumina_fs.index_session import connect
from lumina_fs.jobs.kinds import scan_work
from lumina_fs.jobs.running import run
from lumina_fs.known_catalogs import forget, known_catalogs
from lumina_fs.plans.files import find_plan, write_approval
from lumina_fs.progress import Finished, Note, Progress
from tests.conftest import Library


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("2019/a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    library.curate("b.jpg", caption="dear")
    return library


def done(library: Library, **options: Any) -> Farewell:
    with Catalog.open(str(library.root)) as catalog:
        return next(event.result for event in delete(catalog, **options) if isinstance(event, Finished))


def photos(*folders: Path) -> dict[str, str]:
    found = {}
    for folder in folders:
        for path in folder.rglob("*.jpg"):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def listed(library: Library) -> bool:
    return any(known.path == str(library.root) for known in known_catalogs())


def test_forgetting_changes_nothing_but_the_list(scanned: Library) -> None:
    before = scanned.tree()
    assert listed(scanned)
    assert forget(Disk(), str(scanned.root))
    assert not listed(scanned)
    assert not forget(Disk(), str(scanned.root))
    assert scanned.tree() == before


def test_deleting_sets_the_state_aside_and_leaves_photos_and_sidecars(scanned: Library) -> None:
    before, sidecar = photos(scanned.root), scanned.sidecar("b.jpg").read_bytes()
    result = done(scanned)
    assert not (scanned.root / ".lumina").exists()
    assert (Path(result.aside) / "catalog.json").exists()
    assert Path(result.aside).name.startswith(".lumina-deleted-")
    assert photos(scanned.root) == before
    assert scanned.sidecar("b.jpg").read_bytes() == sidecar
    assert not listed(scanned)


def test_the_folder_gets_its_old_name_and_the_catalog_is_back(scanned: Library) -> None:
    Path(done(scanned).aside).rename(scanned.root / ".lumina")
    assert sorted(scanned.search()) == ["2019/a.jpg", "b.jpg"]
    assert scanned.value("b.jpg")["curation"] == {"caption": "dear"}


def test_a_new_catalog_in_the_same_folder_takes_the_sidecars_over_and_sees_nothing_of_the_old_one(
    scanned: Library,
) -> None:
    aside = Path(done(scanned).aside)
    (aside / "trash").mkdir()
    (scanned.root / "b.jpg").rename(aside / "trash/b.jpg")
    scanned.photo("c.jpg", 3)
    scanned.scan()
    assert sorted(scanned.search("-is:missing")) == ["2019/a.jpg", "c.jpg"]


def test_the_index_goes_too(scanned: Library) -> None:
    done(scanned)
    again = Catalog.create(str(scanned.root))
    with again, connect(again) as index:
        assert index.meta("version") is None


def test_sidecars_go_along_where_that_is_asked_for(scanned: Library) -> None:
    result = done(scanned, sidecars=True)
    assert result.sidecars == 2
    assert not scanned.sidecar("b.jpg").exists()
    kept = Path(result.aside) / "sidecars-beside/main/b.jpg.lumina.json"
    assert json.loads(kept.read_bytes())["curation"] == {"caption": "dear"}


@pytest.mark.parametrize("elsewhere", [False, True])
def test_stopped_while_sidecars_are_moved_everything_is_put_back(
    scanned: Library, tmp_path: Path, elsewhere: bool
) -> None:
    class Stopped(threading.Event):
        """Somebody presses Ctrl-C when some sidecars are moved."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > (3 if elsewhere else 2)

    if elsewhere:
        card = Library(tmp_path / "card")
        for number in range(2):
            card.photo(f"deep/er/{number}.jpg", 10 + number)
        with Catalog.open(str(scanned.root)) as catalog:
            catalog.add_source(str(card.root), name="card")
        scanned.scan()
    before = scanned.tree(), {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    with Catalog.open(str(scanned.root)) as catalog:
        events = list(delete(catalog, sidecars=True, cancel=Stopped()))
    assert [event for event in events if not isinstance(event, Progress)] == [Note("stopped: the catalog is as it was")]
    assert (scanned.tree(), {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}) == before
    assert not list(tmp_path.rglob("sidecars-beside"))
    assert not list(tmp_path.rglob(".lumina-deleted*"))
    assert scanned.scan().updated == 0


def test_a_source_elsewhere_loses_its_mark_and_nothing_else(scanned: Library, tmp_path: Path) -> None:
    card = Library(tmp_path / "card")
    card.photo("x.jpg", 7)
    with Catalog.open(str(scanned.root)) as catalog:
        catalog.add_source(str(card.root))
    scanned.scan()
    before = photos(scanned.root, card.root)
    assert (card.root / MARK).exists()
    done(scanned, sidecars=True)
    assert not (card.root / MARK).exists()
    assert photos(scanned.root, card.root) == before
    gathered = [path.name for path in card.root.rglob("*.lumina.json")]
    assert gathered == ["x.jpg.lumina.json"]
    assert not card.sidecar("x.jpg").exists()
    other = Library(tmp_path / "other")
    other.root.mkdir()
    other.scan()
    with Catalog.open(str(other.root)) as catalog:
        source, _ = catalog.add_source(str(card.root))
        catalog.require_online(source)


def test_a_catalog_in_which_work_runs_is_not_deleted(scanned: Library) -> None:
    import threading

    def slowly() -> Iterator[Any]:
        yield Progress("reading", 1, 2)
        with Catalog.open(str(scanned.root)) as other, pytest.raises(Refused, match="scan runs in it"):
            list(delete(other))
        yield Finished(None)

    scanned.photo("new.jpg", 9)
    with Catalog.open(str(scanned.root)) as catalog:
        work = scan_work()
        for _ in run(catalog, type(work)("scan", {}), slowly(), cancel=threading.Event()):
            pass
    assert (scanned.root / ".lumina/catalog.json").exists()


def test_the_outlook_counts_what_lies_in_the_trash(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    with Catalog.open(str(scanned.root)) as catalog:
        catalog.set_source("main", managed=True)
    assert main(["catalogs", "delete", str(scanned.root), "--trash-managed", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["actions"] == 2
    before = sorted(photos(scanned.root).values())
    with Catalog.open(str(scanned.root)) as catalog:
        digest = write_approval(catalog, find_plan(catalog, plan["plan"])).plan_sha256
    assert main(["plan", "apply", plan["plan"], "--yes", digest[:12], "--catalog", str(scanned.root)]) == 0
    assert sorted(photos(scanned.root / ".lumina/trash").values()) == before
    with Catalog.open(str(scanned.root)) as catalog:
        seen = outlook(catalog)
    assert seen.trashed == 2
    assert any("2 trashed photos" in line for line in seen.lines())
    aside = Path(done(scanned).aside)
    assert sorted(photos(aside / "trash").values()) == before


def test_the_command_deletes_only_when_the_name_is_typed(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    at = str(scanned.root)
    assert main(["catalogs", "delete", at, "--yes", "something else"]) == ExitCode.REFUSED
    assert "nothing was deleted" in capsys.readouterr().err
    assert os.path.exists(f"{at}/.lumina/catalog.json")
    assert main(["catalogs", "delete", at, "--yes", "library"]) == 0
    out = capsys.readouterr().out
    assert "No photo is touched: 2 originals" in out
    assert not os.path.exists(f"{at}/.lumina")


def test_the_command_forgets_by_folder(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogs", "forget", str(scanned.root)]) == 0
    assert not listed(scanned)
    assert main(["catalogs", "forget", str(scanned.root)]) == ExitCode.USAGE
