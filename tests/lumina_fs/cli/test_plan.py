"""`lumina plan` as a person types it: proposed, looked at, edited, rejected, approved, deleted."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.cli import main
from lumina_fs.errors import ExitCode

if TYPE_CHECKING:
    from tests.conftest import Library

REPOSITORY = Path(__file__).resolve().parents[3]


class Shell:
    """Runs `lumina plan` in a library's catalog."""

    def __init__(self, library: Library, capsys: pytest.CaptureFixture[str]) -> None:
        self.library = library
        self.capsys = capsys

    def run(self, line: str) -> tuple[int, str, str]:
        code = main(["plan", *shlex.split(line), "--catalog", str(self.library.root)])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def lines(self, line: str) -> list[dict[str, Any]]:
        code, out, err = self.run(f"{line} --json")
        assert code == 0, err
        return [json.loads(one) for one in out.splitlines()]

    def propose(self, line: str = "YYYY/MM") -> str:
        [made] = self.lines(f"propose {line}")
        return str(made["plan"])

    def file(self, plan: str) -> Path:
        return self.library.root / f".lumina/plans/{plan}.json"


@pytest.fixture
def shell(library: Library, capsys: pytest.CaptureFixture[str]) -> Shell:
    library.photo("in/a.jpg", 1, DateTimeOriginal="2019:07:14 12:31:05")
    library.photo("in/b.jpg", 2, DateTimeOriginal="2019:08:14 12:31:05")
    library.photo("other/a.jpg", 3, DateTimeOriginal="2019:07:14 12:31:06")
    library.photo("other/undated.jpg", 4)
    library.scan()
    main(["source", "set", "main", "--managed", "yes", "--catalog", str(library.root)])
    capsys.readouterr()
    return Shell(library, capsys)


def test_a_plan_is_proposed_listed_and_shown(shell: Shell) -> None:
    before = shell.library.tree()
    code, out, _ = shell.run("propose YYYY/MM")
    assert code == 0
    assert "4 move" in out
    assert "2 actions with a warning" in out
    assert {path for path in shell.library.tree() if not path.startswith(".lumina")} == {
        path for path in before if not path.startswith(".lumina")
    }
    [row] = shell.lines("list")
    assert (row["status"], row["counts"]) == ("draft", {"move": 4})
    assert "draft" in shell.run("list")[1]
    head, *actions = shell.lines(f"show {row['plan']}")
    assert head["counts"] == {"move": 4}
    assert head["digest"] == row["digest"]
    assert (head["uncertain_dates"], head["collisions"], head["refused"]) == (1, 1, 0)
    assert head["volumes"][0]["arriving"] == 0
    assert {action["path"]: action["target"] for action in actions}["other/a.jpg"] == "2019/07/a-1.jpg"
    code, out, _ = shell.run(f"show {row['plan'][-8:]}")
    assert "warning: action" in out
    assert "2019/07/a-1.jpg" in out
    assert row["digest"] in out


def test_proposing_shows_what_the_written_plan_says(shell: Shell) -> None:
    code, out, _ = shell.run("propose YYYY/MM")
    assert code == 0
    [row] = shell.lines("list")
    shown = shell.run(f"show {row['plan']}")[1]
    assert f"\n\n{shown}" in out
    assert row["digest"] in out
    assert out.splitlines()[-1].endswith(f"say yes: lumina plan approve {row['plan'][-8:]}")


def test_a_preview_is_picked_sorted_and_drawn_as_a_tree(shell: Shell) -> None:
    plan = shell.propose()
    _, *warned = shell.lines(f"show {plan} --only warned")
    assert len(warned) == 2
    _, *matched = shell.lines(f"show {plan} --match in/ --sort path")
    assert [one["path"] for one in matched] == ["in/a.jpg", "in/b.jpg"]
    _, *sized = shell.lines(f"show {plan} --sort size")
    assert [one["size"] for one in sized] == sorted((one["size"] for one in sized), reverse=True)
    out = shell.run(f"show {plan} --tree")[1]
    assert "  2019/\n" in out
    assert "    07/\n" in out
    _, *none = shell.lines(f"show {plan} --only trash")
    assert none == []


