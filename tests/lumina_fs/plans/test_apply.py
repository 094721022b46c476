"""A plan runs exactly as it was approved, or not at all: what is refused, and what is left untouched then."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.documents import edit
from lumina_fs.durable import Disk
from lumina_fs.errors import CorruptDocument, Halted, Locked, Refused, WriteFailed
from lumina_fs.locks import lock
from lumina_fs.plans.apply import PlanRefused, apply, plan_lock
from lumina_fs.plans.files import read_plan
from lumina_fs.plans.journal import Journal, frame, history_of, read_history
from lumina_fs.plans.status import status_of
from lumina_fs.progress import Finished, Progress, Trouble
from schemas.sidecar import Sidecar
from tests.lumina_fs.faults import Failing, Interrupted, TestLayer
from tests.lumina_fs.plans.scenes import Scene, thirty_actions


def everything(scene: Scene) -> dict[str, tuple[int, int, int]]:
    """Inode, size and mtime of every file but locks and lists: equal means that nothing was touched."""
    found = {}
    for base in (scene.main, scene.other):
        for path in base.rglob("*"):
            if path.is_file() and "/.lumina/locks/" not in str(path):
                info = path.lstat()
                found[str(path)] = (info.st_ino, info.st_size, info.st_mtime_ns)
    return found


def status(scene: Scene, plan: str) -> str:
    with Catalog.open(str(scene.main)) as catalog:
        return status_of(catalog, read_plan(catalog, plan))


def refused(scene: Scene, plan: str, *, match: str, error: type[Refused] = PlanRefused) -> None:
    before = everything(scene)
    with pytest.raises(error, match=match):
        scene.run("apply", plan)
    assert everything(scene) == before
    assert not list((scene.main / ".lumina/plans").glob("*.journal.jsonl"))


# -- approvals


def test_a_plan_without_approval_is_refused_and_an_approval_is_for_one_run(scene: Scene) -> None:
    scene.photo("a.jpg")
    plan = scene.draft([scene.move("a.jpg", "b.jpg")])
    assert status(scene, plan) == "draft"
    refused(scene, plan, match="is not approved", error=Refused)
    scene.approve(plan)
    assert status(scene, plan) == "approved"
    assert scene.run("apply", plan).outcome == "complete"
    assert status(scene, plan) == "complete"
    for what, match in (("apply", "was carried out already"), ("resume", "nothing to resume"), ("rollback", "undo")):
        with pytest.raises(Refused, match=match):
            scene.run(what, plan)


def test_one_byte_of_an_approved_plan_voids_its_approval(scene: Scene) -> None:
    scene.photo("a.jpg")
    plan = scene.approved([scene.move("a.jpg", "b.jpg")])
    path = scene.main / f".lumina/plans/{plan}.json"
    path.write_bytes(path.read_bytes().replace(b"b.jpg", b"c.jpg"))
    assert status(scene, plan) == "void"
    refused(scene, plan, match="changed after it was approved", error=Refused)


def test_an_approval_of_another_plan_is_refused(scene: Scene) -> None:
    scene.photo("a.jpg")
    one, other = (scene.draft([scene.move("a.jpg", name)]) for name in ("b.jpg", "c.jpg"))
    scene.approve(one)
    plans = scene.main / ".lumina/plans"
    shutil.copy(plans / f"{one}.approval.json", plans / f"{other}.approval.json")
    assert status(scene, other) == "void"
    refused(scene, other, match="one of another plan", error=Refused)


def test_two_applies_at_once_are_refused_with_the_name_of_the_holder(scene: Scene) -> None:
    scene.photo("a.jpg")
    plan = scene.approved([scene.move("a.jpg", "b.jpg")])
    before = everything(scene)
    with Catalog.open(str(scene.main)) as catalog:
        catalog.disk.make_directory(catalog.root, ".lumina/locks")
        with lock(catalog.root, plan_lock(plan)):
            assert status(scene, plan) == "executing"
            with pytest.raises(Locked, match=f"process {os.getpid()}"):
                scene.run("apply", plan)
            assert everything(scene) == before
    assert scene.run("apply", plan).outcome == "complete"


def test_a_plan_that_is_changed_after_it_was_begun_is_left_alone(scene: Scene) -> None:
    scene.photo("a.jpg")
    plan = scene.approved([scene.move("a.jpg", "b/c.jpg")])
    with pytest.raises(Halted, match=r"lumina plan resume or lumina plan rollback"):
        scene.run("apply", plan, Failing(TestLayerCount.until(scene, plan, "rename_new"), 5, for_good=True))
    assert status(scene, plan) == "interrupted"
    path = scene.main / f".lumina/plans/{plan}.json"
    right = path.read_bytes()
    path.write_bytes(right.replace(b"a test", b"a best"))
    for what in ("resume", "rollback"):
        with pytest.raises(Refused, match="nobody can say any more what it did"):
            scene.run(what, plan)
    path.write_bytes(right)
    assert scene.run("rollback", plan).outcome == "rolled_back"
    assert (scene.main / "a.jpg").exists()


class TestLayerCount:
    """Counts the operations of a plan on a copy of a scene."""

    __test__ = False

    @staticmethod
    def until(scene: Scene, plan: str, name: str) -> int:
        """The number of the last operation of this name."""
        saved = scene.main.with_name("saved")
        shutil.copytree(scene.main, saved)
        layer = TestLayer()
        scene.run("apply", plan, layer)
        shutil.rmtree(scene.main)
        saved.rename(scene.main)
        return max(number for number, one in enumerate(layer.trace, 1) if one == name)


# -- the world has changed


def test_a_source_that_changed_after_the_approval_is_refused(scene: Scene) -> None:
    target = scene.photo("a.jpg")
    scene.photo("fine.jpg")
    plan = scene.approved([scene.move("fine.jpg", "x/fine.jpg"), scene.move("a.jpg", "b.jpg")])
    info, data = target.stat(), target.read_bytes()
    target.write_bytes(data[:-1] + b"!")
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
    refused(scene, plan, match="content changed since the plan was made")
    target.write_bytes(data + b"!")
    refused(scene, plan, match="was changed")
    target.unlink()
    refused(scene, plan, match="is not there any more")
    target.symlink_to("fine.jpg")
    refused(scene, plan, match="cannot be looked at|regular")


def test_a_file_that_changes_between_the_check_and_its_turn_fails_and_all_goes_back(scene: Scene) -> None:
    target = scene.photo("b.jpg")
    scene.photo("a.jpg")
    plan = scene.approved([scene.move("a.jpg", "x/a.jpg"), scene.move("b.jpg", "x/b.jpg")])
    tree = scene.tree()
    layer = Interrupted({("rename_new", 1): lambda: target.write_bytes(b"another photo")})
    result = scene.run("apply", plan, layer)
    assert result.outcome == "rolled_back"
    assert "changed since it was checked" in result.failures[0].why
    assert target.read_bytes() == b"another photo"
    assert {name: tree[name] for name in tree if "b.jpg" not in name} == {
        name: found for name, found in scene.tree().items() if "b.jpg" not in name
    }


def test_a_taken_target_is_refused_and_one_that_appears_later_is_never_overwritten(scene: Scene) -> None:
    scene.photo("a.jpg")
    scene.photo("b.jpg")
    plan = scene.approved([scene.move("a.jpg", "x/b.jpg")])
    (scene.main / "x").mkdir()
    (scene.main / "x/b.jpg").write_bytes(b"")
    refused(scene, plan, match="the name is taken")
    (scene.main / "x/b.jpg").unlink()
    layer = Interrupted({("rename_new", 1): lambda: (scene.main / "x/b.jpg").write_bytes(b"theirs")})
    result = scene.run("apply", plan, layer)
    assert result.outcome == "rolled_back"
    assert "the name is taken by now" in result.failures[0].why
    assert (scene.main / "x/b.jpg").read_bytes() == b"theirs"
    assert (scene.main / "a.jpg").exists()
    assert (scene.main / "a.jpg.lumina.json").exists()


def test_the_plan_goes_on_or_stops_at_a_failure_as_it_says(scene: Scene) -> None:
    for policy, done in (("continue", 3), ("stop", 2)):
        names = [f"{policy}{number}.jpg" for number in range(4)]
        for name in names:
            scene.photo(name)
        plan = scene.approved([scene.move(name, f"x/{name}") for name in names], on_failure=policy)

        def take(name: str = names[2]) -> None:
            (scene.main / "x" / name).write_bytes(b"theirs")

        # original and sidecar of two photos go first
        result = scene.run("apply", plan, Interrupted({("rename_new", 5): take}))
        assert (result.outcome, result.done, result.left) == ("failed", done, 4 - done)
        assert status(scene, plan) == "failed"
        assert (scene.main / names[2]).exists()
        (scene.main / "x" / names[2]).unlink()
        assert scene.run("resume", plan).outcome == "complete"
        assert all((scene.main / "x" / name).exists() for name in names)


def test_a_journal_that_cannot_be_begun_leaves_the_plan_approved(scene: Scene, without_index: None) -> None:
    scene.photo("a.jpg")
    plan = scene.approved([scene.move("a.jpg", "b.jpg")])
    before = scene.tree()

    class Full(TestLayer):
        def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
            if name == "write":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(WriteFailed, match=r"nothing was touched.*lumina plan apply"):
        scene.run("apply", plan, Full())
    assert (status(scene, plan), scene.tree()) == ("approved", before)
    assert scene.run("apply", plan).outcome == "complete"


def test_a_disk_that_fills_up_is_told_before_or_all_goes_back(tmp_path: Path, without_index: None) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], capture_output=True).returncode:
        pytest.skip("only root can mount a small volume")
    try:
        scene = Scene.make(tmp_path, small)
        scene.photo("big.jpg", size=2_000_000)
        refused(
            scene, scene.approved([scene.move("big.jpg", "big.jpg", into="far")]), match="2,000,000 bytes.*are free"
        )
        for number in range(3):
            scene.photo(f"{number}.jpg", size=200_000)
        plan = scene.approved([scene.move(f"{n}.jpg", f"in/{n}.jpg", into="far") for n in range(3)])
        tree = scene.tree()

        def fill() -> None:
            (scene.other / "filler").write_bytes(bytes(500_000))

        layer = Interrupted({("rename_new", 1): fill})
        result = scene.run("apply", plan, layer)
        assert result.outcome == "rolled_back"
        assert "No space left" in result.failures[0].why
        (scene.other / "filler").unlink()
        assert scene.tree() == tree
    finally:
        subprocess.run(["umount", str(small)], check=True)


# -- names and places

LONG = "n" * 256 + ".jpg"


@pytest.mark.parametrize(
    ("to", "match"),
    [
        ("../out.jpg", "may not contain"),
        ("x/../../out.jpg", "may not contain"),
        ("/etc/out.jpg", "not a relative path"),
        ("bytes:x%00.jpg", "not a relative path"),
        ("C:/x.jpg", "not relative"),
        ("x/CON.jpg", "Windows reserves"),
        (LONG, "longer than 255 bytes"),
        ("é" * 128 + ".jpg", "longer than 255 bytes"),
        (".lumina/x.jpg", "among the files of a catalog"),
        (".git/x.jpg", "scans leave out"),
        ("x/.lumina-tmp-1.jpg", "scans leave out"),
        ("x/y.jpg.lumina.json", "name of a sidecar"),
        ("link/x.jpg", "passes through a link|cannot be used"),
        ("a.jpg/x.jpg", "is a file"),
        ("Other.JPG", "only in case"),
        ("FOLDER/x.jpg", "only in case"),
        (unicodedata.normalize("NFD", "äöü.jpg"), "form of its letters"),
    ],
)  # fmt: skip
def test_hostile_targets_are_refused_and_nothing_is_touched(scene: Scene, tmp_path: Path, to: str, match: str) -> None:
    for name in ("a.jpg", "other.jpg", "folder/b.jpg", "äöü.jpg"):
        scene.photo(name)
    (scene.main / "link").symlink_to(tmp_path)
    for action in (scene.move("a.jpg", to), scene.copy("a.jpg", to)):
        refused(scene, scene.approved([action]), match=match)


@pytest.mark.parametrize("purpose", ["organise", "undo", "restore"])
def test_no_plan_touches_the_files_of_the_catalog(scene: Scene, purpose: str) -> None:
    scene.photo("a.jpg")
    catalog = ".lumina/catalog.json"
    for action in (
        scene.move("a.jpg", ".lumina/plans/x.json"),
        scene.move(catalog, "x.jpg"),
        scene.action("trash", catalog),
        scene.move("a.jpg", "b.jpg", companions=[scene.companion("xmp", catalog, "c.xmp")]),
        scene.move("a.jpg", "../b.jpg"),
    ):
        refused(scene, scene.approved([action], purpose=purpose), match="files of a catalog|may not contain")


def test_targets_that_clash_with_each_other_are_refused(scene: Scene) -> None:
    for name in ("a.jpg", "b.jpg"):
        scene.photo(name)
    refused(
        scene, scene.approved([scene.move("a.jpg", "x/y.jpg"), scene.move("b.jpg", "x/Y.JPG")]), match="only in case"
    )
    refused(scene, scene.approved([scene.move("a.jpg", "x/y.jpg"), scene.move("b.jpg", "x/y.jpg")]), match="is taken")
    refused(scene, scene.approved([scene.move("a.jpg", "x"), scene.move("b.jpg", "x/y.jpg")]), match="is to be a file")


def test_a_swap_and_a_chain_are_done_in_the_order_of_the_plan(scene: Scene) -> None:
    one, two = scene.photo("a.jpg").read_bytes(), scene.photo("b.jpg").read_bytes()
    first = scene.move("a.jpg", "tmp.jpg")
    third = {**first, "path": "tmp.jpg", "to": {"source": "main", "path": "b.jpg"}}
    plan = scene.approved([first, scene.move("b.jpg", "a.jpg"), third])
    assert scene.run("apply", plan).outcome == "complete"
    assert (scene.main / "a.jpg").read_bytes() == two
    assert (scene.main / "b.jpg").read_bytes() == one
    value = json.loads((scene.main / "a.jpg.lumina.json").read_bytes())
    assert value["original"]["name"] == "a.jpg"
    assert value["curation"]["caption"].endswith("b.jpg")


def test_only_managed_originals_are_moved_and_referenced_ones_are_copied(tmp_path: Path, without_index: None) -> None:
    scene = Scene.make(tmp_path, tmp_path, managed=False)
    scene.photo("a.jpg")
    scene.photo("b.jpg", source="far")
    with Catalog.open(str(scene.main)) as catalog:
        catalog.set_source("main", managed=True)
    for action in (
        scene.move("b.jpg", "b.jpg", source="far"),
        scene.action("trash", "b.jpg", source="far"),
        scene.move("a.jpg", "a.jpg", into="far"),
        scene.copy("a.jpg", "a.jpg", into="far"),
    ):
        refused(scene, scene.approved([action]), match="source far is referenced")
    assert scene.run("apply", scene.approved([scene.copy("b.jpg", "b.jpg", source="far")])).outcome == "complete"


def test_a_plan_that_splits_a_unit_is_refused(scene: Scene) -> None:
    scene.photo("a.cr2")
    for name in ("a.xmp", "a.cr2.xmp", "a.txt", "a.JPG"):
        scene.file(name, name.encode())
        refused(scene, scene.approved([scene.move("a.cr2", "x/a.cr2")]), match=f"{name} belongs to it")
        refused(scene, scene.approved([scene.action("trash", "a.cr2")]), match=f"{name} belongs to it")
        scene.at("main", name).unlink()
    scene.file("a.xmp", b"xmp")
    plan = scene.approved([scene.move("a.cr2", "x/a.cr2", companions=[scene.companion("xmp", "a.xmp", "x/a.xmp")])])
    scene.at("main", "a.xmp").write_bytes(b"XMP")
    refused(scene, plan, match="a.xmp: its content changed")
    scene.at("main", "a.xmp").unlink()
    refused(scene, plan, match="a.xmp: is not there any more")


# -- sidecars


def test_the_sidecar_goes_with_its_photo_and_hand_edits_survive(scene: Scene) -> None:
    scene.photo("a.jpg")
    side = scene.at("main", "a.jpg.lumina.json")
    plan = scene.approved([scene.move("a.jpg", "x/renamed.jpg")])
    value = json.loads(side.read_bytes())
    text = json.dumps({**value, "mine": [1, 2], "curation": {"caption": "edited after approval"}}, indent=5)
    side.write_text(text)
    scene.run("apply", plan)
    moved = scene.at("main", "x/renamed.jpg.lumina.json")
    assert not side.exists()
    now = json.loads(moved.read_bytes())
    assert now["original"]["name"] == "renamed.jpg"
    assert now["id"] == value["id"]
    assert now["mine"] == [1, 2]
    assert now["curation"] == {"caption": "edited after approval"}
    assert "\n     " in moved.read_text()


def test_a_copy_gets_a_sidecar_with_an_id_of_its_own(scene: Scene) -> None:
    scene.photo("a.jpg")
    old = scene.at("main", "a.jpg.lumina.json").read_bytes()
    scene.run("apply", scene.approved([scene.copy("a.jpg", "x/b.jpg")]))
    assert scene.at("main", "a.jpg.lumina.json").read_bytes() == old
    made, value = json.loads(scene.at("main", "x/b.jpg.lumina.json").read_bytes()), json.loads(old)
    assert made["id"] != value["id"]
    assert made["curation"] == value["curation"]
    assert made["original"]["name"] == "b.jpg"
    assert scene.at("main", "x/b.jpg").stat().st_mtime_ns == scene.at("main", "a.jpg").stat().st_mtime_ns


def test_an_edit_needs_the_value_that_the_plan_saw(scene: Scene) -> None:
    scene.photo("a.jpg")
    caption = "what a person says of a.jpg"
    fields = {"caption": {"before": caption, "after": None}, "rating": {"after": 5}}
    plan = scene.approved([scene.action("edit", "a.jpg", fields=fields)])
    wrong = scene.approved([scene.action("edit", "a.jpg", fields={"rating": {"before": 3, "after": 5}})])
    refused(scene, wrong, match="rating is None, not 3")
    assert scene.run("apply", plan).outcome == "complete"
    assert json.loads(scene.at("main", "a.jpg.lumina.json").read_bytes())["curation"] == {"rating": 5}


def test_a_hand_edit_in_the_moment_of_an_edit_wins(scene: Scene) -> None:
    scene.photo("a.jpg")
    plan = scene.approved([scene.action("edit", "a.jpg", fields={"rating": {"after": 5}})])

    def theirs() -> None:
        with Catalog.open(str(scene.main)) as catalog:
            edit(Disk(), catalog.root, "a.jpg.lumina.json", Sidecar, lambda v: {**(v or {}), "curation": {"rating": 1}})

    result = scene.run("apply", plan, Interrupted({("exchange", 1): theirs}))
    assert result.outcome == "rolled_back"
    assert "was edited meanwhile" in result.failures[0].why
    assert json.loads(scene.at("main", "a.jpg.lumina.json").read_bytes())["curation"] == {"rating": 1}


def test_a_hand_edit_while_a_sidecar_goes_to_another_volume_is_live_at_the_end(far_scene: Scene) -> None:
    scene = far_scene
    scene.photo("a.jpg")
    side = scene.at("main", "a.jpg.lumina.json")
    value = {**json.loads(side.read_bytes()), "curation": {"caption": "saved in the last moment"}}
    plan = scene.approved([scene.move("a.jpg", "x/a.jpg", into="far")])
    # the mark of the index, the photo and its publishing, the sidecar and its publishing
    layer = Interrupted({("rename_new", 5): lambda: side.write_text(json.dumps(value))})
    result = scene.run("apply", plan, layer)
    assert result.outcome == "rolled_back"
    assert json.loads(side.read_bytes())["curation"] == {"caption": "saved in the last moment"}
    assert (scene.main / "a.jpg").exists()
    assert not (scene.other / "x/a.jpg").exists()
    [kept] = (scene.other / "x").iterdir()
    assert kept.name.startswith("a.jpg.lumina.json.lumina-kept-")
    plan = scene.approved([scene.move("a.jpg", "y/a.jpg", into="far")])
    assert scene.run("apply", plan).outcome == "complete"
    assert json.loads(scene.at("far", "y/a.jpg.lumina.json").read_bytes())["curation"] == value["curation"]


def test_sidecars_in_the_catalog_follow_too(scene: Scene) -> None:
    scene.photo("b.jpg", source="far")
    place = scene.main / ".lumina/sidecars/far"
    place.mkdir(parents=True)
    scene.at("far", "b.jpg.lumina.json").rename(place / "b.jpg.lumina.json")
    with Catalog.open(str(scene.main)) as catalog:
        catalog.set_source("far", sidecars="catalog")
    scene.run("apply", scene.approved([scene.move("b.jpg", "x/c.jpg", source="far", into="far")]))
    assert (place / "x/c.jpg.lumina.json").exists()
    assert not (place / "b.jpg.lumina.json").exists()


# -- stopping


def test_cancel_stops_between_actions_and_leaves_what_resume_or_rollback_finish(scene: Scene) -> None:
    names = [f"{number}.jpg" for number in range(12)]
    for name in names:
        scene.photo(name)
    before = scene.tree()
    plan = scene.approved([scene.move(name, f"x/{name}") for name in names])
    cancel = threading.Event()
    with Catalog.open(str(scene.main), Disk(Interrupted({("rename_new", 8): cancel.set}))) as catalog:
        events = list(apply(catalog, read_plan(catalog, plan), cancel=cancel))
    assert isinstance(events[-1], Finished)
    result = events[-1].result
    assert (result.outcome, result.done, result.left) == ("interrupted", 4, 8)
    assert status(scene, plan) == "interrupted"
    with pytest.raises(Refused, match="was begun before"):
        scene.run("apply", plan)
    saved = scene.main.with_name("saved")
    shutil.copytree(scene.main, saved)
    assert scene.run("rollback", plan).outcome == "rolled_back"
    assert scene.tree() == before
    assert not (scene.main / "x").exists()
    shutil.rmtree(scene.main)
    saved.rename(scene.main)
    assert scene.run("resume", plan).outcome == "complete"
    assert sorted(path.name for path in (scene.main / "x").glob("*.jpg")) == sorted(names)


def test_progress_and_every_reason_are_told(scene: Scene) -> None:
    actions = thirty_actions(scene)
    actions[1]["sha256"] = actions[2]["sha256"] = "0" * 64
    plan = scene.approved(actions)
    told: list[Any] = []
    with Catalog.open(str(scene.main)) as catalog, pytest.raises(PlanRefused) as caught:
        told.extend(gather(apply(catalog, read_plan(catalog, plan)), told))
    assert [problem.action for problem in caught.value.problems] == [1, 2]
    assert [event.path for event in told if isinstance(event, Trouble)] == ["in/1.jpg", "in/2.jpg"]
    actions = [action for number, action in enumerate(actions) if number not in (1, 2)]
    plan = scene.approved(actions)
    with Catalog.open(str(scene.main)) as catalog:
        told = list(apply(catalog, read_plan(catalog, plan)))
    assert any(isinstance(event, Progress) and event.done == event.total for event in told)


def gather(events: Iterator[Any], into: list[Any]) -> list[Any]:
    for event in events:
        into.append(event)
    return []


# -- the journal


def lines_of(scene: Scene, plan: str) -> list[bytes]:
    return (scene.main / f".lumina/plans/{plan}.journal.jsonl").read_bytes().split(b"\n")


def test_a_torn_end_of_the_journal_is_ignored_and_cut_and_damage_is_told(scene: Scene) -> None:
    scene.photo("a.jpg")
    plan = scene.approved([scene.move("a.jpg", "b.jpg")])
    scene.run("apply", plan)
    path = scene.main / f".lumina/plans/{plan}.journal.jsonl"
    whole = path.read_bytes()
    lines = lines_of(scene, plan)
    for cut in range(len(whole) - len(lines[-2]), len(whole)):
        assert history_of(whole[:cut].split(b"\n"), "").records == len(lines) - 2
    path.write_bytes(whole[:-9])
    with Catalog.open(str(scene.main)) as catalog:
        history = read_history(catalog, plan)
        assert history.outcome is None
        with Journal(catalog, plan, history) as journal:
            journal.append([{"record": "end", "outcome": "complete"}])
        assert read_history(catalog, plan).outcome == "complete"
    for at in range(len(lines) - 2):
        for change in (lambda line: line[:-5], lambda line: line.replace(b"record", b"Record"), lambda line: b""):
            damaged = list(lines)
            damaged[at] = change(damaged[at])
            with pytest.raises(CorruptDocument, match="damaged") as caught:
                history_of(damaged, "journal")
            assert caught.value.line == at + 1


def test_a_batch_that_was_torn_out_of_order_is_no_damage() -> None:
    """Pages of one append may reach the disk in any order before its sync returns."""
    lines, last = [], history_of([b""], "").last
    for number in range(5):
        lines.append(frame(number, 0 if number < 2 else 2, last, {"record": "intent", "action": number}))
        last = hashlib.sha256(lines[-1]).hexdigest()
    torn = [*lines[:3], bytes(len(lines[3])), lines[4], b""]
    assert history_of(torn, "").intended == {0, 1, 2}
    with pytest.raises(CorruptDocument):
        history_of([lines[0], bytes(9), *lines[2:], b""], "")


def test_done_is_written_after_the_folders_are_on_the_disk(scene: Scene) -> None:
    for number in range(20):
        scene.photo(f"{number}.jpg")
    plan = scene.approved([scene.move(f"{number}.jpg", f"x/{number}.jpg") for number in range(20)])
    layer = Recording()
    scene.run("apply", plan, layer)
    moves = [at for at, (name, _) in enumerate(layer.calls) if name == "rename_new"][1:]  # after the mark of the index
    dones = [at for at, (name, told) in enumerate(layer.calls) if name == "write" and b'"record":"done"' in told]
    intents = [at for at, (name, told) in enumerate(layer.calls) if name == "write" and b'"record":"intent"' in told]
    assert len(dones) == len(intents) == 1
    assert intents[0] < moves[0] < moves[-1] < dones[0]
    between = [name for name, _ in layer.calls[moves[-1] : dones[0]]]
    assert between.count("fsync") >= 2
    assert layer.calls[intents[0] + 1][0] == "fsync"
    assert sum(name == "fsync" for name, _ in layer.calls) < 20


class Recording(TestLayer):
    """Writes down what is written, too."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, bytes]] = []

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        self.calls.append((name, bytes(arguments[1]) if name == "write" else b""))
