"""Proposals: whole units, free places, an order that works, and quiet where all is in place."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumina_fs.catalog import Catalog
from lumina_fs.errors import UsageError
from lumina_fs.plans.findings import findings_of
from lumina_fs.plans.strategies import Strategy, rule_of
from lumina_fs.plans.targets import fold
from tests.lumina_fs.plans.made import World, moves, plan_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "photos")


def test_a_unit_goes_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("in/A.JPG")
    world.photo("in/A.CR2", taken="2001")
    world.photo("in/clip.MOV", content_id="u", taken="2002-01-01")
    world.photo("in/B.JPG", content_id="u")
    for name in ("A.xmp", "A.JPG.xmp", "A.txt", "A.AAE", "unrelated.xmp"):
        world.file(f"in/{name}", name)
    found = plan_of(world.propose(monkeypatch))
    assert moves(found) == {
        f"in/{name}": f"2019/07/{name}"
        for name in (
            "A.JPG", "A.CR2", "A.JPG.lumina.json", "A.CR2.lumina.json", "A.xmp", "A.JPG.xmp", "A.txt", "A.AAE",
            "B.JPG", "B.JPG.lumina.json", "clip.MOV", "clip.MOV.lumina.json",
        )
    }  # fmt: skip
    assert len(found.actions) == 2
    for action in found.actions:
        for one in action.companions:
            assert (one.sha256 is None) == (one.size is None) == (one.part == "sidecar")
    world.apply(found)
    assert world.propose(monkeypatch).plan is None


def test_what_is_in_place_gets_no_action(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("2019/07/A.JPG")
    world.photo("x/B.JPG", taken="2020-01-01T00:00:00")
    assert world.moves(monkeypatch).keys() == {"x/B.JPG", "x/B.JPG.lumina.json"}
    assert world.propose(monkeypatch).in_place == 1


def test_two_with_one_name_get_two_names_or_one_of_them_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a/IMG.JPG")
    world.photo("b/IMG.jpg", sha256="b" * 64)
    world.photo("c/img.JPG", sha256="c" * 64)
    assert set(world.moves(monkeypatch).values()) == {
        f"2019/07/{name}{end}" for name in ("IMG.JPG", "IMG-1.jpg", "img-1.JPG") for end in ("", ".lumina.json")
    } - {f"2019/07/img-1.JPG{end}" for end in ("", ".lumina.json")} | {
        f"2019/07/img-2.JPG{end}" for end in ("", ".lumina.json")
    }
    found = plan_of(world.propose(monkeypatch, on_collision="skip"))
    assert [action.do for action in found.actions] == ["move", "skip", "skip"]
    skipped = found.actions[1]
    assert skipped.do == "skip"
    assert "goes there too" in skipped.reason
    assert skipped.proposed["to"] == {"source": "main", "path": "2019/07/IMG.jpg"}


def test_everyone_whose_name_is_taken_is_warned_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, folder in enumerate("abcdef"):
        taken = f"2019-07-0{number + 1}T12:31:05"
        world.photo(f"{folder}/IMG.JPG", sha256=folder * 64, taken=taken)
        if folder in "ef":
            world.photo(f"{folder}/IMG.CR2", sha256=folder * 64, taken=taken)
    found = plan_of(world.propose(monkeypatch)).actions
    said = "goes there too, from another place: it gets another name"
    assert {action.path: action.warnings for action in found} == {
        "a/IMG.JPG": [], "b/IMG.JPG": [f"IMG.JPG {said}"], "c/IMG.JPG": [f"IMG.JPG {said}"],
        "d/IMG.JPG": [f"IMG.JPG {said}"], "e/IMG.CR2": [f"IMG.CR2 {said}"], "f/IMG.CR2": [f"IMG.CR2 {said}"],
    }  # fmt: skip


def test_a_name_that_is_taken_on_the_disk_is_not_given(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.file("2019/07/img.jpg")
    world.photo("a/IMG.JPG")
    found = plan_of(world.propose(monkeypatch))
    assert moves(found)["a/IMG.JPG"] == "2019/07/IMG-1.JPG"
    assert "is there already" in found.actions[0].warnings[0]


@pytest.mark.parametrize("here", [unicodedata.normalize("NFD", "é.jpg"), "É.JPG"])
def test_names_that_are_one_on_some_volumes_are_never_both_given(
    world: World, monkeypatch: pytest.MonkeyPatch, here: str
) -> None:
    world.file(f"2019/07/{here}")
    world.photo("a/é.jpg")
    assert moves(plan_of(world.propose(monkeypatch)))["a/é.jpg"] == "2019/07/é-1.jpg"


def test_a_place_that_is_left_is_free_for_another_and_a_swap_gets_a_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.photo("2018/01/A.JPG", taken="2019-07-01")
    world.photo("2019/07/A.JPG", taken="2020-01-01")
    world.photo("2020/01/A.JPG", taken="2021-01-01")
    found = plan_of(world.propose(monkeypatch))
    assert [action.path for action in found.actions] == ["2020/01/A.JPG", "2019/07/A.JPG", "2018/01/A.JPG"]
    world.apply(found)
    world.photo("2021/01/B.JPG", taken="2019-07-01")
    world.photo("2019/07/B.JPG", taken="2021-01-01")
    world.apply(plan_of(world.propose(monkeypatch)))
    assert world.propose(monkeypatch).plan is None
    assert {path for path in world.tree() if path.endswith("JPG")} == {
        "2019/07/A.JPG", "2020/01/A.JPG", "2021/01/A.JPG", "2021/01/B-1.JPG", "2019/07/B.JPG",
    }  # fmt: skip


def test_a_place_is_only_free_when_all_that_have_it_on_some_volume_have_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.photo("in/A.JPG", taken="2019")
    world.photo("2019/a.jpg", taken="2020")
    world.photo("2019/A.JPG", taken="2019")
    world.photo("2019/é.jpg", taken="2020")
    found = plan_of(world.propose(monkeypatch, "YYYY"))
    assert moves(found)["in/A.JPG"] == "2019/A-1.JPG"
    world.apply(found)
    assert world.propose(monkeypatch, "YYYY").plan is None


def test_a_file_or_a_link_in_the_way_is_a_reason_and_no_crash(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.file("2019")
    (world.root / "2020").symlink_to(tmp_path)
    world.photo("a/A.JPG")
    world.photo("a/B.JPG", taken="2020-01-01")
    proposal = world.propose(monkeypatch)
    assert proposal.plan is None
    assert proposal.notes == [
        "a/A.JPG stays: 2019 is a file or a link, not a folder",
        "a/B.JPG stays: 2020 is a file or a link, not a folder",
    ]
    world.photo("a/C.JPG", taken="2021-01-01")
    assert [action.do for action in plan_of(world.propose(monkeypatch)).actions] == ["skip", "skip", "move"]


def test_counters_and_checksums_name_files_and_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("C", "A", "B")):
        world.photo(f"in/{name}.JPG", taken=f"2019-07-1{number}", sha256=f"{number}" * 64)
    world.photo("in/A.CR2", sha256="9" * 64, taken="2019")
    found = plan_of(world.propose(monkeypatch, "YYYY", "{date} {counter:3}"))
    assert moves(found)["in/A.JPG"] == "2019/2019-07-11 001.JPG"
    assert moves(found)["in/A.CR2"] == "2019/2019-07-11 001.CR2"
    world.apply(found)
    assert world.propose(monkeypatch, "YYYY", "{date} {counter:3}").plan is None
    world.photo("new/D.JPG", taken="2019-07-11", sha256="8" * 64)
    assert "2019/2019-07-11 002.JPG" in world.moves(monkeypatch, "YYYY", "{date} {counter:3}").values()
    found = plan_of(world.propose(monkeypatch, "TIME_CHECKSUM"))
    world.apply(found)
    assert world.propose(monkeypatch, "TIME_CHECKSUM").plan is None


def test_low_confidence_and_no_date_have_places_of_their_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a/none.JPG", taken=None, evidence=None, confidence=0)
    world.photo("a/weak.JPG", evidence="filesystem", confidence=30)
    world.photo("a/good.JPG")
    strategy = Strategy("x", (rule_of("", ("YYYY/MM",), None),), doubtful="Doubtful")
    found = plan_of(world.propose(monkeypatch, strategy=strategy))
    targets = moves(found)
    assert targets["a/none.JPG"] == "Unsorted/none.JPG"
    assert targets["a/weak.JPG"] == "Doubtful/2019/07/weak.JPG"
    assert targets["a/good.JPG"] == "2019/07/good.JPG"
    assert any("the date is uncertain: filesystem, 30" in text for one in found.actions for text in one.warnings)


def test_a_hostile_camera_stays_one_folder(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a/x.JPG", camera="../../etc/pass\x1bwd\n")
    [target] = {new for old, new in world.moves(monkeypatch, "{camera}/YYYY").items() if old == "a/x.JPG"}
    assert target == "etc-pass-wd/2019/x.JPG"


def test_names_that_are_no_text_are_kept_byte_for_byte(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a\udce9/caf\udce9 \n.JPG")
    assert world.moves(monkeypatch)["a\udce9/caf\udce9 \n.JPG"] == "2019/07/caf\udce9 \n.JPG"
    world.apply(plan_of(world.propose(monkeypatch)))
    assert world.propose(monkeypatch).plan is None


def test_what_is_gone_unread_or_new_is_left_out_and_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a/gone.JPG")
    (world.root / "a/gone.JPG").unlink()
    world.photo("a/unread.JPG", sha256=None)
    world.photo("a/raw.JPG")
    world.file("a/raw.CR2")
    proposal = world.propose(monkeypatch)
    assert proposal.plan is None
    assert [note.split(";")[0] for note in proposal.notes] == [
        "1 originals are not where the index says",
        "1 originals belong to a file that was not scanned yet and are left out",
        "1 originals cannot be read and are left out",
    ]


def test_only_managed_sources_are_moved_and_the_way_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "photos", managed=False)
    world.photo("a/A.JPG")
    with pytest.raises(UsageError, match="lumina source set main --managed yes"):
        world.propose(monkeypatch)
    with pytest.raises(UsageError, match="--copy copies them"):
        world.propose(monkeypatch, sources=("main",))
    with pytest.raises(UsageError, match="--copy needs --into"):
        world.propose(monkeypatch, copy=True)


def test_referenced_originals_can_be_copied_once(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    card = World(tmp_path / "card")
    card.photo("DCIM/A.JPG", source="card")
    with Catalog.open(str(world.root)) as catalog:
        catalog.add_source(str(card.root), name="card")
    world.rows = card.rows
    found = plan_of(world.propose(monkeypatch, copy=True))
    [action] = found.actions
    assert action.do == "copy"
    assert action.to.source == "main"
    assert found.purpose == "import"
    with Catalog.open(str(world.root)) as catalog:
        assert findings_of(catalog, found) == []
    world.rows["2019/07/A.JPG"] = card.rows["DCIM/A.JPG"]._replace(source="main", path="2019/07/A.JPG")
    assert world.propose(monkeypatch, copy=True).plan is None
    with pytest.raises(UsageError, match=r"\{source\} cannot be"):
        world.propose(monkeypatch, "{source}/YYYY", copy=True, into="main")


NAMES = st.sampled_from(
    ["A.JPG", "a.jpg", "A.CR2", "B.JPG", "é.jpg", "e\u0301.JPG", "A.MOV", "A.xmp", "A.JPG.txt", "A-1.JPG"]
)
FOLDERS = st.sampled_from(["", "in", "2019", "2019/07", "2019/08", "IN", "2020", "People"])
DAYS = st.sampled_from(["2019-07-14T12:31:05", "2019-07-14T12:31:05", "2019-08-01", "2019", None, "2020-01-01"])
LAYOUTS = st.sampled_from(
    [("YYYY/MM", None), ("YYYY", None), ("", None), ("{tag}/YYYY", None), ("YYYY/MM-DD", "{time}_{checksum:2}"),
     ("YYYY", "{date}_{name}"), ("YYYY", "{counter}"), ("YYYY/MM", "x")]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(st.tuples(FOLDERS, NAMES), st.tuples(DAYS, st.sampled_from("ab"), st.booleans()), max_size=9),
    layout=LAYOUTS,
    collision=st.sampled_from(["rename", "skip"]),
)
def test_any_library_is_brought_in_order_and_then_left_alone(
    monkeypatch: pytest.MonkeyPatch,
    files: dict[tuple[str, str], tuple[str | None, str, bool]],
    layout: tuple[str, str | None],
    collision: str,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "p")
        for (place, name), (taken, digest, tagged) in files.items():
            path = f"{place}/{name}" if place else name
            if name.endswith((".xmp", ".txt")):
                world.file(path, path)
            else:
                content = "u" if tagged and digest == "a" else None
                tags = (("people", "People"),) if tagged else ()
                world.photo(path, taken=taken, sha256=digest * 64, tags=tags, content_id=content)
        before = sorted(world.tree())
        proposal = world.propose(monkeypatch, *layout, on_collision=collision)
        if proposal.plan is None:
            return
        found = plan_of(proposal)
        touched = [action.path for action in found.actions]
        touched += [one.path for action in found.actions for one in action.companions]
        assert len(touched) == len(set(touched)), "nothing is in two actions"
        targets = [fold(new) for new in moves(found).values()]
        assert len(targets) == len(set(targets)), "no place is given twice"
        with Catalog.open(str(world.root)) as catalog:
            assert findings_of(catalog, found) == [], "what is proposed may be approved"
        world.apply(found)
        assert len(world.tree()) == len(before), "nothing is lost"
        again = world.propose(monkeypatch, *layout, on_collision=collision)
        if collision == "rename":
            assert again.plan is None, "what is in order is left alone"
        else:
            assert again.plan is None or {one["do"] for one in again.plan["actions"]} <= {"skip", "move"}