def test_what_is_shown_is_what_the_bytes_say(shell: Shell) -> None:
    plan = shell.propose()
    text = shell.file(plan).read_text()
    shell.file(plan).write_text(text.replace("2019/08/b.jpg", "else/b.jpg"))
    _, *actions = shell.lines(f"show {plan}")
    assert "else/b.jpg" in {action["target"] for action in actions}


def test_a_mistaken_edit_is_told_with_line_and_column(shell: Shell) -> None:
    plan = shell.propose()
    lines = shell.file(plan).read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if '"size"' in line)
    shell.file(plan).write_text("\n".join([*lines[:at], lines[at].replace(": ", ": -"), *lines[at + 1 :]]))
    code, _, err = shell.run(f"show {plan}")
    assert code == ExitCode.CORRUPT
    assert "actions.0.size: must be greater than or equal to 0" in err.lower().replace("input should", "must")
    assert f"line {at + 1}, column " in err
    assert shell.run("list")[0] == ExitCode.CORRUPT


def test_rejected_actions_stay_readable_and_the_rest_of_a_file_as_it_was(shell: Shell) -> None:
    plan = shell.propose()
    text = shell.file(plan).read_text()
    shell.file(plan).write_text(text.replace('"name": "', '"name":    "', 1))
    [result] = shell.lines(f"reject {plan} in/b.jpg other --reason 'not these'")
    assert result == {"plan": plan, "rejected": 3, "refused": 0}
    after = shell.file(plan).read_text()
    assert '"name":    "' in after
    value = json.loads(after)
    skipped = [action for action in value["actions"] if action["do"] == "skip"]
    assert {action["reason"] for action in skipped} == {"not these"}
    assert {action["proposed"]["do"] for action in skipped} == {"move"}
    assert skipped[0]["proposed"]["to"]["source"] == "main"
    assert shell.lines(f"show {plan}")[0]["counts"] == {"move": 1, "skip": 3}
    assert shell.run(f"reject {plan} nowhere.jpg")[0] == ExitCode.USAGE
    assert shell.run(f"reject {plan}")[0] == ExitCode.USAGE


def test_only_exactly_what_was_seen_is_approved_and_once(shell: Shell) -> None:
    plan = shell.propose()
    digest = shell.lines("list")[0]["digest"]
    assert shell.run(f"approve {plan} --yes deadbeef")[0] == ExitCode.REFUSED
    assert shell.run(f"approve {plan} --yes {digest[:7]}")[0] == ExitCode.REFUSED
    code, out, _ = shell.run(f"approve {plan} --yes {digest[:8]}")
    assert code == 0
    assert "4 move" in out
    assert shell.lines("list")[0]["status"] == "approved"
    for line in (f"approve {plan} --yes {digest}", f"delete {plan}", f"reject {plan} in/a.jpg"):
        assert shell.run(line)[0] == ExitCode.REFUSED, line
    with open(shell.file(plan), "a") as file:
        file.write(" ")
    assert shell.lines("list")[0]["status"] == "void"
    again = shell.lines("list")[0]["digest"]
    assert shell.run(f"approve {plan} --yes {again[:8]}")[0] == 0
    assert shell.lines("list")[0]["status"] == "approved"
    approval = json.loads((shell.library.root / f".lumina/plans/{plan}.approval.json").read_text())
    assert (approval["plan_sha256"], approval["counts"]) == (again, {"move": 4})


def test_an_approval_of_another_plan_is_none(shell: Shell) -> None:
    one, other = shell.propose(), shell.propose("YYYY")
    digest = shell.lines("list")[0]["digest"]
    assert shell.run(f"approve {one} --yes {digest[:8]}")[0] == 0
    shutil.copy(
        shell.library.root / f".lumina/plans/{one}.approval.json",
        shell.library.root / f".lumina/plans/{other}.approval.json",
    )
    assert [row["status"] for row in shell.lines("list")] == ["approved", "void"]


