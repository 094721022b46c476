"""`lumina plan apply | resume | rollback | undo`, `lumina trash` and `lumina audit` as a person types them."""

from __future__ import annotations

import argparse
import csv
import io
import json
import shlex
import threading
from pathlib import Path

import pytest

from lumina_fs.audit import AUDIT
from lumina_fs.catalog import Catalog
from lumina_fs.cli import main, plan_runs
from lumina_fs.cli.session import open_catalog
from lumina_fs.errors import ExitCode, LuminaError, Refused
from lumina_fs.plans.files import read_plan
from tests.lumina_fs.faults import Interrupted
from tests.lumina_fs.plans.scenes import NO_INDEX, Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("LUMINA_DATABASE_URL", NO_INDEX)
    return Scene.make(tmp_path, tmp_path)


def plan_run(scene: Scene, line: str) -> int:
    """`lumina plan` with only the subcommands of this module."""
    parser = argparse.ArgumentParser()
    plan_runs.add_subcommands(parser.add_subparsers(dest="action", required=True))
    return int(plan_runs.run(parser.parse_args(shlex.split(f"{line} --catalog {scene.main}"))))


def lumina(scene: Scene, line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(shlex.split(f"{line} --catalog {scene.main}"))
    said = capsys.readouterr()
    return code, said.out, said.err


def digest(scene: Scene, plan: str) -> str:
    with Catalog.open(str(scene.main)) as catalog:
        return read_plan(catalog, plan).digest


def test_apply_asks_for_the_digest_where_nobody_can_answer(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.photo("a.jpg")
    plan = scene.approved([scene.move("a.jpg", "x/a.jpg")])
    right = digest(scene, plan)
    for wrong in ("", "--yes 12345678", f"--yes {right[:4]}"):
        with pytest.raises(Refused, match=r"digest|say yes"):
            plan_run(scene, f"apply {plan} {wrong}")
    assert (scene.main / "a.jpg").exists()
    assert plan_run(scene, f"apply {plan} --yes {right[:12]} --quiet") == ExitCode.DONE
    out = capsys.readouterr().out
    assert "done: 1 move" in out
    assert f"lumina plan undo {plan}" in out
    assert plan_run(scene, f"undo {plan} --json") == ExitCode.DONE
    undoing = json.loads(capsys.readouterr().out)
    assert undoing["counts"] == {"move": 1}
    with pytest.raises(Refused, match="is not approved"):
        plan_run(scene, f"apply {undoing['plan']} --yes {undoing['digest']}")
    scene.approve(undoing["plan"])
    assert plan_run(scene, f"apply {undoing['plan']} --yes {undoing['digest']} --json") == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["outcome"] == "complete"
    assert (scene.main / "a.jpg").exists()


def test_a_plan_that_stopped_half_way_has_an_exit_code_of_its_own(
    scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        scene.photo(f"{number}.jpg")
    plan = scene.approved([scene.move(f"{number}.jpg", f"x/{number}.jpg") for number in range(6)])
    cancel = threading.Event()

    def stop(catalog: Catalog) -> Catalog:
        catalog.disk.layer = Interrupted({("rename_new", 4): cancel.set})
        return catalog

    with monkeypatch.context() as patch:
        patch.setattr(plan_runs, "open_catalog", lambda where: stop(open_catalog(where)))
        patch.setattr(plan_runs, "interruptible", lambda: Answering(cancel))
        assert plan_run(scene, f"apply {plan} --yes {digest(scene, plan)}") == ExitCode.NEEDS_RESUME
    assert f"lumina plan resume {plan}" in capsys.readouterr().out
    assert plan_run(scene, f"rollback {plan}") == ExitCode.DONE
    assert "back where it was" in capsys.readouterr().out
    assert not (scene.main / "x").exists()


class Answering:
    """Stands for Ctrl-C."""

    def __init__(self, cancel: threading.Event) -> None:
        self.cancel = cancel

    def __enter__(self) -> threading.Event:
        return self.cancel

    def __exit__(self, *_: object) -> None:
        pass


def test_a_failure_is_told_with_what_was_and_was_not_done(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.jpg", "b.jpg"):
        scene.photo(name)
    plan = scene.approved([scene.move(name, f"x/{name}") for name in ("a.jpg", "b.jpg")])
    (scene.main / "a.jpg").write_bytes(b"other")
    with pytest.raises(LuminaError, match="Nothing was touched") as caught:
        plan_run(scene, f"apply {plan} --yes {digest(scene, plan)}")
    assert caught.value.exit_code == ExitCode.REFUSED
    assert "a.jpg" in capsys.readouterr().err


def test_the_trash_is_listed_restored_and_emptied(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert lumina(scene, "trash list", capsys)[1] == "the trash is empty\n"
    for name in ("in/a.jpg", "in/b.jpg", "c.jpg"):
        scene.photo(name)
    plan = scene.approved(
        [scene.action("trash", name, reason="a \x1b]0;duplicate") for name in ("in/a.jpg", "in/b.jpg", "c.jpg")]
    )
    plan_run(scene, f"apply {plan} --yes {digest(scene, plan)}")
    code, out, _ = lumina(scene, "trash list", capsys)
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["PATH", "in/a.jpg", "in/b.jpg", "c.jpg"]
    assert "\x1b" not in out
    listed = [json.loads(line) for line in lumina(scene, "trash list --json", capsys)[1].splitlines()]
    assert listed[0]["plan"] == plan
    assert lumina(scene, "trash restore nowhere.jpg", capsys)[0] == ExitCode.USAGE
    code, out, _ = lumina(scene, "trash restore in --json", capsys)
    made = json.loads(out)
    assert made["counts"] == {"restore": 2}
    scene.approve(made["plan"])
    assert plan_run(scene, f"apply {made['plan']} --yes {made['digest']}") == 0
    assert (scene.main / "in/a.jpg").exists()
    code, _, err = lumina(scene, "trash empty", capsys)
    assert code == ExitCode.REFUSED
    assert "--yes 1" in err
    assert lumina(scene, "trash empty --before 2020-01-01", capsys)[1] == "nothing in the trash to remove\n"
    assert lumina(scene, "trash empty --yes 2", capsys)[0] == ExitCode.REFUSED
    code, out, _ = lumina(scene, "trash empty --yes 1 --json", capsys)
    assert (code, json.loads(out)["originals"]) == (0, 1)
    assert lumina(scene, "trash list", capsys)[1] == "the trash is empty\n"


def test_what_lies_in_the_trash_with_an_original_is_counted_before_it_goes(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, video = scene.photo("L.HEIC", size=3000), scene.photo("L.MOV", size=4000)
    companions = [scene.companion("live_photo", "L.MOV", None)]
    plan = scene.approved([scene.action("trash", "L.HEIC", companions=companions)])
    beside = [path.with_name(f"{path.name}.lumina.json") for path in (photo, video)]
    whole = 3000 + 4000  # sidecars are not counted, as in plans
    plan_run(scene, f"apply {plan} --yes {digest(scene, plan)}")
    assert not any(path.exists() for path in (photo, video, *beside))
    capsys.readouterr()
    _, out, err = lumina(scene, "trash list", capsys)
    assert "+3" in out.split()
    assert err.startswith("1 photo, 4 files, ")
    [listed] = [json.loads(line) for line in lumina(scene, "trash list --json", capsys)[1].splitlines()]
    assert (listed["size"], listed["whole_size"], len(listed["files"])) == (3000, whole, 4)
    _, out, _ = lumina(scene, "trash empty --yes 1 --json", capsys)
    assert json.loads(out) == {"originals": 1, "files": 4, "size": whole}
    [line] = [json.loads(line) for line in lumina(scene, "audit --type emptied --json", capsys)[1].splitlines()]
    assert "L.MOV" in line["companions"]


def test_the_audit_is_printed_as_table_json_and_csv(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.photo("=a.jpg")
    scene.photo("b.jpg")
    plan = scene.approved([scene.move("=a.jpg", "x/a.jpg"), scene.action("trash", "b.jpg")])
    plan_run(scene, f"apply {plan} --yes {digest(scene, plan)}")
    code, out, _ = lumina(scene, "audit", capsys)
    assert code == 0
    assert "=a.jpg -> x/a.jpg" in out
    assert [json.loads(line)["what"] for line in lumina(scene, "audit --json", capsys)[1].splitlines()] == [
        "moved", "trashed",
    ]  # fmt: skip
    assert json.loads(lumina(scene, "audit --json --type trashed", capsys)[1])["path"] == "b.jpg"
    assert lumina(scene, "audit --json --until 2001", capsys)[1] == ""
    assert lumina(scene, "audit --since yesterday", capsys)[0] == ExitCode.USAGE
    rows = list(csv.DictReader(io.StringIO(lumina(scene, f"audit --csv --about {plan}", capsys)[1])))
    assert [(row["what"], row["path"], row["to_path"]) for row in rows] == [
        ("moved", "'=a.jpg", "x/a.jpg"), ("trashed", "b.jpg", ""),
    ]  # fmt: skip


def test_lines_of_the_audit_that_a_person_edited_are_told_as_far_as_they_make_sense(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    (scene.main / AUDIT).mkdir()
    lines = [
        {"when": "2026-01-01T00:00:00Z", "what": "moved", "path": "a.jpg", "to": "x"},
        {"when": "2026-01-02T00:00:00Z", "what": "edited", "path": "b.jpg", "fields": [1]},
        {"when": "2026-01-03T00:00:00Z", "what": ["moved"], "path": "c.jpg", "to": {"path": 7}},
        {"when": "2026-01-04T00:00:00Z", "what": "moved", "path": "d.jpg", "plan": {}, "action": []},
        {"when": 5, "what": "moved", "path": ["e.jpg"], "to": {"path": "f.jpg"}},
    ]
    text = "".join(json.dumps(line) + "\n" for line in [*lines, "no line", [1]])
    (scene.main / AUDIT / "2026-01.jsonl").write_text(text)
    code, out, err = lumina(scene, "audit", capsys)
    assert (code, err) == (ExitCode.DONE, "")
    assert [row.split()[2:] for row in out.splitlines()[1:3]] == [["a.jpg"], ["b.jpg"]]
    assert out.splitlines()[5].split() == ["moved", "->", "f.jpg"]
    for more in ("--json", "--csv", "--type moved --json", "--about .jpg --csv", "--since 2026-01-02 --json"):
        code, out, err = lumina(scene, f"audit {more}", capsys)
        assert (code, err) == (ExitCode.DONE, ""), more
        assert "d.jpg" in out, more
