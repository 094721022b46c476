"""From decisions to the draft of a plan: it fits its format, says where everything comes from, and touches no file."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.decisions import batch, keep
from lumina_fs.duplicates.resolve import propose
from lumina_fs.duplicates.verdicts import decide
from lumina_fs.errors import Refused
from lumina_fs.sidecars import Sidecars
from schemas.document import load
from schemas.files import published
from schemas.plan import Plan
from tests.lumina_fs.duplicates.searching import opened, searched, standings

if TYPE_CHECKING:
    from tests.conftest import Library

NOW = "2024-01-01T00:00:00Z"


def proposed(library: Library) -> dict[str, Any] | None:
    """The draft, checked against the model and against the published schema; nothing else was written."""
    before = library.tree()
    with opened(library.root) as (catalog, _):
        made = propose(catalog, standings(library).groups)
    now = library.tree()
    new = {path for path in now if now[path] != before.get(path) and not path.startswith(".lumina/cache/")}
    assert set(before) <= set(now)
    if made is None:
        assert new == set()
        return None
    [path] = [path for path in new if path.endswith(".json")]
    assert path == f".lumina/plans/{made[0]}.json"
    data = (library.root / path).read_bytes()
    load(data, Plan)
    value: dict[str, Any] = json.loads(data)
    jsonschema.Draft202012Validator(json.loads(published("plan"))).validate(value)
    return value


def remove_all(library: Library) -> None:
    """All but the keepers may go, and plans may move what lies in the catalog's own source."""
    with opened(library.root) as (catalog, _):
        catalog.set_source("main", managed=True)
        decide(catalog, batch(standings(library).groups, "primaries").choices, by="a test", now=NOW)


@pytest.fixture
def decided(library: Library) -> Library:
    """A large picture, a retagged copy, a byte copy, all decided: the large one stays."""
    library.photo("2019/lake.jpg", 1, Make="Canon", Software="a long description " * 9)
    library.photo("2020/lake copy.jpg", 1)
    shutil.copy2(library.root / "2020/lake copy.jpg", library.root / "2020/lake (1).jpg")
    library.photo("2020/other.jpg", 2)
    library.scan()
    library.curate("2019/lake.jpg", caption="The lake", rating=2)
    library.curate("2020/lake copy.jpg", tags=["lake"], rating=5)
    library.curate("2020/lake (1).jpg", tags=["lake", "people/anna"], caption="With anna")
    library.scan()
    searched(library)
    remove_all(library)
    return library