def test_a_plan_that_cannot_be_done_is_not_approved_until_the_rest_is_taken_out(shell: Shell) -> None:
    plan = shell.propose()
    (shell.library.root / "in/b.jpg").rename(shell.library.root / "in/c.jpg")
    (shell.library.root / "in/a.xmp").write_text("<x/>")
    head, *_ = shell.lines(f"show {plan}")
    assert head["refused"] == 2
    digest = head["digest"]
    code, _, err = shell.run(f"approve {plan} --yes {digest}")
    assert code == ExitCode.REFUSED
    assert "a.xmp belongs to it and would stay behind" in err
    assert shell.run(f"reject {plan} --refused")[0] == 0
    head, *_ = shell.lines(f"show {plan}")
    assert (head["refused"], head["counts"]) == (0, {"move": 2, "skip": 2})
    assert shell.run(f"approve {plan} --yes {head['digest']}")[0] == 0


def test_a_plan_can_be_read_while_its_source_is_away_and_not_be_approved(shell: Shell, tmp_path: Path) -> None:
    away = tmp_path / "away"
    (away / "in").mkdir(parents=True)
    shutil.copy(shell.library.root / "in/a.jpg", away / "in/x.jpg")
    main(["source", "add", str(away), "--name", "away", "--managed", "--catalog", str(shell.library.root)])
    shell.library.scan()
    shell.capsys.readouterr()
    plan = shell.propose("YYYY/MM --source away")
    away.rename(tmp_path / "gone")
    code, out, err = shell.run(f"show {plan}")
    assert code == 0
    assert "2019/07/x.jpg" in out
    assert "is not there" in err
    assert shell.run(f"approve {plan} --yes {shell.lines('list')[0]['digest']}")[0] == ExitCode.OFFLINE


def test_a_draft_is_deleted_and_its_end_names_it(shell: Shell) -> None:
    plan = shell.propose()
    assert shell.run(f"delete {plan[-8:]}")[0] == 0
    assert shell.run("list")[1:] == ("", "there are no plans; `lumina plan propose YYYY/MM` makes one\n")
    assert shell.run(f"show {plan}")[0] == ExitCode.USAGE


def test_an_editor_is_opened_and_its_work_is_checked(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = shell.propose()
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    assert "set EDITOR" in shell.run(f"edit {plan}")[2]
    monkeypatch.setenv("EDITOR", "true")
    assert shell.run(f"edit {plan}")[1] == "nothing was changed\n"
    monkeypatch.setenv("EDITOR", "sed -i s:2019/08/b:2019/08/../b:g")
    code, _, err = shell.run(f"edit {plan}")
    assert code == ExitCode.PROBLEMS
    assert "'..'" in err
    monkeypatch.setenv("EDITOR", "false")
    assert shell.run(f"edit {plan}")[0] == ExitCode.USAGE


def test_a_broken_edit_can_be_taken_back(shell: Shell) -> None:
    plan = shell.propose()
    before = shell.file(plan).read_bytes()
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lumina_fs", "plan", "edit", plan, "--catalog", str(shell.library.root)],
        cwd=REPOSITORY, stdin=slave, stdout=subprocess.PIPE, stderr=slave, env={**os.environ, "EDITOR": "sed -i 3d"},
    )  # fmt: skip
    os.close(slave)
    said = b""
    while b"[a] " not in said:
        said += os.read(master, 4096)
    os.write(master, b"b\n")
    out, _ = process.communicate(timeout=30)
    os.close(master)
    assert (process.returncode, out) == (0, b"it is what it was\n")
    assert b"kind: must be" in said
    assert shell.file(plan).read_bytes() == before


