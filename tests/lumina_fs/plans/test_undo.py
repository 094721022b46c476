"""A finished plan is taken back by a plan of its own: by what is there now, and whole units."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.audit import read_audit
from lumina_fs.catalog import Catalog
from lumina_fs.errors import Refused
from lumina_fs.plans.files import read_plan, weigh, write_draft
from lumina_fs.plans.findings import findings_of
from lumina_fs.plans.places import beside
from lumina_fs.plans.status import status_of
from lumina_fs.plans.trash import Trashed, empty, list_trash, propose_restore
from lumina_fs.plans.undo import propose_undo
from lumina_fs.progress import Finished
from schemas.names import encode_name
from tests.conftest import Library
from tests.lumina_fs.plans.scenes import Scene, other_volume, sha256, thirty_actions


def undo(scene: Scene, plan: str) -> str:
    """Propose and approve the undo of a plan; its id."""
    with Catalog.open(str(scene.main)) as catalog:
        undoing = write_draft(catalog, propose_undo(catalog, read_plan(catalog, plan)))
    scene.approve(undoing)
    return undoing


def take_back(scene: Scene, plan: str, before: object) -> None:
    """Undo a plan, against which nothing speaks: then all is as it was."""
    undoing = undo(scene, plan)
    with Catalog.open(str(scene.main)) as catalog:
        assert findings_of(catalog, read_plan(catalog, undoing).plan) == []
    assert scene.run("apply", undoing).outcome == "complete"
    assert scene.tree() == before


def status(scene: Scene, plan: str) -> str:
    with Catalog.open(str(scene.main)) as catalog:
        return status_of(catalog, read_plan(catalog, plan))


def trash_of(scene: Scene) -> list[Trashed]:
    with Catalog.open(str(scene.main)) as catalog:
        return [one for one in list_trash(catalog) if isinstance(one, Trashed)]


def check_undo(scene: Scene) -> None:
    plan = scene.approved(thirty_actions(scene))
    before, photos = scene.tree(), scene.photos()
    folders = {path for base in (scene.main, scene.other) for path in base.rglob("*") if path.is_dir()}
    assert scene.run("apply", plan).outcome == "complete"
    assert scene.tree() != before
    undoing = undo(scene, plan)
    result = scene.run("apply", undoing)
    assert (result.outcome, result.skipped) == ("complete", 0)
    assert scene.tree() == before
    assert not photos - scene.photos()
    assert status(scene, plan) == "undone"
    now = {path for base in (scene.main, scene.other) for path in base.rglob("*") if path.is_dir()}
    assert [path for path in now - folders if ".lumina" not in path.parts] == []
    # and once more: undoing the undo does the plan again, photos and all
    again = scene.run("apply", undo(scene, undoing))
    assert again.outcome == "complete"
    assert status(scene, plan) == "complete"
    assert status(scene, undoing) == "undone"


def test_undo_gives_the_tree_before_and_can_be_undone(scene: Scene) -> None:
    check_undo(scene)


def test_undo_goes_back_over_volumes_too(far_scene: Scene) -> None:
    check_undo(far_scene)


def test_curation_written_since_stays_and_what_changed_since_is_listed_and_left(scene: Scene) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        scene.photo(name)
    scene.file("a.xmp", b"<old/>")
    xmp = scene.companion("xmp", "a.xmp", "x/a.xmp")
    plan = scene.approved(
        [
            scene.move("a.jpg", "x/a.jpg", companions=[xmp]),
            scene.move("b.jpg", "x/b.jpg"),
            scene.move("c.jpg", "x/c.jpg"),
        ]
    )
    scene.run("apply", plan)
    side = scene.at("main", "x/a.jpg.lumina.json")
    value = json.loads(side.read_bytes())
    side.write_text(json.dumps({**value, "curation": {"rating": 5}}))
    scene.at("main", "x/a.xmp").write_bytes(b"<developed since/>")
    scene.file("x/c.xmp", b"<new since/>")
    scene.at("main", "x/b.jpg").write_bytes(b"edited since")
    with Catalog.open(str(scene.main)) as catalog:
        value = propose_undo(catalog, read_plan(catalog, plan))
    skipped = [action for action in value["actions"] if action["do"] == "skip"]
    assert [(action["path"], "content was changed since" in action["reason"]) for action in skipped] == [
        ("x/b.jpg", True)
    ]
    result = scene.run("apply", undo(scene, plan))
    assert (result.outcome, result.done, result.skipped) == ("complete", 2, 1)
    assert json.loads(scene.at("main", "a.jpg.lumina.json").read_bytes())["curation"] == {"rating": 5}
    assert scene.at("main", "a.xmp").read_bytes() == b"<developed since/>"
    assert scene.at("main", "c.xmp").read_bytes() == b"<new since/>"
    assert scene.at("main", "x/b.jpg").read_bytes() == b"edited since"


def test_undo_of_what_did_not_run_is_refused_with_what_to_do(scene: Scene) -> None:
    scene.photo("a.jpg")
    plan = scene.draft([scene.move("a.jpg", "b.jpg")])
    with pytest.raises(Refused, match="was not carried out"):
        undo(scene, plan)
    scene.approve(plan)
    scene.run("apply", plan)
    scene.run("apply", undo(scene, plan))
    with pytest.raises(Refused, match="is undone already"):
        undo(scene, plan)


def test_names_that_are_no_text_go_and_come_back_byte_for_byte(scene: Scene) -> None:
    name = os.fsdecode(b"odd \xff\xfe name.jpg")
    scene.photo("plain.jpg", sidecar=False).rename(scene.main / name)
    data = (scene.main / name).read_bytes()
    where = {"source": "main", "path": encode_name(name), "size": len(data), "sha256": sha256(data)}
    to = {"source": "main", "path": encode_name(os.fsdecode(b"new \xff/\xfe.jpg"))}
    plan = scene.approved([{"do": "move", **where, "to": to}])
    assert scene.run("apply", plan).outcome == "complete"
    assert os.listdir(os.fsencode(scene.main / os.fsdecode(b"new \xff"))) == [b"\xfe.jpg"]
    assert scene.run("apply", undo(scene, plan)).outcome == "complete"
    assert (scene.main / name).read_bytes() == data
    assert not (scene.main / os.fsdecode(b"new \xff")).exists()
    scene.run("apply", scene.approved([{"do": "trash", **where}]))
    [entry] = trash_of(scene)
    assert entry.path == name


# -- the trash


def test_the_trash_tells_what_is_in_it_and_brings_it_back_by_a_plan(far_scene: Scene) -> None:
    scene = far_scene
    scene.photo("in/a.jpg")
    scene.file("in/a.xmp", b"<x/>")
    scene.photo("b.jpg", source="far")
    before = scene.tree()
    xmp = scene.companion("xmp", "in/a.xmp", None)
    actions = [
        scene.action("trash", "in/a.jpg", companions=[xmp], reason="a duplicate"),
        scene.action("trash", "b.jpg", source="far"),
    ]
    plan = scene.approved(actions)
    scene.run("apply", plan)
    found = trash_of(scene)
    assert [(one.path, one.reason, one.plan) for one in found] == [
        ("in/a.jpg", "a duplicate", plan),
        ("b.jpg", "", plan),
    ]
    assert [file.part for file in found[0].files] == ["original", "xmp", "sidecar"]
    assert (scene.other / f".lumina/trash/{plan}/far/b.jpg").exists()  # each on its own volume
    with Catalog.open(str(scene.main)) as catalog:
        restoring = write_draft(catalog, propose_restore(catalog, found))
        weight = weigh(read_plan(catalog, restoring).plan)
    assert weight.size >= sum(one.size for one in found) > 0
    scene.approve(restoring)
    assert scene.run("apply", restoring).counts == {"restore": 2}
    assert scene.tree() == before
    assert trash_of(scene) == []


def test_a_restore_to_a_place_that_is_taken_by_now_is_left_out_with_the_reason(scene: Scene) -> None:
    scene.photo("a.jpg")
    scene.run("apply", scene.approved([scene.action("trash", "a.jpg")]))
    scene.file("a.jpg", b"another")
    with Catalog.open(str(scene.main)) as catalog:
        [action] = propose_restore(catalog, trash_of(scene))["actions"]
    assert (action["do"], action["reason"]) == ("skip", "another file lies at its place by now")


def test_only_emptying_the_trash_removes_photos_and_only_after_a_yes(scene: Scene) -> None:
    for name in ("a.jpg", "b.jpg"):
        scene.photo(name)
    scene.run("apply", scene.approved([scene.action("trash", name) for name in ("a.jpg", "b.jpg")]))
    entries = trash_of(scene)
    photos = scene.photos()
    with Catalog.open(str(scene.main)) as catalog:
        with pytest.raises(Refused, match="nothing was removed"):
            list(empty(catalog, entries, may=lambda what: False, cancel=threading.Event()))
        assert scene.photos() == photos
        asked: list[Any] = []

        def may(what: Any) -> bool:
            asked.extend(what)
            return True

        *_, end = empty(catalog, entries[:1], may=may, cancel=threading.Event())
        assert isinstance(end, Finished)
        assert (end.result.originals, end.result.files) == (1, 2)
        assert asked == entries[:1]
        assert sum(scene.photos().values()) == 1
        list(empty(catalog, entries[1:], may=lambda what: True, cancel=threading.Event()))
        assert not any(path.is_file() for path in (scene.main / ".lumina/trash").rglob("*"))
        assert [line["path"] for line in read_audit(catalog, kinds=["emptied"])] == ["a.jpg", "b.jpg"]


def test_a_manifest_that_names_files_elsewhere_removes_nothing(scene: Scene) -> None:
    scene.photo("a.jpg")
    scene.photo("safe.jpg")
    scene.run("apply", scene.approved([scene.action("trash", "a.jpg")]))
    [manifest] = (scene.main / ".lumina/trash").glob("*.jsonl")
    honest = manifest.read_text()
    for place in ("safe.jpg", ".lumina/trash/../../safe.jpg", "/etc/hostname", ".lumina/catalog.json"):
        value = json.loads(honest)
        value["files"] = [{"part": "original", "path": "a.jpg", "in": place}]
        manifest.write_text(json.dumps(value) + "\n" + "torn {")
        assert trash_of(scene) == []
    manifest.write_text(honest)
    assert len(trash_of(scene)) == 1


# -- the audit


def test_the_audit_tells_of_every_operation_once(scene: Scene) -> None:
    actions = thirty_actions(scene)
    plan = scene.approved(actions)
    scene.run("apply", plan)
    with Catalog.open(str(scene.main)) as catalog:
        lines = list(read_audit(catalog))
        assert len(lines) == len(actions) - 1
        assert {line["what"] for line in lines} == {"moved", "copied", "trashed", "edited"}
        assert all(line["plan"] == plan and line["by"] and line["when"] for line in lines)
        month = lines[0]["when"][:7]
        assert list(read_audit(catalog, since=month, until=month)) == lines
        assert list(read_audit(catalog, since="2999")) == list(read_audit(catalog, until="1999-12-31")) == []
        assert {line["path"] for line in read_audit(catalog, kinds=["trashed"])} == {
            "bad/t0.jpg", "bad/t1.jpg", "bad/t2.jpg", "out/gone.jpg",
        }  # fmt: skip
        assert [line["to"]["path"] for line in read_audit(catalog, entity="renamed-1")] == ["2020/renamed-1.jpg"]


# -- real photographs, and the index


def test_real_photographs_organised_and_taken_back_are_the_same_in_path_digest_mode_and_mtime(
    photos: Path, tmp_path: Path, without_index: None
) -> None:
    scene = Scene.make(tmp_path, tmp_path)
    shutil.rmtree(scene.main / "photos", ignore_errors=True)
    shutil.copytree(photos, scene.main / "in", copy_function=shutil.copy2)
    for path in scene.main.rglob("*"):
        if path.is_dir() and "in" in path.parts:
            path.chmod(0o755)
    before = state(scene.main)
    actions, taken = [], set()
    for path in sorted((scene.main / "in").rglob("*")):
        inner = str(path.relative_to(scene.main))
        if not path.is_file() or path.suffix.lower() in (".md", ".json", ".xmp", ".txt"):
            continue
        to = f"{2000 + path.stat().st_size % 20}/{path.stat().st_size % 12 + 1:02}/{path.name}"
        while to.lower() in taken:
            to = to.replace(path.name, f"x-{path.name}")
        taken.add(to.lower())
        actions.append((inner, to))
    beside = {str(path.relative_to(scene.main)) for path in (scene.main / "in").rglob("*")}
    value = [scene.move(*one) for one in actions if alone(one[0], beside)]
    assert len(value) > 300
    plan = scene.approved(value)
    assert scene.run("apply", plan).outcome == "complete"
    assert state(scene.main) != before
    assert scene.run("apply", undo(scene, plan)).outcome == "complete"
    assert state(scene.main) == before


def alone(path: str, others: set[str]) -> bool:
    """True when nothing lies beside a photo under its name."""
    stem = os.path.splitext(path)[0]
    return sum(other.startswith(f"{stem}.") for other in others) == 1


def state(base: Path) -> dict[str, tuple[str, int, int]]:
    return {
        str(path.relative_to(base)): (sha256(path.read_bytes()), stat.S_IMODE(info.st_mode), info.st_mtime_ns)
        for path in base.rglob("*")
        for info in [path.stat()]
        if path.is_file() and ".lumina" not in path.parts
    }  # fmt: skip


def test_the_index_follows_in_the_same_run_and_never_shows_a_photo_twice_or_not_at_all(library: Library) -> None:
    names = [f"in/{number}.jpg" for number in range(40)]
    for number, name in enumerate(names):
        library.photo(name, number)
    volume = other_volume() or library.root.parent
    with tempfile.TemporaryDirectory(dir=volume) as far:
        scene = Scene(library.root, Path(far))
        with Catalog.create(str(library.root), managed=True) as catalog:
            catalog.add_source(far, name="far", managed=True)
        library.scan()
        into = ["far" if number % 4 == 0 else "main" for number in range(40)]
        moves = [scene.move(name, f"x/{n % 3}/r{n}.jpg", into=into[n]) for n, name in enumerate(names)]
        plan = scene.approved(moves)
        seen: list[list[str]] = []

        def look() -> None:
            seen.append(sorted(hit.id for hit in searched(library)))

        from tests.lumina_fs.faults import Interrupted

        moments = {("rename_new", count): look for count in range(1, 90, 7)} | {("fsync", 12): look}
        ids = sorted(hit.id for hit in searched(library))
        result = scene.run("apply", plan, Interrupted(moments))
        assert (result.outcome, result.index) == ("complete", "current")
        assert len(seen) > 5
        assert all(one == ids for one in seen)
        assert sorted(library.search(limit=100)) == sorted(move["to"]["path"] for move in moves)
        again = library.scan()
        assert (again.unchanged, again.added, again.moved, again.updated) == (40, 0, 0, 0)
        assert scene.run("apply", undo(scene, plan)).index == "current"
        assert sorted(library.search(limit=100)) == sorted(names)


def searched(library: Library) -> list[Any]:
    """All hits, from the index as it is: a search beside a run does not wait for it."""
    from lumina_fs.index_session import connect

    with Catalog.open(str(library.root)) as catalog, connect(catalog) as index:
        return index.search("", limit=200)


def test_an_index_that_is_down_is_marked_behind_and_the_plan_goes_on(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.photo("a.jpg", 1)
    with Catalog.create(str(library.root), managed=True):
        pass
    library.scan()
    scene = Scene(library.root, library.root)
    plan = scene.approved([scene.move("a.jpg", "x/b.jpg")])
    with monkeypatch.context() as patch:
        patch.setenv("LUMINA_DATABASE_URL", "host=127.0.0.1 port=1 connect_timeout=1")
        result = scene.run("apply", plan)
    assert (result.outcome, result.index) == ("complete", "behind")
    assert (library.root / ".lumina/index-behind.json").exists()
    assert library.search() == ["x/b.jpg"]


def test_what_is_taken_back_may_have_names_that_no_plan_gives(scene: Scene) -> None:
    names = ["A.jpg", "a.jpg", "CON.jpg", "\u00e9.jpg", "e\u0301.jpg", "stays.jpg", "Stays.jpg"]
    for number, name in enumerate(names):
        scene.photo(f"in/{name}", size=300 + number)
    before = scene.tree()
    plan = scene.approved(
        scene.move(f"in/{name}", f"out/{number}.jpg") for number, name in enumerate(names) if name != "stays.jpg"
    )
    assert scene.run("apply", plan).outcome == "complete"
    with Catalog.open(str(scene.main)) as catalog:
        undoing = write_draft(catalog, propose_undo(catalog, read_plan(catalog, plan)))
        assert findings_of(catalog, read_plan(catalog, undoing).plan) == []
        scene.approve(undoing)
        again = read_plan(catalog, undoing).plan.model_copy(update={"purpose": "organise"})
        assert len({one.action for one in findings_of(catalog, again)}) == 4, "any other plan is refused"
    assert scene.run("apply", undoing).outcome == "complete"
    assert scene.tree() == before


def test_a_copy_of_a_unit_is_taken_back_whole_with_every_sidecar(scene: Scene) -> None:
    for name, sidecar in (("L.HEIC", True), ("L.MOV", True), ("L.AAE", False)):
        scene.photo(f"in/{name}", sidecar=sidecar, size=300 + len(name) + sidecar)
    before = scene.tree()
    parts = (("live_photo", ".MOV"), ("edits", ".AAE"))
    companions = [scene.companion(part, f"in/L{end}", f"new/L{end}") for part, end in parts]
    companions += [
        {"part": "sidecar", "path": f"in/L{end}.lumina.json", "to": f"new/L{end}.lumina.json"}
        for end in (".HEIC", ".MOV")
    ]
    plan = scene.approved([scene.copy("in/L.HEIC", "new/L.HEIC", companions=companions)])
    assert (result := scene.run("apply", plan)).outcome == "complete"
    assert result.size == sum((scene.main / f"in/L{end}").stat().st_size for end in (".HEIC", ".MOV", ".AAE"))
    with Catalog.open(str(scene.main)) as catalog:
        undoing = write_draft(catalog, propose_undo(catalog, read_plan(catalog, plan)))
        stored = read_plan(catalog, undoing).plan
        assert findings_of(catalog, stored) == []
        assert sorted(one.part for one in stored.actions[0].companions) == ["edits", "live_photo", "sidecar", "sidecar"]
    scene.approve(undoing)
    assert scene.run("apply", undoing).outcome == "complete"
    assert scene.tree() == before


@pytest.mark.parametrize("name", ["IMG_1", "n" * 240], ids=["a name", "a name that cuts that of its sidecar"])
def test_a_unit_of_two_originals_goes_back_with_the_sidecars_of_both(scene: Scene, name: str) -> None:
    for number, end in enumerate((".JPG", ".CR2", ".xmp")):
        scene.photo(f"in/{name}{end}", sidecar=end != ".xmp", size=1300 + number)
    before = scene.tree()
    companions = [scene.companion("raw", f"in/{name}.CR2", f"new/{name}.CR2")]
    companions += [scene.companion("xmp", f"in/{name}.xmp", f"new/{name}.xmp")]
    companions += [
        {"part": "sidecar", "path": beside(f"in/{name}{end}"), "to": beside(f"new/{name}{end}")}
        for end in (".JPG", ".CR2")
    ]
    plan = scene.approved([scene.move(f"in/{name}.JPG", f"new/{name}.JPG", companions=companions)])
    assert scene.run("apply", plan).outcome == "complete"
    take_back(scene, plan, before)


@pytest.mark.parametrize("target", ["../out.jpg", "/out.jpg", "a//b.jpg", ".lumina/x.jpg", "in/taken.jpg"])
def test_a_plan_that_says_it_takes_back_goes_nowhere_else(scene: Scene, target: str) -> None:
    scene.photo("in/a.jpg")
    scene.photo("in/taken.jpg", size=400)
    with Catalog.open(str(scene.main)) as catalog:
        plan = read_plan(catalog, scene.draft([scene.move("in/a.jpg", target)], purpose="undo")).plan
        assert findings_of(catalog, plan) != []


@pytest.mark.parametrize(
    "moves",
    [
        {"in/UPPER.JPG": "out/0.JPG", "in/upper.jpg": "out/1.jpg", "con/a.jpg": "out/2.jpg"},
        {"in/UPPER.JPG": "out/a.JPG"},
    ],
    ids=["all of them", "one beside which another stayed"],
)
def test_names_that_only_some_volumes_tell_apart_or_windows_reserves_go_back_where_they_were(
    scene: Scene, moves: dict[str, str]
) -> None:
    for name in ("in/UPPER.JPG", "in/upper.jpg", *(name for name in moves if name.startswith("con/"))):
        scene.photo(name)
    if len(os.listdir(scene.main / "in")) != 4:
        pytest.skip("this volume does not tell names apart by case")
    before = scene.tree()
    plan = scene.approved([scene.move(name, target) for name, target in moves.items()])
    assert scene.run("apply", plan).outcome == "complete"
    take_back(scene, plan, before)


def test_an_undo_leads_out_of_no_source_whatever_it_says(scene: Scene) -> None:
    scene.photo("in/a.jpg")
    for target, why in (("../a.jpg", "'..'"), (".lumina/a.jpg", "scans leave out"), ("x/a.jpg.lumina.json", "sidecar")):
        draft = scene.draft([scene.move("in/a.jpg", target)], purpose="undo")
        with Catalog.open(str(scene.main)) as catalog:
            found = findings_of(catalog, read_plan(catalog, draft).plan)
        assert any(why in one.reason for one in found), target