class StopAt(threading.Event):
    """Set from the time it was asked for `count` times on."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_wherever_it_is_stopped_nothing_was_written(decided: Library) -> None:
    before, stops = decided.tree(), 0
    while True:
        with opened(decided.root) as (catalog, _):
            try:
                made = propose(catalog, standings(decided).groups, cancel=StopAt(stops))
            except KeyboardInterrupt:
                stops += 1
                assert decided.tree() == before
            else:
                break
    assert stops > 4
    assert made is not None
    assert f".lumina/plans/{made[0]}.json" in decided.tree()


def test_a_plan_first_gives_to_the_keeper_and_then_trashes_the_others(decided: Library) -> None:
    plan = proposed(decided)
    assert plan is not None
    assert (plan["purpose"], plan["on_failure"]) == ("resolve_duplicates", "roll_back")
    edit, *others = plan["actions"]
    assert (edit["do"], edit["path"]) == ("edit", "2019/lake.jpg")
    assert {name: change["after"] for name, change in edit["fields"].items()} == {
        "tags": ["lake", "people/anna"], "rating": 5, "caption": "The lake\nWith anna",
    }  # fmt: skip
    assert edit["fields"]["rating"]["before"] == 2
    assert edit["fields"]["caption"]["origins"] == [{"source": edit["source"], "path": "2020/lake (1).jpg"}]
    assert [(one["do"], one["path"]) for one in others] == [
        ("trash", "2020/lake (1).jpg"), ("trash", "2020/lake copy.jpg"),
    ] or [(one["do"], one["path"]) for one in others] == [
        ("trash", "2020/lake copy.jpg"), ("trash", "2020/lake (1).jpg"),
    ]  # fmt: skip
    for one in others:
        info = (decided.root / one["path"]).stat()
        assert one["size"] == info.st_size
        assert one["sha256"] == decided.value(one["path"])["original"]["sha256"]
        assert one["companions"] == [{"part": "sidecar", "path": f"{one['path']}.lumina.json"}]
        assert "2019/lake.jpg stays" in one["reason"]
        assert "_" not in one["reason"].partition(",")[0], "a kind in words"


def test_nothing_is_proposed_where_nothing_was_decided_to_go(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 1, Make="x")
    library.scan()
    searched(library)
    assert proposed(library) is None
    with opened(library.root) as (catalog, _):
        decide(catalog, batch(standings(library).groups, "reviewed").choices, by="a test", now=NOW)
    assert proposed(library) is None


def test_files_of_a_source_that_is_only_referenced_are_skipped_with_the_way_out(
    decided: Library, tmp_path: Path
) -> None:
    other = tmp_path / "card"
    other.mkdir()
    shutil.copy2(decided.root / "2020/lake copy.jpg", other / "elsewhere.jpg")
    with Catalog.open(str(decided.root)) as catalog:
        catalog.add_source(str(other), name="card")
    decided.scan()
    searched(decided)
    remove_all(decided)
    plan = proposed(decided)
    assert plan is not None
    [skip] = [one for one in plan["actions"] if one["do"] == "skip"]
    assert {one["do"] for one in plan["actions"]} == {"edit", "trash", "skip"}
    assert (skip["source"], skip["path"], skip["proposed"]["do"]) == ("card", "elsewhere.jpg", "trash")
    assert "--managed" in skip["reason"]
    assert all(one["source"] != "card" for one in plan["actions"] if one["do"] != "skip")


def test_a_keeper_takes_nothing_from_a_copy_that_stays(decided: Library) -> None:
    with opened(decided.root) as (catalog, _):
        [group] = standings(decided).groups
        decide(catalog, keep(group, group.keeper, group.others, "keep_both"), by="a test", now="2024-01-02")
    assert proposed(decided) is None


def test_a_file_whose_sidecar_cannot_be_used_is_told_and_not_trashed(decided: Library) -> None:
    """What the person wrote there could not be taken over, so it stays, and the plan says so."""
    decided.sidecar("2020/lake copy.jpg").write_text("{ broken")
    plan = proposed(decided)
    assert plan is not None
    about = [one for one in plan["actions"] if one["path"] == "2020/lake copy.jpg"]
    assert [one["do"] for one in about] == ["skip"]
    assert "sidecar" in about[0]["reason"]
    assert [one["path"] for one in plan["actions"] if one["do"] == "trash"] == ["2020/lake (1).jpg"]


def test_where_the_keeper_cannot_be_read_nobody_goes(decided: Library) -> None:
    decided.sidecar("2019/lake.jpg").write_text("{ broken")
    with pytest.raises(Refused, match="which stays, cannot be used: lumina check"):
        proposed(decided)


def test_every_trashed_file_leaves_one_of_its_group(library: Library) -> None:
    """Of many groups at once: no plan ever trashes a keeper, or all files of a content that stays."""
    for seed in range(6):
        for number in range(3):
            library.photo(f"{number}/{seed}.jpg", seed, Software=str(number))
            shutil.copy2(library.root / f"{number}/{seed}.jpg", library.root / f"{number}/{seed} copy.jpg")
    library.scan()
    searched(library)
    remove_all(library)
    plan = proposed(library)
    assert plan is not None
    gone = {one["path"] for one in plan["actions"] if one["do"] == "trash"}
    assert len(gone) == 6 * 5
    for group in standings(library).groups:
        assert [copy.twin.path for copy in group.copies if copy.twin.path not in gone] == [group.keeper.twin.path]


def test_names_with_any_bytes_are_proposed_as_documents_write_them(library: Library) -> None:
    library.photo("a.jpg", 1, Software="a long description " * 9)
    with open(b"%s/caf\xe9 copy.jpg" % str(library.root).encode(), "wb") as file:
        file.write(library.photo("b.jpg", 1).read_bytes())
    (library.root / "b.jpg").unlink()
    library.scan()
    searched(library)
    remove_all(library)
    plan = proposed(library)
    assert plan is not None
    assert [one["path"] for one in plan["actions"] if one["do"] == "trash"] == ["bytes:caf%E9 copy.jpg"]


@pytest.fixture
def twins(library: Library) -> Library:
    """A RAW file and the camera's JPEG beside it, a unit; each has a better copy elsewhere, for which it is to go."""
    for seed, name in ((1, "IMG_1.JPG"), (2, "IMG_1.CR2")):
        library.photo(f"best/{seed}.jpg", seed, Software="a long description " * 9)
        library.photo(f"card/{name}", seed)
    library.scan()
    searched(library)
    remove_all(library)
    return library