def test_nothing_is_proposed_where_nothing_may_be_moved(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    code, _, err = Shell(library, capsys).run("propose YYYY/MM")
    assert code == ExitCode.USAGE
    assert "lumina source set main --managed yes" in err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{kamera}/YYYY", "did you mean {camera}"),
        ("nonsense", "is no strategy"),
        ("YYYY --query kamera:x", "did you mean"),
        ("YYYY --into nowhere", "no source"),
        ("YYYY --fallback ../x", "--fallback"),
        ("YYYY --below 200", "0 to 100"),
        ("YYYY --query 'a) OR (b'", "closing parenthesis"),
        ("YYYY --rules x.json", "says it all"),
    ],
)
def test_a_mistaken_wish_is_told_and_nothing_is_written(shell: Shell, line: str, reason: str) -> None:
    code, out, err = shell.run(f"propose {line}")
    assert (code, out) == (ExitCode.USAGE, "")
    assert reason in err
    assert not list((shell.library.root / ".lumina").glob("plans/*"))


def test_every_command_calls_the_id_of_a_plan_plan(shell: Shell) -> None:
    plan = shell.propose()
    digest = hashlib.sha256(shell.file(plan).read_bytes()).hexdigest()
    told = [shell.lines(line)[0] for line in ("list", f"show {plan}", f"approve {plan} --yes {digest}")]
    told += shell.lines(f"apply {plan} --yes {digest}")
    [undoing] = shell.lines(f"undo {plan}")
    assert {one["plan"] for one in told} == {plan}
    assert shell.file(undoing["plan"]).exists()
    assert shell.lines(f"delete {undoing['plan']}") == [{"plan": undoing["plan"], "deleted": True}]
    assert not any("id" in one for one in (*told, undoing))


def test_an_undo_that_leaves_photos_out_has_one_exit_code_with_json_and_without(shell: Shell) -> None:
    plan = shell.propose()
    digest = hashlib.sha256(shell.file(plan).read_bytes()).hexdigest()
    shell.run(f"approve {plan} --yes {digest}")
    assert shell.run(f"apply {plan} --yes {digest}")[0] == 0
    (shell.library.root / "2019/07/a.jpg").unlink()
    code, out, _ = shell.run(f"undo {plan} --json")
    assert json.loads(out)["counts"]["skip"] == 1
    assert (code, shell.run(f"undo {plan}")[0]) == (ExitCode.PROBLEMS, ExitCode.PROBLEMS)


def test_names_in_a_plan_cannot_act_on_the_terminal(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    photo = library.photo("a.jpg", 1)
    os.rename(photo, library.root / "\x1b]0;owned\x07\u202e[red]\nline.jpg")
    library.scan()
    shell = Shell(library, capsys)
    main(["source", "set", "main", "--managed", "yes", "--catalog", str(library.root)])
    said = "".join(shell.run("propose YYYY/MM --name '\x1b[2Jx'")[1:]) + "".join(shell.run("list")[1:])
    plan = shell.lines("list")[0]["plan"]
    said += "".join(shell.run(f"show {plan}")[1:]) + "".join(shell.run(f"show {plan} --tree")[1:])
    assert "\\x1b" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_the_photo_corpus_organised_by_date_gives_a_plan_that_may_be_approved(
    photos: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("live_photo", "takeout", "xmp", "raw", "dates", "duplicates"):
        shutil.copytree(photos / name, library.root / name)
    library.scan()
    main(["source", "set", "main", "--managed", "yes", "--catalog", str(library.root)])
    capsys.readouterr()
    shell = Shell(library, capsys)
    for layout in ("YYYY/MM", "TIME_CHECKSUM", "'{camera}/YYYY'"):
        plan = shell.propose(layout)
        head, *actions = shell.lines(f"show {plan}")
        assert head["refused"] == 0
        assert head["counts"]["move"] > 300
        assert len({action["target"].casefold() for action in actions}) == len(actions)
    by_path = {action["path"]: action for action in json.loads(shell.file(plan).read_bytes())["actions"]}
    parts = {one["part"] for one in by_path["live_photo/apple_pair/train.jpg"]["companions"]}
    assert parts == {"live_photo", "sidecar"}
    assert {one["part"] for one in by_path["live_photo/apple_edit/IMG_4120.JPG"]["companions"]} == {"sidecar", "edits"}
    assert "live_photo/not_a_pair/IMG_1234.mp4" in by_path