def test_a_unit_of_which_all_go_goes_as_one(twins: Library) -> None:
    plan = proposed(twins)
    assert plan is not None
    [trash] = plan["actions"]
    assert trash["do"] == "trash"
    assert {trash["path"], *(one["path"] for one in trash["companions"])} == {
        "card/IMG_1.JPG", "card/IMG_1.CR2", "card/IMG_1.JPG.lumina.json", "card/IMG_1.CR2.lumina.json",
    }  # fmt: skip


@pytest.mark.parametrize("broken", ["card/IMG_1.JPG", "card/IMG_1.CR2", "best/1.jpg", "best/2.jpg"])
def test_a_file_that_cannot_go_keeps_all_of_its_unit(twins: Library, broken: str) -> None:
    """As the companion of its twin it would be trashed though what was written to it could not be taken over."""
    library = twins
    library.photo("best/3.jpg", 3, Software="a long description " * 9)
    library.photo("card/other.jpg", 3)
    library.scan()
    searched(library)
    remove_all(library)
    library.sidecar(broken).write_text("{ broken")
    plan = proposed(library)
    assert plan is not None
    trashed = [one for one in plan["actions"] if one["do"] == "trash"]
    assert [(one["path"], [c["part"] for c in one["companions"]]) for one in trashed] == [
        ("card/other.jpg", ["sidecar"])
    ]
    skipped = {one["path"]: one["reason"] for one in plan["actions"] if one["do"] == "skip"}
    assert set(skipped) == {"card/IMG_1.JPG", "card/IMG_1.CR2"}
    assert any("sidecar" in reason for reason in skipped.values())
    [also] = [path for path, reason in skipped.items() if "belongs together" in reason]
    [first] = set(skipped) - {also}
    assert first.rpartition("/")[2] in skipped[also]


def test_a_keeper_takes_nothing_over_from_a_file_whose_unit_stays(twins: Library) -> None:
    twins.curate("card/IMG_1.CR2", caption="The RAW file")
    twins.scan()
    twins.sidecar("card/IMG_1.JPG").write_text("{ broken")
    with pytest.raises(Refused, match="no file may be moved"):
        proposed(twins)


def test_the_sidecar_of_a_file_that_goes_is_read_once(decided: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    find_usable = Sidecars.find_usable

    def counting(self: Sidecars, original: str) -> Any:
        read.append(original)
        return find_usable(self, original)

    monkeypatch.setattr(Sidecars, "find_usable", counting)
    assert proposed(decided) is not None
    assert sorted(read) == ["2019/lake.jpg", "2020/lake (1).jpg", "2020/lake copy.jpg"]
